// Counts what the cases cover, and says what is covered too little.

const words = ['like', 'has', 'in', 'is', 'if', 'decimal', 'ip', 'datetime', 'duration'];
const methods = ['contains', 'containsAll', 'containsAny', 'isEmpty', 'hasTag', 'getTag', 'isIpv4',
  'isIpv6', 'isLoopback', 'isMulticast', 'isInRange', 'lessThan', 'lessThanOrEqual', 'greaterThan',
  'greaterThanOrEqual', 'offset', 'durationSince', 'toDate', 'toTime', 'toMilliseconds',
  'toSeconds', 'toMinutes', 'toHours', 'toDays'];
const signs = ['==', '!=', '<', '<=', '>', '>=', '&&', '||', '!', '+', '-', '*'];
const slots = ['?principal', '?resource'];
const forms = { '[..]': /\[[^\]]/, '{..}': /\{[^ }]/, 'is .. in': / is \w+(?:::\w+)* in /,
  'has a.b': / has \w+\./ };
const operators = new RegExp(`\\b(?:${words.join('|')})\\b|(?<=\\.)(?:${methods.join('|')
})(?=\\()|[=!<>]=|&&|\\|\\||[-<>!+*](?!=)`, 'g');
const strings = /"(?:[^"\\]|\\.)*"/g;

function add(counts, name, by = 1) { counts[name] = (counts[name] ?? 0) + by; }

