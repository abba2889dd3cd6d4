// What labels and origins, schemas and the record of a retrieval cost a call, of the gateway's
// own time for one.
//
// Two daemons stand before one fast server (bench/context_world.mjs): one without the
// guardrails of examples/, one with them.  gateway-client takes the same call straight, through
// the first with a tool of which the registry says as little as it may, and through the second
// with each part alone and all together, in turn; in rounds, of whose ratios the median counts.
// A road's own time is what it adds to the straight one, less the daemon's sync of its log.
//
// Then, where valgrind is, the instructions of the loop's thread for a call with all of it, and
// how many of them each part takes: what no registry can leave out (secrets are looked for in
// every call, results are always remembered) shows only there.
//
// Usage: context [--json] [--rounds N] [--calls N].  Exits 1 if a bar is not met.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
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
const PARTS = {
  'schema check': ['decide_arguments', 'decide_result_fits'],
  'labels and origins': ['decide_origins', 'decide_result_seen', 'flow_origins_json',
    'put_labels'],
  'retrieval record': ['exchange_retrieval_prepare', 'exchange_retrieval_take',
    'exchange_retrieval_record'],
  'secrets looked for': ['exchange_look', 'exchange_pass'],
};
const OF_THE_BAR = ['schema check', 'labels and origins', 'retrieval record'];

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

const takeRound = async (worlds, roads) => {
  const pages = async () => Promise.all(worlds.map(async (world) =>
    (await fetch(world.url + '/metrics')).text()));
  const before = await pages();
  const done = await takeRoads(roads, CALLS, WARM_UP);
  const after = await pages();
  const flushes = worlds.map((world, at) => meanNs(before[at], after[at],
    'remit_log_flush_seconds_total', 'remit_log_batches_total'));
  return { flushes, ...Object.fromEntries(done.map((one) => [one.target, one.added_p50_ns ?? 0])) };
};

const reportRounds = (kind, { bare, whole, parts }, rounds) => {
  const own = median(rounds.flatMap(({ flushes }) => flushes));
  const middle = (tool) => Math.round(median(rounds.map((round) => round[tool])) - own);
  emit({ case: `${kind}: own time of a call, as little as the registry allows`,
    p50_ns: middle(bare) });
  for (const [part, tool] of Object.entries(parts)) {
    emit({ case: `${kind}: ${part}, adds`,
      p50_ns: Math.round(pairedDifference(rounds, { over: tool, under: bare })) });
  }
  const ratio = pairedRatio(rounds, { over: whole, under: bare, own });
  emit({ case: `${kind}: own time with schema, labels, origins, retrieval, example guardrails`,
    p50_ns: middle(whole), peer: 'without', ratio: rounded(ratio), bar: RATIO_MAX },
  ratio <= RATIO_MAX);
};

const byTheClock = async (upstream) => {
  const worlds = [];
  try {
    worlds.push(await startWorld(upstream, []), await startWorld(upstream, GUARDRAILS));
    for (const [kind, road] of Object.entries(ROADS)) {
      const roads = [{
        name: 'direct', port: upstream.port, path: '/mcp', body: bodyOf(road.bare),
        headers: { 'Content-Type': 'application/json' },
      }, await roadTo(worlds[0], road.bare)];
      for (const tool of [...Object.values(road.parts), road.whole]) {
        roads.push(await roadTo(worlds[1], tool));
      }
      const rounds = [];
      for (let i = 0; i < ROUNDS; i += 1) rounds.push(await takeRound(worlds, roads));
      reportRounds(kind, road, rounds);
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

const reportCount = (kind, costs) => {
  const total = Math.round(costs.get('PROGRAM TOTALS') / COUNTED);
  const parts = partsOf(costs, PARTS_OF[kind], COUNTED);
  for (const [part, instructions] of Object.entries(parts)) {
    emit({ case: `${kind}: ${part}, of all instructions of a call`, instructions,
      share: rounded(instructions / total) });
  }
  const counted = OF_THE_BAR.reduce((sum, part) => sum + (parts[part] ?? 0), 0);
  const ratio = total / (total - counted);
  emit({ case: `${kind}: instructions with schema, labels, origins and retrieval`,
    instructions: total, peer: 'without', ratio: rounded(ratio), bar: RATIO_MAX },
  ratio <= RATIO_MAX);
};
const PARTS_OF = {
  search: PARTS,
  post: Object.fromEntries(Object.entries(PARTS).filter(([part]) => part !== 'retrieval record')),
};

const byInstructions = async (upstream) => {
  if ((await run('valgrind', ['--version'])).code !== 0) {
    emit({ case: 'instructions of a call', skipped: 'no valgrind' });
    return;
  }
  let world;
  try {
    const folder = join(process.env.TMPDIR ?? '/tmp', `remit-context-${process.pid}`);
    mkdirSync(folder);
    world = await startWorld(upstream, GUARDRAILS, ['valgrind', '--tool=callgrind',
      '--separate-threads=yes', '--instr-atstart=no', `--log-file=${join(folder, 'log')}`,
      `--callgrind-out-file=${join(folder, 'cost')}`, join(build, 'remitd')]);
    for (const [kind, { whole }] of Object.entries(ROADS)) {
      reportCount(kind, await countCalls(world, folder, whole));
    }
  } finally {
    await world?.stop();
  }
};

const main = async () => {
  const file = join('/dev/shm', `remit-context-answers-${process.pid}`);
  writeFileSync(file, answers());
  const upstream = await startUpstream(file);
  try {
    await byTheClock(upstream);
    await byInstructions(upstream);
  } finally {
    upstream.stop();
  }
  return missed === 0 ? 0 : 1;
};

main().then((code) => process.exit(code), (error) => {
  console.error(error.stack);
  process.exit(1);
});
