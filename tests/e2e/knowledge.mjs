// A knowledge base behind the gateway, real to the row: what its own query log says
// beside the records, and what becomes of a server that lies, is down or answers
// without measure.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import { World, eventually } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(here, '../../examples/knowledge/server.mjs');
const SOURCES = 'articles,articles-public';
let world;
let agent;

before(async () => {
  world = await World.start();
  agent = await world.agent('support-researcher', 'knowledge');
});
after(async () => {
  await agent?.close();
  await world?.stop();
});

const logPath = () => world.path('knowledge', 'queries.jsonl');
const written = () => readFileSync(logPath(), 'utf8').trim().split('\n');
const log = () => written().map((line) => JSON.parse(line));
const plant = (lines) =>
  writeFileSync(world.path('planted'), lines.map((line) => JSON.stringify(line)).join('\n'));
const reconcile = async (path = logPath(), sources = SOURCES) => {
  const done = await world.remit(null, 'audit', 'reconcile', '--source', sources, '--log', path,
    '-o', 'json');
  return { code: done.code, ...(done.out ? JSON.parse(done.out) : { err: done.err }) };
};
const outcomes = async (source = 'articles') =>
  (await world.json(null, 'audit', 'search', '--source', source, '--type', 'outcome')).items.map(
    ({ record }) => record);
// Runs something that makes one call, and waits for that call's outcome.
const outcomeOf = async (run) => {
  const before = (await outcomes()).length;
  await run();
  assert.ok(await eventually(async () => (await outcomes()).length > before), 'no outcome');
  const all = await outcomes();
  assert.equal(all.length, before + 1);
  return all.at(-1);
};
const withFile = async (name, run) => {
  writeFileSync(world.path('knowledge', name), '');
  try {
    return await run();
  } finally {
    rmSync(world.path('knowledge', name));
  }
};
// Whatever is secret in the articles above internal.
const LEAK = /Miller|settlement|fraud|12,000/;

test('each read has its record and each record its read', async () => {
  for (const query of ['refund', 'export', 'nothing of the kind', '" OR *']) {
    const found = await agent.call('search', { query });
    assert.ok(found.done, found.text);
    assert.doesNotMatch(found.text, LEAK);
  }
  await agent.client.readResource({ uri: 'kb://public/kb-102' });
  const report = await reconcile();
  assert.deepEqual(report.findings, []);
  assert.equal(report.code, 0);
  assert.equal(report.reads, 5);
  assert.equal(report.lines, 5);
});

test('the record has ids, count, sensitivity, trust and a digest of the query', async () => {
  const { retrieval } = await outcomeOf(() => agent.call('search', { query: 'refund' }));
  assert.deepEqual(retrieval.objects.slice().sort(), ['kb-101', 'kb-201']);
  assert.equal(retrieval.count, 2);
  assert.equal(retrieval.sensitivity, 'internal');
  assert.equal(retrieval.trust, 'trusted');
  assert.match(retrieval.query, /^sha256:[0-9a-f]{64}$/);
  const shown = await world.must(null, 'trace', agent.task);
  assert.match(shown, /SOURCES|sources/);
  assert.match(shown, /articles/);
});

test('a read that went round remit is found', async () => {
  const before = log().length;
  const round = new Client({ name: 'round', version: '1' });
  const copy = world.path('knowledge');
  await round.connect(
    new StdioClientTransport({ command: process.execPath, args: [program, copy] }));
  const stolen = await round.callTool({
    name: 'search', arguments: { query: 'refund' }, _meta: { 'remit/ceiling': 'restricted' },
  });
  await round.close();
  assert.match(JSON.stringify(stolen), LEAK, 'whoever reaches the server sees what it has');
  assert.equal(log().length, before + 1);
  const report = await reconcile();
  assert.equal(report.code, 1);
  assert.deepEqual(report.findings.map(({ kind, line }) => [kind, line]),
    [['read-without-record', before + 1]]);
  const text = await world.remit(null, 'audit', 'reconcile', '--source', SOURCES, '--log',
    logPath());
  assert.equal(text.code, 1);
  assert.match(text.out, /^read-without-record: line \d+: it names no record of remit$/m);
  const findings = async () => (await world.json(null, 'findings', 'list', '--kind',
    'read-without-record')).items;
  const [finding, ...others] = await findings();
  assert.deepEqual(others, [], 'the second run found the same, and opened nothing');
  assert.equal(finding.subject, `articles/queries.jsonl:${before + 1}`);
  assert.deepEqual(finding.details, { sources: SOURCES.split(','), log: 'queries.jsonl',
    line: before + 1 });
  assert.doesNotMatch(JSON.stringify(finding), /refund/, "nothing of the query");
  assert.match(text.err, /1 are open as findings: remit findings list/);
  await world.must('eva@example.com', 'findings', 'close', finding.id, '--reason', 'a test',
    '--yes');
  const dry = await world.remit(null, 'audit', 'reconcile', '--source', SOURCES, '--log',
    logPath(), '--dry-run');
  assert.equal(dry.code, 1);
  assert.deepEqual(await findings(), []);
  writeFileSync(logPath(), written().slice(0, before).join('\n') + '\n');
});

