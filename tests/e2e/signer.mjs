// The signer beside the daemon: what each of the two holds and may do, what happens when it
// is killed, and how its key is changed while agents go on.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';

import * as jose from 'jose';

import { ADMINISTRATOR, World, eventually } from '../../examples/stories/lib/world.mjs';

const IDENTITY = 'support-summariser';
const OVERLAP_S = 3;
let world;

before(async () => {
  world = await World.start({ settings: `hold-ms: 300\ntoken-key-overlap-s: ${OVERLAP_S}\n` });
});
after(() => world?.stop());

// ---- what the system says of a process ----

const proc = (pid, name) => readFileSync(`/proc/${pid}/${name}`, 'utf8');

const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => proc(pid, `task/${task}/children`).split(' '))
    .filter(Boolean)
    .map(Number);

const nameOf = (pid) => {
  try {
    return proc(pid, 'comm').trim();
  } catch {
    return ''; // it has ended
  }
};

const signer = () => childrenOf(world.daemon.pid).find((pid) => nameOf(pid) === 'remitd-signer');

// Null where the system does not let us look.
const ifAllowed = (look) => {
  try {
    return look();
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EPERM') return null;
    throw error;
  }
};

const MAPPING_BYTES_MAX = 4 * 1024 ** 3 - 1;

// Whether any of the needles lies in memory that the process can read.
const holds = (pid, needles) => {
  const file = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of proc(pid, 'maps').split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      if (!mode?.startsWith('r') || /\[v(var|syscall|dso)/.test(line)) continue;
      const start = BigInt('0x' + from);
      const length = Number(BigInt('0x' + to) - start);
      if (length > MAPPING_BYTES_MAX) continue; // a sanitizer's shadow, which says what is poisoned
      const bytes = Buffer.alloc(length);
      let got = 0;
      try {
        got = readSync(file, bytes, 0, bytes.length, start);
      } catch (error) {
        if (error.code !== 'EIO') throw error; // a page that is not there
      }
      if (needles.some((needle) => bytes.subarray(0, got).includes(needle))) return true;
    }
    return false;
  } finally {
    closeSync(file);
  }
};

// A private number as files, big numbers and texts have it.
const formsOf = (name) => {
  const pem = readFileSync(world.path('keys', name), 'utf8');
  const number = Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d, 'base64url');
  return [number, Buffer.from(number).reverse(), Buffer.from(pem.split('\n')[1])];
};

test('the daemon does not hold the keys that its signer holds', async (t) => {
  await world.openTask(IDENTITY, 'files'); // both have signed something
  const [daemon, keeper] = [world.daemon.pid, signer()];
  for (const name of ['token.pem', 'checkpoint.pem']) {
    const found = ifAllowed(() => [holds(keeper, formsOf(name)), holds(daemon, formsOf(name))]);
    if (found === null) {
      t.skip('this user may not read the memory of other processes');
      return;
    }
    assert.deepEqual(found, [true, false], name);
  }
  const master = [readFileSync(world.path('keys', 'master.key'))];
  assert.deepEqual([holds(keeper, master), holds(daemon, master)], [false, true], 'master.key');
});

test('the signer has two channels, its folder, and nothing else open', (t) => {
  const keeper = signer();
  const open = ifAllowed(() =>
    readdirSync(`/proc/${keeper}/fd`).map((fd) => [fd, readlinkSync(`/proc/${keeper}/fd/${fd}`)]));
  if (open === null) {
    t.skip('this user may not look at the files of other processes');
    return;
  }
  const places = new Map(open);
  assert.equal(places.get('0'), '/dev/null');
  assert.equal(places.get('1'), '/dev/null');
  assert.match(places.get('3'), /^socket:/);
  assert.match(places.get('4'), /^socket:/);
  const others = open.filter(([fd]) => Number(fd) > 4).map(([, place]) => place);
  assert.deepEqual(others, [world.path('keys')]);
  const inodes = ['3', '4'].map((fd) => /\d+/.exec(places.get(fd))[0]);
  for (const net of ['tcp', 'tcp6', 'udp', 'udp6']) {
    const text = ifAllowed(() => proc(keeper, `net/${net}`)) ?? '';
    for (const inode of inodes) assert.ok(!text.includes(` ${inode} `), `${net}: ${inode}`);
  }
});

test('the signer can gain nothing and call little', () => {
  const status = proc(signer(), 'status');
  assert.match(status, /NoNewPrivs:\s+1/);
  assert.match(status, /Seccomp:\s+2/);
  assert.match(status, /CapEff:\s+0{16}/);
});

// ---- it is killed ----

const readiness = async () => (await fetch(world.url + '/readyz')).status;

test('a signer that is killed comes back, and the log goes on', async () => {
  const { token } = await world.openTask(IDENTITY, 'files');
  const killed = signer();
  process.kill(killed, 'SIGKILL');
  assert.ok(await eventually(async () => (await readiness()) === 503));
  assert.equal(await statusOf(token), 200, 'what is open goes on');
  assert.ok(await eventually(async () => (await readiness()) === 200));
  assert.notEqual(signer(), killed);
  await world.openTask(IDENTITY, 'files');
  assert.match(world.daemonText, /error signer_ended status=-1 signal=9/);
  assert.match(world.daemonText, /info signer_started/);
  assert.equal((await world.verify()).code, 0);
});

