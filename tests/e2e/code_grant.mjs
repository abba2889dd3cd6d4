// Acting for a person (docs/code-grant.md), with other people's clients: openid-client,
// oauth4webapi and the MCP SDK's own OAuth client; and those who would misuse it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { Browser } from './support/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(resolve(here, '../../docs/code-grant.md'), 'utf8');
const example = (language) =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(page)[1];
const ASSISTANT = 'desk-assistant';
const CONFIDENTIAL = 'support-summariser';
const PERSON = 'ana@example.com';
const REDIRECT = 'http://127.0.0.1:4711/callback';
const insecure = { [oauth.allowInsecureRequests]: true };
let world;
let server;

const TOKEN_FREE = /refresh_token|code_verifier/;

before(async () => {
  world = await World.start({
    approve: { [ASSISTANT]: 'bo@example.com' },
    change: (files) => {
      const own = files.get('charters/50-support-summariser.yaml');
      const clause = example('yaml');
      files.set('charters/60-desk-assistant.yaml', own
        .replace(`name: ${CONFIDENTIAL}\n`, `name: ${ASSISTANT}\n`)
        .replace(/^keys:.*\n/m, clause));
      files.set('charters/50-support-summariser.yaml', own + clause);
    },
  });
  const issuer = new URL(world.url);
  server = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
});
after(() => world?.stop());

const pkce = () => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
};

const wish = (challenge, more = {}) => {
  const address = new URL(server.authorization_endpoint);
  const all = { response_type: 'code', client_id: ASSISTANT, redirect_uri: REDIRECT, state: 'st&te',
    resource: world.mcp('files'), code_challenge: challenge, code_challenge_method: 'S256',
    ...more };
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) address.searchParams.set(name, value);
  }
  return address.href;
};

const consent = (browser, person = PERSON, ...more) =>
  world.remit(person, 'consent', browser.code, ...(more.length ? more
    : ['--number', browser.number]));

// The address that the browser is sent back to.
const agreed = async (more) => {
  const { verifier, challenge } = pkce();
  const browser = new Browser(world.url);
  await browser.begin(wish(challenge, more));
  const done = await consent(browser);
  assert.equal(done.code, 0, done.err);
  const back = await browser.get(browser.page);
  assert.equal(back.status, 303);
  return { verifier, browser, back: new URL(back.place), code: new URL(back.place).searchParams };
};

const token = async (parameters, headers = {}) => {
  const answer = await fetch(server.token_endpoint, { method: 'POST', headers,
    body: new URLSearchParams(parameters) });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};

const redeem = ({ code, verifier }, more = {}) => token({ grant_type: 'authorization_code',
  code: code.get('code'), redirect_uri: REDIRECT, client_id: ASSISTANT, code_verifier: verifier,
  ...more });

const refresh = (refresh_token, more = {}) =>
  token({ grant_type: 'refresh_token', refresh_token, client_id: ASSISTANT, ...more });

const call = async (access) => (await fetch(world.mcp('files'), {
  method: 'POST',
  headers: { Authorization: `Bearer ${access}`, 'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {
    protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e', version: '1' } } }),
})).status;

const assertOver = async (access) => assert.ok(await eventually(
  async () => await call(access) === 401));

// ---- it works ----

test('the example of the page works word for word', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: here, env: {
    ...process.env, ISSUER: world.url, IDENTITY: ASSISTANT, RESOURCE: world.mcp('files') } });
  let out = '';
  let err = '';
  child.stdout.on('data', (part) => (out += part));
  child.stderr.on('data', (part) => (err += part));
  const ended = new Promise((done) => child.on('close', done));
  child.stdin.end(example('js'));
  assert.ok(await eventually(() => /^open (\S+)$/m.test(out)), err);
  const browser = new Browser(world.url);
  const shown = await browser.begin(/^open (\S+)$/m.exec(out)[1]);
  assert.match(shown.text, /Sum up the tickets of today/);
  const done = await consent(browser);
  assert.equal(done.code, 0, done.err);
  assert.match(done.err, /desk-assistant/);
  const back = await browser.get(browser.page);
  await (await fetch(back.place)).text();
  assert.equal(await ended, 0, err);
  assert.match(out, /^task (t-\w+) for \d+ seconds\ntask \1 again$/m);
});

