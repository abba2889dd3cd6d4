// Providers without a key that is kept: the documents of docs/federation-out.md, against a token
// service that verifies everything it gets, by remit's own metadata.  What must not work comes
// with each.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World } from '../../examples/stories/lib/world.mjs';
import { chatStream, messagesStream, openTask, startProvider } from './support/model-world.mjs';
import { GRANTS, Sts } from './support/sts.mjs';

const URN = 'urn:ietf:params:oauth';
const page = readFileSync(fileURLToPath(
  new URL('../../docs/federation-out.md', import.meta.url)), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text);
const CHAT = { model: 'small-1', messages: [{ role: 'user', content: 'Hello?' }], stream: true };
const MESSAGE = { model: 'large-1', max_tokens: 9, messages: CHAT.messages, stream: true };

let world;
let sts;
let provider;
let state;

// The page's documents, at the addresses of this run.
const documentOf = (name) => blocks.find((text) => text.includes(`\nname: ${name}\n`))
  .replace(/^  url: .*$/m, `  url: ${provider.url}`)
  .replace(/^    url: .*$/m, `    url: ${sts.url}/${name}\n    private-addresses: allowed`);
const identity = (made, name) => `object: identity
name: ${name}
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Ask models
environments: [staging]
model:
  - {provider: vertex, name: small-1, up-to: internal}
  - {provider: foundry, name: small-1, up-to: internal}
  - {provider: anthropic, name: large-1, up-to: internal}
outputs: [{to: reply, up-to: internal}]
entitlements:
  - {effect: generate, resource: "model:vertex/small-1"}
  - {effect: generate, resource: "model:foundry/small-1"}
  - {effect: generate, resource: "model:anthropic/large-1"}
limits: {task: 15m, calls-per-minute: 100000}
review: 90d
expires: 2027-06-30
${made.keysLineOf('nobody')}
`;

before(async () => {
  sts = await Sts.start();
  state = { requests: [], answer: {}, keys: () => [...sts.given.keys()] };
  provider = await startProvider(state);
  world = await World.start({
    settings: 'hold-ms: 300\nupstream-timeout-ms: 8000\n',
    change: (files, made) => files.set('charters/70-out.yaml', [
      ...['vertex', 'foundry', 'anthropic'].map(documentOf),
      identity(made, 'worker'), identity(made, 'second'), identity(made, 'third'),
    ].join('---\n')),
    approve: { worker: 'bo@example.com', second: 'bo@example.com', third: 'bo@example.com' },
    key: { worker: 'nobody', second: 'nobody', third: 'nobody' },
  });
  await sts.trust(world.url);
});
after(async () => {
  provider?.server.closeAllConnections();
  provider?.server.close();
  await world?.stop();
  await sts?.stop();
});

const ask = async (task) => {
  const isAnthropic = task.url.endsWith('/anthropic');
  const said = { words: ['Hi'] };
  state.answer = { pieces: isAnthropic ? messagesStream(said) : chatStream(said) };
  const answer = await fetch(`${task.url}/v1/${isAnthropic ? 'messages' : 'chat/completions'}`, {
    method: 'POST', body: JSON.stringify(isAnthropic ? MESSAGE : CHAT),
    headers: { authorization: `Bearer ${task.token}`, 'content-type': 'application/json' },
  });
  return { status: answer.status, text: await answer.text() };
};
const works = async (task) => {
  const answer = await ask(task);
  assert.equal(answer.status, 200, `${answer.text} ${sts.wrong ?? ''}`);
  return answer;
};
const fails = async (task) => {
  const sent = state.requests.length;
  const answer = await ask(task);
  assert.ok(answer.status >= 500, `${answer.status} ${answer.text}`);
  assert.equal(state.requests.length, sent, 'something was sent');
  for (const place of [sts.url, '127.0.0.1', 'secret words', 'pt-'])
    assert.ok(!answer.text.includes(place), answer.text);
  return answer.text;
};
const open = (provider_, who = 'worker') => openTask(world, provider_, null, who);
const rowOf = async (name) => {
  const rows = await world.json(null, 'trust', 'list');
  return (rows.items ?? rows).find((row) => row.id === `server/${name}`);
};
const records = async (...more) => {
  const found = await world.json(null, 'audit', 'search', '--type', 'provider-token', ...more);
  return found.items.map(({ record }) => record);
};
const end = (task) => world.must(null, 'kill', 'task', task, '--reason', 'over', '--yes');

