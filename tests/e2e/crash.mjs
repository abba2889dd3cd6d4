// kill -9 at any moment: after the restart the log verifies, it holds every call
// that was answered and every call the server saw, and a call whose outcome was
// never written reads unknown.
//
// REMIT_SEED chooses the moments; REMIT_ROUNDS how many (5).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sleep } from '../../examples/stories/lib/world.mjs';
import { forget, reached, startFaultyWorld } from './support/faulty-world.mjs';

const rounds = Number(process.env.REMIT_ROUNDS ?? 5);
const seed = Number(process.env.REMIT_SEED ?? Date.now() % 1_000_000);
let state = seed;
const random = (limit) => {
  state = (state * 48271 + 11) % 2147483647;
  return state % limit;
};
let world;

before(async () => {
  console.log(`# seed ${seed}`);
  world = await startFaultyWorld();
});
after(() => world?.stop());

// Everything on record about a task.
const records = async (task) => {
  const text = await world.must(null, 'audit', 'export', '--task', task);
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
};

const ofType = (all, type) => all.map(({ record }) => record).filter((r) => r.type === type);

for (let round = 0; round < rounds; round += 1) {
  test(`round ${round}: what was answered or seen is on record`, async () => {
    forget(world);
    const agents = await Promise.all([0, 1, 2].map(() => world.agent('tester', 'faulty')));
    let answered = 0;
    let isOver = false;
    const work = agents.map(async (agent) => {
      while (!isOver) {
        const answer = await agent.call('fine', {}, { timeout: 2000 });
        if (answer.done) answered += 1;
        else return;
      }
    });
    await sleep(50 + random(400));
    await world.killDaemon();
    isOver = true;
    await Promise.all(work);
    const seen = reached(world).length;
    await world.startDaemon();
    const verified = await world.verifier('--allow-tail', world.path('audit'));
    assert.equal(verified.code, 0, verified.out + verified.err);
    let decided = 0;
    for (const { task } of agents) {
      const all = await records(task);
      decided += ofType(all, 'decision').filter(({ verdict }) => verdict === 'allow').length;
    }
    assert.ok(answered > 0, 'the round was too short to mean anything');
    assert.ok(decided >= answered, `${decided} decisions, ${answered} answers`);
    assert.ok(decided >= seen, `${decided} decisions, ${seen} calls reached the server`);
    await Promise.all(agents.map((agent) => agent.close()));
  });
}

test('a call that was under way has the outcome unknown', async () => {
  forget(world);
  const agent = await world.agent('tester', 'faulty');
  const call = agent.call('silent', {}, { timeout: 2000 });
  while (reached(world).length === 0) await sleep(10);
  await world.killDaemon();
  await call;
  await world.startDaemon();
  const trace = await world.must(null, 'trace', agent.task);
  assert.match(trace, /unknown/);
  await agent.close();
});

test('what a person did before the crash still holds', async () => {
  const { task } = await world.openTask('tester', 'faulty');
  await world.must(null, 'kill', 'task', task, '--reason', 'before the crash', '--yes');
  await world.killDaemon();
  await world.startDaemon();
  const shown = await world.must(null, 'task', 'show', task);
  assert.match(shown, /revoked|ended/);
});

test('a lost database is rebuilt from the log', async () => {
  const before = await world.must(null, 'export');
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
  assert.equal(await world.must(null, 'export'), before);
});
