// Workloads prove themselves by the word of registered issuers: as docs/federation.md says, word
// for word, against issuers of this run.  What must not open anything comes first.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as jose from 'jose';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { Issuer } from './support/issuers.mjs';

const IDENTITY = 'support-summariser';
const path = fileURLToPath(new URL('../../docs/federation.md', import.meta.url));
const page = readFileSync(path, 'utf8');
const JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SVID = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
let world;
let issuers;

// The page's documents, at the addresses of this run.
const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text);
const documentOf = (name) => {
  const text = blocks.find((block) => block.includes(`\nname: ${name}\n`));
  const { url } = issuers[name];
  const local = text
    .replace(/^url: .*$/m, `url: ${url}`)
    .replace(/^keys: \{jwks-url.*$/m, `keys: {jwks-url: "${url}/openid/v1/jwks"}`)
    .replace(/^keys: \{bundle-url.*$/m, `keys: {bundle-url: "${url}/bundle"}`)
    .replace('speaks: github', 'speaks: github\nalgorithms: [RS256]');
  return local.includes('private-addresses') ? local : `${local}private-addresses: allowed\n`;
};
const ruleOf = (name) =>
  blocks.find((block) => block.startsWith('federation:') && block.includes(`issuer: ${name}`))
    .replace('federation:\n', '');

before(async () => {
  issuers = {
    github: await Issuer.start({ name: 'github', algorithm: 'RS256' }),
    cluster: await Issuer.start({ name: 'cluster', algorithm: 'RS256' }),
    mesh: await Issuer.start({ name: 'mesh', algorithm: 'ES256', use: 'jwt-svid' }),
    id: await Issuer.start({ name: 'id', algorithm: 'ES256' }),
  };
  world = await World.start({
    change: (files) => {
      files.set('charters/60-issuers.yaml', Object.keys(issuers).map(documentOf).join('---\n'));
      const name = `charters/50-${IDENTITY}.yaml`;
      const rules = Object.keys(issuers).map(ruleOf).join('');
      files.set(name, `${files.get(name)}federation:\n${rules}`);
    },
  });
});
after(async () => {
  await world?.stop();
  for (const issuer of Object.values(issuers ?? {})) await issuer.stop();
});

const ask = async (assertion, { type = JWT, client = IDENTITY } = {}) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion,
    resource: world.mcp('files'),
  });
  if (client) body.set('client_id', client);
  const answer = await fetch(`${world.url}/oauth/token`, { method: 'POST', body });
  return { status: answer.status, ...(await answer.json()) };
};

const claims = {
  github: () => ({
    iss: issuers.github.url, aud: world.url, sub: 'repo:org/name:ref:refs/heads/main',
    repository: 'org/name', repository_id: '123456', repository_owner_id: '98765',
    ref: 'refs/heads/main', jti: randomUUID(),
  }),
  cluster: () => ({
    iss: issuers.cluster.url, aud: [world.url], sub: 'system:serviceaccount:agents:summariser',
    'kubernetes.io': { namespace: 'agents', serviceaccount: { name: 'summariser' } },
  }),
  mesh: () => ({ sub: 'spiffe://prod.example.com/agents/summariser', aud: [world.url] }),
  id: () => ({
    iss: issuers.id.url, aud: world.url, sub: 'worker-7', team: 'support', jti: randomUUID(),
  }),
};
const tokenOf = (name, change = {}, options = {}) =>
  issuers[name].token({ ...claims[name](), ...change }, options);
const refused = async (token, options) => {
  const answer = await ask(token, options);
  assert.equal(answer.access_token, undefined);
  assert.deepEqual([answer.status, answer.error], [401, 'invalid_client'], JSON.stringify(answer));
  return answer.error_description;
};
const opens = async (token, options) => {
  const answer = await ask(token, options);
  assert.equal(answer.status, 200, JSON.stringify(answer));
  return answer;
};
const rowOf = async (name) => {
  const rows = await world.json(null, 'trust', 'list');
  return (rows.items ?? rows).find((row) => row.id === `issuer/${name}`);
};

test('a job of GitHub that is another one opens nothing', async () => {
  const wrong = [
    { repository_id: '123457' }, { repository_owner_id: '1' }, { repository_id: 123456 },
    { repository_id: undefined }, { sub: 'repo:org/name-evil:ref:refs/heads/main' },
    { sub: 'repo:org/name:' }, { ref: 'refs/pull/1/merge' }, { ref: ['refs/heads/main'] },
    { aud: 'https://github.com/org' }, { aud: [world.url, 'https://else.example'] },
    { aud: `${world.url}/` }, { aud: undefined }, { iss: `${issuers.github.url}/` },
    { iss: 'https://token.actions.githubusercontent.com' },
  ];
  for (const change of wrong) await refused(await tokenOf('github', change));
});

