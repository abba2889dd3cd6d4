// A provider of models that speaks a part of OpenAI's API: it answers in a stream, a word
// at a time, and says back what it was asked for.  It wants its key, and writes down each
// request that reaches it.
import { appendFileSync } from 'node:fs';
import http from 'node:http';

export const KEY = 'sk-the-key-that-no-agent-sees';

const WORDS = ('Ticket 41: the export button of the report page does nothing since the last '
  + 'release. ').split(' ');

const chunk = (delta, finish = null) => `data: ${JSON.stringify({
  id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'small-1',
  choices: [{ index: 0, delta, finish_reason: finish }],
})}\n\n`;

const speak = async (answer, { messages, max_tokens: most }) => {
  const isLong = messages.some(({ content }) => content.includes('at length'));
  const count = Math.min(isLong ? 2000 : WORDS.length, most ?? Infinity);
  answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
  for (let i = 0; i < count && !answer.destroyed; i += 1) {
    answer.write(chunk({ content: `${WORDS[i % WORDS.length]} ` }));
    if (i % 20 === 19) await new Promise((done) => setTimeout(done, 1));
  }
  answer.end(chunk({}, 'stop') + 'data: [DONE]\n\n');
};

// Resolves to { port, close }; each request is a line of the file log.
export const startProvider = (log) =>
  new Promise((done) => {
    const server = http.createServer((request, answer) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        const { authorization } = request.headers;
        appendFileSync(log, JSON.stringify({ url: request.url, authorization, body }) + '\n');
        if (authorization === `Bearer ${KEY}`) speak(answer, JSON.parse(body));
        else answer.writeHead(401).end();
      });
    });
    server.listen(0, '127.0.0.1', () => done({
      port: server.address().port,
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    }));
  });
