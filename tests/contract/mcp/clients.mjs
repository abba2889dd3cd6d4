// The official MCP client in front of our door, the official servers behind our
// upstream edge, over stdio and over HTTP, and nothing in between (passthrough.c).
// Usage: node clients.mjs PASSTHROUGH ROOT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

const [passthrough, root] = process.argv.slice(2);
const packages = join(process.env.MCP_PACKAGES ?? join(root, 'examples'), 'node_modules');
if (!existsSync(packages)) {
  console.log(`skipped: ${packages} is missing; run tools/deps`);
  process.exit(77);
}
const require = createRequire(join(packages, 'x.js'));
const { Client } = await import(require.resolve('@modelcontextprotocol/sdk/client/index.js'));
const { StreamableHTTPClientTransport } = await import(
  require.resolve('@modelcontextprotocol/sdk/client/streamableHttp.js'));

let folder;
let gateway;
let gatewayEnd; // its code, or why it could not be started
let everything;
let base;

const freePort = () =>
  new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const firstLine = (stream, pattern) =>
  new Promise((done, fail) => {
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => pattern.test(line) && done(line));
    lines.on('close', () => fail(new Error('ended before it was ready')));
  });

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clients-'));
  mkdirSync(join(folder, 'desk'));
  writeFileSync(join(folder, 'desk', 'note.txt'), 'hello from the desk\n');
  const port = await freePort();
  const bin = join(packages, '.bin');
  everything = spawn(join(bin, 'mcp-server-everything'), ['streamableHttp'],
    { env: { ...process.env, PORT: `${port}` }, stdio: ['ignore', 'inherit', 'pipe'] });
  await firstLine(everything.stderr, /listening on port/i);
  const path = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(':');
  gateway = spawn(passthrough, [folder, path,
    `files=mcp-server-filesystem,${join(folder, 'desk')}`,
    // Without a file of its own it would find what an earlier run left in its package.
    `memory=env,MEMORY_FILE_PATH=${join(folder, 'servers/memory/memory.jsonl')},mcp-server-memory`,
    `everything=http://127.0.0.1:${port}/mcp`, 'down=http://127.0.0.1:1/mcp',
    'none=no-such-program'], { stdio: ['pipe', 'pipe', 'inherit'] });
  gatewayEnd = new Promise((done) => gateway.on('exit', done).on('error', done));
  base = `http://127.0.0.1:${await firstLine(gateway.stdout, /^\d+$/)}/mcp`;
});

after(async () => {
  gateway?.stdin.end();
  const code = gateway && (await gatewayEnd);
  everything?.kill();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(code, 0, 'the gateway ended well');
});

const open = async (server, token = 'good') => {
  const client = new Client({ name: 'clients', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${base}/${server}`),
    { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
  await client.connect(transport);
  return { client, transport };
};

const textOf = (result) => result.content.map((part) => part.text ?? '').join('');

test('a wrong token opens nothing', async () => {
  await assert.rejects(open('files', 'bad'), /401|nauthorized/);
});

test('the file server over stdio lists, reads and refuses', async () => {
  const { client, transport } = await open('files');
  const { tools } = await client.listTools();
  assert.ok(tools.some(({ name }) => name === 'read_text_file'));
  const path = join(folder, 'desk', 'note.txt');
  const read = await client.callTool({ name: 'read_text_file', arguments: { path } });
  assert.match(textOf(read), /hello from the desk/);
  const outside = await client.callTool(
    { name: 'read_text_file', arguments: { path: '/etc/passwd' } });
  assert.equal(outside.isError, true);
  await transport.terminateSession();
  await client.close();
});

test('the memory server over stdio keeps many calls apart', async () => {
  const { client } = await open('memory');
  const made = await Promise.all(Array.from({ length: 30 }, (none, i) =>
    client.callTool({ name: 'create_entities', arguments: {
      entities: [{ name: `n${i}`, entityType: 't', observations: [`o${i}`] }] } })));
  made.forEach((answer, i) => assert.match(textOf(answer), new RegExp(`"n${i}"`)));
  await client.close();
});

test('the everything server over HTTP answers, with progress', async () => {
  const { client } = await open('everything');
  const { tools } = await client.listTools();
  assert.ok(tools.length > 3);
  const echo = await client.callTool({ name: 'echo', arguments: { message: 'across' } });
  assert.match(textOf(echo), /across/);
  const seen = [];
  const long = tools.find(({ name }) => /long-?running/i.test(name));
  assert.ok(long, 'a tool that reports progress');
  const done = await client.callTool({ name: long.name, arguments: { duration: 1, steps: 4 } },
    undefined, { onprogress: ({ progress }) => seen.push(progress) });
  assert.match(textOf(done), /completed/i);
  assert.deepEqual(seen, [1, 2, 3, 4]);
  const { resources } = await client.listResources();
  assert.ok(resources.length > 0);
  await client.close();
});

test('a cancelled call leaves the session usable', async () => {
  const { client } = await open('everything');
  const { tools } = await client.listTools();
  const long = tools.find(({ name }) => /long-?running/i.test(name));
  const stop = new AbortController();
  const late = client.callTool({ name: long.name, arguments: { duration: 10, steps: 5 } },
    undefined, { signal: stop.signal });
  setTimeout(() => stop.abort('enough'), 50);
  await assert.rejects(late);
  const echo = await client.callTool({ name: 'echo', arguments: { message: 'still here' } });
  assert.match(textOf(echo), /still here/);
  await client.close();
});

test('a server that is down, or is none, is said to be', async () => {
  for (const [server, pattern] of [['down', /server down/], ['none', /no-such-program/]]) {
    const { client } = await open(server);
    await assert.rejects(client.callTool({ name: 'echo', arguments: {} }), pattern);
    await client.close();
  }
});

test('a session that was ended is not found', async () => {
  const { client, transport } = await open('memory');
  const headers = {
    Authorization: 'Bearer good', Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json', 'Mcp-Session-Id': transport.sessionId,
  };
  await transport.terminateSession();
  const answer = await fetch(`${base}/memory`, {
    method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  assert.equal(answer.status, 404);
  await client.close();
});
