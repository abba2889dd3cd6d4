// What crosses units, what falls due, that what is enforced is what is on record, and how a use
// case is registered: as people see it, by the command line.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const ADI = 'adi@example.com';
const ANA = 'ana@example.com';
const BO = 'bo@example.com';
const DAN = 'dan@example.com';
const EVA = 'eva@example.com';
const FAY = 'fay@example.com';
let world;

before(async () => { world = await World.start(); });
after(async () => { await world?.stop(); });

const apply = async (person, text) => {
  const file = world.path('one.yaml');
  writeFileSync(file, text);
  return world.remit(person, 'apply', '--yes', '-f', file);
};
const findings = async (kind) => (await world.json(null, 'findings', 'list')).items.filter(
  (finding) => finding.kind === kind);
const dues = async () => (await world.json(null, 'identity', 'due')).items;

// ---- across units ----

test('each unit sees its half, and who agreed to which digest', async () => {
  const { versions } = await world.json(DAN, 'consent', 'show', 'incident-opener');
  assert.equal(versions.length, 1);
  const [{ units, state }] = versions;
  assert.equal(state, 'in-force');
  assert.deepEqual(units.map(({ unit, state: consent, by }) => [unit, consent, by]),
    [['support', 'agreed', `person:${ANA}`]]);
  assert.match(units[0].digest, /^sha256:[0-9a-f]{64}$/);
  const lines = units[0].lines.entitlements.map(({ tool }) => tool);
  assert.deepEqual(lines, ['files/move_file'], 'the half holds lines of others');
  const list = await world.must(ANA, 'consent', 'list', '--unit', 'support');
  assert.match(list, /incident-opener +operations +\d+ +in-force +support +agreed/);
});

test('nobody but a data owner of the unit says yes, and another line asks again', async () => {
  const text = world.charter('charters/50-incident-opener.yaml').replace('entitlements:',
    'entitlements:\n  - {effect: write, tool: files/write_file, approvals: [owner]}');
  assert.equal((await apply(DAN, text)).code, 6);
  const refused = await world.remit(FAY, 'identity', 'approve', 'incident-opener', '--yes');
  assert.equal(refused.code, 4);
  assert.match(refused.err, /touch unit support, whose data owner has not consented/);
  for (const person of [EVA, ADI, FAY, BO]) {
    const done = await world.remit(person, 'identity', 'consent', 'incident-opener', '--yes');
    assert.equal(done.code, 1, `${person}: ${done.out}${done.err}`);
  }
  await world.must(ANA, 'identity', 'consent', 'incident-opener', '--yes');
  await world.must(FAY, 'identity', 'approve', 'incident-opener', '--yes');
  // A line less is within what was agreed to.
  const less = world.charter('charters/50-incident-opener.yaml');
  assert.equal((await apply(DAN, less)).code, 6);
  await world.must(FAY, 'identity', 'approve', 'incident-opener', '--yes');
});

test('a call into a unit that did not consent is refused, and somebody hears of it', async () => {
  const moved = async (unit, by) => {
    const done = await apply(ADI, ['object: server', 'name: memory', `unit: ${unit}`,
      'transport: {stdio: [mcp-server-memory]}', 'environment: staging', ''].join('\n'));
    assert.equal(done.code, 6, done.err);
    await world.must(by, 'server', 'consent', 'memory', '--yes');
  };
  const before_ = await world.agent('incident-opener', 'memory');
  assert.ok((await before_.call('read_graph', {})).done);
  await moved('platform', DAN);
  const agent = await world.agent('incident-opener', 'memory');
  const refused = await agent.call('read_graph', {});
  await agent.close();
  assert.ok(!refused.done);
  assert.match(refused.text, /unit platform, which has not consented/);
  const why = await world.why('incident-opener', 'read', 'memory/read_graph', {}, 'staging');
  assert.equal(why.reason, 'consent');
  const [finding] = await findings('shadow-edge');
  const { from, to } = finding.details;
  assert.deepEqual([from.unit, to.unit], ['operations', 'platform']);
  assert.equal((await findings('shadow-edge')).length, 1);
  await moved('operations', EVA); // platform has nobody: a second administrator
  await before_.close();
});

// ---- what falls due ----

