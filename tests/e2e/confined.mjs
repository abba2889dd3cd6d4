// A server over stdio that pries: it gets nothing of remit's, although it runs as
// remit's own user; and a real one still works.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World } from '../../examples/stories/lib/world.mjs';

const program = fileURLToPath(new URL('support/prying-server.mjs', import.meta.url));
// What the world itself lays in the data folder; the rest the daemon made.
const LAID = ['bin', 'agents', 'people', 'upstream', 'apply', 'apply-drafts', 'desk',
  'knowledge'];
// Some that come later, or only now and then.
const LATER = ['servers', 'remit.db-journal', 'listen.new', '.new-listen', 'version.new',
  'audit.vkey.new', 'journal', 'log'];

const REFUSED = /^(EACCES|EPERM)$/;

// A file of the daemon's that is being written has another name in a moment.
const namesIn = (folder) => readdirSync(folder).filter((name) => !/^\.new-|\.new$/.test(name));
const ownNames = (world) => namesIn(world.dir).filter((name) => !LAID.includes(name));

// Its arguments name all that is remit's own, and one folder that is not.
const charters = (world) => `object: server
name: prying
transport: {stdio: ${JSON.stringify([
    process.execPath, program, 'desk', '.', world.dir, ...LATER, ...ownNames(world)])}}
environment: staging
unit: support
---
object: tool
name: prying/pry
effect: read
risk: low
reversal: none-needed
---
object: identity
name: tester
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Try what a server over stdio can reach
environments: [staging]
outputs: [{to: reply, up-to: internal}]
entitlements: [{effect: read, tool: prying/pry}]
peers: []
limits: {task: 15m, calls-per-minute: 100000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`;

const start = async (settings) => {
  const world = await World.start({
    settings,
    change: (files, world) => files.set('charters/60-prying.yaml', charters(world)),
    approve: { tester: 'bo@example.com' },
    key: { tester: 'nobody' },
  });
  const agent = await world.agent('tester', 'prying');
  const pry = async (way, what) => {
    const answer = await agent.call('pry', { way, what });
    assert.ok(answer.done, answer.text);
    return answer.text;
  };
  return { world, agent, pry };
};

let confined;
let skip = false;

before(async () => {
  confined = await start('hold-ms: 300\n');
  skip = confined.world.daemonText.includes('stdio_servers_refused')
    && 'this kernel cannot confine';
});
after(async () => {
  await confined?.agent.close();
  await confined?.world.stop();
});
const walls = (name, run) => test(name, (t) => (skip ? t.skip(skip) : run(confined)));

walls('the log says what holds servers', ({ world }) => {
  assert.match(world.daemonText, /info stdio_servers_confined landlock=[1-9]/);
});

walls('naming what the daemon made in its folder opens none of it', async ({ world, pry }) => {
  assert.equal(await pry('keep', 'a start'), 'done');
  const names = ownNames(world);
  for (const name of ['audit', 'audit.vkey', 'keys', 'listen', 'lock', 'remit.db', 'remit.sock',
    'secrets', 'servers', 'version']) {
    assert.ok(names.includes(name), `${name} is there to be tried`);
  }
  for (const name of names) {
    const kind = statSync(world.path(name));
    const ways = kind.isDirectory() ? ['list'] : kind.isSocket() ? ['connect'] : ['read', 'append'];
    for (const way of ways) assert.match(await pry(way, world.path(name)), REFUSED, name);
  }
});

walls('keys and log are not read', async ({ world, pry }) => {
  for (const folder of ['keys', 'audit', 'secrets']) {
    assert.match(await pry('list', world.path(folder)), REFUSED);
    for (const file of namesIn(world.path(folder))) {
      assert.match(await pry('read', world.path(folder, file)), REFUSED, file);
    }
  }
  assert.match(await pry('list', world.dir), REFUSED);
  assert.match(await pry('append', world.path('planted')), REFUSED);
});

walls('the daemon is neither read nor signalled', async ({ pry }) => {
  for (const file of ['environ', 'mem', 'maps', 'cmdline', 'fd/0']) {
    assert.match(await pry('read-parent', file), REFUSED, file);
  }
  assert.match(await pry('signal-parent'), REFUSED);
});

walls('the socket does not open and the port gives nothing', async ({ world, pry }) => {
  assert.match(await pry('connect', world.path('remit.sock')), REFUSED);
  for (const path of ['/v1/identities', '/v1/records', '/v1/approvals', '/mcp/files']) {
    assert.match(await pry('fetch', world.url + path), /^4\d\d$/, path);
  }
});

walls('what it was given and what is its own it may use', async ({ world, pry }) => {
  assert.equal(await pry('list', world.path('desk')), 'done');
  assert.equal(await pry('append', world.path('desk', 'note')), 'done');
  assert.equal(await pry('keep', 'a state'), 'done');
  assert.equal(readFileSync(world.path('servers', 'prying', 'kept'), 'utf8'), 'a state');
  assert.equal(await pry('run', '/bin/true'), 'done');
});

test('unconfined, it does all of that', async () => {
  const { world, agent, pry } = await start('hold-ms: 300\nstdio-servers: unconfined\n');
  try {
    assert.match(world.daemonText, /warn stdio_servers_unconfined/);
    for (const name of namesIn(world.path('keys'))) {
      assert.equal(await pry('read', world.path('keys', name)), 'done');
    }
    assert.equal(await pry('connect', world.path('remit.sock')), 'done');
    assert.equal(await pry('signal-parent'), 'done');
    // Not even then: the daemon does not let itself be looked at.
    if (process.getuid() !== 0) assert.match(await pry('read-parent', 'environ'), REFUSED);
  } finally {
    await agent.close();
    await world.stop();
  }
});
