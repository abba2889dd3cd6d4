// An access review of ten thousand items through a real daemon, by the command line: until the
// snapshot is frozen and open, until all of it is decided in bulk, until the report is written;
// then once more, with everything taken away.  Meanwhile a stranger asks the daemon something
// every few milliseconds: the longest of these answers is how long anything else had to wait.
//
// Usage: review [--items N] [--under FOLDER].  Exits 1 if a bar is not met.
import http from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { World, eventually } from '../examples/stories/lib/world.mjs';

const words = process.argv.slice(2);
const given = (name, otherwise) =>
  words.includes(name) ? words[words.indexOf(name) + 1] : otherwise;
const LINES = 100;
const IDENTITIES = Math.ceil(Number(given('--items', 10_000)) / LINES);
const REX = 'rex@example.com';
const SECONDS_MAX = 5;
const PROBE_MS = 4;

let missed = 0;
const emit = (figure) => {
  if (figure.met === false) missed += 1;
  console.log(JSON.stringify({ bench: 'review', ...figure }));
};

const tool = (n) => `object: tool\nname: bench/t${n}\neffect: read\nrisk: low\n` +
  'reversal: none-needed\n';
const charter = (n) => `object: identity\nname: bench-${n}\nkind: agent\nclass: retrieve\n` +
  `risk: low\nowner: ana@example.com\nbackup-owner: bo@example.com\nunit: support\n` +
  'purpose: Is reviewed\nenvironments: [staging]\nexpires: 2030-01-01\nentitlements:\n' +
  Array.from({ length: LINES }, (_, i) => `  - {effect: read, tool: bench/t${i}}\n`).join('');

const start = () => {
  const approve = {};
  for (let n = 0; n < IDENTITIES; n += 1) approve[`bench-${n}`] = 'bo@example.com';
  return World.start({
    under: given('--under', tmpdir()), approve,
    change: (files) => {
      const people = 'charters/00-organisation.yaml';
      files.set(people, `${files.get(people)}---\nobject: person\nname: ${REX}\nunit: support\n` +
        'roles: [reviewer]\n');
      files.set('charters/60-bench.yaml', ['object: server\nname: bench\nunit: support\n' +
        'environment: staging\ntransport: {url: "http://127.0.0.1:9/mcp"}\n',
      ...Array.from({ length: LINES }, (_, i) => tool(i)),
      ...Array.from({ length: IDENTITIES }, (_, i) => charter(i))].join('---\n'));
    },
  });
};

// One request after the other until it is stopped: how long each waited, in milliseconds.
const probing = (world) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  let goes = true;
  const ask = () => new Promise((done) => {
    const sent = process.hrtime.bigint();
    http.get(`${world.url}/v1/installation`, { agent }, (answer) => {
      answer.resume().on('end', () => {
        times.push(Number(process.hrtime.bigint() - sent) / 1e6);
        done();
      });
    }).on('error', done);
  });
  const over = (async () => {
    while (goes) {
      await ask();
      await new Promise((done) => setTimeout(done, PROBE_MS));
    }
  })();
  return async () => {
    goes = false;
    await over;
    agent.destroy();
    times.sort((a, b) => a - b);
    return { answers: times.length, p99_ms: times[Math.floor(times.length * 0.99)],
      longest_ms: times.at(-1) };
  };
};

const timed = async (world, name, items, act) => {
  const stop = probing(world);
  const begun = process.hrtime.bigint();
  const result = await act();
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  emit({ case: `${name}, ${items} items`, seconds, meanwhile: await stop(),
    bar: `${SECONDS_MAX} s`, met: seconds <= SECONDS_MAX });
  return result;
};

const memory = ({ daemon: { pid } }) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const folder = mkdtempSync(join(given('--under', tmpdir()), 'remit-bench-'));
const world = await start();
try {
  await world.letIn(REX);
  const idle = memory(world);
  const begin = () => world.json(REX, 'review', 'start', '--unit', 'support');
  const first = await timed(world, 'created', IDENTITIES * LINES, begin);
  const kept = await timed(world, 'kept in bulk', first.items, () => world.remit(REX, 'review',
    'decide', first.id, '--filter', 'risk=low', '--keep', '--yes', '-o', 'json'));
  emit({ case: 'decided', ...JSON.parse(kept.out) });
  await timed(world, 'report', first.items, () => world.must(null, 'review', 'report', first.id,
    '--out', join(folder, 'first.json'), '--html', join(folder, 'first.html')));
  const second = await begin();
  await timed(world, 'taken in bulk', second.items, () => world.remit(REX, 'review', 'decide',
    second.id, '--filter', 'risk=low', '--trial-revoke', '--yes', '-o', 'json'));
  const report = async () => JSON.parse(await world.must(null, 'review', 'report', second.id,
    '-o', 'json'));
  const left = (await report()).items.filter(({ risk, state }) => risk === 'low' &&
    state !== 'trial');
  const can = await world.json(null, 'identity', 'show', 'bench-0');
  emit({ case: 'enforced as reported', left: left.length,
    met: left.length === 0 && (can.object.entitlements ?? []).length === 0 });
  emit({ case: 'resident', before_mib: idle, after_mib: memory(world) });
  await eventually(() => true);
} finally {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed > 0 ? 1 : 0;
