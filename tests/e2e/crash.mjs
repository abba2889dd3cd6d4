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

// What the door answers to this token.
const statusOf = async (token) => {
  const answer = await fetch(world.mcp('faulty'), {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0', id: 1, method: 'initialize',
      params: {
        protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' },
      },
    }),
  });
  await answer.text();
  return answer.status;
};

const ofType = (all, type) => all.map(({ record }) => record).filter((r) => r.type === type);

for (let round = 0; round < rounds; round += 1) {
  test(`round ${round}: what was answered or seen is on record`, async () => {
    forget(world);
    const agents = await Promise.all([0, 1, 2].map(() => world.agent('tester', 'faulty')));
    // The first call starts the server; it is not what is measured here.
    for (const agent of agents) assert.ok((await agent.call('fine', {})).done);
    let answered = agents.length;
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
    assert.ok(answered > agents.length, 'the round was too short to mean anything');
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
  const { task, token } = await world.openTask('tester', 'faulty');
  const other = await world.openTask('tester', 'faulty');
  await world.must(null, 'kill', 'task', task, '--reason', 'before the crash', '--yes');
  await world.killDaemon();
  await world.startDaemon();
  assert.equal(await statusOf(token), 401);
  assert.equal(await statusOf(other.token), 200, 'the other one still holds');
  assert.match(await world.must(null, 'trace', task), /kill/);
});

test('a lost database is rebuilt from the log', async () => {
  const before = await world.must(null, 'export');
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
  assert.equal(await world.must(null, 'export'), before);
});
