// A scripted, fully obedient agent on the official MCP client: it does whatever
// it is told, by its developer or by what it reads.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const textOf = (result) =>
  (result.content ?? [])
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');

export class Agent {
  // capabilities: what servers may ask of it, as MCP says it at initialize.
  constructor(url, token, capabilities = {}) {
    this.url = new URL(url);
    this.token = token;
    this.capabilities = capabilities;
  }

  async connect() {
    this.transport = new StreamableHTTPClientTransport(this.url, {
      requestInit: { headers: { Authorization: `Bearer ${this.token}` } },
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1,
        maxReconnectionDelay: 1,
        reconnectionDelayGrowFactor: 1,
      },
    });
    this.client = new Client({ name: 'obedient-agent', version: '1.0.0' },
      { capabilities: this.capabilities });
    this.client.onerror = () => {};
    await this.client.connect(this.transport);
    return this;
  }

  async tools() {
    const { tools } = await this.client.listTools();
    return tools.map((tool) => tool.name).sort();
  }

  // { done, text }: done is false when the call was refused or failed.
  async call(name, args, options = {}) {
    try {
      const result = await this.client.callTool({ name, arguments: args }, undefined, options);
      return { done: result.isError !== true, text: textOf(result), result };
    } catch (error) {
      const more = error.data === undefined ? '' : ' ' + JSON.stringify(error.data);
      return { done: false, text: error.message + more, code: error.code };
    }
  }

  // Does each `CALL tool {arguments}` it finds in a text.
  async obey(text) {
    const results = [];
    for (const [, tool, args] of text.matchAll(/^CALL (\S+) (\{.*\})$/gm)) {
      results.push({ tool, ...(await this.call(tool, JSON.parse(args))) });
    }
    return results;
  }

  async close() {
    await this.client.close().catch(() => {});
  }
}
