// Models behind remit, by the clients of both APIs and a provider that says what it is
// told to: what is streamed, refused, stopped and recorded.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { ADMINISTRATOR, eventually } from '../../examples/stories/lib/world.mjs';
import {
  KEY, SECOND_KEY, chatStream, messagesStream, openTask, responsesCall, responsesStream,
  startModelWorld,
} from './support/model-world.mjs';

const LIMITS = ', budget-per-task: {tokens: 400}';
const QUESTION = [{ role: 'user', content: 'What is in ticket 1?' }];
const WORDS = ['Prin', 'ter ', 'of ', 'room ', '4 \u2014 ', 'broken.'];
const seen = []; // all that clients were told
let world;
let state;
let url;
let stop;

before(async () => ({ world, state, url, stop } = await startModelWorld({ limits: LIMITS })));
after(() => stop?.());

const openai = async () => {
  const task = await openTask(world, 'open');
  return { ...task, client: new OpenAI({ apiKey: task.token, baseURL: `${task.url}/v1` }) };
};
const anthropic = async () => {
  const task = await openTask(world, 'anth');
  return { ...task, client: new Anthropic({ apiKey: task.token, baseURL: task.url }) };
};
const ask = (client, more = {}) =>
  client.chat.completions.create({ model: 'small-1', messages: QUESTION, stream: true, ...more });
const say = (client, more = {}) => client.messages.create(
  { model: 'large-1', max_tokens: 100, messages: QUESTION, stream: true, ...more });
const all = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};
const raw = async (to, token, path, body, headers = {}) => {
  const answer = await fetch(`${to}/v1/${path}`, {
    method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  });
  const text = await answer.text();
  seen.push(text);
  return { status: answer.status, text, headers: answer.headers };
};
const refusedAs = async (promise, type, status, pattern) => {
  const error = await promise.then(() => assert.fail('it was not refused'), (wrong) => wrong);
  seen.push(error.message);
  assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
  assert.equal(error.status, status);
  assert.match(error.message, pattern);
  return error;
};
// The outcomes of a task, in their order.
const outcomes = async (task) => {
  const found = await world.json(null, 'audit', 'search', '--task', task);
  return found.items.map(({ record }) => record).filter(({ type }) => type === 'outcome');
};
const outcome = async (task) => {
  assert.ok(await eventually(async () => (await outcomes(task)).length > 0));
  return (await outcomes(task)).at(-1);
};

// ---- what passes ----

