// Keys of the scripted agents, and the assertions they sign (RFC 7523).
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const base64url = (value) => Buffer.from(value).toString('base64url');

// The key kept in this file (PKCS #8 PEM, 0600), made if there is none.
export const keyAt = (path) => {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(path, pem, { mode: 0o600 });
  }
  const key = createPrivateKey(readFileSync(path));
  const { kty, crv, x, y } = key.export({ format: 'jwk' });
  return { path, key, jwk: { kty, crv, x, y } };
};

// RFC 7638.
export const thumbprint = ({ crv, kty, x, y }) =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');

// The `keys:` line of a charter.
export const keysLine = (environment, { kty, crv, x, y }) =>
  `keys: [{environment: ${environment}, ` +
  `jwk: {kty: "${kty}", crv: "${crv}", x: "${x}", y: "${y}"}}]`;

// A client assertion (RFC 7523 §3) for the token endpoint.
export const assertion = ({ key, jwk }, client, audience) => {
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: 'ES256', typ: 'JWT', kid: thumbprint(jwk) };
  const claims = {
    iss: client, sub: client, aud: audience, jti: randomUUID(), iat: now, exp: now + 60,
  };
  const text = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(claims))}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${base64url(signature)}`;
};
