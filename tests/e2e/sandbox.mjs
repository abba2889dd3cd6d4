// Sandboxes, end to end: what a person types to have one, where it gets and where not, and
// that a trial is not promoted by what it has in its hands.
import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { World, eventually } from '../../examples/stories/lib/world.mjs';

const ANA = 'ana@example.com';
const BO = 'bo@example.com';
const ADI = 'adi@example.com';
let world;

before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const keyOf = (name) => world.path('agents', `${name}.pem`);
const open = (person, name, ...more) => world.remit(person, 'sandbox', 'open', name, '--unit',
  'support', '--backup-owner', person === BO ? ANA : BO, '--purpose', 'Tries prompts', '--key',
  keyOf(name), ...more);
// The command that is shown next, as it stands there.
const nextOf = (opened) => /^Next: remit (task open .*)$/m.exec(opened.err)[1].split(' ');
const apply = async (person, text) => {
  const file = world.path('one.yaml');
  writeFileSync(file, text);
  return world.remit(person, 'apply', '--yes', '-f', file);
};
const agentWith = async (token, server = 'playground') =>
  new Agent(world.mcp(server), token).connect();
const outcomesOf = async (name) => (await world.json(null, 'audit', 'search', '--identity', name,
  '--type', 'decision')).items.map(({ record }) => record);

test('nobody opens one in another unit, or wider than its template', async () => {
  const others = await open('dan@example.com', 'dans');
  assert.equal(others.code, 1, others.err);
  assert.match(others.err, /a person of unit support/);
  assert.ok(!existsSync(keyOf('dans')), 'a key of nobody is left');
  const long = await open(ANA, 'long', '--days', '15');
  assert.notEqual(long.code, 0);
  assert.match(long.err, /14 days at most/);
  const prod = await open(ANA, 'prod', '--environment', 'prod');
  assert.notEqual(prod.code, 0);
  assert.equal((await world.remit(null, 'identity', 'show', 'prod')).code, 3);
});

test('it is ready in a minute, by the command line alone', async () => {
  const begun = process.hrtime.bigint();
  const opened = await open(ANA, 'quick');
  assert.equal(opened.code, 0, opened.err);
  const next = nextOf(opened);
  assert.deepEqual(next.slice(-2), ['--data', world.dir], 'the command is for another folder');
  const task = await world.remit(ANA, ...next);
  assert.equal(task.code, 0, task.err);
  const agent = await agentWith(task.out.trim());
  const said = await agent.call('echo', { message: 'a trial' });
  await agent.close();
  assert.ok(said.done, said.text);
  console.log(`# from nothing to the first answer: ${
    (Number(process.hrtime.bigint() - begun) / 1e9).toFixed(2)} s, two commands and a call`);
  assert.equal(statSync(keyOf('quick')).mode & 0o777, 0o600);
  const entry = await world.json(null, 'identity', 'show', 'quick');
  assert.equal(entry.state, 'active');
  assert.equal(entry.object.sandbox['approved-by'], BO);
  assert.equal(entry.object.owner, ANA);
  const { items } = await world.json(null, 'sandbox', 'list');
  assert.equal(items.find(({ name }) => name === 'quick').approved_by, BO);
});

test('the record says from which template it came, and who approved that', async () => {
  const { items } = await world.json(null, 'audit', 'search', '--type', 'registry', '--actor',
    `person:${ANA}`);
  const change = items.flatMap(({ record }) => record.changes ?? []).find(
    ({ name }) => name === 'quick');
  const unit = await world.json(null, 'unit', 'show', 'support');
  assert.deepEqual(change.object.sandbox, { template: unit.version, 'approved-by': BO });
  assert.equal(unit.approved_by, `person:${BO}`);
});

