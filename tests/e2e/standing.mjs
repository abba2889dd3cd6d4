// Access that stands is seen, and `remit credential convert` ends it: an agent's key without an
// end becomes a rule on tokens of its platform, and after the grace opens nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { World, eventually } from '../../examples/stories/lib/world.mjs';
import { keyAt, keysLine } from '../../examples/stories/lib/keys.mjs';
import { Issuer } from './support/issuers.mjs';

const IDENTITY = 'support-summariser';
const ADI = 'adi@example.com';
const BO = 'bo@example.com';
const JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
let world;
let issuer;

before(async () => {
  issuer = await Issuer.start({ name: 'id', algorithm: 'ES256' });
  world = await World.start({
    change: (files) => {
      files.set('charters/60-issuer.yaml', ['object: issuer', 'name: id', 'unit: support',
        'speaks: oidc', `url: ${issuer.url}`, 'algorithms: [ES256]', 'private-addresses: allowed',
        ''].join('\n'));
      const drop = (name, more = '') => {
        const file = `charters/50-${name}.yaml`;
        files.set(file, files.get(file).replace(/^expires: .*\n/m, '') + more);
      };
      drop(IDENTITY);
      const deployer = 'charters/50-deployer.yaml';
      files.set(deployer, `${files.get(deployer)}binding: none\n`);
    },
  });
});
after(async () => {
  await world?.stop();
  await issuer?.stop();
});

const standing = async () => (await world.json(null, 'credential', 'list')).items;
const findings = async () => (await world.json(null, 'findings', 'list')).items.filter(
  ({ kind }) => kind === 'standing-access');
const subjects = async () => (await findings()).map(({ subject }) => subject).sort();
const byIssuer = async () => {
  const assertion = await issuer.token(
    { iss: issuer.url, aud: world.url, sub: 'worker-7', jti: randomUUID() });
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: IDENTITY, client_assertion_type: JWT,
      client_assertion: assertion, resource: world.mcp('files'),
    }),
  });
  return answer.status;
};
const byKey = async (key = world.keys[IDENTITY]) =>
  (await world.askForToken(IDENTITY, key, 'files')).status;

test('what stands is found, and nothing else', async () => {
  const kid = (await world.json(null, 'key', 'show', world.keys[IDENTITY].path)).kid;
  const due = ['deployer/binding', 'local/secret', `${IDENTITY}/key/${kid}`].sort();
  assert.ok(await eventually(async () => (await subjects()).length >= due.length));
  assert.deepEqual(await subjects(), due);
  const items = await standing();
  assert.deepEqual(items.map(({ id }) => id),
    ['identity/deployer/binding', `identity/${IDENTITY}/key/${kid}`, 'server/local/secret']);
  const key = items[1];
  assert.equal(key.command, `remit credential convert ${IDENTITY}`);
  assert.equal(key.severity, 'medium');
  assert.equal(key.last_used, undefined);
  assert.ok(key.since > 0);
  assert.ok(!JSON.stringify(items).includes('stand-in'), 'a reference, and no secret');
});

test('the list comes in pages of any size', async () => {
  const whole = (await standing()).map(({ id }) => id);
  const paged = [];
  for (let next; ;) {
    const page = await world.json(null, 'credential', 'list', '--limit', '1',
      ...(next ? ['--after', next] : []));
    paged.push(...page.items.map(({ id }) => id));
    next = page.next;
    if (!next) break;
  }
  assert.deepEqual(paged, whole);
});

test('nobody closes such a finding by hand', async () => {
  const [one] = await findings();
  const done = await world.remit(ADI, 'findings', 'close', one.id, '--reason', 'accepted');
  assert.equal(done.code, 1, done.out + done.err);
  assert.match(done.err, /remit closes it once the access stands no more/);
});

test('what makes no sense is refused before anything is asked', async () => {
  const wrong = async (words, said) => {
    const done = await world.remit(ADI, 'credential', 'convert', ...words);
    assert.equal(done.code, said[0], done.out + done.err);
    assert.match(done.err, said[1]);
  };
  await wrong([IDENTITY, '--issuer', 'id'], [2, /needs --subject or --subject-prefix/]);
  await wrong([IDENTITY, '--subject', 'x'], [2, /go with --issuer/]);
  await wrong([IDENTITY, '--issuer', 'id', '--subject', 'x', '--key', 'y'], [2, /not both/]);
  for (const grace of ['401d', '0d', '7', 'd', '7w', '9600h1']) {
    await wrong([IDENTITY, '--issuer', 'id', '--subject', 'x', '--grace', grace], [2, /400 days/]);
  }
  await wrong(['ticket-filer'], [3, /nothing of ticket-filer stands/]);
  await wrong(['nobody-here'], [3, /./]);
});

