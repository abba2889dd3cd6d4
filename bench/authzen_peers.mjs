// The decision points of others for bench/authzen: the same question to OPA's and
// OpenFGA's own servers, each with what its own language has for 40 rules over 1,000
// entities.  Built by tools/deps bench (bench/peers/README.md).
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { eventually } from '../examples/stories/lib/world.mjs';

const WRITE_MAX = 100; // tuples OpenFGA takes at once

const freePort = () =>
  new Promise((done, fail) => {
    const probe = net.createServer();
    probe.on('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

const post = async (url, body) => {
  const answer = await fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

// Starts a server, which is up once health answers; { stop }.
const start = async (program, args, health) => {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => (said += part));
  const ended = new Promise((done) => child.once('close', done));
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said.slice(-1000)}`);
    return fetch(health).then((answer) => answer.ok, () => false);
  };
  child.on('error', (error) => (said += error.message));
  if (!(await eventually(isUp))) {
    child.kill('SIGKILL');
    throw new Error(`${program} does not answer: ${said.slice(-1000)}`);
  }
  return { stop: () => child.kill('SIGKILL') && ended };
};

// One that answers wrongly is no peer.
const check = async (name, ask) => {
  const answers = [await ask('u7', 'r7'), await ask('u8', 'r7')];
  if (answers[0] !== true || answers[1] === true) throw new Error(`${name} answers ${answers}`);
};

const rego = (policies) => `package bench

default allow := false

allow if {
	input.subject.type == "user"
	input.action.name == "view"
	input.resource.type == "record"
	data.records[input.resource.id].owner == input.subject.id
}
${Array.from({ length: policies - 1 }, (none, number) => `
allow if {
	input.subject.type == "user"
	input.action.name == "do-${number}"
	input.resource.type == "record"
	data.users[input.subject.id].level > ${number}
}
`).join('')}`;

const startOpa = async (program, folder, { question, policies, entities }) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const half = Array.from({ length: entities / 2 }, (none, number) => number);
  const data = {
    users: Object.fromEntries(half.map((number) => [`u${number}`, { level: (2 * number) % 50 }])),
    records: Object.fromEntries(half.map((number) => [`r${number}`, { owner: `u${number}` }])),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bench.rego'), rego(policies));
  writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
  const server = await start(program, ['run', '--server', '--addr', `127.0.0.1:${port}`,
    '--log-level', 'error', '--disable-telemetry', join(folder, 'bench.rego'),
    join(folder, 'data.json')], `${url}/health`);
  const point = `${url}/v1/data/bench/allow`;
  await check('OPA', async (subject, resource) => {
    const asked = structuredClone(question);
    asked.subject.id = subject;
    asked.resource.id = resource;
    return (await post(point, { input: asked })).result;
  });
  return { ...server, url: point, body: JSON.stringify({ input: question }) };
};

const model = {
  schema_version: '1.1',
  type_definitions: [{ type: 'user' }, {
    type: 'record', relations: { owner: { this: {} } },
    metadata: { relations: { owner: { directly_related_user_types: [{ type: 'user' }] } } },
  }],
};

const startOpenFga = async (program, folder, { question, entities }) => {
  const [http, grpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const server = await start(program, ['run', '--datastore-engine', 'memory', '--http-addr',
    `127.0.0.1:${http}`, '--grpc-addr', `127.0.0.1:${grpc}`, '--playground-enabled=false',
    '--metrics-enabled=false', '--log-level', 'none'], `${url}/healthz`);
  const store = `${url}/stores/${(await post(`${url}/stores`, { name: 'bench' })).id}`;
  const { authorization_model_id } = await post(`${store}/authorization-models`, model);
  const tuple = (subject, resource) => ({
    user: `user:${subject}`, relation: 'owner', object: `record:${resource}`,
  });
  const keys = Array.from({ length: entities }, (none, number) =>
    tuple(`u${number}`, `r${number}`));
  for (let at = 0; at < keys.length; at += WRITE_MAX) {
    const tuple_keys = keys.slice(at, at + WRITE_MAX);
    await post(`${store}/write`, { writes: { tuple_keys }, authorization_model_id });
  }
  const asked = (subject, resource) => ({
    tuple_key: tuple(subject, resource), authorization_model_id,
  });
  await check('OpenFGA', async (subject, resource) =>
    (await post(`${store}/check`, asked(subject, resource))).allowed);
  return {
    ...server, url: `${store}/check`,
    body: JSON.stringify(asked(question.subject.id, question.resource.id)),
  };
};

// Each peer, started: { name, url, body, stop }, or { name, skipped: reason }.
export const startPeers = async (programs, folder, world) => {
  const peers = [];
  for (const [name, place, begin] of [['OPA', 'opa-server', startOpa],
    ['OpenFGA', 'openfga', startOpenFga]]) {
    const program = join(programs, place, 'peer');
    if (existsSync(program)) {
      peers.push(await begin(program, join(folder, place), world).then(
        (peer) => ({ name, ...peer }), (error) => ({ name, skipped: error.message })));
    } else {
      peers.push({ name, skipped: 'not built: tools/deps bench, with go' });
    }
  }
  return peers;
};
