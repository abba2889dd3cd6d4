// What providers let act comes in whole or not at all, is seen beside what is registered, becomes
// a charter's draft by a person, and is stopped at its provider as the next inventory says.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const ADI = 'adi@example.com';
const APP = 'google/774.apps.googleusercontent.com';
let world;
let vectors; // copies of today: a file's time is when it was taken, and a day later it is stale

before(async () => {
  world = await World.start({});
  vectors = world.path('vectors');
  cpSync(join(root, 'tests/vectors/inventory'), vectors, { recursive: true });
});
after(() => world?.stop());

const status = (connector) => world.json(ADI, 'inventory', 'show', connector);
// Until the graph has heard all of it.
const isTold = (connector) => eventually(async () => (await status(connector)).told);
const importing = async (connector, provider, ...words) => {
  const done = await world.remit(ADI, 'inventory', 'import', connector, ...words, '--provider',
    provider, '--yes');
  if (done.code === 0) assert.ok(await isTold(connector));
  return done;
};
const drafts = async (connector) =>
  (await world.json(ADI, 'inventory', 'drafts', connector)).items;
const file = (name, ...lines) => {
  const path = world.path(name);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
};
const node = (id, more = {}) => ({ node: 'resource', id, ...more });

test('the example of the page works as it stands there', async () => {
  const page = readFileSync(join(root, 'docs/inventories.md'), 'utf8');
  const script = /```sh\n([^]*?)```/.exec(page)[1].replaceAll(
    /^remit /gm, `${join(process.env.REMIT_BUILD ?? join(root, 'build'), 'remit')} `);
  const home = world.path('people', ADI);
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home };
  const cwd = world.path('example');
  mkdirSync(cwd);
  const done = await run('sh', ['-e', '-c', script.replaceAll(/(\/remit) /g,
    `$1 --data ${world.dir} `)], { env, cwd });
  assert.equal(done.code, 0, done.err + done.out);
  assert.match(done.out, /\+ node account nightly-export/);
  assert.match(done.out, /cloud\/nightly-export .*bo@example\.com \(created-it\)/);
  assert.match(done.out, /accounts: \["cloud\/nightly-export"\]/);
});

test('every provider\'s export comes in, and what was unknown is said', async () => {
  for (const provider of ['google', 'microsoft', 'slack', 'n8n', 'zapier', 'power-automate']) {
    const done = await importing(provider, provider, join(vectors, provider));
    assert.equal(done.code, 0, done.err);
    const { items, stale } = await status(provider);
    const lines = readFileSync(join(vectors, `${provider}.jsonl`), 'utf8').trim().split('\n');
    assert.equal(items, lines.length);
    assert.equal(stale, false);
    if (provider === 'google') assert.match(done.err, /notes\.of\.tomorrow/);
  }
  const github = ['installations', 'authorizations', 'tokens', 'keys'].map(
    (name) => join(vectors, 'github', `${name}.json`));
  const done = await importing('github', 'github', ...github, '--people',
    join(vectors, 'github/people.json'));
  assert.equal(done.code, 0, done.err);
  assert.match(done.err, /1 people have no mail address.*bo-gh/);
});

test('half an export, a wrong item and a folder without files change nothing', async () => {
  const before = await status('google');
  const half = file('half.json', { data: [], nextCursor: 'more' });
  const cases = [
    [2, /half an export/, 'n8n', half],
    [2, /other\.json.*kind/s, 'google', file('other.json', { kind: 'other' })],
    [2, /wrong\.jsonl:2: kind: an account needs one/, 'items',
      file('wrong.jsonl', node('r'), { node: 'account', id: 'a' })],
    [2, /line 1.*an end of the edge/, 'items', file('dangling.jsonl', {
      edge: 'uses', from: 'account:a', to: 'account:b' })],
    [2, /line 2.*stands in line 1/, 'items', file('twice.jsonl', node('r'), node('r'))],
    [3, /no such file|No such file/i, 'items', world.path('nowhere')],
  ];
  for (const [code, said, provider, path] of cases) {
    const done = await world.remit(ADI, 'inventory', 'import', 'google', path, '--provider',
      provider, '--yes');
    assert.equal(done.code, code, done.err);
    assert.match(done.err, said);
  }
  assert.deepEqual(await status('google'), before);
});

test('nobody but an administrator imports, undoes or contains', async () => {
  for (const words of [['import', 'google', file('one.jsonl', node('r')), '--provider', 'items'],
    ['undo', 'google', '--reason', 'x'], ['contain', APP, '--reason', 'x']]) {
    const done = await world.remit('ana@example.com', 'inventory', ...words, '--yes');
    assert.equal(done.code, 1, done.err);
  }
});

