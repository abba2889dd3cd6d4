// What it takes to kill a task, whatever hangs below it, over HTTP at a real daemon: until the
// kill is acknowledged (durable), until a call of a task below it is refused, and until the
// streams of tasks below it are cut.
//
// The tasks are opened by client certificate, over TLS, for that needs no assertions, of which an
// identity has room for 4,096; their tokens are bound to it.  STREAMS of the tasks below have an
// MCP session and an idle stream.  The kill goes over the daemon's socket.  When all streams
// are cut come calls, one after the other over one kept connection, each with the token of
// another task.  All times are this client's, from sending to hearing, and of streams from the
// kill's sending: what it takes one process to hear of some hundred streams, and the disk to
// sync the record, is in them (--under /dev/shm: no disk).
//
// Usage: kill [--json] [--descendants N] [--under FOLDER].  Exits 1 if a bar is not met.
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { World } from '../examples/stories/lib/world.mjs';
import { agentName, charter, form, makeCertificate, portOf, programs, send } from './grants.mjs';

const words = process.argv.slice(2);
const most = words.includes('--descendants')
  ? Number(words[words.indexOf('--descendants') + 1]) : 100_000;
const under = words.includes('--under') ? words[words.indexOf('--under') + 1] : tmpdir();
const SIZES = [1000, 10_000, 100_000].filter((size) => size <= most);
const STREAMS = 300;
const CALLS = 500;
const REFUSED_MS_MAX = 5;
const CUT_MS_MAX = 50;
const TIMES_MAX = 3; // the acknowledgement of the most beside that of the fewest
const AGENT = agentName(0);

let missed = 0;
const emit = (figure) => {
  if (figure.met === false) missed += 1;
  console.log(JSON.stringify({ bench: 'kill', ...figure }));
};
const quantile = (times, part) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];
// The monotonic clock, as kill-client reads it.
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const ns = (ms) => Math.round(ms * 1e6);

const start = async (folder) => {
  const own = await makeCertificate(folder, 'remit');
  const shown = await makeCertificate(folder, 'agent');
  const keys = `keys: [{environment: staging, certificate: '${shown.digest}'}]`;
  const world = await World.start({
    under: folder,
    settings: `hold-ms: 300\ntls-cert: ${own.certificate}\ntls-key: ${own.key}\n` +
      'tasks-per-identity-max: 1000000\n',
    change: (files) => files.set('charters/60-bencher.yaml', charter(AGENT, keys, '')),
    approve: { [AGENT]: 'bo@example.com' },
  });
  const files = { cert: readFileSync(shown.certificate), key: readFileSync(shown.key) };
  return { world, shown, tls: { ...files, rejectUnauthorized: false } };
};

// ---- tasks ----

// The tokens of so many tasks below parent (none: of their own).
const open = async ({ world, shown }, folder, count, parent) => {
  const tokens = join(folder, 'tokens');
  const body = form({
    grant_type: 'client_credentials', client_id: AGENT, resource: `${world.url}/mcp/files`,
    ...(parent ? { parent } : {}),
  });
  await send(folder, {
    port: portOf(world), path: '/oauth/token', tls: `${shown.certificate} ${shown.key}`, tokens,
    connections: Math.min(32, count),
  }, Array(count).fill(body));
  return readFileSync(tokens, 'utf8').trim().split('\n');
};

const taskOf = (token) =>
  JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).task;

// ---- requests ----

const ask = (options, body) => new Promise((done, fail) => {
  const { request } = options.socketPath ? http : https;
  const asked = request(options, (answer) => {
    let text = '';
    answer.on('data', (part) => (text += part));
    answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text }));
  });
  asked.on('error', fail);
  asked.end(body);
});

const toFiles = (bench, agent, token, more = {}) => ({
  ...bench.tls, agent, host: '127.0.0.1', port: portOf(bench.world), path: '/mcp/files',
  method: 'POST',
  headers: {
    Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream', ...more,
  },
});

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {},
    clientInfo: { name: 'bench', version: '1' } },
});

