// Tokens, with other people's OAuth and JOSE libraries as the client: what they
// refuse of us, we got wrong; what they cannot get out of us, nobody should.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as jose from 'jose';
import * as oauth from 'oauth4webapi';

import { World } from '../../examples/stories/lib/world.mjs';

const IDENTITY = 'support-summariser';
const insecure = { [oauth.allowInsecureRequests]: true };
let world;
let server;

before(async () => {
  world = await World.start();
  const issuer = new URL(world.url);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, answer);
});
after(() => world?.stop());

const keyOf = async (name) => ({
  key: await jose.importPKCS8(
    world.keys[name].key.export({ type: 'pkcs8', format: 'pem' }), 'ES256'),
});

const grant = async (name, key, parameters, options) =>
  oauth.clientCredentialsGrantRequest(
    server, { client_id: name }, oauth.PrivateKeyJwt(key, options), parameters, insecure);

const tokenFor = async (name, resource = world.mcp('files')) => {
  const answer = await grant(name, await keyOf(name), { resource });
  return oauth.processClientCredentialsResponse(server, { client_id: name }, answer);
};

// The error of a refused grant.
const refusal = async (name, key, parameters, options) => {
  const answer = await grant(name, key, parameters, options);
  assert.ok(answer.status >= 400, `${answer.status}`);
  const body = await answer.json();
  assert.equal(body.access_token, undefined);
  return body.error;
};

const post = (token, headers = {}) =>
  fetch(world.mcp('files'), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0', id: 1, method: 'initialize',
      params: {
        protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' },
      },
    }),
  });

test('the metadata names what this version does and nothing else', () => {
  assert.deepEqual(server.grant_types_supported,
    ['authorization_code', 'refresh_token', 'client_credentials',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:openid:params:grant-type:ciba',
      'urn:ietf:params:oauth:grant-type:token-exchange']);
  assert.deepEqual(server.token_endpoint_auth_methods_supported, ['none', 'private_key_jwt']);
  assert.deepEqual(server.response_types_supported, ['code']);
  assert.deepEqual(server.code_challenge_methods_supported, ['S256']);
  assert.ok(server.token_endpoint_auth_signing_alg_values_supported.includes('ES256'));
});

test('a token is an ES256 at+jwt for one audience that its keys verify', async () => {
  const { access_token: token, expires_in: lifetime, token_type: type } = await tokenFor(IDENTITY);
  assert.equal(type, 'bearer');
  assert.ok(lifetime > 0 && lifetime <= 900, `${lifetime}`);
  const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri));
  const { payload, protectedHeader } = await jose.jwtVerify(token, keys, {
    issuer: server.issuer, audience: world.mcp('files'), typ: 'at+jwt', algorithms: ['ES256'],
  });
  assert.equal(protectedHeader.alg, 'ES256');
  assert.equal(payload.client_id, IDENTITY);
  assert.ok(payload.jti && payload.iat && payload.exp - payload.iat === lifetime);
});

test('a token opens the door it was made for', async () => {
  const { access_token: token } = await tokenFor(IDENTITY);
  assert.equal((await post(token)).status, 200);
});

test('a token for another server is refused', async () => {
  const { access_token: token } = await tokenFor('incident-opener', world.mcp('memory'));
  const answer = await post(token);
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /invalid_token/);
});

test('the 401 leads a client to the metadata of the resource', async () => {
  const answer = await post(null);
  assert.equal(answer.status, 401);
  const address = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate'))[1];
  const metadata = await (await fetch(address)).json();
  assert.equal(metadata.resource, world.mcp('files'));
  assert.deepEqual(metadata.authorization_servers, [server.issuer]);
});

test('a changed token is refused', async () => {
  const { access_token: token } = await tokenFor(IDENTITY);
  const parts = token.split('.');
  const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
  claims.exp += 3600;
  parts[1] = Buffer.from(JSON.stringify(claims)).toString('base64url');
  assert.equal((await post(parts.join('.'))).status, 401);
  assert.equal((await post(token.slice(0, -2))).status, 401);
});

test('an unsigned token is refused', async () => {
  const { access_token: token } = await tokenFor(IDENTITY);
  const claims = jose.decodeJwt(token);
  assert.equal((await post(new jose.UnsecuredJWT(claims).encode())).status, 401);
});

test('a token in the address is not looked at', async () => {
  const { access_token: token } = await tokenFor(IDENTITY);
  const answer = await fetch(`${world.mcp('files')}?access_token=${token}`, { method: 'POST' });
  assert.equal(answer.status, 401);
});

test("another identity's key gets no token", async () => {
  const error = await refusal(IDENTITY, await keyOf('deployer'), { resource: world.mcp('files') });
  assert.equal(error, 'invalid_client');
});

test('an assertion for another audience gets no token', async () => {
  const error = await refusal(IDENTITY, await keyOf(IDENTITY), { resource: world.mcp('files') }, {
    [oauth.modifyAssertion](header, payload) { payload.aud = 'https://elsewhere.example'; },
  });
  assert.equal(error, 'invalid_client');
});

test('an expired assertion gets no token', async () => {
  const error = await refusal(IDENTITY, await keyOf(IDENTITY), { resource: world.mcp('files') }, {
    [oauth.modifyAssertion](header, payload) {
      for (const claim of ['iat', 'nbf', 'exp']) payload[claim] -= 7200;
    },
  });
  assert.equal(error, 'invalid_client');
});

test('an assertion is used once', async () => {
  const fixed = {
    [oauth.modifyAssertion](header, payload) { payload.jti = 'one-and-the-same-assertion-id'; },
  };
  const key = await keyOf(IDENTITY);
  const first = await grant(IDENTITY, key, { resource: world.mcp('files') }, fixed);
  assert.equal(first.status, 200);
  assert.equal(await refusal(IDENTITY, key, { resource: world.mcp('files') }, fixed),
    'invalid_client');
});

test('a server that is not registered is no audience', async () => {
  const error = await refusal(IDENTITY, await keyOf(IDENTITY), { resource: world.mcp('nowhere') });
  assert.equal(error, 'invalid_target');
});

test('an ended task refuses its token at once', async () => {
  const { task, token } = await world.openTask(IDENTITY, 'files');
  assert.equal((await post(token)).status, 200);
  await world.must(null, 'kill', 'task', task, '--reason', 'test', '--yes');
  assert.equal((await post(token)).status, 401);
});

test('a foreign origin is refused', async () => {
  const { access_token: token } = await tokenFor(IDENTITY);
  assert.equal((await post(token, { Origin: 'https://evil.example' })).status, 403);
});
