// What the published Cedar (its WebAssembly build, SDK 4.13, language 4.5) says of a
// world, in the form in which cedar-differ answers.
import { createRequire } from 'node:module';

// null without the package.
export function loadCedar() {
  try {
    return createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');
  } catch {
    return null;
  }
}

// What messages of the other side mean here; null: a warning this library does not give.
const meanings = [
  [/unrecognized entity type/, 'unknown_entity_type'],
  [/unrecognized action/, 'unknown_action'],
  [/is of an enumerated entity type/, 'unknown_id'],
  [/^for policy `[^`]*`, attribute .* not found/s, 'unknown_attribute'],
  [/safety of access to optional attribute/, 'unsafe_attribute'],
  [/safety of access to tag/, 'unsafe_tag'],
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

// Ids begin with `prefix`, so that several sets can be validated as one.
function policySet({ policies, templates, links }, prefix = '') {
  return {
    staticPolicies: named(policies, `${prefix}policy`, (text) => text),
    templates: named(templates, `${prefix}template`, (text) => text),
    templateLinks: links.map(({ index, principal, resource }, i) => ({
      templateId: `${prefix}template${index}`,
      newId: `${prefix}link${i}`,
      values: {
        ...(principal && { '?principal': principal }),
        ...(resource && { '?resource': resource }),
      },
    })),
  };
}

export const schemaOf = (text) => text.startsWith('{') ? JSON.parse(text) : text;

// Adds the names of findings to `found`, by id; false if the sets are refused.
function validate(cedar, schema, policies, found) {
  const answer = cedar.validate({ schema, policies });
  if (answer.type !== 'success') return false;
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    const name = meaning(error.message);
    if (name === null) continue;
    if (found.has(policyId)) found.get(policyId).add(name);
    else found.set(policyId, new Set([name]));
  }
  return true;
}

function findingsOf(set, prefix, found) {
  const of = (items, word) => items.map((_, i) =>
    [...found.get(`${prefix}${word}${i}`) ?? []].sort());
  return [...of(set.policies, 'policy'), ...of(set.links, 'link'),
    ...of(set.templates, 'template')];
}

// The findings of each set: all at once, since reading the schema costs the most.
function validateAll(cedar, world, sets) {
  const schema = schemaOf(world.schema);
  const parts = sets.map((set, i) => policySet(set, `${i} `));
  const merged = {
    staticPolicies: Object.assign({}, ...parts.map(({ staticPolicies }) => staticPolicies)),
    templates: Object.assign({}, ...parts.map(({ templates }) => templates)),
    templateLinks: parts.flatMap(({ templateLinks }) => templateLinks),
  };
  const found = new Map();
  if (!validate(cedar, schema, merged, found)) {
    for (const part of parts) validate(cedar, schema, part, found);
  }
  return sets.map((set, i) => findingsOf(set, `${i} `, found));
}

function decision(cedar, request, entities, schemaHolds) {
  if (request.isTyped && !schemaHolds) return null;
  const { principal, action, resource, context } = request;
  const answer = cedar.statefulIsAuthorized({ principal, action, resource, context, entities,
    preparsedPolicySetId: 'set', ...(request.isTyped && { preparsedSchemaName: 'schema',
      validateRequest: true }) });
  if (answer.type !== 'success') return 'refused';
  const { reason, errors } = answer.response.diagnostics;
  return [answer.response.decision, reason.sort(), errors.map(({ policyId }) => policyId).sort()];
}

export function theirs(cedar, world) {
  const schemaHolds = cedar.preparseSchema('schema', schemaOf(world.schema)).type === 'success';
  const answers = world.sets.map((set) => {
    const policies = { ...policySet(set), staticPolicies: set.policies.join('\n') };
    if (cedar.preparsePolicySet('set', policies).type !== 'success') return 'policies';
    return [null, set.requests.map((request) =>
      decision(cedar, request, world.entities, schemaHolds))];
  });
  if (schemaHolds) {
    const accepted = world.sets.filter((_, i) => answers[i] !== 'policies');
    const findings = validateAll(cedar, world, accepted);
    for (const answer of answers) if (answer !== 'policies') answer[0] = findings.shift();
  }
  return [schemaHolds, answers];
}

// The set as one JSON object, as the published Cedar writes it; null if it refuses it, or
// if a number in it would come back as another one.
export function setAsJson(cedar, set) {
  if ([...set.policies, ...set.templates].some((text) => /\d{10}/.test(text))) return null;
  const convert = (texts, word, how) => {
    const answers = texts.map((text) => how(text));
    return answers.every(({ type }) => type === 'success')
      ? named(answers, word, ({ json }) => json) : null;
  };
  const staticPolicies = convert(set.policies, 'policy', cedar.policyToJson);
  const templates = convert(set.templates, 'template', cedar.templateToJson);
  if (staticPolicies === null || templates === null) return null;
  return JSON.stringify({ ...policySet(set), staticPolicies, templates });
}
