// What benches of the token endpoint share: charters and certificates of agents, and
// token-client, which sends prepared requests.
import { createHash } from 'node:crypto';
import https from 'node:https';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually, run } from '../examples/stories/lib/world.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const programs = process.env.REMIT_BENCH ?? join(root, 'build', 'bench');
export const CONNECTIONS = 32;
const CATCH_UP_MS = 120_000;
export const FORM = 'application/x-www-form-urlencoded';

export const agentName = (number) => `bencher-${String(number).padStart(2, '0')}`;

export const charter = (name, keys, peer) => `object: identity
name: ${name}
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Measure what a token costs
environments: [staging]
outputs: [{to: reply, up-to: internal}]
entitlements:
  - {effect: read, tool: files/read_text_file}
peers: [${peer}]
limits: {task: 15m}
impact: None
review: 90d
expires: 2027-06-30
${keys}
`;

export const readLine = async (program, args, input) => {
  const done = await run(join(programs, program), args, { input, ms: 300_000 });
  if (done.code !== 0) throw new Error(`${program}: ${done.code}\n${done.err}${done.out}`);
  return JSON.parse(done.out);
};

// What token-client is told of a server.
const planOf = (server, bodies) => [
  `port ${server.port}`, `connections ${server.connections ?? CONNECTIONS}`,
  `head POST ${server.path} HTTP/1.1`,
  `head Host: 127.0.0.1:${server.port}`, `head Content-Type: ${FORM}`,
  ...(server.header ? [`header ${server.header}`] : []),
  ...(server.tls ? [`tls ${server.tls}`] : []),
  ...(server.tokens ? [`tokens ${server.tokens}`] : []),
  `bodies ${bodies}`, '',
].join('\n');

export const send = async (folder, server, lines) => {
  const bodies = join(folder, 'bodies');
  writeFileSync(bodies, lines.join('\n') + '\n', { mode: 0o600 });
  return readLine('token-client', [], planOf(server, bodies));
};

const page = (url) => new Promise((done, fail) => {
  if (url.startsWith('http:')) return fetch(url).then((answer) => answer.text()).then(done, fail);
  return https.get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
    let text = '';
    answer.on('data', (part) => (text += part));
    answer.on('end', () => done(text));
  }).on('error', fail);
});

// The store follows the log in the pauses; nobody is measured beside it.
export const catchUp = async (world) => {
  const isLevel = async () =>
    /^remit_store_lag_records 0$/m.test(await page(world.url + '/metrics'));
  if (!(await eventually(isLevel, CATCH_UP_MS))) throw new Error('the store does not catch up');
};

export const makeCertificate = async (folder, name) => {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-addext',
    'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]);
  if (made.code !== 0) throw new Error(made.err);
  const body = readFileSync(certificate, 'utf8').replace(/-----[A-Z ]*-----|\s/g, '');
  const digest = createHash('sha256').update(Buffer.from(body, 'base64')).digest('hex');
  return { key, certificate, digest: `sha256:${digest}` };
};

export const form = (fields) => new URLSearchParams(fields).toString();

export const portOf = (world) => Number(new URL(world.url).port);
