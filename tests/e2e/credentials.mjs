// Credentials by reference: from Vault, from a file, from the environment.  Each
// reaches its server and nobody else; without it the call fails and says why.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ADMINISTRATOR } from '../../examples/stories/lib/world.mjs';
import {
  TOKEN, VALUES, serverOf, startCredentialWorld, startVault,
} from './support/credential-world.mjs';

const NEW_VALUE = 'new-key-from-the-vault-9876543210';
const vaultState = { mode: 'good', value: VALUES.vaulted, lease: 1, reads: 0 };
let vault;
let world;
let state;
let urls;
let stop;
const seen = []; // all that agents and people were told
const agents = {};

before(async () => {
  vault = await startVault(vaultState);
  ({ world, state, urls, stop } = await startCredentialWorld(vault.url));
});
after(async () => {
  for (const agent of Object.values(agents)) await agent.close();
  await stop?.();
  vault?.server.closeAllConnections();
  vault?.server.close();
});

const call = async (name) => {
  agents[name] ??= await world.agent('tester', name);
  const answer = await agents[name].call('act', {}, { timeout: 20_000 });
  seen.push(JSON.stringify(answer));
  return answer;
};

const works = async (name) => {
  const before = state.calls.filter((other) => other === name).length;
  const answer = await call(name);
  assert.ok(answer.done, answer.text);
  assert.equal(state.calls.filter((other) => other === name).length, before + 1);
};

const fails = async (name, pattern) => {
  const before = state.calls.length;
  const answer = await call(name);
  assert.equal(answer.done, false);
  assert.match(answer.text, pattern);
  assert.equal(state.calls.length, before, 'nothing was sent');
};

// The value is kept for its lease of one second, which the tests let pass.
const lapse = () => new Promise((done) => setTimeout(done, 1100));

test('a credential reaches its server from the vault', () => works('vaulted'));
test('a credential reaches its server from a file', () => works('filed'));
test('a credential reaches its server from the environment', () => works('varied'));

test('a changed file counts at the next call', async () => {
  state.values.filed = 'another-key-from-a-file-0123';
  writeFileSync(state.file, state.values.filed + '\n');
  await works('filed');
});

test('a file that others can open is not used', async () => {
  chmodSync(state.file, 0o644);
  await fails('filed', /credential: it cannot be read/);
  assert.match(world.daemonText, /key: others may open it/);
  assert.ok(!seen.join().includes(state.folder), 'an agent learns no path');
  chmodSync(state.file, 0o600);
  await works('filed');
});

test('a new value in the vault is used once the old one lapsed', async () => {
  vaultState.value = NEW_VALUE;
  state.values.vaulted = NEW_VALUE;
  await lapse();
  await works('vaulted');
});

for (const [mode, pattern] of [
  ['sealed', /Vault is sealed/], ['forbidden', /refuses remit's token/],
]) {
  test(`a vault that is ${mode} lets no call through, and the next works`, async () => {
    vaultState.mode = mode;
    await lapse();
    await fails('vaulted', pattern);
    await fails('vaulted', pattern);
    vaultState.mode = 'good';
    await lapse();
    await works('vaulted');
    await works('varied');
  });
}

test('what is no reference is refused when it is registered', async () => {
  const file = join(state.folder, 'server.yaml');
  for (const wrong of ['vault:secret/../mcp#token', 'vault:secret/mcp', 'sk-Live-0123', 'file:a']) {
    writeFileSync(file, serverOf('vaulted', urls.vaulted, wrong));
    const plan = await world.remit(ADMINISTRATOR, 'plan', '-f', file);
    seen.push(plan.out, plan.err);
    assert.notEqual(plan.code, 0);
    assert.match(plan.out + plan.err, /credential/);
  }
});

test('calls at once are served by one read of the vault', async () => {
  vaultState.lease = 60;
  await lapse();
  const before = vaultState.reads;
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('vaulted')));
  answers.forEach((answer) => assert.ok(answer.done, answer.text));
  assert.equal(vaultState.reads, before + 1);
});

test('no value and no token shows anywhere', async () => {
  const secrets = [TOKEN, NEW_VALUE, state.values.filed, ...Object.values(VALUES)];
  const metrics = await (await fetch(world.url + '/metrics')).text();
  const search = await world.must(null, 'audit', 'search', '--verdict', 'allow');
  const texts = [...seen, metrics, search, world.daemonText];
  for (const entry of readdirSync(world.dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      texts.push(readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'latin1'));
    }
  }
  assert.match(world.daemonText, /vault:secret\/mcp\/vaulted#token: Vault is sealed/);
  for (const secret of secrets) {
    assert.ok(!texts.some((text) => text.includes(secret)), `${secret.slice(0, 12)}… is shown`);
  }
});
