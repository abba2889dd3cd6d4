// Evaluations a second of an application's decision point, beside an echo route on
// the same HTTP library, OPA's server and OpenFGA's, in the same run, by wrk: token, 40
// policies, 1,000 entities, a record each, written behind the answer and awaited, and
// behind with the questions kept.  The peers check no token and record nothing.
//
// All take turns of a few seconds, and the medians of their rates count: the machine is
// not the same from one second to the next.  Before the next turn remit's store has
// caught up.
//
// Usage: authzen [--json] [--seconds N] [--rounds N].  Exits 1 if a bar is not met, and
// without wrk (tools/deps bench).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../examples/stories/lib/world.mjs';
import { startPeers } from './authzen_peers.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = process.env.REMIT_BUILD ?? join(root, 'build');
const programs = process.env.REMIT_BENCH ?? join(build, 'bench');
const words = process.argv.slice(2);
const option = (name, usual) =>
  words.includes(name) ? Number(words[words.indexOf(name) + 1]) : usual;
const seconds = option('--seconds', 2);
const rounds = option('--rounds', 5);
const peerFolder = process.env.REMIT_PEERS ?? join(root, 'build', 'peers');
const RATIO_MIN = { echo: 0.6, OPA: 5, OpenFGA: 5 };
const CATCH_UP_MS = 120_000;
const CONNECTIONS = 16;
const AGENT = 'support-summariser';
const ENTITIES = 1000;
const POLICIES = 40;
const QUESTION = {
  subject: { type: 'user', id: 'u7' }, action: { name: 'view' },
  resource: { type: 'record', id: 'r7' }, context: { time: '2026-11-25T10:00:00Z' },
};
const BODY = JSON.stringify(QUESTION);

let missed = 0;
const emit = (figure) => console.log(JSON.stringify({ bench: 'authzen', ...figure }));

const application = (more = '') => {
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
${more}policies: |
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
const load = async (world, token, { url, body = BODY }) => {
  const script = world.path('wrk.lua');
  writeFileSync(script, `wrk.method = "POST"
wrk.body = [[${body}]]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${token}"
`, { mode: 0o600 });
  const done = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', '-s',
    script, url], { ms: 120_000 });
  if (done.code !== 0) throw new Error(`wrk: ${done.err}${done.out}`);
  if (/Non-2xx/.test(done.out)) throw new Error(done.out);
  return {
    per_second: Number(/Requests\/sec:\s+([0-9.]+)/.exec(done.out)[1]),
    p50_ns: latency(done.out, 50), p99_ns: latency(done.out, 99),
  };
};

// A rate says nothing of wrong answers: one that is yes, and one that is no.
const checkAnswers = async (token, { url }) => {
  for (const [id, expected] of [['u7', true], ['u8', false]]) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...QUESTION, subject: { type: 'user', id } }),
    });
    const text = await answer.text();
    if (answer.status !== 200 || JSON.parse(text).decision !== expected)
      throw new Error(`whether ${id} may: ${answer.status} ${text}`);
  }
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const figureOf = (turns) => Object.fromEntries(['per_second', 'p50_ns', 'p99_ns'].map(
  (key) => [key, Math.round(median(turns.map((turn) => turn[key])))]));

// The store follows the log in the pauses; nobody is measured beside it.
const catchUp = async (world) => {
  const isLevel = async () => {
    const page = await (await fetch(world.url + '/metrics')).text();
    return /^remit_store_lag_records 0$/m.test(page);
  };
  if (!(await eventually(isLevel, CATCH_UP_MS))) throw new Error('the store does not catch up');
};

// What each has done in its turns.  All are sent the token.
const takeTurns = async (world, token, peers) => {
  const turns = new Map(peers.map((peer) => [peer, []]));
  for (const peer of peers) await load(world, token, peer); // warm
  for (let round = 0; round < rounds; round++) {
    for (const [peer, done] of turns) {
      await catchUp(world);
      done.push(await load(world, token, peer));
    }
  }
  return turns;
};

// Only what is not awaited has bars.
const report = (when, turns, point, others) => {
  const figure = figureOf(turns.get(point));
  for (const peer of others) {
    const other = figureOf(turns.get(peer));
    const ratio = Number((figure.per_second / other.per_second).toFixed(3));
    emit({ case: `${peer.name}, beside ${when}`, ...other });
    const row = { case: `evaluation, record ${when}`, ...figure, peer: peer.name, ratio };
    if (when === 'behind') {
      row.bar = RATIO_MIN[peer.name];
      row.met = ratio >= row.bar;
      missed += !row.met;
    }
    emit(row);
  }
};

// One world, and what is there to be asked in it.
const measure = async (when, others, { label = when, more = '' } = {}) => {
  const world = await World.start({
    settings: `hold-ms: 300\nauthzen-record: ${when}\n`,
    change: (files) => files.set('charters/70-bench.yaml', application(more)),
  });
  try {
    const audience = `${world.url}/applications/bench`;
    const { access_token: token } = await world.json(null, 'task', 'open', AGENT, '--key',
      world.keys[AGENT].path, '--resource', audience);
    const point = { url: `${audience}/access/v1/evaluation` };
    await checkAnswers(token, point);
    report(label, await takeTurns(world, token, [point, ...others]), point, others);
    // The store may be far behind by now, and nobody needs it any more.
    await world.killDaemon();
  } finally {
    await world.stop();
  }
};

const main = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remit-authzen-'));
  const others = [];
  try {
    others.push({ name: 'echo', ...(await startEcho()) });
    others.push(...(await startPeers(peerFolder, folder,
      { question: QUESTION, policies: POLICIES, entities: ENTITIES })));
    for (const { name, skipped } of others) {
      if (skipped !== undefined) emit({ case: name, skipped });
    }
    const started = others.filter((peer) => peer.skipped === undefined);
    for (const when of ['behind', 'awaited']) await measure(when, started);
    const echo = started.filter(({ name }) => name === 'echo');
    await measure('behind', echo,
      { label: 'behind, questions kept', more: 'keep-questions: true\n' });
  } finally {
    await Promise.all(others.map((peer) => peer.stop?.()));
    rmSync(folder, { recursive: true, force: true });
  }
  return missed === 0 ? 0 : 1;
};

main().then((code) => process.exit(code), (error) => {
  console.error(error.stack);
  process.exit(1);
});
