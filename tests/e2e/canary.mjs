// Whether kills are effective is tried by the daemon itself, with an identity that may do nothing:
// as docs/canary.md says, word for word.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually } from '../../examples/stories/lib/world.mjs';

const path = fileURLToPath(new URL('../../docs/canary.md', import.meta.url));
const page = readFileSync(path, 'utf8');
const [, document] = /^```yaml\n([^]*?)^```$/m.exec(page);
const [, settings] = /^```\n(canary: [^]*?)^```$/m.exec(page);
const charter = (world) => document.replace('keys: []', world.keysLineOf('nobody'));
let world;

before(async () => {
  world = await World.start({
    change: (files, made) => files.set('charters/60-canary.yaml', charter(made)),
    approve: { canary: 'bo@example.com' },
    key: { canary: 'nobody' },
  });
});
after(() => world?.stop());

const figures = async () => {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Object.fromEntries(text.split('\n').filter((line) => line.startsWith('remit_canary_'))
    .map((line) => line.split(' ')).map(([name, value]) => [name.slice(13), Number(value)]));
};
const findings = async () => {
  const rows = await world.json('adi@example.com', 'findings', 'list');
  return (rows.items ?? rows).filter((row) => row.kind === 'canary-failed');
};

test('without the setting nothing is tried', async () => {
  assert.deepEqual(await figures(), {
    runs_total: 0, failures_total: 0, failing: 0, last_success_timestamp_seconds: 0,
    kill_seconds: 0,
  });
});

test('its task is killed and its next call refused, again and again', async () => {
  const key = world.keys.nobody.path;
  await world.killDaemon();
  appendFileSync(world.path('remit.yaml'), settings
    .replace(/^canary-key: .*$/m, `canary-key: ${key}`)
    .replace(/^canary-every-s: .*$/m, 'canary-every-s: 1'));
  await world.startDaemon();
  assert.ok(await eventually(async () => (await figures()).runs_total >= 2));
  const seen = await figures();
  assert.equal(seen.failures_total, 0, world.daemonText);
  assert.equal(seen.failing, 0);
  assert.ok(seen.kill_seconds > 0 && seen.kill_seconds < 5, JSON.stringify(seen));
  assert.ok(Math.abs(seen.last_success_timestamp_seconds - Date.now() / 1000) < 60);
  const [measure] = (await world.json('adi@example.com', 'controls', 'G-24')).measures;
  assert.equal(measure.measure, 'kill-time');
  assert.equal(measure.samples, 3);
  assert.ok(measure.kept >= 2 && measure.value > 0 && measure.value < 5000000,
    JSON.stringify(measure));
  const [drill] = (await world.json('adi@example.com', 'controls', 'G-56')).measures;
  assert.equal(drill.measure, 'drill-time');
  assert.equal(drill.samples, 3);
  assert.ok(drill.kept >= 1 && drill.value > 0 && drill.value <= 60000000, JSON.stringify(drill));
  console.log(`# from kill to refusal ${(seen.kill_seconds * 1000).toFixed(1)} ms`);
  assert.deepEqual(await findings(), []);
});

test('what was measured is known after a start', async () => {
  const before = (await world.json('adi@example.com', 'controls', 'G-24')).measures[0].kept;
  await world.killDaemon();
  await world.startDaemon();
  const { measures: [after], state } = await world.json('adi@example.com', 'controls', 'G-24');
  assert.ok(after.kept >= before, `${after.kept} of ${before}`);
  assert.notEqual(state, 'unproven');
});

test('what it does is on record as what anybody does, and verifies', async () => {
  const { code, report } = await world.verify();
  assert.equal(code, 0, JSON.stringify(report));
});

test('a canary that cannot be tried is a failure, a finding and a line of the log', async () => {
  await world.must('adi@example.com', 'identity', 'suspend', 'canary', '--reason', 'test', '--yes');
  assert.ok(await eventually(async () => (await figures()).failing === 1));
  const [one, ...others] = await findings();
  assert.equal(others.length, 0);
  assert.equal(one.subject, 'canary/canary');
  assert.match(world.daemonText, /canary_failed/);
  assert.ok((await figures()).failures_total >= 1);
});
