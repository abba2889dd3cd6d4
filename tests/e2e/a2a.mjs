// Work handed to a peer through remit, with the official SDK of A2A on both ends: what passes,
// what is refused, whose the peer's tasks are, and cards that verify.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { TaskState, verifyAgentCardSignature } from '@a2a-js/sdk';
import { createRemoteJWKSet, decodeJwt, flattenedVerify, importJWK } from 'jose';

import { assertion } from '../../examples/stories/lib/keys.mjs';
import { ADMINISTRATOR, eventually } from '../../examples/stories/lib/world.mjs';
import {
  KEY, cardOf, clientAt, message, skillOf, startPeerWorld,
} from './support/peer-world.mjs';

let world;
let state;
let helper;
let url;
let stop;
let door;

before(async () => {
  ({ world, state, helper, url, stop } = await startPeerWorld());
  door = `${world.url}/a2a/writer`;
});
after(() => stop?.());

const open = async (identity = 'tester', parent) => {
  const { task, token } = await world.openTaskAt(identity, door, parent);
  return { task, token, client: await clientAt(door, token) };
};
const rpc = async (token, body, headers = {}) => {
  const answer = await fetch(door, {
    method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      'content-type': 'application/json', 'a2a-version': '1.0',
      ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers,
    },
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};
const send = (parts, more = {}) => ({
  jsonrpc: '2.0', id: 1, method: 'SendMessage',
  params: {
    message: { messageId: 'm', role: 'ROLE_USER', parts, ...more },
    metadata: { 'remit/skill': 'summarise' },
  },
});
const refused = async (promise) =>
  promise.then(() => assert.fail('it was not refused'), (wrong) => wrong);
const textOf = ({ parts }) => parts.map(({ content }) => content.value).join('');
const records = async (task) => (await world.json(
  null, 'audit', 'search', '--task', task)).items.map(({ record }) => record);

// ---- who may not ---------------------------------------------------------------------

test('without a token of this door nothing is told, not even that there is a peer', async () => {
  for (const path of ['', '/.well-known/agent-card.json']) {
    const there = await fetch(door + path, { method: path ? 'GET' : 'POST' });
    const nowhere = await fetch(
      `${world.url}/a2a/nobody${path}`, { method: path ? 'GET' : 'POST' });
    assert.equal(there.status, 401);
    assert.equal(nowhere.status, 401);
    assert.equal(await there.text(), await nowhere.text());
    assert.match(there.headers.get('www-authenticate'), /oauth-protected-resource\/a2a\/writer"/);
  }
  const other = await world.openTaskAt('tester', world.mcp('files'));
  assert.equal((await rpc(other.token, send([{ text: 'hello' }]))).status, 401);
});

test('a page may not call', async () => {
  const { token } = await open();
  const answer = await fetch(door, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, origin: 'https://evil.example' },
  });
  assert.equal(answer.status, 403);
});

test('what is no request of version 1.0 is refused in its own code', async () => {
  const { token } = await open();
  const code = async (body, headers) => (await rpc(token, body, headers)).body.error.code;
  assert.equal(await code(send([{ text: 'a' }]), { 'a2a-version': '0.3' }), -32009);
  assert.equal(await code('{"jsonrpc"'), -32700);
  assert.equal(await code('{"a": 1, "a": 2}'), -32700);
  assert.equal(await code([]), -32600);
  assert.equal(await code({ jsonrpc: '2.0', method: 'SendMessage' }), -32600);
  assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'message/send', params: {} }), -32601);
  assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} }), -32601);
  assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'ListTasks', params: {} }), -32004);
  assert.equal(await code(
    { jsonrpc: '2.0', id: 1, method: 'CreateTaskPushNotificationConfig', params: {} }), -32003);
  for (const params of [{}, { id: 'x', more: 1 }, []]) {
    assert.equal(await code({ jsonrpc: '2.0', id: 1, method: 'GetTask', params }), -32602);
  }
});