test('a token out of its time opens nothing', async () => {
  const now = Date.now() / 1000;
  await refused(await tokenOf('id', {}, { at: now - 1000 }));
  await refused(await tokenOf('id', {}, { at: now + 600 }));
  await refused(await tokenOf('id', {}, { seconds: 3601 }));
  await refused(await tokenOf('id', { exp: undefined }));
  await refused(await tokenOf('id', { nbf: Math.floor(now) + 600 }));
  await refused(await tokenOf('id', { exp: `${Math.floor(now) + 60}` }));
});

test('keys of others, and algorithms that are not pinned, open nothing', async () => {
  const { privateKey } = await jose.generateKeyPair('ES256');
  await refused(await tokenOf('id', {}, { key: privateKey }));
  // The same kid at another issuer is another key.
  await refused(await issuers.id.token(claims.github()));
  await refused(await issuers.github.token(claims.id()));
  const none = new jose.UnsecuredJWT(claims.id()).encode();
  await refused(none);
  const mac = await new jose.SignJWT(claims.id())
    .setProtectedHeader({ alg: 'HS256', kid: issuers.id.kid })
    .sign(new TextEncoder().encode(JSON.stringify(issuers.id.jwk)));
  await refused(mac);
  await refused(await tokenOf('id', {}, { header: { jwk: issuers.id.jwk } }));
  await refused(await tokenOf('id', {}, { header: { jku: `${issuers.id.url}/keys` } }));
  await refused(await tokenOf('id', {}, { header: { typ: 'at+jwt' } }));
});

test('who is unknown and whom no rule means are told the same', async () => {
  const unknown = await refused(await tokenOf('id'), { client: 'nobody' });
  assert.equal(await refused(await tokenOf('id', { team: 'sales' })), unknown);
  assert.equal(await refused(await tokenOf('id'), { client: 'deployer' }), unknown);
});

test('each kind of workload opens a task, and its record says by whose word', async () => {
  for (const [name, options] of [['github', {}], ['cluster', {}], ['mesh', { type: SVID }],
    ['id', {}]]) {
    const header = name === 'github' ? { typ: 'JWT', x5t: 'thumbprint' } : {};
    const answer = await opens(await tokenOf(name, {}, { header }), options);
    const record = await world.json(null, 'trace', String(answer.record));
    const proof = JSON.stringify(record);
    assert.match(proof, new RegExp(`"issuer":"${name}"`));
    const call = await fetch(world.mcp('files'), {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
        Authorization: `Bearer ${answer.access_token}`,
      },
      body: JSON.stringify({
        jsonrpc: '2.0', id: 1, method: 'initialize',
        params: {
          protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e', version: '1' },
        },
      }),
    });
    assert.equal(call.status, 200);
  }
});

test('a token opens one task, and no other after a kill -9 with the store lost', async () => {
  const token = await tokenOf('id');
  await opens(token);
  await refused(token);
  const [head, body] = token.split('.');
  // Another signature over the same claims is the same token.
  await refused(await tokenOf('id', JSON.parse(Buffer.from(body, 'base64url'))));
  assert.ok(head);
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
  await refused(token);
  await opens(await tokenOf('id'));
});

test('where reuse is allowed a token serves until it ends', async () => {
  const token = await tokenOf('cluster');
  await opens(token);
  await opens(token);
  await opens(token, { client: null });
});

test('a JWT-SVID counts by its trust domain, whatever its iss', async () => {
  const svid = { type: SVID };
  await refused(await tokenOf('mesh', { sub: 'spiffe://evil.example/agents/summariser' }), svid);
  await refused(await tokenOf('mesh', { sub: 'spiffe://prod.example.com/agents-evil/a' }), svid);
  await refused(await tokenOf('mesh', { sub: 'spiffe://prod.example.com/agents/../a' }), svid);
  await refused(await tokenOf('mesh', {}, { header: { x5t: 'thumb' } }), svid);
  await refused(await tokenOf('mesh', { aud: undefined }), svid);
  await refused(await tokenOf('mesh'), { type: JWT });
  await opens(await tokenOf('mesh', { iss: 'https://spire.example.com' }), svid);
  await opens(await tokenOf('mesh'),
    { ...svid, client: 'spiffe://prod.example.com/agents/summariser' });
});

