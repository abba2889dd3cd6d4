// What labels and origins, schemas and the record of a retrieval cost a call, of the gateway's
// own time for one.
//
// Two daemons stand before one fast server (bench/context_world.mjs): one without the
// guardrails of examples/, one with them.  gateway-client takes the same call straight, through
// the first with a tool of which the registry says as little as it may, and through the second
// with all of it, in turn; in rounds, of whose ratios the median counts.  A road's own time is
// what it adds to the straight one, less the daemon's sync of its log.  What each daemon's loop
// was on a processor for stands beside it: no wait for a turn is in that.  Then each part alone.
//
// Then, where valgrind is, the instructions of the loop's thread for a call with all of it, and
// how many of them each part takes: what no registry can leave out (secrets are looked for in
// every call, results are always remembered) shows only there.
//
// Usage: context [--json] [--rounds N] [--calls N] [--keep].  --rounds 0: instructions alone;
// --keep: what callgrind wrote stays.  Exits 1 if a bar is not met.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { STORY_GUARDRAILS, World, run } from '../examples/stories/lib/world.mjs';
import { PURPOSE, ROADS, answers, bodyOf, charters } from './context_world.mjs';
import { inclusiveOf, median, pairedDifference, pairedRatio, partsOf } from './figures.mjs';
import { build, meanNs, openSession, startUpstream, takeRoads } from './roads.mjs';

const words = process.argv.slice(2);
const number = (word, otherwise) =>
  words.includes(word) ? Number(words[words.indexOf(word) + 1]) : otherwise;
const ROUNDS = number('--rounds', 15);
const CALLS = number('--calls', 200); // of each road in a round
const WARM_UP = 30;
const COUNTED = 100; // calls whose instructions are counted
const RATIO_MAX = 1.2;
const GUARDRAILS = [...STORY_GUARDRAILS, 'risk.yaml'];
// Functions of the loop's thread, none of which calls another of them.
const ALWAYS = {
  'schema check': ['decide_arguments', 'decide_result_fits'],
  'labels and origins': ['decide_origins', 'decide_result_seen', 'flow_origins_json'],
  'secrets looked for': ['exchange_look', 'exchange_pass'],
};
const PARTS = {
  search: {
    ...ALWAYS,
    'retrieval record': ['exchange_retrieval_prepare', 'exchange_retrieval_take',
      'exchange_retrieval_record'],
  },
  post: ALWAYS,
};

const figures = [];
let missed = 0;
const emit = (figure, isMet = true) => {
  figures.push({ bench: 'context', ...figure, met: isMet });
  if (!isMet) missed += 1;
  console.log(JSON.stringify(figures.at(-1)));
};
const rounded = (ratio) => Number(ratio.toFixed(3));

const startWorld = (upstream, guardrails, daemon) =>
  World.start({
    under: '/dev/shm',
    change: (files, made) => charters(files, made, upstream.port),
    approve: { bencher: 'bo@example.com' },
    key: { bencher: 'nobody' },
    guardrails,
    ...(daemon ? { daemon } : {}),
  });

// Target of gateway-client for a tool, in a task and session of its own.
const roadTo = async (world, tool) => {
  const { token } = await world.openTaskFor('bencher', PURPOSE, 'bench');
  return {
    name: tool, port: Number(new URL(world.url).port), path: '/mcp/bench', body: bodyOf(tool),
    headers: await openSession(world.mcp('bench'), token),
  };
};

// ---- by the clock ----

// What the loop's thread was on a processor so far, in nanoseconds.
const processorNs = (world) => Number(readFileSync(
  `/proc/${world.daemon.pid}/task/${world.daemon.pid}/schedstat`, 'utf8').split(' ')[0]);

// Each road's added time, and of each daemon its sync and its processor's time for a call.
const takeRound = async (worlds, roads) => {
  const read = () => Promise.all(worlds.map(async (world) => ({
    page: await (await fetch(world.url + '/metrics')).text(), processor: processorNs(world),
  })));
  const before = await read();
  const done = await takeRoads(roads, CALLS, WARM_UP);
  const after = await read();
  const ofWorld = (figure) => worlds.map((none, at) => figure(before[at], after[at]));
  return {
    flushes: ofWorld((from, to) => meanNs(from.page, to.page, 'remit_log_flush_seconds_total',
      'remit_log_batches_total')),
    processor: ofWorld((from, to) => (to.processor - from.processor) / (CALLS + WARM_UP)),
    ...Object.fromEntries(done.map((one) => [one.target, one.added_p50_ns ?? 0])),
  };
};

const directTo = (upstream, tool) => ({
  name: 'direct', port: upstream.port, path: '/mcp', body: bodyOf(tool),
  headers: { 'Content-Type': 'application/json' },
});

