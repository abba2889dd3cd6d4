// Plays each incident twice: in an organisation that governs its agents by remit, and
// in the same one without the control, where it must go as it went then, or the first
// would prove nothing.  Prints the score; docs/incidents.md must tell it, and does so
// after --write.
// Usage: run.mjs [--write]
import { readFileSync, writeFileSync } from 'node:fs';

import { World } from '../../examples/stories/lib/world.mjs';
import { incidents } from './incidents.mjs';
import { startServers } from './servers.mjs';
import { SERVERS, approve, charters, key } from './world.mjs';

const CONTAINED_MS_MAX = 1000;

// One organisation with all of them: name → what came of it.
const play = async (isGoverned) => {
  const stubs = await startServers(SERVERS);
  const world = await World.start({
    change: charters(stubs.port, isGoverned), approve, key,
  });
  const agents = [];
  const agent = async (identity, server) => {
    const one = await world.agent(identity, server);
    agents.push(one);
    return one;
  };
  const found = new Map();
  try {
    for (const incident of incidents) {
      if (incident.outOfScope || (!isGoverned && incident.alwaysHolds)) continue;
      found.set(incident.name, await incident.run({
        world, servers: stubs.servers, agent, isGoverned,
      }));
    }
  } finally {
    for (const one of agents) await one.close();
    stubs.close();
    await world.stop();
  }
  return found;
};

const judge = (incident, governed, ungoverned) => {
  if (incident.outOfScope) return { verdict: 'out of scope' };
  const { succeeded, contained } = governed.get(incident.name);
  const control = ungoverned.get(incident.name);
  if (!incident.alwaysHolds && !control?.succeeded) {
    return { verdict: 'FAILED', why: 'without its control it did not happen either' };
  }
  if (succeeded) return { verdict: 'FAILED', why: 'it happened' };
  if (contained === undefined) return { verdict: 'blocked' };
  return contained !== null && contained < CONTAINED_MS_MAX
    ? { verdict: 'contained', ms: contained }
    : { verdict: 'FAILED', why: 'not contained within a second' };
};

const page = (judged) => {
  const of = (verdict) => judged.filter((one) => one.verdict === verdict).length;
  const rows = judged.map(({ incident, verdict }) => `| ${incident.name}, ${incident.when} | ` +
    `${incident.what ?? '–'} | ${verdict} | ${incident.control ?? incident.outOfScope} |`);
  const counted = ['blocked', 'contained', 'out of scope', 'failed']
    .map((word) => `${of(word === 'failed' ? 'FAILED' : word)} ${word}`).join(', ');
  return [
    '# Incidents of others', '',
    'Written by `tests/incidents/run.mjs --write`, which plays each of them in a small ' +
      'organisation: its agents do',
    'whatever they are told. Each is played again without the control, and must happen then ' +
      '(but for the default password:',
    'there is none to take away). Contained: stopped within a second of somebody saying so. ' +
      'What a gateway on the wire',
    'cannot see is said to be out of scope.', '',
    `Of ${judged.length}: ${counted}.`, '',
    '| incident | what happened | here | by what, or why not |', '|---|---|---|---|',
    ...rows, '',
  ].join('\n');
};

const governed = await play(true);
const ungoverned = await play(false);
const judged = incidents.map((incident) => ({
  incident, ...judge(incident, governed, ungoverned),
}));
for (const { incident, verdict, ms, why } of judged) {
  console.log(`${verdict.padEnd(12)} ${incident.name}${ms === undefined ? ''
    : ` (${ms.toFixed(0)} ms)`}${why === undefined ? '' : `: ${why}`}`);
}
const text = page(judged);
const file = new URL('../../docs/incidents.md', import.meta.url);
if (process.argv[2] === '--write') writeFileSync(file, text);
const isStale = readFileSync(file, 'utf8') !== text;
if (isStale) console.log('docs/incidents.md does not tell what came of this run: run.mjs --write');
const failed = judged.filter(({ verdict }) => verdict === 'FAILED').length + isStale;
console.log(`incidents: ${judged.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
