// A platform that gives its workloads identities, as a cluster or a CI service does: an OpenID
// issuer with a key of this run.  Its tokens live for five minutes.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const startIssuer = async () => {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' };
  const server = http.createServer((request, answer) => {
    answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(
      request.url === '/keys' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/keys` }));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}`;
  // Who the workload is, by the platform's word, told to that audience alone.
  const tokenFor = (subject, audience) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url, sub: subject, aud: audience, jti: randomUUID(), iat: now, exp: now + 300,
    };
    const text = `${encoded({ alg: 'ES256', kid: 'k1' })}.${encoded(claims)}`;
    const made = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${made.toString('base64url')}`;
  };
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, tokenFor, close };
};