test('a message may hold nothing that is not looked at', async () => {
  const { token } = await open();
  const before_ = state.requests.length;
  const wrong = [
    send([]), send([{}]), send([{ text: 'a', url: 'https://a.example' }]),
    send([{ text: 'a', hidden: 1 }]), send([{ data: { a: 1 } }, { data: { a: 2 } }]),
    send([{ text: 'a' }], { role: 'ROLE_AGENT' }), send([{ text: 'a' }], { extra: 1 }),
    send([{ text: 'a' }], { extensions: ['https://a.example/ext'] }),
    { ...send([{ text: 'a' }]), params: { ...send([{ text: 'a' }]).params, tenant: 't' } },
    { ...send([{ text: 'a' }]), params: {
      ...send([{ text: 'a' }]).params, metadata: { 'remit/skill': 'summarise', 'remit/x': 1 } } },
  ];
  for (const body of wrong) {
    const { body: { error } } = await rpc(token, body);
    assert.equal(error?.code, -32602, JSON.stringify(body.params));
  }
  const pushed = send([{ text: 'a' }]);
  pushed.params.configuration = { taskPushNotificationConfig: { url: 'https://evil.example' } };
  assert.equal((await rpc(token, pushed)).body.error.code, -32003);
  assert.equal(state.requests.length, before_);
});

test('a skill that is not registered, or not of the charter, is never reached', async () => {
  const { client, task } = await open();
  const before_ = state.requests.length;
  const unknown = await refused(client.sendMessage(message('x', { skill: 'delete' })));
  assert.match(unknown.message, /No tool writer\/delete is registered/);
  const unsaid = await refused(client.sendMessage(message('x')));
  assert.match(unsaid.message, /say which skill is meant/);
  const condition = await refused(
    client.sendMessage(message('a forbidden word', { skill: 'summarise' })));
  assert.match(condition.message, /no_entitlement/);
  const narrow = await open('narrow');
  const other = await refused(narrow.client.sendMessage(message('x', { skill: 'publish' })));
  assert.match(other.message, /no_entitlement/);
  assert.equal(state.requests.length, before_);
  const decisions = (await records(task)).filter(({ type }) => type === 'decision');
  assert.deepEqual(decisions.map(({ reason, tool }) => [reason, tool]).sort(), [
    ['no_entitlement', 'writer/summarise'], ['tool_unknown', 'writer/delete']]);
});

test('a task that has read internal data may not hand it to a skill up to public', async () => {
  const agent = await world.agent('tester', 'files');
  const { task, client } = await open('tester', agent.task);
  assert.equal((await client.sendMessage(message('clean', { skill: 'publish' }))).status.state,
    TaskState.TASK_STATE_COMPLETED);
  await agent.call('read_text_file', { path: 'tickets/1.txt' });
  await agent.close();
  const before_ = state.requests.length;
  const label = await refused(client.sendMessage(message('what I read', { skill: 'publish' })));
  assert.match(label.message,
    /has read internal data; data up to public may go to writer\/publish/);
  assert.equal(state.requests.length, before_);
  await client.sendMessage(message('what I read', { skill: 'summarise' }));
  const { body } = state.requests.at(-1);
  assert.equal(body.params.metadata['remit/label'], 'internal');
  assert.equal(body.params.metadata['remit/task'], task);
});

// ---- what passes ---------------------------------------------------------------------

test('a peer gets its credential and nothing of the caller, and answers', async () => {
  const { client, task, token } = await open();
  const answer = await client.sendMessage(message('abc', { skill: 'summarise' }));
  assert.equal(answer.status.state, TaskState.TASK_STATE_COMPLETED);
  assert.equal(textOf(answer.artifacts[0]), 'cba');
  const { headers, body } = state.requests.at(-1);
  assert.equal(headers.authorization, `Bearer ${KEY}`);
  assert.equal(headers['a2a-version'], '1.0');
  assert.ok(!JSON.stringify([headers, body]).includes(token));
  assert.deepEqual(body.params.message.parts, [{ text: 'abc' }]);
  assert.equal(body.params.metadata['remit/skill'], undefined);
  assert.match(body.params.message.messageId, /^remit-\d+$/);
  assert.ok(await eventually(async () =>
    (await records(task)).some(({ type, status }) => type === 'outcome' && status === 'result')));
  const decision = (await records(task)).find(({ type }) => type === 'decision');
  assert.equal(decision.effect, 'delegate');
  assert.equal(decision.tool, 'writer/summarise');
  assert.equal(decision.untrusted, true);
  assert.equal(body.params.metadata['remit/record'] > 0, true);
});