test('a changed label makes whoever reads it due, until somebody looked', async () => {
  const was = await world.json(null, 'data-source', 'show', 'articles');
  const text = Object.entries({ ...was.object, location: 'another country' })
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join('\n');
  assert.equal((await apply(ADI, `${text}\n`)).code, 0);
  const isDue = (name) => async () => (await dues()).some(
    (due) => due.identity === name && due.cause === 'source');
  assert.ok(await eventually(isDue('support-researcher')), JSON.stringify(await dues()));
  const due = (await dues()).find(({ identity }) => identity === 'support-researcher');
  assert.equal(due.what, 'data-source/articles changed: location.');
  assert.ok(due.due_utc_ms > Date.now());
  assert.ok(!(await dues()).some(({ identity }) => identity === 'incident-opener'
    && due.cause === 'tool'));
  const own = await world.remit(ANA, 'identity', 'look', 'support-researcher', '--reason', 'fine');
  assert.equal(own.code, 1, own.err);
  await world.must(EVA, 'identity', 'look', 'support-researcher', '--reason',
    'the country is on the list of the data protection officer');
  assert.ok(!(await dues()).some(({ identity }) => identity === 'support-researcher'));
});

// ---- the document and what is enforced ----

test('the record, what is held and what is enforced have the same digests', async () => {
  const proof = await world.json(ANA, 'identity', 'prove', 'support-researcher');
  assert.equal(proof.equal, true);
  assert.equal(proof.document, proof.held);
  assert.equal(proof.permits, proof.enforced);
  const { record } = await world.json(null, 'trace', `#${proof.record}`);
  assert.equal(record.type, 'registry');
  const offline = await world.verify('--replay', '--charter', 'support-researcher');
  assert.deepEqual(
    [offline.report.replay.charter.document, offline.report.replay.charter.enforced],
    [proof.document, proof.enforced]);
});

test('an edit of the store is found, and whoever asks is told', async () => {
  await world.killDaemon();
  const edit = await run('python3', ['-c', [
    'import sqlite3, sys',
    'db = sqlite3.connect(sys.argv[1])',
    'done = 0',
    "for table, in db.execute(\"select name from sqlite_master where type = 'table'\").fetchall():",
    "    columns = [row[1] for row in db.execute(f'pragma table_info({table})')]",
    "    if 'body' not in columns or 'key' not in columns: continue",
    "    for key, body in db.execute(f'select key, body from {table}').fetchall():",
    "        name = key if isinstance(key, str) else key.decode()",
    "        if not name.startswith('identity/support-researcher@'): continue",
    "        text = body if isinstance(body, str) else body.decode()",
    "        edited = text.replace('\"class\":\"retrieve\"', '\"class\":\"execute\"')",
    '        if edited == text: continue',
    "        db.execute(f'update {table} set body = ? where key = ?',",
    '            (edited if isinstance(body, str) else edited.encode(), key))',
    '        done += 1',
    'db.commit()',
    'print(done)'].join('\n'), world.path('remit.db')]);
  assert.equal(edit.out.trim(), '1', edit.err);
  await world.startDaemon();
  // Nobody has to ask: every charter is held against the log after the start.
  const differing = async () => (await world.json(null, 'controls', 'G-09')).items
    .filter(({ check }) => check === 'charter-differs').map(({ object }) => object);
  assert.ok(await eventually(async () => (await differing()).length > 0));
  assert.deepEqual(await differing(), ['identity/support-researcher']);
  assert.equal((await world.json(null, 'controls', 'G-09')).state, 'failing');
  const proof = await world.remit(ANA, 'identity', 'prove', 'support-researcher', '-o', 'json');
  assert.equal(proof.code, 1, proof.out + proof.err);
  const { equal, document, held } = JSON.parse(proof.out);
  assert.equal(equal, false);
  assert.notEqual(document, held);
  const shown = await world.remit(ANA, 'identity', 'prove', 'support-researcher');
  assert.match(shown.out, /^DIFFERENT: /m);
  assert.ok(await eventually(async () => (await findings('charter-differs')).length === 1));
  // The log is the truth: what was lost or edited is made again from it.
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
  assert.equal((await world.json(ANA, 'identity', 'prove', 'support-researcher')).equal, true);
  assert.ok(await eventually(async () => {
    const { state, items } = await world.json(null, 'controls', 'G-13');
    return state === 'passing' && items.length === 0;
  }));
});

// ---- registering ----

const ANSWERS = {
  name: 'ticket-reader', purpose: 'Tell the morning shift what came in over night',
  unit: 'support', class: 'retrieve', risk: 'low', backup_owner: BO,
  tools: ['files/read_text_file'], data_sources: ['tickets'], environments: ['staging'],
  reply_up_to: 'internal', impact: 'The morning shift reads the tickets themselves',
};

