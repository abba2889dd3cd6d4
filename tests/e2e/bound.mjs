// Bound tokens (docs/dpop.md, docs/mtls.md), with other people's clients: oauth4webapi and
// openid-client, the MCP SDK, OpenSSL and curl.  The examples of both pages are run word for word.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

import { World, run } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const docs = resolve(here, '../../docs');
const IDENTITY = 'support-summariser';
const insecure = { [oauth.allowInsecureRequests]: true };
const folder = mkdtempSync(join(tmpdir(), 'remit-bound-'));

// The n-th example of that language on a page.
const example = (page, language, n = 0) => {
  const blocks = [...readFileSync(join(docs, page), 'utf8')
    .matchAll(new RegExp('^```' + language + '\\n([^]*?)^```$', 'gm'))];
  assert.ok(blocks.length > n, `${page} has no example ${n} in ${language}`);
  return blocks[n][1];
};
const shell = (text, env = {}) =>
  run('/bin/sh', ['-ec', text], { cwd: folder, env: { ...process.env, ...env } });

// A certificate for the daemon, one of the agent and one of a stranger.
const makeCertificate = async (name, ...more) => {
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-keyout', `${name}.key`, '-out', `${name}.crt`, ...more], { cwd: folder });
  assert.equal(made.code, 0, made.err);
};

let plain; // over HTTP
let secret; // over TLS
let digest; // of the agent's certificate, as the page says to get it

before(async () => {
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
  await makeCertificate('ca', '-addext', 'subjectAltName=IP:127.0.0.1');
  writeFileSync(join(folder, 'ca.pem'), readFileSync(join(folder, 'ca.crt')));
  await makeCertificate('stranger');
  const made = await shell(example('mtls.md', 'sh', 0));
  assert.equal(made.code, 0, made.err);
  digest = made.out.trim();
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  plain = await World.start({
    change: (files) => bind(files, 'ticket-filer', 'dpop'),
  });
  secret = await World.start({
    settings: `hold-ms: 300\ntls-cert: ${join(folder, 'ca.crt')}\ntls-key: ${join(folder, 'ca.key')}
dpop-nonces: always\n`,
    change: (files, world) => {
      bind(files, IDENTITY, 'mtls');
      for (const [name, text] of files) {
        if (!text.includes(`name: ${IDENTITY}\n`)) continue;
        files.set(name, text.replace(world.keysLineOf(IDENTITY),
          `keys: [{environment: staging, certificate: '${digest}'}]`));
      }
    },
  });
});
after(async () => {
  await plain?.stop();
  await secret?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bind = (files, identity, word) => {
  for (const [name, text] of files) {
    if (!text.includes(`name: ${identity}\n`) || !text.includes('object: identity')) continue;
    files.set(name, text.replace(/^limits:/m, `binding: ${word}\nlimits:`));
  }
};

const keyOf = (world, name) => jose.importPKCS8(
  world.keys[name].key.export({ type: 'pkcs8', format: 'pem' }), 'ES256');

const initialize = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: {
    protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' },
  },
});
const mcpHeaders = {
  'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
};

const discover = async (world, options = {}) => {
  const issuer = new URL(world.url);
  const found = await oauth.discoveryRequest(
    issuer, { algorithm: 'oauth2', ...insecure, ...options });
  return oauth.processDiscoveryResponse(issuer, found);
};

const withNonce = async (ask) => {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return ask();
  }
};

// A bound token of the identity for files, and the handle that signs.
const boundToken = async (world, name, algorithm = 'ES256') => {
  const server = await discover(world);
  const client = { client_id: name };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(algorithm));
  const key = await keyOf(world, name);
  const answer = await withNonce(async () => oauth.processClientCredentialsResponse(
    server, client, await oauth.clientCredentialsGrantRequest(server, client,
      oauth.PrivateKeyJwt(key), { resource: world.mcp('files') }, { DPoP, ...insecure })));
  return { answer, DPoP };
};

