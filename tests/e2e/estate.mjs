// A sample estate goes into a daemon by the commands its guide names, and the same numbers give
// the same bytes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { World } from '../../examples/stories/lib/world.mjs';

const ADI = 'adi@example.com';
let world;

before(async () => {
  world = await World.start({});
});
after(async () => {
  await world?.stop();
});

const write = (folder, ...more) => world.remit(null, 'estate', '--people', '40', '--identities',
  '300', '--seed', '11', '--at', '2026-11-26', '--out', world.path(folder), ...more);
const sorted = (folder) => readdirSync(world.path('estate', folder)).sort();

test('it is written once: the same numbers give the same bytes, and nothing is overwritten',
  async () => {
    assert.equal((await write('estate')).code, 0);
    assert.equal((await write('again')).code, 0);
    execFileSync('diff', ['-r', world.path('estate'), world.path('again')]);
    const twice = await write('estate');
    assert.equal(twice.code, 4);
    assert.match(twice.err, /is not empty/);
  });

test('an order that is none is refused before anything is written', async () => {
  for (const [option, value] of [['--people', '19'], ['--people', '10001'], ['--identities', '99'],
    ['--identities', '200001'], ['--seed', '-1'], ['--at', 'soon']]) {
    const refused = await world.remit(null, 'estate', '--out', world.path('none'), option, value);
    assert.notEqual(refused.code, 0, `${option} ${value}`);
    assert.ok(!existsSync(join(world.path('none'), 'answers.json')));
  }
  assert.equal((await world.remit(null, 'estate')).code, 2);
});

test('it goes into a daemon in the order of its guide', async () => {
  const taken = async (...words) => {
    const done = await world.remit(ADI, ...words, '--yes');
    assert.ok(done.code === 0 || done.code === 6, `${words.join(' ')}: ${done.code}\n${done.err}`);
    return done;
  };
  const people = (file) => taken('person', 'import', world.path('estate', 'people', file),
    '--directory', 'hr');
  await taken('apply', '-f', world.path('estate', 'charters', '1-units'));
  await people('1-start.csv');
  for (const folder of sorted('charters').slice(1)) {
    await taken('apply', '-f', world.path('estate', 'charters', folder));
  }
  for (const file of sorted('inventory')) {
    await taken('inventory', 'import', file.replace('.jsonl', ''),
      world.path('estate', 'inventory', file), '--provider', 'items');
  }
  await people('2-today.csv');
  const answers = JSON.parse(readFileSync(world.path('estate', 'answers.json'), 'utf8'));
  assert.equal(answers.at, '2026-11-26T00:00:00Z');
  const tool = answers.answers['tool-unpinned'][0].replace('tool/', '');
  const shown = await world.json(null, 'tool', 'show', tool);
  assert.equal(shown.object.definition, undefined);
});
