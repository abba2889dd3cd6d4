// An account is stopped at its provider through the connector, on record before and after, and
// counts as contained only once the provider, asked again, says that it is off.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { World, eventually } from '../../examples/stories/lib/world.mjs';
import { Providers } from './support/providers.mjs';

const ADI = 'adi@example.com';
const EVA = 'eva@example.com';
const REX = 'rex@example.com';
const GOOGLE = 'google/774.apps.googleusercontent.com';
const FLOW = 'n8n/2tUt1wbLX592XDdX';
const SLACK = 'slack/A0W7UKG8E';
let world;
let providers;

const document = (provider, more = '', may = '[read, contain]') =>
  `object: connector\nname: ${provider}\nunit: support\nowner: ana@example.com\n` +
  `provider: ${provider}\nurl: ${providers.url}\ncredential: provider-token\n` +
  `may: ${may}\nevery: 30d\nprivate-addresses: allowed\n${more}`;
const put = async (...documents) => {
  const file = world.path('connectors.yaml');
  writeFileSync(file, documents.join('---\n'));
  await world.apply(ADI, '-f', file);
  for (const text of documents) {
    await world.must(EVA, 'connector', 'approve', /^name: (.*)$/m.exec(text)[1], '--yes');
  }
};
const refresh = async (name) => {
  let done;
  /* The one that begins by itself may be under way. */
  await eventually(async () => {
    done = await world.remit(ADI, 'inventory', 'refresh', name);
    return done.code !== 4;
  });
  assert.equal(done.code, 0, done.err + done.out);
  assert.ok(await eventually(async () =>
    (await world.json(ADI, 'inventory', 'show', name)).told));
};
const contain = async (account, ...words) => {
  const done = await world.remit(ADI, 'inventory', 'contain', account, '--reason', 'a drill',
    '-o', 'json', ...words);
  return { ...done, json: done.out === '' ? null : JSON.parse(done.out) };
};
const stateOf = async (account) => (await world.json(ADI, 'inventory', 'contained')).items
  .find((one) => one.account === account);
const open = async () => (await world.json(ADI, 'findings', 'list', '--limit', '200')).items
  .filter(({ kind }) => kind === 'containment-open').map(({ subject }) => subject);
const records = async (account) => {
  const types = ['inventory-contained', 'inventory-released', 'containment-called',
    'containment-answered'];
  const found = await Promise.all(types.map((type) =>
    world.json(ADI, 'audit', 'search', '--type', type, '--limit', '1000')));
  return found.flatMap(({ items }) => items).filter(({ record }) => record.account === account)
    .sort((a, b) => a.index - b.index).map(({ record }) => record);
};
const changing = () => providers.asked.filter(({ method }) => method !== 'GET')
  .map(({ method, path }) => `${method} ${path}`);

before(async () => {
  providers = await Providers.start();
  world = await World.start({
    change: (files) => {
      const file = 'charters/00-organisation.yaml';
      files.set(file, `${files.get(file)}---\nobject: person\nname: ${REX}\nunit: support\n` +
        'roles: [reviewer]\n');
      for (const [name, text] of files) {
        files.set(name, text.replace(/^name: support-summariser$/m,
          `name: support-summariser\naccounts: ["${FLOW}", "${GOOGLE}"]`));
      }
    },
  });
  await world.letIn(REX);
  await world.setSecret('provider-token', providers.secret);
  await put(document('google'), document('microsoft'), document('github', 'of: acme\n'),
    document('slack', 'of: T1\n'), document('n8n'));
  for (const name of ['google', 'microsoft', 'github', 'slack', 'n8n']) await refresh(name);
});
after(async () => {
  await world?.stop();
  await providers?.stop();
});

test('each provider stops an account, and is asked again before it counts', async () => {
  const cases = [
    [GOOGLE, ['ana', 'bo'].map((name) => `DELETE /admin/directory/v1/users/${name}%40example.com` +
      '/tokens/774.apps.googleusercontent.com')],
    ['microsoft/sp-reports', ['PATCH /v1.0/servicePrincipals/sp-reports']],
    ['github/installation/25381', ['PUT /app/installations/25381/suspended']],
    ['github/token/98716', ['POST /orgs/acme/personal-access-tokens/25381']],
    [SLACK, ['POST /api/admin.apps.uninstall', 'POST /api/admin.apps.restrict']],
    [FLOW, ['POST /api/v1/workflows/2tUt1wbLX592XDdX/deactivate']],
  ];
  for (const [account, calls] of cases) {
    providers.asked = [];
    const done = await contain(account);
    assert.equal(done.code, 0, account + done.err + done.out);
    assert.equal(done.json.state, 'contained', account);
    assert.equal(done.json.provider.answer, 'off');
    assert.deepEqual(changing().sort(), calls.sort());
    assert.equal(providers.asked.at(-1).method, 'GET');
  }
  assert.deepEqual(await open(), []);
});