const post = (world, token, headers) => fetch(world.mcp('files'), {
  method: 'POST', headers: { ...mcpHeaders, ...headers, Authorization: token }, body: initialize,
});

// ---- DPoP ----

test('the metadata says how proofs may be signed', async () => {
  const server = await discover(plain);
  for (const algorithm of ['ES256', 'Ed25519', 'PS256', 'RS256']) {
    assert.ok(server.dpop_signing_alg_values_supported.includes(algorithm), algorithm);
  }
  assert.equal(server.mtls_endpoint_aliases, undefined); // without TLS nobody is asked
});

test('the first request to the token endpoint is asked for a nonce, and only once', async () => {
  const server = await discover(plain);
  const client = { client_id: IDENTITY };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const key = await keyOf(plain, IDENTITY);
  const ask = () => oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(key),
    { resource: plain.mcp('files') }, { DPoP, ...insecure });
  const first = await ask();
  assert.equal(first.status, 400);
  assert.match(first.headers.get('dpop-nonce'), /^[\w-]{22}$/);
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, first),
    (error) => oauth.isDPoPNonceError(error));
  for (let i = 0; i < 2; i += 1) {
    const next = await ask();
    assert.equal(next.status, 200);
    assert.match(next.headers.get('dpop-nonce'), /^[\w-]{22}$/);
  }
});

for (const algorithm of ['ES256', 'Ed25519', 'PS256', 'RS256']) {
  test(`a token is bound to a key of ${algorithm} and opens with its proofs alone`, async () => {
    const { answer, DPoP } = await boundToken(plain, IDENTITY, algorithm);
    const { access_token: token, token_type: type } = answer;
    assert.equal(type, 'dpop');
    assert.equal(jose.decodeJwt(token).cnf.jkt, await DPoP.calculateThumbprint());
    const opened = await oauth.protectedResourceRequest(token, 'POST', new URL(plain.mcp('files')),
      new Headers(mcpHeaders), initialize, { DPoP, ...insecure });
    assert.equal(opened.status, 200);
    await opened.body.cancel();
    for (const scheme of ['Bearer', 'DPoP']) {
      const refused = await post(plain, `${scheme} ${token}`);
      assert.equal(refused.status, 401);
      assert.match(refused.headers.get('www-authenticate'), /^DPoP .*error="invalid_token"/);
    }
  });
}

test('a proof seen on its way is of no use again', async () => {
  const { answer: { access_token: token }, DPoP } = await boundToken(plain, IDENTITY);
  const headers = new Headers(mcpHeaders);
  let sent;
  const keep = { [oauth.customFetch]: (url, init) => fetch(url, (sent = init)) };
  const opened = await oauth.protectedResourceRequest(token, 'POST', new URL(plain.mcp('files')),
    headers, initialize, { DPoP, ...insecure, ...keep });
  assert.equal(opened.status, 200);
  const again = await fetch(plain.mcp('files'), sent);
  assert.equal(again.status, 401);
  assert.match(again.headers.get('www-authenticate'),
    /error="invalid_dpop_proof", error_description="it was used before"/);
  // Nor elsewhere, nor twice in one request.
  const elsewhere = await fetch(plain.mcp('memory'), sent);
  assert.equal(elsewhere.status, 401);
  const proof = new Headers(sent.headers).get('dpop');
  const twice = await post(plain, `DPoP ${token}`, { DPoP: `${proof}, ${proof}` });
  assert.equal(twice.status, 401);
});

test('a charter that asks for DPoP gives no other token', async () => {
  const refused = await plain.askForToken('ticket-filer', plain.keys['ticket-filer'], 'files');
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error, 'invalid_request');
  assert.match(refused.body.error_description, /send a DPoP proof/);
  const { answer } = await boundToken(plain, 'ticket-filer');
  assert.equal(answer.token_type, 'dpop');
});

