// Policies before they are in force: check, test, diff, publish and replay, with the
// real programs, on the log that the governed stories leave.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { Teller } from '../../examples/stories/lib/report.mjs';
import { STORY_GUARDRAILS, World } from '../../examples/stories/lib/world.mjs';
import { stories } from '../../examples/stories/stories.mjs';
import { ask } from './support/person.mjs';

const charters = resolve(dirname(fileURLToPath(import.meta.url)), '../../examples/charters');
const ADI = 'adi@example.com';
const BO = 'bo@example.com';
const EVA = 'eva@example.com';
let world;

const shown = (name) => world.json(null, 'policy', 'show', name);

const write = (folder, files) => {
  rmSync(world.path(folder), { recursive: true, force: true });
  mkdirSync(world.path(folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(world.path(folder, name), text);
  return world.path(folder);
};

const guardrail = (name, condition, head = 'principal, action, resource') => `object: policy
name: ${name}
level: mandatory
text: |
  forbid (${head})
  when { ${condition} };
`;

const replay = async (...words) => {
  const done = await world.remit(null, 'policy', 'replay', '-o', 'json', ...words);
  return { ...done, report: done.out === '' ? null : JSON.parse(done.out) };
};

before(async () => {
  world = await World.start({ guardrails: STORY_GUARDRAILS });
  for (const story of stories) await story.run(world, new Teller(true), false);
});
after(async () => {
  await world?.stop();
});

test('a misspelt attribute is refused where it stands, offline and by the daemon', async () => {
  const folder = write('bad', { 'a.yaml': guardrail('org/bad', 'resource.enviroment == "prod"') });
  const checked = await world.remit(null, 'policy', 'check', folder, '--data', '/nonexistent');
  assert.equal(checked.code, 1);
  assert.match(checked.err, /a\.yaml:6: error: policy org\/bad: text: line 2, column 8: /);
  assert.match(checked.err, /\n {4}when \{ resource\.enviroment == "prod" \};\n {11}\^~+\n/);
  assert.match(checked.err, /hint: did you mean `environment`\?/);
  const planned = await world.remit(ADI, 'plan', '-f', folder);
  assert.equal(planned.code, 1);
  assert.match(planned.err, /line 2, column 8: /);
  const applied = await world.remit(ADI, 'apply', '-f', folder, '--yes');
  assert.equal(applied.code, 1);
  const shown = await world.remit(null, 'policy', 'show', 'org/bad');
  assert.equal(shown.code, 3, 'nothing of it is in force');
  const json = await world.remit(null, 'policy', 'check', folder, '-o', 'json');
  assert.equal(JSON.parse(json.out).findings[0].code, 'unknown_attribute');
});

test('a set that cannot be loaded leaves the old one in force', async () => {
  const folder = write('half', {
    'a.yaml': guardrail('org/good', 'context.environment == "prod"'),
    'b.yaml': guardrail('org/no-prod-from-staging', 'resource.unit > 1'),
  });
  const before = (await world.must(null, 'policy', 'list', '-o', 'json'));
  const applied = await world.remit(ADI, 'apply', '-f', folder, '--yes');
  assert.equal(applied.code, 1);
  assert.match(applied.err, /nothing was applied/);
  assert.equal(await world.must(null, 'policy', 'list', '-o', 'json'), before);
});

test('a policy in force is checked by its name', async () => {
  const done = await world.remit(null, 'policy', 'check', 'org/no-prod-from-staging');
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^1 policy, 0 errors, 0 warnings$/m);
  assert.equal((await world.remit(null, 'policy', 'check', 'org/none')).code, 3);
  assert.equal((await world.remit(null, 'policy', 'check')).code, 2);
});

test('cases pass, fail with what was expected and what came, and are counted', async () => {
  const folder = write('cases', {
    'a.yaml': guardrail('org/tickets', 'context.labels.untrusted && resource.effect == "write"'),
    'a.test.yaml': `test: who has read what strangers wrote writes nothing
identity: incident-opener
tool: memory/create_entities
labels: {sensitivity: internal, untrusted: true}
approvals: [owner]
expect: deny
reason: forbidden
policy: org/tickets
---
test: else the owner is asked
identity: incident-opener
tool: memory/create_entities
expect: ask
asks: [owner]
---
test: a request of its own
request: {resource: {effect: write}, context: {labels: {untrusted: true}}}
expect: deny
policy: org/tickets
`,
  });
  const good = await world.remit(null, 'policy', 'test', folder, '-f', charters);
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /^6 passed, 0 failed$/m);
  const text = readFileSync(world.path('cases', 'a.test.yaml'), 'utf8');
  writeFileSync(world.path('cases', 'a.test.yaml'), text.replace('expect: ask', 'expect: allow'));
  const bad = await world.remit(null, 'policy', 'test', folder, '-f', charters);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /^5 passed, 1 failed$/m);
  assert.match(bad.err, /a\.test\.yaml:10: else the owner is asked\n {4}expected .*"allow"/);
  assert.match(bad.err, /got +\{.*"verdict":"ask"/);
  writeFileSync(world.path('cases', 'a.test.yaml'),
    text.replace('tool: memory/create_entities', 'tool: memory/create_entitys'));
  const slip = await world.remit(null, 'policy', 'test', folder, '-f', charters);
  assert.equal(slip.code, 1);
  assert.match(slip.err,
    /a\.test\.yaml:3: .*\n.*\n.*is named memory\/create_entitys; did you mean/);
  writeFileSync(world.path('cases', 'a.test.yaml'), text);
});

