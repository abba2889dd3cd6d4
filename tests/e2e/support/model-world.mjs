// Two providers of models that say what a test wants, byte for byte, and a world in which
// an identity may use them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { World } from '../../../examples/stories/lib/world.mjs';

export const KEY = 'sk-key-of-the-provider-0123456789';
export const SECOND_KEY = 'sk-key-of-the-second-identity-9876543210';

const chat = (delta, more = {}) => `data: ${JSON.stringify({
  id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'small-1-2026-01',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})}\n\n`;
const event = (type, body) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;
const pieces = (text) => text.match(/.{1,7}/gs) ?? [];

// The answer to a request as the pieces in which it is sent.
export const chatStream = ({ words = [], tools = [], usage }) => [
  chat({ role: 'assistant', content: '' }),
  ...words.map((content) => chat({ content })),
  ...tools.flatMap(({ name, args }, index) => [
    chat({
      tool_calls: [{
        index, id: `c${index}`, type: 'function', function: { name, arguments: '' },
      }],
    }),
    ...pieces(args).map((piece) =>
      chat({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]),
  chat({}, { finish_reason: tools.length ? 'tool_calls' : 'stop' }),
  ...(usage ? [`data: ${JSON.stringify({
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'small-1-2026-01',
    choices: [], usage,
  })}\n\n`] : []),
  'data: [DONE]\n\n',
];

export const messagesStream = ({ words = [], tools = [], usage = {} }) => [
  event('message_start', {
    message: {
      id: 'msg_1', type: 'message', role: 'assistant', model: 'large-1', content: [],
      stop_reason: null, stop_sequence: null,
      usage: { input_tokens: 11, output_tokens: 1, ...usage },
    },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  'event: ping\r\ndata: {"type": "ping"}\r\n\r\n',
  ...words.map((text) =>
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
  event('content_block_stop', { index: 0 }),
  ...tools.flatMap(({ name, args }, at) => [
    event('content_block_start', {
      index: at + 1, content_block: { type: 'tool_use', id: `t${at}`, name, input: {} },
    }),
    ...pieces(args).map((piece) => event('content_block_delta', {
      index: at + 1, delta: { type: 'input_json_delta', partial_json: piece },
    })),
    event('content_block_stop', { index: at + 1 }),
  ]),
  event('message_delta', {
    delta: { stop_reason: tools.length ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { output_tokens: 40 },
  }),
  event('message_stop', {}),
];

const typed = (type, body) => event(type, { ...body, sequence_number: 0 });
// A call of a function that comes in pieces, and what its end says of it once more.
export const responsesCall = ({ name, args, done = args, item = args, last = args }) => {
  const whole = (said) => ({
    id: 'fc_1', type: 'function_call', call_id: 'c1', name, arguments: said, status: 'completed',
  });
  const place = { item_id: 'fc_1', output_index: 0 };
  const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'small-1-2026-01' };
  return [
    typed('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
    typed('response.output_item.added', { output_index: 0, item: whole('') }),
    ...pieces(args).map((delta) =>
      typed('response.function_call_arguments.delta', { ...place, delta })),
    typed('response.function_call_arguments.done', { ...place, arguments: done }),
    typed('response.output_item.done', { output_index: 0, item: whole(item) }),
    typed('response.completed', {
      response: { ...response, status: 'completed', output: [whole(last)] },
    }),
  ];
};

export const responsesStream = ({ words = [] }) => {
  const about = (status, more = {}) => ({
    response: {
      id: 'resp_1', object: 'response', created_at: 1, model: 'small-1-2026-01', status, output: [],
      ...more,
    },
  });
  const item = { id: 'msg_1', type: 'message', role: 'assistant' };
  const content = [{ type: 'output_text', text: words.join(''), annotations: [] }];
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  return [
    typed('response.created', about('in_progress')),
    typed('response.output_item.added', {
      output_index: 0, item: { ...item, status: 'in_progress', content: [] },
    }),
    ...words.map((delta) => typed('response.output_text.delta', { ...place, delta })),
    typed('response.output_item.done', {
      output_index: 0, item: { ...item, status: 'completed', content },
    }),
    typed('response.completed', about('completed', {
      output: [{ ...item, status: 'completed', content }],
      usage: { input_tokens: 8, output_tokens: 6, total_tokens: 14 },
    })),
  ];
};

// state.answer: { status, type, more, pieces, cut, gap }: what the next request gets, more
// being header fields; or { raw }: these very bytes;
// state.requests: what came.  gap: milliseconds between pieces.
export const startProvider = async (state) => {
  const server = http.createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', async () => {
      const { headers, url } = request;
      state.requests.push({ url, headers, body });
      const sent = headers.authorization ?? `Bearer ${headers['x-api-key']}`;
      if (!state.keys().some((key) => sent === `Bearer ${key}`)) {
        answer.writeHead(401, { 'Content-Type': 'application/json' })
          .end(`{"error":{"message":"Incorrect API key: ${headers.authorization}"}}`);
        return;
      }
      const {
        status = 200, type = 'text/event-stream', pieces: parts, cut, gap, silent, raw, more = {},
      } = state.answer;
      if (silent) return;
      if (raw) {
        request.socket.on('error', () => {});
        request.socket.end(raw);
        return;
      }
      answer.on('close', () => (state.closed = !answer.writableFinished));
      answer.writeHead(status, { 'Content-Type': type, ...more });
      for (const part of parts) {
        if (answer.destroyed) return;
        answer.write(part);
        if (gap) await new Promise((done) => setTimeout(done, gap));
      }
      if (cut) answer.destroy();
      else answer.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
};

const documents = (world, url, key, limits) => `object: server
name: open
transport: {url: "${url}", credential: "file:${key}"}
environment: staging
unit: support
speaks: openai
models:
  - {name: small-1, up-to: internal, input-price: 1000000, output-price: 4000000}
  - {name: unlisted-1, up-to: restricted}
credentials: [{identity: second, credential: second-key}]
---
object: server
name: anth
transport: {url: "${url}/", credential: "file:${key}"}
environment: staging
unit: support
speaks: anthropic
models: [{name: large-1, up-to: public}]
---
object: identity
name: tester
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Ask models
environments: [staging]
model:
  - {provider: open, name: small-1, up-to: internal}
  - {provider: anth, name: large-1}
data-sources: [{name: tickets, up-to: internal}]
outputs: [{to: reply, up-to: internal}]
entitlements:
  - effect: generate
    resource: "model:open/small-1"
    when: context.generation.prompt_tokens < 5000
  - {effect: generate, resource: "model:anth/large-1"}
  - {effect: read, tool: files/read_text_file, when: 'context.args.path like "tickets/*"'}
limits: {task: 15m, calls-per-minute: 100000${limits}}
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
---
object: identity
name: second
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Ask a model with a key of its own
environments: [staging]
model: [{provider: open, name: small-1, up-to: internal}]
outputs: [{to: reply, up-to: internal}]
entitlements: [{effect: generate, resource: "model:open/small-1"}]
limits: {task: 15m, calls-per-minute: 100000}
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`;

export const startModelWorld = async ({ limits = '', settings = '' } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'remit-models-'));
  const state = {
    key: KEY, second: SECOND_KEY, requests: [], answer: {}, keyFile: join(folder, 'key'),
    keys: () => [state.key, state.second],
  };
  const provider = await startProvider(state);
  writeFileSync(state.keyFile, KEY + '\n', { mode: 0o600 });
  const world = await World.start({
    settings: `hold-ms: 300\nupstream-timeout-ms: 6000\n${settings}`,
    change: (files, made) => files.set('charters/60-models.yaml',
      documents(made, provider.url, state.keyFile, limits)),
    approve: { tester: 'bo@example.com', second: 'bo@example.com' },
    key: { tester: 'nobody', second: 'nobody' },
  });
  await world.setSecret('second-key', SECOND_KEY);
  const stop = async () => {
    provider.server.closeAllConnections();
    provider.server.close();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { world, state, url: provider.url, stop };
};

// The token of a new task for a provider: { task, token, url }.
export const openTask = async (world, provider, parent, identity = 'tester') => {
  const url = provider.includes('/') ? `${world.url}/${provider}` : `${world.url}/llm/${provider}`;
  const answer = await world.json(null, 'task', 'open', identity, '--key',
    world.keys[identity].path, '--resource', url, ...(parent ? ['--parent', parent] : []));
  return { task: answer.task, token: answer.access_token, url };
};