test('events come one by one', async () => {
  const { client } = await open();
  state.pieces = ['one ', 'two ', 'three'];
  state.gap = 150;
  const times = [];
  let words = '';
  for await (const { payload } of client.sendMessageStream(message('x', { skill: 'summarise' }))) {
    times.push(Date.now());
    if (payload.$case === 'artifactUpdate') words += textOf(payload.value.artifact);
  }
  state.pieces = state.gap = undefined;
  assert.equal(words, 'one two three');
  assert.ok(times.at(-1) - times[0] >= 300, 'they came one by one');
});

test('a secret is taken out of an answer, and ends a stream that completes it', async () => {
  const { client, token, task } = await open();
  state.pieces = [`the key is ${KEY}`];
  const answer = await client.sendMessage(message('x', { skill: 'summarise' }));
  assert.ok(!JSON.stringify(answer).includes(KEY));
  state.pieces = [token.slice(0, 20), token.slice(20, 90), token.slice(90), 'and more'];
  let words = '';
  const wrong = await refused((async () => {
    const stream = client.sendMessageStream(message('x', { skill: 'summarise' }));
    for await (const { payload } of stream) {
      if (payload.$case === 'artifactUpdate') words += textOf(payload.value.artifact);
    }
  })());
  state.pieces = undefined;
  assert.match(wrong.message, /held a secret/);
  assert.ok(!words.includes(token) && !words.includes('and more'));
  assert.ok(await eventually(async () =>
    (await records(task)).some(({ type, status }) => type === 'outcome' && status === 'failed')));
});

test('a task of the peer is its caller\'s alone', async () => {
  const mine = await open();
  const made = await mine.client.sendMessage(message('ask me', { skill: 'summarise' }));
  assert.equal(made.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
  const got = await mine.client.getTask({ tenant: '', id: made.id });
  assert.equal(got.id, made.id);
  const about = { taskId: made.id, contextId: made.contextId };
  await mine.client.sendMessage(message('go on', about));
  const before_ = state.requests.length;
  for (const other of [await open('narrow'), await open('tester')]) {
    for (const wrong of [
      await refused(other.client.getTask({ tenant: '', id: made.id })),
      await refused(other.client.cancelTask({ tenant: '', id: made.id, metadata: undefined })),
      await refused(other.client.sendMessage(message('go on', about))),
      await refused(other.client.sendMessage(
        message('x', { skill: 'summarise', referenceTaskIds: [made.id] }))),
      await refused(other.client.sendMessage(
        message('x', { skill: 'summarise', contextId: made.contextId }))),
      await refused(other.client.getTask({ tenant: '', id: 'never-made' })),
    ]) assert.match(wrong.message, /no task or context of this peer is known by that id/);
  }
  assert.equal(state.requests.length, before_);
  const below = await open('tester', mine.task);
  assert.equal((await below.client.getTask({ tenant: '', id: made.id })).id, made.id);
});

test('an ended task may hand over nothing more', async () => {
  const { client, task } = await open();
  await client.sendMessage(message('x', { skill: 'summarise' }));
  await world.must('ana@example.com', 'kill', 'task', task, '--reason', 'over', '--yes');
  await refused(client.sendMessage(message('x', { skill: 'summarise' })));
});

test('the lines of docs/a2a.md do what they say', async () => {
  const page = readFileSync(new URL('../../docs/a2a.md', import.meta.url), 'utf8');
  const [, code] = /```js\n([^]*?)```/.exec(page);
  const [, names] = /^import \{([^}]*)\} from '@a2a-js\/sdk\/client';$/m.exec(code);
  const sdk = await import('@a2a-js/sdk/client');
  const handOver = new Function('sdk',
    `const {${names}} = sdk;\n${code.replace(/^import .*$/m, '')}\nreturn handOver;`)(sdk);
  const { token } = await open();
  assert.equal(textOf((await handOver(door, token, 'abc')).artifacts[0]), 'cba');
});

test('who may hand work over is told of each skill, and of what goes along', async () => {
  const all = (await world.json(null, 'who', 'delegate', 'peer:writer')).items
    .filter(({ identity }) => identity === 'tester');
  assert.deepEqual(all.map(({ tool }) => tool),
    [...all.map(({ tool }) => tool)].sort(), JSON.stringify(all));
  assert.ok(all.length > 1 && all.every(({ tool, may }) => tool.startsWith('writer/') && may));
  const one = await world.json(null, 'who', 'delegate', all[0].tool);
  assert.deepEqual(one.items.find(({ identity }) => identity === 'tester').outputs,
    all[0].outputs);
  const can = (await world.json(null, 'can', 'tester')).items.map(({ tool }) => tool);
  for (const { tool } of all) assert.ok(can.includes(tool), tool);
});