test('what governance cost people is told by unit and risk, as the log has it', async () => {
  const { code, out, err } = await world.remit(null, 'report', 'friction', '-o', 'json');
  assert.equal(code, 0, err);
  const report = JSON.parse(out);
  const found = await world.remit(ADI, 'audit', 'export', '--type', 'decision');
  const decisions = found.out.trim().split('\n').map((line) => JSON.parse(line));
  const sum = (name) => report.groups.reduce((total, group) => total + group[name], 0);
  const having = (word) => decisions.filter(({ record }) => record.verdict === word).length;
  assert.equal(report.decisions, decisions.length);
  assert.deepEqual([sum('allowed'), sum('denied'), sum('asked')],
    [having('allow'), having('deny'), having('ask')]);
  assert.ok(sum('answered') > 0 && sum('waited_ms') > 0, out);
  const none = await world.remit(null, 'report', 'friction', '--unit', 'nobody');
  assert.match(none.err, /no unit is named nobody\n/);
  assert.deepEqual([none.code, none.out], [3, '']);
  const slip = await world.remit(null, 'report', 'friction', '--unit', 'suport');
  assert.match(slip.err, /no unit is named suport; did you mean support\?/);
  assert.equal(slip.code, 3);
  const table = await world.remit(null, 'report', 'friction');
  assert.match(table.out, /^unit +risk +decisions +allowed /);
});

test('what was in force gives exactly what is on record', async () => {
  const { code, report, err } = await replay();
  assert.equal(code, 0, err);
  assert.ok(report.decisions > 10, `${report.decisions} decisions`);
  assert.equal(report.replayed, report.decisions);
  assert.equal(report.changed, 0);
  assert.equal(report.undated, 0);
  assert.deepEqual(report.not_replayed, {});
});

test('the verifier makes every decision of the log again, and none differs', async () => {
  const { code, report, err } = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(code, 0, err + JSON.stringify(report?.replay));
  assert.equal(report.sound, true);
  assert.equal(report.replay.result, 'all');
  assert.ok(report.replay.decisions > 10, `${report.replay.decisions} decisions`);
  assert.equal(report.replay.replayed, report.replay.decisions);
  assert.deepEqual(report.replay.differences, []);
});

test('without the keys the verifier says what it could not replay', async () => {
  const { code, report } = await world.verify('--replay');
  assert.equal(code, 2);
  assert.equal(report.sound, true);
  assert.equal(report.replay.result, 'some');
  assert.equal(report.replay.replayed, 0);
  assert.deepEqual(report.replay.not_replayed, { sealed: report.replay.decisions });
});

test('the same set as a candidate changes nothing', async () => {
  const folder = world.path('same');
  mkdirSync(folder);
  cpSync(`${charters}/40-policies.yaml`, `${folder}/40-policies.yaml`);
  for (const file of STORY_GUARDRAILS) {
    cpSync(`${charters}/../guardrails/${file}`, `${folder}/${file}`);
  }
  const { code, report } = await replay('--candidate', folder);
  assert.equal(code, 0);
  assert.equal(report.changed, 0);
  const pruned = await replay('--candidate', folder, '--prune');
  assert.equal(pruned.report.changed, 0);
});