test('what was done is on record, before and after', async () => {
  const all = await records(FLOW);
  assert.deepEqual(all.map(({ type }) => type),
    ['inventory-contained', 'containment-called', 'containment-answered']);
  assert.equal(all[0].calling, true);
  const { answer, calls, looks, refused } = all.at(-1);
  assert.deepEqual({ answer, calls, looks, refused },
    { answer: 'off', calls: 1, looks: 1, refused: 0 });
});

test('to contain it again changes nothing more', async () => {
  const done = await contain('microsoft/sp-reports');
  assert.equal(done.json.state, 'contained');
  const gone = await contain(GOOGLE);
  assert.equal(gone.json.provider.answer, 'off', 'a token that is gone already is gone');
});

test('what the provider can take back is had back, and released once it says so', async () => {
  for (const account of ['microsoft/sp-reports', 'github/installation/25381', FLOW]) {
    const done = await contain(account, '--undo');
    assert.equal(done.code, 0, done.err + done.out);
    assert.equal(done.json.released, true);
    assert.equal(await stateOf(account), undefined);
  }
  assert.equal(providers.microsoft.principals.find(({ id }) => id === 'sp-reports').accountEnabled,
    true);
  assert.equal(providers.n8n.workflows[0].active, true);
  providers.asked = [];
  const done = await contain(GOOGLE, '--undo');
  assert.equal(done.code, 0, done.err);
  assert.deepEqual(providers.asked, [], 'nobody gives a deleted token back');
  assert.equal(await stateOf(GOOGLE), undefined);
});

const started = () => world.json(REX, 'review', 'start', '--identity', 'support-summariser');
const decide = async (review, items, ...words) => {
  const numbers = items.map(({ number }) => number).join(',');
  await world.must(REX, 'review', 'decide', review.id, '--yes', '--items', numbers, ...words);
};
const linesOf = async (review, account) =>
  (await world.json(REX, 'review', 'show', review.id, '--limit', '200')).items.filter(
    ({ item }) => item.kind === 'inherited' && item.title.startsWith(`${account} `));
const exceptions = async () => (await world.json(ADI, 'findings', 'list', '--limit', '200')).items
  .filter(({ kind }) => kind === 'review-exception').length;

test('a review that takes all of an account away stops it at its provider', async () => {
  await refresh('n8n');
  const review = await started();
  const [first, ...others] = await linesOf(review, FLOW);
  assert.ok(others.length > 1);
  providers.asked = [];
  await decide(review, others, '--revoke');
  assert.deepEqual(changing(), [], 'one of its lines may stay');
  assert.equal(await exceptions(), others.length);
  await decide(review, [first], '--revoke');
  assert.ok(await eventually(async () => (await stateOf(FLOW))?.state === 'contained'));
  assert.match((await stateOf(FLOW)).reason, /^review \S+ took it away$/);
  assert.equal((await stateOf(FLOW)).by, `person:${REX}`);
  assert.equal(providers.n8n.workflows[0].active, false);
  assert.equal(await exceptions(), others.length);
});

const undo = async (person, ...words) => {
  const done = await world.remit(person, 'inventory', 'contain', FLOW, '--undo', '--reason',
    'it is needed', '-o', 'json', ...words);
  return { ...done, json: done.out === '' ? null : JSON.parse(done.out) };
};

