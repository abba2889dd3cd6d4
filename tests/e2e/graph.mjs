// docs/graph.md: its questions as they stand, against a real daemon; what was used is seen, and
// its accounts are one identity's.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { ask, keyOf, signature } from './support/person.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(resolve(here, '../../docs/graph.md'), 'utf8');
const IDENTITY = 'support-summariser';
const ADI = 'adi@example.com';
const BO = 'bo@example.com';
let world;

before(async () => {
  world = await World.start();
});
after(async () => {
  await world?.stop();
});

const shell = async (text) => {
  const home = world.path('people', ADI);
  const done = await run('sh', ['-euc', text], {
    env: {
      ...process.env, AGENT: IDENTITY, DATA_SOURCE: 'tickets', DATA: world.dir, HOME: home,
      XDG_CONFIG_HOME: home, NO_COLOR: '1',
      PATH: `${process.env.REMIT_BUILD ?? resolve(here, '../../build')}:${process.env.PATH}`,
    },
  });
  assert.equal(done.code, 0, done.out + done.err);
  return done.out;
};

test('the questions of the page are answered', async () => {
  const examples = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text);
  assert.equal(examples.length, 1);
  const out = await shell(examples[0]);
  assert.match(out, /1 shortest paths, 2 hops each/);
  assert.match(out, /why: charter@\d+ \(charter\/support-summariser@\d+\/entitlements\/0\)/);
  assert.match(out, /data-source:tickets/);
});

test('who asks about data is told of the tools that read it', async () => {
  const asked = await world.remit(ADI, 'who', 'read', 'data-source:tickets');
  assert.equal(asked.code, 0, asked.err);
  assert.match(asked.err, /remit graph show data-source:tickets/);
  const tools = await world.remit(ADI, 'graph', 'show', 'data-source:tickets');
  assert.match(tools.out, /reads +data-source:tickets/);
});

test('what an agent used is seen', async () => {
  const path = () => world.json(null, 'path', `identity:${IDENTITY}`, 'data-source:tickets');
  const before = await path();
  assert.equal(before.paths[0][0].used, 'never seen');
  assert.equal(before.paths[0][0].until, '2027-06-30T00:00:00.000Z');
  const agent = await world.agent(IDENTITY, 'files');
  for (let i = 0; i < 3; i++) await agent.call('read_text_file', { path: 'tickets/1041.md' });
  await agent.close();
  assert.ok(await eventually(async () => (await path()).paths[0][0].uses === 3));
  const after = await path();
  assert.notEqual(after.paths[0][0].used, 'never seen');
  assert.equal(after.paths[0][0].by, before.paths[0][0].by);
});

test('a restart forgets nothing of it, with the store or without', async () => {
  const path = async () => (await world.json(
    null, 'path', `identity:${IDENTITY}`, 'data-source:tickets')).paths.map(
    (hops) => hops.map(({ by, since, used, uses }) => ({ by, since, used, uses })));
  const before = await path();
  for (const isLost of [false, true]) {
    await world.killDaemon();
    if (isLost) world.removeStore();
    await world.startDaemon();
    // Once what no count on record tells is read from the log.
    await eventually(async () => (await path())[0][0].uses === before[0][0].uses);
    assert.deepEqual(await path(), before);
  }
});

test('an account is one identity\'s', async () => {
  const claim = (name) => [`object: identity`, `name: ${name}`, 'kind: agent', 'class: retrieve',
    'risk: low', 'owner: ana@example.com', 'backup-owner: bo@example.com', 'unit: support',
    'purpose: Acts elsewhere', 'environments: [staging]', 'accounts: [aws/bot]', ''].join('\n');
  const file = join(world.dir, 'two.yaml');
  writeFileSync(file, `${claim('one')}---\n${claim('two')}`);
  const plan = await world.remit(null, 'plan', '-f', file, '-o', 'json');
  assert.notEqual(plan.code, 0);
  assert.match(plan.out + plan.err, /account aws\/bot is identity one's already/);
});

test('what an account opens undeclared keeps its charter out, until somebody answers for it',
  async () => {
    const items = join(world.dir, 'seen.jsonl');
    writeFileSync(items, [
      { node: 'account', id: 'bot', kind: 'service-account' },
      { node: 'resource', id: 'bucket' },
      { edge: 'may', from: 'account:bot', to: 'resource:bucket', effects: ['read'] },
    ].map((item) => `${JSON.stringify(item)}\n`).join(''));
    await world.must(ADI, 'inventory', 'import', 'aws', items, '--provider', 'items', '--yes');
    const file = join(world.dir, 'bot.yaml');
    writeFileSync(file, ['object: data-source', 'name: bucket', 'unit: support',
      `custodian: ${BO}`, 'environment: staging', 'sensitivity: internal', 'at: [aws/bucket]',
      '---', 'object: identity', 'name: bot', 'kind: agent', 'class: retrieve', 'risk: low',
      'owner: ana@example.com', `backup-owner: ${BO}`, 'unit: support',
      'purpose: Acts elsewhere', 'environments: [staging]', 'accounts: [aws/bot]',
      ''].join('\n'));
    await world.apply(ADI, '-f', file);
    const waiting = await world.must('ana@example.com', 'consent', 'list', '--waiting');
    assert.match(waiting, new RegExp(`data-source +bucket +support .*missing .*${BO}`));
    await world.must('ana@example.com', 'data-source', 'consent', 'bucket', '--yes');
    assert.ok(await eventually(async () => (
      await world.remit(null, 'excess', 'bot', '-o', 'json')).code === 1));
    const refused = await world.remit(BO, 'identity', 'approve', 'bot', '--yes');
    assert.equal(refused.code, 4);
    assert.match(refused.err, /read of aws\/bucket by aws\/bot/);
    const until = new Date(Date.now() + 7 * 86400e3).toISOString().slice(0, 10);
    const asked = await world.remit(ADI, 'waive', 'excess', 'bot', 'aws/bucket',
      '--until', until, '--reason', 'moves next week', '--yes', '-o', 'json');
    assert.equal(asked.code, 6, asked.out + asked.err);
    const { waiver } = JSON.parse(asked.out);
    assert.match((await world.remit(ADI, 'waiver', 'approve', waiver, '--yes')).err,
      /another person must/);
    await world.must(BO, 'waiver', 'approve', waiver, '--yes');
    const [listed] = (await world.json(null, 'waiver', 'list')).items;
    assert.deepEqual([listed.kind, listed.identity, listed.resource, listed.state, listed.by,
      listed.approved_by], ['excess', 'bot', 'aws/bucket', 'live', ADI, BO]);
    // A number is no day.
    const wrong = { method: 'POST', target: '/v1/waivers', body: JSON.stringify({
      identity: 'bot', resource: 'aws/bucket', reason: 'later', until: 1900000000 }) };
    const answer = await ask(world, { ...wrong,
      headers: { Authorization: signature(world, keyOf(world, BO), BO, wrong) } });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /until.*must be a string/);
    await world.must(BO, 'identity', 'approve', 'bot', '--yes');
    const inherited = await world.json(null, 'can', 'bot', '--inherited');
    assert.deepEqual(inherited.items.map(({ what }) => what).sort(),
      ['data-source:bucket', 'resource:aws/bucket']);
    assert.deepEqual(inherited.items.map(({ path }) => path[0].kind), ['is', 'is']);
    const can = await world.remit(null, 'can', 'bot');
    assert.match(can.err, /inherits 2 more .* remit can bot --inherited/);
  });

