// Work handed from identity to identity: other people's OAuth client at a real daemon, by
// the example of docs/delegation.md as it stands there.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';

import * as jose from 'jose';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { keyAt, keysLine } from '../../examples/stories/lib/keys.mjs';
import { World } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const NAMES = ['front', 'planner', 'reader', 'sorter', 'filer'];
const TICKET = { path: 'tickets/41.txt' };
let world;
let example;
let server;
let folder;
const keys = {};

// The page's code, beside the packages it imports.
const loadExample = async () => {
  const page = readFileSync(resolve(here, '../../docs/delegation.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)```/.exec(page);
  folder = mkdtempSync(join(tmpdir(), 'remit-delegation-'));
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'example.mjs'), code);
  return import(pathToFileURL(join(folder, 'example.mjs')));
};

const charter = (name, peers, write = false) => `object: identity
name: ${name}
kind: agent
class: update
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Part of a chain
environments: [staging]
data-sources: [{name: tickets, up-to: internal}]
outputs: [{to: reply, up-to: internal}, {to: files/move_file, up-to: internal}]
entitlements:
  - {effect: read, tool: files/read_text_file}
${write ? '  - {effect: write, tool: files/move_file}\n' : ''}peers: [${peers}]
limits: {task: 15m}
expires: 2030-01-01
${keysLine('staging', keys[name].jwk)}
`;

const line = (to, depth) => `{identity: ${to}, effects: [read], up-to: internal, depth: ${depth}}`;

const put = async (name, peers, write) => {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, charter(name, peers, write));
  await world.apply('adi@example.com', '-f', file);
  await world.must('bo@example.com', 'identity', 'approve', name, '--yes');
};

const keyOf = (name) =>
  jose.importPKCS8(keys[name].key.export({ type: 'pkcs8', format: 'pem' }), 'ES256');

const handOver = async (from, to) =>
  example.handOver(server, from, await keyOf(from), to, world.mcp('files'));
const takeOver = async (client, subject, more) =>
  example.takeOver(server, client, await keyOf(client), subject, world.mcp('files'), more);
const refusal = async (client, subject, more) => {
  const error = await takeOver(client, subject, more).then(
    () => assert.fail('it was granted'), (reason) => reason);
  return error.error;
};

// Each of these hands to the next; the last token.
const chain = async (names) => {
  let { access_token: token } = await handOver(names[0], names[1]);
  let answer;
  for (const name of names.slice(1)) {
    answer = await takeOver(name, token);
    token = answer.access_token;
  }
  return answer;
};

const actors = ({ act }) => (act ? [act.sub, ...actors(act)] : []);

const ask = async (token, tool, args) => {
  const agent = await new Agent(world.mcp('files'), token).connect();
  try {
    return await agent.call(tool, args);
  } finally {
    await agent.close();
  }
};

const status = async (token) => (await fetch(world.mcp('files'), {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
    Authorization: `Bearer ${token}`,
  },
  body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
})).status;

