// The conformance suite of MCP at our authorization server: its own client, driven through
// the consent page by a browser that fetch plays.  The suite is an alpha, and needs Node 22,
// which tools/deps gets beside an older one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World } from '../../examples/stories/lib/world.mjs';
import { Browser } from './support/browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const suite = resolve(root, 'tests/contract/mcp/node_modules/@modelcontextprotocol/conformance');
const NODE_LEAST = 22;
const ASSISTANT = 'desk-assistant';
const SUITE_MS = 60_000;

const isNewEnough = Number(process.versions.node.split('.')[0]) >= NODE_LEAST;
const node = isNewEnough ? process.execPath
  : resolve(root, 'tools/node/node_modules/node/bin/node');
const skip = !existsSync(node) ? `Node ${NODE_LEAST} is not there: run tools/deps`
  : !existsSync(suite) ? 'the suite is not installed: run tools/deps' : false;
let world;

before(async () => {
  if (skip) return;
  const page = readFileSync(resolve(root, 'docs/code-grant.md'), 'utf8');
  const clause = /^```yaml\n(.*?)^```/ms.exec(page)[1];
  world = await World.start({
    approve: { [ASSISTANT]: 'bo@example.com' },
    change: (files) => {
      files.set(`charters/60-${ASSISTANT}.yaml`, files.get('charters/50-support-summariser.yaml')
        .replace('name: support-summariser\n', `name: ${ASSISTANT}\n`)
        .replace(/^keys:.*\n/m, clause));
    },
  });
});
after(() => world?.stop());

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// What a person does whom the suite's client sends to us.
const reply = async (address, isYes) => {
  const browser = new Browser(world.url);
  await browser.begin(address);
  await world.must('ana@example.com', 'consent', browser.code,
    ...(isYes ? ['--number', browser.number] : ['--deny']));
  await fetch((await browser.get(browser.page)).place);
};

const runSuite = async (isYes, ...args) => {
  const child = spawn(node, [resolve(suite, 'dist/index.js'), 'authorization', '--url', world.url,
    ...args], { cwd: world.path('.'), stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill(), SUITE_MS);
  let out = '';
  let replied;
  const read = (part) => {
    out += part;
    const asked = /(http:\S+\/oauth\/authorize\?[^\s"]+)[\s"]/.exec(out);
    if (asked) replied ??= reply(asked[1], isYes).then(() => null, (error) => error);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const code = await new Promise((done) => child.on('close', done));
  clearTimeout(late);
  assert.equal(await replied ?? null, null, out);
  return { code, out, wasAsked: replied !== undefined };
};

// Its second scenario goes on from what its first one read.
const args = async () => ['--client-id', ASSISTANT, '--resource', world.mcp('files'),
  '--port', String(await freePort())];

test('metadata and the code grant are as the suite wants them', { skip }, async () => {
  const done = await runSuite(true, ...await args());
  assert.equal(done.code, 0, done.out);
  assert.ok(done.wasAsked, done.out);
  assert.match(done.out, /2 passed, 0 failed/);
});

// So that it can fail.
test('where the person says no, the suite has no token', { skip }, async () => {
  const done = await runSuite(false, ...await args());
  assert.notEqual(done.code, 0, done.out);
  assert.match(done.out, /1 passed, 1 failed/);
});
