// A Vault (or OpenBao) and MCP servers behind a credential, over HTTP, and a world
// that uses them: one server for each kind of reference.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { World } from '../../../examples/stories/lib/world.mjs';

export const TOKEN = 'hvs.token-of-the-gateway-0123456789';
export const VALUES = {
  vaulted: 'key-from-the-vault-0123456789', filed: 'key-from-a-file-0123456789',
  varied: 'key-from-the-environment-0123456789',
};

const listen = (handler) =>
  new Promise((done) => {
    const server = http.createServer((request, answer) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => handler(request, answer, body));
    });
    server.listen(0, '127.0.0.1', () => done(server));
  });
const urlOf = (server) => `http://127.0.0.1:${server.address().port}`;
const json = (answer, status, value) =>
  answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

// The documented shapes of KV version 2; state: { mode, value, lease, reads }.
export const startVault = async (state) => {
  const server = await listen((request, answer) => {
    state.reads++;
    if (request.headers['x-vault-token'] !== TOKEN || state.mode === 'forbidden') {
      json(answer, 403, { errors: ['permission denied'] });
    } else if (state.mode === 'sealed') {
      json(answer, 503, { errors: ['Vault is sealed'] });
    } else if (state.mode !== 'silent') {
      json(answer, 200, {
        request_id: '1', lease_id: '', renewable: false, lease_duration: state.lease,
        data: {
          data: { token: state.value },
          metadata: { created_time: '2026-01-01T00:00:00Z', deletion_time: '', version: 1 },
        },
      });
    }
  });
  return { server, url: urlOf(server) };
};

// An MCP server that takes calls with one bearer token only, and counts them.  What
// state.answer(name, params) gives, if anything, is its result.
const startServer = (state, name) =>
  listen((request, answer, body) => {
    const message = body === '' ? {} : JSON.parse(body);
    if (request.headers.authorization !== `Bearer ${state.values[name]}`) {
      answer.writeHead(401).end();
    } else if (request.method !== 'POST') answer.writeHead(405).end();
    else if (message.id === undefined) answer.writeHead(202).end();
    else {
      if (message.method === 'tools/call') state.calls.push(name);
      json(answer, 200, {
        jsonrpc: '2.0', id: message.id,
        result: {
          initialize: {
            protocolVersion: '2025-11-25', capabilities: { tools: {} },
            serverInfo: { name, version: '1' },
          },
          'tools/list': { tools: [{ name: 'act', inputSchema: { type: 'object' } }] },
          'tools/call': state.answer?.(name, message.params) ??
            { content: [{ type: 'text', text: 'done' }] },
        }[message.method],
      });
    }
  });

export const serverOf = (name, url, credential) => `object: server
name: ${name}
transport: {url: "${url}/mcp", credential: "${credential}"}
environment: staging
unit: support
`;

const documents = (world, references, urls) => `${Object.keys(references).map((name) =>
    `${serverOf(name, urls[name], references[name])}---
object: tool
name: ${name}/act
effect: read
risk: low
reversal: none-needed
---`).join('\n')}
object: identity
name: tester
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Call servers that want a credential
environments: [staging]
outputs: [{to: reply, up-to: internal}]
entitlements:
${Object.keys(references).map((name) => `  - {effect: read, tool: ${name}/act}`).join('\n')}
peers: []
limits: {task: 15m, calls-per-minute: 100000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`;

// vaultUrl, token: of the Vault.  login: more settings, instead of the token's.
// references: others than the usual ones, by server.
// settings: more of them.
export const startCredentialWorld = async (
  vaultUrl, { token, login, references: own, settings = '' } = {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'remit-credentials-'));
  const state = { values: { ...VALUES }, calls: [], folder };
  const servers = {};
  const urls = {};
  for (const name of Object.keys(VALUES)) {
    servers[name] = await startServer(state, name);
    urls[name] = urlOf(servers[name]);
  }
  state.file = join(folder, 'key');
  writeFileSync(state.file, VALUES.filed + '\n', { mode: 0o600 });
  writeFileSync(join(folder, 'token'), (token ?? TOKEN) + '\n', { mode: 0o600 });
  process.env.REMIT_TEST_CREDENTIAL = VALUES.varied;
  const references = {
    vaulted: 'vault:secret/mcp/vaulted#token', filed: `file:${state.file}`,
    varied: 'env:REMIT_TEST_CREDENTIAL', ...own,
  };
  const world = await World.start({
    settings: `hold-ms: 300
upstream-timeout-ms: 6000
vault-url: ${vaultUrl}
${login?.(folder) ?? `vault-token-file: ${join(folder, 'token')}`}
${settings}`,
    change: (files, made) =>
      files.set('charters/60-credentials.yaml', documents(made, references, urls)),
    approve: { tester: 'bo@example.com' },
    key: { tester: 'nobody' },
  });
  const stop = async () => {
    await world.stop();
    Object.values(servers).forEach((server) => server.close());
    rmSync(folder, { recursive: true, force: true });
  };
  return { world, state, urls, stop };
};