// One tool in each daemon: nothing said of it, and everything.  In tasks that are new in each
// round: one that is full of strangers' text remembers no more of it, which costs nothing.
const takeWhole = async (kind, { bare, whole }, worlds, upstream) => {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const roads = [directTo(upstream, bare), await roadTo(worlds[0], bare),
      await roadTo(worlds[1], whole)];
    const round = await takeRound(worlds, roads);
    const [processorBare, processorWhole] = round.processor;
    rounds.push({ ...round, processorBare, processorWhole });
  }
  const own = median(rounds.flatMap(({ flushes }) => flushes));
  const middle = (name, less = 0) => Math.round(median(rounds.map((one) => one[name])) - less);
  emit({ case: `${kind}: own time of a call, of which the registry says nothing`,
    p50_ns: middle(bare, own) });
  const ratio = pairedRatio(rounds, { over: whole, under: bare, own });
  emit({ case: `${kind}: with schema, labels, origins, retrieval, example guardrails`,
    p50_ns: middle(whole, own), peer: 'without', ratio: rounded(ratio), bar: RATIO_MAX },
  ratio <= RATIO_MAX);
  emit({ case: `${kind}: the same, of the loop's processor time`,
    p50_ns: middle('processorWhole'), peer: 'without',
    ratio: rounded(pairedRatio(rounds, { over: 'processorWhole', under: 'processorBare' })) });
};

// Each part alone beside a tool without, all in one daemon.
const takeParts = async (kind, { bare, parts }, world, upstream) => {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const roads = [directTo(upstream, bare)];
    for (const tool of [bare, ...Object.values(parts)]) roads.push(await roadTo(world, tool));
    rounds.push(await takeRound([world], roads));
  }
  for (const [part, tool] of Object.entries(parts)) {
    emit({ case: `${kind}: ${part}, adds`,
      p50_ns: Math.round(pairedDifference(rounds, { over: tool, under: bare })) });
  }
};

const byTheClock = async (upstream) => {
  const worlds = [];
  try {
    worlds.push(await startWorld(upstream, []), await startWorld(upstream, GUARDRAILS));
    for (const [kind, road] of Object.entries(ROADS)) {
      await takeWhole(kind, road, worlds, upstream);
      if (Object.keys(road.parts).length > 0) await takeParts(kind, road, worlds[1], upstream);
    }
  } finally {
    for (const world of worlds) await world.stop();
  }
};

// ---- by instructions ----

const control = async (world, ...args) => {
  const done = await run('callgrind_control', [...args, String(world.daemon.pid)]);
  if (done.code !== 0) throw new Error(`callgrind_control: ${done.out}${done.err}`);
};

// What the loop's thread did in COUNTED calls of the tool.
const countCalls = async (world, folder, tool) => {
  const road = await roadTo(world, tool);
  await takeRoads([road], WARM_UP, 0);
  await control(world, '-i', 'on');
  await control(world, '-z');
  await takeRoads([road], COUNTED, 0);
  const before = new Set(readdirSync(folder));
  await control(world, '-d');
  await control(world, '-i', 'off');
  const file = readdirSync(folder).find((one) => !before.has(one) && one.endsWith('-01'));
  const done = await run('callgrind_annotate', ['--inclusive=yes', '--threshold=100',
    join(folder, file)], { ms: 120_000 });
  if (done.code !== 0) throw new Error(`callgrind_annotate: ${done.err}`);
  return inclusiveOf(done.out);
};

const reportCount = (kind, bare, whole) => {
  const totalOf = (costs) => Math.round(costs.get('PROGRAM TOTALS') / COUNTED);
  const total = totalOf(whole);
  for (const [part, instructions] of Object.entries(partsOf(whole, PARTS[kind], COUNTED))) {
    emit({ case: `${kind}: ${part}, of the loop's instructions for a call`, instructions,
      share: rounded(instructions / total) });
  }
  emit({ case: `${kind}: the loop's instructions for a call, with all of it`, instructions: total,
    peer: 'without', ratio: rounded(total / totalOf(bare)) });
};

const byInstructions = async (upstream) => {
  if ((await run('valgrind', ['--version'])).code !== 0) {
    emit({ case: 'instructions of a call', skipped: 'no valgrind' });
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'remit-context-'));
  let world;
  try {
    world = await startWorld(upstream, GUARDRAILS, ['valgrind', '--tool=callgrind',
      '--separate-threads=yes', '--instr-atstart=no', `--log-file=${join(folder, 'log')}`,
      `--callgrind-out-file=${join(folder, 'cost')}`, join(build, 'remitd')]);
    for (const [kind, { bare, whole }] of Object.entries(ROADS)) {
      reportCount(kind, await countCalls(world, folder, bare),
        await countCalls(world, folder, whole));
    }
  } finally {
    await world?.stop();
    if (!words.includes('--keep')) rmSync(folder, { recursive: true });
  }
};

const main = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remit-answers-'));
  writeFileSync(join(folder, 'answers'), answers());
  const upstream = await startUpstream(join(folder, 'answers'));
  try {
    if (ROUNDS > 0) await byTheClock(upstream);
    await byInstructions(upstream);
  } finally {
    upstream.stop();
    rmSync(folder, { recursive: true });
  }
  return missed === 0 ? 0 : 1;
};

main().then((code) => process.exit(code), (error) => {
  console.error(error.stack);
  process.exit(1);
});
