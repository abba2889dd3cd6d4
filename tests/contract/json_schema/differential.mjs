// Random schemas and values, judged by us and by Ajv (draft 2020-12).  Without unevaluatedItems:
// Ajv 8.20 takes items for evaluated by a branch of oneOf that does not hold.
// Usage: node differential.mjs JUDGE FOLDER-OF-NODE-MODULES
// REMIT_SEED picks other cases, REMIT_CASES how many.  Skipped (77) without Ajv.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const [judge, folder] = process.argv.slice(2);
const seed = Number(process.env.REMIT_SEED ?? 1);
const cases = Number(process.env.REMIT_CASES ?? 1000);

let Ajv;
try {
  Ajv = createRequire(`${folder}/`)('ajv/dist/2020').default;
} catch {
  console.log('skipped: no Ajv; run tools/deps');
  process.exit(77);
}

let state = seed >>> 0;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  let x = state;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
};
const below = (bound) => next() % bound;
const pick = (list) => list[below(list.length)];
const some = (count, make) => Array.from({ length: below(count + 1) }, make);

const NAMES = ['a', 'b', 'c', 'ab', 'é', 'a/b'];
const PATTERNS = ['^a', 'b$', '^[a-c]+$', '\\d', '^.{2}$', 'é', '^(a|b)*$', '[^a]'];
const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

const value = (depth) => {
  const kind = below(depth > 0 ? 8 : 6);
  if (kind === 0) return null;
  if (kind === 1) return below(2) === 1;
  if (kind === 2) return below(7) - 3;
  if (kind === 3) return (below(13) - 6) / 2;
  if (kind <= 5) return pick([...NAMES, '', 'abc', '12', '😀', 'ba']);
  if (kind === 6) return some(4, () => value(depth - 1));
  return Object.fromEntries(some(4, () => [pick(NAMES), value(depth - 1)]));
};

const map = (make) => Object.fromEntries(some(3, () => [pick(NAMES), make()]));
const schemas = (depth) => [schema(depth), ...some(2, () => schema(depth))];
const KEYWORDS = {
  type: () => (below(2) ? pick(TYPES) : [...new Set([pick(TYPES), pick(TYPES)])]),
  const: () => value(1),
  enum: () => [null, ...new Map(some(3, () => value(1))
    .map((one) => [JSON.stringify(one), one])).values()],
  minimum: () => below(5) - 2,
  maximum: () => below(5) - 2,
  exclusiveMinimum: () => below(5) - 2,
  exclusiveMaximum: () => below(5) - 2,
  multipleOf: () => pick([1, 2, 0.5, 3]),
  minLength: () => below(3),
  maxLength: () => below(4),
  pattern: () => pick(PATTERNS),
  minItems: () => below(3),
  maxItems: () => below(4),
  uniqueItems: () => true,
  minProperties: () => below(3),
  maxProperties: () => below(4),
  required: () => [...new Set(some(2, () => pick(NAMES)))],
  dependentRequired: () => map(() => [...new Set(some(2, () => pick(NAMES)))]),
  properties: (depth) => map(() => schema(depth)),
  patternProperties: (depth) => ({ [pick(PATTERNS)]: schema(depth) }),
  additionalProperties: (depth) => schema(depth),
  propertyNames: (depth) => schema(depth),
  dependentSchemas: (depth) => map(() => schema(depth)),
  prefixItems: (depth) => schemas(depth),
  items: (depth) => schema(depth),
  contains: (depth) => schema(depth),
  minContains: () => below(3),
  maxContains: () => below(3) + 1,
  allOf: (depth) => schemas(depth),
  anyOf: (depth) => schemas(depth),
  oneOf: (depth) => schemas(depth),
  not: (depth) => schema(depth),
  if: (depth) => schema(depth),
  then: (depth) => schema(depth),
  else: (depth) => schema(depth),
  unevaluatedProperties: (depth) => schema(depth),
  $ref: () => pick(['#/$defs/x', '#/$defs/y', '#anchored']),
};
const NEEDS_DEPTH = Object.keys(KEYWORDS).filter((name) => KEYWORDS[name].length > 0);
const FLAT = Object.keys(KEYWORDS).filter((name) => KEYWORDS[name].length === 0);

function schema(depth) {
  if (below(12) === 0) return below(3) !== 0;
  const made = {};
  for (let left = 1 + below(3); left > 0; left--) {
    const name = depth > 0 && below(2) ? pick(NEEDS_DEPTH) : pick(FLAT);
    made[name] = KEYWORDS[name](depth - 1);
  }
  // Ajv counts minContains without contains as an error of the schema.
  if (made.contains === undefined) { delete made.minContains; delete made.maxContains; }
  // Ajv 8.20 lets [] pass {contains: …, prefixItems: [{type: …}]}; the standard does not.
  if (made.prefixItems !== undefined) delete made.contains;
  return made;
}

// Definitions refer to nothing, so that no case runs for ever.
const leaf = () => {
  const made = schema(0);
  if (typeof made === 'object') delete made.$ref;
  return made;
};
const document = () => {
  const made = schema(2);
  const root = typeof made === 'object' ? made : { not: made };
  return { ...root, $defs: { x: leaf(), y: leaf(), z: { $anchor: 'anchored', ...leaf() } } };
};

// One for all cases: none of the schemas has a name by which another could find it, and to make
// an Ajv takes ten times as long as to compile one of them.
const ajv = new Ajv({ strict: false, logger: false, allErrors: false });
const asked = Array.from({ length: cases }, () => ({ schema: document(), value: value(3) }));
const theirs = asked.map(({ schema: one, value: given }) => {
  try {
    return ajv.compile(one)(given) ? 'valid' : 'invalid';
  } catch (wrong) {
    return `broken: ${wrong.message}`; // it throws on some that it should compile
  }
});
const done = spawnSync(judge, { maxBuffer: 2 ** 28,
  input: asked.map((one) => `${JSON.stringify(one)}\n`).join('') });
const ours = done.stdout.toString().trim().split('\n');
if (done.status !== 0 || ours.length !== cases) throw new Error(done.stderr.toString());

const tally = {};
let differ = 0;
let broken = 0;
asked.forEach((one, i) => {
  tally[ours[i]] = (tally[ours[i]] ?? 0) + 1;
  if (theirs[i].startsWith('broken')) { broken++; return; }
  if (ours[i] === theirs[i] || differ++ >= 5) return;
  console.log(`${JSON.stringify(one)}\n  ours ${ours[i]}, Ajv's ${theirs[i]}`);
});
console.log(`seed ${seed}: ${cases} cases: ${JSON.stringify(tally)}, ${differ} differ, `
  + `${broken} broke Ajv`);
const isBroad = tally.valid > cases / 10 && tally.invalid > cases / 10 && broken < cases / 100;
process.exit(differ === 0 && isBroad ? 0 : 1);
