// People sign in through their own issuer: `remit login` as docs/login.md says, against
// oidc-provider, with a browser that fetch plays.  What must let nobody in comes first.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World } from '../../examples/stories/lib/world.mjs';
import { CLIENT, browse, startProvider } from './support/provider.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.REMIT_BUILD ?? resolve(here, '../../build');
const page = readFileSync(resolve(here, '../../docs/login.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text]) => text);
let world;
let provider;

before(async () => {
  provider = await startProvider();
  provider.people.set('u-ana', { email: 'ana@example.com', email_verified: true });
  provider.people.set('u-bo', { email: 'bo@example.com', email_verified: false });
  provider.people.set('u-eve', { email: 'eve@example.com', email_verified: true });
  world = await World.start({
    change: (files) => {
      const issuer = blocks.find((block) => block.includes('object: issuer'))
        .replace(/^url: .*$/m, `url: ${provider.url}`);
      files.set('charters/60-issuer.yaml', `${issuer}private-addresses: allowed\n`);
      for (const [name, text] of files) {
        files.set(name, text.replace(/^(object: person\nname: (ana|bo)@[^]*?)(?=^---|(?![^]))/gm,
          '$1sign-in: {issuer: okta}\n'));
      }
    },
  });
});
after(async () => {
  await world?.stop();
  await provider?.stop();
});

// `remit login` in a folder of its own; the address that it prints, and how it ended.
const login = (name, ...args) => {
  const home = world.path('people', name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: '1' };
  delete env.DISPLAY;
  delete env.WAYLAND_DISPLAY;
  const child = spawn(join(build, 'remit'), ['--data', world.dir, 'login', ...args], {
    env, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const all = { out: '', err: '', child };
  child.stdout.on('data', (part) => (all.out += part));
  all.address = new Promise((done, fail) => {
    child.stderr.on('data', (part) => {
      all.err += part;
      const found = /^(http\S+)$/m.exec(all.err);
      if (found && all.err.includes(`${found[1]}\n`)) done(found[1]);
    });
    child.on('close', () => fail(new Error(all.err)));
  });
  all.address.catch(() => {});
  all.ended = new Promise((done) => child.on('close', (code) => done({ ...all, code })));
  return all;
};

const signIn = async (name, who, ...args) => {
  provider.person = who;
  const going = login(name, ...args);
  await fetch(await browse(await going.address));
  return going.ended;
};

// An id_token with any nonce, as whoever gets one elsewhere does.
const tokenFor = async (who, nonce) => {
  provider.person = who;
  const verifier = randomBytes(32).toString('base64url');
  const redirect = 'http://127.0.0.1:9/callback';
  const query = new URLSearchParams({
    client_id: CLIENT, redirect_uri: redirect, response_type: 'code', scope: 'openid email',
    state: 's', nonce, code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const code = new URL(await browse(`${provider.url}/auth?${query}`)).searchParams.get('code');
  const answer = await fetch(`${provider.url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code, client_id: CLIENT, redirect_uri: redirect,
      code_verifier: verifier,
    }),
  });
  return (await answer.json()).id_token;
};

const withToken = async (name, token) => {
  const file = world.path('people', `${name}.jwt`);
  writeFileSync(file, token, { mode: 0o600 });
  return world.remit(name, 'login', '--id-token-file', file);
};
const nonceOf = async (name) => (await world.must(name, 'login', '--nonce')).trim();

test('an address that nobody verified lets nobody in', async () => {
  const done = await signIn('unverified', 'u-bo');
  assert.equal(done.code, 1, done.err);
  assert.match(done.err, /login_claim/);
  assert.ok(!existsSync(world.path('people', 'unverified', 'remit', 'key.pem')));
});

test('who is not registered is let in by nobody, and no person is made', async () => {
  const before = await world.must('adi@example.com', 'person', 'list');
  const done = await signIn('stranger', 'u-eve');
  assert.equal(done.code, 1, done.err);
  assert.match(done.err, /\(person\)/);
  assert.equal(await world.must('adi@example.com', 'person', 'list'), before);
});

test('a stolen id_token is of no use to another key', async () => {
  const token = await tokenFor('u-ana', await nonceOf('ana-phone'));
  await nonceOf('thief');
  const stolen = await withToken('thief', token);
  assert.equal(stolen.code, 1, stolen.out);
  assert.match(stolen.err, /login_nonce/);
  assert.equal((await withToken('ana-phone', token)).code, 0);
});

test('an id_token is used once, also after the key it made was ended', async () => {
  const nonce = await nonceOf('ana-twice');
  const token = await tokenFor('u-ana', nonce);
  const pem = readFileSync(world.path('people', 'ana-twice', 'remit', 'next.pem'));
  assert.equal((await withToken('ana-twice', token)).code, 0);
  const again = async () => {
    writeFileSync(world.path('people', 'ana-twice', 'remit', 'next.pem'), pem, { mode: 0o600 });
    return withToken('ana-twice', token);
  };
  const second = await again();
  assert.equal(second.code, 4, second.err);
  await world.must('ana-twice', 'logout', '--yes');
  const third = await again();
  assert.equal(third.code, 4, third.err);
  assert.match(third.err, /enrolled already/);
  await world.killDaemon();
  await world.spawnDaemon();
  assert.equal((await again()).code, 4); // by the store
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  assert.equal((await again()).code, 4);
});

test('a forged way back is not taken, and does not end the sign-in', async () => {
  provider.person = 'u-ana';
  const going = login('ana-forged');
  const address = await going.address;
  const { origin, pathname } = new URL(new URL(address).searchParams.get('redirect_uri'));
  const state = new URL(address).searchParams.get('state');
  for (const query of [
    'code=evil', 'code=evil&state=', 'code=evil&state=guess', `code=a&code=b&state=${state}`,
    `code=a&state=${state}&state=x`, `state=${state}`, `code=a&error=b&state=${state}`,
  ]) {
    assert.equal((await fetch(`${origin}${pathname}?${query}`)).status, 404, query);
  }
  assert.equal((await fetch(`${origin}/`)).status, 404);
  await fetch(await browse(address));
  const done = await going.ended;
  assert.equal(done.code, 0, done.err);
});

test('the answer of another issuer is not taken, and its code goes nowhere', async () => {
  const before = provider.exchanges.length;
  for (const change of [
    (url) => url.searchParams.set('iss', 'https://evil.example'),
    (url) => url.searchParams.delete('iss'),
  ]) {
    provider.person = 'u-ana';
    const going = login('ana-mixed');
    const back = new URL(await browse(await going.address));
    change(back);
    await fetch(back);
    const done = await going.ended;
    assert.equal(done.code, 1, done.err);
    assert.match(done.err, /another issuer answered/);
  }
  assert.equal(provider.exchanges.length, before);
});

test('who asks too often where the browser comes back ends the sign-in', async () => {
  const going = login('ana-asked');
  const redirect = new URL(await going.address).searchParams.get('redirect_uri');
  for (let i = 0; i < 64; i += 1) {
    assert.equal((await fetch(`${redirect}?code=a&state=${i}`)).status, 404);
  }
  const done = await going.ended;
  assert.equal(done.code, 5, done.err);
  assert.match(done.err, /others asked too often/);
});

test('an issuer that does not exist is refused by name', async () => {
  const done = await login('ana-other', '--issuer', 'other').ended;
  assert.equal(done.code, 3, done.err);
  assert.match(done.err, /no issuer of the name other here: an administrator registers one/);
});

test('a person signs in, acts, sees until when, and logs out', async () => {
  const done = await signIn('ana-laptop', 'u-ana', '-o', 'json');
  assert.equal(done.code, 0, done.err);
  const { person, issuer, kid, expires_utc_ms: until } = JSON.parse(done.out);
  assert.deepEqual([person, issuer], ['ana@example.com', 'okta']);
  const lasts = until - Date.now();
  assert.ok(lasts > 7.9 * 3600e3 && lasts <= 8 * 3600e3, `${lasts}`);
  const me = await world.json('ana-laptop', 'whoami');
  assert.equal(me.actor, 'person:ana@example.com');
  assert.equal(me.key.kid, kid);
  assert.equal(me.key.expires_utc_ms, until);
  const found = await world.json('ana-laptop', 'audit', 'search', '--type', 'person-key',
    '--limit', '1000');
  const record = found.items.map((item) => item.record).find((item) => item.kid === kid);
  assert.equal(record.verb, 'enrol');
  assert.equal(record.issuer, 'okta');
  // The key is kept as a copy, as a thief would have it.
  const home = world.path('people', 'ana-laptop', 'remit');
  const kept = readdirSync(home).map((name) => [name, readFileSync(join(home, name))]);
  await world.must('ana-laptop', 'logout', '--yes');
  assert.ok(!existsSync(join(home, 'key.pem')));
  for (const [name, bytes] of kept) writeFileSync(join(home, name), bytes, { mode: 0o600 });
  const over = await world.remit('ana-laptop', 'whoami');
  assert.equal(over.code, 1);
  assert.match(over.err, /key_over.*remit login/s);
  // Which a new sign-in mends, without a logout.
  assert.equal((await signIn('ana-laptop', 'u-ana')).code, 0);
});

test('nothing that was secret is in the log of the daemon or on record', async () => {
  const token = await tokenFor('u-ana', await nonceOf('ana-quiet'));
  assert.equal((await withToken('ana-quiet', token)).code, 0);
  assert.ok(!world.daemonText.includes(token));
  const found = await world.must('adi@example.com', 'audit', 'export');
  assert.ok(!found.includes(token.split('.')[2]));
  const report = await world.verify();
  assert.equal(report.code, 0, report.err);
});