test('the deltas of a chat come byte for byte, as from the provider itself', async () => {
  const { client, task, token, url: to } = await openai();
  state.answer = { pieces: chatStream({ words: WORDS }) };
  const body = { model: 'small-1', messages: QUESTION, stream: true };
  const direct = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${KEY}` },
  });
  const through = await raw(to, token, 'chat/completions', body);
  assert.equal(through.text, await direct.text());
  assert.match(through.headers.get('content-type'), /^text\/event-stream/);
  const parts = await all(await ask(client));
  assert.equal(parts.map((part) => part.choices[0]?.delta.content ?? '').join(''), WORDS.join(''));
  const { generation } = await outcome(task);
  assert.equal(generation.answered, 'small-1-2026-01');
  assert.equal(generation['counted-by'], 'estimate');
});

test('the events of a response come byte for byte, as from the provider itself', async () => {
  const { client, task, token, url: to } = await openai();
  state.answer = { pieces: responsesStream({ words: WORDS }) };
  const body = { model: 'small-1', input: 'What is in ticket 1?', stream: true };
  assert.equal((await raw(to, token, 'responses', body)).text, state.answer.pieces.join(''));
  const events = await all(await client.responses.create(body));
  assert.equal(events.filter(({ type }) => type === 'response.output_text.delta')
    .map(({ delta }) => delta).join(''), WORDS.join(''));
  const { generation } = await outcome(task);
  assert.deepEqual(generation.used, { requests: 1, spend: 32, tokens: 14 });
  await refusedAs(client.responses.create({ ...body, previous_response_id: 'resp_1' }),
    OpenAI.BadRequestError, 400, /previous_response_id is not let through/);
});

test('the events of messages come byte for byte, as from the provider itself', async () => {
  const { client, task, token, url: to } = await anthropic();
  state.answer = { pieces: messagesStream({ words: WORDS }) };
  const body = { model: 'large-1', max_tokens: 9, messages: QUESTION, stream: true };
  const through = await raw(to, token, 'messages', body);
  assert.equal(through.text, state.answer.pieces.join(''));
  const message = await client.messages.stream(
    { model: 'large-1', max_tokens: 9, messages: QUESTION }).finalMessage();
  assert.equal(message.content[0].text, WORDS.join(''));
  const { generation } = await outcome(task);
  assert.deepEqual(generation.used, { requests: 1, spend: 0, tokens: 51 });
  assert.equal(generation['counted-by'], 'provider');
});

test('an event passes while the next one is not there yet', async () => {
  const { client } = await openai();
  state.answer = { pieces: chatStream({ words: WORDS }), gap: 100 };
  const times = [];
  for await (const part of await ask(client)) times.push([Date.now(), part]);
  assert.ok(times.at(-1)[0] - times[0][0] >= 300, 'they came one by one');
});

test('an answer that is no stream comes whole, with what it cost', async () => {
  const { client, task } = await openai();
  const answer = {
    id: 'x', object: 'chat.completion', created: 1, model: 'small-1-2026-01',
    choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
  };
  state.answer = { type: 'application/json', pieces: [JSON.stringify(answer)] };
  assert.deepEqual((await ask(client, { stream: false })).choices, answer.choices);
  const { generation } = await outcome(task);
  // a price of 1,000,000 and 4,000,000 millionths for a million tokens
  assert.deepEqual(generation.used, { requests: 1, spend: 40, tokens: 25 });
  const { budgets } = await world.json(null, 'task', 'show', task);
  assert.equal(budgets.task.tokens, 25);
  assert.equal(budgets.task.most.tokens, 400);
});

test('tokens are counted by the provider, for a request and no tokens', async () => {
  const { client, task } = await anthropic();
  state.answer = { type: 'application/json', pieces: ['{"input_tokens": 12}'] };
  const count = await client.messages.countTokens({ model: 'large-1', messages: QUESTION });
  assert.equal(count.input_tokens, 12);
  assert.equal(state.requests.at(-1).url, '/v1/messages/count_tokens');
  assert.deepEqual((await outcome(task)).generation.used, { requests: 1, spend: 0, tokens: 0 });
});

test('a client sees the models of its charter', async () => {
  const { client } = await openai();
  assert.deepEqual((await client.models.list()).data.map(({ id }) => id), ['small-1']);
  const other = await anthropic();
  assert.deepEqual((await other.client.models.list()).data.map(({ id }) => id), ['large-1']);
});

test('the provider gets the key and nothing else of the client', async () => {
  const { token, url: to } = await openai();
  state.answer = { pieces: chatStream({ words: ['a'] }) };
  await raw(to, token, 'chat/completions', { model: 'small-1', messages: QUESTION, stream: true },
    { 'openai-organization': 'org-1', cookie: 'a=b', 'x-api-key': 'mine' });
  const { headers, body } = state.requests.at(-1);
  assert.equal(headers.authorization, `Bearer ${KEY}`);
  assert.equal(headers['openai-organization'], undefined);
  assert.equal(headers.cookie, undefined);
  assert.equal(headers['x-api-key'], undefined);
  assert.ok(!body.includes(token));
  assert.deepEqual(JSON.parse(body), { model: 'small-1', messages: QUESTION, stream: true });
});

test('an identity with a credential of its own is sent that, and nobody else is', async () => {
  const second = await openTask(world, 'open', undefined, 'second');
  const first = await openai();
  const body = { model: 'small-1', messages: QUESTION, stream: true };
  state.answer = { pieces: chatStream({ words: ['a'] }) };
  for (const [task, key] of [[second, SECOND_KEY], [first, KEY], [second, SECOND_KEY]]) {
    assert.equal((await raw(task.url, task.token, 'chat/completions', body)).status, 200);
    assert.equal(state.requests.at(-1).headers.authorization, `Bearer ${key}`);
  }
  const answers = await Promise.all([...Array(20).keys()].map((at) => {
    const { token, url: to } = at % 2 ? first : second;
    return raw(to, token, 'chat/completions', { ...body, user: at % 2 ? 'first' : 'second' });
  }));
  assert.ok(answers.every(({ status }) => status === 200));
  for (const { headers, body: sent } of state.requests.slice(-20)) {
    const key = JSON.parse(sent).user === 'first' ? KEY : SECOND_KEY;
    assert.equal(headers.authorization, `Bearer ${key}`);
  }
  assert.equal((await outcome(second.task)).generation.credential, 'second-key');
  assert.equal((await outcome(first.task)).generation.credential, `file:${state.keyFile}`);
  state.second = 'revoked';
  const refused = await raw(second.url, second.token, 'chat/completions', body);
  assert.equal(refused.status, 502);
  assert.match(refused.text, /refused the gateway's credential/);
  const other = await raw(first.url, first.token, 'chat/completions', body);
  state.second = SECOND_KEY;
  assert.equal(other.status, 200, 'the first goes on');
});

test('who answers for a charter binds no credential to it', async () => {
  const file = join(world.dir, 'second.yaml');
  writeFileSync(file, `object: server
name: open
transport: {url: "${url}", credential: "file:${state.keyFile}"}
environment: staging
unit: support
speaks: openai
models: [{name: small-1, up-to: internal}]
credentials: [{identity: tester, credential: "env:HOME"}]
`);
  const tried = await world.remit('ana@example.com', 'apply', '-f', file, '--yes');
  assert.notEqual(tried.code, 0);
  assert.match(tried.out + tried.err, /an administrator may/);
});

// ---- what is refused ----

test('a model that is not in the charter is refused as the client knows it', async () => {
  const before = state.requests.length;
  const { client } = await openai();
  await refusedAs(ask(client, { model: 'unlisted-1' }), OpenAI.PermissionDeniedError, 403,
    /\(model\).*charter tester@1 does not list/);
  await refusedAs(ask(client, { model: 'no-such' }), OpenAI.PermissionDeniedError, 403,
    /model_unknown/);
  const other = await anthropic();
  await refusedAs(say(other.client, { model: 'small-1' }), Anthropic.PermissionDeniedError, 403,
    /model_unknown/);
  assert.equal(state.requests.length, before, 'nothing was sent');
});

test('a line of the charter looks at the request', async () => {
  const { client } = await openai();
  const long = [{ role: 'user', content: 'x'.repeat(20_100) }];
  const error = await refusedAs(ask(client, { messages: long }), OpenAI.PermissionDeniedError, 403,
    /prompt_tokens < 5000/);
  assert.equal(error.code, 'no_entitlement');
});

test('what a provider would run itself is refused', async () => {
  const { client } = await openai();
  for (const more of [{ web_search_options: {} }, { tools: [{ type: 'mcp', server_url: 'x' }] }]) {
    await refusedAs(ask(client, more), OpenAI.PermissionDeniedError, 403, /model_tool/);
  }
});

test('whoever has no token for this provider is a stranger', async () => {
  const { client, token } = await openai();
  const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL: `${world.url}/llm/open/v1` });
  await refusedAs(ask(stranger), OpenAI.AuthenticationError, 401, /token/);
  await refusedAs(stranger.models.list().then(), OpenAI.AuthenticationError, 401, /token/);
  const elsewhere = new Anthropic({ apiKey: token, baseURL: `${world.url}/llm/anth` });
  await refusedAs(say(elsewhere), Anthropic.AuthenticationError, 401, /token/);
  const page = await raw(`${world.url}/llm/open`, token, 'chat/completions', {},
    { origin: 'https://evil.example' });
  assert.equal(page.status, 403);
  const mcp = await fetch(`${world.url}/mcp/open`, { method: 'POST' });
  assert.equal(mcp.status, 401);
  assert.ok(client);
});

test('what is no request is refused before it is decided', async () => {
  const { token, url: to, task } = await openai();
  for (const body of ['', '{', '[]', '{}', '{"model":"small-1"}', '{"model":1,"messages":[]}',
    '{"model":"small-1","messages":[],"model":"other"}',
    '{"model":"small-1","messages":[],"stream":"yes"}']) {
    const { status, text } = await raw(to, token, 'chat/completions', body);
    assert.equal(status, 400, body);
    assert.equal(JSON.parse(text).error.type, 'invalid_request_error');
  }
  assert.equal((await raw(to, token, 'chat/completions', {}, { 'content-type': 'text/plain' }))
    .status, 415);
  assert.equal((await raw(to, token, 'messages', {})).status, 404);
  assert.equal((await raw(to, token, 'embeddings', {})).status, 404);
  const found = await world.json(null, 'audit', 'search', '--task', task);
  assert.ok(found.items.every(({ record }) => record.type !== 'decision'));
});

test('what the task has read decides which model may get it', async () => {
  const { client, task } = await anthropic();
  state.answer = { pieces: messagesStream({ words: WORDS }) };
  await all(await say(client));
  const below = await openTask(world, 'mcp/files', task);
  const agent = await new Agent(below.url, below.token).connect();
  assert.ok((await agent.call('read_text_file', { path: 'tickets/41.txt' })).done);
  await agent.close();
  const before = state.requests.length;
  await refusedAs(say(client), Anthropic.PermissionDeniedError, 403,
    /has read internal data; data up to public may go to model anth\/large-1/);
  assert.equal(state.requests.length, before, 'nothing was sent');
  const found = await world.json(null, 'audit', 'search', '--task', task);
  const last = found.items.map(({ record }) => record).findLast(({ type }) => type === 'decision');
  assert.equal(last.labels.sensitivity, 'internal');
  const other = await openai(); // its model may get internal data
  const reader = await openTask(world, 'mcp/files', other.task);
  const second = await new Agent(reader.url, reader.token).connect();
  assert.ok((await second.call('read_text_file', { path: 'tickets/41.txt' })).done);
  await second.close();
  state.answer = { pieces: chatStream({ words: WORDS }) };
  await all(await ask(other.client));
});

test('a task is opened below a live one of its own identity alone', async () => {
  const { task } = await anthropic();
  await world.must(null, 'task', 'end', task).catch(() => {});
  await assert.rejects(openTask(world, 'open', 't-aaaaaaaaaaaaaaaaaaaa'), /cannot have this child/);
});

// ---- what stops ----

test('a budget stops an answer in its middle, and refuses the next request', async () => {
  const { client, task } = await openai();
  const words = Array.from({ length: 100 }, () => 'twenty letters long.');
  state.answer = { pieces: chatStream({ words }), gap: 2 };
  state.closed = false;
  const got = [];
  const error = await (async () => {
    for await (const part of await ask(client)) got.push(part.choices[0]?.delta.content ?? '');
  })().then(() => assert.fail('it went on'), (wrong) => wrong);
  seen.push(error.message);
  assert.ok(error instanceof OpenAI.APIError);
  assert.match(error.message, /budget/);
  const bytes = got.join('').length;
  assert.ok(bytes > 1000 && bytes <= 1600, `${bytes} bytes of 2000 passed`);
  assert.ok(await eventually(() => state.closed), 'the provider was cut off');
  const { status, reason, generation } = await outcome(task);
  assert.equal(status, 'stopped');
  assert.equal(reason, 'budget');
  assert.ok(generation.used.tokens > 400 && generation.used.tokens <= 410);
  const before = state.requests.length;
  await refusedAs(ask(client), OpenAI.RateLimitError, 429, /budget for task/);
  assert.equal(state.requests.length, before, 'nothing was sent, and nothing twice');
});

test('a tool call that would be refused ends the answer before it', async () => {
  const { client, task } = await anthropic();
  const args = JSON.stringify({ path: 'private/payroll.txt' });
  state.answer = {
    pieces: messagesStream({ words: WORDS, tools: [{ name: 'files__read_text_file', args }] }),
  };
  const got = [];
  const error = await (async () => {
    for await (const part of await say(client)) got.push(part);
  })().then(() => assert.fail('it went on'), (wrong) => wrong);
  seen.push(error.message);
  assert.ok(error instanceof Anthropic.APIError);
  assert.match(error.message, /files\/read_text_file, which is refused/);
  const text = got.map((part) => part.delta?.text ?? '').join('');
  assert.equal(text, WORDS.join(''), 'the text before it passed');
  const json = got.map((part) => part.delta?.partial_json ?? '').join('');
  assert.ok(args.startsWith(json) && json.length < args.length, 'its end did not');
  const { status, generation } = await outcome(task);
  assert.equal(status, 'stopped');
  assert.equal(generation.tools[0].verdict, 'deny');
  assert.equal(generation.tools[0].tool, 'files/read_text_file');
});

test('a tool call that is allowed passes', async () => {
  const { client, task } = await openai();
  const args = JSON.stringify({ path: 'tickets/1.txt' });
  state.answer = { pieces: chatStream({ tools: [{ name: 'files__read_text_file', args }] }) };
  const parts = await all(await ask(client));
  assert.equal(parts.map((part) =>
    part.choices[0].delta.tool_calls?.[0].function.arguments ?? '').join(''), args);
  const { generation } = await outcome(task);
  assert.equal(generation.tools.length, 1);
  assert.notEqual(generation.tools[0].verdict, 'deny');
});

test('a call that a response says again is the one that was judged, or the end', async () => {
  const args = JSON.stringify({ path: 'tickets/1.txt' });
  const other = JSON.stringify({ path: 'private/payroll.txt' });
  const call = { name: 'files__read_text_file', args };
  const body = { model: 'small-1', input: 'What is in ticket 1?', stream: true };
  const { client, task } = await openai();
  state.answer = { pieces: responsesCall(call) };
  const events = await all(await client.responses.create(body));
  assert.equal(events.at(-1).response.output[0].arguments, args);
  assert.equal((await outcome(task)).generation.tools.length, 1, 'it is judged once');
  for (const again of [{ done: other }, { item: other }, { last: other }]) {
    state.answer = { pieces: responsesCall({ ...call, ...again }) };
    const got = [];
    const error = await (async () => {
      for await (const part of await client.responses.create(body)) got.push(part);
    })().then(() => assert.fail('it went on'), (wrong) => wrong);
    seen.push(error.message);
    assert.match(error.message, /a tool call changes its arguments/);
    assert.ok(!JSON.stringify(got).includes('payroll'), 'nobody has the other one');
  }
});

// ---- secrets of remit's own ----

const cutIn = (text, size) => text.match(new RegExp(`.{1,${size}}`, 'gs'));
const stoppedBySecret = async (stream, textOf) => {
  const got = [];
  const error = await (async () => {
    for await (const part of await stream) got.push(textOf(part) ?? '');
  })().then(() => assert.fail('it went on'), (wrong) => wrong);
  seen.push(error.message);
  assert.match(error.message, /holds a secret of remit's/);
  return got.join('');
};

test('an answer that says our key ends before it, as whole as in pieces', async () => {
  const saying = (size) => ['The key is ', ...cutIn(KEY, size), ', keep it.'];
  for (const size of [1000, 20, 3, 1]) {
    const { client, task } = await openai();
    state.answer = { pieces: chatStream({ words: saying(size) }) };
    const text = await stoppedBySecret(ask(client), (part) => part.choices[0]?.delta.content);
    assert.equal(text, `The key is ${cutIn(KEY, size).slice(0, -1).join('')}`);
    const { status, reason, fingerprints } = await outcome(task);
    assert.deepEqual([status, reason], ['stopped', 'forbidden']);
    assert.match(fingerprints[0], /^f-/);
  }
  const { client } = await anthropic();
  state.answer = { pieces: messagesStream({ words: saying(4) }) };
  await stoppedBySecret(say(client), (part) => part.delta?.text);
  state.answer = {
    pieces: messagesStream({ tools: [{ name: 'own', args: JSON.stringify({ key: KEY }) }] }),
  };
  const args = await stoppedBySecret(say(client), (part) => part.delta?.partial_json);
  assert.ok(!args.includes(KEY));
});

test('a response that says our key ends before it, in its text and in a call', async () => {
  const { client } = await openai();
  const body = { model: 'small-1', input: 'Which key have you?', stream: true };
  state.answer = { pieces: responsesStream({ words: cutIn(KEY, 6) }) };
  const text = await stoppedBySecret(client.responses.create(body),
    ({ type, delta }) => (type === 'response.output_text.delta' ? delta : ''));
  assert.equal(text, cutIn(KEY, 6).slice(0, -1).join(''));
  state.answer = { pieces: responsesCall({ name: 'own', args: JSON.stringify({ key: KEY }) }) };
  const said = await stoppedBySecret(client.responses.create(body), JSON.stringify);
  assert.ok(!said.includes(KEY) && !said.includes('response.completed'));
});

test('an answer that is no stream and says our key is shown to nobody', async () => {
  const { token, url: to } = await openai();
  state.answer = {
    type: 'application/json',
    pieces: [JSON.stringify({ choices: [{ message: { content: `It is ${KEY}` } }] })],
  };
  const { status, text } = await raw(to, token, 'chat/completions',
    { model: 'small-1', messages: QUESTION });
  assert.equal(status, 403);
  assert.match(text, /holds a secret of remit's/);
});

test('what an identity sees of the key of another is stopped, and found', async () => {
  const { client } = await openai();
  const words = cutIn(SECOND_KEY, 5);
  state.answer = { pieces: chatStream({ words }) };
  const text = await stoppedBySecret(ask(client), (part) => part.choices[0]?.delta.content);
  assert.equal(text, words.slice(0, -1).join(''));
  const findings = (await world.json(null, 'findings', 'list')).items;
  const seenKeys = findings.filter(({ kind }) => kind === 'secret-seen')
    .map((finding) => JSON.stringify(finding));
  assert.ok(seenKeys.some((finding) => finding.includes('second-key')), seenKeys.join());
  assert.ok(seenKeys.some((finding) => finding.includes(`file:${state.keyFile}`)));
  seen.push(...seenKeys);
});

// ---- providers that fail ----

const JSON_TYPE = 'application/json';
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
const EARLY = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const FIELD = `x-filler: ${'y'.repeat(100)}\r\n`;
const ZIPPED = gzipSync(chatStream({ words: ['a'] }).join(''));
const MIB = 'x'.repeat(1024 * 1024);
const OVERLOADED = '{"type":"error","error":{"type":"overloaded_error","message":"too busy"}}';
const DEEP = '{"a":'.repeat(1000);
const HALF = [...chatStream({ words: ['a'] }).slice(0, 2), 'data: {"ch'];

for (const [what, answer, status, pattern] of [
  ['cuts within an event', { pieces: HALF, cut: true, gap: 40 }, undefined,
    /provider|connection|closed|reset/i],
  ['ends within an event', { pieces: HALF }, undefined, /cut within an event/],
  ['ends without its end', { pieces: HALF.slice(0, 2) }, undefined, /without its end/],
  ['sends no JSON', { pieces: ['data: {nonsense\n\n'] }, 502, /provider's answer/],
  ['sends a giant event', { pieces: ['data: ', ...Array(20).fill('x'.repeat(65536))] }, 502,
    /longer than 1048576/],
  ['sends a giant event that ends', { pieces: [`data: {"a":"${MIB}"}\n\n`] }, 502,
    /longer than 1048576/],
  ['sends an event without end of depth', { pieces: [`data: ${DEEP}\n\n`] }, 502,
    /provider's answer/],
  ['says a member twice', { pieces: ['data: {"choices":[],"choices":[]}\n\n'] }, 502,
    /provider's answer/],
  ['sends bytes that are no text', {
    pieces: [Buffer.from('data: {"a":"\xff\xfe"}\n\n', 'latin1')],
  }, 502, /provider's answer/],
  ['begins with a byte order mark', { pieces: ['\ufeffdata: {"choices":[]}\n\n'] }, 502,
    /no field of an event/],
  ['sends another type', { type: 'text/html', pieces: ['<p>secret host name</p>'] }, 502,
    /another type/],
  ['answers 400', { status: 400, type: JSON_TYPE, pieces: ['{"error":{"message":"bad value"}}'] },
    400, /bad value/],
  ['answers 500', { status: 500, type: 'text/html', pieces: ['<p>secret host name</p>'] }, 500,
    /gave no reason/],
  ['answers 500 without end', { status: 500, type: 'text/html', pieces: Array(9).fill(MIB) }, 502,
    /longer than 8388608/],
  ['answers 400 and says our key', {
    status: 400, type: JSON_TYPE, pieces: [`{"error":{"message":"not with ${KEY}"}}`],
  }, 400, /not with \[secret removed by remit\]/],
  ['answers 529', { status: 529, type: JSON_TYPE, pieces: ['{"error":{"message":"too busy"}}'] },
    529, /too busy/],
  ['says nothing', { silent: true }, 504, /in time/],
  ['compresses what nobody asked for', { more: { 'Content-Encoding': 'gzip' }, pieces: [ZIPPED] },
    502, /another type/],
  ['compresses it and does not say so', { pieces: [ZIPPED] }, 502, /provider's answer/],
  ['sends what only begins like the type', { type: 'text/event-stream-2', pieces: HALF }, 502,
    /another type/],
  ['answers JSON to who asked for a stream', { type: JSON_TYPE, pieces: ['{"choices":[]}'] }, 502,
    /another type/],
  ['answers nothing', { pieces: [] }, 502, /is empty/],
  ['answers that there is nothing', { raw: 'HTTP/1.1 204 No Content\r\n\r\n' }, 502, /./],
  ['sends its clients elsewhere', { status: 307, more: { Location: '/elsewhere' }, pieces: ['{}'] },
    502, /gave no reason/],
  ['wants another protocol', { raw: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n' },
    502, /provider open/],
  ['sends early answers without end', { raw: EARLY.repeat(2000) }, 502, /provider open/],
  ['sends header fields without end', { raw: `HTTP/1.1 200 OK\r\n${FIELD.repeat(30_000)}` }, 502,
    /provider open/],
  ['sends a header field without end', { raw: `HTTP/1.1 200 OK\r\na: ${'x'.repeat(4_000_000)}` },
    502, /provider open/],
  ['says two lengths', { raw: `${STREAM}Content-Length: 5\r\nContent-Length: 9\r\n\r\ndata:` },
    502, /provider/],
  ['says a length and stops before', { raw: `${STREAM}Content-Length: 500\r\n\r\ndata: {}\n\n` },
    undefined, /provider/],
  ['breaks its chunks', { raw: `${STREAM}Transfer-Encoding: chunked\r\n\r\nzz\r\ndata` }, 502,
    /provider/],
  ['is no HTTP', { raw: 'secret host name\r\n\r\n' }, 502, /provider open/],
]) {
  test(`a provider that ${what} gives a clear error, on record`, async () => {
    const { task, token, url: to } = await openai();
    const client = new OpenAI({ apiKey: token, baseURL: `${to}/v1`, maxRetries: 0 });
    state.answer = answer;
    const error = await ask(client).then(all).then(() => assert.fail('it went'), (wrong) => wrong);
    seen.push(error.message);
    assert.equal(error.status, status, error.message);
    assert.match(error.message, pattern);
    const { status: word } = await outcome(task);
    assert.ok(['failed', 'error', 'timeout'].includes(word), word);
  });
}

// Of the other API, and of an answer that is no stream: by what differs.
for (const [what, answer, status, pattern, more] of [
  ['cuts within an event', { pieces: messagesStream({ words: WORDS }).slice(0, 4), cut: true,
    gap: 40 }, undefined, /provider|connection|closed|reset|terminated/i],
  ['ends without its end', { pieces: messagesStream({ words: WORDS }).slice(0, 4) }, undefined,
    /without its end/],
  ['says that it failed', { pieces: [
    ...messagesStream({ words: WORDS }).slice(0, 4), `event: error\ndata: ${OVERLOADED}\n\n`,
  ] }, undefined, /too busy/],
  ['begins a block twice', { pieces: [
    ...messagesStream({ tools: [{ name: 'a', args: '{}' }] }).slice(0, 5),
    messagesStream({ tools: [{ name: 'b', args: '{}' }] })[4],
  ] }, undefined, /begins twice/],
  ['goes on with a call that never began', {
    pieces: messagesStream({ tools: [{ name: 'a', args: '{}' }] }).toSpliced(4, 1),
  }, undefined, /did not begin/],
  ['answers 529', { status: 529, type: JSON_TYPE, pieces: [OVERLOADED] }, 529, /too busy/],
  ['sends a giant answer', { type: JSON_TYPE, pieces: ['{"a":"', ...Array(9).fill(MIB)] }, 502,
    /longer than 8388608/, { stream: false }],
  ['sends half an answer', { type: JSON_TYPE, pieces: ['{"content":[{"type":"text","te'] }, 502,
    /provider's answer/, { stream: false }],
  ['sends a list', { type: JSON_TYPE, pieces: ['[]'] }, 502, /no JSON object/, { stream: false }],
  ['streams to who asked for none', { pieces: messagesStream({ words: WORDS }) }, 502,
    /another type/, { stream: false }],
]) {
  test(`a provider of messages that ${what} gives a clear error, on record`, async () => {
    const { task, token, url: to } = await anthropic();
    const client = new Anthropic({ apiKey: token, baseURL: to, maxRetries: 0 });
    state.answer = answer;
    const error = await say(client, more).then(all)
      .then(() => assert.fail('it went'), (wrong) => wrong);
    seen.push(error.message);
    assert.equal(error.status, status, error.message);
    assert.match(error.message, pattern);
    const { status: word } = await outcome(task);
    assert.ok(['failed', 'error', 'result'].includes(word), word);
    assert.equal(word === 'result', what === 'says that it failed');
  });
}

test('what a provider sends after its end passes to nobody', async () => {
  const { task, token, url: to } = await openai();
  const pieces = chatStream({ words: ['a'] });
  state.answer = { pieces: [...pieces, chatStream({ words: ['too late'] })[1]] };
  const { text } = await raw(to, token, 'chat/completions',
    { model: 'small-1', messages: QUESTION, stream: true });
  assert.ok(text.startsWith(pieces.join('')) && !text.includes('too late'));
  assert.match(text, /goes on after its end/);
  assert.equal((await outcome(task)).status, 'failed');
});

test('early answers before the real one do no harm', async () => {
  const { client } = await openai();
  const body = chatStream({ words: WORDS }).join('');
  state.answer = {
    raw: `${EARLY}${EARLY}${STREAM}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  };
  const parts = await all(await ask(client));
  assert.equal(parts.map((part) => part.choices[0]?.delta.content ?? '').join(''), WORDS.join(''));
});

