// Stands between remit and a stdio MCP server and writes down each request that
// reaches the server, before the server sees it.
//
// Usage: upstream-log.mjs LOG SERVER PROGRAM ARGUMENT...
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [log, server, program, ...rest] = process.argv.slice(2);
const child = spawn(program, rest, { stdio: ['pipe', 'inherit', 'inherit'] });

const note = (line) => {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    message = { method: 'not JSON', params: { line } };
  }
  if (message.method === undefined) return;
  const entry = { server, method: message.method, params: message.params ?? null };
  appendFileSync(log, JSON.stringify(entry) + '\n');
};

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  note(line);
  child.stdin.write(line + '\n');
});
lines.on('close', () => child.stdin.end());
child.stdin.on('error', () => {});
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
