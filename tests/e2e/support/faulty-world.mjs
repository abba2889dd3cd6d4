// A world with one more server, which misbehaves on demand, and an identity that
// may call all its tools.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { World } from '../../../examples/stories/lib/world.mjs';

const program = fileURLToPath(new URL('faulty-server.mjs', import.meta.url));
export const TOOLS = [
  'fine', 'silent', 'crash', 'garbage', 'huge', 'failure', 'alien', 'late', 'asks',
];

const charters = (world) => `object: server
name: faulty
transport: {stdio: ["${process.execPath}", "${program}"]}
environment: staging
unit: support
---
${TOOLS.map((name) => `object: tool
name: faulty/${name}
effect: read
risk: low
reversal: none-needed
---`).join('\n')}
object: identity
name: tester
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Try what happens when a server misbehaves
environments: [staging]
outputs: [{to: reply, up-to: internal}]
entitlements:
${TOOLS.map((name) => `  - {effect: read, tool: faulty/${name}}`).join('\n')}
peers: []
limits: {task: 15m, calls-per-minute: 100000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`;

// Only who waits for a server that never answers has it given up soon.
export const startFaultyWorld = (settings = 'hold-ms: 300\nupstream-timeout-ms: 60000\n') =>
  World.start({
    settings,
    change: (files, world) => files.set('charters/60-faulty.yaml', charters(world)),
    approve: { tester: 'bo@example.com' },
    key: { tester: 'nobody' },
  });

// In the folder that remit gives the server.
const notes = (world) => world.path('servers', 'faulty', 'calls');

// The tool calls the server itself wrote down.
export const reached = (world) => {
  const file = notes(world);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
};

export const forget = (world) => rmSync(notes(world), { force: true });