test('a candidate shows what it would refuse, by identity, tool and policy', async () => {
  const folder = write('candidate', {
    'a.yaml': guardrail('org/no-tickets',
      'context.args has path && context.args.path like "tickets/*"',
      'principal, action, resource == Tool::"files/read_text_file"'),
  });
  const { code, report } = await replay('--candidate', folder);
  assert.equal(code, 1);
  assert.ok(report.changed > 0);
  assert.equal(report.replayed, report.decisions);
  assert.equal(report.policies[0].name, 'org/no-tickets');
  assert.equal(report.policies[0]['allow to deny'], report.changed);
  assert.equal(report.examples[0].after.reason, 'forbidden');
  const one = await replay('--candidate', folder, '--identity', 'deployer');
  assert.equal(one.report.changed, 0);
  assert.ok(one.report.decisions < report.decisions);
  const later = await replay('--candidate', folder, '--since', '2100-01-01');
  assert.equal(later.report.decisions, 0);
  assert.equal(later.code, 0);
  const slip = await replay('--candidate', folder, '--identity', 'deployr');
  assert.equal(slip.code, 3);
  assert.deepEqual(slip.report.unknown_identity, { name: 'deployr', nearest: 'deployer' });
  assert.match(slip.err, /nothing on record is of an identity deployr; did you mean deployer\?/);
  const shown = await world.remit(null, 'policy', 'replay', '--candidate', folder);
  assert.match(shown.out, /would change/);
  assert.match(shown.out, /support-summariser: allow to deny \d+/);
});

test('a candidate that is not valid is not replayed', async () => {
  const { code, report } = await replay('--candidate', world.path('bad'));
  assert.equal(code, 1);
  assert.equal(report.errors, 1);
  assert.equal((await replay('--data', '/nonexistent')).code, 3);
});

test('a text without a name, or no object at all, is no candidate', async () => {
  const text = write('nameless', { 'all.cedar': 'forbid (principal, action, resource);\n' });
  for (const words of [['replay', '--candidate', text], ['diff', text], ['test', text]]) {
    const refused = await world.remit(null, 'policy', ...words);
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.err,
      /all\.cedar: a `\.cedar` text has no name; write it as `object: policy`/);
  }
  assert.equal((await world.remit(null, 'policy', 'check', text)).code, 0);
  const cases = write('cases-alone', { 'a.test.yaml': 'test: a\nrequest: {}\nexpect: allow\n' });
  const empty = await replay('--candidate', cases);
  assert.equal(empty.code, 2);
  assert.match(empty.err, /cases-alone: holds no object/);
});

test('it reads a log without its daemon, and writes nothing', async () => {
  const list = () => readdirSync(world.path('audit', 'segments')).map((name) => [name,
    readFileSync(world.path('audit', 'segments', name)).toString('base64')]);
  const was = list();
  assert.equal((await replay()).code, 0);
  assert.deepEqual(list(), was);
});

