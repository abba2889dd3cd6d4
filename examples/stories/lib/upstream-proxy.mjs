// Stands between remit and an HTTP MCP server and writes down each request that
// reaches the server, before the server sees it.
import { appendFileSync } from 'node:fs';
import http from 'node:http';

const note = (log, server, body) => {
  let messages;
  try {
    messages = [].concat(JSON.parse(body));
  } catch {
    messages = [{ method: 'not JSON', params: { body } }];
  }
  for (const message of messages) {
    if (message.method === undefined) continue;
    const entry = { server, method: message.method, params: message.params ?? null };
    appendFileSync(log, JSON.stringify(entry) + '\n');
  }
};

const forward = (request, response, port, body) => {
  const headers = { ...request.headers, host: `127.0.0.1:${port}` };
  const options = { host: '127.0.0.1', port, path: request.url, method: request.method, headers };
  const onward = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  onward.end(body);
};

// Listens on a free port; resolves to { port, close }.
export const startProxy = (log, server, port) =>
  new Promise((resolve, reject) => {
    const listener = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts);
        if (request.method === 'POST') note(log, server, body.toString('utf8'));
        forward(request, response, port, body);
      });
    });
    listener.on('error', reject);
    listener.listen(0, '127.0.0.1', () =>
      resolve({
        port: listener.address().port,
        close: () => {
          listener.close();
          listener.closeAllConnections();
        },
      }),
    );
  });
