// The authorization server with openid-client and oauth4webapi as its clients: what they find
// by discovery they use, and each refusal is one that they know.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { World } from '../../examples/stories/lib/world.mjs';

const IDENTITY = 'support-summariser';
const OTHER = 'deployer';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const READ = 'files/read_text_file';
const insecure = { execute: [client.allowInsecureRequests] };
let world;

// The server is registered as an identity too, with a key of its own.
const toolServer = (line) => `object: identity
name: files
kind: tool-server
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Serves the desk
environments: [staging]
entitlements: []
expires: 2027-06-30
${line}
`;

before(async () => {
  world = await World.start({
    approve: { files: 'bo@example.com' },
    key: { files: OTHER },
    change: (files, that) =>
      files.set('charters/60-files.yaml', toolServer(that.keysLineOf(OTHER))),
  });
});
after(() => world?.stop());

const keyOf = async (name) => jose.importPKCS8(
  world.keys[name].key.export({ type: 'pkcs8', format: 'pem' }), 'ES256');
const proven = async (name, options = { algorithm: 'oauth2' }) => client.discovery(
  new URL(world.url), name, {}, client.PrivateKeyJwt(await keyOf(name)),
  { ...insecure, ...options });
const assertionOf = async (name, more = {}, header = {}) => new jose.SignJWT(
  { jti: crypto.randomUUID(), ...more })
  .setProtectedHeader({ alg: 'ES256', ...header })
  .setIssuer(name).setSubject(name).setAudience(world.url).setIssuedAt().setExpirationTime('60s')
  .sign(await keyOf(name));
const tokenOf = async (name, more = {}, server = 'files') => client.clientCredentialsGrant(
  await proven(name), { resource: world.mcp(server), ...more });
// The error of what must be refused, as the library reads it.
const errorOf = async (promise) => {
  const error = await promise.then(() => null, (reason) => reason);
  assert.ok(error, 'it was granted');
  assert.equal(error.code, 'OAUTH_RESPONSE_BODY_ERROR', String(error.cause ?? error));
  return error.error;
};
const details = (...list) => JSON.stringify(list.map((one) => ({ type: 'remit_tool', ...one })));

test('both ways of discovery find the same server', async () => {
  const found = [];
  for (const algorithm of ['oidc', 'oauth2']) {
    found.push((await proven(IDENTITY, { algorithm })).serverMetadata());
  }
  assert.deepEqual(JSON.parse(JSON.stringify(found[0])), JSON.parse(JSON.stringify(found[1])));
  assert.ok(found[0].grant_types_supported.includes(JWT_BEARER));
  assert.deepEqual(found[0].authorization_details_types_supported, ['remit_tool']);
  for (const endpoint of ['token', 'revocation', 'introspection']) {
    assert.ok(found[0][`${endpoint}_endpoint`].startsWith(world.url), endpoint);
  }
});

test('an assertion that is the grant gets a token, once', async () => {
  const config = await client.discovery(new URL(world.url), IDENTITY, {}, client.None(),
    { ...insecure, algorithm: 'oauth2' });
  const assertion = await assertionOf(IDENTITY);
  const ask = (given) => client.genericGrantRequest(
    config, JWT_BEARER, { assertion: given, resource: world.mcp('files') });
  const answer = await ask(assertion);
  assert.equal(jose.decodeJwt(answer.access_token).sub, IDENTITY);
  assert.equal(await errorOf(ask(assertion)), 'invalid_grant');
  assert.equal(await errorOf(ask(await assertionOf(OTHER))), 'invalid_grant');
  assert.equal(await errorOf(ask('x.y.z')), 'invalid_grant');
  assert.equal(await errorOf(ask(await assertionOf(IDENTITY, {}, {
    typ: 'client-authentication+jwt' }))), 'invalid_grant');
  const typed = await ask(await assertionOf(IDENTITY, {}, { typ: 'authorization-grant+jwt' }));
  assert.ok(typed.access_token);
});

