// A peer on the official SDK of A2A, and a world whose identities may hand work to it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TaskState } from '@a2a-js/sdk';
import {
  ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory,
} from '@a2a-js/sdk/client';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { UserBuilder, agentCardHandler, jsonRpcHandler } from '@a2a-js/sdk/server/express';
import express from 'express';

import { World } from '../../../examples/stories/lib/world.mjs';

export const KEY = 'key-of-the-peer-0123456789abcdef';

const skill = (id, description) => ({
  id, name: id, description, tags: ['text'], examples: [], inputModes: [], outputModes: [],
  securityRequirements: [],
});
export const cardOf = (url, more = {}) => ({
  name: 'Writer', description: 'Writes what others ask for', version: '1.0.0', documentationUrl: '',
  provider: { organization: 'Writers', url: 'https://writers.example' },
  supportedInterfaces: [
    { url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: '' },
  ],
  capabilities: { streaming: true, pushNotifications: true, extensions: [] },
  securitySchemes: {}, securityRequirements: [],
  defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'],
  skills: [
    skill('summarise', 'Makes a text short'), skill('publish', 'Puts a text on the web'),
    skill('delete', 'Deletes what was published'),
  ],
  signatures: [], ...more,
});

const text = (value) => ({ content: { $case: 'text', value }, metadata: undefined, filename: '',
  mediaType: '' });
const status = (state) => ({ state, message: undefined, timestamp: new Date().toISOString() });

// What it does with a message: answers each of state.pieces as a piece of one artifact, or the
// text turned upside down; and keeps what it was sent in state.requests.
class Writer {
  constructor(state) {
    this.state = state;
  }

  async execute(context, bus) {
    const { taskId, contextId, userMessage } = context;
    const said = userMessage.parts.map(({ content }) => content.value).join(' ');
    this.state.messages.push(userMessage);
    if (this.state.work) this.state.pieces = [await this.state.work(said)];
    if (!context.task) {
      bus.publish(AgentEvent.task({
        id: taskId, contextId, status: status(TaskState.TASK_STATE_SUBMITTED), artifacts: [],
        history: [userMessage], metadata: {},
      }));
    }
    const pieces = this.state.pieces ?? [[...said].reverse().join('')];
    for (const [at, piece] of pieces.entries()) {
      bus.publish(AgentEvent.artifactUpdate({
        taskId, contextId, append: at > 0, lastChunk: at === pieces.length - 1, metadata: {},
        artifact: {
          artifactId: 'a', name: 'answer', description: '', parts: [text(piece)], metadata: {},
          extensions: [],
        },
      }));
      if (this.state.gap) await new Promise((done) => setTimeout(done, this.state.gap));
    }
    const end = said.includes('ask me') ? TaskState.TASK_STATE_INPUT_REQUIRED
      : TaskState.TASK_STATE_COMPLETED;
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(end), metadata: {} }));
    bus.finished();
  }

  cancelTask = async (taskId, bus) => {
    bus.publish(AgentEvent.statusUpdate({
      taskId, contextId: '', status: status(TaskState.TASK_STATE_CANCELED), metadata: {},
    }));
    bus.finished();
  };
}