test('a server that becomes production is closed to it', async () => {
  const opened = await open(ANA, 'moved');
  const task = await world.remit(ANA, ...nextOf(opened));
  const agent = await agentWith(task.out.trim());
  assert.ok((await agent.call('echo', { message: 'one' })).done);
  const server = `object: server
name: playground
transport: {url: "http://127.0.0.1:${world.ports.playground}/mcp"}
unit: support
`;
  const before = world.calls('playground').length;
  const changed = await apply(ADI, `${server}environment: prod\n`);
  assert.equal(changed.code, 0, changed.out + changed.err);
  const refused = await agent.call('echo', { message: 'two' });
  assert.ok(!refused.done && refused.text.includes('(sandbox)'), refused.text);
  assert.equal(world.calls('playground').length, before);
  const found = async () => (await world.json(ADI, 'findings', 'list')).items.find(
    ({ kind, subject }) => kind === 'sandbox-outside' && subject === 'identity/moved');
  assert.ok(await eventually(found), 'nobody is told that it tried');
  assert.equal((await apply(ADI, `${server}environment: dev\n`)).code, 0);
  assert.ok((await agent.call('echo', { message: 'three' })).done);
  await agent.close();
});

// A charter of ana's, written by hand, that says it is one.
const applyByHand = (expires = '') => apply(ANA, `object: identity
name: by-hand
kind: agent
class: retrieve
risk: low
owner: ${ANA}
backup-owner: ${BO}
unit: support
purpose: p
environments: [dev]
${expires}sandbox: {template: 1, approved-by: ${BO}}
`);

test('a document neither makes one nor widens one', async () => {
  const made = await applyByHand('expires: 2099-01-01\n');
  assert.equal(made.code, 1);
  assert.match(made.out + made.err, /is no sandbox, and a document makes it none/);
});

test('a document that would make one without an end is told that it makes none', async () => {
  const made = await applyByHand();
  assert.equal(made.code, 1);
  assert.match(made.out + made.err, /a document makes no sandbox, remit sandbox open does/);
});

test('a sandbox has no break-glass', async () => {
  const glass = await world.remit(BO, 'break-glass', 'open', 'quick', '--reason', 'r', '--ticket',
    'T-1', '--alone', '--yes');
  assert.equal(glass.code, 1);
  assert.match(glass.err, /a sandbox has no break-glass/);
});

test('a trial is promoted by approval alone, and its token and key are worth nothing then',
  async () => {
    const opened = await open(ANA, 'trial');
    const next = nextOf(opened);
    const token = (await world.remit(ANA, ...next)).out.trim();
    const agent = await agentWith(token);
    assert.ok((await agent.call('echo', { message: 'before' })).done);
    const applied = await apply(ANA, `object: identity
name: trial
kind: agent
class: retrieve
risk: low
owner: ${ANA}
backup-owner: ${BO}
unit: support
purpose: Answers with the playground
environments: [dev]
entitlements: [{effect: read, tool: playground/echo}]
`);
    assert.equal(applied.code, 6, applied.out + applied.err);
    assert.equal((await world.remit(ANA, 'identity', 'approve', 'trial', '--yes')).code, 1);
    assert.ok((await agent.call('echo', { message: 'still a sandbox' })).done);
    await world.must(BO, 'identity', 'approve', 'trial', '--yes');
    await assert.rejects(async () => {
      const late = await agent.call('echo', { message: 'after' });
      if (!late.done) throw new Error(late.text);
    });
    await assert.rejects(agentWith(token));
    const again = await world.remit(ANA, ...next);
    assert.notEqual(again.code, 0, again.out);
    const tasks = async () => (await world.json(null, 'task', 'list', '--limit', '1000')).items;
    const ended = async () => !(await tasks()).some(
      ({ identity, state }) => identity === 'trial' && state === 'open');
    assert.ok(await eventually(ended), 'a task of the trial stays open');
    await agent.close().catch(() => {});
  });

test('what was decided of sandboxes comes out again', async () => {
  const refused = (await outcomesOf('moved')).filter(({ reason }) => reason === 'sandbox');
  assert.equal(refused.length, 1);
  const done = await world.remit(null, 'policy', 'replay', '-o', 'json');
  assert.equal(done.code, 0, done.out + done.err);
  const verified = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(verified.code, 0, verified.out + verified.err);
});