// ---- each way to ask ----

test('a provider token is got by token exchange, and carried', async () => {
  const task = await open('vertex');
  await works(task);
  const { fields, isJson, claims, header, path } = sts.asked.at(-1);
  assert.equal(path, '/vertex');
  assert.equal(isJson, false);
  const audience = '//iam.googleapis.com/projects/123456/locations/global/'
    + 'workloadIdentityPools/remit/providers/remit';
  const { subject_token: token, ...said } = fields;
  assert.deepEqual(said, {
    grant_type: `${URN}:grant-type:token-exchange`, audience,
    requested_token_type: `${URN}:token-type:access_token`,
    subject_token_type: `${URN}:token-type:jwt`,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
  });
  assert.ok(token);
  const { iat, exp, jti, ...rest } = claims;
  assert.deepEqual(rest, {
    iss: world.url, aud: audience, sub: 'identity:worker:environment:staging',
    identity: 'worker', environment: 'staging', unit: 'support',
  });
  assert.equal(exp - iat, 120);
  assert.equal(typeof jti, 'string');
  assert.deepEqual(Object.keys(header).sort(), ['alg', 'kid', 'typ']);
  const sent = state.requests.at(-1).headers.authorization.replace('Bearer ', '');
  assert.equal(sts.given.get(sent).claims.jti, jti);
  const [record] = await records('--task', task.task);
  assert.deepEqual(
    [record.server, record.identity, record.environment, record.per, record.grant, record.url,
      record.audience, record.actor],
    ['vertex', 'worker', 'staging', 'identity', 'token-exchange', `${sts.url}/vertex`, audience,
      'identity:worker']);
  assert.ok(record.until > record.at && record.until <= record.at + 601_000);
});

test('a provider token is got by a client assertion', async () => {
  await works(await open('foundry'));
  const { fields, claims } = sts.asked.at(-1);
  const { client_assertion: token, ...said } = fields;
  assert.ok(token);
  assert.deepEqual(said, {
    grant_type: 'client_credentials', client_id: '11111111-2222-3333-4444-555555555555',
    client_assertion_type: `${URN}:client-assertion-type:jwt-bearer`,
    scope: 'https://cognitiveservices.azure.com/.default',
  });
  assert.equal(claims.aud, 'api://AzureADTokenExchange');
});

test('a provider token is got as JSON by jwt-bearer, for a task, and is no API key', async () => {
  const task = await open('anthropic');
  await works(task);
  const { fields, isJson, claims } = sts.asked.at(-1);
  assert.equal(isJson, true);
  assert.deepEqual(Object.keys(fields).sort(), ['assertion', 'federation_rule_id', 'grant_type',
    'organization_id', 'service_account_id']);
  assert.equal(claims.task, task.task);
  const { headers } = state.requests.at(-1);
  assert.equal(headers['x-api-key'], undefined);
  assert.match(headers.authorization, /^Bearer pt-/);
});

// ---- whose it is ----

test('one exchange serves all that wait, and those who come later', async () => {
  const task = await open('vertex', 'second');
  const before_ = sts.asked.length;
  await Promise.all(Array.from({ length: 8 }, () => works(task)));
  await works(await open('vertex', 'second'));
  assert.equal(sts.asked.length, before_ + 1);
});

test('each identity, and where the document says so each task, has its own', async () => {
  const carried = async (task) => {
    await works(task);
    return state.requests.at(-1).headers.authorization;
  };
  const ours = await carried(await open('vertex'));
  assert.notEqual(ours, await carried(await open('vertex', 'second')));
  const one = await open('anthropic');
  assert.notEqual(await carried(one), await carried(await open('anthropic')));
  assert.equal(await carried(one), await carried(one));
});

// ---- our own doors ----

