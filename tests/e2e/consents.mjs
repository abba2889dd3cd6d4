// A unit's consent is to the lines it saw, through the real daemon: what moves to a unit that
// agreed to other lines is refused until it agrees to these, what edits and reviews take away asks
// nobody, all of it after a kill -9, too; and each decision is made again by a replay.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { World } from '../../examples/stories/lib/world.mjs';

const ADI = 'adi@example.com';
const ANA = 'ana@example.com';
const DAN = 'dan@example.com';
const EVA = 'eva@example.com';
const FAY = 'fay@example.com';
const REX = 'rex@example.com';
const OPENER = 'incident-opener';
let world;

before(async () => {
  world = await World.start({
    change: (files) => {
      const file = 'charters/00-organisation.yaml';
      files.set(file, `${files.get(file)}---\nobject: person\nname: ${REX}\nunit: operations\n` +
        'roles: [reviewer]\n');
    },
  });
  await world.letIn(REX);
});
after(async () => { await world?.stop(); });

const apply = async (person, text) => {
  const file = world.path('one.yaml');
  writeFileSync(file, text);
  return world.remit(person, 'apply', '--yes', '-f', file);
};
const memory = (unit) => apply(ADI, ['object: server', 'name: memory', `unit: ${unit}`,
  'transport: {stdio: [mcp-server-memory]}', 'environment: staging', ''].join('\n'));
/* By the word of the unit that it leaves. */
const moved = async (unit, owner) => {
  const done = await memory(unit);
  assert.equal(done.code, 6, done.out + done.err);
  assert.match(done.err, new RegExp(`remit server consent memory \\(.*${owner}.* may\\)`));
  await world.must(owner, 'server', 'consent', 'memory', '--yes');
};
const read = async () => {
  const agent = await world.agent(OPENER, 'memory');
  const said = await agent.call('read_graph', {});
  await agent.close();
  return said;
};
const allowed = async () => assert.ok((await read()).done, 'a right is lost');
const refused = async (pattern) => {
  const said = await read();
  assert.ok(!said.done, 'it was let through');
  assert.match(said.text, pattern);
};
const support = async () => {
  const { versions } = await world.json(ANA, 'consent', 'show', OPENER, '--unit', 'support');
  return versions.find(({ state }) => state === 'in-force')?.units.find(
    ({ unit }) => unit === 'support');
};
const restarted = async () => {
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
};
const version = async () => (await world.json(null, 'identity', 'show', OPENER)).version;

test('an administrator alone takes no server and no tool from its unit', async () => {
  for (const unit of ['org', 'support']) {
    assert.equal((await memory(unit)).code, 6);
    assert.equal((await world.json(ADI, 'server', 'show', 'memory')).object.unit, 'operations');
    for (const person of [ADI, EVA, ANA]) {
      const done = await world.remit(person, 'server', 'consent', 'memory', '--yes');
      assert.equal(done.code, 1, `${person}: ${done.out}${done.err}`);
    }
  }
  const { object } = await world.json(ADI, 'tool', 'show', 'files/read_text_file');
  assert.ok(object.reads.length > 0);
  assert.equal((await apply(ADI, JSON.stringify({ ...object, reads: undefined }))).code, 6);
  const done = await world.remit(EVA, 'tool', 'consent', 'files/read_text_file', '--yes');
  assert.equal(done.code, 1, done.out);
  await restarted();
  const { items } = await world.json(DAN, 'consent', 'list', '--waiting', '--limit', '200');
  const waiting = items.filter(({ kind }) => kind !== undefined);
  assert.deepEqual(waiting.map(({ name, state, proposed_by, units }) =>
    [name, state, proposed_by, units.map(({ unit, state: said }) => `${unit} ${said}`)]), [
    ['memory', 'waiting', `person:${ADI}`, ['operations missing']],
    ['files/read_text_file', 'waiting', `person:${ADI}`, ['support missing']]]);
  const table = await world.must(DAN, 'consent', 'list', '--waiting', '--unit', 'operations');
  assert.match(table, /^kind +name +of .*custodian/);
  assert.match(table, /server +memory +operations/);
  await world.must(DAN, 'server', 'reject', 'memory', '--reason', 'it stays');
  await world.must(ANA, 'tool', 'reject', 'files/read_text_file', '--reason', 'it stays');
  assert.equal((await world.json(ADI, 'server', 'show', 'memory')).waiting, undefined);
});

