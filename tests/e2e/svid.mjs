// X.509-SVIDs over TLS: a workload whose certificate is from a mesh's intermediate opens tasks by
// its connection alone.  Certificates are made by openssl; what must not open anything is first.
import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { World, run } from '../../examples/stories/lib/world.mjs';

const IDENTITY = 'support-summariser';
const ID = 'spiffe://prod.example.com/agents/summariser';
const folder = mkdtempSync(join(tmpdir(), 'remit-svid-'));
let world;

const openssl = async (...words) => {
  const made = await run('openssl', words, { cwd: folder });
  assert.equal(made.code, 0, made.err);
};
const read = (name) => readFileSync(join(folder, name), 'utf8');
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const CA = 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n';
const LEAF = 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n'
  + 'extendedKeyUsage=clientAuth,serverAuth\n';

// A certificate of these extensions by that authority; by itself without one.  Old: it is over.
const make = async (name, { by, extensions, days = 1, isOld = false }) => {
  writeFileSync(join(folder, `${name}.ext`), extensions);
  await openssl('req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`,
    '-out', `${name}.csr`);
  const signed = by ? ['-cert', `${by}.crt`, '-keyfile', `${by}.key`]
    : ['-selfsign', '-keyfile', `${name}.key`];
  for (const file of ['index.txt', 'index.txt.attr']) {
    writeFileSync(join(folder, file), file.endsWith('attr') ? 'unique_subject = no\n' : '');
  }
  writeFileSync(join(folder, 'ca.conf'), '[ca]\ndefault_ca = made\n[made]\ndatabase = index.txt\n'
    + 'new_certs_dir = .\nrand_serial = yes\ndefault_md = sha256\npolicy = any\n[any]\n'
    + 'commonName = supplied\n');
  const time = (at) => `${new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const start = Date.now() - (isOld ? 7_200_000 : 5000);
  await openssl('ca', '-batch', '-config', 'ca.conf', ...signed, '-in', `${name}.csr`,
    '-out', `${name}.crt`, '-notext', '-extfile', `${name}.ext`, '-startdate', time(start),
    '-enddate', time(isOld ? Date.now() - 3_600_000 : start + days * 86_400_000));
};
const uri = (...ids) => `subjectAltName=${ids.map((id) => `URI:${id}`).join(',')}\n`;
const svid = (name, id, more = {}) =>
  make(name, { by: 'middle', extensions: LEAF + uri(id), ...more });

before(async () => {
  await make('root', { extensions: CA, days: 30 });
  await make('middle', { by: 'root', extensions: CA, days: 30 });
  await make('false-root', { extensions: CA, days: 30 });
  await svid('agent', ID);
  await svid('renewed', ID);
  await openssl('req', '-x509', ...KEY, '-days', '2', '-subj', '/CN=remit', '-keyout', 'remit.key',
    '-out', 'remit.crt', '-addext', 'subjectAltName=IP:127.0.0.1');
  const root = new X509Certificate(read('root.crt'));
  const jwk = { ...root.publicKey.export({ format: 'jwk' }), use: 'x509-svid',
    x5c: [root.raw.toString('base64')] };
  world = await World.start({
    settings: `hold-ms: 300\ntls-cert: ${join(folder, 'remit.crt')}\n`
      + `tls-key: ${join(folder, 'remit.key')}\n`,
    change: (files) => {
      files.set('charters/60-mesh.yaml', 'object: issuer\nname: mesh\nunit: support\n'
        + 'speaks: spiffe\ntrust-domain: prod.example.com\nmax-lifetime: 24h\n'
        + `keys: {jwks: ${JSON.stringify({ keys: [jwk] })}}\n`);
      const name = `charters/50-${IDENTITY}.yaml`;
      files.set(name, `${files.get(name)}federation:\n  - {issuer: mesh, environment: staging, `
        + 'subject-prefix: "spiffe://prod.example.com/agents/"}\n');
    },
  });
});
after(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// One request on a connection of its own; chain: the files of what the client shows.
const request = (path, { chain, key, body, headers = {} }) => new Promise((done, failed) => {
  const asked = https.request(world.url + path, {
    method: 'POST', agent: false, ca: read('remit.crt'), headers,
    ...(chain ? { cert: chain.map((name) => read(`${name}.crt`)).join(''), key: read(`${key}.key`) }
      : {}),
  }, (answer) => {
    let text = '';
    answer.on('data', (part) => (text += part));
    answer.on('end', () => done({ status: answer.statusCode, text }));
  });
  asked.on('error', failed);
  asked.end(body);
});
const ask = async (leaf, above = ['middle'], client = IDENTITY) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials', resource: world.mcp('files'),
    ...(client ? { client_id: client } : {}),
  }).toString();
  const answer = await request('/oauth/token', { chain: [leaf, ...above], key: leaf, body,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
  return { status: answer.status, ...JSON.parse(answer.text) };
};
const refused = async (...words) => {
  const answer = await ask(...words);
  assert.equal(answer.access_token, undefined);
  assert.deepEqual([answer.status, answer.error], [401, 'invalid_client'], JSON.stringify(answer));
};
const initialize = (token, shown) => request('/mcp/files', {
  ...shown, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {
    protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } } }),
});

test('a certificate that is not of the mesh, or says too much, opens nothing', async () => {
  await svid('elsewhere', 'spiffe://test.example.com/agents/summariser');
  await svid('nobody', 'spiffe://prod.example.com/people/ana');
  await svid('old', ID, { isOld: true });
  await svid('long', ID, { days: 2 });
  await make('two', { by: 'middle', extensions: LEAF + uri(ID, `${ID}/b`) });
  await make('none', { by: 'middle', extensions: LEAF });
  await make('authority', { by: 'middle',
    extensions: 'basicConstraints=critical,CA:true\n'
      + `keyUsage=critical,digitalSignature,keyCertSign\n${uri(ID)}` });
  await make('useless', { by: 'middle',
    extensions: `basicConstraints=critical,CA:false\n${uri(ID)}` });
  await make('server', { by: 'middle', extensions: LEAF.replace('clientAuth,', '') + uri(ID) });
  await make('forged', { by: 'false-root', extensions: LEAF + uri(ID) });
  for (const name of ['elsewhere', 'nobody', 'old', 'long', 'two', 'none', 'authority', 'useless',
    'server']) await refused(name);
  await refused('forged', ['false-root']);
  await refused('forged', ['middle', 'false-root']);
});

test('one whose way to the root is not shown opens nothing', async () => {
  await refused('agent', []);
  await refused('agent', ['root']);
  // A leaf is no authority, whatever it signs.
  await make('below', { by: 'agent', extensions: LEAF + uri(ID) });
  await refused('below', ['agent', 'middle']);
});

test('a chain to the root opens a task, bound to that certificate alone', async () => {
  const answer = await ask('agent');
  assert.equal(answer.status, 200, JSON.stringify(answer));
  const claims = JSON.parse(Buffer.from(answer.access_token.split('.')[1], 'base64url'));
  const digest = createHash('sha256').update(new X509Certificate(read('agent.crt')).raw);
  assert.deepEqual(claims.cnf, { 'x5t#S256': digest.digest('base64url') });
  assert.equal(claims.sub, IDENTITY);
  const shown = { chain: ['agent', 'middle'], key: 'agent' };
  assert.equal((await initialize(answer.access_token, {})).status, 401);
  assert.equal((await initialize(answer.access_token,
    { chain: ['renewed', 'middle'], key: 'renewed' })).status, 401);
  assert.equal((await initialize(answer.access_token, shown)).status, 200);
  const [{ record }] = (await world.json(null, 'audit', 'search', '--task', answer.task)).items
    .filter((item) => item.record.type === 'task-opened');
  assert.equal(record.proof.issuer, 'mesh');
});

test('the root may come along, and nobody need be named', async () => {
  assert.equal((await ask('agent', ['middle', 'root'], null)).status, 200);
  assert.equal((await ask('agent', ['middle'], ID)).status, 200);
});