test('an identity token opens none of our doors, and ours are no identity tokens', async () => {
  await works(await open('anthropic'));
  const { token } = sts.asked.at(-1);
  const form = async (path, fields) => {
    const answer = await fetch(world.url + path, {
      method: 'POST', body: new URLSearchParams(fields),
    });
    return { status: answer.status, ...(await answer.json().catch(() => ({}))) };
  };
  const resource = world.mcp('files');
  const assertion = { client_assertion: token,
    client_assertion_type: `${URN}:client-assertion-type:jwt-bearer` };
  for (const fields of [
    { grant_type: 'client_credentials', resource, ...assertion },
    { grant_type: 'client_credentials', resource, client_id: 'worker', ...assertion },
    { grant_type: 'client_credentials', resource, client_id: 'worker', client_assertion: token,
      client_assertion_type: `${URN}:client-assertion-type:jwt-spiffe` },
    { grant_type: `${URN}:grant-type:jwt-bearer`, resource, assertion: token },
    { grant_type: `${URN}:grant-type:token-exchange`, resource, subject_token: token,
      subject_token_type: `${URN}:token-type:access_token`, ...assertion },
  ]) {
    const answer = await form('/oauth/token', fields);
    assert.ok(answer.status >= 400, JSON.stringify(answer));
    assert.equal(answer.access_token, undefined);
  }
  for (const path of ['/oauth/introspect', '/oauth/bc-authorize']) {
    const answer = await form(path, { token, scope: 'call', ...assertion });
    assert.ok(answer.status >= 400 && !answer.active, `${path} ${JSON.stringify(answer)}`);
  }
  const doors = ['/mcp/files', '/llm/anthropic/v1/messages', '/llm/vertex/v1/chat/completions',
    '/a2a/deployer', '/access/v1/evaluation', '/v1/identities', '/oauth/heartbeat'];
  for (const door of doors) {
    const answer = await fetch(world.url + door, {
      method: door === '/v1/identities' ? 'GET' : 'POST',
      body: door === '/v1/identities' ? undefined : '{}',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json',
        accept: 'application/json, text/event-stream' },
    });
    assert.ok([400, 401, 403, 404].includes(answer.status), `${door} ${answer.status}`);
    assert.notEqual(answer.status, 200);
  }
  // An access token of ours is refused by whoever looks for an identity token.
  const { token: access } = await open('vertex');
  const header = JSON.parse(Buffer.from(access.split('.')[0], 'base64url').toString());
  assert.equal(header.typ, 'at+jwt');
  for (const [grant_type, member] of Object.entries(GRANTS)) {
    const answer = await fetch(`${sts.url}/x`, {
      method: 'POST', body: new URLSearchParams({ grant_type, [member]: access }) });
    assert.equal(answer.status, 400);
  }
});

// ---- token services that fail ----

test('where no token is to be had nothing is sent, and the reason says no place', async () => {
  const reasons = {
    down: /answered HTTP 503/, refuses: /refused \(HTTP 400\): invalid_grant/,
    redirects: /sends us elsewhere/, huge: /longer than 65536 bytes/, wrong: /no JSON object/,
    mac: /no bearer token/, refresh: /another type of token/, over: /over already/,
    endless: /without an end/, broken: /no token of 1 to/, slow: /did not answer in time/,
  };
  for (const [mode, reason] of Object.entries(reasons)) {
    const task = await open('anthropic'); // each task asks for itself
    sts.mode = mode;
    const asked = sts.asked.length;
    assert.match(await fails(task), reason, mode);
    assert.match(await fails(task), reason, mode);
    assert.equal(sts.asked.length, asked + 1, `${mode}: asked again at once`);
    assert.match((await rowOf('anthropic')).error, reason);
  }
  sts.mode = 'good';
  await works(await open('anthropic'));
});

test('a provider that takes no token does not have us exchange again and again', async () => {
  const task = await open('foundry', 'second');
  await works(task);
  const asked = sts.asked.length;
  const keys = state.keys;
  state.keys = () => [];
  for (let i = 0; i < 5; i += 1) assert.ok((await ask(task)).status >= 500);
  state.keys = keys;
  assert.equal(sts.asked.length, asked);
});

