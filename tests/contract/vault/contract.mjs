// remit against a real Vault: what its HTTP API does must be what edges/upstream
// takes it to do.  The server's program is named by REMIT_VAULT_SERVER.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { VALUES, startCredentialWorld } from '../../e2e/support/credential-world.mjs';

let server;
let url;
let root;

const ask = async (method, path, body) => {
  const answer = await fetch(`${url}/v1/${path}`, {
    method, headers: { 'X-Vault-Token': root }, body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
};

// A new mount of version 2 takes a moment.
const write = async (path, data) => {
  for (let i = 0; ; i++) {
    try {
      return await ask('POST', path, { data });
    } catch (error) {
      if (i === 50) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
};

before(async () => {
  server = spawn(process.env.REMIT_VAULT_SERVER, { stdio: ['ignore', 'pipe', 'inherit'] });
  [url, root] = await new Promise((done, fail) => {
    server.stdout.once('data', (line) => done(String(line).trim().split(' ')));
    server.once('close', (code) => fail(new Error(`the server ended with ${code}`)));
  });
  await ask('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await write('secret/data/mcp/vaulted', { token: VALUES.vaulted });
  await write('secret/data/mcp/deleted', { token: 'x' });
  await ask('DELETE', 'secret/data/mcp/deleted');
  await write('secret/data/private', { token: 'x' });
  await ask('PUT', 'sys/policies/acl/remit',
    { policy: 'path "secret/data/mcp/*" { capabilities = ["read"] }' });
  await ask('POST', 'sys/auth/approle', { type: 'approle' });
  await ask('POST', 'auth/approle/role/remit', { token_policies: ['remit'] });
});
after(() => server?.kill());

const references = {
  filed: 'vault:secret/mcp/deleted#token', varied: 'vault:secret/private#token',
};

const call = async (world, name) => {
  const agent = await world.agent('tester', name);
  const answer = await agent.call('act', {}, { timeout: 20_000 });
  await agent.close();
  return answer;
};

const holds = async (options, run = async () => {}) => {
  const { world, stop } = await startCredentialWorld(url, { references, ...options });
  try {
    const done = await call(world, 'vaulted');
    assert.ok(done.done, done.text);
    assert.match((await call(world, 'filed')).text, /newest version is deleted \(HTTP 404\)/);
    assert.match((await call(world, 'varied')).text, /refuses remit's token.*\(HTTP 403\)/);
    await run(world);
  } finally {
    await stop();
  }
};

test('a login with AppRole opens what its policy covers', async () => {
  const role = (await ask('GET', 'auth/approle/role/remit/role-id')).data.role_id;
  const secret = (await ask('POST', 'auth/approle/role/remit/secret-id')).data.secret_id;
  await holds({
    login: (folder) => {
      writeFileSync(join(folder, 'secret-id'), secret, { mode: 0o600 });
      return `vault-role-id: ${role}\nvault-secret-id-file: ${join(folder, 'secret-id')}`;
    },
  });
});

test('a token opens what its policy covers, until the vault is sealed', async () => {
  const token = (await ask('POST', 'auth/token/create', { policies: ['remit'] })).auth.client_token;
  await holds({ token }, async (world) => {
    await ask('PUT', 'sys/seal');
    await new Promise((done) => setTimeout(done, 1100)); // from a failed read to the next
    assert.match((await call(world, 'filed')).text, /Vault is sealed.*\(HTTP 503\)/);
  });
});