// state: { card, pieces, gap, work, requests, messages }; work says what the answer is.
export const startPeer = async (state, key = KEY) => {
  const app = express();
  const server = await new Promise((done) => {
    const listening = app.listen(0, '127.0.0.1', () => done(listening));
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  state.card ??= cardOf(url);
  const handler = new DefaultRequestHandler(state.card, new InMemoryTaskStore(), new Writer(state));
  app.use('/.well-known/agent-card.json', agentCardHandler({
    agentCardProvider: async () => state.card, cache: { maxAge: 0 },
  }));
  app.use('/rpc', express.json(), (request, answer, next) => {
    state.requests.push({ headers: request.headers, body: request.body });
    if (key === null || request.headers.authorization === `Bearer ${key}`) next();
    else answer.status(401).json({ error: `wrong key ${request.headers.authorization}` });
  }, jsonRpcHandler({ requestHandler: handler, userBuilder: UserBuilder.noAuthentication }));
  return { server, url };
};

const charter = (name, keys, more) => `object: identity
name: ${name}
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
environments: [staging]
limits: {task: 15m, calls-per-minute: 100000}
review: 90d
expires: 2027-06-30
${keys}
${more}`;
export const skillOf = (id, upTo, risk = 'low') => `object: tool
name: writer/${id}
effect: delegate
up-to: ${upTo}
risk: ${risk}
reversal: none-needed
`;

// The peer is an identity with an owner, though it proves itself to nobody here.
const documents = (world, url, key, helperUrl) => [
  charter('helper', world.keysLineOf('nobody'), `purpose: Have others write
entitlements: [{effect: delegate, resource: "peer:writer"}]
outputs: [{to: "peer:writer", up-to: internal}]
`),
  `object: server
name: helper
speaks: a2a
transport: {url: "${helperUrl}"}
environment: staging
unit: support
`,
  skillOf('summarise', 'internal').replace('writer/', 'helper/'),
  charter('writer', 'keys: []', 'purpose: Write what others ask for\nentitlements: []\n'),
  `object: server
name: writer
speaks: a2a
transport: {url: "${url}", credential: "file:${key}"}
environment: staging
unit: support
`,
  skillOf('summarise', 'internal'), skillOf('publish', 'public'),
  charter('tester', world.keysLineOf('nobody'), `purpose: Hand work to a writer
data-sources: [{name: tickets, up-to: internal}]
outputs:
  - {to: reply, up-to: internal}
  - {to: "peer:writer", up-to: internal}
  - {to: "peer:helper", up-to: internal}
entitlements:
  - {effect: read, tool: files/read_text_file, when: 'context.args.path like "tickets/*"'}
  - effect: delegate
    resource: "peer:writer"
    when: 'if context.args has text then !(context.args.text like "*forbidden*") else true'
  - {effect: delegate, resource: "peer:helper"}
peers:
  - {identity: helper, effects: [read], up-to: internal, depth: 1, skills: [summarise]}
`),
  charter('narrow', world.keysLineOf('nobody'), `purpose: Hand over what is to be made short
entitlements:
  - {effect: delegate, resource: "peer:writer", when: 'resource.skill == "summarise"'}
`),
].join('---\n');

export const startPeerWorld = async ({ settings = '' } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'remit-peers-'));
  const state = { requests: [], messages: [] };
  const { server, url } = await startPeer(state);
  const helper = { requests: [], messages: [] };
  const { server: helping, url: helperUrl } = await startPeer(helper, null);
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, KEY + '\n', { mode: 0o600 });
  const world = await World.start({
    settings: `hold-ms: 300\nupstream-timeout-ms: 6000\n${settings}`,
    change: (files, made) =>
      files.set('charters/60-peers.yaml', documents(made, url, keyFile, helperUrl)),
    approve: {
      writer: 'bo@example.com', tester: 'bo@example.com', narrow: 'bo@example.com',
      helper: 'bo@example.com',
    },
    key: { tester: 'nobody', narrow: 'nobody', helper: 'nobody' },
  });
  const stop = async () => {
    for (const one of [server, helping]) {
      one.closeAllConnections();
      one.close();
    }
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { world, state, helper, url, stop };
};

// The SDK's client at remit's address of the peer, with the token of a task.
export const clientAt = async (url, token) => {
  const fetchImpl = (to, init = {}) => fetch(to, {
    ...init, headers: { ...init.headers, authorization: `Bearer ${token}` },
  });
  const resolver = new DefaultAgentCardResolver({ fetchImpl });
  const factory = new ClientFactory({
    transports: [new JsonRpcTransportFactory({ fetchImpl })], cardResolver: resolver,
  });
  return factory.createFromUrl(`${url}/`);
};

let sent = 0;
export const message = (words, { skill: id, ...more } = {}) => ({
  tenant: '',
  message: {
    messageId: `m-${++sent}`, role: 1, contextId: '', taskId: '', extensions: [],
    referenceTaskIds: [], metadata: undefined, parts: [text(words)], ...more,
  },
  configuration: undefined, metadata: id ? { 'remit/skill': id } : undefined,
});
