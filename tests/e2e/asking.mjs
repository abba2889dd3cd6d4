// What servers ask of agents' clients, with the official client and a server of others, over
// stdio and over HTTP: passed on where rules let it, refused on record where not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Agent } from '../../examples/stories/lib/agent.mjs';
import { eventually, World } from '../../examples/stories/lib/world.mjs';

const SERVERS = ['everything', 'deploy-staging']; // stdio, HTTP
const ABLE = { elicitation: {}, sampling: {} };
const TRIGGERS = ['trigger-elicitation-request', 'trigger-sampling-request'];

const tool = (name, effect) => `object: tool
name: ${name}
effect: ${effect}
risk: low
reversal: none-needed
---
`;

const identity = (world, name, entitlements) => `object: identity
name: ${name}
kind: agent
class: update
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Try what servers ask of clients
environments: [staging]
outputs: [{to: reply, up-to: internal}]
entitlements:
${entitlements.map(([effect, of]) => `  - {effect: ${effect}, tool: ${of}}`).join('\n')}
peers: []
limits: {task: 15m, calls-per-minute: 1000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`;

const triggers = SERVERS.flatMap((server) => TRIGGERS.map((name) => ['read', `${server}/${name}`]));
const asked = SERVERS.flatMap((server) =>
  ['elicitation.create', 'sampling.createMessage'].map((name) => ['write', `${server}/${name}`]));

const charters = (world) => `object: server
name: everything
transport: {stdio: [mcp-server-everything, stdio]}
environment: staging
unit: support
---
${[...triggers, ...asked].map(([effect, name]) => tool(name, effect)).join('')}${
  identity(world, 'asker', [...triggers, ...asked])}---
${identity(world, 'silent', triggers)}`;

let world;
const agents = [];

before(async () => {
  world = await World.start({
    settings: 'hold-ms: 300\n',
    change: (files, of) => files.set('charters/70-asking.yaml', charters(of)),
    approve: { asker: 'bo@example.com', silent: 'bo@example.com' },
    key: { asker: 'nobody', silent: 'nobody' },
  });
});
after(async () => {
  for (const agent of agents) await agent.close();
  await world?.stop();
});

// An agent whose person and model answer with `answer`, and what they were asked.
const connect = async (name, server, answer, capabilities = ABLE) => {
  const { task, token } = await world.openTask(name, server);
  const agent = await new Agent(world.mcp(server), token, capabilities).connect();
  agents.push(agent);
  agent.task = task;
  agent.asked = [];
  agent.client.fallbackRequestHandler = async (request) => {
    agent.asked.push(request);
    return answer(request);
  };
  return agent;
};

const obliging = ({ method }) => (method === 'elicitation/create'
  ? { action: 'accept', content: { name: 'Kim Doe', check: true } }
  : { role: 'assistant', model: 'mine', content: { type: 'text', text: 'sampled words' } });

const records = async (task, type) =>
  (await world.json(null, 'trace', task)).items.map(({ index, record }) => ({ index, ...record }))
    .filter((record) => record.type === type);

const refusals = async () =>
  (await world.json(null, 'audit', 'search', '--type', 'server-request')).items
    .map(({ record }) => record);

for (const server of SERVERS) {
  test(`${server}: what a person answers reaches the server, and is on record`, async () => {
    const agent = await connect('asker', server, obliging);
    const answer = await agent.call('trigger-elicitation-request', {});
    assert.match(answer.text, /Kim Doe/);
    assert.equal(agent.asked.length, 1);
    assert.equal(agent.asked[0].method, 'elicitation/create');
    assert.match(agent.asked[0].params.message, /provide inputs/);
    assert.ok(await eventually(async () => (await records(agent.task, 'outcome')).length === 2));
    const [call, question] = await records(agent.task, 'decision');
    assert.equal(question.tool, `${server}/elicitation.create`);
    assert.equal(question.within, call.index);
    assert.equal(question.verdict, 'allow');
    const table = (await world.must(null, 'trace', agent.task)).split('\n');
    const row = table.findIndex((line) => line.startsWith(`${question.index} `));
    assert.ok(row > table.findIndex((line) => line.startsWith(`${call.index} `)), 'below its call');
    assert.match(table[row], new RegExp(`elicitation\\.create +${call.index} `));
    assert.doesNotMatch(JSON.stringify(await world.json(null, 'trace', agent.task)), /Kim Doe/);
  });

  test(`${server}: what a client's model says reaches the server`, async () => {
    const agent = await connect('asker', server, obliging);
    const answer = await agent.call('trigger-sampling-request', { prompt: 'hello' });
    assert.match(answer.text, /sampled words/);
    assert.equal(agent.asked[0].method, 'sampling/createMessage');
    assert.match(JSON.stringify(agent.asked[0].params.messages), /hello/);
  });

  test(`${server}: what no line of a charter permits reaches nobody`, async () => {
    const agent = await connect('silent', server, obliging);
    const answer = await agent.call('trigger-elicitation-request', {});
    assert.doesNotMatch(answer.text, /Kim Doe/);
    assert.deepEqual(agent.asked, []);
    const [, question] = await records(agent.task, 'decision');
    assert.equal(question.reason, 'no_entitlement');
  });

  test(`${server}: an answer that the form did not ask for stays here`, async () => {
    const agent = await connect('asker', server, () => (
      { action: 'accept', content: { name: 'Kim Doe', check: true, pin: '4711' } }));
    const answer = await agent.call('trigger-elicitation-request', {});
    assert.doesNotMatch(answer.text, /4711|Kim Doe/);
    assert.equal(agent.asked.length, 1);
  });
}

test('a client that declares nothing is asked nothing', async () => {
  const before = (await refusals()).length;
  const agent = await connect('asker', 'deploy-staging', obliging, {});
  await agent.call('trigger-elicitation-request', {});
  assert.deepEqual(agent.asked, []);
  assert.ok(await eventually(async () => (await refusals()).length > before));
  assert.equal((await refusals()).at(-1).cause, 'not-able');
});

test('when the task is killed while a person thinks, nothing passes', async () => {
  let decide;
  const thinking = new Promise((done) => { decide = done; });
  const agent = await connect('asker', 'deploy-staging', () => thinking);
  const call = agent.call('trigger-elicitation-request', {});
  assert.ok(await eventually(() => agent.asked.length === 1));
  await world.must(null, 'kill', 'task', agent.task, '--reason', 'INC-7', '--yes');
  const answer = await call;
  assert.equal(answer.done, false);
  decide(obliging({ method: 'elicitation/create' }));
  assert.doesNotMatch(answer.text, /Kim Doe/);
  assert.ok(await eventually(async () =>
    (await records(agent.task, 'outcome')).some(({ status, tool: of }) =>
      status === 'revoked' && of === 'deploy-staging/elicitation.create')));
});

test('an answer out of the blue is refused', async () => {
  const agent = await connect('asker', 'everything', obliging);
  const answer = await fetch(world.mcp('everything'), {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${agent.token}`,
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
      'Mcp-Session-Id': agent.transport.sessionId,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, result: { action: 'accept', content: {} } }),
  });
  assert.equal(answer.status, 400);
});

test('each decision is made again by a replay', async () => {
  const replayed = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(replayed.report.replay.result, 'all', replayed.out);
  assert.deepEqual(replayed.report.replay.differences, []);
});