let first;
test('what moves to a unit that agreed to other lines is refused', async () => {
  await allowed();
  first = await support();
  assert.equal(first.state, 'agreed');
  assert.equal(first.not_agreed, undefined);
  await moved('support', DAN);
  await refused(/unit support, which has not consented to entitlements\[0\]/);
  const why = await world.why(OPENER, 'read', 'memory/read_graph', {}, 'staging');
  assert.equal(why.reason, 'consent');
  assert.match(JSON.stringify(why),
    new RegExp(`remit identity consent ${OPENER} --version ${await version()}`));
  const now = await support();
  assert.equal(now.state, 'other-lines');
  assert.equal(now.agreed_digest, first.digest);
  assert.deepEqual(now.not_agreed, ['entitlements[0]', 'entitlements[1]']);
  // The line it did agree to goes on.
  const other = await world.why(OPENER, 'write', 'files/move_file',
    { source: 'a', destination: 'b' }, 'staging');
  assert.notEqual(other.reason, 'consent');
});

test('a kill -9 and a lost store change nothing of that', async () => {
  await restarted();
  await refused(/unit support, which has not consented/);
});

test('while it is in force its unit alone says yes, to what it is shown', async () => {
  for (const person of [EVA, ADI, FAY, DAN]) {
    const done = await world.remit(person, 'identity', 'consent', OPENER, '--yes');
    assert.equal(done.code, 1, `${person}: ${done.out}${done.err}`);
  }
  await refused(/unit support/);
  const shown = await world.remit(ANA, 'identity', 'consent', OPENER, '--yes');
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /unit support: other-lines/);
  assert.match(shown.out, /not agreed {2}entitlements\[0\]/);
  assert.match(shown.out, /consented, record #/);
  await allowed();
  assert.equal((await support()).state, 'agreed');
  const again = await world.remit(ANA, 'identity', 'consent', OPENER, '--yes');
  assert.equal(again.code, 4, again.out);
  await restarted();
  await allowed();
});

test('a version that says less asks nobody, wherever its lines stand now', async () => {
  const text = world.charter('charters/50-incident-opener.yaml');
  const less = text.replace(/^ {2}- \{effect: read, tool: memory\/read_graph\}\n/m, '')
    .replace(/^(entitlements:\n(?: {2}- .*\n)+)/m,
      '$1  - {effect: read, tool: memory/read_graph, expires: 2027-01-01}\n');
  assert.notEqual(less, text);
  assert.equal((await apply(DAN, less)).code, 6);
  await world.must(FAY, 'identity', 'approve', OPENER, '--yes');
  await allowed();
  const now = await support();
  assert.equal(now.state, 'agreed');
  assert.notEqual(now.digest, now.agreed_digest, 'nobody said yes to this digest');
  assert.equal(now.by, `person:${ANA}`);
});

test('a line more of one unit waits for it, and the review of one leaves the rest', async () => {
  const { id } = await world.json(REX, 'review', 'start', '--identity', OPENER);
  const { items } = await world.json(REX, 'review', 'show', id);
  const { number } = items.find(({ item }) => item.title === 'write memory/create_entities');
  await world.must(REX, 'review', 'decide', id, '--yes', '--items', String(number),
    '--trial-revoke', '--reason', 'not needed');
  await allowed();
  assert.equal((await support()).state, 'agreed');
  await world.must(REX, 'review', 'restore', id, String(number));
  await allowed();
  const back = await support();
  assert.equal(back.state, 'agreed', JSON.stringify(back));
  // Whoever writes a line that was not agreed to waits for the unit.
  const text = world.charter('charters/50-incident-opener.yaml').replace('entitlements:',
    'entitlements:\n  - {effect: write, tool: files/write_file, approvals: [owner]}');
  assert.equal((await apply(DAN, text)).code, 6);
  const done = await world.remit(FAY, 'identity', 'approve', OPENER, '--yes');
  assert.equal(done.code, 4, done.out);
  assert.match(done.err, /unit support, whose data owner has not consented to entitlements\[0\]/);
  await allowed();
});

test('data goes no further than its unit agreed', async () => {
  const text = world.charter('charters/50-incident-opener.yaml')
    .replace('{to: reply, up-to: internal}', '{to: reply, up-to: confidential}')
    .replace('outputs:', "outputs:\n  - {to: '*@elsewhere.example', up-to: internal}");
  assert.equal((await apply(DAN, text)).code, 6);
  const done = await world.remit(FAY, 'identity', 'approve', OPENER, '--yes');
  assert.equal(done.code, 4, done.out);
  assert.match(done.err, /unit support, whose data owner has not consented to/);
  const shown = await world.must(ANA, 'consent', 'show', OPENER, '--unit', 'support');
  assert.match(shown, /outputs {2}\{"to":"\*@elsewhere\.example","up-to":"internal"\}/);
});

test('another restart, and a replay decides each of them again', async () => {
  await restarted();
  await allowed();
  await moved('operations', ANA);
  await allowed();
  const replayed = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(replayed.report.replay.result, 'all', replayed.out);
  assert.deepEqual(replayed.report.replay.differences, []);
});
