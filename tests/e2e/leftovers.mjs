// What is left of tasks when they are over: after REMIT_TASKS of them (300; `make nightly`
// 10,000), with calls to a server and to a model that has a credential, all authority is ended
// and everything that the daemon wrote, logged or holds is searched for a credential that still
// opens something.
//
// Not looked into: keys/, which holds the signing keys, and what people and agents keep of
// their own.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';

import { assertion } from '../../examples/stories/lib/keys.mjs';
import { KEY } from '../../examples/stories/lib/model-provider.mjs';
import { World } from '../../examples/stories/lib/world.mjs';

const TASKS = Number(process.env.REMIT_TASKS ?? 300);
const AT_ONCE = 16;
const AGENTS = ['support-summariser', 'support-researcher', 'ticket-filer'];
const OWN = ['keys', 'people', 'agents', 'upstream'];
const FORM = 'application/x-www-form-urlencoded';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
// A signature, as it stands behind its dot.
const SIGNATURE = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{86}(?![A-Za-z0-9_-])/g;
// A header of a JWS and all behind it that may belong to one.
const COMPACT = /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}/g;
const PIECE_BYTES = 16 * 1024 * 1024;
const OVERLAP_BYTES = 8192;

let world;
const tokens = []; // { token, task, server }
const assertions = [];

const post = (url, fields) => fetch(url, {
  method: 'POST', headers: { 'Content-Type': FORM }, body: new URLSearchParams(fields),
});

const ask = (signed, resource) => post(world.url + '/oauth/token', {
  grant_type: 'client_credentials', resource, client_assertion_type: JWT_BEARER,
  client_assertion: signed,
});

const openOne = async (number) => {
  const name = AGENTS[number % AGENTS.length];
  const signed = assertion(world.keys[name], name, world.url);
  const answer = await ask(signed, world.mcp('files'));
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  assertions.push(signed);
  tokens.push({ token: body.access_token, task: body.task });
};

const isOpen = async (token, resource) => {
  const isModel = resource.startsWith(`${world.url}/llm/`);
  const answer = await fetch(isModel ? `${resource}/v1/chat/completions` : resource, {
    method: 'POST', body: '{}',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream' },
  });
  await answer.arrayBuffer();
  return answer.status !== 401;
};

const useModel = async () => {
  const resource = `${world.url}/llm/local`;
  const { token } = await world.openTaskAt('support-summariser', resource);
  tokens.push({ token });
  const answer = await fetch(`${resource}/v1/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'small-1', stream: true, max_tokens: 5,
      messages: [{ role: 'user', content: 'Ticket 41?' }] }),
  });
  assert.equal(answer.status, 200);
  await answer.text();
};

before(async () => {
  world = await World.start();
  const numbers = Array.from({ length: TASKS }, (none, number) => number);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next; (next = numbers.pop()) !== undefined;) await openOne(next);
  }));
  const agent = await world.agent('support-summariser', 'files');
  await agent.call('read_text_file', { path: 'tickets/41.txt' });
  await agent.close();
  await useModel();
});
after(() => world?.stop());

// ---- what there is to search ----

function* filesOf(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !(folder === world.dir && OWN.includes(entry.name))) {
      yield* filesOf(path);
    } else if (entry.isFile()) yield path;
  }
}

// Everything that lies somewhere: (where, text).
const places = () => [
  ...[...filesOf(world.dir)].map((path) =>
    [relative(world.dir, path), readFileSync(path, 'latin1')]),
  ['what it logged', world.daemonText],
  ['its environment', readFileSync(`/proc/${world.daemon.pid}/environ`, 'latin1')],
];

// The ranges of memory that a core dump would hold, had it one: what may be written and is not
// kept out of dumps.
const dumpedRanges = (pid) => readFileSync(`/proc/${pid}/smaps`, 'utf8')
  .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).filter(Boolean)
  .filter((text) => / .w.p /.test(text.split('\n')[0]) && !/^VmFlags:.* dd( |$)/m.test(text))
  .map((text) => /^([0-9a-f]+)-([0-9a-f]+)/.exec(text).slice(1).map((hex) => parseInt(hex, 16)));

// Calls look with each piece of that memory; pieces overlap by more than a token is long.
const eachPiece = (pid, look) => {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    for (const [start, end] of dumpedRanges(pid)) {
      for (let at = start; at < end; at += PIECE_BYTES - OVERLAP_BYTES) {
        const got = readSync(memory, piece, 0, Math.min(PIECE_BYTES, end - at), at);
        look(piece.toString('latin1', 0, got));
      }
    }
  } finally {
    closeSync(memory);
  }
};

const claimsOf = (compact) => {
  try {
    return JSON.parse(Buffer.from(compact.split('.')[1], 'base64url').toString());
  } catch {
    return null;
  }
};

// ---- the tests, in this order ----

test('tokens open their doors while their tasks are open', async () => {
  for (const { token } of [tokens[0], tokens.at(-1)]) {
    assert.ok(await isOpen(token, claimsOf(token).aud));
  }
});

test('neither token nor assertion nor credential of a server lies anywhere', () => {
  const due = new Set([...tokens.map(({ token }) => token), ...assertions]
    .map((compact) => compact.split('.')[2]));
  // The search finds what it is made for.
  assert.ok(due.has(`of=${tokens[0].token}`.match(SIGNATURE)[0]));
  for (const [where, text] of places()) {
    assert.ok(!text.includes(KEY), `the provider's key lies in ${where}`);
    const found = (text.match(SIGNATURE) ?? []).find((signature) => due.has(signature));
    assert.equal(found, undefined, `a token lies in ${where}`);
    assert.doesNotMatch(text, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, where);
  }
});

test('the daemon may not write a core dump', () => {
  const limits = readFileSync(`/proc/${world.daemon.pid}/limits`, 'utf8');
  assert.match(limits, /^Max core file size +0 +0 /m);
});

test('whatever its memory holds opens nothing once all tasks are over', async (context) => {
  const compacts = new Set();
  let keys = 0;
  let issuers = 0;
  for (const name of AGENTS) {
    await world.must(null, 'kill', 'identity', name, '--reason', 'over', '--yes');
  }
  try {
    eachPiece(world.daemon.pid, (text) => {
      for (const [found] of text.matchAll(COMPACT)) compacts.add(found);
      keys += text.split(KEY).length - 1;
      issuers += text.split(world.url).length - 1;
    });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(error.code)) throw error;
    context.skip(`this user may not read the daemon's memory: ${error.code}`);
    return;
  }
  const valid = [];
  for (const compact of compacts) {
    const claims = claimsOf(compact);
    if (typeof claims?.aud !== 'string') continue;
    const isIt = claims.task === undefined
      ? (await ask(compact, world.mcp('files'))).status === 200
      : await isOpen(compact, claims.aud);
    if (isIt) valid.push(claims);
  }
  context.diagnostic(`${compacts.size} tokens and assertions lay in memory`);
  assert.ok(issuers > 0, 'the search finds what is there');
  assert.deepEqual(valid, []);
  // Under a sanitizer, which keeps what was freed as it was, too.
  assert.equal(keys, 0, "copies of the provider's key");
});

test('no token opens its door any more', async () => {
  for (const { token } of tokens) {
    assert.equal(await isOpen(token, claimsOf(token).aud), false);
  }
});