test('who inherits something stands beside whose charter declares it', async () => {
  const who = (...words) => world.json(null, 'who', 'read', ...words);
  const [item, ...more] = (await who('resource:aws/bucket')).items;
  assert.deepEqual(more, []);
  assert.deepEqual([item.access, item.who, item.through, item.by, item.until, item.used],
    ['inherited', 'identity:bot', 'account:aws/bot', 'unknown', 'no end', 'never seen']);
  assert.deepEqual(item.path.map(({ kind, to }) => `${kind} ${to}`),
    ['is account:aws/bot', 'may resource:aws/bucket']);
  const data = await who('data-source:bucket');
  assert.equal(data.inherited, 1);
  assert.equal(data.items[0].hops, 3);
  const tool = await who('files/read_text_file');
  assert.ok(tool.items.length > 0);
  for (const { access, by, path } of tool.items.slice(0, 1))
    assert.deepEqual([access, by, path.length], ['declared', `person:${BO}`, 1]);
  assert.equal(tool.inherited, 0);
  assert.deepEqual((await who('files/read_text_file', '--inherited')).items, []);
  const table = await world.must(null, 'who', 'read', 'resource:aws/bucket');
  assert.match(table, /identity:bot|bot +inherited/);
  const wrong = await world.remit(null, 'who', 'read', 'resource:aws/nothing');
  assert.equal(wrong.code, 3);
  const page = await world.remit(null, 'who', 'read', 'data-source:bucket', '--inherited',
    '--after', 'bot');
  assert.match(page.err, /what .next. said/);
});

test('two dates differ by what connectors saw and by what was first used, as far as is on record',
  async () => {
    const between = Date.now();
    const diff = (since, ...more) => world.remit(null, '--data', world.dir, 'graph', 'diff',
      '--since', String(since), ...more);
    const items = join(world.dir, 'seen-later.jsonl');
    writeFileSync(items, [
      { node: 'account', id: 'bot', kind: 'service-account', owner: BO },
      { node: 'resource', id: 'bucket' },
      { node: 'resource', id: 'table' },
      { edge: 'may', from: 'account:bot', to: 'resource:table', effects: ['read'] },
    ].map((item) => `${JSON.stringify(item)}\n`).join(''));
    await world.must(ADI, 'inventory', 'import', 'aws', items, '--provider', 'items', '--yes');
    const told = JSON.parse((await diff(between, '-o', 'json')).out);
    const of = (difference) => told.items.filter((item) => item.difference === difference
      && item.layer === 'aws').map(({ node, to }) => node ?? to).sort();
    assert.deepEqual(of('new'), ['resource:aws/table', 'resource:aws/table']);
    assert.deepEqual(of('gone'), ['resource:aws/bucket']);
    assert.deepEqual(of('changed'), ['account:aws/bot']);
    assert.deepEqual(told.items.find(({ changed }) => changed).changed, ['owner']);
    assert.deepEqual(told.layers.map(({ layer, compared }) => [layer, compared]),
      [['aws', true]]);
    const before = await diff(1000);
    assert.equal(before.code, 0, before.err);
    assert.match(before.err, /log begins at/);
    assert.match(before.err, /aws is not compared: none was in force then; the first inventory/);
    assert.match(before.out, /first-used .*tool:files\/read_text_file/);
  });
