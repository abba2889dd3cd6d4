// A person's signed requests to the control API, made by hand, so that they can
// also be made wrong (docs/formats/request-signature.md).
import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

import { thumbprint } from '../../../examples/stories/lib/keys.mjs';

const base64url = (value) => Buffer.from(value).toString('base64url');

// The key `remit login` made for this person of the world.
export const keyOf = (world, person) => {
  const file = join(world.path('people', person), 'remit', 'key.pem');
  const key = createPrivateKey(readFileSync(file));
  return { key, jwk: key.export({ format: 'jwk' }) };
};

// The name of the installation: that of the log's key.
const installationOf = (world) => readFileSync(world.path('audit.vkey'), 'utf8').split('+')[0];

// The Authorization header for a request to this world; wrong: claims or header
// members to overwrite.
export const signature = (world, { key, jwk }, person, request, wrong = {}) => {
  const { method, target, body = '', isSocket = false } = request;
  const head = { alg: 'ES256', typ: 'remit-request+jwt', kid: thumbprint(jwk), ...wrong.head };
  const claims = {
    iss: person, aud: installationOf(world), htm: method,
    htu: (isSocket ? 'http://localhost' : world.url) + target,
    iat: Math.floor(Date.now() / 1000), jti: randomUUID(),
    body: createHash('sha256').update(body).digest('base64url'), ...wrong.claims,
  };
  const text = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(claims))}`;
  const mark = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `Remit-Signed ${text}.${base64url(mark)}`;
};

// { status, headers, text } of a request by HTTP, or by the socket of the folder.
export const ask = (world, { method, target, body = '', headers = {}, isSocket = false }) =>
  new Promise((done, fail) => {
    const { hostname, port } = new URL(world.url);
    const where = isSocket ? { socketPath: world.path('remit.sock') } : { host: hostname, port };
    const all = { 'Idempotency-Key': randomUUID(), ...headers };
    if (body !== '') all['Content-Type'] ??= 'application/json';
    if (method !== 'GET') all['Content-Length'] = Buffer.byteLength(body);
    const request = http.request({ ...where, method, path: target, headers: all }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on('error', fail);
    request.end(body);
  });