test('a record number that is not its own covers no read', async () => {
  const lines = log();
  const cases = [
    [{ ...lines[0], record: 1 }, 'read-without-record'], // no read of this source
    [lines[0], 'read-without-record'], // used already
    [{ ...lines[0], record: 10 ** 9 }, 'read-without-record'],
  ];
  for (const [line, kind] of cases) {
    plant([...lines, line]);
    const report = await reconcile(world.path('planted'));
    assert.equal(report.code, 1);
    assert.deepEqual(report.findings.map((finding) => finding.kind), [kind]);
  }
  const [first, ...rest] = lines;
  plant([{ ...first, objects: ['kb-401'], count: 1 }, ...rest]);
  assert.deepEqual((await reconcile(world.path('planted'))).findings.map(({ kind }) => kind),
    ['read-differs']);
  plant(rest);
  assert.deepEqual((await reconcile(world.path('planted'))).findings,
    [{ kind: 'record-without-read', record: first.record,
      what: 'the source answered, and its log does not say so' }]);
});

test('records are searched since a time, a day or for so long', async () => {
  const since = async (time) => (await world.json(null, 'audit', 'search', '--source', 'articles',
    '--since', time)).items.length;
  assert.ok(await since('7d') > 0);
  assert.equal(await since('7d'), await since('2020-01-01'));
  assert.equal(await since('2100-01-01'), 0);
  const wrong = await world.remit(null, 'audit', 'export', '--since', 'tomorrow');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--since: a time, 7d, or ms since 1970/);
});

test('a log that is none is an error, not a clean bill', async () => {
  assert.equal((await reconcile(world.path('no-such-log'))).code, 3);
  writeFileSync(world.path('planted'), 'not JSON\n');
  const report = await reconcile(world.path('planted'));
  assert.equal(report.code, 1);
  assert.ok(report.findings.some(({ kind, line }) => kind === 'read-without-record' && line === 1));
});

test('a server that lies is withheld, recorded, and nothing of it leaks', async () => {
  const outcome = await outcomeOf(() => withFile('lying', async () => {
    const lie = await agent.call('search', { query: 'refund' });
    assert.equal(lie.done, false);
    assert.match(lie.text, /withheld: 2 of its rows are above what may come here, or not labelled/);
    assert.doesNotMatch(JSON.stringify(lie), LEAK);
  }));
  assert.equal(outcome.status, 'withheld');
  assert.equal(outcome.retrieval.sensitivity, 'restricted');
  assert.equal(outcome.retrieval.count, 4);
  assert.doesNotMatch(JSON.stringify(outcome), LEAK);
});

test('a knowledge base that is down is a clear error that shows no path', async () => {
  const outcome = await outcomeOf(() => withFile('down', async () => {
    const failed = await agent.call('search', { query: 'refund' });
    assert.equal(failed.done, false);
    assert.doesNotMatch(failed.text, /kb\.db|disk I\/O/);
    assert.match(failed.text, /withheld/);
  }));
  assert.equal(outcome.status, 'withheld');
  const again = await agent.call('search', { query: 'refund' });
  assert.ok(again.done, 'and it works when it is back');
});

test('results of wrong type or without measure are clear errors on record', async () => {
  for (const name of ['text', 'number', 'two-texts', 'unlabelled', 'huge']) {
    const outcome = await outcomeOf(async () => {
      const answer = await withFile(`odd-${name}`, () =>
        agent.call('search', { query: 'refund' }, { timeout: 30_000 }));
      assert.equal(answer.done, false, name);
      assert.match(answer.text, /withheld|large|limit|ended|failed/, `${name}: ${answer.text}`);
      assert.doesNotMatch(JSON.stringify(answer), LEAK, name);
    });
    assert.ok(['withheld', 'failed'].includes(outcome.status), name);
    assert.ok(outcome.retrieval, name);
  }
  const again = await agent.call('search', { query: 'refund' });
  assert.ok(again.done, again.text);
});

test('lists show what may be read, and templates what may be asked for', async () => {
  const { resources } = await agent.client.listResources();
  assert.deepEqual(resources.map(({ uri }) => uri), ['kb://public/kb-101', 'kb://public/kb-102']);
  const { resourceTemplates } = await agent.client.listResourceTemplates();
  assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), ['kb://public/{id}']);
  const { prompts } = await agent.client.listPrompts();
  assert.deepEqual(prompts.map(({ name }) => name), ['answer-customer']);
});

test('what no line binds is refused, and the server does not hear of it', async () => {
  const before = log().length;
  const refused = async (request) => {
    const message = await request.then(() => 'it was let through', (error) => error.message);
    assert.match(message, /Refused \((data_source|sensitivity|target_malformed)\)/, message);
  };
  for (const uri of ['kb://internal/kb-201', 'kb://elsewhere/1', 'kb://public/%2E%2E/x',
    'kb://public/a%2Fb', 'KB://public/kb-101', 'kb://user@public/kb-101', 'http://public/kb-101',
    'kb://public/../restricted/kb-401', 'kb://public//kb-101']) {
    await refused(agent.client.readResource({ uri }));
  }
  await refused(agent.client.getPrompt({ name: 'answer-auditor' }));
  const prompt = await agent.client.getPrompt({ name: 'answer-customer' });
  assert.match(prompt.messages[0].content.text, /answer-customer/);
  assert.equal(log().length, before);
  const subscribed = await agent.client.subscribeResource({ uri: 'kb://public/kb-101' }).then(
    () => 'it was let through', (error) => error.message);
  assert.match(subscribed, /method_unknown|does not support/);
});

test('the decisions come out again offline', async () => {
  const { code, out, err } = await world.verifier('--allow-tail', '--replay', '--keys',
    world.path('keys'), world.path('audit'));
  assert.equal(code, 0, out + err);
});