// ---- two hops ------------------------------------------------------------------------

// What a governed peer does with the token it gets: exchanges it (RFC 8693) for one of its own,
// for the address it wants to call.
const exchange = async (subject, resource) => {
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: 'helper',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(world.keys.helper, 'helper', world.url),
      subject_token: subject, resource,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  });
  return { status: answer.status, body: await answer.json() };
};
const toHelper = async (words, parent) => {
  const at = `${world.url}/a2a/helper`;
  const { task, token } = await world.openTaskAt('tester', at, parent);
  const client = await clientAt(at, token);
  const answer = await client.sendMessage(message(words, { skill: 'summarise' }));
  const subject = helper.requests.at(-1).headers.authorization.replace('Bearer ', '');
  return { task, token, subject, answer: textOf(answer.artifacts[0]) };
};

test('a governed peer gets a token that opens nothing but an exchange by itself', async () => {
  helper.work = undefined;
  const { task, token, subject } = await toHelper('abc');
  assert.notEqual(subject, token);
  const claims = decodeJwt(subject);
  assert.deepEqual(claims.may_act, { sub: 'helper' });
  assert.equal(claims.sub, 'tester');
  assert.equal(claims.aud, world.url);
  assert.ok(claims.exp - claims.iat <= 300);
  assert.equal(claims.task, task);
  const used = await fetch(`${world.url}/access/v1/evaluation`, {
    method: 'POST', body: '{}',
    headers: { authorization: `Bearer ${subject}`, 'content-type': 'application/json' },
  });
  assert.equal(used.status, 401);
  assert.equal((await rpc(subject, send([{ text: 'a' }]))).status, 401);
  const { status: code, body } = await exchange(subject, door);
  assert.equal(code, 200, JSON.stringify(body));
  const own = decodeJwt(body.access_token);
  assert.equal(own.sub, 'tester');
  assert.deepEqual(own.act, { sub: 'helper' });
});

test('a second hop is decided by every charter above it, and the labels go along', async () => {
  helper.work = async (said) => {
    const subject = helper.requests.at(-1).headers.authorization.replace('Bearer ', '');
    const { body } = await exchange(subject, door);
    const client = await clientAt(door, body.access_token);
    const id = said.startsWith('publish') ? 'publish' : 'summarise';
    return client.sendMessage(message(said, { skill: id })).then(
      ({ artifacts }) => `done: ${textOf(artifacts[0])}`, (wrong) => `refused: ${wrong.message}`);
  };
  assert.equal((await toHelper('abc')).answer, 'done: cba');
  // The caller's own charter forbids it; the helper's does not.
  assert.match((await toHelper('a forbidden word')).answer, /^refused: .*no_entitlement/);
  const agent = await world.agent('tester', 'files');
  await agent.call('read_text_file', { path: 'tickets/1.txt' });
  await agent.close();
  const before_ = state.requests.length;
  assert.match((await toHelper('publish it', agent.task)).answer,
    /^refused: .*has read internal data; data up to public may go to writer\/publish/);
  assert.equal(state.requests.length, before_);
  helper.work = undefined;
});

// ---- cards ---------------------------------------------------------------------------

const keys = async () => (await (await fetch(`${world.url}/oauth/jwks`)).json()).keys;
const card = async (token) => (await fetch(`${door}/.well-known/agent-card.json`,
  { headers: { authorization: `Bearer ${token}` } })).json();
const canonical = (value) => Array.isArray(value) ? `[${value.map(canonical).join(',')}]`
  : value && typeof value === 'object'
    ? `{${Object.keys(value).sort().map((key) =>
      `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
    : JSON.stringify(value);