// ---- its key is changed ----

const statusOf = async (token) => {
  const answer = await fetch(world.mcp('files'), {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0', id: 1, method: 'initialize',
      params: {
        protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' },
      },
    }),
  });
  await answer.text();
  return answer.status;
};

const kidOf = (token) => jose.decodeProtectedHeader(token).kid;
const published = async () =>
  (await (await fetch(world.url + '/oauth/jwks')).json()).keys.map(({ kid }) => kid);
const states = async () =>
  (await world.json(ADMINISTRATOR, 'key', 'list')).items.map(({ state }) => state);

// By the example of docs/formats/tokens.md, as it stands there.
const page = new URL('../../docs/formats/tokens.md', import.meta.url);
const [, example] =
  /```js\nimport .*\n\n([^`]*(?:`[^`]+`[^`]*)*)```/.exec(readFileSync(page, 'utf8'));
const verify = Object.getPrototypeOf(async () => {}).constructor(
  'createRemoteJWKSet', 'jwtVerify', 'ISSUER', 'token', `${example}\nreturn payload;`);
const isSigned = async (token) => {
  const payload = await verify(jose.createRemoteJWKSet, jose.jwtVerify, world.url, token);
  assert.equal(payload.client_id, IDENTITY);
};

test('only an administrator changes the key', async () => {
  const done = await world.remit('ana@example.com', 'key', 'rotate', '--reason', 'r');
  assert.notEqual(done.code, 0);
  assert.equal((await published()).length, 1);
});

test('a new key is published, then signs, and the old one is good for what it signed', async () => {
  const first = (await world.openTask(IDENTITY, 'files')).token;
  await world.must(ADMINISTRATOR, 'key', 'rotate', '--reason', 'yearly');
  assert.equal((await published()).length, 2);
  assert.deepEqual(await states(), ['current', 'next']);
  const again = await world.remit(ADMINISTRATOR, 'key', 'rotate', '--reason', 'yearly');
  assert.notEqual(again.code, 0, 'one waits already');
  assert.equal(kidOf((await world.openTask(IDENTITY, 'files')).token), kidOf(first));
  let second;
  assert.ok(await eventually(async () => {
    second = (await world.openTask(IDENTITY, 'files')).token;
    return kidOf(second) !== kidOf(first);
  }));
  assert.deepEqual(await states(), ['old', 'current']);
  for (const token of [first, second]) {
    await isSigned(token);
    assert.equal(await statusOf(token), 200);
  }

  const old = formsOf('token.pem');
  const found = ifAllowed(() => holds(signer(), old));
  assert.ok(found === null || found, 'the file is the key that signs');

  for (const isStoreLost of [false, true]) {
    await world.stopped.pop()();
    if (isStoreLost) world.removeStore();
    await world.spawnDaemon();
    assert.deepEqual(await states(), ['old', 'current']);
    for (const token of [first, second]) assert.equal(await statusOf(token), 200);
    assert.equal(kidOf((await world.openTask(IDENTITY, 'files')).token), kidOf(second));
  }
});

test('a key that waits survives a restart and signs at its time', async () => {
  const before = (await world.openTask(IDENTITY, 'files')).token;
  await world.must(ADMINISTRATOR, 'key', 'rotate', '--reason', 'again');
  await world.stopped.pop()();
  await world.spawnDaemon();
  assert.ok(await eventually(async () =>
    kidOf((await world.openTask(IDENTITY, 'files')).token) !== kidOf(before)));
  assert.equal(await statusOf(before), 200);
});

test('no token of a compromised key holds a moment longer, nor after a restart', async () => {
  const { token } = await world.openTask(IDENTITY, 'files');
  assert.equal(await statusOf(token), 200);
  await world.must(ADMINISTRATOR, 'key', 'rotate', '--compromised', '--yes', '--reason', 'leaked');
  assert.equal(await statusOf(token), 401);
  assert.equal((await published()).length, 1);
  const fresh = (await world.openTask(IDENTITY, 'files')).token;
  assert.notEqual(kidOf(fresh), kidOf(token));
  assert.equal(await statusOf(fresh), 200);
  await world.stopped.pop()();
  await world.spawnDaemon();
  assert.equal(await statusOf(token), 401);
  assert.equal(await statusOf(fresh), 200);
});

test('who changed the key, when and why is on record', async () => {
  const text = await world.must(null, 'audit', 'export', '--type', 'token-key');
  const records = text.split('\n').filter(Boolean).map((line) => JSON.parse(line).record);
  assert.deepEqual(records.map(({ reason }) => reason), ['yearly', 'again', 'leaked']);
  for (const record of records) {
    assert.equal(record.actor, `person:${ADMINISTRATOR}`);
    assert.equal(record.jwk.d, undefined);
    assert.ok(record.from >= record.at && record.replaces.until >= record.from);
  }
  assert.equal(records[2].compromised, true);
});