test('the same by hand, with curl as the browser, word for word', async () => {
  const home = world.path('people', PERSON);
  const done = await run('sh', ['-euc', example('sh')], { env: {
    ...process.env, ISSUER: world.url, IDENTITY: ASSISTANT, RESOURCE: world.mcp('files'),
    DATA: world.dir, HOME: home, XDG_CONFIG_HOME: home,
    PATH: `${process.env.REMIT_BUILD ?? resolve(here, '../../build')}:${process.env.PATH}` } });
  assert.equal(done.code, 0, done.out + done.err);
  const answer = JSON.parse(done.out.slice(done.out.indexOf('{')));
  assert.equal(jose.decodeJwt(answer.access_token).sub, `person:${PERSON}`);
  assert.equal(await call(answer.access_token), 200);
});

test('oauth4webapi gets a token of the person by a confidential client', async () => {
  const client = { client_id: CONFIDENTIAL };
  const verifier = oauth.generateRandomCodeVerifier();
  const browser = new Browser(world.url);
  await browser.begin(wish(await oauth.calculatePKCECodeChallenge(verifier),
    { client_id: CONFIDENTIAL }));
  assert.equal((await consent(browser)).code, 0);
  const back = new URL((await browser.get(browser.page)).place);
  const parameters = oauth.validateAuthResponse(server, client, back, 'st&te');
  const key = { key: await jose.importPKCS8(
    world.keys[CONFIDENTIAL].key.export({ type: 'pkcs8', format: 'pem' }), 'ES256') };
  const answer = await oauth.authorizationCodeGrantRequest(server, client,
    oauth.PrivateKeyJwt(key), parameters, REDIRECT, verifier, insecure);
  const got = await oauth.processAuthorizationCodeResponse(server, client, answer);
  const claims = jose.decodeJwt(got.access_token);
  assert.equal(claims.sub, `person:${PERSON}`);
  assert.equal(claims.client_id, CONFIDENTIAL);
  assert.deepEqual(claims.act, { sub: CONFIDENTIAL });
  assert.equal(await call(got.access_token), 200);
  assert.equal((await refresh(got.refresh_token, { client_id: CONFIDENTIAL })).status, 401);
  const again = await oauth.refreshTokenGrantRequest(
    server, client, oauth.PrivateKeyJwt(key), got.refresh_token, insecure);
  const next = await oauth.processRefreshTokenResponse(server, client, again);
  assert.equal(next.task, got.task);
  const asked = await oauth.introspectionRequest(
    server, client, oauth.PrivateKeyJwt(key), next.refresh_token, insecure);
  const said = await oauth.processIntrospectionResponse(server, client, asked);
  assert.deepEqual([said.active, said.client_id, said.sub, said.task],
    [true, CONFIDENTIAL, `person:${PERSON}`, got.task]);
});

test("the MCP SDK's own client finds the way by itself", async () => {
  const browser = new Browser(world.url);
  const kept = {};
  let sent;
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
    state: () => 'st',
    clientInformation: () => ({ client_id: ASSISTANT }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens; },
    redirectToAuthorization: (address) => { sent = address; },
    saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
    codeVerifier: () => kept.verifier,
  };
  const open = () => new StreamableHTTPClientTransport(
    new URL(world.mcp('files')), { authProvider: provider });
  const first = open();
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(first));
  await browser.begin(sent);
  assert.equal((await consent(browser)).code, 0);
  const back = new URL((await browser.get(browser.page)).place);
  await first.finishAuth(back.searchParams.get('code'));
  const client = new Client({ name: 'e2e', version: '1' });
  await client.connect(open());
  const { tools } = await client.listTools();
  assert.ok(tools.length > 0);
  assert.ok(kept.tokens.refresh_token);
  await client.close();
});

test('what happened is on record, and a decision knows the person', async () => {
  const got = await redeem(await agreed());
  assert.equal(got.status, 200, JSON.stringify(got.body));
  const task = await world.json('eva@example.com', 'task', 'show', got.body.task);
  assert.equal(task.person, PERSON);
  await refresh(got.body.refresh_token);
  const report = await world.verify();
  assert.equal(report.code, 0, report.err);
});

// ---- it is misused ----

test('no page can be put into another, and none is kept', async () => {
  const browser = new Browser(world.url);
  const { headers } = await browser.begin(wish(pkce().challenge));
  assert.match(headers.get('content-security-policy'), /default-src 'none'/);
  assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/);
  assert.equal(headers.get('x-frame-options'), 'DENY');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  const first = await fetch(wish(pkce().challenge), { redirect: 'manual' });
  assert.match(first.headers.get('set-cookie'), /HttpOnly; SameSite=Lax/);
});