before(async () => {
  world = await World.start();
  example = await loadExample();
  server = await example.discover(world.url);
  for (const name of NAMES) keys[name] = keyAt(join(folder, `${name}.pem`));
  // From the last, so that every peer is there when it is named.
  for (let i = NAMES.length - 1; i >= 0; i--) {
    const next = NAMES[i + 1];
    await put(NAMES[i], next ? line(next, NAMES.length - 2 - i) : '', i === NAMES.length - 1);
  }
});
after(async () => {
  await world?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test('the metadata names the grant', () => {
  assert.ok(server.grant_types_supported.includes(
    'urn:ietf:params:oauth:grant-type:token-exchange'));
});

test('a token handed on opens no door until it is exchanged', async () => {
  const { access_token: token } = await handOver('front', 'planner');
  assert.equal(await status(token), 401);
  assert.deepEqual(jose.decodeJwt(token).may_act, { sub: 'planner' });
});

test('two hops: the reader reads for the front', async () => {
  const answer = await chain(NAMES.slice(0, 3));
  assert.equal(answer.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
  const issued = jose.createRemoteJWKSet(new URL(server.jwks_uri));
  const { payload } = await jose.jwtVerify(answer.access_token, issued, {
    issuer: server.issuer, audience: world.mcp('files'), typ: 'at+jwt',
  });
  assert.equal(payload.sub, 'front');
  assert.equal(payload.client_id, 'reader');
  assert.deepEqual(actors(payload), ['reader', 'planner']);
  const { done, text } = await ask(answer.access_token, 'read_text_file', TICKET);
  assert.ok(done, text);
});

test('four hops: the filer reads, and files nothing, for no line hands on a write', async () => {
  const { access_token: token, task } = await chain(NAMES);
  assert.deepEqual(actors(jose.decodeJwt(token)), ['filer', 'sorter', 'reader', 'planner']);
  const read = await ask(token, 'read_text_file', TICKET);
  assert.ok(read.done, read.text);
  const moved = await ask(token, 'move_file',
    { source: 'tickets/41.txt', destination: 'tickets/done.txt' });
  assert.equal(moved.done, false);
  assert.match(moved.text, /The charter front@1 hands planner no write/);
  const { items } = await world.json(null, 'trace', task, '--hops');
  assert.deepEqual(items.map((hop) => hop.identity), NAMES);
  const last = items[items.length - 1];
  assert.deepEqual(last.may, ['read files/read_text_file']);
  assert.deepEqual(last.narrowed, ['write files/move_file']);
  assert.equal(last.from, 'sorter');
  assert.equal(last.up_to, 'internal');
  assert.equal(last.audience, world.mcp('files'));
  assert.deepEqual(
    last.decisions.map(({ record }) => [record.tool, record.verdict, record.reason])
      .filter(([tool]) => tool),
    [['files/read_text_file', 'allow', 'allowed'], ['files/move_file', 'deny', 'peer']]);
  const { record } = last.decisions.find(({ record: { tool } }) => tool === 'files/move_file');
  assert.deepEqual(record.identities, NAMES.toReversed());
  assert.equal(record.identities.length, record.chain.length);
  const printed = await world.must(null, 'trace', task, '--hops');
  assert.match(printed, /handed on by sorter: up to internal, 0 more hops/);
});

test('whom nobody handed it on to gets the standard\'s error', async () => {
  const { access_token: token } = await handOver('front', 'planner');
  assert.equal(await refusal('reader', token), 'invalid_request');
  assert.equal(await refusal('front', token), 'invalid_request');
  const { access_token: own } = await takeOver('planner', token);
  assert.equal(await refusal('filer', own), 'invalid_request');
});

test('an actor token of somebody else, or two places, are refused', async () => {
  const { access_token: token } = await handOver('front', 'planner');
  const { access_token: theirs } = await chain(NAMES.slice(0, 3));
  const type = 'urn:ietf:params:oauth:token-type:access_token';
  assert.equal(await refusal('planner', token,
    { actor_token: theirs, actor_token_type: type }), 'invalid_request');
  assert.equal(await refusal('planner', token, { actor_token: theirs }), 'invalid_request');
  assert.equal(await refusal('planner', token, { audience: world.mcp('memory') }),
    'invalid_target');
  assert.equal(await refusal('planner', token, { subject_token_type: 'urn:x' }),
    'invalid_request');
});

test('a line that is gone ends what was handed on over it', async () => {
  const { access_token: token } = await chain(NAMES.slice(0, 3));
  assert.ok((await ask(token, 'read_text_file', TICKET)).done);
  await put('planner', '');
  const { done, text } = await ask(token, 'read_text_file', TICKET);
  assert.equal(done, false);
  assert.match(text, /planner@2 hands reader no work/);
  await put('planner', line('reader', 2));
  assert.ok((await ask(token, 'read_text_file', TICKET)).done);
});

test('a kill of the first ends the last', async () => {
  const { access_token: token } = await chain(NAMES);
  assert.notEqual(await status(token), 401);
  await world.must(null, 'kill', 'identity', 'front', '--reason', 'test', '--yes');
  assert.equal(await status(token), 401);
  assert.equal(await refusal('filer', token), 'invalid_request');
});

test('what was decided in chains is made again from the log', async () => {
  const { report, code, err } = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(code, 0, err + JSON.stringify(report?.replay));
  assert.equal(report.replay.result, 'all');
});
