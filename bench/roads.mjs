// What benches of the gateway share: a fast MCP server, sessions, and a client that takes
// calls on several roads in turn.
import { spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { run } from '../examples/stories/lib/world.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const build = process.env.REMIT_BUILD ?? join(root, 'build');
const programs = process.env.REMIT_BENCH ?? join(build, 'bench');

// answers: a file of what its tools answer; without one it has a tool `repeat`.
export const startUpstream = (answers) =>
  new Promise((done, fail) => {
    const child = spawn(join(programs, 'gateway-upstream'), ['0', ...(answers ? [answers] : [])], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.on('error', fail);
    createInterface({ input: child.stdout }).once('line', (line) =>
      done({ port: Number(line), stop: () => child.stdin.end() }));
  });

// Guardrails that all have to be evaluated, because none names a principal, action or resource.
export const policies = (count) =>
  Array.from({ length: count }, (none, number) => `object: policy
name: org/bench-${String(number).padStart(3, '0')}
level: mandatory
text: |
  forbid (principal, action, resource)
  when { context.args.path like "forbidden-${number}/*" && resource.environment == "prod" };
`).join('---\n');

// One number of the metrics page.
export const metric = (text, name) => {
  const line = new RegExp(`^${name} ([0-9.e+-]+)$`, 'm').exec(text);
  if (line === null) throw new Error(`/metrics has no ${name}`);
  return Number(line[1]);
};

// The mean time of one of these between two readings, in nanoseconds.
export const meanNs = (before, after, seconds, count) => {
  const times = metric(after, count) - metric(before, count);
  return times === 0 ? 0 : ((metric(after, seconds) - metric(before, seconds)) / times) * 1e9;
};

export const openSession = async (url, token) => {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
  };
  const start = {
    jsonrpc: '2.0', id: 1, method: 'initialize',
    params: {
      protocolVersion: '2025-11-25', capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    },
  };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(start) });
  const session = answer.headers.get('mcp-session-id');
  const text = await answer.text();
  if (!answer.ok) throw new Error(`initialize: ${answer.status} ${text}`);
  const more = { ...headers, 'MCP-Protocol-Version': '2025-11-25' };
  if (session) more['Mcp-Session-Id'] = session;
  const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
  await (await fetch(url, { method: 'POST', headers: more, body: JSON.stringify(note) })).text();
  return more;
};

// Of [{ name, port, path, headers, body }].
const planOf = (targets) =>
  targets.flatMap(({ name, port, path, headers, body }) => [
    `target ${name} ${port}`,
    `head POST ${path} HTTP/1.1`,
    `head Host: 127.0.0.1:${port}`,
    ...Object.entries(headers).map(([header, value]) => `head ${header}: ${value}`),
    `body ${body}`,
  ]).concat('').join('\n');

// The figures of each target; the first is what the others are added to.
export const takeRoads = async (targets, rounds, warmUp) => {
  const done = await run(join(programs, 'gateway-client'), [String(rounds), String(warmUp)],
    { input: planOf(targets), ms: 600_000 });
  if (done.code !== 0) throw new Error(done.err);
  return done.out.trim().split('\n').map((line) => JSON.parse(line));
};

