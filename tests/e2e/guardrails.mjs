// Each guardrail that is shipped is held by a case beside it: without any one of its
// statements some case fails.  Needs no daemon.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import YAML from 'yaml';

import { run } from '../../examples/stories/lib/world.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const remit = join(process.env.REMIT_BUILD ?? join(root, 'build'), 'remit');
let scratch;

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'remit-guardrails-'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

const everyFile = (folder) => readdirSync(folder).filter((name) => name !== 'node_modules')
  .flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? everyFile(path) : [path];
  });

// The files of examples that have a policy, with their documents.
const shipped = () => everyFile(join(root, 'examples'))
  .filter((path) => /(?<!\.test)\.yaml$/.test(path))
  .map((path) => [path,
    YAML.parseAllDocuments(readFileSync(path, 'utf8')).map((one) => one.toJS())])
  .filter(([, documents]) => documents.some((one) => one?.object === 'policy'));

const casesOf = (path) => path.replace(/\.yaml$/, '.test.yaml');

// The folder's policies and cases with one file's documents put in place of its own.
const testWith = async (path, documents) => {
  const folder = mkdtempSync(join(scratch, 'x-'));
  const text = documents.map((one) => YAML.stringify(one)).join('---\n');
  if (documents.length > 0) writeFileSync(join(folder, 'a.yaml'), text);
  writeFileSync(join(folder, 'a.test.yaml'), readFileSync(casesOf(path)));
  const done = await run(remit, ['policy', 'test', folder]);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(done.out) ?? [];
  return { ...done, passed: Number(passed), failed: Number(failed) };
};

const statements = (text) => text.split(/(?<=;)[ \t]*\n/).filter((one) => /forbid/.test(one));

test('there are guardrails, and each has cases beside it that pass', async () => {
  const files = shipped();
  assert.ok(files.length >= 4, files.map(([path]) => path).join());
  for (const [path, documents] of files) {
    const { code, passed, failed, out, err } = await testWith(path, documents);
    assert.equal(code, 0, path + out + err);
    assert.ok(passed > 0 && failed === 0, path);
  }
});

test('without any one statement of any guardrail a case fails', async () => {
  let count = 0;
  for (const [path, documents] of shipped()) {
    for (const [at, policy] of documents.entries()) {
      if (policy.object !== 'policy') continue;
      const all = statements(policy.text);
      assert.ok(all.length > 0, policy.name);
      for (const gone of all.keys()) {
        const kept = all.filter((_, index) => index !== gone).join('\n');
        const changed = documents.map((one, index) =>
          (index === at ? { ...policy, text: kept } : one)).filter(({ text }) => text !== '');
        // What is left of a file without any policy is no set to test.
        const others = { object: 'policy', name: 'org/other', level: 'default',
          text: 'forbid (principal, action, resource) when { false };' };
        const { code, failed, out, err } = await testWith(path, [...changed, others]);
        const name = `${policy.name}, statement ${gone + 1}`;
        assert.equal(code, 1, `${name}: ${out}${err}`);
        assert.ok(failed > 0, `${name}: no case fails without it`);
        assert.doesNotMatch(err, /cannot be run/, name);
        count += 1;
      }
    }
  }
  assert.ok(count >= 12, `${count} statements`);
});

test('a write inside the text of a query is refused', async () => {
  const folder = join(root, 'examples/queries');
  const { out } = await run(remit, ['policy', 'test', folder, '-o', 'json']);
  const { cases } = JSON.parse(out);
  assert.ok(cases.every(({ passed }) => passed), out);
  const hidden = YAML.parseAllDocuments(readFileSync(
    join(folder, 'queries-read.test.yaml'), 'utf8')).map((one) => one.toJS())
    .filter((one) => one.expect === 'deny' && one.request.context.args.sql !== undefined);
  assert.ok(hidden.length >= 16, `${hidden.length} writes`);
  assert.equal(cases.length, hidden.length + 3);
});

test('what the program carries is what lies in the folder', async () => {
  const asked = async (...words) =>
    (await run(remit, ['policy', 'test', ...words, '-o', 'json'])).out;
  const plain = (text) => JSON.parse(text).cases.map(({ test: name, passed }) => [name, passed]);
  assert.deepEqual(plain(await asked('--shipped')), plain(await asked(join(root,
    'examples/guardrails'))));
});

test('shipped guardrails stand in place of a folder, and prune nothing', async () => {
  for (const words of [['test'], ['test', '--shipped', scratch], ['publish'], ['diff'],
    ['publish', '--shipped', '--prune'], ['diff', '--shipped', '--prune']]) {
    const done = await run(remit, ['policy', ...words]);
    assert.equal(done.code, 2, words.join(' ') + done.err);
    assert.match(done.err, /--shipped/);
  }
});