test('a provider that sends its clients elsewhere is not followed', async () => {
  assert.ok(state.requests.length > 10);
  assert.ok(state.requests.every(({ url: to }) => !to.includes('elsewhere')));
});

test('a provider that refuses the key says so to nobody', async () => {
  const { task, token, url: to } = await openai();
  state.key = 'another';
  const client = new OpenAI({ apiKey: token, baseURL: `${to}/v1`, maxRetries: 0 });
  const error = await ask(client).then(() => assert.fail('it went'), (wrong) => wrong);
  state.key = KEY;
  seen.push(error.message);
  assert.equal(error.status, 502);
  assert.match(error.message, /refused the gateway's credential/);
  assert.equal((await outcome(task)).status, 'failed');
});

test('without a key nothing is sent', async () => {
  const { token, url: to } = await openai();
  writeFileSync(state.keyFile, '');
  const before = state.requests.length;
  const { status, text } = await raw(to, token, 'chat/completions',
    { model: 'small-1', messages: QUESTION });
  writeFileSync(state.keyFile, KEY + '\n');
  assert.equal(status, 502);
  assert.ok(!text.includes(state.keyFile));
  assert.equal(state.requests.length, before);
});

test('a client that goes away cuts the provider off', async () => {
  const { client, task } = await openai();
  state.answer = { pieces: chatStream({ words: Array(50).fill('word ') }), gap: 50 };
  state.closed = false;
  const stream = await ask(client);
  for await (const part of stream) if (part.choices[0].delta.content) break;
  assert.ok(await eventually(() => state.closed));
  assert.equal((await outcome(task)).status, 'aborted');
});

test('a kill ends an answer', async () => {
  const { client, task } = await openai();
  state.answer = { pieces: chatStream({ words: Array(50).fill('word ') }), gap: 50 };
  const stream = await ask(client);
  const ended = all(stream).then(() => assert.fail('it went on'), (wrong) => wrong);
  await world.must(null, 'kill', 'task', task, '--reason', 'enough', '--yes');
  assert.match((await ended).message, /authority/);
  assert.equal((await outcome(task)).status, 'revoked');
});

// ---- what is on record ----

test('what was used is the same after a restart, and from the log alone', async () => {
  const { client, task } = await openai();
  state.answer = { pieces: chatStream({ words: WORDS }) };
  await all(await ask(client));
  await outcome(task);
  const used = async () => (await world.json(null, 'task', 'show', task)).budgets;
  const before = await used();
  assert.ok(before.task.tokens > 0 && before.identity.tokens >= before.task.tokens);
  await world.killDaemon();
  await world.spawnDaemon();
  assert.deepEqual(await used(), before);
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  assert.deepEqual(await used(), before);
});

test('every decision comes out again, and why tells one of them', async () => {
  const done = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(done.code, 0, done.err);
  assert.equal(done.report.replay.replayed, done.report.replay.decisions);
  assert.ok(done.report.replay.decisions > 20);
  const found = await world.json(null, 'audit', 'search', '--verdict', 'deny');
  const { index } = found.items.find(({ record }) => record.reason === 'no_entitlement');
  const told = await world.remit(ADMINISTRATOR, 'why', String(index), '-o', 'json');
  const why = JSON.parse(told.out);
  assert.equal(why.now.reason, 'no_entitlement');
  assert.match(JSON.stringify(why.now.accounts), /prompt_tokens/);
  const asked = await world.why('tester', 'generate', 'open/small-1',
    { api: 'openai', prompt_tokens: 10, stream: true, tools: [], provider_tools: [] }, 'staging');
  assert.equal(asked.verdict, 'allow');
});

test('people ask about a model by its name alone', async () => {
  const ask = async (...words) => {
    const done = await world.remit(null, ...words, '-o', 'json');
    seen.push(done.out, done.err);
    return { code: done.code, answer: done.out ? JSON.parse(done.out) : done.err };
  };
  for (const name of ['open/small-1', 'model:open/small-1']) {
    const why = await ask('why', 'tester', 'generate', name);
    assert.equal(why.answer.verdict, 'allow', JSON.stringify(why.answer));
    assert.equal(why.code, 0);
    const who = await ask('who', 'generate', name);
    const told = who.answer.items.map(({ identity, may, tool }) => [identity, may, tool]).sort();
    assert.deepEqual(told,
      [['second', 'when', 'open/small-1'], ['tester', 'when', 'open/small-1']]);
  }
  const can = await ask('can', 'tester');
  const small = can.answer.items.find(({ tool }) => tool === 'open/small-1');
  assert.equal(small.may, 'when', JSON.stringify(can.answer));
  assert.match(small.when, /context\.generation\.prompt_tokens/);
  const long = await ask('why', 'tester', 'generate', 'open/small-1', '--arguments',
    '{"prompt_tokens": 5000}');
  assert.equal(long.answer.reason, 'no_entitlement');
  const none = await ask('why', 'second', 'generate', 'open/unlisted-1');
  assert.equal(none.answer.reason, 'model');
  for (const name of ['open/smal-1', 'model:open/smal-1']) {
    const wrong = await ask('who', 'generate', name);
    assert.equal(wrong.code, 3);
    assert.match(wrong.answer.detail, /no model is named open.smal-1; did you mean small-1/);
  }
  assert.deepEqual((await ask('who', 'generate', 'open/unlisted-1')).answer.items, []);
});

test('no key, prompt or answer shows anywhere', async () => {
  const texts = [...seen, world.daemonText, await (await fetch(world.url + '/metrics')).text()];
  for (const entry of readdirSync(world.dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      texts.push(readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'latin1'));
    }
  }
  const secrets = [
    KEY, SECOND_KEY, QUESTION[0].content, 'broken.', 'private/payroll', 'secret host',
  ];
  for (const secret of secrets) {
    assert.ok(!texts.some((text) => text.includes(secret) && !text.includes('twenty letters')
      && !text.startsWith('data: ') && !text.startsWith('event: ')), `${secret} is shown`);
  }
});
