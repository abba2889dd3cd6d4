// The npm package @cedar-policy/cedar-wasm as a peer of build/bench/cedar.
// Usage: node main.mjs FOLDER
//
// The protocol is in bench/peers/README.md.  The interface keeps policies but no store
// of entities: each call carries some.  Given are only those that the request can reach
// (principal, action, resource, and what these name, again and again), collected before
// the clock starts.  Timed: the call's object around them, statefulIsAuthorized.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const require = createRequire(import.meta.url);
const cedar = require('@cedar-policy/cedar-wasm/nodejs');
const { version } = JSON.parse(fs.readFileSync(
  require.resolve('@cedar-policy/cedar-wasm/nodejs').replace(/nodejs.*/, 'package.json'), 'utf8'));

const ROUNDS = 3;
const BATCH_MAX = 64;
const BATCH_NS = 100000;
const EVERY = 25; // A call is slow: every 25th request is timed; all timed ones are checked.
const SET = 'policies';
const PEER = `cedar-wasm ${version} (node ${process.versions.node})`;

const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8');
const readJson = (...parts) => JSON.parse(read(...parts));
const namesBelow = (...parts) => fs.readdirSync(path.join(...parts)).sort();
const keyOf = ({ type, id }) => JSON.stringify([type, id]);
const uidOf = (value) => value.__entity ?? value;

function must(answer) {
  if (answer.type === 'failure') {
    throw new Error(JSON.stringify(answer.errors));
  }
  return answer;
}

// Templates are named by their @id, other policies of such a set "static0", ...
function keepPolicies(text, links) {
  if (links === null) {
    must(cedar.preparsePolicySet(SET, { staticPolicies: text }));
    return;
  }
  const parts = must(cedar.policySetTextToParts(text));
  const idOf = (template) => must(cedar.templateToJson(template)).json.annotations.id;
  must(cedar.preparsePolicySet(SET, {
    staticPolicies: Object.fromEntries(parts.policies.map((policy, i) => [`static${i}`, policy])),
    templates: Object.fromEntries(parts.policy_templates.map((text) => [idOf(text), text])),
    templateLinks: links,
  }));
}

function actionsOf(schema) {
  return Object.entries(schema[''].actions).map(([id, action]) => ({
    uid: { type: 'Action', id },
    attrs: {},
    parents: (action.memberOf ?? []).map((group) => ({ type: 'Action', id: group.id })),
  }));
}

function open(root, app, name) {
  const folder = path.join(root, 'workloads', app, name);
  const hasLinks = fs.existsSync(path.join(folder, 'links.json'));
  keepPolicies(read(root, 'apps', app, 'policies.cedar'),
    hasLinks ? readJson(folder, 'links.json') : null);
  const entities = readJson(folder, 'entities.json')
    .concat(actionsOf(readJson(root, 'apps', app, `${app}.cedarschema.json`)));
  return {
    store: new Map(entities.map((entity) => [keyOf(uidOf(entity.uid)), entity])),
    requests: readJson(folder, 'requests.json'),
    expected: readJson(folder, 'expected.json'),
  };
}

function* namedBy(value) {
  if (value === null || typeof value !== 'object') {
    return;
  }
  if (value.__entity !== undefined) {
    yield value.__entity;
    return;
  }
  for (const part of Object.values(value)) {
    yield* namedBy(part);
  }
}

function reachable(store, uids) {
  const found = new Map();
  const open = [...uids];
  while (open.length > 0) {
    const key = keyOf(open.pop());
    const entity = store.get(key);
    if (entity !== undefined && !found.has(key)) {
      found.set(key, entity);
      open.push(...entity.parents.map(uidOf), ...namedBy(entity.attrs));
    }
  }
  return [...found.values()];
}

function callOf(workload, [principalType, principalId, action, resourceType, resourceId]) {
  const entities = reachable(workload.store, [{ type: principalType, id: principalId },
    { type: 'Action', id: action }, { type: resourceType, id: resourceId }]);
  const context = {};
  return () => cedar.statefulIsAuthorized({
    principal: { type: principalType, id: principalId },
    action: { type: 'Action', id: action },
    resource: { type: resourceType, id: resourceId },
    context,
    preparsedPolicySetId: SET,
    entities,
  });
}

function check(answer, [allow, reasons, errors], where) {
  const { decision, diagnostics } = must(answer).response;
  const got = [decision === 'allow' ? 1 : 0, diagnostics.reason.toSorted(),
    diagnostics.errors.length];
  if (JSON.stringify(got) !== JSON.stringify([allow, reasons, errors.length])) {
    throw new Error(`${where}: not the expected answer`);
  }
}

function timeCalls(call, count) {
  const begun = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    call();
  }
  return Number(process.hrtime.bigint() - begun) / count;
}

const timeBest = (call, count) =>
  Math.min(...Array.from({ length: ROUNDS }, () => timeCalls(call, count)));

function timeRequest(call) {
  const fitting = Math.floor(BATCH_NS / timeBest(call, 1));
  return timeBest(call, Math.max(1, Math.min(fitting, BATCH_MAX)));
}

const quantile = (times, percent) =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * percent / 100)];

function runApp(root, app) {
  const p50 = [];
  const p99 = [];
  for (const name of namesBelow(root, 'workloads', app)) {
    const workload = open(root, app, name);
    const times = [];
    for (let i = 0; i < workload.requests.length; i += EVERY) {
      const call = callOf(workload, workload.requests[i]);
      check(call(), workload.expected[i], `${app} ${name} ${i}`);
      times.push(timeRequest(call));
    }
    p50.push(quantile(times, 50));
    p99.push(quantile(times, 99));
  }
  console.log(JSON.stringify({ peer: PEER, case: app,
    p50_ns: Math.round(quantile(p50, 50)), p99_ns: Math.round(quantile(p99, 50)) }));
}

console.log(JSON.stringify({ peer: PEER, case: 'what is timed', note:
  'policies parsed before; the entities a request can reach go with each call (no store)' }));
for (const app of namesBelow(process.argv[2], 'workloads')) {
  runApp(process.argv[2], app);
}
