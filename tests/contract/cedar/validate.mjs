// Validates random policies by random schemas twice, with the published Cedar (its
// WebAssembly build, SDK 4.13, language 4.5) and with this library, and compares what
// each finds, by kind.  Usage: validate.mjs PROGRAM [CASES]; exit 77 without the package.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Random, policies, schema } from './generate.mjs';

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

function theirs(schemaText, policyText) {
  const answer = cedar.validate({ schema: schemaText, policies: { staticPolicies: policyText } });
  if (answer.type !== 'success')
    return cedar.checkParseSchema(schemaText).type === 'success' ? 'policies' : 'schema';
  const count = policyText.split('\n').length;
  const found = Array.from({ length: count }, () => new Set());
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    const name = meaning(error.message);
    if (name !== null) found[Number(policyId.replace('policy', ''))].add(name);
  }
  return found.map((names) => [...names].sort());
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
  const schemaText = schema(random);
  const policyText = policies(random);
  child.stdin.write(`${JSON.stringify([schemaText, policyText])}\n`);
  const line = await lines.next();
  if (line.done) { console.log('the program ended'); process.exit(1); }
  const a = theirs(schemaText, policyText);
  const b = ours(line.value);
  count(a);
  if (JSON.stringify(a) === JSON.stringify(b)) continue;
  totals.differ++;
  if (totals.differ <= 10)
    console.log([schemaText, policyText, `theirs ${JSON.stringify(a)}`,
      `ours   ${JSON.stringify(b)}`, ''].join('\n'));
}
child.stdin.end();
console.log(JSON.stringify(totals));
process.exit(totals.differ === 0 ? 0 : 1);
