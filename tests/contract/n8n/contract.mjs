// remit and a real n8n: a flow signs with the key of its identity and reads through the gateway, as
// far as its charter lets it; and n8n's own answers, as they come, are what `remit inventory
// import` takes them to be.  Where n8n was installed is named by REMIT_N8N.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { World, eventually } from '../../../examples/stories/lib/world.mjs';
import { keyAt, keysLine } from '../../../examples/stories/lib/keys.mjs';
import { N8n } from './n8n.mjs';

const ADI = 'adi@example.com';
const ANA = 'ana@example.com';
const BO = 'bo@example.com';
const CY = 'cy@example.com';
const FLOW = 'ticket-flow';
let world;
let n8n;
let flow;
let credentials;

// Ana answers for the flow; cy made it.
const charter = (key, accounts = '') => ['object: identity', `name: ${FLOW}`, 'kind: workflow',
  'class: summarise', 'risk: low', `owner: ${ANA}`, `backup-owner: ${BO}`, 'unit: support',
  'purpose: Read the ticket that somebody asks for', 'environments: [staging]',
  'data-sources: [{name: tickets, up-to: internal}]', 'outputs: [{to: reply, up-to: internal}]',
  'entitlements:',
  '  - {effect: read, tool: files/read_text_file, when: \'context.args.path like "tickets/*"\'}',
  'limits: {task: 15m, calls-per-minute: 60}', 'review: 90d', 'expires: 2027-06-30',
  keysLine('staging', key.jwk), accounts, ''].join('\n');

// The example that people import, with what differs here in its place.
const example = readFileSync(new URL('../../../examples/n8n/ticket-reader.json', import.meta.url),
  'utf8');
const ticketReader = (name = 'Ticket reader') => ({
  ...JSON.parse(example.replaceAll('https://remit.example', world.url)
    .replace('"KEY"', JSON.stringify(credentials.key.id))
    .replace('"TOKEN"', JSON.stringify(credentials.token.id))),
  name,
});

const credential = async (name, type, data) => {
  const { id } = await n8n.made('credentials', { name, type, data });
  return { id, name };
};

before(async () => {
  let key;
  world = await World.start({
    approve: { [FLOW]: BO },
    change: (files, laying) => {
      key = keyAt(laying.path('agents', `${FLOW}.pem`));
      files.set(`charters/50-${FLOW}.yaml`, charter(key));
    },
  });
  world.keys[FLOW] = key;
  n8n = await N8n.start(process.env.REMIT_N8N, { email: CY, firstName: 'Cy', lastName: 'Cole' });
  credentials = {
    key: await credential('Key of the flow', 'jwtAuth', { keyType: 'pemKey', algorithm: 'ES256',
      privateKey: readFileSync(key.path, 'utf8'), publicKey: '' }),
    token: await credential('Token of the run', 'httpBearerAuth',
      { token: '={{ $("Token").item.json.access_token }}' }),
  };
  flow = await n8n.made('workflows', ticketReader());
  await n8n.api('POST', `workflows/${flow.id}/activate`);
});
after(async () => {
  await n8n?.stop();
  await world?.stop();
});

const decisions = async () => (await world.json(null, 'audit', 'search', '--identity', FLOW,
  '--type', 'decision', '--limit', '100')).items.map(({ record }) => record);
const reads = () => world.calls('files', 'read_text_file').length;

// n8n publishes a flow some time after it said so.
const ask = async (path) => {
  let answer;
  await eventually(async () => {
    answer = await n8n.run('ticket', { path });
    return answer.status !== 404;
  });
  return answer;
};

// What n8n answers, as it is; so many flows a page.
const exported = async (name, limit = 100) => {
  const folder = world.path(name);
  mkdirSync(folder);
  for (const what of ['workflows', 'credentials', 'executions']) {
    let cursor = '';
    for (let page = 0; cursor !== null; page++) {
      const text = await n8n.api('GET', `${what}?limit=${limit}&cursor=${cursor}`
        .replace(/&cursor=$/, ''));
      writeFileSync(join(folder, `${what}-${page}.json`), text);
      cursor = JSON.parse(text).nextCursor;
    }
  }
  return folder;
};
const importing = async (path, ...more) => {
  const done = await world.remit(ADI, 'inventory', 'import', 'n8n', path, '--provider', 'n8n',
    '--yes', ...more);
  if (done.code === 0) {
    assert.ok(await eventually(async () =>
      (await world.json(ADI, 'inventory', 'show', 'n8n')).told));
  }
  return done;
};
const account = () => `n8n/${flow.id}`;
const shown = async (what) => world.json(ADI, 'graph', 'show', what);

test('a flow reads what its charter lets it, and remit has it on record', async () => {
  const { status, text } = await ask('tickets/41.txt');
  assert.equal(status, 200, text);
  const ticket = readFileSync(world.path('desk/tickets/41.txt'), 'utf8');
  assert.ok(text.includes(JSON.stringify(ticket.slice(0, 40)).slice(1, -1)), text);
  assert.deepEqual((await decisions()).map(({ verdict, tool }) => [verdict, tool]),
    [['allow', 'files/read_text_file']]);
  assert.equal(reads(), 1);
});

test('what its charter does not let it do is refused, and never reaches the server', async () => {
  const { status, text } = await ask('private/salaries.txt');
  assert.equal(status, 500, text);
  assert.deepEqual((await decisions()).map(({ verdict }) => verdict).sort(), ['allow', 'deny']);
  assert.equal(reads(), 1);
  const { data } = JSON.parse(await n8n.api('GET', 'executions'));
  assert.deepEqual(data.map(({ status: how }) => how), ['error', 'success']);
});