test('what the application says cannot become part of the page', async () => {
  const browser = new Browser(world.url);
  const { text } = await browser.begin(wish(pkce().challenge,
    { purpose: '<script>alert(1)</script>"\'&\u202e' }));
  assert.ok(!text.includes('<script>'));
  assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;&#xFFFD;/);
});

test('nobody is sent to an address that is not registered', async () => {
  const bad = [{ redirect_uri: 'https://evil.example/' }, { client_id: 'nobody-at-all' },
    { redirect_uri: 'http://127.0.0.1:4711/callback/x' }, { redirect_uri: undefined },
    { client_id: undefined }, { redirect_uri: 'http://127.0.0.1@evil.example/callback' },
    { client_id: 'ticket-filer' }];
  const said = new Set();
  for (const more of bad) {
    const answer = await new Browser(world.url).get(wish(pkce().challenge, more));
    assert.equal(answer.status, 400);
    assert.equal(answer.place, null);
    said.add(answer.text);
  }
  const twice = await new Browser(world.url).get(`${wish(pkce().challenge)}&state=x`);
  assert.equal(twice.status, 400);
  said.add(twice.text);
  assert.equal(said.size, 1); // whether there is such an identity
});

test('other faults are told to the application, with state and issuer', async () => {
  const { challenge } = pkce();
  const cases = [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge: undefined }, 'invalid_request'],
    [{ resource: undefined }, 'invalid_target'],
    [{ resource: 'https://elsewhere.example' }, 'invalid_target'],
    [{ scope: 'openid' }, 'invalid_scope'],
    [{ authorization_details: '[{"type":"other"}]' }, 'invalid_authorization_details'],
    [{ request: 'x' }, 'request_not_supported'],
    [{ request_uri: 'urn:x' }, 'request_uri_not_supported'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
  ];
  for (const [more, error] of cases) {
    const answer = await new Browser(world.url).get(wish(challenge, more));
    assert.equal(answer.status, 303, error);
    const place = new URL(answer.place);
    assert.equal(place.origin + place.pathname, REDIRECT);
    assert.equal(place.searchParams.get('error'), error);
    assert.equal(place.searchParams.get('state'), 'st&te');
    assert.equal(place.searchParams.get('iss'), server.issuer);
  }
});

test('a person who is not asked cannot answer, and a wrong number ends it', async () => {
  const browser = new Browser(world.url);
  await browser.begin(wish(pkce().challenge));
  const other = await consent(browser, 'dan@example.com');
  assert.equal(other.code, (await consent({ code: 'XXXX-XXXX', number: '10' })).code);
  const wrong = await consent(browser, PERSON, '--number', browser.number === '10' ? '11' : '10');
  assert.notEqual(wrong.code, 0);
  assert.notEqual((await consent(browser)).code, 0);
  const back = new URL((await browser.get(browser.page)).place);
  assert.equal(back.searchParams.get('error'), 'access_denied');
  assert.equal(back.searchParams.get('code'), null);
});

test('a no is a no, and an answer holds once', async () => {
  const browser = new Browser(world.url);
  await browser.begin(wish(pkce().challenge));
  assert.equal((await consent(browser, PERSON, '--deny')).code, 0);
  assert.notEqual((await consent(browser)).code, 0);
  const back = new URL((await browser.get(browser.page)).place);
  assert.equal(back.searchParams.get('error'), 'access_denied');
});

test('another browser does not get the code', async () => {
  const browser = new Browser(world.url);
  await browser.begin(wish(pkce().challenge));
  assert.equal((await consent(browser)).code, 0);
  assert.equal((await new Browser(world.url).get(browser.page)).status, 404);
  const stranger = new Browser(world.url);
  for (const name of browser.cookies.keys()) stranger.cookies.set(name, 'A'.repeat(43));
  assert.equal((await stranger.get(browser.page)).status, 404);
  assert.equal((await browser.get(browser.page)).status, 303);
  assert.equal((await browser.get(browser.page)).place, null);
});

test('a code is of no use with anything else than it was made for', async () => {
  const cases = [{ code_verifier: pkce().verifier },
    { redirect_uri: 'http://127.0.0.1:1/callback' }, { client_id: CONFIDENTIAL },
    { resource: world.mcp('memory') }];
  for (const more of cases) {
    const granted = await agreed();
    const first = await redeem(granted, more);
    assert.equal(first.body.error, 'invalid_grant', JSON.stringify(more));
    assert.equal((await redeem(granted)).body.error, 'invalid_grant');
  }
  const missing = await token({ grant_type: 'authorization_code', code: 'x',
    redirect_uri: REDIRECT, client_id: ASSISTANT });
  assert.equal(missing.body.error, 'invalid_request');
  assert.equal((await redeem({ code: new URLSearchParams('code=nothing'),
    verifier: pkce().verifier })).body.error, 'invalid_grant');
});

