// Agents on the official SDK of A2A, for stories: one that does what it is told with each message,
// and a client at remit's address of a peer.
import {
  ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory,
} from '@a2a-js/sdk/client';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { UserBuilder, agentCardHandler, jsonRpcHandler } from '@a2a-js/sdk/server/express';
import express from 'express';

const part = (value) => ({ content: { $case: 'text', value }, filename: '', mediaType: '' });
export const textOf = ({ parts }) => parts.map(({ content }) => content.value).join('');

const cardOf = (name, url, skill) => ({
  name, description: `Does ${skill} for others`, version: '1.0.0', documentationUrl: '',
  supportedInterfaces: [
    { url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: '' },
  ],
  capabilities: { streaming: true, pushNotifications: false, extensions: [] },
  securitySchemes: {}, securityRequirements: [], signatures: [],
  defaultInputModes: ['text/plain'], defaultOutputModes: ['text/plain'],
  skills: [{
    id: skill, name: skill, description: `Does ${skill}`, tags: ['text'], examples: [],
    inputModes: [], outputModes: [], securityRequirements: [],
  }],
});

// work(text, token): what it answers; token is the bearer token it was sent, or ''.
// Gives { url, reached, close }; reached holds the texts that came.
export const startPeer = async (name, skill, work) => {
  const app = express();
  const server = await new Promise((done) => {
    const listening = app.listen(0, '127.0.0.1', () => done(listening));
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const reached = [];
  let token = '';
  const executor = {
    async execute({ contextId, userMessage }, bus) {
      const said = textOf(userMessage);
      reached.push(said);
      bus.publish(AgentEvent.message({
        messageId: `answer-${reached.length}`, contextId, taskId: '', role: 2,
        parts: [part(await work(said, token))], extensions: [], referenceTaskIds: [],
      }));
      bus.finished();
    },
    cancelTask: async () => {},
  };
  const card = cardOf(name, url, skill);
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
  const agentCardProvider = async () => card;
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider }));
  app.use('/rpc', (request, answer, next) => {
    token = (request.headers.authorization ?? '').replace('Bearer ', '');
    next();
  }, jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, reached, close };
};

// Hands a text to the peer at this address of remit's: what it answers, or why it was refused.
export const handOver = async (address, token, skill, words) => {
  const fetchImpl = (to, init = {}) => fetch(to, {
    ...init, headers: { ...init.headers, authorization: `Bearer ${token}` },
  });
  const client = await new ClientFactory({
    transports: [new JsonRpcTransportFactory({ fetchImpl })],
    cardResolver: new DefaultAgentCardResolver({ fetchImpl }),
  }).createFromUrl(`${address}/`);
  return client.sendMessage({
    message: { messageId: 'm', role: 1, parts: [part(words)] }, metadata: { 'remit/skill': skill },
  }).then((answer) => ({ done: true, text: textOf(answer) }),
    (wrong) => ({ done: false, text: wrong.message }));
};
