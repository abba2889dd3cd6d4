// An MCP server over stdio with one tool, pry, that tries one thing and answers
// "done", or with the code of the refusal.
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(JSON.stringify(message) + '\n');

const ways = {
  read: (path) => void readFileSync(path),
  list: (path) => void readdirSync(path),
  append: (path) => void appendFileSync(path, ''),
  keep: (text) => writeFileSync(join(process.env.HOME, 'kept'), text),
  'read-parent': (file) => void readFileSync(`/proc/${process.ppid}/${file}`),
  'signal-parent': () => void process.kill(process.ppid, 0),
  connect: (path) =>
    new Promise((done, fail) => {
      const socket = net.connect(path, () => done(socket.destroy()));
      socket.on('error', fail);
    }),
  fetch: async (url) => {
    const answer = await fetch(url);
    if (!answer.ok) throw Object.assign(new Error('refused'), { code: `${answer.status}` });
  },
  run: (program) =>
    new Promise((done, fail) => {
      const child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] });
      child.on('error', fail);
      child.on('close', done);
    }),
};

const pry = async ({ way, what }) => {
  try {
    await ways[way](what);
    return 'done';
  } catch (error) {
    return error.code ?? error.message;
  }
};

const handlers = {
  initialize: ({ params }) => ({
    protocolVersion: params.protocolVersion, capabilities: { tools: {} },
    serverInfo: { name: 'prying', version: '1' },
  }),
  'tools/list': () => ({ tools: [{ name: 'pry', inputSchema: { type: 'object' } }] }),
  'tools/call': async ({ params }) => ({
    content: [{ type: 'text', text: await pry(params.arguments) }],
  }),
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const message = JSON.parse(line);
  const handler = handlers[message.method];
  if (handler) send({ jsonrpc: '2.0', id: message.id, result: await handler(message) });
}).on('close', () => process.exit(0));