test('an older or much smaller one is asked about, and undone', async () => {
  const many = Array.from({ length: 30 }, (_, i) => node(`r${i}`));
  assert.equal((await importing('files', 'items', file('many.jsonl', ...many))).code, 0);
  const few = file('few.jsonl', node('r1'));
  const smaller = await importing('files', 'items', few);
  assert.equal(smaller.code, 4);
  assert.match(smaller.err, /more than half/);
  utimesSync(few, 1_700_000_000, 1_700_000_000);
  const older = await importing('files', 'items', few, '--smaller');
  assert.equal(older.code, 4);
  assert.match(older.err, /older than what is in force/);
  assert.equal((await importing('files', 'items', few, '--smaller', '--older')).code, 0);
  assert.equal((await status('files')).items, 1);
  assert.equal((await status('files')).stale, true);
  await world.must(ADI, 'inventory', 'undo', 'files', '--reason', 'a mistake', '--yes');
  assert.equal((await status('files')).items, 30);
});

test('what is in force is so after kill -9, and from the log alone', async () => {
  const before = await world.json(ADI, 'inventory', 'list');
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  for (const { connector } of before.items) assert.ok(await isTold(connector));
  assert.deepEqual((await world.json(ADI, 'inventory', 'list')).items.map(
    ({ connector, import: id, items }) => [connector, id, items]),
  before.items.map(({ connector, import: id, items }) => [connector, id, items]));
});

test('a draft says who might answer for it, and why; adopting makes a charter wait', async () => {
  const draft = (await drafts('google')).find(({ account }) => account === APP);
  assert.equal(draft.title, 'MeetingGenius');
  assert.equal(draft.external, true);
  assert.deepEqual(draft.suggestions.map(({ person, ground }) => [person, ground]),
    [['ana@example.com', 'gave-most-grants']]);
  assert.ok(draft.reaches.some(({ resource }) => resource === 'google/drive'));
  const flow = (await drafts('n8n')).find(({ kind }) => kind === 'workflow');
  assert.deepEqual(flow.suggestions.map(({ ground }) => ground), ['created-it']);
  assert.ok(!(await drafts('n8n')).some(({ account }) => account.includes('connection/c1')),
    'a flow\'s connection is the flow\'s');
  const done = await world.remit(ADI, 'inventory', 'adopt', APP, '--owner', 'ana@example.com',
    '--backup-owner', 'bo@example.com', '--unit', 'support', '--name', 'meeting-genius', '--yes');
  assert.equal(done.code, 0, done.err + done.out);
  const entry = await world.json(ADI, 'identity', 'show', 'meeting-genius');
  assert.equal(entry.state, 'draft');
  assert.deepEqual(entry.waiting.object.accounts, [APP]);
  assert.equal(entry.waiting.object.entitlements, undefined);
  assert.ok((await drafts('google')).some(({ account }) => account === APP),
    'nothing is in force yet');
});

test('an inventory that was there before the intention says nothing of it, whatever its clock',
  async () => {
    const ahead = new Date(Date.now() + 120_000).toISOString();
    const account = file('ahead.jsonl', { node: 'account', id: 'a', kind: 'api-key' });
    assert.equal((await importing('ahead', 'items', account, '--taken', ahead)).code, 0);
    const asked = await world.json(ADI, 'inventory', 'contain', 'ahead/a', '--reason', 'INC-8');
    assert.equal(asked.state, 'intended');
  });

test('containing is on record, lists who depends on it, and believes the next inventory',
  async () => {
    const asked = await world.json(ADI, 'inventory', 'contain', 'n8n/connection/c2', '--reason',
      'INC-7');
    assert.equal(asked.state, 'intended');
    assert.deepEqual(asked.dependants, ['account/n8n/2tUt1wbLX592XDdX']);
    assert.ok(asked.calls.length > 0 && asked.calls.every(({ call, limit }) => call && limit));
    const flow = await world.json(ADI, 'inventory', 'contain', 'n8n/2tUt1wbLX592XDdX',
      '--reason', 'INC-7');
    assert.match(flow.calls[0].call, /workflows\/2tUt1wbLX592XDdX\/deactivate/);
    assert.match(flow.calls[0].undo, /activate/);
    const state = async (account) => (await world.json(ADI, 'inventory', 'contained')).items.find(
      (item) => item.account === account)?.state;
    // A minute later: the flow is off, its connection is as it was.
    const folder = world.path('later');
    mkdirSync(folder);
    for (const name of ['workflows', 'credentials', 'executions']) {
      const text = readFileSync(join(vectors, 'n8n', `${name}.json`), 'utf8');
      writeFileSync(join(folder, `${name}.json`),
        text.replace('"active": true', '"active": false'));
    }
    const taken = new Date(Date.now() + 60_000).toISOString();
    assert.equal((await importing('n8n', 'n8n', folder, '--taken', taken)).code, 0);
    assert.equal(await state('n8n/2tUt1wbLX592XDdX'), 'contained');
    assert.equal(await state('n8n/connection/c2'), 'live');
    const done = await world.remit(ADI, 'inventory', 'contain', 'n8n/2tUt1wbLX592XDdX', '--undo',
      '--reason', 'over');
    assert.equal(done.code, 0, done.err);
    assert.equal(await state('n8n/2tUt1wbLX592XDdX'), undefined);
    const nobody = await world.remit(ADI, 'inventory', 'contain', 'n8n/none', '--reason', 'x');
    assert.equal(nobody.code, 3);
  });

test('the log verifies with all of it', async () => {
  const done = await world.verify();
  assert.equal(done.code, 0, done.out + done.err);
});