test('a token is told to its own client and its server, and is inactive to others', async () => {
  const { access_token: token, task } = await tokenOf(IDENTITY);
  for (const name of [IDENTITY, 'files']) {
    const told = await client.tokenIntrospection(await proven(name), token);
    assert.equal(told.active, true, name);
    assert.equal(told.sub, IDENTITY);
    assert.equal(told.aud, world.mcp('files'));
    assert.equal(told.task, task);
    assert.equal(told.exp, jose.decodeJwt(token).exp);
  }
  assert.deepEqual(await client.tokenIntrospection(await proven(OTHER), token), { active: false });
  assert.deepEqual(await client.tokenIntrospection(await proven(IDENTITY), 'x'), { active: false });
});

test('who is not proven is told nothing', async () => {
  const { access_token: token } = await tokenOf(IDENTITY);
  const server = (await proven(IDENTITY)).serverMetadata();
  const wrong = oauth.PrivateKeyJwt({ key: await keyOf(OTHER) });
  const answer = await oauth.introspectionRequest(server, { client_id: IDENTITY }, wrong, token,
    { [oauth.allowInsecureRequests]: true });
  assert.equal(answer.status, 401);
  assert.deepEqual((await answer.json()).error, 'invalid_client');
});

test('a token for the issuer itself asks about others, and each answer is live', async () => {
  const { access_token: own } = await client.clientCredentialsGrant(
    await proven(IDENTITY), { resource: world.url });
  const { access_token: token, task } = await tokenOf(IDENTITY);
  const ask = async () => (await fetch(`${world.url}/oauth/introspect`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${own}` },
    body: new URLSearchParams({ token }),
  })).json();
  assert.equal((await ask()).active, true);
  await world.must(null, 'kill', 'task', task, '--reason', 'test', '--yes');
  assert.deepEqual(await ask(), { active: false });
});

test('a revoked token is inactive, its task is over, and revoking again is no error', async () => {
  const config = await proven(IDENTITY);
  const { access_token: token, task } = await tokenOf(IDENTITY);
  await client.tokenRevocation(config, token, { token_type_hint: 'access_token' });
  await client.tokenRevocation(config, token, { token_type_hint: 'refresh_token' });
  await client.tokenRevocation(config, 'never-seen');
  assert.deepEqual(await client.tokenIntrospection(config, token), { active: false });
  assert.equal((await world.json(null, 'task', 'show', task)).state, 'ended');
});

test('details that are not understood are refused in the standard word', async () => {
  for (const wrong of ['x', '[]', '{}', '[{"type":"payment_initiation"}]',
    details({ tool: READ, actions: ['read'] }), details({ tool: 'read' }),
    details({ tool: READ, arguments: { path: 'tickets/41.txt' } })]) {
    assert.equal(await errorOf(tokenOf(IDENTITY, { authorization_details: wrong })),
      'invalid_authorization_details', wrong);
  }
});

test('a task does what its details list and nothing else, nor does any below it', async () => {
  const list = details({ tool: READ, arguments: { path: ['tickets/41.txt'] } });
  const granted = await tokenOf(IDENTITY, { authorization_details: list });
  assert.deepEqual(granted.authorization_details, JSON.parse(list));
  assert.deepEqual(jose.decodeJwt(granted.access_token).authorization_details, JSON.parse(list));
  const told = await client.tokenIntrospection(await proven(IDENTITY), granted.access_token);
  assert.deepEqual(told.authorization_details, JSON.parse(list));
  const below = await tokenOf(IDENTITY, { parent: granted.task });
  assert.deepEqual(below.authorization_details, JSON.parse(list));
  for (const { access_token: token } of [granted, below]) {
    const agent = await new Agent(world.mcp('files'), token).connect();
    const listed = await agent.call('read_text_file', { path: 'tickets/41.txt' });
    assert.ok(listed.done, listed.text);
    const other = await agent.call('read_text_file', { path: 'tickets/42.txt' });
    assert.ok(!other.done);
    assert.match(other.text, /authorization_details/);
    await agent.close();
  }
  for (const wide of [details({ tool: READ }), details({ tool: 'glossary/explain' })]) {
    assert.equal(await errorOf(tokenOf(IDENTITY,
      { parent: granted.task, authorization_details: wide })), 'invalid_authorization_details');
  }
  const free = await tokenOf(IDENTITY);
  const agent = await new Agent(world.mcp('files'), free.access_token).connect();
  assert.ok((await agent.call('read_text_file', { path: 'tickets/42.txt' })).done);
  await agent.close();
});

test('the command line opens a task for certain calls, and shows what it is for', async () => {
  const list = details({ tool: READ, arguments: { path: ['tickets/41.txt'] } });
  const opened = await world.json(null, 'task', 'open', IDENTITY, '--key',
    world.keys[IDENTITY].path, '--resource', world.mcp('files'), '--details', list);
  assert.deepEqual(opened.authorization_details, JSON.parse(list));
  const shown = await world.json(null, 'task', 'show', opened.task);
  assert.deepEqual(shown.authorization_details, JSON.parse(list));
  const wrong = await world.remit(null, 'task', 'open', IDENTITY, '--key',
    world.keys[IDENTITY].path, '--resource', world.mcp('files'), '--details', '[]');
  assert.equal(wrong.code, 1, wrong.out);
  assert.match(wrong.err, /authorization_details are malformed/);
});

test('details give nothing that the charter does not', async () => {
  const list = details({ tool: READ, arguments: { path: ['private/payroll.txt'] } });
  const { access_token: token } = await tokenOf(IDENTITY, { authorization_details: list });
  const agent = await new Agent(world.mcp('files'), token).connect();
  const answer = await agent.call('read_text_file', { path: 'private/payroll.txt' });
  await agent.close();
  assert.ok(!answer.done, answer.text);
  assert.doesNotMatch(answer.text, /authorization_details/);
});

// ---- asking people first (CIBA) ----

const OPENER = 'incident-opener';
const OWNER = 'dan@example.com';
const CIBA = 'urn:openid:params:grant-type:ciba';
const CREATE = 'memory/create_entities';
const incident = (name) => [{ name, entityType: 'incident', observations: ['no paper'] }];
const create = (name, more = {}) => ({ resource: world.mcp('memory'), login_hint: OWNER,
  authorization_details: details({ tool: CREATE, arguments: { entities: [incident(name)] } }),
  ...more });
const approvalOf = async (task) =>
  (await world.json(OWNER, 'approvals', 'list')).items.find((one) => one.task === task);
const poll = (config, id) => client.genericGrantRequest(config, CIBA, { auth_req_id: id });

test('what people approve is done once, by the task they were asked about', async () => {
  const config = await proven(OPENER);
  const asked = await client.initiateBackchannelAuthentication(
    config, create('printer', { binding_message: 'The printer of floor 2' }));
  assert.equal(asked.interval, 5);
  assert.ok(asked.expires_in > 0 && asked.expires_in <= 900, `${asked.expires_in}`);
  const approval = await approvalOf(asked.task);
  assert.equal(approval.tool, CREATE);
  assert.equal(await errorOf(poll(config, asked.auth_req_id)), 'authorization_pending');
  assert.equal(await errorOf(poll(config, asked.auth_req_id)), 'slow_down');
  await world.must(OWNER, 'approve', approval.id, '--yes');
  assert.equal(await errorOf(poll(await proven(IDENTITY), asked.auth_req_id)), 'invalid_grant');
  const granted = await client.pollBackchannelAuthenticationGrant(config,
    { ...asked, interval: 10 });
  assert.equal(granted.task, asked.task);
  assert.equal(await errorOf(poll(config, asked.auth_req_id)), 'invalid_grant');
  const agent = await new Agent(world.mcp('memory'), granted.access_token).connect();
  const other = await agent.call('create_entities', { entities: incident('another') });
  assert.ok(!other.done, other.text);
  const done = await agent.call('create_entities', { entities: incident('printer') });
  assert.ok(done.done, done.text);
  const again = await agent.call('create_entities', { entities: incident('printer') });
  assert.ok(!again.done, 'an approval opened a call twice');
  await agent.close();
});

test('what people reject, or the rules refuse, gets no token', async () => {
  const config = await proven(OPENER);
  const asked = await client.initiateBackchannelAuthentication(config, create('toner'));
  const { id } = await approvalOf(asked.task);
  await world.must(OWNER, 'reject', id, '--reason', 'no', '--yes');
  assert.equal(await errorOf(poll(config, asked.auth_req_id)), 'access_denied');
  assert.equal(await errorOf(poll(config, asked.auth_req_id)), 'invalid_grant');
  assert.equal((await world.json(null, 'task', 'show', asked.task)).state, 'ended');
  const refused = client.initiateBackchannelAuthentication(config, create('x', {
    authorization_details: details({ tool: 'memory/delete_entities',
      arguments: { entityNames: [['printer']] } }) }));
  assert.equal(await errorOf(refused), 'access_denied');
});

test('people are asked about exactly one call', async () => {
  const config = await proven(OPENER);
  const ask = (more) => errorOf(
    client.initiateBackchannelAuthentication(config, create('x', more)));
  const one = { tool: CREATE, arguments: { entities: [incident('x')] } };
  for (const list of [details(one, one), details({ tool: CREATE }),
    details({ ...one, arguments: { entities: [incident('x'), incident('y')] } })]) {
    assert.equal(await ask({ authorization_details: list }), 'invalid_authorization_details');
  }
  assert.equal(await ask({ resource: world.mcp('files') }), 'invalid_authorization_details');
  assert.equal(await ask({ binding_message: 'x'.repeat(201) }), 'invalid_binding_message');
  assert.equal(await ask({ requested_expiry: 'soon' }), 'invalid_request');
  assert.equal(await ask({ client_notification_token: 'x' }), 'invalid_request');
});

test('a client registers by an invitation, once, and works when two have agreed', async () => {
  const file = world.path('invitation');
  const metadata = async () => ({ token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [await jose.exportJWK(pair.publicKey)] } });
  const pair = await jose.generateKeyPair('ES256', { extractable: true });
  const register = async (initialAccessToken) => client.dynamicClientRegistration(
    new URL(world.url), await metadata(), client.PrivateKeyJwt(pair.privateKey),
    { ...insecure, algorithm: 'oauth2', initialAccessToken });
  await assert.rejects(register());
  await world.must('ana@example.com', 'identity', 'invite', 'letter-reader', '--backup-owner',
    'bo@example.com', '--purpose', 'Reads letters', '--environment', 'staging', '--out', file);
  const code = readFileSync(file, 'utf8').trim();
  const config = await register(code);
  assert.equal(config.clientMetadata().client_id, 'letter-reader');
  await assert.rejects(register(code));
  const ask = () => client.clientCredentialsGrant(config, { resource: world.mcp('files') });
  assert.equal(await errorOf(ask()), 'unauthorized_client');
  await world.must('ana@example.com', 'identity', 'propose', 'letter-reader');
  assert.equal(await errorOf(ask()), 'unauthorized_client');
  await world.must('bo@example.com', 'identity', 'approve', 'letter-reader', '--yes');
  const { access_token: token } = await ask();
  const agent = await new Agent(world.mcp('files'), token).connect();
  assert.ok(!(await agent.call('read_text_file', { path: 'tickets/41.txt' })).done);
  await agent.close();
});

test('after a restart a list holds as before, and a used assertion is used', async () => {
  const list = details({ tool: READ, arguments: { path: ['tickets/41.txt'] } });
  const { access_token: token } = await tokenOf(IDENTITY, { authorization_details: list });
  const assertion = await assertionOf(IDENTITY);
  const introspect = (given) => fetch(`${world.url}/oauth/introspect`, {
    method: 'POST', body: new URLSearchParams({ token, client_assertion: given,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }),
  });
  assert.equal((await introspect(assertion)).status, 200);
  for (const isStoreLost of [false, true]) {
    await world.killDaemon();
    if (isStoreLost) world.removeStore();
    await world.spawnDaemon();
    assert.equal((await introspect(assertion)).status, 401);
    const agent = await new Agent(world.mcp('files'), token).connect();
    const listed = await agent.call('read_text_file', { path: 'tickets/41.txt' });
    assert.ok(listed.done, listed.text);
    assert.ok(!(await agent.call('read_text_file', { path: 'tickets/42.txt' })).done);
    await agent.close();
  }
});

test('each decision is made again by a replay', async () => {
  const replayed = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(replayed.report.replay.result, 'all', replayed.out);
  assert.deepEqual(replayed.report.replay.differences, []);
});
