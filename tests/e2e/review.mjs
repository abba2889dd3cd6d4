// Access reviews, end to end: a frozen snapshot, people who judge it, and what they take away
// taken in the same record: what the report says is what `remit can` and calls say.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { ask, keyOf, signature } from './support/person.mjs';

const ADI = 'adi@example.com';
const ANA = 'ana@example.com';
const BO = 'bo@example.com';
const DAN = 'dan@example.com';
const REX = 'rex@example.com';
const RHEA = 'rhea@example.com';
const SUMMARISER = 'support-summariser';
let world;

const person = (name, unit, roles) =>
  `---\nobject: person\nname: ${name}\nunit: ${unit}\nroles: [${roles}]\n`;

before(async () => {
  world = await World.start({
    change: (files) => {
      const file = 'charters/00-organisation.yaml';
      files.set(file, files.get(file) + person(REX, 'support', 'reviewer') +
        person(RHEA, 'org', 'reviewer'));
    },
  });
  await world.letIn(REX);
  await world.letIn(RHEA);
});
after(async () => { await world?.stop(); });

const start = (who, ...scope) => world.remit(who, 'review', 'start', ...scope, '-o', 'json');
const started = async (who, ...scope) => {
  const done = await start(who, ...scope);
  assert.equal(done.code, 0, done.out + done.err);
  return JSON.parse(done.out);
};
const itemsOf = async (id, who = null, ...more) =>
  (await world.json(who, 'review', 'show', id, ...more)).items;
const find = (items, identity, title) => {
  const found = items.find(({ item }) => item.identity === identity && item.title === title);
  assert.ok(found, `no item ${identity} ${title}`);
  return found;
};
const decide = (who, id, ...words) => world.remit(who, 'review', 'decide', id, '--yes', ...words,
  '-o', 'json');
const decided = async (who, id, ...words) => {
  const done = await decide(who, id, ...words);
  assert.equal(done.code, 0, done.out + done.err);
  return JSON.parse(done.out);
};
const agentOf = async (identity, server = 'files') => {
  const { token } = await world.openTask(identity, server);
  return new Agent(world.mcp(server), token).connect();
};
const lines = async (identity) => (await world.json(null, 'identity', 'show', identity))
  .object.entitlements.map(({ effect, tool, resource }) => `${effect} ${tool ?? resource}`);

test('what is no scope is refused, by name', async () => {
  const none = await start(REX);
  assert.equal(none.code, 2, none.out + none.err);
  assert.match(none.err, /unit, risk, owner, identity or all/);
  const unit = await start(RHEA, '--unit', 'suport');
  assert.equal(unit.code, 3, unit.err);
  assert.match(unit.err, /support/);
  assert.equal((await start(RHEA, '--identity', 'nobody-here')).code, 3);
  assert.match((await start(RHEA, '--unit', 'support', '--risk', 'huge')).err, /low, medium/);
  const days = await start(RHEA, '--unit', 'support', '--days', '91');
  assert.match(days.err, /1 to 90/);
  const person404 = await start(RHEA, '--unit', 'support', '--reviewer', 'nobody@example.com');
  assert.equal(person404.code, 3, person404.err);
  const empty = await start(RHEA, '--unit', 'platform');
  assert.equal(empty.code, 3, empty.out + empty.err);
  assert.match(empty.err, /nothing is in this scope/);
});

test('who has no business with a unit starts no review of it', async () => {
  const done = await start(DAN, '--unit', 'support');
  assert.equal(done.code, 1, done.out);
  assert.match(done.err, /a reviewer or approver of support/);
  assert.equal((await start(REX, '--all')).code, 1, 'of all, by one of support');
});

let review;
test('a snapshot has each line, its evidence and its hash', async () => {
  const agent = await agentOf(SUMMARISER);
  const said = await agent.call('read_text_file', { path: 'tickets/41.txt' });
  await agent.close();
  assert.ok(said.done || said.text, 'a call');
  review = await started(REX, '--unit', 'support', '--name', 'autumn');
  assert.equal(review.stage, 'open');
  assert.match(review.snapshot, /^sha256:[0-9a-f]{64}$/);
  const items = await itemsOf(review.id);
  assert.equal(items.length, review.items);
  const read = find(items, SUMMARISER, 'read files/read_text_file').item;
  assert.ok(read.use.uses >= 1, JSON.stringify(read.use));
  assert.equal(read.advice, 'keep', read.because);
  const explain = find(items, SUMMARISER, 'read glossary/explain').item;
  assert.equal(explain.use.uses, 0);
  assert.equal(explain.advice, 'look', 'new, and not used yet');
  assert.ok(items.every(({ item }) => item.weight > 0));
  assert.ok(items.some(({ item }) => item.kind === 'credential' && item.use.uses > 0));
  const bytes = `[${items.map(({ item }) => canonical(item)).join(',')}]`;
  assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, review.snapshot);
});

