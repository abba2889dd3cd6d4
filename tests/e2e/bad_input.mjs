// Malformed, huge and hostile requests to the agents' door: each is answered with
// a precise error, none reaches the server, and the daemon goes on.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { World } from '../../examples/stories/lib/world.mjs';

let world;
let agent;
let calls;

before(async () => {
  world = await World.start();
  agent = await world.agent('support-summariser', 'files');
  calls = world.calls('files').length;
});
after(async () => {
  await agent?.close();
  await world?.stop();
});

const headers = (more = {}) => ({
  Authorization: `Bearer ${agent.token}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
  'Mcp-Session-Id': agent.transport.sessionId,
  'MCP-Protocol-Version': '2025-11-25',
  ...more,
});

const post = (body, more, path = 'files') => {
  const all = headers(more);
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  return fetch(world.mcp(path), { method: 'POST', headers: all, body });
};

const call = (args) =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read_text_file",` +
  `"arguments":${args}}}`;

// What was refused must neither have reached the server nor have hurt the daemon.
const unharmed = async () => {
  assert.equal(world.calls('files').length, calls, 'the server was reached');
  const ticket = await agent.call('read_text_file', { path: 'tickets/41.txt' });
  assert.ok(ticket.done, ticket.text);
  calls += 1;
  assert.equal(world.calls('files').length, calls);
};

const codeOf = async (answer) => {
  const text = await answer.text();
  const line = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  try {
    return JSON.parse(line).error?.code;
  } catch {
    return undefined;
  }
};

const REFUSED_TEXTS = {
  'text that is no JSON': 'hello',
  'JSON that ends early': call('{"path":"tickets/41.txt"'),
  'something behind the JSON': call('{"path":"tickets/41.txt"}') + ' x',
  'a name that is there twice': call('{"path":"tickets/41.txt","path":"private/payroll.txt"}'),
  'a method that is there twice':
    '{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":{}}',
  'a NUL in a text': call('{"path":"tickets/41.txt\u0000"}'),
  'a lone surrogate': call('{"path":"\\ud800"}'),
  'bytes that are no UTF-8': Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"'),
    Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}}')]),
  'a thousand levels': call('['.repeat(1000) + ']'.repeat(1000)),
  'a number beyond all bounds': call('{"path":"tickets/41.txt","head":1e999}'),
  'a comment': call('{"path":"tickets/41.txt"/* x */}'),
};

for (const [what, body] of Object.entries(REFUSED_TEXTS)) {
  test(`${what} is refused`, async () => {
    const answer = await post(body);
    assert.equal(answer.status, 400);
    assert.ok([-32700, -32600].includes(await codeOf(answer)));
    await unharmed();
  });
}

const REFUSED_MESSAGES = {
  'a batch': '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
  'an empty batch': '[]',
  'a message of another version': '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  'a message without a version': '{"id":1,"method":"ping"}',
  'a message without a method': '{"jsonrpc":"2.0","id":1}',
  'an id that is an object': '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  'a null id': '{"jsonrpc":"2.0","id":null,"method":"ping"}',
};

for (const [what, body] of Object.entries(REFUSED_MESSAGES)) {
  test(`${what} is refused`, async () => {
    assert.equal((await post(body)).status, 400);
    await unharmed();
  });
}

test('an unknown method is denied', async () => {
  const answer = await post('{"jsonrpc":"2.0","id":1,"method":"tools/delete_all","params":{}}');
  assert.ok((await codeOf(answer)) < 0);
  assert.ok(world.reached('files').every(({ method }) => method !== 'tools/delete_all'));
  await unharmed();
});

test('a tool call without a name is refused', async () => {
  const answer = await post('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}');
  assert.ok((await codeOf(answer)) < 0);
  await unharmed();
});

test('arguments that are no object are refused', async () => {
  assert.ok((await codeOf(await post(call('"tickets/41.txt"')))) < 0);
  await unharmed();
});

test('a body over the limit is refused', async () => {
  const answer = await post(call(`{"path":"${'a'.repeat(5 * 1024 * 1024)}"}`)).catch(() => null);
  assert.ok(answer === null || answer.status === 413, `${answer?.status}`);
  await unharmed();
});

test('headers over the limit are refused', async () => {
  const answer = await post(call('{}'), { 'X-Filler': 'a'.repeat(60_000) }).catch(() => null);
  assert.ok(answer === null || answer.status === 431, `${answer?.status}`);
  await unharmed();
});

test('a session nobody opened is not found', async () => {
  const answer = await post(call('{"path":"tickets/41.txt"}'),
    { 'Mcp-Session-Id': 's-00000000000000000000' });
  assert.equal(answer.status, 404);
  await unharmed();
});

test('a call without a session is refused', async () => {
  const answer = await post(call('{"path":"tickets/41.txt"}'), { 'Mcp-Session-Id': undefined });
  assert.equal(answer.status, 400);
  await unharmed();
});

test("another identity's session is not found", async () => {
  const other = await world.askForToken('support-summariser', world.keys['support-summariser'],
    'files');
  const answer = await post(call('{"path":"tickets/41.txt"}'),
    { Authorization: `Bearer ${other.body.access_token}` });
  assert.equal(answer.status, 404);
  await unharmed();
});

test('a version nobody speaks is refused', async () => {
  const answer = await post(call('{}'), { 'MCP-Protocol-Version': '1999-01-01' });
  assert.equal(answer.status, 400);
  await unharmed();
});

test('another kind of content is refused', async () => {
  const answer = await post(call('{}'), { 'Content-Type': 'text/plain' });
  assert.ok([400, 415].includes(answer.status), `${answer.status}`);
  await unharmed();
});

test('a server that is not registered is not found', async () => {
  const answer = await post(call('{}'), {}, 'nowhere');
  assert.ok([401, 404].includes(answer.status), `${answer.status}`);
  await unharmed();
});

test('an unknown HTTP method is refused', async () => {
  const answer = await fetch(world.mcp('files'), { method: 'PUT', headers: headers(), body: '{}' });
  assert.equal(answer.status, 405);
  await unharmed();
});

// The raw bytes of a request, answered by the raw bytes of the server.
const raw = (text) =>
  new Promise((done) => {
    let answer = '';
    const socket = net.connect(Number(new URL(world.url).port), '127.0.0.1', () =>
      socket.end(text));
    socket.on('data', (part) => (answer += part));
    socket.on('error', () => done(answer));
    socket.on('close', () => done(answer));
    setTimeout(() => socket.destroy(), 3000).unref();
  });

test('a body framed in two ways at once is refused', async () => {
  const body = call('{"path":"tickets/41.txt"}');
  const lines = ['POST /mcp/files HTTP/1.1', 'Host: x', 'Connection: close',
    ...Object.entries(headers()).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'];
  const framed = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const answer = await raw(lines.join('\r\n') + '\r\n\r\n' + framed);
  assert.ok(answer === '' || /^HTTP\/1\.1 400/.test(answer), answer);
  await unharmed();
});

test('a client that leaves in the middle hurts nobody', async () => {
  for (let i = 0; i < 50; i += 1) {
    const stop = new AbortController();
    const gone = fetch(world.mcp('files'), {
      method: 'POST', headers: headers(), body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      signal: stop.signal,
    }).catch(() => null);
    stop.abort();
    await gone;
  }
  await unharmed();
});
