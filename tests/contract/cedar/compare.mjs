// One process of the comparison: makes worlds, asks both sides, counts.  Started by
// differential.mjs, to which it sends what it counted.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { countWorld } from './coverage.mjs';
import { Random } from './random.mjs';
import { loadCedar, schemaOf, setAsJson, theirs } from './theirs.mjs';
import { typedWorld } from './typed.mjs';
import { wildWorld } from './wild.mjs';

const setsOfWorld = 20;
const requestsOfSet = 2;
const reportsMax = 5;

const cedar = loadCedar();
const [program, seedText, casesText] = process.argv.slice(2);
const cases = Number(casesText);
const random = new Random(BigInt(seedText));
const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
let reports = 0;

// Some schemas are given as JSON, and of those some are broken.  A member given twice is
// one to JSON.parse, and an error here: it is left out.
function asJson(schemaText) {
  const converted = cedar.schemaToJson(schemaText);
  if (converted.type !== 'success') return schemaText;
  const text = JSON.stringify(converted.json);
  if (!random.chance(20)) return text;
  const words = ['"type"', '"name"', '"Set"', '"element"', '"Record"', '"attributes"',
    '"actions"', '"EntityOrCommon"', '"memberOf"', '"id"', '"enum"', '"x"', '"U"',
    '"principalTypes"', '[', '{}'];
  const broken = text.replace(random.pick(words),
    () => random.pick([...words, '"required"', 'null', '1']));
  try { return JSON.stringify(JSON.parse(broken)); } catch { return text; }
}

function makeWorld(setCount) {
  const world = random.chance(25) ? wildWorld(random, setCount, requestsOfSet)
    : typedWorld(random, setCount, requestsOfSet);
  if (random.chance(20)) world.schema = asJson(world.schema);
  for (const set of world.sets) if (random.chance(5)) set.json = setAsJson(cedar, set);
  return world;
}

const lineOf = ({ schema, entities, sets }) => JSON.stringify([schema, JSON.stringify(entities),
  sets.map(({ policies, templates, links, requests, json }) => [
    json ?? policies.join('\n'), json ? [] : templates,
    json ? [] : links.map(({ index, principal, resource }) => [index, principal, resource]),
    requests.map(({ isTyped, principal, action, resource, context }) =>
      [isTyped, principal, action, resource, JSON.stringify(context)])])]);

function sorted([schemaHolds, answers]) {
  return [schemaHolds, answers.map((answer) => {
    if (typeof answer === 'string') return answer;
    const [given, decisions] = answer;
    return [
      Array.isArray(given) ? given.map((names) => [...new Set(names)].sort()) : given,
      decisions.map((decided) => Array.isArray(decided)
        ? [decided[0], decided[1].sort(), decided[2].sort()] : decided)];
  })];
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function report(world, index, a, b) {
  if (reports++ >= reportsMax) return;
  const { policies, templates, links, requests, json } = world.sets[index] ?? {};
  const decisions = (requests ?? []).map((request, i) => same(a[1]?.[i], b[1]?.[i]) ? null
    : `request  ${JSON.stringify(request)}\n  theirs ${JSON.stringify(a[1]?.[i])}\n  ours   ${
      JSON.stringify(b[1]?.[i])}`).filter((text) => text !== null);
  console.log([`differ in a world of seed ${seedText}`, world.schema,
    `entities ${JSON.stringify(world.entities)}`, ...policies ?? [],
    `templates ${JSON.stringify(templates)}`, `links    ${JSON.stringify(links)}`,
    ...(json ? [`as JSON  ${json}`] : []), ...(same(a[0], b[0]) ? [] : [
      `  theirs ${JSON.stringify(a[0])}`, `  ours   ${JSON.stringify(b[0])}`]),
    ...decisions, ''].join('\n'));
}

// How many sets of the world were answered otherwise.
function compare(world, a, b) {
  if (a[0] !== b[0]) {
    report(world, -1, [a[0]], [b[0]]);
    return 1;
  }
  let differences = 0;
  for (const [i, answer] of a[1].entries()) {
    if (same(answer, b[1][i])) continue;
    differences++;
    report(world, i, answer, b[1][i]);
  }
  return differences;
}

for (let done = 0; done < cases;) {
  const world = makeWorld(Math.min(setsOfWorld, cases - done));
  const counts = { cases: world.sets.length };
  child.stdin.write(`${lineOf(world)}\n`);
  const a = theirs(cedar, world);
  const line = await lines.next();
  if (line.done) throw new Error(`the program ended on ${lineOf(world)}`);
  counts.differences = compare(world, a, sorted(JSON.parse(line.value)));
  countWorld(world, a, counts, schemaOf);
  done += world.sets.length;
  process.send(counts);
}
child.stdin.end();
process.disconnect();