test('what a review stopped no administrator has back alone', async () => {
  const { review } = await stateOf(FLOW);
  providers.asked = [];
  assert.equal((await undo('bo@example.com')).code, 1, 'who owns the identity');
  const asked = await undo(ADI);
  assert.equal(asked.code, 6, asked.err + asked.out);
  assert.equal(asked.json.asked_by, `person:${ADI}`);
  assert.equal(asked.json.asked_reason, 'it is needed');
  const unseen = await undo(REX);
  assert.equal(unseen.code, 1, 'nobody agrees to what they were not shown');
  assert.match(unseen.err, new RegExp(`person:${ADI} asked for it at .* it is needed`));
  const again = await undo(ADI, '--yes');
  assert.equal(again.code, 6, 'to ask twice is to ask once');
  assert.ok(again.json.ask > asked.json.ask);
  const listed = await world.must(REX, 'inventory', 'contained');
  assert.match(listed, /ASKED BY|ASKED_BY|asked_by/i);
  await contain(FLOW); // which makes it nobody's own
  assert.equal((await stateOf(FLOW)).review, review);
  assert.equal((await stateOf(FLOW)).asked_by, undefined);
  await undo(ADI);
  const other = await undo(EVA, '--yes');
  assert.equal(other.code, 6, 'she asks in his place');
  assert.equal(other.json.asked_by, `person:${EVA}`);
  assert.equal(providers.n8n.workflows[0].active, false);
  assert.deepEqual(changing().filter((call) => !call.includes('deactivate')), []);
});

test('another person who may judge that review has it act again', async () => {
  await world.killDaemon();
  await world.spawnDaemon();
  assert.equal((await stateOf(FLOW)).asked_by, `person:${EVA}`);
  const done = await undo(REX, '--yes');
  assert.equal(done.code, 0, done.err + done.out);
  assert.equal(providers.n8n.workflows[0].active, true);
  assert.equal(await stateOf(FLOW), undefined);
});

test('a review that keeps one line, or tries, stops what can be had back alone', async () => {
  providers.google.tokens[1001] = JSON.parse(JSON.stringify(providers.google.kept));
  await refresh('google');
  await refresh('n8n');
  const review = await started();
  const [kept, ...others] = await linesOf(review, FLOW);
  const before = await exceptions();
  providers.asked = [];
  await decide(review, [kept], '--keep');
  await decide(review, others, '--revoke');
  const google = await linesOf(review, GOOGLE);
  assert.ok(google.length > 0);
  await decide(review, google, '--trial-revoke');
  assert.deepEqual(changing(), []);
  assert.ok(await exceptions() > before);
  assert.equal(await stateOf(FLOW), undefined);
  assert.equal(await stateOf(GOOGLE), undefined);
});

test('a review of who only uses an account stops it nowhere', async () => {
  const id = 'kQ3tVd0mZr8xWn1L';
  const { items } = await world.json(ADI, 'inventory', 'items', 'n8n', '--limit', '1000');
  const file = world.path('n8n.jsonl');
  writeFileSync(file, [...items.map(({ item }) => item), { edge: 'uses',
    from: 'identity:support-summariser', to: `account:${id}` }].map((one) =>
    `${JSON.stringify(one)}\n`).join(''));
  await world.must(ADI, 'inventory', 'import', 'n8n', file, '--provider', 'items', '--yes');
  assert.ok(await eventually(async () =>
    (await world.json(ADI, 'inventory', 'show', 'n8n')).told));
  const review = await started();
  const lines = await linesOf(review, `n8n/${id}`);
  const before = await exceptions();
  assert.ok(lines.length > 0);
  providers.asked = [];
  await decide(review, lines, '--revoke');
  assert.ok(await eventually(async () => await exceptions() === before + lines.length));
  assert.deepEqual(changing(), []);
  assert.equal(await stateOf(`n8n/${id}`), undefined);
  await refresh('n8n');
});

test('what the provider refuses is no containment: it says so, and the finding stays', async () => {
  providers.fault(/PATCH/, { status: 403,
    body: { error: { message: 'Insufficient privileges to complete the operation.' } } });
  const done = await contain('microsoft/sp-reports');
  assert.equal(done.code, 5, done.err + done.out);
  assert.equal(done.json.state, 'live');
  assert.equal(done.json.provider.answer, 'on');
  assert.match(done.json.provider.said, /HTTP 403\): Insufficient privileges/);
  assert.deepEqual(await open(), ['containment/microsoft/sp-reports']);
  assert.equal((await contain('microsoft/sp-reports')).json.state, 'contained');
  assert.ok(await eventually(async () => (await open()).length === 0));
});