// Idle streams, a session and a task for each, held by kill-client: { cut }, which resolves to
// when each was cut.  One process of C hears of them sooner than this one could.
const openStreams = ({ world, shown }, tokens) => new Promise((done, fail) => {
  const child = spawn(join(programs, 'kill-client'),
    [String(portOf(world)), '/mcp/files', shown.certificate, shown.key],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const cut = new Promise((over) => {
    lines.on('line', (line) => {
      if (line === 'ready') done({ cut });
      else over(JSON.parse(line).cut_ns);
    });
  });
  child.on('error', fail);
  child.on('close', (code) => code !== 0 && fail(new Error(`kill-client: ${code}`)));
  child.stdin.end(tokens.join('\n') + '\n');
});

const kill = async (world, task) => {
  const answer = await ask({
    socketPath: world.path('remit.sock'), path: `/v1/tasks/${task}/kill`, method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': task },
  }, JSON.stringify({ reason: 'bench' }));
  if (answer.status !== 200) throw new Error(`kill: ${answer.status} ${answer.text}`);
};

// ---- one kill ----

// How long the daemon's loop was on a processor so far.
const onCpuMs = ({ daemon: { pid } }) =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

const killOne = async (bench, folder, size) => {
  const [top] = await open(bench, folder, 1);
  const tokens = await open(bench, folder, size, taskOf(top));
  const streams = await openStreams(bench, tokens.slice(0, STREAMS));
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const before = await ask(toFiles(bench, agent, tokens.at(-1)), INITIALIZE);
  if (before.status !== 200) throw new Error(`before the kill: ${before.status}`);
  const busyBefore = onCpuMs(bench.world);
  const sent = nowMs();
  await kill(bench.world, taskOf(top));
  const acknowledged = nowMs() - sent;
  const cutAt = (await streams.cut).map((at) => at / 1e6 - sent);
  const busy = onCpuMs(bench.world) - busyBefore;
  const refused = [];
  for (const token of tokens.slice(-CALLS)) {
    const at = nowMs();
    const answer = await ask(toFiles(bench, agent, token), INITIALIZE);
    if (answer.status !== 401) throw new Error(`after the kill: ${answer.status}`);
    refused.push(nowMs() - at);
  }
  agent.destroy();
  return { acknowledged, busy, refused, cut: cutAt };
};

const timesOf = (times) =>
  ({ p50_ns: ns(quantile(times, 0.5)), p99_ns: ns(quantile(times, 0.99)) });

const report = (size, { acknowledged, busy, refused, cut }) => {
  const name = `kill of a task with ${size} below, acknowledged`;
  emit({ case: name, p50_ns: ns(acknowledged) });
  emit({ note: `the daemon's loop was on a processor for ${busy.toFixed(1)} ms until all ` +
    'streams were cut', case: name });
  emit({ case: `${size} below: the next call refused, ${refused.length} of them`,
    ...timesOf(refused), bar: REFUSED_MS_MAX, met: quantile(refused, 0.99) <= REFUSED_MS_MAX });
  emit({ case: `${size} below: a stream cut, ${cut.length} of them`, ...timesOf(cut),
    bar: CUT_MS_MAX, met: quantile(cut, 0.99) <= CUT_MS_MAX });
};

const main = async () => {
  const folder = mkdtempSync(join(under, 'remit-kill-'));
  const taken = [];
  let bench;
  try {
    bench = await start(folder);
    for (const size of SIZES) {
      taken.push(await killOne(bench, folder, size));
      report(size, taken.at(-1));
    }
    const [least, largest] = [taken[0], taken.at(-1)].map((one) => one.acknowledged);
    emit({ case: `acknowledged with ${SIZES.at(-1)} below, beside ${SIZES[0]}`,
      ratio: Number((largest / least).toFixed(2)), bar: TIMES_MAX,
      met: largest / least <= TIMES_MAX });
    await bench.world.killDaemon(); // the store may be far behind, and nobody needs it
  } finally {
    await bench?.world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return missed === 0 ? 0 : 1;
};

main().then((code) => process.exit(code), (error) => {
  console.error(error.stack);
  process.exit(1);
});
