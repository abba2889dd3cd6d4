// A restored installation is another one: what people's keys sign for the first is
// refused there, and the command line says what to do.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { World } from '../../examples/stories/lib/world.mjs';
import { ask, keyOf, signature } from './support/person.mjs';

const ADI = 'adi@example.com';
const whoami = { method: 'GET', target: '/v1/whoami' };
let first;
let second;

before(async () => {
  first = await World.start();
  const file = first.path('backup');
  await first.must(null, 'backup', file);
  second = new World({ dir: first.path('restored') });
  const done = await first.remitWith({}, null, 'restore', file, '--data', second.dir, '--yes');
  assert.equal(done.code, 0, done.err);
  assert.match(done.err, /remit login PERSON --keep-key/);
  // The same people, with the keys they have.
  cpSync(first.path('people'), second.path('people'), { recursive: true });
  await second.startDaemon();
});
after(async () => {
  await second?.stop();
  await first?.stop();
});

test('what was signed for the first is refused by the second', async () => {
  const headers = { Authorization: signature(first, keyOf(first, ADI), ADI, whoami) };
  const answer = await ask(second, { ...whoami, headers });
  assert.equal(answer.status, 401);
  assert.match(answer.text, /\(audience\)/);
  assert.equal((await ask(first, { ...whoami, headers })).status, 200);
});

test('what was sent to the second is refused by the first, whatever name it gave', async () => {
  const key = keyOf(first, ADI);
  const named = { path: (...parts) => first.path(...parts), url: second.url };
  const headers = { Authorization: signature(named, key, ADI, whoami) };
  const answer = await ask(first, { ...whoami, headers });
  assert.equal(answer.status, 401);
  assert.match(answer.text, /\(target\)/);
});

test('the command line signs for the first alone, and says what to do', async () => {
  const done = await second.remit(ADI, 'whoami');
  assert.equal(done.code, 1);
  assert.match(done.err, /\(audience\)/);
  assert.match(done.err, /remit login adi@example\.com --keep-key/);
  const asked = await second.remit(ADI, 'login', ADI, '--keep-key');
  assert.equal(asked.code, 1, 'nobody said yes');
});

test('a person who keeps the key goes on, and then no more with the first', async () => {
  await second.must(ADI, 'login', ADI, '--keep-key', '--yes');
  await second.must(ADI, 'person', 'code', 'bo@example.com', '--out', second.path('bo.code'));
  cpSync(second.path('people', ADI), first.path('people', 'moved'), { recursive: true });
  const moved = await first.remit('moved', 'whoami');
  assert.equal(moved.code, 1);
  assert.match(moved.err, /\(audience\)/);
});