test('openid-client gets a bound token and uses it', async () => {
  const config = await openid.discovery(new URL(plain.url), IDENTITY, undefined,
    openid.PrivateKeyJwt(await keyOf(plain, IDENTITY)),
    { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] });
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
  const answer = await openid.clientCredentialsGrant(
    config, { resource: plain.mcp('files') }, { DPoP });
  assert.equal(answer.token_type, 'dpop');
  const opened = await openid.fetchProtectedResource(config, answer.access_token,
    new URL(plain.mcp('files')), 'POST', initialize, new Headers(mcpHeaders), { DPoP });
  assert.equal(opened.status, 200);
});

test('the client of docs/dpop.md works as it stands', async () => {
  writeFileSync(join(folder, 'agent.mjs'), example('dpop.md', 'js'));
  const done = await run(process.execPath,
    ['agent.mjs', plain.url, IDENTITY, plain.keys[IDENTITY].path], { cwd: folder });
  assert.equal(done.code, 0, done.out + done.err);
  assert.match(done.out, /Ticket 41/);
});

test('the policy of docs/dpop.md sees how a call came', async () => {
  const policy = /^ {4}(forbid .*context\.binding.*)$/m.exec(
    readFileSync(join(docs, 'dpop.md'), 'utf8'))[1].replace('Action::"execute"', 'Action::"read"');
  writeFileSync(join(folder, 'policy.yaml'), `object: policy
name: org/bound-only
text: |
  ${policy}
`);
  await plain.apply('adi@example.com', '-f', join(folder, 'policy.yaml'));
  await plain.must('eva@example.com', 'policy', 'approve', 'org/bound-only', '--yes');
  const agent = await plain.agent(IDENTITY, 'files');
  const refused = await agent.call('read_text_file', { path: 'tickets/41.txt' });
  assert.equal(refused.done, false);
  assert.match(refused.text, /org\/bound-only/);
  await agent.close();
  const done = await run(process.execPath,
    ['agent.mjs', plain.url, IDENTITY, plain.keys[IDENTITY].path], { cwd: folder });
  assert.equal(done.code, 0, done.out + done.err);
  // Made again from the log alone, both come to the same.
  const { report, code, err } = await plain.verify('--replay', '--keys', plain.path('keys'));
  assert.equal(code, 0, err);
  assert.ok(report);
});

// ---- client certificates ----

const curl = (name, ...args) => run('curl', ['-sS', '--cacert', 'ca.pem', '--cert', `${name}.crt`,
  '--key', `${name}.key`, ...args], { cwd: folder });
const bodyOf = (done) => {
  assert.equal(done.code, 0, done.err);
  return JSON.parse(done.out);
};
const grant = (world, name) => [`${world.url}/oauth/token`, '-d', 'grant_type=client_credentials',
  '-d', `client_id=${name}`, '--data-urlencode', `resource=${world.mcp('files')}`];
const use = (token) => [secret.mcp('files'), '-o', 'answer', '-w', '%{http_code}', '-H',
  `Authorization: Bearer ${token}`, ...Object.entries(mcpHeaders).flatMap(
    ([field, value]) => ['-H', `${field}: ${value}`]), '-d', initialize];

test('the metadata of a daemon that speaks TLS offers certificates', async () => {
  const metadata = bodyOf(
    await curl('agent', `${secret.url}/.well-known/oauth-authorization-server`));
  assert.deepEqual(metadata.token_endpoint_auth_methods_supported,
    ['none', 'private_key_jwt', 'self_signed_tls_client_auth']);
  assert.equal(metadata.tls_client_certificate_bound_access_tokens, true);
  assert.equal(metadata.mtls_endpoint_aliases.token_endpoint, metadata.token_endpoint);
});

test("a stranger's certificate gets no token", async () => {
  const refused = bodyOf(await curl('stranger', ...grant(secret, IDENTITY)));
  assert.equal(refused.error, 'invalid_client');
  const unknown = bodyOf(await curl('stranger', ...grant(secret, 'nobody-at-all')));
  assert.deepEqual(unknown, refused);
});