test('the command of the page opens a task', async () => {
  const [, command] = /^```sh\n([^]*?)^```$/m.exec(page);
  const env = { ...process.env, REMIT: world.url, TOKEN: await tokenOf('github') };
  const done = await run('sh', ['-c', command], { env });
  assert.match(done.out, /"access_token":"/, done.out + done.err);
});

// An issuer with this document, and a rule for it, put in force.
const addIssuer = async (name, text) => {
  const file = world.path(`${name}.yaml`);
  writeFileSync(file, text);
  await world.apply('adi@example.com', '-f', file);
  await world.must('eva@example.com', 'issuer', 'approve', name, '--yes');
  const charter = world.path(`${name}-charter.yaml`);
  const identity = world.charter(`charters/50-${IDENTITY}.yaml`);
  writeFileSync(charter,
    `${identity}  - {issuer: ${name}, environment: staging, subject: worker-7}\n`);
  await world.apply('adi@example.com', '-f', charter);
  await world.must('bo@example.com', 'identity', 'approve', IDENTITY, '--yes');
};

test('an issuer waits for a second person, and is nobody until then', async () => {
  const issuer = await Issuer.start({ name: 'later', algorithm: 'ES256' });
  const file = world.path('later.yaml');
  writeFileSync(file, 'object: issuer\nname: later\nunit: support\nspeaks: oidc\n' +
    `url: ${issuer.url}\n` + 'algorithms: [ES256]\nprivate-addresses: allowed\n');
  const applied = await world.remit('adi@example.com', 'apply', '--yes', '-f', file);
  assert.equal(applied.code, 6, applied.out + applied.err);
  const own = await world.remit('adi@example.com', 'issuer', 'approve', 'later', '--yes');
  assert.notEqual(own.code, 0);
  await refused(await issuer.token({ ...claims.id(), iss: issuer.url }));
  assert.equal(issuer.reads, 0);
  await world.must('eva@example.com', 'issuer', 'reject', 'later', '--reason', 'test', '--yes');
  await issuer.stop();
});

test('a source that is down, slow, huge or elsewhere opens and holds up nothing', async () => {
  const issuer = await Issuer.start({ name: 'bad', algorithm: 'ES256' });
  for (const mode of ['down', 'slow', 'huge', 'redirects', 'wrong', 'lies']) {
    issuer.mode = mode;
    await addIssuer(`bad-${mode}`, `object: issuer\nname: bad-${mode}\nunit: support\n` +
      `speaks: oidc\nurl: ${issuer.url}/${mode}\nalgorithms: [ES256]\n` +
      `keys: {jwks-url: "${issuer.url}/${mode}/keys"}\nprivate-addresses: allowed\n`
        .replace(...(mode === 'lies' ? [/keys: .*\n/, ''] : ['', ''])));
    const waiting = ask(await issuer.token({ ...claims.id(), iss: `${issuer.url}/${mode}` }));
    await opens(await tokenOf('id'));
    const answer = await waiting;
    assert.equal(answer.access_token, undefined);
    assert.equal(answer.status, 503, JSON.stringify(answer));
    const row = await rowOf(`bad-${mode}`);
    assert.equal(row.state, 'failing', JSON.stringify(row));
    assert.ok(row.error.length > 0);
  }
  await issuer.stop();
});

test('without leave keys never come from a private address', async () => {
  const issuer = await Issuer.start({ name: 'inside', algorithm: 'ES256' });
  const { port } = new URL(issuer.url);
  await addIssuer('inside', 'object: issuer\nname: inside\nunit: support\nspeaks: oidc\n' +
    `url: https://localhost:${port}\nalgorithms: [ES256]\n`);
  const iss = `https://localhost:${port}`;
  const answer = await ask(await issuer.token({ ...claims.id(), iss }));
  assert.equal(answer.status, 503);
  assert.match((await rowOf('inside')).error, /not public/);
  assert.equal(issuer.reads, 0);
  await issuer.stop();
});

test('a key that was changed counts at once, the old one no more', async () => {
  const issuer = await Issuer.start({ name: 'turning', algorithm: 'ES256' });
  await addIssuer('turning', 'object: issuer\nname: turning\nunit: support\nspeaks: oidc\n' +
    `url: ${issuer.url}\nalgorithms: [ES256]\nprivate-addresses: allowed\n`);
  const claimed = () => ({ ...claims.id(), iss: issuer.url });
  await opens(await issuer.token(claimed()));
  const old = issuer.key;
  await issuer.turn('key-2');
  // Once an interval the source is asked for a kid that is not there.
  assert.ok(await eventually(
    async () => (await ask(await issuer.token(claimed()))).status === 200, 60_000));
  await refused(await issuer.token(claimed(), { key: old, header: { kid: 'key-1' } }));
  await issuer.stop();
});

test('the trust table says who is believed, and why somebody was not', async () => {
  const row = await rowOf('github');
  assert.equal(row.state, 'fresh');
  assert.equal(row.keys, 1);
  assert.deepEqual(row.opens, [`${IDENTITY} in staging`]);
  await refused(await tokenOf('github', { repository_id: '1' }));
  assert.equal((await rowOf('github')).refused, 'subject');
  assert.match(await world.must(null, 'trust', 'list'), /server\/local\s+out/);
  assert.match(await world.must(null, 'trust', 'list', '--after', 'issuer/zzz'), /server\/local/);
});