test('a card says what is registered, and where remit is', async () => {
  const { token } = await open();
  const shown = await card(token);
  assert.deepEqual(shown.supportedInterfaces, [
    { url: door, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]);
  assert.deepEqual(shown.skills.map(({ id }) => id), ['summarise', 'publish']);
  assert.equal(shown.capabilities.pushNotifications, false);
  assert.equal(
    shown.securitySchemes.remit.oauth2SecurityScheme.flows.clientCredentials.tokenUrl,
    `${world.url}/oauth/token`);
  assert.ok(!JSON.stringify(shown).includes(url));
  const stranger = await world.openTaskAt('support-summariser', door).catch(() => undefined);
  if (stranger) assert.equal((await card(stranger.token)).skills, undefined);
});

test('a card verifies with the SDK and with jose, a changed one does not', async () => {
  const { token } = await open();
  const shown = await card(token);
  const found = await keys();
  const verify = verifyAgentCardSignature(async (kid) =>
    importJWK(found.find((key) => key.kid === kid), 'ES256'));
  await verify(shown);
  await assert.rejects(verify({ ...shown, name: 'Another' }));
  const [signature] = shown.signatures;
  const { signatures, ...unsigned } = shown;
  const payload = Buffer.from(canonical(unsigned)).toString('base64url');
  const { protectedHeader } = await flattenedVerify(
    { ...signature, payload }, createRemoteJWKSet(new URL(`${world.url}/oauth/jwks`)));
  assert.equal(protectedHeader.typ, 'JOSE');
  const evil = { ...unsigned, supportedInterfaces: [
    { ...unsigned.supportedInterfaces[0], url: 'https://evil.example' }] };
  await assert.rejects(flattenedVerify(
    { ...signature, payload: Buffer.from(canonical(evil)).toString('base64url') },
    createRemoteJWKSet(new URL(`${world.url}/oauth/jwks`))));
  assert.equal(signatures.length, 1);
});

test('the door has metadata of its own', async () => {
  const about = await (await fetch(
    `${world.url}/.well-known/oauth-protected-resource/a2a/writer`)).json();
  assert.equal(about.resource, door);
});

test('every decision comes out again', async () => {
  const replayed = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(replayed.report.replay.result, 'all', replayed.out);
  assert.deepEqual(replayed.report.replay.differences, []);
});

// ---- what is pinned, and a restart ---------------------------------------------------

const restart = async (change) => {
  await world.killDaemon();
  change();
  await world.startDaemon();
};
const pins = async () => (await world.json(
  ADMINISTRATOR, 'definition', 'list', 'writer')).items;

test('after a restart nobody\'s task of the peer is known, and each is refused', async () => {
  const { client, token } = await open();
  const made = await client.sendMessage(message('ask me', { skill: 'summarise' }));
  await restart(() => {});
  const again = await clientAt(door, token);
  const wrong = await refused(again.getTask({ tenant: '', id: made.id }));
  assert.match(wrong.message, /before a restart/);
});

test('a card that changed quarantines every pinned skill', async () => {
  const found = await pins();
  assert.deepEqual(found.map(({ tool }) => tool).sort(),
    ['writer/delete', 'writer/publish', 'writer/summarise']);
  const { definition } = found.find(({ tool }) => tool === 'writer/summarise');
  const file = world.path('pin.yaml');
  writeFileSync(file, `${skillOf('summarise', 'internal')}definition: ${definition}\n`);
  await world.apply(ADMINISTRATOR, '-f', file);
  const { client } = await open();
  await client.sendMessage(message('x', { skill: 'summarise' }));
  await restart(() => (state.card = { ...state.card, description: 'Sends all to a friend' }));
  const other = await open();
  const wrong = await refused(other.client.sendMessage(message('x', { skill: 'summarise' })));
  assert.match(wrong.message, /tool_quarantined/);
  assert.deepEqual((await card(other.token)).skills.map(({ id }) => id), ['publish']);
});

test('a card that sends requests elsewhere is not taken', async () => {
  const { token } = await open();
  const client = await clientAt(door, token);
  const before_ = state.requests.length;
  await restart(() => (state.card = {
    ...state.card, supportedInterfaces: cardOf('http://127.0.0.1:1').supportedInterfaces,
  }));
  const wrong = await refused(client.sendMessage(message('x', { skill: 'publish' })));
  assert.match(wrong.message, /another origin/);
  assert.equal((await fetch(`${door}/.well-known/agent-card.json`,
    { headers: { authorization: `Bearer ${token}` } })).status, 502);
  assert.equal(state.requests.length, before_);
});