test('a token of a certificate opens on its connections alone', async () => {
  const granted = bodyOf(await curl('agent', ...grant(secret, IDENTITY)));
  assert.equal(granted.token_type, 'Bearer');
  const [, hex] = digest.split(':');
  assert.equal(jose.decodeJwt(granted.access_token).cnf['x5t#S256'],
    Buffer.from(hex, 'hex').toString('base64url'));
  assert.equal((await curl('stranger', ...use(granted.access_token))).out, '401');
  const without = await run('curl', ['-sS', '--cacert', 'ca.pem', ...use(granted.access_token)],
    { cwd: folder });
  assert.equal(without.out, '401');
  for (const version of ['1.2', '1.3']) {
    const opened = await curl('agent', '--tls-max', version, ...use(granted.access_token));
    assert.equal(opened.out, '200', version);
  }
});

test('the commands of docs/mtls.md work as they stand', async () => {
  const done = await shell(example('mtls.md', 'sh', 1), { GATEWAY: secret.url, IDENTITY });
  assert.equal(done.code, 0, done.err);
  assert.equal(JSON.parse(done.out).result.serverInfo.name, 'files');
});

// The fetch of a client that connects with a certificate, for libraries that know only fetch.
const fetchAs = (name) => (url, { method, headers, body } = {}) => new Promise((done, fail) => {
  const request = https.request(url, {
    method, headers: Object.fromEntries(new Headers(headers)), agent: false,
    ca: readFileSync(join(folder, 'ca.pem')), cert: readFileSync(join(folder, `${name}.crt`)),
    key: readFileSync(join(folder, `${name}.key`)),
  }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => done(new Response(Buffer.concat(parts),
      { status: answer.statusCode, headers: answer.headers })));
  });
  request.on('error', fail);
  request.end(body?.toString());
});

test('oauth4webapi proves itself by certificate at the alias', async () => {
  const custom = { [oauth.customFetch]: fetchAs('agent') };
  const server = await discover(secret, custom);
  const client = { client_id: IDENTITY, use_mtls_endpoint_aliases: true };
  const answer = await oauth.processClientCredentialsResponse(server, client,
    await oauth.clientCredentialsGrantRequest(server, client, oauth.TlsClientAuth(),
      { resource: secret.mcp('files') }, custom));
  assert.equal(answer.token_type, 'bearer');
  const opened = await oauth.protectedResourceRequest(answer.access_token, 'POST',
    new URL(secret.mcp('files')), new Headers(mcpHeaders), initialize, custom);
  assert.equal(opened.status, 200);
});

test('where nonces are always due a door asks for one, and the client goes on', async () => {
  let asked = 0;
  const custom = {
    [oauth.customFetch]: async (url, init) => {
      const answer = await fetchAs('stranger')(url, init);
      if (/use_dpop_nonce/.test(answer.headers.get('www-authenticate'))) asked += 1;
      return answer;
    },
  };
  const server = await discover(secret, custom);
  const client = { client_id: 'incident-opener' };
  const pair = await oauth.generateKeyPair('ES256');
  const key = await keyOf(secret, 'incident-opener');
  const first = { DPoP: oauth.DPoP(client, pair), ...custom };
  const { access_token: token } = await withNonce(async () =>
    oauth.processClientCredentialsResponse(server, client,
      await oauth.clientCredentialsGrantRequest(server, client, oauth.PrivateKeyJwt(key),
        { resource: secret.mcp('memory') }, first)));
  // Another process with the same key, which has no nonce yet.
  const second = { DPoP: oauth.DPoP(client, pair), ...custom };
  const call = () => withNonce(() => oauth.protectedResourceRequest(token, 'POST',
    new URL(secret.mcp('memory')), new Headers(mcpHeaders), initialize, second));
  assert.equal((await call()).status, 200);
  assert.equal(asked, 1);
  assert.equal((await call()).status, 200);
  assert.equal(asked, 1);
});