test('a dry run says what it is used for, and changes nothing', async () => {
  assert.equal(await byKey(), 200);
  assert.ok(await eventually(async () => {
    const dry = await world.json(ADI, 'credential', 'convert', IDENTITY, '--issuer', 'id',
      '--subject', 'worker-7', '--dry-run');
    return dry.uses.length === 1;
  }));
  const dry = await world.json(ADI, 'credential', 'convert', IDENTITY, '--issuer', 'id',
    '--subject', 'worker-7', '--dry-run');
  assert.equal(dry.uses[0].audience, world.mcp('files'));
  assert.equal(dry.uses[0].tasks, 1);
  assert.deepEqual(dry.unused, ['glossary', 'local']);
  assert.equal(dry.successor, true);
  assert.equal(dry.plan.problems_total, 0);
  const text = await world.must(ADI, 'credential', 'convert', IDENTITY, '--issuer', 'id',
    '--subject', 'worker-7', '--dry-run');
  assert.match(text, /opened 1 task for/);
  assert.match(text, /granted, and no token was asked for in that time: glossary/);
  assert.match(text, /until then both work/);
  assert.match(text, /federation/);
  const entry = await world.json(ADI, 'identity', 'show', IDENTITY);
  assert.equal(entry.waiting, undefined);
  assert.ok((await standing())[1].last_used > 0);
});

test('a key becomes a rule: both work in the grace, then the rule alone', async () => {
  assert.equal(await byIssuer(), 401);
  const done = await world.remit(ADI, 'credential', 'convert', IDENTITY, '--issuer', 'id',
    '--subject', 'worker-7', '--grace', '20s', '--yes');
  assert.equal(done.code, 6, done.out + done.err);
  assert.match(done.err, new RegExp(`remit identity approve ${IDENTITY}`));
  assert.equal(await byIssuer(), 401, 'one person alone changes nothing');
  await world.must(BO, 'identity', 'approve', IDENTITY, '--yes');
  assert.equal(await byIssuer(), 200);
  assert.equal(await byKey(), 200);
  const task = (await world.askForToken(IDENTITY, world.keys[IDENTITY], 'files')).body;
  assert.ok(task.expires_in <= 20, 'a task does not outlive the key that opened it');
  assert.ok(await eventually(async () => (await subjects()).length === 2), 'the finding is over');
  assert.ok(await eventually(async () => (await byKey()) === 401, 40_000));
  assert.equal(await byIssuer(), 200);
  assert.ok(!(await subjects()).some((subject) => subject.startsWith(IDENTITY)));
});

test('what is bound again, and a key with an end, stand no more', async () => {
  const done = await world.remit('dan@example.com', 'credential', 'convert', 'deployer', '--yes');
  assert.equal(done.code, 6, done.out + done.err);
  await world.must('eva@example.com', 'identity', 'approve', 'deployer', '--yes');
  assert.ok(await eventually(async () =>
    JSON.stringify(await subjects()) === JSON.stringify(['local/secret'])));
});

test('a new key with an end takes the place of an old one', async () => {
  const file = '50-support-summariser.yaml';
  const old = keyAt(world.path('agents', 'old.pem'));
  const next = keyAt(world.path('agents', 'next.pem'));
  const { writeFileSync, mkdirSync } = await import('node:fs');
  mkdirSync(world.path('again'));
  writeFileSync(world.path('again', file),
    world.applied.get(`charters/${file}`).replace(/^keys: .*$/m, keysLine('staging', old.jwk)));
  await world.apply(ADI, '-f', world.path('again'));
  await world.must(BO, 'identity', 'approve', IDENTITY, '--yes');
  assert.ok(await eventually(async () => (await subjects()).length === 2));
  const done = await world.remit(ADI, 'credential', 'convert', IDENTITY, '--key', next.path,
    '--grace', '2s', '--lasts', '30d', '--yes');
  assert.equal(done.code, 6, done.out + done.err);
  await world.must(BO, 'identity', 'approve', IDENTITY, '--yes');
  assert.equal(await byKey(next), 200);
  assert.ok(await eventually(async () => (await byKey(old)) === 401));
  assert.equal(await byKey(next), 200);
  assert.ok(await eventually(async () => (await subjects()).length === 1));
});

test('a restart keeps what is found, and finds nothing twice', async () => {
  const was = await findings();
  await world.killDaemon();
  await world.spawnDaemon();
  assert.deepEqual(await findings(), was);
});
