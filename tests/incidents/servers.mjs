// Small MCP servers over HTTP in this process, one path each: what the incidents'
// agents reach.  Each writes down the calls that reach it; a server may be changed
// while it runs, and then forgets its sessions, so that clients list its tools again.
import { randomUUID } from 'node:crypto';
import http from 'node:http';

const definitionOf = ([name, { description, properties = {} }]) => ({
  name, description, inputSchema: { type: 'object', properties },
});

class StubServer {
  constructor(name, tools) {
    this.name = name;
    this.change(tools);
    this.calls = [];
  }

  // tools: name → { description, properties, answer(arguments) }
  change(tools) {
    this.tools = tools;
    this.sessions = new Set();
  }

  callsOf(tool) {
    return this.calls.filter((call) => call.name === tool);
  }

  answer({ method, params }) {
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: params.protocolVersion, capabilities: { tools: {} },
          serverInfo: { name: this.name, version: '1' },
        };
      case 'ping': return {};
      case 'tools/list': return { tools: Object.entries(this.tools).map(definitionOf) };
      case 'tools/call': {
        this.calls.push(params);
        const text = this.tools[params.name].answer?.(params.arguments) ?? 'done';
        return { content: [{ type: 'text', text }] };
      }
      default: throw new Error(`no method ${method}`);
    }
  }

  handle(request, response, body) {
    const message = JSON.parse(body);
    let session = request.headers['mcp-session-id'];
    if (message.method === 'initialize') {
      session = randomUUID();
      this.sessions.add(session);
    } else if (!this.sessions.has(session)) {
      return response.writeHead(404).end();
    }
    if (message.id === undefined) return response.writeHead(202).end();
    response.writeHead(200, {
      'Content-Type': 'application/json', 'Mcp-Session-Id': session,
    });
    return response.end(JSON.stringify({
      jsonrpc: '2.0', id: message.id, result: this.answer(message),
    }));
  }
}

// A provider of models: each request costs a thousand tokens.
class StubProvider {
  asked = 0;

  handle(request, response) {
    this.asked += 1;
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({
      id: `c-${this.asked}`, object: 'chat.completion', created: 0, model: 'large',
      choices: [{
        index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' },
      }],
      usage: { prompt_tokens: 10, completion_tokens: 990, total_tokens: 1000 },
    }));
  }
}

// Listens on a free port: { port, servers: name → StubServer or StubProvider, close }.
export const startServers = (described) =>
  new Promise((done) => {
    const servers = Object.fromEntries(Object.entries(described).map(([name, tools]) =>
      [name, tools === 'provider' ? new StubProvider() : new StubServer(name, tools)]));
    const listener = http.createServer((request, response) => {
      const server = servers[request.url.split('/')[1]];
      if (request.method !== 'POST' || !server) return response.writeHead(405).end();
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => server.handle(request, response, Buffer.concat(parts)));
      return undefined;
    });
    listener.listen(0, '127.0.0.1', () => done({
      port: listener.address().port, servers, close: () => {
        listener.close();
        listener.closeAllConnections();
      },
    }));
  });
