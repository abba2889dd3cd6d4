// What is measured while the real daemon runs: how long decisions took, whether a sample of them
// comes out again, and that nobody is asked more than they can read.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { World, eventually } from '../../examples/stories/lib/world.mjs';

const ADMIN = 'adi@example.com';
const OWNER = 'dan@example.com';
const MOST = 2;
let world;
let agent;

const control = (id) => world.json(ADMIN, 'controls', id);
const measure = async (id) => (await control(id)).measures[0];
const incident = (name) => ({
  entities: [{ name, entityType: 'incident', observations: ['seen'] }],
});
const approvalIn = (text) => /\ba-[0-9a-z]{20}\b/.exec(text)?.[0];

before(async () => {
  world = await World.start({
    settings: `hold-ms: 200\nquestions-per-person-max: ${MOST}\n`
      + 'decision-times-every-s: 1\nreplay-sample-every-s: 1\n',
  });
  agent = await world.agent('incident-opener', 'memory');
});
after(async () => {
  await agent?.close();
  await world?.stop();
});

test('past the bound nobody is asked, the agent is told why, and people hear of it', async () => {
  const asked = [];
  for (let i = 0; i < MOST; i += 1) {
    asked.push(approvalIn((await agent.call('create_entities', incident(`INC-${i}`))).text));
    assert.ok(asked[i]);
  }
  const { done, text } = await agent.call('create_entities', incident('INC-more'));
  assert.ok(!done && approvalIn(text) === undefined, text);
  assert.match(text, /Nobody was asked: 2 questions wait already for each person/);
  assert.equal((await world.json(OWNER, 'approvals', 'list')).items.length, MOST);
  const found = (await world.json(ADMIN, 'findings', 'list')).items
    .filter((row) => row.kind === 'person-flooded');
  assert.deepEqual(found.map((row) => row.subject), [`person/${OWNER}`]);
  assert.ok(await eventually(async () => (await control('G-35')).state === 'failing'));
  await world.must(OWNER, 'reject', asked[0], '--reason', 'no', '--yes');
  assert.ok(approvalIn((await agent.call('create_entities', incident('INC-again'))).text));
});

test('the bound is read again while remit runs', async () => {
  const refused = await agent.call('create_entities', incident('INC-past'));
  assert.ok(!refused.done && approvalIn(refused.text) === undefined, refused.text);
  const file = world.path('remit.yaml');
  const settings = readFileSync(file, 'utf8');
  const one = `questions-per-person-max: ${MOST}`;
  assert.ok(settings.includes(one));
  writeFileSync(file, settings.replace(one, `questions-per-person-max: ${MOST + 1}`));
  world.daemon.kill('SIGHUP');
  assert.ok(await eventually(() => world.daemonText.includes('reloaded')));
  assert.ok(approvalIn((await agent.call('create_entities', incident('INC-past'))).text));
});

test('a sample of what was decided comes out again', async () => {
  assert.ok(await eventually(async () => (await measure('G-43')).samples >= 4),
    JSON.stringify(await measure('G-43')));
  const { value, most } = await measure('G-43');
  assert.equal(value, 0, world.daemonText);
  assert.equal(most, 0);
  assert.ok(await eventually(async () => (await control('G-43')).state === 'passing'));
});

test('how long decisions of low risk took is on record', async () => {
  const reader = await world.agent('support-summariser', 'files');
  await reader.call('read_text_file', { path: 'tickets/17.txt' });
  await reader.close();
  assert.ok(await eventually(async () => (await measure('G-35')).kept > 0),
    JSON.stringify(await measure('G-35')));
  const { value, unit, most, samples } = await measure('G-35');
  assert.deepEqual({ unit, most }, { unit: 'us', most: 1000 });
  assert.ok(value > 0 && samples > 0);
  console.log(`# 99 of 100 decisions within ${value} us`);
});

test('what is on record verifies', async () => {
  const { code, report } = await world.verify();
  assert.equal(code, 0, JSON.stringify(report));
});
