// Evaluations a second of an application's decision point, beside an echo route on
// the same HTTP library in the same run, by wrk: token, 40 policies, 1,000 entities,
// a record each, written behind the answer and awaited.
//
// Usage: authzen [--json] [--seconds N].  Without wrk (tools/deps bench) it fails.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { World, run } from '../examples/stories/lib/world.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = process.env.REMIT_BUILD ?? join(root, 'build');
const programs = process.env.REMIT_BENCH ?? join(build, 'bench');
const words = process.argv.slice(2);
const seconds = words.includes('--seconds') ? Number(words[words.indexOf('--seconds') + 1]) : 5;
const CONNECTIONS = 16;
const AGENT = 'support-summariser';
const ENTITIES = 1000;
const POLICIES = 40;
const BODY = JSON.stringify({
  subject: { type: 'user', id: 'u7' }, action: { name: 'view' },
  resource: { type: 'record', id: 'r7' }, context: { time: '2026-11-25T10:00:00Z' },
});

const emit = (figure) => console.log(JSON.stringify({ bench: 'authzen', ...figure }));

const application = () => {
  const rules = Array.from({ length: POLICIES - 1 }, (none, number) =>
    `  permit (principal is user, action == Action::"do-${number}", resource is record)\n` +
    `  when { principal.level > ${number} };`);
  const entities = Array.from({ length: ENTITIES }, (none, number) => {
    const isUser = number % 2 === 0;
    const id = (isUser ? 'u' : 'r') + Math.floor(number / 2);
    const attrs = isUser ? { level: number % 50 }
      : { owner: { __entity: { type: 'user', id: `u${Math.floor(number / 2)}` } } };
    return { uid: { type: isUser ? 'user' : 'record', id }, attrs, parents: [] };
  });
  return `object: application
name: bench
unit: support
callers: [${AGENT}]
policies: |
  permit (principal is user, action == Action::"view", resource is record)
  when { resource.owner == principal };
${rules.join('\n')}
entities: ${JSON.stringify(entities)}
`;
};

const startEcho = () =>
  new Promise((done, fail) => {
    const child = spawn(join(programs, 'authzen-echo'), [], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.on('error', fail);
    createInterface({ input: child.stdout }).once('line', (line) =>
      done({ url: `http://127.0.0.1:${line}/echo`, stop: () => child.stdin.end() }));
  });

const NS = { us: 1e3, ms: 1e6, s: 1e9 };
const latency = (text, percent) => {
  const [, value, unit] = new RegExp(`^\\s+${percent}%\\s+([0-9.]+)(us|ms|s)$`, 'm').exec(text);
  return Math.round(Number(value) * NS[unit]);
};

// The token stands in a file of the run's own folder, never in an argument.
const load = async (world, url, token) => {
  const script = world.path('wrk.lua');
  writeFileSync(script, `wrk.method = "POST"
wrk.body = [[${BODY}]]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${token}"
`, { mode: 0o600 });
  const done = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', '-s',
    script, url], { ms: 120_000 });
  if (done.code !== 0) throw new Error(`wrk: ${done.err}${done.out}`);
  if (/Non-2xx/.test(done.out)) throw new Error(done.out);
  return {
    per_second: Math.round(Number(/Requests\/sec:\s+([0-9.]+)/.exec(done.out)[1])),
    p50_ns: latency(done.out, 50), p99_ns: latency(done.out, 99),
  };
};

const measure = async (when, echo) => {
  const world = await World.start({
    settings: `hold-ms: 300\nauthzen-record: ${when}\n`,
    change: (files) => files.set('charters/70-bench.yaml', application()),
  });
  try {
    const point = `${world.url}/applications/bench`;
    const { access_token: token } = await world.json(null, 'task', 'open', AGENT, '--key',
      world.keys[AGENT].path, '--resource', point);
    await load(world, `${point}/access/v1/evaluation`, token); // warm
    const peer = await load(world, echo.url, token);
    const figure = await load(world, `${point}/access/v1/evaluation`, token);
    emit({ case: `echo, beside ${when}`, ...peer });
    emit({ case: `evaluation, record ${when}`, ...figure, peer: 'echo',
      ratio: Number((figure.per_second / peer.per_second).toFixed(3)) });
    // The store may be far behind by now, and nobody needs it any more.
    await world.killDaemon();
  } finally {
    await world.stop();
  }
};

const main = async () => {
  const echo = await startEcho();
  try {
    for (const when of ['behind', 'awaited']) await measure(when, echo);
  } finally {
    echo.stop();
  }
};

main().then(() => process.exit(0), (error) => {
  console.error(error.stack);
  process.exit(1);
});
