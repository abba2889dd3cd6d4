// Requests of doubtful framing, to our server and to nginx alike, each followed by a
// plain one on the same connection.  Law: the requests both handle are the same, one
// by one; who handles fewer has refused the next (we close, nginx says 4xx).  So
// neither sees a request where the other sees a body.
// Usage: node framing.mjs FRAMING_SERVER.  Seeded; SEED=n repeats a run.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const CASES = Number(process.env.CASES ?? 3000);
const AT_ONCE = 16;
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const nginxProgram = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(
  (program) => spawnSync(program, ['-v']).status === 0);
if (!nginxProgram) {
  console.log('skipped: no nginx');
  process.exit(77);
}

// mulberry32
let state = seed;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const one = (list) => list[Math.floor(random() * list.length)];
const often = (usual, list) => (random() < 0.93 ? usual : one(list));

const END = ['\n', '\r', '\r\n\r\n', '\n\r\n', ' \r\n'];
const LENGTHS = ['4', '+4', '-4', ' 4', '4 ', '04', '0x4', '4,4', '4, 4', '4;', '4\t', '', '0',
  '3', '5', '400', '18446744073709551620', '4294967300', '4.0', '4e0', '4\v', '4\0', '\u00b24'];
const ENCODINGS = ['chunked', 'Chunked', ' chunked', 'chunked ', 'chunked, identity',
  'identity, chunked', 'identity', 'xchunked', 'chunked;q=1', '"chunked"', 'chunked\t', '\tchunked',
  'chunked,', ',chunked', '', 'chunked\v', 'chunked\0', 'gzip, chunked', 'chunked, chunked'];
const NAMES = [(n) => n, (n) => n.toLowerCase(), (n) => n + ' ', (n) => ' ' + n, (n) => n + '\t',
  (n) => n.replace('-', '_'), (n) => n + '\0', (n) => '\t' + n, (n) => n + ':', (n) => n + '\v'];
const SIZES = ['4', '04', '4 ', ' 4', '4;x', '4;x=y', '0x4', '+4', '-4', '4\t', '', '4\n',
  'FFFFFFFFFFFFFFFF4', '00000000000000000000000004', '4,', '4\0', 'g'];
const VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/01.1',
  'HTTP/1.10', ''];

const line = (text) => text + often('\r\n', END);
const field = (name, value) =>
  line(often((n) => n, NAMES)(name) + often(': ', [':', ':  ', ' : ', ':\t', ':\r\n ']) + value);

const request = () => {
  const fields = [field('Host', 'a')];
  const lengths = one([0, 1, 1, 1, 2]);
  for (let i = 0; i < lengths; i += 1) {
    fields.push(field('Content-Length', often('4', LENGTHS)));
  }
  const encodings = one([0, 0, 1, 1, 2]);
  for (let i = 0; i < encodings; i += 1) {
    fields.push(field('Transfer-Encoding', often('chunked', ENCODINGS)));
  }
  if (random() < 0.3) fields.push(one(['X: y\r\n', 'X\r\n', ':y\r\n', '\r\n', 'X: y\r\n z\r\n']));
  fields.sort(() => random() - 0.5);
  const chunk = line(often('4', SIZES)) + 'abcd' + often('\r\n', END);
  const body = one(['abcd', chunk + line('0') + '\r\n', chunk + '0\r\nX: y\r\n\r\n', '']);
  return line(`${one(['GET', 'POST'])} /first ${often('HTTP/1.1', VERSIONS)}`) +
    fields.join('') + '\r\n' + body +
    'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
};

// The requests that were handled, as "METHOD TARGET", and whether one was refused.
const ask = (port, text) =>
  new Promise((done) => {
    let answer = '';
    let closed = false;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      done({
        handled: [...answer.matchAll(/<([A-Za-z-]+ \/\S*?)[ >]/g)].map(([, what]) => what),
        refused: /HTTP\/1\.[01] [45]\d\d/.test(answer),
        closed,
      });
    };
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
    // Both wait for a body that never comes: what was handled until then counts.
    const timer = setTimeout(finish, 400);
    socket.on('data', (part) => (answer += part.toString('latin1')));
    socket.on('error', finish);
    socket.on('end', () => (closed = true));
    socket.on('close', finish);
  });

const UP = 'GET /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const folder = mkdtempSync(join(tmpdir(), 'framing-'));
const freePort = () =>
  new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
const nginxPort = await freePort();
writeFileSync(join(folder, 'nginx.conf'), `daemon off; error_log ${folder}/error.log;
pid ${folder}/pid; worker_processes 1; events { worker_connections 512; }
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p;
fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
server { listen 127.0.0.1:${nginxPort}; location / { return 200 "<$request_method $request_uri>"; }
} }`);
const nginx = spawn(nginxProgram, ['-p', folder, '-c', join(folder, 'nginx.conf')],
  { stdio: 'inherit' });
const server = spawn(process.argv[2], [], { stdio: ['pipe', 'pipe', 'inherit'] });
const ourPort = await new Promise((done) =>
  createInterface({ input: server.stdout }).once('line', (text) => done(Number(text))));
for (let i = 0; i < 200; i += 1) {
  if ((await ask(nginxPort, UP)).handled.length > 0) break;
  await new Promise((done) => setTimeout(done, 10));
}

let failed = 0;
let handledBoth = 0;
const stricter = [0, 0];
const texts = Array.from({ length: CASES }, request);
for (let at = 0; at < texts.length; at += AT_ONCE) {
  await Promise.all(texts.slice(at, at + AT_ONCE).map(async (text) => {
    const [ours, theirs] = await Promise.all([ask(ourPort, text), ask(nginxPort, text)]);
    const both = Math.min(ours.handled.length, theirs.handled.length);
    const same = ours.handled.slice(0, both).every((what, i) => what === theirs.handled[i]);
    const fewer = ours.handled.length < theirs.handled.length ? ours : theirs;
    const stopped = ours.handled.length === theirs.handled.length ||
      fewer.refused || (fewer === ours && ours.closed) ||
      // Both wait for a body that does not come; nginx has answered before it.
      (fewer === ours && !ours.closed && !theirs.closed && both + 1 === theirs.handled.length);
    if (!same || !stopped) {
      failed += 1;
      if (failed <= 10) console.log(JSON.stringify({ text, ours, theirs }));
    } else if (ours.handled.length === theirs.handled.length) handledBoth += both > 0;
    else stricter[fewer === ours ? 0 : 1] += 1;
  }));
}
nginx.kill();
server.stdin.end();
const code = await new Promise((done) => server.on('exit', done));
rmSync(folder, { recursive: true, force: true });
console.log(`seed ${seed}: ${CASES} cases, ${handledBoth} handled alike, ${stricter[0]} where we ` +
  `are stricter, ${stricter[1]} where nginx is, ${failed} where we differ`);
// A run that handles nothing would prove nothing.
process.exit(failed === 0 && code === 0 && handledBoth > CASES / 50 ? 0 : 1);