test('a call that lies is found out, and what could not be asked again is no proof', async () => {
  providers.fault(/deactivate/, { body: { active: false } });
  const lied = await contain(FLOW);
  assert.equal(lied.json.state, 'live');
  assert.equal(lied.json.provider.answer, 'on');
  providers.fault(/GET .*workflows\/2t/, { status: 500 });
  const unknown = await contain(FLOW);
  assert.equal(unknown.code, 5);
  assert.equal(unknown.json.provider.answer, 'unknown');
  assert.notEqual(unknown.json.state, 'contained');
  providers.fault(/GET .*workflows\/2t/, { body: { nothing: true } });
  assert.equal((await contain(FLOW)).json.provider.answer, 'unknown');
  assert.deepEqual(await open(), [`containment/${FLOW}`]);
  assert.equal((await contain(FLOW)).json.state, 'contained');
});

test('a later inventory that has it alive counts more than what was seen before', async () => {
  providers.n8n.workflows[0].active = true;
  await eventually(() => Date.now() % 1000 < 100); // times of inventories are whole seconds
  const before = (await stateOf(FLOW)).provider.at;
  assert.ok(await eventually(() => Date.now() - Date.parse(before) > 1000));
  await refresh('n8n');
  assert.equal((await stateOf(FLOW)).state, 'live');
  assert.equal((await contain(FLOW)).json.state, 'contained');
});

test('killed between call and answer, it is asked after and not called again', async () => {
  await contain(FLOW, '--undo');
  await refresh('n8n');
  providers.asked = [];
  const killed = new Promise((done) => {
    providers.fault(/deactivate/, { status: 500, before: () => {
      providers.n8n.workflows[0].active = false;
      world.killDaemon().then(done);
    } });
  });
  const asked = contain(FLOW);
  await killed;
  await asked;
  assert.equal(changing().length, 1);
  providers.asked = [];
  await world.spawnDaemon();
  assert.ok(await eventually(async () => (await stateOf(FLOW))?.provider?.answer === 'off'));
  assert.deepEqual(changing(), [], 'it was not called again');
  assert.equal((await stateOf(FLOW)).state, 'contained');
  const types = (await records(FLOW)).slice(-3).map(({ type }) => type);
  assert.deepEqual(types, ['inventory-contained', 'containment-called', 'containment-answered']);
});

test('killed there while the call never arrived, the finding is open', async () => {
  await contain(FLOW, '--undo');
  await refresh('n8n');
  const killed = new Promise((done) => {
    providers.fault(/deactivate/, { cut: true, before: () => world.killDaemon().then(done) });
  });
  const asked = contain(FLOW);
  await killed;
  await asked;
  providers.asked = [];
  await world.spawnDaemon();
  assert.ok(await eventually(async () => (await open()).includes(`containment/${FLOW}`)));
  assert.deepEqual(changing(), []);
  assert.equal((await stateOf(FLOW)).provider.answer, 'on');
  assert.equal((await contain(FLOW)).json.state, 'contained');
});

test('how it stands is so from the log alone', async () => {
  const before = await stateOf(FLOW);
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  assert.ok(await eventually(async () => (await stateOf(FLOW))?.state === 'contained'));
  assert.deepEqual((await stateOf(FLOW)).provider, before.provider);
});

test('a connector that may only read calls nobody', async () => {
  await put(document('n8n', '', '[read]'));
  await refresh('n8n');
  providers.asked = [];
  const done = await contain(FLOW);
  assert.equal(done.code, 0, done.err);
  assert.equal(done.json.provider, undefined);
  assert.ok(done.json.calls.length > 0);
  assert.deepEqual(providers.asked, []);
});

test('another credential contains, where the document names one', async () => {
  providers.given = 'another-secret-that-may-write';
  await world.setSecret('provider-writer', providers.given);
  await put(document('microsoft', 'contain-credential: provider-writer\n'));
  providers.asked = [];
  assert.equal((await contain('microsoft/sp-managed')).json.state, 'contained');
  assert.ok(providers.asked.every(
    ({ headers }) => headers.authorization === `Bearer ${providers.given}`));
});

test('nobody but an administrator contains, and the log holds together', async () => {
  const done = await world.remit('ana@example.com', 'inventory', 'contain', FLOW, '--reason', 'x');
  assert.equal(done.code, 1, done.err);
  assert.ok(!world.daemonText.includes(providers.secret));
  const { code, report } = await world.verify();
  assert.equal(code, 0, JSON.stringify(report));
});
