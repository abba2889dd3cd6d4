// make run: plays the governed stories against a real remitd with a real MCP
// client and real MCP servers.  ONCE=1 uses a fresh temporary folder and exits
// after the stories; otherwise remitd stays up on var/.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Broken, Teller } from './lib/report.mjs';
import { STORY_GUARDRAILS as guardrails, World } from './lib/world.mjs';
import { stories } from './stories.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const isOnce = Boolean(process.env.ONCE) && process.env.ONCE !== '0';
const only = process.env.STORY;
const chosen = stories.filter((story) => !only || story.name.includes(only));

let passed = 0;
let failed = 0;

const count = (isGood) => {
  if (isGood) passed += 1;
  else failed += 1;
};

const play = async (story, world) => {
  console.log(`\n${story.name}`);
  try {
    await story.run(world, new Teller(false), false);
    count(true);
  } catch (error) {
    if (!(error instanceof Broken)) console.log(`  \u2718 ${error.stack}`);
    count(false);
  }
};

// The twin: the same story without its rule must break, and at that very step.
const playTwin = async (story) => {
  const { twin } = story;
  let world = null;
  let verdict;
  try {
    world = await World.start({
      change: twin.change, approve: twin.approve, guardrails,
    });
    await story.run(world, new Teller(true), true);
    verdict = 'it holds all the same';
  } catch (error) {
    if (!(error instanceof Broken)) verdict = error.stack;
    else if (error.step !== twin.breaks) verdict = `it breaks elsewhere: ${error.message}`;
  }
  await world?.stop().catch((error) => (verdict = error.message));
  const name = `${story.name}: without ${twin.rule}, "${twin.breaks}" breaks`;
  console.log(verdict === undefined ? `  \u2714 ${name}` : `  \u2718 ${name}: ${verdict}`);
  count(verdict === undefined);
};

const main = async () => {
  const world = await World.start({ guardrails, ...(isOnce ? {} : { dir: resolve(root, 'var') }) });
  // Why it did not end as it should, or null.
  const stopped = () => world.stop().then(() => null, (error) => error.message);
  const leave = async (code) => {
    await stopped();
    process.exit(code);
  };
  process.on('SIGINT', () => leave(130));
  process.on('SIGTERM', () => leave(143));
  console.log(`remitd is up at ${world.url}, data in ${world.dir}`);
  for (const story of chosen) await play(story, world);
  console.log('\nEach story again with its rule taken away; it must break:');
  for (const story of chosen) await playTwin(story);
  if (isOnce) {
    const wrong = await stopped();
    if (wrong) {
      console.log(`  \u2718 ${wrong}`);
      count(false);
    }
  } else {
    const remit = `build/remit --data ${world.dir}`;
    console.log(`
remitd stays up until ctrl-C; its control API is at ${world.url}/v1.
Look around from a second terminal:

    ${remit} identity list
    ${remit} audit search --verdict deny
    ${remit} why support-summariser write files/write_file

docs/first-steps.md registers an identity of your own.
`);
  }
  console.log(`stories: ${passed} passed, ${failed} failed`);
  if (isOnce) process.exit(failed === 0 && passed > 0 ? 0 : 1);
};

main().catch((error) => {
  console.error(error.stack);
  console.log(`stories: ${passed} passed, ${failed + 1} failed`);
  process.exit(1);
});
