// docs/ways-in.md and docs/standing.md: their examples as they stand, and that each way they
// name has a client to copy, with a test that runs it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, run } from '../../examples/stories/lib/world.mjs';
import { Issuer } from './support/issuers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const docs = resolve(here, '../../docs');
const read = (page) => readFileSync(join(docs, page), 'utf8');
const blocks = (page, language) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))]
    .map(([, text]) => text);
const IDENTITY = 'support-summariser';
// Which test plays the examples of a page.
const PLAYERS = {
  'federation.md': 'federation', 'oauth.md': 'oauth_page', 'delegation.md': 'delegation',
  'a2a.md': 'a2a', 'dpop.md': 'bound', 'mtls.md': 'bound', 'standing.md': 'ways_in',
  'code-grant.md': 'code_grant', 'login.md': 'login',
};
let world;
let issuer;

before(async () => {
  issuer = await Issuer.start({ name: 'id', algorithm: 'ES256' });
  world = await World.start({
    change: (files) => {
      files.set('charters/60-issuer.yaml', ['object: issuer', 'name: id', 'unit: support',
        'speaks: oidc', `url: ${issuer.url}`, 'algorithms: [ES256]', 'private-addresses: allowed',
        ''].join('\n'));
      const file = `charters/50-${IDENTITY}.yaml`;
      files.set(file, files.get(file).replace(/^expires: .*\n/m, ''));
    },
  });
});
after(async () => {
  await world?.stop();
  await issuer?.stop();
});

const environment = (person) => {
  const home = world.path('people', person ?? 'nobody');
  return {
    ...process.env, ISSUER: world.url, IDENTITY, KEY: world.keys[IDENTITY].path,
    RESOURCE: world.mcp('files'), DATA: world.dir, PLATFORM: 'id', WORKLOAD: 'worker-7',
    HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: '1',
    PATH: `${process.env.REMIT_BUILD ?? resolve(here, '../../build')}:${process.env.PATH}`,
  };
};
const shell = async (text, person) => {
  const done = await run('sh', ['-euc', text], { env: environment(person) });
  assert.equal(done.code, 0, done.out + done.err);
  return done.out;
};
const module = async (text) => {
  const child = spawn(process.execPath, ['--input-type=module', '-'],
    { cwd: here, env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (part) => (out += part));
  const code = new Promise((done) => child.on('close', done));
  child.stdin.end(text);
  assert.equal(await code, 0);
  return out;
};
// As GitHub makes the anchor of a heading.
const anchors = (page) => [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
  heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));

test('each way leads somewhere, to a page with an example that a test plays', () => {
  const links = [...read('ways-in.md').matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)]
    .filter(([, page]) => !page.startsWith('..'));
  assert.ok(links.length >= 15);
  for (const [, page, anchor] of links) {
    const name = page === '' ? 'ways-in.md' : page;
    assert.ok(existsSync(join(docs, name)), name);
    if (anchor) assert.ok(anchors(name).includes(anchor), `${name} has no #${anchor}`);
    if (page === '') continue;
    assert.ok(PLAYERS[page], `no test plays ${page}`);
    const player = readFileSync(join(here, `${PLAYERS[page]}.mjs`), 'utf8');
    assert.ok(player.includes(page), `${PLAYERS[page]} does not read ${page}`);
    assert.match(read(page), /^```(js|sh|yaml)?\n/m);
  }
});

test('the pages have the examples that are played here', () => {
  assert.equal(blocks('ways-in.md', 'js').length, 1);
  assert.equal(blocks('ways-in.md', 'sh').length, 1);
  assert.equal(blocks('standing.md', 'sh').length, 2);
});

test('the JWT bearer grant opens a task', async () => {
  assert.match(await module(blocks('ways-in.md', 'js')[0]),
    /^task t-\w+ for \d+ seconds, a token of 3 parts\n$/);
});

test('a terminal opens a task and ends it', async () => {
  const out = await shell(blocks('ways-in.md', 'sh')[0], 'adi@example.com');
  assert.match(out, /support-summariser +staging +open/);
});

test('what stands is converted as the page says', async () => {
  const [dry, real] = blocks('standing.md', 'sh');
  const seen = await shell(dry, 'adi@example.com');
  assert.match(seen, /stands: identity\/support-summariser\/key\//);
  assert.match(seen, /opened \d+ tasks? for/);
  assert.match(seen, /worker-7/);
  assert.match(await shell(real, 'adi@example.com'), /waiting/);
});