test('a code that is shown twice ends what it gave', async () => {
  const granted = await agreed();
  const first = await redeem(granted);
  assert.equal(await call(first.body.access_token), 200);
  assert.equal((await redeem(granted)).body.error, 'invalid_grant');
  await assertOver(first.body.access_token);
  assert.equal((await refresh(first.body.refresh_token)).body.error, 'invalid_grant');
});

test('a refresh token that is shown twice ends all, whoever was first', async () => {
  for (const thief of ['first', 'second']) {
    const got = (await redeem(await agreed())).body;
    const next = (await refresh(got.refresh_token)).body;
    assert.equal(await call(next.access_token), 200, thief);
    assert.equal((await refresh(got.refresh_token)).body.error, 'invalid_grant');
    await assertOver(next.access_token);
    assert.equal((await refresh(next.refresh_token)).body.error, 'invalid_grant');
  }
  assert.ok(await eventually(async () =>
    (await world.must('eva@example.com', 'findings', 'list')).includes('grant-reused')));
});

test('two who refresh at once do not both get a token', async () => {
  const got = (await redeem(await agreed())).body;
  const answers = await Promise.all([1, 2, 3].map(() => refresh(got.refresh_token)));
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
  await assertOver(got.access_token);
});

test('a stolen refresh token is nothing without its key', async () => {
  const keys = await oauth.generateKeyPair('ES256');
  const thiefs = await oauth.generateKeyPair('ES256');
  const client = { client_id: ASSISTANT };
  const jkt = await jose.calculateJwkThumbprint(await jose.exportJWK(keys.publicKey));
  const take = async (pair, parameters) => {
    const DPoP = oauth.DPoP(client, pair);
    for (;;) {
      const answer = await oauth.genericTokenEndpointRequest(server, client, oauth.None(),
        parameters.grant_type, parameters, { DPoP, ...insecure });
      const body = await answer.clone().json();
      if (body.error !== 'use_dpop_nonce') return body;
      await oauth.processGenericTokenEndpointResponse(server, client, answer).catch(() => {});
    }
  };
  const stolen = await agreed({ dpop_jkt: jkt });
  const form = ({ code, verifier }) => ({ grant_type: 'authorization_code',
    code: code.get('code'), redirect_uri: REDIRECT, code_verifier: verifier });
  assert.equal((await take(thiefs, form(stolen))).error, 'invalid_grant');
  const got = await take(keys, form(await agreed({ dpop_jkt: jkt })));
  assert.equal(got.token_type.toLowerCase(), 'dpop');
  const again = { grant_type: 'refresh_token', refresh_token: got.refresh_token };
  assert.equal((await take(thiefs, again)).error, 'invalid_grant');
  assert.equal((await refresh(got.refresh_token)).body.error, 'invalid_grant');
  assert.equal((await take(keys, again)).task, got.task); // neither used it up
});

test('a task ends with the consent of the charter, and by a kill', async () => {
  const got = (await redeem(await agreed())).body;
  await world.must('eva@example.com', 'kill', 'task', got.task, '--reason', 'test', '--yes');
  await assertOver(got.access_token);
  assert.equal((await refresh(got.refresh_token)).body.error, 'invalid_grant');
});

test('a revoked refresh token takes its task with it', async () => {
  const got = (await redeem(await agreed())).body;
  const answer = await fetch(server.revocation_endpoint, { method: 'POST',
    body: new URLSearchParams({ token: got.refresh_token, token_type_hint: 'refresh_token' }) });
  assert.equal(answer.status, 200);
  await assertOver(got.access_token);
});

test('a restart knows what was used, and the log has no secret', async () => {
  const got = (await redeem(await agreed())).body;
  const next = (await refresh(got.refresh_token)).body;
  await world.killDaemon();
  await world.startDaemon();
  const third = (await refresh(next.refresh_token)).body;
  assert.equal(third.task, got.task);
  assert.equal((await refresh(got.refresh_token)).body.error, 'invalid_grant');
  await assertOver(third.access_token);
  assert.ok(!TOKEN_FREE.test(world.daemonText));
  assert.ok(!world.daemonText.includes(third.refresh_token));
});
