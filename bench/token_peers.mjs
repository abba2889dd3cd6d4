// Authorization servers of others for bench/token, each its own program, with all it knows in
// memory: a client that has a secret and one that has a key, both asking for
// client_credentials.  Built by tools/deps bench (bench/peers/README.md).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { assertion, keyAt, thumbprint } from '../examples/stories/lib/keys.mjs';
import { eventually } from '../examples/stories/lib/world.mjs';

const RESOURCE = 'https://files.example/mcp';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const START_MS = 60_000;
const KEYCLOAK_START_MS = 600_000; // it builds itself at its first start

const freePort = () =>
  new Promise((done, fail) => {
    const probe = net.createServer();
    probe.on('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

// A program of its own process group, so that what it starts ends with it.
const start = (program, args, { input = '', env = {} } = {}) => {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...env },
  });
  const server = { child, said: '' };
  const ended = new Promise((done) => child.once('close', done));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => (server.said = (server.said + part).slice(-20_000)));
  }
  child.on('error', (error) => (server.said += error.message));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  server.stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch { /* it has ended */ }
    return ended;
  };
  return server;
};

// Resolves once isUp is true of the server, else stops it and says what it said.
const whenUp = async (server, isUp, ms = START_MS) => {
  const look = async () => {
    if (server.child.exitCode !== null) throw new Error(`it ended: ${server.said.slice(-800)}`);
    return isUp();
  };
  try {
    if (await eventually(look, ms)) return;
    throw new Error(`it does not answer: ${server.said.slice(-800)}`);
  } catch (error) {
    await server.stop();
    throw error;
  }
};

const isOk = (url) => () => fetch(url).then((answer) => answer.ok, () => false);

const form = (fields) => new URLSearchParams({ grant_type: 'client_credentials', ...fields })
  .toString();

// How the two clients of a peer ask.
const bySecret = (id, secret, more = {}) => (count) =>
  Array(count).fill(form({ client_id: id, client_secret: secret, ...more }));
const byKey = (id, key, audience, more = {}) => (count) =>
  Array.from({ length: count }, () => form({
    client_id: id, client_assertion_type: JWT_BEARER,
    client_assertion: assertion(key, id, audience), ...more,
  }));

const publicJwk = ({ jwk }) => ({ ...jwk, kid: thumbprint(jwk), use: 'sig', alg: 'ES256' });

const startOidcProvider = async (program, folder, { key, secret }) => {
  const server = start(program, [], {
    input: JSON.stringify({ jwk: publicJwk(key), secret, resource: RESOURCE }),
    env: { NODE_ENV: 'production' },
  });
  await whenUp(server, async () => /^\d+$/m.test(server.said));
  const port = Number(/^\d+$/m.exec(server.said)[0]);
  const more = { resource: RESOURCE, scope: 'call' };
  const common = { peer: 'oidc-provider', port, path: '/token' };
  return {
    ...server,
    servers: [
      { ...common, name: 'client_secret_post, opaque tokens',
        bodies: bySecret('by-secret', secret) },
      { ...common, name: 'private_key_jwt, ES256 tokens',
        bodies: byKey('by-key', key, `http://127.0.0.1:${port}`, more) },
    ],
  };
};

const hydraSettings = (issuer, [open, admin], secret) => `dsn: memory
log: {level: panic}
serve:
  public: {host: 127.0.0.1, port: ${open}}
  admin: {host: 127.0.0.1, port: ${admin}}
urls: {self: {issuer: "${issuer}"}, consent: "${issuer}/none", login: "${issuer}/none"}
secrets: {system: ["${secret}"]}
sqa: {opt_out: true}
`;

const startHydra = async (program, folder, { key, secret }) => {
  const ports = [await freePort(), await freePort()];
  const issuer = `http://127.0.0.1:${ports[0]}`;
  const settings = join(folder, 'hydra.yaml');
  writeFileSync(settings, hydraSettings(issuer, ports, secret), { mode: 0o600 });
  const server = start(program, ['serve', 'all', '--dev', '-c', settings]);
  await whenUp(server, isOk(`${issuer}/health/ready`));
  const clients = [
    { client_id: 'by-secret', client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post' },
    { client_id: 'by-key', token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [publicJwk(key)] } },
  ];
  for (const client of clients) {
    const answer = await fetch(`http://127.0.0.1:${ports[1]}/admin/clients`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...client, grant_types: ['client_credentials'] }),
    });
    if (!answer.ok) {
      await server.stop();
      throw new Error(`${answer.status}: ${await answer.text()}`);
    }
  }
  const common = { peer: 'Hydra', port: ports[0], path: '/oauth2/token', connections: 1,
    most: 400, warm: 64 };
  return {
    ...server,
    servers: [
      { ...common, name: 'client_secret_post, opaque tokens',
        bodies: bySecret('by-secret', secret) },
      { ...common, name: 'private_key_jwt, opaque tokens',
        note: 'one connection, where its SQLite in memory is fastest; several at once fail',
        bodies: byKey('by-key', key, `${issuer}/oauth2/token`) },
    ],
  };
};

const realm = (secret) => ({
  realm: 'bench', enabled: true, accessTokenLifespan: 900,
  clients: [{
    clientId: 'by-secret', enabled: true, secret, serviceAccountsEnabled: true,
    standardFlowEnabled: false, directAccessGrantsEnabled: false, publicClient: false,
    clientAuthenticatorType: 'client-secret', protocol: 'openid-connect',
  }],
});

const startKeycloak = async (program, folder, { secret }) => {
  const port = await freePort();
  const data = join(folder, 'keycloak');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'bench-realm.json'), JSON.stringify(realm(secret)), { mode: 0o600 });
  const server = start(program, [data, String(port)]);
  await whenUp(server, isOk(`http://127.0.0.1:${port}/realms/bench`), KEYCLOAK_START_MS);
  return {
    ...server,
    servers: [{
      peer: 'Keycloak', port, path: '/realms/bench/protocol/openid-connect/token',
      name: 'client_secret_post, RS256 tokens', most: 400, warm: 1500,
      bodies: bySecret('by-secret', secret),
    }],
  };
};

// Each peer, started: { peer, servers, stop }, or { peer, skipped: reason }.
export const startPeers = async (programs, folder) => {
  const key = keyAt(join(folder, 'peers.pem'));
  const secret = randomBytes(24).toString('hex');
  const peers = [];
  for (const [peer, place, begin] of [['oidc-provider', 'oidc-provider', startOidcProvider],
    ['Hydra', 'hydra', startHydra], ['Keycloak', 'keycloak', startKeycloak]]) {
    const program = join(programs, place, 'peer');
    if (existsSync(program)) {
      peers.push(await begin(program, folder, { key, secret }).then(
        (started) => ({ peer, ...started }), (error) => ({ peer, skipped: error.message })));
    } else {
      peers.push({ peer, skipped: 'not built: tools/deps bench' });
    }
  }
  return peers;
};
