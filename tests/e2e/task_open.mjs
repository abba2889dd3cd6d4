// `remit task open` by every option a client of the token endpoint has.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import * as jose from 'jose';

import { World, eventually } from '../../examples/stories/lib/world.mjs';
import { keyAt, thumbprint } from '../../examples/stories/lib/keys.mjs';

const IDENTITY = 'support-summariser';
let world;
let bound;

before(async () => {
  world = await World.start();
  bound = keyAt(world.path('agents', 'bound.pem'));
});
after(async () => world?.stop());

const words = (...more) => ['task', 'open', IDENTITY, '--key', world.keys[IDENTITY].path,
  '--resource', world.mcp('files'), ...more];
const stateOf = async (task) => (await world.json(null, 'task', 'show', task)).state;

test('what no client may ask for is refused', async () => {
  for (const more of [['--instance', 'a b'], ['--instance', 'x'.repeat(65)],
    ['--session', 'browser'], ['--dpop', world.path('nowhere.pem')]]) {
    const done = await world.remit(null, ...words(...more));
    assert.notEqual(done.code, 0, JSON.stringify(more));
    assert.equal(done.out, '');
  }
});

test('a task that lives by sessions of MCP is not held by the command', async () => {
  const opened = await world.json(null, ...words('--session', 'mcp'));
  assert.equal(await stateOf(opened.task), 'open');
});

test('a task of one instance ends with that instance', async () => {
  const one = await world.json(null, ...words('--instance', 'run-1'));
  const other = await world.json(null, ...words('--instance', 'run-2'));
  await world.must('adi@example.com', 'kill', 'instance', `${IDENTITY}/run-1`, '--reason', 'stuck',
    '--yes');
  assert.equal(await stateOf(one.task), 'revoked');
  assert.equal(await stateOf(other.task), 'open');
});

test('a token bound to a key is of use with its proofs alone, also by URL', async () => {
  for (const where of [[], ['--server', world.url]]) {
    const done = await world.remit(null, ...words('--dpop', bound.path, ...where, '-o', 'json'));
    assert.equal(done.code, 0, done.err);
    const answer = JSON.parse(done.out);
    assert.equal(answer.token_type, 'DPoP');
    assert.equal(jose.decodeJwt(answer.access_token).cnf.jkt, thumbprint(bound.jwk));
    assert.match(done.err, /bound to .*bound\.pem/);
    const stolen = await fetch(world.mcp('files'), { method: 'POST', body: '{}',
      headers: { Authorization: `Bearer ${answer.access_token}` } });
    assert.equal(stolen.status, 401);
  }
});

// The command, once it has printed its token and holds its task.
const hold = async (...more) => {
  const child = spawn(join(process.env.REMIT_BUILD, 'remit'),
    ['--data', world.dir, ...words('--session', 'connection', ...more)],
    { env: { ...process.env, HOME: world.path('people') }, stdio: ['ignore', 'pipe', 'pipe'] });
  const held = { child, out: '', err: '' };
  child.stdout.on('data', (part) => (held.out += part));
  child.stderr.on('data', (part) => (held.err += part));
  held.ended = new Promise((done) => child.on('close', done));
  after(() => child.kill('SIGKILL'));
  assert.ok(await eventually(() => held.out.includes('\n') && held.err.includes('as long as')),
    held.err);
  held.task = jose.decodeJwt(held.out.trim()).task;
  return held;
};

test("a session's task lives as long as the command, bound or not", async () => {
  for (const more of [[], ['--dpop', bound.path]]) {
    const held = await hold(...more);
    assert.equal(await stateOf(held.task), 'open');
    held.child.kill('SIGINT');
    await held.ended;
    assert.ok(await eventually(async () => (await stateOf(held.task)) !== 'open'));
  }
});

test('the command ends when the task does', async () => {
  const held = await hold();
  await world.must('adi@example.com', 'kill', 'task', held.task, '--reason', 'over', '--yes');
  assert.ok([0, 1].includes(await held.ended), held.err);
  assert.match(held.err, /The task is over|the session was refused/);
});
