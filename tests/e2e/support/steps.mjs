// Runs the commands of a page of docs/ as one shell session, word for word, in a folder
// where build/ and examples/ are what the reader has.
//
// Prints `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from '../../../examples/stories/lib/world.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const build = process.env.REMIT_BUILD ?? join(root, 'build');

// expected: what the reader is told to expect, in order; never: what must not be seen.
export async function play(name, expected, never = null) {
  const page = readFileSync(join(root, `docs/${name}.md`), 'utf8');
  const commands = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) => text).join('');

  // Whatever stops the session, its daemon goes with it.
  const cleanUp = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT";
  const session = `set -eu\n${cleanUp}\nexec 2>&1\n${commands}`;
  const folder = mkdtempSync(join(tmpdir(), 'remit-steps-'));
  let passed = 0;
  let failed = 0;
  const check = (what, isGood) => {
    console.log(`${isGood ? 'ok' : 'FAILED'}: ${what}`);
    if (isGood) passed += 1;
    else failed += 1;
  };
  try {
    symlinkSync(resolve(build), join(folder, 'build'));
    symlinkSync(join(root, 'examples'), join(folder, 'examples'));
    const done = await run('bash', ['-c', session], { cwd: folder });
    if (done.out.includes('this kernel cannot confine')) {
      console.log('skipped: this kernel cannot confine servers over stdio');
      process.exitCode = 77;
    }
    let from = 0;
    for (const text of expected) {
      const at = done.out.indexOf(text, from);
      check(text, at >= 0);
      from = at < 0 ? from : at + text.length;
    }
    check(`exit ${done.code}`, done.code === 0);
    if (never !== null) check(`nothing like ${never}`, !never.test(done.out));
    if (failed > 0) console.log(done.out + done.err);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(process.exitCode ?? (failed === 0 ? 0 : 1));
}