test('diff and publish: what changes, and only what passes', async () => {
  const folder = write('new', {
    'a.yaml': guardrail('org/night', 'context.task.depth > 3'),
    'b.yaml': readFileSync(`${charters}/40-policies.yaml`, 'utf8')
      .replace('forbid (principal, action', 'forbid(  principal,   action'),
  });
  const diff = JSON.parse(await world.must(null, 'policy', 'diff', folder, '-o', 'json'));
  assert.deepEqual(diff.policies.map(({ name, action }) => [name, action]),
    [['org/night', 'create'], ['org/no-prod-from-staging', 'form']]);
  const pruned = await world.must(null, 'policy', 'diff', world.path('cases'), '--prune');
  assert.match(pruned, /^- policy org\/no-prod-from-staging$/m);

  writeFileSync(world.path('new', 'b.yaml'), 'object: policy\nname: [\n');
  for (const command of ['diff', 'publish']) {
    const broken = await world.remit(ADI, 'policy', command, folder, '-o', 'json', '--yes');
    assert.equal(broken.code, 1, broken.err);
    assert.equal(JSON.parse(broken.out).findings[0].line, 3);
  }
  rmSync(world.path('new', 'b.yaml'));
  const untested = await world.remit(ADI, 'policy', 'publish', folder, '--yes');
  assert.equal(untested.code, 1);
  assert.match(untested.err, /there is no case/);
  writeFileSync(world.path('new', 'a.test.yaml'), `test: deep tasks do nothing
request: {context: {task: {depth: 4}}}
expect: allow
`);
  const failing = await world.remit(ADI, 'policy', 'publish', folder, '--yes');
  assert.equal(failing.code, 1);
  assert.equal((await world.remit(null, 'policy', 'show', 'org/night')).code, 3);
  writeFileSync(world.path('new', 'a.test.yaml'), `test: deep tasks do nothing
request: {context: {task: {depth: 4}}}
expect: deny
`);
  const proposed = await world.remit(ADI, 'policy', 'publish', folder, '--yes');
  assert.equal(proposed.code, 6, proposed.err);
  assert.match(proposed.out, /^\+ policy org\/night {2}\(another person must approve\)$/m);
  assert.match(proposed.out, /^proposed, record #/m);
  assert.match(proposed.err, /remit policy approve org\/night \(eva@example\.com may\)/);
  assert.equal((await shown('org/night')).version, undefined, 'it is not in force');
  assert.match((await shown('org/night')).waiting.proposed_at, /^\d{4}-\d\d-\d\dT[0-9:.]{12}Z$/);
  const again = await world.remit(ADI, 'policy', 'publish', folder, '--yes');
  assert.equal(again.code, 6);
  assert.match(again.out, /nothing to change/);
  assert.match(again.err, /It waits for another person: remit policy approve org\/night \(eva@/);
  assert.match(again.err, /eva@example\.com may\), proposed by person:adi@example\.com$/m);
  const published = await world.remit(EVA, 'policy', 'publish', folder, '--yes');
  assert.equal(published.code, 0, published.err);
  assert.match(published.out, /\(approves what another person proposed\)/);
  assert.match(published.out, /applied, record #/);
  assert.equal((await shown('org/night')).version, 1);
  assert.equal((await world.remit(ADI, 'policy', 'publish', folder, '--yes')).code, 0);
  const charter = await world.remit(ADI, 'policy', 'publish', charters, '--yes');
  assert.equal(charter.code, 2);
});

test('nobody puts a guardrail in force alone, by any door', async () => {
  const folder = write('alone', {
    'a.yaml': guardrail('support/alone', 'context.task.depth > 5'),
    'a.test.yaml': 'test: deep\nrequest: {principal: {unit: support}, ' +
      'context: {task: {depth: 6}}}\nexpect: deny\n',
  });
  assert.equal((await world.remit(ADI, 'policy', 'publish', folder, '--yes')).code, 6);
  const entry = await shown('support/alone');
  assert.equal(entry.waiting.proposed_by, `person:${ADI}`);
  assert.equal(entry.waiting.cases_passed, 1);
  assert.match(entry.waiting.digest, /^sha256:[0-9a-f]{64}$/);
  const own = await world.remit(ADI, 'policy', 'approve', 'support/alone', '--yes');
  assert.equal(own.code, 1);
  assert.equal(own.out, '', 'who may not is told before anything is shown');
  const seen = await world.remit(BO, 'policy', 'approve', 'support/alone');
  assert.equal(seen.code, 1, 'there is no terminal to ask on');
  assert.match(seen.out, /^add policy support\/alone, version 1, proposed by person:adi@/m);
  assert.match(seen.out, /^ {4}\+ when \{ context\.task\.depth > 5 \};$/m);
  assert.match(own.err, /who proposed it may not approve it; another person must/);
  // Nor by the socket, nor an agent with its token, nor from another unit.
  const { token } = await world.openTask('support-summariser', 'files');
  const body = '{"version":1}';
  const target = '/v1/policies/support/alone/approve';
  const headers = { 'If-Match': `"${entry.revision}"` };
  for (const request of [{ isSocket: true, headers },
    { headers: { ...headers, Authorization: `Bearer ${token}` } },
    { isSocket: true, headers: { ...headers, Authorization: `Bearer ${token}` } }]) {
    const answer = await ask(world, { method: 'POST', target, body, ...request });
    assert.ok([401, 403].includes(answer.status), `${answer.status} ${answer.text}`);
  }
  const fay = await world.remit('fay@example.com', 'policy', 'approve', 'support/alone', '--yes');
  assert.equal(fay.code, 1);
  const stale = await world.remit(BO, 'policy', 'approve', 'support/alone', '--yes',
    '--version', '2');
  assert.equal(stale.code, 4);
  assert.equal((await shown('support/alone')).version, undefined);
});

test('what waits is there after kill -9 and a lost store, and an approver puts it in force',
  async () => {
    const before = await shown('support/alone');
    await world.killDaemon();
    world.removeStore();
    await world.startDaemon();
    assert.deepEqual(await shown('support/alone'), before);
    await world.must(BO, 'policy', 'approve', 'support/alone', '--yes');
    assert.equal((await shown('support/alone')).version, 1);
  });

test('nobody removes a guardrail alone', async () => {
  const kept = write('kept', {
    'a.yaml': guardrail('org/night', 'context.task.depth > 3'),
    'a.test.yaml': 'test: deep\nrequest: {context: {task: {depth: 4}}}\nexpect: deny\n',
  });
  const everything = write('everything', { 'a.yaml': await world.must(null, 'export') });
  const text = readFileSync(`${everything}/a.yaml`, 'utf8').split(/^---$/m);
  writeFileSync(`${everything}/a.yaml`,
    text.filter((one) => !one.includes('support/alone')).join('---\n'));
  const pruned = await world.remit(ADI, 'apply', '-f', everything, '--prune', '--yes');
  assert.equal(pruned.code, 6, pruned.err);
  assert.match(pruned.out, /^- policy support\/alone {2}\(another person must approve\)$/m);
  assert.match(pruned.err, /remit policy approve support\/alone \(bo@/);
  const entry = await shown('support/alone');
  assert.equal(entry.version, 1);
  assert.equal(entry.waiting.removal, true);
  assert.equal((await world.remit(ADI, 'policy', 'approve', 'support/alone', '--yes')).code, 1);
  const own = write('own', {
    'a.yaml': guardrail('support/alone', 'context.task.depth > 5'),
    'a.test.yaml': 'test: deep\nrequest: {principal: {unit: support}, ' +
      'context: {task: {depth: 6}}}\nexpect: deny\n',
  });
  const waits = new RegExp('^Waits: remove policy support/alone, proposed by ' +
    'person:adi@example.com; what is given is in force until that is approved$', 'm');
  assert.match(await world.must(null, 'plan', '-f', own), waits);
  assert.match(await world.must(null, 'policy', 'diff', own), waits);
  assert.match(await world.must(BO, 'policy', 'publish', own, '--yes'), waits);
  assert.match(await world.must(null, 'policy', 'list'),
    /^support\/alone +\S+ +1 +proposed +remove +person:adi@/m);
  const rejected = await world.must(BO, 'policy', 'reject', 'support/alone', '--reason', 'needed');
  assert.match(rejected, /^remove policy support\/alone, version \d+, proposed by person:adi@/m);
  assert.match(rejected, /^ {4}- when \{ context\.task\.depth > 5 \};$/m);
  assert.doesNotMatch(rejected, /cases/, 'those of what stays are not its');
  assert.match(rejected, /^rejected, record #\d+$/m);
  assert.equal((await shown('support/alone')).waiting, undefined);
  assert.equal((await world.remit(ADI, 'policy', 'publish', kept, '--prune', '--yes')).code, 6);
  assert.equal((await shown('org/no-prod-from-staging')).version, 1);
  assert.equal((await world.remit(EVA, 'policy', 'publish', kept, '--prune', '--yes')).code, 0);
  const list = await world.json(null, 'policy', 'list');
  assert.deepEqual(list.items.map(({ name }) => name), ['org/night']);
});

test('a count of cases that could not be is refused', async () => {
  const plan = (cases) => ask(world, { method: 'POST', target: '/v1/plan', isSocket: true,
    body: JSON.stringify({ files: [], cases_passed: cases }) });
  assert.equal((await plan(10000)).status, 200);
  assert.equal((await plan(10001)).status, 400);
  assert.equal((await plan(-1)).status, 400);
});

test('a backup brings back what waits, and the log holds it all', async () => {
  const folder = write('last', {
    'a.yaml': guardrail('org/last', 'context.task.depth > 7'),
    'a.test.yaml': 'test: deep\nrequest: {context: {task: {depth: 8}}}\nexpect: deny\n',
  });
  assert.equal((await world.remit(ADI, 'policy', 'publish', folder, '--yes')).code, 6);
  const file = world.path('copy');
  await world.must(null, 'backup', file);
  const other = new World({ dir: world.path('restored') });
  const done = await world.remitWith({}, null, 'restore', file, '--data', other.dir, '--yes');
  assert.equal(done.code, 0, done.err);
  cpSync(world.path('people'), other.path('people'), { recursive: true });
  await other.startDaemon();
  try {
    for (const person of [ADI, EVA]) {
      await other.must(person, 'login', person, '--keep-key', '--yes');
    }
    assert.equal((await other.remit(ADI, 'policy', 'publish', folder, '--yes')).code, 6);
    await other.must(EVA, 'policy', 'approve', 'org/last', '--yes');
    assert.equal((await other.json(null, 'policy', 'show', 'org/last')).version, 1);
  } finally {
    await other.stop();
  }
  assert.equal((await shown('org/last')).version, undefined, 'the first is as it was');
  assert.equal((await replay()).code, 0);
  const checked = await world.verifier('--allow-tail', world.path('audit'));
  assert.equal(checked.code, 0, checked.out + checked.err);
});
