// remit why, can and who, and /v1 behind them: as people see them, and as programs.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ADMINISTRATOR, World } from '../../examples/stories/lib/world.mjs';

const READ = 'files/read_text_file';
let world;

// With the guardrail that looks into every call's arguments nothing is always allowed.
before(async () => {
  world = await World.start({ change: (files) => files.delete('guardrails/keep-secrets-in.yaml') });
});
after(async () => { await world?.stop(); });

const remit = (...args) => world.remit(null, ...args);

test('what is no question is refused as usage', async () => {
  for (const args of [
    ['why', 'support-summariser', 'read', READ, '--environment', 'moon'],
    ['why', 'support-summariser', 'eat', READ],
    ['why', 'support-summariser', 'read', 'files'],
    ['who', 'eat', READ], ['who', 'read', 'files'],
    ['can', 'support-summariser', '--limit', '0'], ['can', 'support-summariser', '--limit', '1001'],
  ]) {
    const done = await remit(...args);
    assert.equal(done.code, 2, `${args.join(' ')}: ${done.out}${done.err}`);
  }
  assert.equal((await remit('can', 'nobody')).code, 3);
});

test('a refusal is told to people in lines they can read', async () => {
  const done = await remit('why', 'support-summariser', 'read', READ, '--arguments',
    '{"path":"private/payroll.txt"}');
  assert.equal(done.code, 1, done.err);
  assert.match(done.out, /^verdict: deny$/m);
  assert.match(done.out, /charter\/support-summariser@\d+\/entitlements\/0/);
  assert.match(done.out, /false: context\.args\.path like .*tickets\/\*.* \(1:1\);/);
  assert.match(done.out, /context\.args\.path is .*payroll/);
  assert.match(done.out, /^change: .*argument path/m);
});

test('a rule that failed for want of arguments says to give them', async () => {
  const done = await remit('why', 'support-summariser', 'read', READ);
  assert.equal(done.code, 1, done.err);
  assert.match(done.out, /^reason: could_not_evaluate$/m);
  assert.match(done.err, /^The rules saw no arguments: give --arguments/m);
});

test('an allowed call has clauses and no change', async () => {
  const answer = await world.why('support-summariser', 'read', READ, { path: 'tickets/41.txt' },
    'staging');
  assert.equal(answer.verdict, 'allow');
  assert.equal(answer.change, undefined);
  assert.equal(answer.accounts[0].outcome, 'satisfied');
});

test('the change that is shown does what it says', async () => {
  const refused = await world.why('deployer', 'execute',
    'deploy-prod/trigger-long-running-operation', {}, 'staging');
  assert.equal(refused.reason, 'forbidden');
  assert.equal(refused.change.what, 'environment of the call');
  const turned = await world.why('deployer', 'execute',
    'deploy-prod/trigger-long-running-operation', {}, refused.change.to);
  assert.equal(turned.verdict, 'allow');
});

test('what two changes would need has none', async () => {
  const answer = await world.why('support-summariser', 'write', 'files/write_file', {}, 'staging');
  assert.equal(answer.verdict, 'deny');
  assert.equal(answer.change.kind, 'none');
});

