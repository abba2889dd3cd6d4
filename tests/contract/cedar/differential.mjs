// Differential testing against the published Cedar (its WebAssembly build, SDK 4.13,
// language 4.5).  A case is a set of policies, templates and links under a random schema: both
// sides say what is wrong with each policy, and decide some requests over random entities,
// by the schema and without; decision, determining policies and erring policies must be the same.
// Usage: differential.mjs PROGRAM; exit 77 without the package.  Environment:
// REMIT_DIFFERENTIAL_CASES (10000, or what REMIT_SHARE leaves of them), REMIT_DIFFERENTIAL_JOBS
// (as many as cores), REMIT_SEED.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { missing, table } from './coverage.mjs';
import { loadCedar } from './theirs.mjs';

const progressMs = 10_000;
// Node 20's V8 aborts ("unreachable code", in DoComputeBuiltinContinuation) now and then when it
// gives up optimised code in the middle of a call into WebAssembly that it had inlined.
const execArgv = ['--no-turbo-inline-js-wasm-calls'];

if (loadCedar() === null) {
  console.log('skipped: run npm ci in tests/contract/cedar for @cedar-policy/cedar-wasm');
  process.exit(77);
}

const share = Math.max(1, Number(process.env.REMIT_SHARE) || 1);
const cases = Number(process.env.REMIT_DIFFERENTIAL_CASES ?? Math.ceil(10_000 / share));
const jobs = Number(process.env.REMIT_DIFFERENTIAL_JOBS ?? availableParallelism());
const seed = BigInt(process.env.REMIT_SEED ?? Date.now());
const worker = fileURLToPath(new URL('compare.mjs', import.meta.url));
const started = Date.now();
const totals = { cases: 0, differences: 0 };
let shown = started;
console.log(`seed ${seed} (REMIT_SEED repeats it), ${cases} cases, ${jobs} processes`);

function add(counts) {
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
  if (Date.now() - shown < progressMs) return;
  shown = Date.now();
  const seconds = (shown - started) / 1000;
  console.log(`${totals.cases} of ${cases} cases in ${seconds.toFixed(0)} s, ${
    (totals.cases / seconds).toFixed(0)} a second, ${totals.differences} differences`);
}

// Resolves to true if the process ended well.
function run(index) {
  const share = Math.floor(cases / jobs) + (index < cases % jobs ? 1 : 0);
  const child = fork(worker, [process.argv[2], String(seed * 1000n + BigInt(index)),
    String(share)], { execArgv });
  child.on('message', add);
  return new Promise((resolve) => { child.on('exit', (code) => resolve(code === 0)); });
}

// Prints what was found; true if it is as it must be.
function conclude() {
  const of = (name) => totals[name] ?? 0;
  const uncovered = missing(totals);
  console.log(table(totals));
  for (const text of uncovered) console.log(`too rare: ${text}`);
  console.log(`differential: ${of('cases')} cases: ${of('schemas')} schemas, ${of('policies')
  } policies, ${of('templates')} templates, ${of('links')} links, ${of('requests')} requests; ${
    of('differences')} differences`);
  return of('cases') === cases && of('differences') === 0 && uncovered.length === 0;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    console.log(`stopped by ${signal}`);
    conclude();
    process.exit(1);
  });
}

const ended = await Promise.all(Array.from({ length: jobs }, (_, index) => run(index)));
process.exit(conclude() && ended.every(Boolean) ? 0 : 1);
