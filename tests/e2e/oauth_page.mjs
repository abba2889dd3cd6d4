// The examples of docs/oauth.md, as they stand there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(resolve(here, '../../docs/oauth.md'), 'utf8');
const blocks = (language) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text);
const IDENTITY = 'support-summariser';
let world;

before(async () => { world = await World.start(); });
after(() => world?.stop());

const environment = (more = {}) => ({
  ...process.env, ISSUER: world.url, IDENTITY, KEY: world.keys[IDENTITY].path,
  RESOURCE: world.mcp('files'), DATA: world.dir,
  PATH: `${process.env.REMIT_BUILD ?? resolve(here, '../../build')}:${process.env.PATH}`, ...more,
});

// As a module beside the packages of these tests.
const play = async (text, more) => {
  const done = await new Promise((answer) => {
    const child = spawn(process.execPath, ['--input-type=module', '-'], {
      cwd: here, env: environment(more), stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (part) => (out += part));
    child.stderr.on('data', (part) => (err += part));
    child.on('close', (code) => answer({ code, out, err }));
    child.stdin.end(text);
  });
  assert.equal(done.code, 0, done.err);
  return done.out;
};

test('the page has the examples that are played here', () => {
  assert.equal(blocks('js').length, 3);
  assert.equal(blocks('sh').length, 1);
});

test('a token with a library', async () => {
  const out = await play(blocks('js')[0]);
  assert.match(out, new RegExp('^task t-\\w+ for \\d+ seconds\n' +
    'active true for files/read_text_file\nactive false\n$'));
});

test('the same with curl', async () => {
  const done = await run('sh', ['-euc', blocks('sh')[0]], { env: environment() });
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /"token_endpoint":/);
  assert.match(done.out, /"active":true.*\{\}\{"active":false\}$/s);
});

test('people who are asked first', async () => {
  const identity = 'incident-opener';
  const dan = 'dan@example.com';
  const played = play(blocks('js')[1], { IDENTITY: identity, KEY: world.keys[identity].path,
    RESOURCE: world.mcp('memory') });
  let id;
  assert.ok(await eventually(async () => {
    const { items } = await world.json(dan, 'approvals', 'list');
    id = items.find((one) => one.identity === identity)?.id;
    return id !== undefined;
  }));
  await world.must(dan, 'approve', id, '--yes');
  assert.match(await played, /^asked, for (t-\w+)\na token for \1\n$/);
});

test('a client that was invited registers itself', async () => {
  const file = world.path('invitation');
  const [, command] = /^ {4}remit (identity invite .*) invitation$/m.exec(page);
  const words = command.match(/"[^"]*"|\S+/g).map((word) => word.replaceAll('"', ''));
  await world.must('ana@example.com', ...words, file);
  const more = {
    INVITATION: readFileSync(file, 'utf8').trim(), NEW_KEY: join(world.dir, 'new.pem') };
  assert.equal(await play(blocks('js')[2], more), 'registered letter-reader draft\n');
  await world.must('ana@example.com', 'identity', 'propose', 'letter-reader');
  await world.must('bo@example.com', 'identity', 'approve', 'letter-reader', '--yes');
  const opened = await world.remit(null, 'task', 'open', 'letter-reader', '--key', more.NEW_KEY,
    '--resource', world.mcp('files'));
  assert.equal(opened.code, 0, opened.err);
});

test('each error of the page is one that the program says, and the other way round', () => {
  const files = ['answer', 'backchannel', 'introspect', 'oauth', 'pending', 'register', 'revoke'];
  const source = files.map((name) =>
    readFileSync(resolve(here, `../../src/edges/oauth/${name}.c`), 'utf8')).join('');
  const words = new RegExp('"((?:(?:invalid|unauthorized|unsupported|temporarily)_[a-z_]+)'
    + '|authorization_pending|use_dpop_nonce|slow_down|expired_token|access_denied)"', 'g');
  const said = new Set([...source.matchAll(words)].map(([, word]) => word));
  const told = new Set([...page.matchAll(/^\| `([a-z_]+)` \| \d/gm)].map(([, word]) => word));
  assert.deepEqual([...told].sort(), [...said].sort());
});