// RFC 8785 of what has no fractions.
const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) =>
    `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
};

test('strangers, administrators and other units decide nothing of it', async () => {
  const { number } = find(await itemsOf(review.id), SUMMARISER, 'read glossary/explain');
  for (const who of [ADI, DAN]) {
    const done = await decide(who, review.id, '--items', String(number), '--revoke');
    assert.equal(done.code, 1, `${who}: ${done.out}${done.err}`);
    assert.match(done.err, /You may not do this/);
  }
  assert.ok((await lines(SUMMARISER)).includes('read glossary/explain'));
});

test('what is no decision is refused', async () => {
  const many = await decide(REX, review.id, '--items', '1-300', '--keep');
  assert.equal(many.code, 2, many.err);
  const far = await decide(REX, review.id, '--items', '9999', '--keep');
  assert.equal(far.code, 3, far.err);
  const two = await decide(REX, review.id, '--items', '1', '--keep', '--revoke');
  assert.equal(two.code, 2);
  const both = await decide(REX, review.id, '--items', '1', '--filter', 'risk=low', '--keep');
  assert.equal(both.code, 2);
  const word = await decide(REX, review.id, '--filter', 'colour=red', '--keep');
  assert.equal(word.code, 2);
  const { number } = find(await itemsOf(review.id), SUMMARISER, 'read glossary/explain');
  const reduce = await decide(REX, review.id, '--items', String(number), '--reduce');
  assert.equal(reduce.code, 2, reduce.out);
  assert.match(reduce.err, /nothing to reduce/);
});

test('who owns it keeps nothing alone', async () => {
  const { number } = find(await itemsOf(review.id), 'ticket-filer', 'write files/move_file');
  await decided(ANA, review.id, '--items', String(number), '--keep');
  const now = find(await itemsOf(review.id), 'ticket-filer', 'write files/move_file');
  assert.equal(now.state, 'agreed');
  await decided(BO, review.id, '--items', String(number), '--keep');
  assert.equal(find(await itemsOf(review.id), 'ticket-filer', 'write files/move_file').state,
    'agreed', 'two owners are no reviewer');
  const again = await decided(ANA, review.id, '--items', String(number), '--keep');
  assert.equal(again.already, 1, 'said twice is said once');
  await decided(REX, review.id, '--items', String(number), '--keep');
  assert.equal(find(await itemsOf(review.id), 'ticket-filer', 'write files/move_file').state,
    'kept');
});

test('what is revoked is gone at once, for tasks under way, too', async () => {
  const agent = await agentOf(SUMMARISER);
  const { number } = find(await itemsOf(review.id), SUMMARISER, 'read files/read_text_file');
  const answer = await decided(REX, review.id, '--items', String(number), '--trial-revoke',
    '--reason', 'not needed');
  assert.equal(answer.decided, 1);
  const refused = await agent.call('read_text_file', { path: 'tickets/41.txt' });
  assert.ok(!refused.done, JSON.stringify(refused));
  assert.ok(!(await lines(SUMMARISER)).includes('read files/read_text_file'));
  const record = (await world.json(null, 'trace', String(answer.index))).record ??
    (await world.json(null, 'trace', String(answer.index))).items[0].record;
  assert.equal(record.type, 'review-decided');
  assert.equal(record.changes[0].name, SUMMARISER, 'decision and charter are one record');
  const stranger = await world.remit(DAN, 'review', 'restore', review.id, String(number));
  assert.equal(stranger.code, 1, stranger.out);
  const back = await world.remit(REX, 'review', 'restore', review.id, String(number));
  assert.equal(back.code, 0, back.out + back.err);
  const allowed = await agent.call('read_text_file', { path: 'tickets/41.txt' });
  await agent.close();
  assert.ok(allowed.done, JSON.stringify(allowed));
  assert.equal(find(await itemsOf(review.id), SUMMARISER, 'read files/read_text_file').state,
    'restored');
});

test('what changed since the snapshot must be looked at again', async () => {
  const { number } = find(await itemsOf(review.id), SUMMARISER, 'read glossary/explain');
  const file = world.path('changed.yaml');
  writeFileSync(file, world.charter(`charters/50-${SUMMARISER}.yaml`)
    .replace('tool: glossary/explain}', 'tool: glossary/explain, uses: 3}'));
  await world.apply(ANA, '-f', file);
  await world.must(BO, 'identity', 'approve', SUMMARISER, '--yes');
  const done = await decide(REX, review.id, '--items', String(number), '--keep');
  assert.equal(done.code, 4, done.out + done.err);
  assert.match(done.err, /changed since the snapshot/);
});

test('who starts one hears 202: it is on record once it is open', async () => {
  const wish = { method: 'POST', target: '/v1/reviews',
    body: JSON.stringify({ identity: SUMMARISER, name: 'soon' }) };
  const answer = await ask(world, { ...wish,
    headers: { Authorization: signature(world, keyOf(world, REX), REX, wish) } });
  assert.equal(answer.status, 202, answer.text);
  const begun = JSON.parse(answer.text);
  assert.equal(begun.stage, 'gathering');
  assert.ok(await eventually(async () => (await world.json(null, 'review', 'list')).items
    .some(({ id, stage }) => id === begun.review && stage === 'open')));
});

test('a proposal that would give it back is void', async () => {
  const small = await started(REX, '--identity', 'ticket-filer');
  const file = world.path('wider.yaml');
  writeFileSync(file, world.charter('charters/50-ticket-filer.yaml')
    .replace('limits: {task: 15m', 'limits: {task: 30m'));
  await world.apply(ANA, '-f', file);
  const { number } = find(await itemsOf(small.id), 'ticket-filer', 'write files/move_file');
  await decided(REX, small.id, '--items', String(number), '--revoke');
  const shown = await world.json(null, 'identity', 'show', 'ticket-filer');
  assert.equal(shown.waiting, undefined);
  assert.deepEqual(await lines('ticket-filer'), ['read files/read_text_file']);
});

test('bulk is for low risk', async () => {
  const done = await decide(REX, review.id, '--filter', 'identity=ticket-filer', '--keep');
  assert.equal(done.code, 1, done.out);
  assert.match(done.out, /its risk is medium: it is decided one by one/);
  const answer = await decide(REX, review.id, '--filter', 'risk=low,state=open', '--keep');
  assert.match(answer.out, /"decided"/);
  const left = (await itemsOf(review.id)).filter(({ item, state }) =>
    item.risk === 'low' && state === 'open');
  assert.ok(left.every(({ item }) => item.title.includes('glossary')), JSON.stringify(left));
});

test('high risk takes two, and delegation goes round in no circle', async () => {
  const high = await started(RHEA, '--identity', 'deployer', '--reviewer', RHEA);
  const title = 'execute deploy-prod/trigger-long-running-operation';
  const { number } = find(await itemsOf(high.id), 'deployer', title);
  await decided(RHEA, high.id, '--items', String(number), '--keep');
  assert.equal(find(await itemsOf(high.id), 'deployer', title).state, 'agreed');
  const outsider = await decide(REX, high.id, '--items', String(number), '--keep');
  assert.equal(outsider.code, 1, 'not named, and of another unit');
  const admin = await world.remit(RHEA, 'review', 'delegate', high.id, '--to', ADI);
  assert.equal(admin.code, 1);
  assert.match(admin.err, /an administrator does not stand in/);
  await world.must(RHEA, 'review', 'delegate', high.id, '--to', REX);
  const round = await world.remit(REX, 'review', 'delegate', high.id, '--to', RHEA);
  assert.equal(round.code, 4, round.out);
  assert.match(round.err, /circle/);
  await decided(REX, high.id, '--items', String(number), '--keep');
  assert.equal(find(await itemsOf(high.id), 'deployer', title).state, 'agreed',
    'whoever stands in for somebody is not a second person');
});

test('the report is what is enforced, and is proven offline once all is settled', async () => {
  const small = await started(RHEA, '--identity', 'incident-opener', '--reviewer', RHEA);
  assert.ok(small.items > 0);
  let open = (await itemsOf(small.id, RHEA)).filter(({ state }) => state === 'open');
  assert.ok(open.every(({ yours }) => yours));
  const numbers = open.map(({ number }) => number);
  await decided(RHEA, small.id, '--items', numbers.join(','), '--revoke');
  const file = world.path('report.json');
  assert.ok(await eventually(async () =>
    (await world.json(null, 'review', 'list')).items.find(({ id }) => id === small.id).stage ===
      'closed'));
  const page = world.path('report.html');
  await world.must(null, 'review', 'report', small.id, '--out', file, '--html', page);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(report.final, true);
  assert.equal(report.risk.removed, report.risk.before, 'all was taken');
  assert.equal(report.items.length, small.items);
  assert.deepEqual(await world.json(null, 'identity', 'show', 'incident-opener').then(
    ({ object }) => object.entitlements ?? []), []);
  const can = await world.json(null, 'can', 'incident-opener');
  assert.ok((can.entitlements ?? []).length === 0, JSON.stringify(can));
  const shown = await world.json(null, 'review', 'list');
  const closed = shown.items.find(({ id }) => id === small.id);
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  assert.equal(closed.report, `sha256:${digest}`);
  const html = readFileSync(page, 'utf8');
  assert.ok(html.includes(digest) && !/<script/i.test(html));
  const receipt = world.path('report.receipt');
  assert.ok(await eventually(async () => (await world.remit(null, 'audit', 'prove',
    String(closed.closed_record), '--out', receipt)).code === 0));
  const proven = await world.verifier('--report', file, receipt);
  assert.equal(proven.code, 0, proven.out + proven.err);
  appendFileSync(file, ' ');
  assert.equal((await world.verifier('--report', file, receipt)).code, 1, 'one byte more');
});

test('the example of the page runs as it stands', async () => {
  const page = readFileSync(new URL('../../docs/reviews.md', import.meta.url), 'utf8');
  const example = /```sh\n([\s\S]*?)```/.exec(page)[1];
  const home = world.path('people', REX);
  const done = await run('sh', ['-e', '-c', example], {
    cwd: world.path('desk'),
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: '1', DATA: world.dir,
      UNIT: 'support', PATH: `${process.env.REMIT_BUILD ?? 'build'}:${process.env.PATH}` },
  });
  assert.equal(done.code, 0, done.out + done.err);
  assert.match(done.out, /recommended/);
  assert.equal(JSON.parse(readFileSync(world.path('desk', 'report.json'), 'utf8')).final, false);
});

test('what was restored after the report is said beside it, and not in it', async () => {
  const small = await started(REX, '--identity', 'ticket-filer');
  const numbers = (await itemsOf(small.id, REX)).map(({ number }) => number);
  await decided(REX, small.id, '--items', numbers.join(','), '--trial-revoke',
    '--reason', 'not needed');
  assert.ok(await eventually(async () =>
    (await world.json(null, 'review', 'list')).items.find(({ id }) => id === small.id).stage ===
      'closed'));
  const [first, second, page] = ['first.json', 'second.json', 'second.html'].map(
    (name) => world.path(name));
  const before = await world.remit(null, 'review', 'report', small.id, '--out', first);
  assert.equal(before.code, 0, before.err);
  assert.doesNotMatch(before.out, /states_now/);
  await world.must(REX, 'review', 'restore', small.id, String(numbers[0]));
  const after = await world.remit(null, 'review', 'report', small.id, '--out', second,
    '--html', page);
  assert.equal(after.code, 0, after.err);
  assert.match(after.out, /states_now.*\n?.*restored/);
  assert.match(readFileSync(page, 'utf8'), /Items by now, after this report:.*restored 1/);
  assert.deepEqual(readFileSync(second), readFileSync(first), 'it stays what is on record');
});

test('a review survives a kill of the daemon and the loss of the store', async () => {
  const list = async () => (await world.json(null, 'review', 'list')).items.filter(
    ({ stage }) => stage !== 'failed'); // of which nothing is on record
  const before = await list();
  assert.ok(before.length > 3);
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  assert.deepEqual(await list(), before);
  await world.killDaemon();
  await world.spawnDaemon();
  assert.deepEqual(await list(), before, 'from the store');
});
