// Secrets stay out: a server that shows the credential it was called with, in every
// spelling, and an agent that sends its own token somewhere.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { ADMINISTRATOR, eventually } from '../../examples/stories/lib/world.mjs';
import { VALUES, startCredentialWorld, startVault } from './support/credential-world.mjs';

const REMOVED = '[secret removed by remit]';
// Made of two parts, so that nobody who looks for secrets here finds one.
const FOREIGN = 'ghp_' + 'q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV';
const CREDENTIAL = VALUES.varied;
let vault;
let world;
let state;
let stop;
let agent;
const seen = [];

const setUp = async () => {
  vault = await startVault({ mode: 'good', value: VALUES.vaulted, lease: 60, reads: 0 });
  ({ world, state, stop } = await startCredentialWorld(vault.url));
  agent = await world.agent('tester', 'varied');
};
before(setUp);
after(async () => {
  await agent?.close();
  await stop?.();
  vault?.server.closeAllConnections();
  vault?.server.close();
});

const call = async (args = {}) => {
  const answer = await agent.call('act', args, { timeout: 20_000 });
  seen.push(JSON.stringify(answer));
  return answer;
};
const answers = (content) => (state.answer = () => content);
const text = (value) => ({ content: [{ type: 'text', text: value }] });
// The newest record of a type, of the store, which follows the log.
const last = async (type) => {
  const found = await world.json(null, 'audit', 'search', '--type', type, '--limit', '1000');
  return found.items.reduce((a, b) => (b.index > a.index ? b : a)).record;
};
const lastIs = (type, holds) => eventually(async () => holds(await last(type)));

test('a result without secrets comes as it is', async () => {
  const plain = 'a key? no: key-from-the-environment-of-nobody, 100 % \\n';
  answers(text(plain));
  assert.equal((await call()).text, plain);
});

