// What remitd adds to a call, beside nginx's proxy_pass, in one run.
//
// One fast local MCP server (gateway-upstream), three roads to it: straight,
// through nginx, through remitd with a token, 100 policies and a durable record
// of each decision.  gateway-client takes one call on each road in turn, on one
// connection each; the figures are the paired differences to the straight road.
// Once with the log on a memory file system, where its sync costs nothing, which
// the bar is for, and once on disk; the time remitd spends writing and syncing
// its log is read from its metrics and subtracted.
//
// Usage: gateway [--json] [--rounds N].  Exits 1 if a bar is not met.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { World, sleep } from '../examples/stories/lib/world.mjs';
import { meanNs, openSession, policies, startUpstream, takeRoads } from './roads.mjs';

const words = process.argv.slice(2);
const rounds = words.includes('--rounds') ? Number(words[words.indexOf('--rounds') + 1]) : 3000;
const WARM_UP = 300;
const POLICIES = 100;
const STREAMS = 1000;
// The bars of this version.
const RATIO_MAX = 3;
const DECISION_SHARE_MAX = 0.05;
const IDLE_KIB_MAX = 32 * 1024;
const STREAM_KIB_MAX = 16;

const figures = [];
let missed = 0;
const emit = (figure, isMet = true) => {
  figures.push({ bench: 'gateway', ...figure, met: isMet });
  if (!isMet) missed += 1;
  console.log(JSON.stringify(figures.at(-1)));
};