test('what n8n answers comes in: a flow, what it acts by, who made it and no owner', async () => {
  const done = await importing(await exported('seen'));
  assert.equal(done.code, 0, done.err);
  const { items } = await world.json(ADI, 'inventory', 'drafts', 'n8n');
  assert.deepEqual(items.map(({ account: id, kind, title, off }) => [id, kind, title, off]),
    [[account(), 'workflow', 'Ticket reader', false]]);
  assert.deepEqual(items[0].suggestions.map(({ person, ground }) => [person, ground]),
    [[CY, 'created-it']]);
  assert.ok(items[0].used, 'its runs are executions');
  const edges = (await shown(`account:${account()}`)).items;
  const to = (kind) => edges.filter((edge) => edge.kind === kind).map((edge) => edge.to).sort();
  assert.deepEqual(to('uses'), [credentials.key, credentials.token]
    .map(({ id }) => `account:n8n/connection/${id}`).sort());
  assert.deepEqual(to('may'), ['resource:n8n/httpRequest', 'resource:n8n/mcpClient']);
  assert.deepEqual(to('owns'), []);
  const made = await shown(`account:n8n/connection/${credentials.key.id}`);
  assert.ok(made.items.some(({ kind, from }) => kind === 'created' && from === `person:${CY}`));
});

test('pages of n8n are one list; without the last they are half an export', async () => {
  const other = await n8n.made('workflows', ticketReader('Other'));
  const folder = await exported('paged', 1);
  const half = await importing(join(folder, 'workflows-0.json'));
  assert.equal(half.code, 2);
  assert.match(half.err, /half an export/);
  assert.equal((await importing(folder)).code, 0);
  await n8n.api('DELETE', `workflows/${other.id}`);
  // Beside its list, a flow as it is asked for alone.
  const both = await exported('both');
  writeFileSync(join(both, 'alone.json'), await n8n.api('GET', `workflows/${flow.id}`));
  const done = await importing(both);
  assert.equal(done.code, 0, done.err);
});

test('a flow that an identity says it is opens more than is declared, which is not approved',
  async () => {
    const file = world.path('with-account.yaml');
    writeFileSync(file, charter(world.keys[FLOW], `accounts: [${account()}]`));
    await world.apply(ADI, '-f', file);
    assert.ok(await eventually(async () => (
      await world.remit(null, 'excess', FLOW, '-o', 'json')).code === 1));
    const refused = await world.remit(BO, 'identity', 'approve', FLOW, '--yes');
    assert.equal(refused.code, 4);
    assert.match(refused.err, /execute.* of n8n\/(mcpClient|httpRequest|httpBearerAuth|jwtAuth)/);
    await world.must(BO, 'identity', 'reject', FLOW, '--reason', 'too much', '--yes');
  });

test('what is published is seen, whatever is drafted since', async () => {
  const draft = ticketReader();
  draft.nodes.find(({ name }) => name === 'Read').disabled = true;
  await n8n.api('PUT', `workflows/${flow.id}?publishIfActive=false`, draft);
  const folder = await exported('drafted');
  const { data } = JSON.parse(readFileSync(join(folder, 'workflows-0.json'), 'utf8'));
  assert.equal(data[0].nodes.find(({ name }) => name === 'Read').disabled, true);
  assert.equal((await importing(folder)).code, 0);
  const { items } = await shown(`account:${account()}`);
  assert.ok(items.some(({ to }) => to === 'resource:n8n/mcpClient'));
  assert.equal((await ask('tickets/42.txt')).status, 200, 'what runs is what was published');
});

test('a flow that was stopped in n8n is contained by the next inventory, and then runs no more',
  async () => {
    const asked = await world.json(ADI, 'inventory', 'contain', account(), '--reason', 'INC-9');
    const state = async () => (await world.json(ADI, 'inventory', 'contained')).items.find(
      (item) => item.account === account())?.state;
    assert.equal(await state(), 'intended');
    // The call that it says, as a person makes it.
    const { activeVersionId: version } = JSON.parse(await n8n.api('GET', `workflows/${flow.id}`));
    await n8n.api('POST', /workflows\/\S+\/deactivate/.exec(asked.calls[0].call)[0]);
    const soon = new Date(Date.now() + 60_000).toISOString();
    assert.equal((await importing(await exported('stopped'), '--taken', soon)).code, 0);
    assert.equal(await state(), 'contained');
    assert.ok(await eventually(async () =>
      (await n8n.run('ticket', { path: 'tickets/41.txt' })).status === 404));
    // Taken back as it says: the draft would be published, were no version named.
    assert.match(asked.calls[0].limit, /the draft is published, unless a versionId is sent/);
    const undo = /workflows\/\S+\/activate/.exec(asked.calls[0].undo)[0];
    const drafted = JSON.parse(await n8n.api('POST', undo));
    assert.notEqual(drafted.activeVersionId, version);
    const again = JSON.parse(await n8n.api('POST', undo, { versionId: version }));
    assert.equal(again.activeVersionId, version);
    const before = reads();
    assert.ok(await eventually(async () =>
      (await n8n.run('ticket', { path: 'tickets/41.txt' })).status === 200 && reads() > before));
  });

test('an identity that is suspended gets no token, so its flow does nothing', async () => {
  const before = reads();
  await world.must(ADI, 'identity', 'suspend', FLOW, '--reason', 'INC-9', '--yes');
  assert.equal((await ask('tickets/41.txt')).status, 500);
  assert.equal(reads(), before);
});

test('the log verifies with all of it', async () => {
  const done = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(done.code, 0, done.out + done.err);
});
