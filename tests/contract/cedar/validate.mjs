// Validates random policies by random schemas twice, with the published Cedar (its
// WebAssembly build, SDK 4.13, language 4.5) and with this library, and compares what
// each finds, by kind.  Usage: validate.mjs PROGRAM [CASES]; exit 77 without the package.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Random, links, policies, schema, templates } from './generate.mjs';

let cedar;
try {
  cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');
} catch {
  console.log('skipped: run npm ci in tests/contract/cedar for @cedar-policy/cedar-wasm');
  process.exit(77);
}

// What messages of the other side mean here; null: a warning this library does not give.
const meanings = [
  [/unrecognized entity type/, 'unknown_entity_type'],
  [/unrecognized action/, 'unknown_action'],
  [/is of an enumerated entity type/, 'unknown_id'],
  [/^for policy `[^`]*`, attribute .* not found/s, 'unknown_attribute'],
  [/safety of access to optional attribute/, 'unsafe_attribute'],
  [/safety of access to tag/, 'unsafe_tag'],
  [/does not have any tags|no tags|cannot have tags|tags are not allowed/, 'no_tags'],
  [/unexpected type/, 'unexpected_type'],
  [/are not compatible/, 'incompatible_types'],
  [/empty set literals/, 'empty_set'],
  [/wrong number of arguments/, 'argument_count'],
  [/extension function argument validation/, 'argument_invalid'],
  [/non-literal expressions/, 'argument_not_literal'],
  [/unable to find an applicable action/, 'no_applicable_action'],
  [/policy is impossible/, 'impossible'],
  [/contains BIDI control characters/, 'bidirectional_text'],
  [/mixed scripts|confusable|non-ASCII/, null],
];

function meaning(message) {
  const found = meanings.find(([pattern]) => pattern.test(message));
  return found === undefined ? `?${message}` : found[1];
}

const named = (items, prefix, value) =>
  Object.fromEntries(items.map((item, i) => [`${prefix}${i}`, value(item)]));

function policySet({ policyText, templateList, linkList }) {
  return {
    staticPolicies: policyText,
    templates: named(templateList, 'template', ({ text }) => text),
    templateLinks: linkList.map(({ index, principal, resource }, i) => ({
      templateId: `template${index}`,
      newId: `link${i}`,
      values: {
        ...(principal && { '?principal': principal }),
        ...(resource && { '?resource': resource }),
      },
    })),
  };
}

function theirs(test) {
  const { schemaText, policyText, templateList, linkList } = test;
  const given = schemaText.startsWith('{') ? JSON.parse(schemaText) : schemaText;
  const answer = cedar.validate({ schema: given, policies: policySet(test) });
  if (answer.type !== 'success')
    return cedar.checkParseSchema(given).type === 'success' ? 'policies' : 'schema';
  const found = {
    ...named(policyText.split('\n'), 'policy', () => new Set()),
    ...named(linkList, 'link', () => new Set()),
    ...named(templateList, 'template', () => new Set()),
  };
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    const name = meaning(error.message);
    if (name !== null) found[policyId].add(name);
  }
  return Object.values(found).map((names) => [...names].sort());
}

// Some schemas are given as JSON, and of those some are broken.
function asJson(schemaText) {
  const converted = cedar.schemaToJson(schemaText);
  if (converted.type !== 'success') return schemaText;
  const text = JSON.stringify(converted.json);
  if (!random.chance(30)) return text;
  const words = ['"type"', '"name"', '"Set"', '"element"', '"Record"', '"attributes"',
    '"actions"', '"EntityOrCommon"', '"memberOf"', '"id"', '"enum"', '"x"', '"U"',
    '"principalTypes"', '[', '{}'];
  return text.replace(random.pick(words), () => random.pick([...words, '"required"', 'null', '1']));
}

// A member given twice is one to JSON.parse, and an error here: it is left out.
function normalJson(text) {
  try { return JSON.stringify(JSON.parse(text)); } catch { return null; }
}

function generate() {
  const cedarText = schema(random);
  const given = random.chance(20) ? asJson(cedarText) : cedarText;
  const schemaText = given.startsWith('{') ? normalJson(given) ?? cedarText : given;
  const templateList = templates(random);
  const policyText = policies(random);
  return { schemaText, policyText, templateList, linkList: links(random, templateList) };
}

const ours = (line) => {
  const answer = JSON.parse(line);
  return typeof answer === 'string' ? answer : answer.map((names) => [...new Set(names)].sort());
};

const [program, cases = process.env.REMIT_CASES ?? '10000'] = process.argv.slice(2);
const seed = BigInt(process.env.REMIT_SEED ?? Date.now());
console.log(`seed ${seed} (REMIT_SEED repeats it), ${cases} cases`);
const random = new Random(seed);
const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const totals = { schemas_refused: 0, policies_refused: 0, policies: 0, valid: 0, differ: 0 };

function count(answer) {
  if (answer === 'schema') totals.schemas_refused++;
  else if (answer === 'policies') totals.policies_refused++;
  else {
    totals.policies += answer.length;
    totals.valid += answer.filter((names) => names.length === 0).length;
  }
}

for (let i = 0; i < Number(cases); i++) {
  const test = generate();
  const parts = [test.schemaText, test.policyText, test.templateList.map(({ text }) => text),
    test.linkList.map(({ index, principal, resource }) => [index, principal, resource])];
  child.stdin.write(`${JSON.stringify(parts)}\n`);
  const line = await lines.next();
  if (line.done) { console.log('the program ended'); process.exit(1); }
  const a = theirs(test);
  const b = ours(line.value);
  count(a);
  if (JSON.stringify(a) === JSON.stringify(b)) continue;
  totals.differ++;
  if (totals.differ <= 10)
    console.log([...parts.map((part) => typeof part === 'string' ? part : JSON.stringify(part)),
      `theirs ${JSON.stringify(a)}`, `ours   ${JSON.stringify(b)}`, ''].join('\n'));
}
child.stdin.end();
console.log(JSON.stringify(totals));
process.exit(totals.differ === 0 ? 0 : 1);
