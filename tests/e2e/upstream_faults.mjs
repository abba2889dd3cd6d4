// Servers that are slow, crash or answer nonsense: the agent gets a clear error,
// the log an outcome, and the next call works.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { eventually } from '../../examples/stories/lib/world.mjs';
import { forget, reached, startFaultyWorld } from './support/faulty-world.mjs';

let world;
let agent;

before(async () => {
  world = await startFaultyWorld();
  agent = await world.agent('tester', 'faulty');
});
after(async () => {
  await agent?.close();
  await world?.stop();
});
afterEach(async () => {
  const next = await agent.call('fine', {});
  assert.ok(next.done, `the call after it: ${next.text}`);
  forget(world);
});

const fails = async (tool, pattern) => {
  const answer = await agent.call(tool, {}, { timeout: 90_000 });
  assert.equal(answer.done, false);
  assert.match(answer.text, pattern);
  assert.deepEqual(reached(world), [tool], 'it was sent once and never again');
};

test('a server that does not answer in time is given up', async () => {
  const brief = await startFaultyWorld('upstream-timeout-ms: 200\n');
  try {
    const impatient = await brief.agent('tester', 'faulty');
    const answer = await impatient.call('silent', {}, { timeout: 90_000 });
    await impatient.close();
    assert.equal(answer.done, false);
    assert.match(answer.text, /did not answer in time/);
    assert.ok(reached(brief).length <= 1, 'it was sent once and never again');
  } finally {
    await brief.stop();
  }
});
test('a server that crashes is said to have crashed', () =>
  fails('crash', /ended|exit|crash|gone|closed/i));
test('an answer over the limit is refused', () => fails('huge', /large|limit|size/i));
test('the error of a server is passed on as its own', () => fails('failure', /out of order/));

test('lines that are no JSON do not take the answer along', async () => {
  const answer = await agent.call('garbage', {});
  assert.ok(answer.done || /JSON|nonsense|broken/i.test(answer.text), answer.text);
});

test('an answer nobody asked for goes to nobody', async () => {
  const answer = await agent.call('alien', {});
  assert.ok(answer.done, answer.text);
  assert.equal(answer.text, 'for you');
});

test('what a server asks of the client is refused on record and reaches nobody', async () => {
  const found = async () => (await world.json(null, 'audit', 'search', '--type',
    'server-request')).items.map(({ record }) => record);
  const before = (await found()).length;
  const asked = [];
  agent.client.fallbackRequestHandler = async (request) => asked.push(request.method);
  const answer = await agent.call('asks', {});
  assert.equal(answer.text, 'asked');
  assert.ok(await eventually(async () => (await found()).length > before));
  const record = (await found()).at(-1);
  assert.equal(record.server, 'faulty');
  assert.equal(record.method, 'sampling/createMessage');
  assert.equal(record.verdict, 'deny');
  assert.deepEqual(asked, []);
});

test('calls under way at once get each its own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (none, i) => agent.call(i % 2 ? 'fine' : 'alien', { number: i })));
  answers.forEach((answer, i) => assert.equal(answer.text, i % 2 ? 'done' : 'for you'));
});