test('a script registers by a file of answers, and nothing is there before', async () => {
  const file = world.path('answers.json');
  const refused = async (answers) => {
    writeFileSync(file, JSON.stringify(answers));
    const done = await world.remit(ANA, 'register', '--answers', file);
    assert.notEqual(done.code, 6, done.out);
    assert.equal((await world.remit(null, 'identity', 'show', 'ticket-reader')).code, 3);
    return done;
  };
  assert.equal((await world.remit(ANA, 'register')).code, 2);
  assert.match((await refused({ ...ANSWERS, class: 'anything' })).err, /anything is no answer/);
  assert.match((await refused({ ...ANSWERS, impact: undefined })).err, /impact is missing/);
  assert.match((await refused({ ...ANSWERS, tools: ['files/nothing'] })).err, /tools is no answer/);
  const nobody = await world.remit(null, 'register', '--answers', file);
  assert.equal(nobody.code, 1, nobody.err);
  writeFileSync(file, JSON.stringify(ANSWERS));
  const shown = await world.json(ANA, 'register', '--answers', file, '--dry-run');
  assert.equal(shown.owner, ANA);
  assert.equal((await world.remit(null, 'identity', 'show', 'ticket-reader')).code, 3);
  const done = await world.remit(ANA, 'register', '--answers', file);
  assert.equal(done.code, 6, done.err);
  assert.match(done.err, /when +read files\/read_text_file/);
  assert.match(done.out, /ticket-reader is proposed/);
  const { waiting } = await world.json(ANA, 'identity', 'show', 'ticket-reader');
  assert.equal(waiting.object.review, '180d');
  assert.deepEqual(waiting.object['data-sources'], [{ name: 'tickets', 'up-to': 'internal' }]);
  await world.must(BO, 'identity', 'approve', 'ticket-reader', '--yes');
});

const typed = async (script, more = []) => {
  const file = world.path('typed.json');
  writeFileSync(file, JSON.stringify(script));
  const home = world.path('people', ANA);
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: '1' };
  const program = join(process.env.REMIT_BUILD ?? join(here, '..', '..', 'build'), 'remit');
  return run('python3', [join(here, 'support', 'typed.py'), file, program, '--data', world.dir,
    'register', ...more], { env, cwd: world.dir, ms: 70_000 });
};
// Each prompt of a use case of low risk, with what is typed; empty takes what stands there.
const TYPED = [
  ['Name:', 'night-reader'], ['What is it for', 'Tell the night shift what came in'],
  ['Unit [support]:', ''], ['Class [retrieve]:', ''], ['Risk if it goes wrong [low]:', ''],
  ['Backup owner [', BO], ['Tools, with commas between', 'files/read_text_file'],
  ['Data sources [', 'tickets'], ['Environments [staging]:', ''],
  ['Most sensitive data it may tell [internal]:', ''],
  ['What happens to whom', 'They read the tickets themselves'], ['Last day [', ''],
];

test('a person is asked twelve questions, breaks off, and goes on there', async () => {
  const broken = await typed([...TYPED.slice(0, 5), ['Backup owner [', '^C']]);
  assert.notEqual(broken.code, 0, broken.out);
  assert.equal((await world.remit(null, 'identity', 'show', 'night-reader')).code, 3);
  const kept = JSON.parse(readFileSync(world.path('remit-register.json'), 'utf8'));
  assert.equal(kept.name, 'night-reader');
  assert.equal(kept.risk, 'low');
  const begun = process.hrtime.bigint();
  const done = await typed([...TYPED.slice(5), ['Propose it (p)', '2'],
    ['What is it for', 'Tell the night shift what came in since noon'], ['Propose it (p)', 'p']]);
  assert.equal(done.code, 6, done.out);
  console.log(`# ${TYPED.length} questions; the last seven and the proposal took ${
    (Number(process.hrtime.bigint() - begun) / 1e9).toFixed(1)} s of a program typing`);
  assert.match(done.out, /What it may do, once it is in force:/);
  assert.ok(!existsSync(world.path('remit-register.json')), 'the answers are left');
  const { waiting } = await world.json(ANA, 'identity', 'show', 'night-reader');
  assert.equal(waiting.object.purpose, 'Tell the night shift what came in since noon');
});

test('what guardrails forbid is shown before it is proposed', async () => {
  const file = world.path('forbidden.json');
  writeFileSync(file, JSON.stringify({ ...ANSWERS, name: 'far-reader', environments: ['dev'] }));
  const done = await world.remit(ANA, 'register', '--answers', file);
  assert.notEqual(done.code, 6);
  assert.match(done.err, /environment/);
});