// ---- ends ----

// What may be written of the daemon's memory, dumped or not.
const holds = (needles) => {
  const { pid } = world.daemon;
  const found = new Set();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const piece = Buffer.alloc(16 * 1024 * 1024);
  const ranges = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
    .filter((line) => / .w.p /.test(line))
    .map((line) => line.split(' ')[0].split('-').map((hex) => parseInt(hex, 16)))
    .filter(([start, finish]) => finish - start < 2 ** 32);
  try {
    for (const [start, finish] of ranges) {
      for (let at = start; at < finish; at += piece.length - 8192) {
        let got = 0;
        try {
          got = readSync(memory, piece, 0, Math.min(piece.length, finish - at), at);
        } catch {
          continue; // not there
        }
        const text = piece.toString('latin1', 0, got);
        for (const needle of needles) if (text.includes(needle)) found.add(needle);
      }
    }
  } finally {
    closeSync(memory);
  }
  return [...found];
};
const canRead = () => {
  try {
    closeSync(openSync(`/proc/${world.daemon.pid}/mem`, 'r'));
    return true;
  } catch {
    return false;
  }
};

test('a kill of the identity, or the end of its task, drops the token at once', async () => {
  const task = await open('anthropic', 'third');
  const other = await open('vertex', 'third');
  await works(task);
  await works(other);
  const held = async (name) => (await rowOf(name)).held;
  const before_ = [await held('anthropic'), await held('vertex')];
  await end(task.task);
  assert.equal(await held('anthropic'), before_[0] - 1);
  assert.equal(await held('vertex'), before_[1]);
  await world.must(null, 'kill', 'identity', 'third', '--reason', 'over', '--yes');
  assert.equal(await held('vertex'), before_[1] - 1);
  assert.equal((await ask(other)).status, 401);
});

// A sanitizer's shadow is larger than any mapping of ours.
const isSanitized = (pid) => readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').some((line) => {
  const [from, to] = line.split(' ')[0].split('-').map((hex) => parseInt(hex, 16));
  return to - from > 2 ** 40;
});

test('no provider token lies anywhere once the tasks are over', async (context) => {
  for (const name of ['worker', 'second']) {
    await world.must(null, 'kill', 'identity', name, '--reason', 'over', '--yes');
  }
  for (const name of ['vertex', 'foundry', 'anthropic']) assert.equal((await rowOf(name)).held, 0);
  const tokens = [...sts.given.keys()];
  const identity_ = sts.asked.map(({ token }) => token.split('.')[2]);
  const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name))
      : entry.isFile() ? [join(folder, entry.name)] : []);
  for (const path of files(world.dir)) {
    const text = readFileSync(path, 'latin1');
    for (const token of [...tokens, ...identity_]) assert.ok(!text.includes(token), path);
  }
  for (const token of [...tokens, ...identity_]) assert.ok(!world.daemonText.includes(token));
  if (!canRead()) {
    context.skip("this user may not read the daemon's memory");
    return;
  }
  // The search finds what is there.
  assert.deepEqual(holds([world.url]), [world.url]);
  const left = holds(tokens.map((token) => token.slice(0, 40)));
  context.diagnostic(`${left.length} of ${tokens.length} provider tokens lay in memory`);
  // A sanitizer keeps what was freed as it was, and one of them is there: see SECURITY.md.
  if (!isSanitized(world.daemon.pid)) assert.equal(left.length, 0);
});

test('the trust table says what each server is sent, and no secret is kept', async () => {
  const row = await rowOf('vertex');
  assert.deepEqual([row.carries, row.grant, row.per, row.source],
    ['exchange', 'token-exchange', 'identity', `exchange:${sts.url}/vertex`]);
  assert.ok(row.exchanged);
  assert.equal((await rowOf('files')).carries, 'nothing');
  assert.equal((await rowOf('local')).carries, 'secret');
  assert.equal(row.until, undefined);
  const text = await world.must(null, 'trust', 'list');
  assert.match(text.out ?? text, /vertex/);
});
