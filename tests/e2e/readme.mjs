// Runs each command of README.md that needs a running remitd, word for word, in
// a folder where build/ and var/ are what the reader has.  A comment `# exit N`
// behind a command says which status it ends with; without one it is 0.
//
// Prints `N passed, N failed`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { World, run } from '../../examples/stories/lib/world.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.REMIT_BUILD ?? join(root, 'build');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

const commands = readme.split('\n').filter((line) => /^ {4}\S/.test(line)).map((line) => ({
  text: line.trim(),
  status: Number(/# exit (\d+)/.exec(line)?.[1] ?? 0),
}));
const known = new Set(['make run', 'make test']); // CI runs these two themselves

// Each word of `PROGRAM --help` stands in its manual.
const checkManual = async (program, pattern, ...pages) => {
  const manual = pages.map((page) =>
    readFileSync(join(root, 'docs/man', page), 'utf8')).join('').replaceAll('\\-', '-');
  const help = (await run(join(build, program), ['--help'])).out;
  const words = [...help.matchAll(pattern)].map(([, word]) => word);
  const missing = words.filter((word) => !manual.includes(word) && word !== 'help');
  console.log(`${missing.length || !words.length ? 'FAILED' : 'ok'}: ${program} --help is in the ` +
    `manual${missing.map((word) => `; missing: ${word}`)}`);
  if (missing.length || !words.length) failed += 1;
  else passed += 1;
};

let passed = 0;
let failed = 0;
const world = await World.start();
const folder = mkdtempSync(join(tmpdir(), 'remit-readme-'));
try {
  symlinkSync(resolve(build), join(folder, 'build'));
  symlinkSync(world.dir, join(folder, 'var'));
  mkdirSync(join(folder, 'home'));
  // Something to find: one refused call.
  const agent = await world.agent('support-summariser', 'files');
  await agent.call('write_file', { path: 'tickets/41.txt', content: 'x' });
  await agent.close();
  for (const { text, status } of commands) {
    if (known.has(text)) continue;
    const env = { ...process.env, HOME: join(folder, 'home'), NO_COLOR: '1' };
    const done = await run('/bin/sh', ['-c', text], { cwd: folder, env });
    const isGood = done.code === status && (done.out + done.err).trim() !== '';
    console.log(`${isGood ? 'ok' : 'FAILED'}: ${text}: exit ${done.code}`);
    if (!isGood) console.log(done.out + done.err);
    if (isGood) passed += 1;
    else failed += 1;
  }
  if (!commands.some(({ text }) => text === 'make run')) failed += 1;
  await checkManual('remit', /^ {2}([a-z][a-z-]*(?: [a-z][a-z-]*)?) {2,}/gm, 'remit.1');
  await checkManual('remitd', /^ *--([a-z-]+)/gm, 'remit.yaml.5', 'remitd.8');
} finally {
  rmSync(folder, { recursive: true, force: true });
  await world.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