// Of the conditions; what stands in a scope says nothing of how expressions are evaluated.
function countOperators(text, counts) {
  const bare = text.replace(strings, '""');
  const begins = bare.search(/\b(?:when|unless)\s*\{/);
  const [scope, body] = begins < 0 ? [bare, '']
    : [bare.slice(0, begins), bare.slice(begins).replace(/^\w+\s*\{/, '')];
  const found = new Set(body.match(operators) ?? []);
  for (const [name, form] of Object.entries(forms)) if (form.test(body)) found.add(name);
  for (const slot of slots) if (scope.includes(slot)) add(counts, `slot ${slot}`);
  for (const operator of found) add(counts, `operator ${operator}`);
}

function countSet(set, counts) {
  const texts = [...set.policies, ...set.templates];
  add(counts, 'policies', set.policies.length);
  add(counts, 'templates', set.templates.length);
  add(counts, 'links', set.links.length);
  add(counts, 'permits', texts.filter((text) => /^(?:@\S+ )?permit/.test(text)).length);
  add(counts, 'forbids', texts.filter((text) => /^(?:@\S+ )?forbid/.test(text)).length);
  if (set.policies.length > 1) add(counts, 'sets of several policies');
  if (set.policies.length > 20) add(counts, 'sets of over 20 policies');
  if (new Set(texts.map((text) => /\b(?:permit|forbid)\(/.exec(text)?.[0])).size > 1)
    add(counts, 'sets with both effects');
  if (set.links.some(({ principal, resource }) => principal && resource))
    add(counts, 'sets with links of both slots');
  if (set.json) add(counts, 'sets read as JSON');
  for (const text of texts) countOperators(text, counts);
}

function countDecision(set, { isTyped }, decided, counts) {
  if (decided === null) return;
  add(counts, 'requests');
  const how = decided === 'refused' ? 'refused' : 'decided';
  if (isTyped) add(counts, `requests ${how} by the schema`);
  if (decided === 'refused') { add(counts, 'requests refused'); return; }
  const [decision, reasons, errors] = decided;
  const forbids = decision === 'deny' && reasons.length > 0;
  add(counts, `decisions ${forbids ? 'deny by a forbid' : decision}`);
  if (reasons.length > 1) add(counts, 'decisions with several reasons');
  if (reasons.some((id) => id.startsWith('link'))) add(counts, 'decisions by a link');
  if (errors.length > 0) add(counts, 'decisions with erring policies');
  if (errors.length > 1) add(counts, 'decisions with several erring policies');
  if (errors.length > 0 && reasons.length > 0) add(counts, 'decisions with errors and reasons');
}

function countFindings(findings, counts) {
  if (findings === null) return;
  for (const names of findings) {
    add(counts, 'policies validated');
    if (names.length === 0) add(counts, 'policies without a finding');
    for (const name of names) add(counts, `finding ${name}`);
  }
}

function countSchema({ schema }, counts) {
  const isJson = schema.startsWith('{');
  const has = (name, inText, inJson) => {
    if ((isJson ? inJson : inText).test(schema)) add(counts, `schemas with ${name}`);
  };
  add(counts, isJson ? 'schemas in JSON' : 'schemas in Cedar syntax');
  has('namespaces', /\bnamespace /, /"N":/);
  has('common types', /^\s*type /m, /"commonTypes":\{"/);
  has('enumerated types', / enum \[/, /"enum":/);
  has('tags', / tags /, /"tags":/);
  has('optional attributes', /\?: /, /"required":false/);
  has('groups of actions', /action .* in \[/, /"memberOf":\[\{/);
  has('annotations', /@doc/, /"annotations":\{"/);
}

function depthOf(uid, byId, seen = new Set()) {
  const key = `${uid.type}::${uid.id}`;
  const entity = byId.get(key);
  if (entity === undefined || seen.has(key)) return 0;
  seen.add(key);
  return 1 + Math.max(0, ...entity.parents.map((parent) => depthOf(parent, byId, seen)));
}

function countEntities({ entities }, counts) {
  const byId = new Map(entities.map((entity) => [`${entity.uid.type}::${entity.uid.id}`, entity]));
  const deepest = Math.max(...entities.map(({ uid }) => depthOf(uid, byId)));
  add(counts, 'entities', entities.length);
  if (deepest >= 4) add(counts, 'worlds with hierarchies of 4 and more');
  if (deepest >= 8) add(counts, 'worlds with hierarchies of 8 and more');
  if (entities.some(({ tags }) => tags)) add(counts, 'worlds with tags');
}

// `answers` is what the published Cedar said.
export function countWorld(world, [schemaHolds, answers], counts) {
  add(counts, 'schemas');
  add(counts, `worlds ${world.kind}`);
  if (!schemaHolds) add(counts, 'schemas refused');
  countSchema(world, counts);
  countEntities(world, counts);
  for (const [i, set] of world.sets.entries()) {
    countSet(set, counts);
    if (answers[i] === 'policies') { add(counts, 'sets refused'); continue; }
    countFindings(answers[i][0], counts);
    for (const [at, decided] of answers[i][1].entries())
      countDecision(set, set.requests[at], decided, counts);
  }
}

// The least there must be of each kind in 1,000 cases: about a third of what is usual.
const least = (floor, prefix, names) => names.map((name) => [prefix + name, floor]);
const floors = [
  ...least(100, 'decisions ', ['allow', 'deny']),
  ...least(50, 'decisions ', ['deny by a forbid', 'with erring policies']),
  ...least(10, 'decisions ', ['by a link', 'with several reasons', 'with several erring policies',
    'with errors and reasons']),
  ...least(200, '', ['requests decided by the schema']),
  ...least(80, '', ['requests refused by the schema']),
  ...least(100, '', ['requests refused', 'policies without a finding', 'permits', 'forbids',
    'templates', 'links']),
  ...least(10, 'sets ', ['of several policies', 'with both effects', 'with links of both slots',
    'read as JSON']),
  ...least(4, 'sets ', ['of over 20 policies']),
  ...least(10, 'schemas ', ['with namespaces', 'with common types', 'with enumerated types',
    'with tags', 'with optional attributes', 'with groups of actions', 'with annotations']),
  ...least(2, 'schemas in ', ['JSON', 'Cedar syntax']),
  ...least(0.2, '', ['schemas refused']),
  ...least(0.1, 'worlds ', ['with hierarchies of 8 and more']),
  ...least(2, 'worlds ', ['wild', 'typed', 'with tags', 'with hierarchies of 4 and more']),
  ...least(5, 'finding ', ['unknown_entity_type', 'unknown_action', 'unknown_id',
    'unknown_attribute', 'unsafe_attribute', 'unsafe_tag', 'unexpected_type', 'incompatible_types',
    'empty_set', 'argument_count', 'argument_invalid', 'argument_not_literal',
    'no_applicable_action', 'impossible', 'bidirectional_text']),
  ...least(20, 'operator ', [...words, ...methods, ...signs, ...Object.keys(forms)]),
  ...least(20, 'slot ', slots),
];

// What is under its floor.  Fewer cases than that show nothing.
const casesLeast = 5000;
export function missing(counts) {
  if (counts.cases < casesLeast) return [];
  return floors.filter(([name, floor]) => (counts[name] ?? 0) * 1000 < floor * counts.cases)
    .map(([name, floor]) => `${name}: ${counts[name] ?? 0} in ${counts.cases} cases, not ${
      floor} in 1000`);
}

const lineWidth = 100;

// All counts by name, some on a line.
export function table(counts) {
  const lines = [''];
  for (const name of Object.keys(counts).sort()) {
    const text = `${name}: ${counts[name]}; `;
    if (lines.at(-1).length + text.length > lineWidth) lines.push('');
    lines[lines.length - 1] += text;
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