for (const [name, spell] of [
  ['as it is', (value) => value],
  ['in base64', (value) => Buffer.from(`user:${value}`).toString('base64')],
  ['in base64url', (value) => Buffer.from(`x${value}`).toString('base64url')],
  ['in base16', (value) => Buffer.from(value).toString('hex')],
  ['with percents', (value) => [...value].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
  ['in JSON in a text', (value) => JSON.stringify({ key: value }).replace('key', '\\u006b')],
  ['over two lines', (value) => value.slice(0, 12) + '\n' + value.slice(12)],
]) {
  test(`the agent never sees the credential ${name}`, async () => {
    answers(text(`before ${spell(CREDENTIAL)} after`));
    const answer = await call();
    assert.ok(answer.done);
    assert.match(answer.text, /^before .* after$/s);
    assert.ok(answer.text.includes(REMOVED), answer.text);
    assert.ok(!answer.text.includes(spell(CREDENTIAL)));
  });
}

test('nor in a name, a structure, a picture or an error', async () => {
  answers({
    content: [
      { type: 'image', mimeType: 'image/png', data: Buffer.from(CREDENTIAL).toString('base64') },
      { type: 'text', text: 'still here' },
    ],
    structuredContent: { [CREDENTIAL]: [{ deep: `x${CREDENTIAL}` }] },
  });
  const answer = await call();
  assert.deepEqual(answer.result.content,
    [{ type: 'text', text: REMOVED }, { type: 'text', text: 'still here' }]);
  assert.deepEqual(answer.result.structuredContent, { [REMOVED]: [{ deep: `x${REMOVED}` }] });
});

test('the outcome says how many and which, and no value', async () => {
  answers(text(`${CREDENTIAL} and ${CREDENTIAL}`));
  await call();
  assert.ok(await lastIs('outcome', (record) => record.secrets === 2));
  const outcome = await last('outcome');
  assert.equal(outcome.fingerprints.length, 1);
  assert.match(outcome.fingerprints[0], /^f-[0-9a-f]{16}$/);
});

test('what looks like a credential of others goes too', async () => {
  answers(text(`token: ${FOREIGN}`));
  assert.equal((await call()).text, `token: ${REMOVED}`);
});

test('the agent does not get its own token into an argument', async () => {
  answers(text('done'));
  const before = state.calls.length;
  const answer = await call({ note: `please use ${agent.token}` });
  assert.equal(answer.done, false);
  assert.match(answer.text, /org\/keep-secrets-in/);
  assert.match(answer.text, /needed: The same call without the secret that its arguments hold\./);
  assert.equal(state.calls.length, before, 'nothing was sent');
  assert.ok(await lastIs('decision', (record) => record.verdict === 'deny'));
  const decision = await last('decision');
  assert.deepEqual(decision.secrets, ['own']);
  assert.match(decision.fingerprints[0], /^f-[0-9a-f]{16}$/);
});

test('nor in another spelling, nor the credential of a server', async () => {
  const before = state.calls.length;
  for (const note of [
    Buffer.from(agent.token).toString('base64'), encodeURIComponent(agent.token) + '%',
    `https://x.example/?k=${CREDENTIAL}`, { [CREDENTIAL]: 1 }, [[`${CREDENTIAL}`]],
  ]) {
    const answer = await call({ note });
    assert.equal(answer.done, false, JSON.stringify(note));
  }
  assert.equal(state.calls.length, before, 'nothing was sent');
});

test('people who ask are told the same', async () => {
  const why = async (note) => JSON.parse((await world.remit(null, 'why', 'tester', 'read',
    'varied/act', '--arguments', JSON.stringify({ note }), '-o', 'json')).out);
  assert.equal((await why('nothing')).verdict, 'allow');
  assert.equal((await why(agent.token)).reason, 'forbidden');
});

test('what is allowed is allowed when it carries no secret', async () => {
  const can = await world.json(null, 'can', 'tester');
  const item = can.items.find(({ tool }) => tool === 'varied/act');
  assert.equal(item.may, 'when');
  assert.match(JSON.stringify(item), /context\.secrets/);
});

test('a credential of others is for policies to judge', async () => {
  assert.ok((await call({ note: FOREIGN })).done);
  assert.ok(await lastIs('decision', (record) => record.secrets?.[0] === 'foreign'));
});

test('the cases that come with the guardrail pass', async () => {
  const folder = new URL('../../examples/guardrails', import.meta.url).pathname;
  assert.match(await world.must(null, 'policy', 'test', folder), /4/);
});

test('each decision comes out again from the log', async () => {
  const { code, report } = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(code, 0, JSON.stringify(report));
  assert.deepEqual(report.replay.differences, []);
});

test('a restart still knows what it never read again', async () => {
  assert.equal(statSync(world.path('keys', 'fingerprints')).mode & 0o777, 0o600);
  await agent.close();
  await world.stopped.pop()();
  await world.startDaemon();
  agent = await world.agent('tester', 'filed');
  answers(text(`of another server: ${CREDENTIAL}`));
  assert.equal((await call()).text, `of another server: ${REMOVED}`);
});

test('a result is blocked whole where that is set', async () => {
  appendFileSync(world.path('remit.yaml'), 'own-secrets: block\nforeign-secrets: pass\n');
  world.daemon.kill('SIGHUP');
  assert.ok(await eventually(() => world.daemonText.includes('reloaded')));
  answers(text(`x ${CREDENTIAL}`));
  const answer = await call();
  assert.equal(answer.done, false);
  assert.match(answer.text, /held a secret and was not passed on/);
  answers(text(FOREIGN));
  assert.equal((await call()).text, FOREIGN);
  seen.pop();
});

test('a secret that remit keeps is known before it is used', async () => {
  const value = 'a-secret-that-no-server-has-0123456789';
  const set = await world.remitWith({ input: value }, ADMINISTRATOR, 'secret', 'set', 'unused');
  assert.equal(set.code, 0, set.err);
  answers(text(`found: ${value}`));
  const answer = await call();
  assert.equal(answer.done, false);
});

test('no value is on disk, in the log or with the agent', () => {
  const logged = world.daemonText;
  for (const secret of [CREDENTIAL, agent.token]) {
    assert.ok(!seen.some((one) => one.includes(secret)));
    assert.ok(!logged.includes(secret));
    assert.ok(!readFileSync(world.path('keys', 'fingerprints'), 'latin1').includes(secret));
  }
  writeFileSync(world.path('seen.json'), JSON.stringify(seen));
});
