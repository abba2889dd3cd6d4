// What remitd adds to each delta of a model's answer, beside the straight road, in one run.
//
// A provider in a process of its own makes a delta every PACE_MS (its own time: a fast
// model's) and writes into it when it sent it, by the clock that both processes share.
// Streams take the straight road and the one through remitd in turn; of each delta the
// time from there to here is taken.  The bar is on the difference of the medians, as a
// share of the provider's own time.  Then both roads once more, as fast as the provider
// can write: that is the cost of a delta when nothing waits, and has no bar.
//
// Usage: models [--json] [--streams N].  Exits 1 if the bar is not met.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { World } from '../examples/stories/lib/world.mjs';

const words = process.argv.slice(2);
const streams = words.includes('--streams') ? Number(words[words.indexOf('--streams') + 1]) : 12;
const DELTAS = 150;
const PACE_MS = 10;
const FLOOD = 20_000;
const SHARE_MAX = 0.05;
const KEY = 'sk-bench';

const now = () => process.hrtime.bigint();
const delta = (at) => `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,` +
  `"model":"small-1","choices":[{"index":0,"delta":{"content":"word ${at} "},` +
  '"finish_reason":null}]}\n\n';
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

// ---- the provider's process ----

const pace = (answer) => {
  let left = DELTAS;
  const timer = setInterval(() => {
    answer.write(delta(now()));
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    answer.end(END);
  }, PACE_MS);
};
const flood = async (answer) => {
  for (let i = 0; i < FLOOD; i += 1) {
    if (!answer.write(delta(0))) await new Promise((done) => answer.once('drain', done));
  }
  answer.end(END);
};
const provide = () => {
  const server = http.createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      answer.socket.setNoDelay(true);
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      (body.includes('flood') ? flood : pace)(answer);
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('end', () => process.exit(0)).resume();
};

const startProvider = () =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--provider'],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    child.on('error', fail);
    createInterface({ input: child.stdout }).once('line', (port) =>
      done({ url: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() }));
  });

// ---- one stream ----

const agent = new http.Agent({ keepAlive: true });
// Resolves to how long it took, and what became of each delta.
const stream = (base, key, word) =>
  new Promise((done, fail) => {
    const begun = now();
    const took = [];
    let bytes = 0;
    const request = http.request(`${base}/v1/chat/completions`, {
      agent, method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    }, (answer) => {
      answer.on('data', (part) => {
        const here = now();
        bytes += part.length;
        if (word === 'flood') return;
        for (const [, at] of part.toString().matchAll(/"word (\d+) "/g)) {
          took.push(Number(here - BigInt(at)));
        }
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) done({ took, bytes, ns: Number(now() - begun) });
        else fail(new Error(`HTTP ${answer.statusCode}`));
      });
      answer.on('error', fail);
    });
    request.on('error', fail);
    request.end(JSON.stringify({
      model: 'small-1', stream: true, messages: [{ role: 'user', content: word }],
    }));
  });

const quantile = (numbers, part) =>
  numbers.sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];

// ---- the run ----

const figures = [];
let missed = 0;
const emit = (figure, isMet = true) => {
  figures.push({ bench: 'models', ...figure, met: isMet });
  if (!isMet) missed += 1;
  console.log(JSON.stringify(figures.at(-1)));
};

const charters = (files, world, url) =>
  files.set('charters/60-bench.yaml', `object: server
name: bench
transport: {url: "${url}", credential: "env:REMIT_BENCH_KEY"}
environment: staging
unit: support
speaks: openai
models: [{name: small-1, up-to: internal, input-price: 1, output-price: 1}]
---
object: identity
name: bencher
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Measure what the gateway adds to a stream
environments: [staging]
model: [{provider: bench, name: small-1, up-to: internal}]
outputs: [{to: reply, up-to: internal}]
entitlements: [{effect: generate, resource: "model:bench/small-1"}]
limits:
  task: 60m
  budget-per-task: {requests: 1000000, tokens: 1000000000, spend: 1000000000}
  budget-per-day: {tokens: 1000000000}
review: 90d
expires: 2027-06-30
${world.keysLineOf('nobody')}
`);

const measure = async (direct, through) => {
  const roads = [
    { name: 'direct', ...direct, took: [], flood: [] },
    { name: 'remit', ...through, took: [], flood: [] },
  ];
  for (const road of roads) await stream(road.base, road.key, 'warm-up');
  for (let i = 0; i < streams; i += 1) {
    for (const road of roads) road.took.push(...(await stream(road.base, road.key, 'go')).took);
  }
  for (let i = 0; i < 3; i += 1) {
    for (const road of roads) {
      const { ns, bytes } = await stream(road.base, road.key, 'flood');
      road.flood.push(ns / FLOOD);
      road.bytes ??= bytes;
      if (road.bytes !== bytes || bytes !== roads[0].bytes) throw new Error('bytes were lost');
    }
  }
  return roads;
};

const report = ([direct, remit]) => {
  for (const road of [direct, remit]) {
    emit({ case: `${road.name}: a delta from provider to client, one in ${PACE_MS} ms`,
      p50_ns: quantile(road.took, 0.5), p99_ns: quantile(road.took, 0.99) });
  }
  const added = quantile(remit.took, 0.5) - quantile(direct.took, 0.5);
  const share = added / (PACE_MS * 1e6);
  emit({ case: 'remit: added to a delta, of the provider\'s own time for one', p50_ns: added,
    share: Number(share.toFixed(4)), bar: SHARE_MAX }, share <= SHARE_MAX);
  for (const road of [direct, remit]) {
    const each = quantile(road.flood, 0.5);
    emit({ case: `${road.name}: ${FLOOD} deltas as fast as they are written, each`,
      mean_ns: Math.round(each), per_second: Math.round(1e9 / each) });
  }
};

const main = async () => {
  const provider = await startProvider();
  process.env.REMIT_BENCH_KEY = KEY;
  const world = await World.start({
    change: (files, made) => charters(files, made, provider.url),
    approve: { bencher: 'bo@example.com' },
    key: { bencher: 'nobody' },
  });
  try {
    const url = `${world.url}/llm/bench`;
    const { access_token: token } = await world.json(null, 'task', 'open', 'bencher', '--key',
      world.keys.bencher.path, '--resource', url);
    report(await measure({ base: provider.url, key: KEY }, { base: url, key: token }));
  } finally {
    provider.stop();
    await world.stop();
  }
  return missed === 0 ? 0 : 1;
};

if (words.includes('--provider')) provide();
else {
  main().then((code) => process.exit(code), (error) => {
    console.error(error.stack);
    process.exit(1);
  });
}
