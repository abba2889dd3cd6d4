// An MCP server over stdio that misbehaves on demand, one way a tool.  It writes
// down each tool call it receives in its own folder.  What is huge is a little more than remit
// takes of one message (UPSTREAM_MESSAGE_BYTES_MAX), so that it is there before time is over.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const log = join(process.env.HOME, 'calls');
const TOOLS = ['fine', 'silent', 'crash', 'garbage', 'huge', 'failure', 'alien', 'late', 'asks'];
const send = (message) => process.stdout.write(JSON.stringify(message) + '\n');
const result = (id, text) =>
  send({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });

const calls = {
  fine: (id) => result(id, 'done'),
  silent: () => {},
  crash: () => process.exit(3),
  garbage: (id) => {
    process.stdout.write('this is no JSON\n');
    result(id, 'after the garbage');
  },
  huge: (id) => result(id, 'x'.repeat(9 * 1024 * 1024)),
  failure: (id) => send({ jsonrpc: '2.0', id, error: { code: -32001, message: 'out of order' } }),
  alien: (id) => {
    result(999_999, 'for nobody');
    result(id, 'for you');
  },
  asks: (id) => {
    send({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: { messages: [] } });
    result(id, 'asked');
  },
  late: (id) => setTimeout(() => result(id, 'late'), 3000),
};

const handlers = {
  initialize: ({ id, params }) =>
    send({
      jsonrpc: '2.0', id,
      result: {
        protocolVersion: params.protocolVersion, capabilities: { tools: {} },
        serverInfo: { name: 'faulty', version: '1' },
      },
    }),
  'tools/list': ({ id }) =>
    send({
      jsonrpc: '2.0', id,
      result: { tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } })) },
    }),
  'tools/call': ({ id, params }) => {
    appendFileSync(log, params.name + '\n');
    calls[params.name](id);
  },
  ping: ({ id }) => send({ jsonrpc: '2.0', id, result: {} }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  handlers[message.method]?.(message);
}).on('close', () => process.exit(0));