test('can says never, when and always, a page at a time', async () => {
  const all = JSON.parse((await remit('can', 'deployer', '-o', 'json')).out);
  assert.ok(all.entitlements.length >= 3);
  const may = Object.fromEntries(all.items.map((item) => [item.tool, item.may]));
  assert.equal(may['deploy-staging/echo'], 'always');
  const first = JSON.parse((await remit('can', 'deployer', '--limit', '1', '-o', 'json')).out);
  assert.equal(first.items.length, 1);
  const rest = JSON.parse((await remit('can', 'deployer', '--after', first.next, '-o',
    'json')).out);
  assert.deepEqual([...first.items, ...rest.items], all.items);
  const table = await remit('can', 'support-summariser');
  assert.equal(table.code, 0);
  assert.match(table.out, /^files\/read_text_file +read +when +argument path is like "tickets/m);
});

test('who is found by the tool, with the condition', async () => {
  const found = JSON.parse((await remit('who', 'read', READ, '-o', 'json')).out);
  const own = found.items.find((item) => item.identity === 'support-summariser');
  assert.equal(own.may, 'when');
  assert.match(own.when, /context\.args\.path like "tickets\/\*/);
  assert.match(own.words, /argument path is like "tickets\/\*/);
  assert.equal(own.lines[0].words, 'argument path is like "tickets/*"');
  assert.equal(own.lines.length, 1);
  assert.deepEqual(JSON.parse((await remit('who', 'write', READ, '-o', 'json')).out).items, []);
});

test('who of what is not there is not found, with the nearest name', async () => {
  for (const [resource, said] of [
    ['files/read_text_fiel', /no tool is named files\/read_text_fiel; did you mean files\/read_/],
    ['nowhere/read', /no tool is named nowhere\/read \(/],
    ['model:none/none', /no model is named none\/none \(/],
    ['data-source:none', /no data-source is named none \(/],
    ['data-source:ticket', /no data-source is named ticket; did you mean tickets\?/]]) {
    const done = await remit('who', 'read', resource);
    assert.equal(done.code, 3, `${resource}: ${done.out}${done.err}`);
    assert.match(done.err, said);
  }
  // These have no door and no list of what there is.
  assert.equal((await remit('who', 'read', 'peer:none')).code, 0);
});

test('a name that nothing has is told with the nearest one', async () => {
  const log = world.path('source.log');
  writeFileSync(log, '');
  for (const [code, said, ...command] of [
    [3, /no identity is named support-summarizer; did you mean support-summariser\?/, 'can',
      'support-summarizer'],
    [3, /no identity is named support-summarizer; did you mean support-summariser\?/, 'identity',
      'show', 'support-summarizer'],
    [3, /no identity is named support-summarizer; did you mean support-summariser\?/, 'identity',
      'approve', 'support-summarizer'],
    [3, /no identity is named support-summarizer; did you mean support-summariser\?/, 'kill',
      'identity', 'support-summarizer', '--reason', 'test', '--yes'],
    [3, /no unit is named suport; did you mean support\?/, 'unit', 'show', 'suport'],
    [3, /no server is named fils; did you mean files\?/, 'definition', 'list', 'fils'],
    [3, /no server is named fils; did you mean files\?/, 'definition', 'show', 'fils/x'],
    [3, /no identity is named support-summarizer; did you mean/, 'audit', 'search', '--identity',
      'support-summarizer'],
    [3, /no data-source is named ticket; did you mean tickets\?/, 'audit', 'search', '--source',
      'ticket'],
    [3, /no data-source is named ticket; did you mean tickets\?/, 'audit', 'export', '--source',
      'ticket'],
    [3, /no data-source is named ticket; did you mean tickets\?/, 'audit', 'reconcile',
      '--source', 'ticket', '--log', log],
    [0, /There is none/, 'audit', 'search', '--source', 'tickets', '--words', 'nosuchwordatall'],
  ]) {
    const done = await remit(...command);
    assert.equal(done.code, code, `${command.join(' ')}: ${done.out}${done.err}`);
    assert.match(done.err, said, command.join(' '));
  }
});

test('remit why says what of its question is not registered', async () => {
  const both = await remit('why', 'support-summarizer', 'read', 'files/read_text_fiel');
  assert.equal(both.code, 1, both.out + both.err);
  const near = /no identity is named support-summarizer; did you mean support-summariser\?/;
  assert.match(both.out, near);
  assert.match(both.out, /no tool is named files\/read_text_fiel; did you mean files\/read_text_/);
  const told = JSON.parse((await remit('why', 'support-summariser', 'read', 'nowhere/read', '-o',
    'json')).out);
  assert.deepEqual(told.unknown, ['no tool is named nowhere/read']);
  const known = JSON.parse((await remit('why', 'support-summariser', 'read', READ, '-o',
    'json')).out);
  assert.equal(known.unknown, undefined);
});

test('a decision on record is asked again, with the arguments it was made of', async () => {
  const agent = await world.agent('support-summariser', 'files');
  try {
    const answer = await agent.call('read_text_file', { path: 'private/payroll.txt' });
    assert.ok(!answer.done, JSON.stringify(answer));
  } finally {
    await agent.close();
  }
  const found = JSON.parse((await remit('audit', 'search', '--verdict', 'deny', '-o',
    'json')).out).items.at(-1);
  const done = await remit('why', String(found.index), '-o', 'json');
  assert.equal(done.code, 1, done.err);
  const told = JSON.parse(done.out);
  assert.equal(told.record.verdict, 'deny');
  assert.equal(told.now.verdict, 'deny');
  const failed = told.now.accounts[0].parts.find((part) => part.result === 'false');
  assert.match(failed.values[0].value, /payroll/);
  assert.equal(told.now.change.what, 'argument path');
  const people = await remit('why', `#${found.index}`);
  assert.match(people.out, /context\.args\.path like/);
  assert.match(people.out, /payroll/);
  const opened = JSON.parse((await remit('why', '0', '-o', 'json')).out);
  assert.equal(opened.now, undefined); // it is no decision
});

test('an agent learns which argument it is, and never what a guardrail says', async () => {
  const agent = await world.agent('deployer', 'deploy-prod');
  try {
    const answer = await agent.call('trigger-long-running-operation', { duration: 1, steps: 1 });
    const seen = JSON.stringify(answer);
    assert.ok(!answer.done, seen);
    assert.match(seen, /org\/no-prod-from-staging/);
    assert.ok(!seen.includes('resource.environment'), seen);
  } finally {
    await agent.close();
  }
});

// Last: from here on nothing is read.
test('what is not told of clauses is said', async () => {
  const scope = `(principal, action, resource == Tool::"${READ}")`;
  const forbid = (when) => `  forbid ${scope} when { ${when} };`;
  const parts = Array.from({ length: 70 }, (_, i) => `${i} < 99`).join(' && ');
  const folder = mkdtempSync(join(tmpdir(), 'why-'));
  writeFileSync(join(folder, 'many.yaml'), ['object: policy', 'name: org/many', 'text: |',
    forbid(parts), ...Array.from({ length: 9 }, () => forbid('true')), ''].join('\n'));
  await world.apply(ADMINISTRATOR, '-f', join(folder, 'many.yaml'));
  await world.must('eva@example.com', 'policy', 'approve', 'org/many', '--yes');
  rmSync(folder, { recursive: true });
  const done = await remit('why', 'support-summariser', 'read', READ, '--arguments',
    '{"path":"tickets/41.txt"}');
  assert.match(done.out, /and parts that are not told here/);
  assert.match(done.out, /^more: policies that are not told here$/m);
  const answer = await world.why('support-summariser', 'read', READ, { path: 'tickets/41.txt' },
    'staging');
  assert.equal(answer.accounts.length, 8);
  assert.equal(answer.accounts_cut, true);
});