const freePort = () =>
  new Promise((done) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

const canConnect = (port) =>
  new Promise((done) => {
    const probe = net.connect(port, '127.0.0.1', () => { probe.destroy(); done(true); });
    probe.on('error', () => done(false));
  });

// nginx as anybody may run it: no root, own folder, one worker, keep-alive on both sides.
const startNginx = async (dir, upstreamPort) => {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const text = `daemon off; master_process off; worker_processes 1;
pid ${dir}/pid; error_log ${dir}/error.log error;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi; uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  upstream direct { server 127.0.0.1:${upstreamPort}; keepalive 16; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://direct; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`;
  writeFileSync(join(dir, 'conf'), text);
  const nginx = process.getuid() === 0 ? '/usr/sbin/nginx' : 'nginx';
  const child = spawn(nginx, ['-c', join(dir, 'conf'), '-p', dir, '-e', join(dir, 'error.log')], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  child.on('error', (error) => console.error(`nginx: ${error.message}`));
  for (let tries = 0; tries < 200 && !(await canConnect(port)); tries += 1) await sleep(20);
  return { port, stop: () => child.kill('SIGQUIT') };
};

// The charters of the bench: one identity, one tool, POLICIES guardrails that all
// have to be evaluated, because none names a principal, action or resource.
const benchCharters = (files, world, port) => {
  files.set('charters/60-bench.yaml', `object: server
name: bench
transport: {url: "http://127.0.0.1:${port}/mcp"}
environment: staging
unit: support
---
object: tool
name: bench/repeat
effect: read
risk: low
reads: [{data-source: tickets}]
targets: [{argument: path, as: path}]
reversal: none-needed
---
object: identity
name: bencher
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Measure what the gateway adds
environments: [staging]
data-sources: [{name: tickets, up-to: internal}]
outputs: [{to: reply, up-to: internal}]
entitlements:
  - {effect: read, tool: bench/repeat, when: 'context.args.path like "tickets/*"'}
peers: []
limits: {task: 60m, calls-per-minute: 100000}
impact: None
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`);
  files.set('charters/61-policies.yaml', policies(POLICIES - 1));
};

const rssKib = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// Opens STREAMS idle GET streams and resolves once each has its answer's head.
const openStreams = async (port, path, headers) => {
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`,
    ...Object.entries({ ...headers, Accept: 'text/event-stream' })
      .filter(([name]) => name !== 'Content-Type').map(([name, value]) => `${name}: ${value}`)];
  const open = () =>
    new Promise((done, fail) => {
      const socket = net.connect(port, '127.0.0.1', () =>
        socket.write(lines.join('\r\n') + '\r\n\r\n'));
      socket.once('data', (part) => {
        if (/^HTTP\/1\.1 200/.test(part.toString())) done(socket);
        else fail(new Error(part.toString().split('\r\n')[0]));
      });
      socket.on('error', fail);
    });
  const sockets = [];
  for (let i = 0; i < STREAMS; i += 50) {
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  }
  return sockets;
};

const measureStreams = async (world) => {
  const pid = world.daemon.pid;
  const before = rssKib(pid);
  const sockets = [];
  // A stream of its own for each session, as agents have them.
  const { token } = await world.openTask('bencher', 'bench');
  const headers = await openSession(world.mcp('bench'), token);
  const port = Number(new URL(world.url).port);
  try {
    sockets.push(...(await openStreams(port, '/mcp/bench', headers)));
    await sleep(500);
    const each = (rssKib(pid) - before) / sockets.length;
    emit({ case: `memory of an idle stream, over ${sockets.length}`, kib: Number(each.toFixed(2)),
      bar: STREAM_KIB_MAX }, each <= STREAM_KIB_MAX);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
};

// The figures of one run: three roads, and what the daemon says of its own work.
const measureCalls = async (world, upstream, nginx) => {
  const { token } = await world.openTask('bencher', 'bench');
  const headers = await openSession(world.mcp('bench'), token);
  const plain = { 'Content-Type': 'application/json', Accept: headers.Accept };
  const body = '{"jsonrpc":"2.0","id":@ID@,"method":"tools/call","params":{"name":"repeat",' +
    '"arguments":{"path":"tickets/41.txt","lines":40,"note":"the quick brown fox"}}}';
  const page = async () => (await fetch(world.url + '/metrics')).text();
  const before = await page();
  const [direct, viaNginx, viaRemit] = await takeRoads([
    { name: 'direct', port: upstream.port, path: '/mcp', headers: plain, body },
    { name: 'nginx', port: nginx.port, path: '/mcp', headers: plain, body },
    { name: 'remit', port: Number(new URL(world.url).port), path: '/mcp/bench', headers, body },
  ], rounds, WARM_UP);
  const after = await page();
  return {
    direct, nginx: viaNginx, remit: viaRemit,
    flush: meanNs(before, after, 'remit_log_flush_seconds_total', 'remit_log_batches_total'),
    decision: meanNs(before, after, 'remit_decision_seconds_total', 'remit_decisions_total'),
  };
};

const ratioTo = (nginx, added) => Number((added / nginx).toFixed(2));

// With the log on a memory file system its sync costs nothing: what is left is
// the gateway's own work, the hand-over to the log's thread included.
const reportCalls = (memory, disk) => {
  const what = `token, ${POLICIES} policies, durable record`;
  const { direct, nginx, remit } = memory;
  emit({ case: 'direct', p50_ns: direct.p50_ns, p99_ns: direct.p99_ns });
  emit({ case: 'nginx proxy_pass, added', p50_ns: nginx.added_p50_ns, p99_ns: nginx.added_p99_ns });
  const added = Math.round(remit.added_p50_ns - memory.flush);
  const ratio = ratioTo(nginx.added_p50_ns, added);
  emit({ case: `remit, added less its own log sync (${what}; log in memory)`, p50_ns: added,
    p99_ns: remit.added_p99_ns, peer: 'nginx', ratio, bar: RATIO_MAX }, ratio <= RATIO_MAX);
  const share = memory.decision / remit.added_p50_ns;
  emit({ case: 'the decision, of the added time', mean_ns: Math.round(memory.decision),
    share: Number(share.toFixed(4)), bar: DECISION_SHARE_MAX }, share <= DECISION_SHARE_MAX);
  emit({ case: 'log on disk: one flush', mean_ns: Math.round(disk.flush) });
  emit({ case: `log on disk: remit, added (${what})`, p50_ns: disk.remit.added_p50_ns,
    p99_ns: disk.remit.added_p99_ns, mean_ns: disk.remit.added_mean_ns });
  emit({ case: 'log on disk: remit, added less its own log sync (means)',
    mean_ns: Math.round(disk.remit.added_mean_ns - disk.flush), peer: 'nginx',
    ratio: ratioTo(disk.nginx.added_mean_ns, disk.remit.added_mean_ns - disk.flush) });
};

const startWorld = (upstream, under) =>
  World.start({
    under,
    change: (files, started) => benchCharters(files, started, upstream.port),
    approve: { bencher: 'bo@example.com' },
    key: { bencher: 'nobody' },
  });

// Starts the daemon, hands it to measure, stops it.
const withWorld = async (upstream, under, measure) => {
  const world = await startWorld(upstream, under);
  let nginx;
  try {
    nginx = await startNginx(world.path('nginx'), upstream.port);
    return await measure(world, nginx);
  } finally {
    nginx?.stop();
    await world.stop();
  }
};

const main = async () => {
  const upstream = await startUpstream();
  try {
    const memory = await withWorld(upstream, '/dev/shm', async (world, nginx) => {
      await sleep(1000);
      const idle = rssKib(world.daemon.pid);
      emit({ case: 'resident, idle', kib: idle, bar: IDLE_KIB_MAX }, idle <= IDLE_KIB_MAX);
      const calls = await measureCalls(world, upstream, nginx);
      await measureStreams(world);
      return calls;
    });
    const disk = await withWorld(upstream, undefined, (world, nginx) =>
      measureCalls(world, upstream, nginx));
    reportCalls(memory, disk);
  } finally {
    upstream.stop();
  }
  return missed === 0 ? 0 : 1;
};

main().then((code) => process.exit(code), (error) => {
  console.error(error.stack);
  process.exit(1);
});
