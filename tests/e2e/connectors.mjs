// Connectors ask their providers themselves: page by page, whole or not at all, at their own place
// alone, and nobody ever sees the credential.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { Providers } from './support/providers.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.REMIT_BUILD ?? join(root, 'build');
const ADI = 'adi@example.com';
const EVA = 'eva@example.com';
let world;
let providers;

const document = (provider, more = '') =>
  `object: connector\nname: ${provider}\nunit: support\nowner: ana@example.com\n` +
  `provider: ${provider}\nurl: ${providers.url}\ncredential: provider-token\n` +
  `may: [read, contain]\nevery: 30d\nprivate-addresses: allowed\n${more}`;
const propose = async (...documents) => {
  const file = world.path('connectors.yaml');
  writeFileSync(file, documents.join('---\n'));
  return world.remit(ADI, 'apply', '--yes', '-f', file);
};
const approve = (name) => world.must(EVA, 'connector', 'approve', name, '--yes');
const resting = (name) => eventually(async () => {
  const { state, wanted, outcome } = await world.json(ADI, 'inventory', 'refreshes').then(
    ({ items }) => items.find(({ connector }) => connector === name) ?? {});
  return state === 'resting' && !wanted && outcome !== undefined;
});
const refresh = async (name, ...words) => {
  const done = await world.remit(ADI, 'inventory', 'refresh', name, ...words, '-o', 'json');
  return { ...done, json: done.out === '' ? null : JSON.parse(done.out) };
};
const shown = (name) => world.json(ADI, 'inventory', 'show', name);
const itemsOf = async (name) => (await world.json(ADI, 'inventory', 'items', name)).items
  .map(({ item }) => item);
const paths = () => providers.asked.map(({ path }) => path);

before(async () => {
  providers = await Providers.start();
  world = await World.start({});
  await world.setSecret('provider-token', providers.secret);
});
beforeEach(() => providers.reset());
after(async () => {
  await world?.stop();
  await providers?.stop();
});

test('the example of the page works as it stands there', async () => {
  const page = readFileSync(join(root, 'docs/inventories.md'), 'utf8');
  const section = page.slice(page.indexOf('## Asking the provider itself'));
  const scripts = [...section.matchAll(/```sh\n([^]*?)```/g)].map((found) => found[1]);
  const cwd = world.path('example');
  mkdirSync(cwd);
  for (const [i, person] of [ADI, EVA].entries()) {
    const script = scripts[i].replace('https://n8n.example.com', providers.url)
      .replace('every: 6h', 'every: 30d\nprivate-addresses: allowed')
      .replaceAll(/(^|\| )remit /gm, `$1${join(build, 'remit')} --data ${world.dir} `);
    const home = world.path('people', person);
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, N8N_KEY: providers.secret };
    const done = await run('sh', ['-e', '-c', script], { env, cwd });
    assert.equal(done.code, 0, done.err + done.out);
    if (person === EVA) assert.match(done.out, /items of 2 pages are in force/);
  }
});

test('a connector waits for a second person, and asks nobody before', async () => {
  const done = await propose(document('google'), document('microsoft'),
    document('github', 'of: acme\n'), document('slack', 'of: T1\n'), document('n8n'));
  assert.equal(done.code, 6, done.err + done.out);
  assert.equal((await world.remit(ADI, 'connector', 'approve', 'google', '--yes')).code, 1);
  assert.equal((await refresh('google')).code, 3);
  assert.deepEqual(providers.asked, []);
  for (const name of ['google', 'microsoft', 'github', 'slack', 'n8n']) {
    await approve(name);
    assert.ok(await resting(name));
  }
  const { items } = await world.json(ADI, 'inventory', 'refreshes');
  assert.deepEqual(items.map(({ connector, outcome, why }) => [connector, outcome, why]),
    ['github', 'google', 'microsoft', 'n8n', 'slack'].map((name) => [name, 'done', undefined]));
});

test('the trust table has what providers are sent, by reference', async () => {
  const { items } = await world.json(ADI, 'trust', 'list', '--limit', '1000');
  const row = items.find(({ id }) => id === 'connector/google');
  assert.deepEqual(row, { id: 'connector/google', name: 'google', direction: 'out',
    speaks: 'google', carries: 'secret', source: 'provider-token', opens: ['read', 'contain'] });
});

test('what it brings is in force, whole', async () => {
  for (const [name, pages] of [['google', 4], ['microsoft', 10], ['n8n', 2], ['slack', 5]]) {
    const done = await refresh(name);
    assert.equal(done.code, 0, done.err);
    assert.equal(done.json.outcome, 'done');
    assert.equal((await shown(name)).items, done.json.items);
    assert.equal(done.json.pages, pages);
  }
  const accounts = (await itemsOf('google')).filter(({ node }) => node === 'account');
  assert.deepEqual(accounts.map(({ id, title }) => [id, title]),
    [['774.apps.googleusercontent.com', 'MeetingGenius']]);
  const grants = (await itemsOf('microsoft')).filter(({ edge }) => edge === 'may');
  assert.ok(grants.some(({ from, scope, why }) => from === 'account:sp-reports' &&
    scope === 'Mail.Read' && why === 'application permission'));
  const github = await refresh('github');
  assert.equal(github.code, 0, github.err);
  assert.deepEqual((await itemsOf('github')).filter(({ node }) => node === 'account')
    .map(({ id }) => id).sort(), ['installation/25381', 'installation/25382', 'token/98716']);
});

test('each page is asked for once, in order, with the credential where it belongs', async () => {
  await refresh('google');
  assert.deepEqual(paths(), [
    '/admin/directory/v1/users?customer=my_customer&maxResults=500',
    '/admin/directory/v1/users?customer=my_customer&maxResults=500&pageToken=1',
    '/admin/directory/v1/users/1001/tokens', '/admin/directory/v1/users/1002/tokens']);
  providers.asked = [];
  await refresh('n8n');
  assert.equal(providers.asked[0].headers['x-n8n-api-key'], providers.secret);
  assert.equal(providers.asked[0].headers.authorization, undefined);
  providers.asked = [];
  await refresh('github');
  assert.deepEqual(paths(), ['/orgs/acme/installations?per_page=100',
    '/orgs/acme/installations?per_page=100&page=2',
    '/orgs/acme/personal-access-tokens?per_page=100']);
  providers.asked = [];
  await refresh('slack');
  assert.ok(paths().includes('/api/admin.apps.approved.list?limit=1000&team_id=T1'));
  assert.ok(paths().includes('/api/team.integrationLogs?count=1000&page=2'));
});

test('a user who is gone meanwhile is no failure', async () => {
  providers.fault(/users\/1002\/tokens/, { status: 404, body: { error: { message: 'gone' } } });
  assert.equal((await refresh('google')).json.outcome, 'done');
});

test('"later" is waited for, and asked again', async () => {
  providers.fault(/users\/1001\/tokens/, { status: 429, headers: { 'Retry-After': '0' } }, 2);
  providers.fault(/users\/1002\/tokens/, { status: 503, headers: { 'Retry-After': '0' } });
  const done = await refresh('google');
  assert.equal(done.json.outcome, 'done', done.err);
  assert.equal(paths().filter((path) => path.includes('1001/tokens')).length, 3);
  providers.fault(/orgs/, { status: 403, headers: { 'Retry-After': '0' } });
  assert.equal((await refresh('github')).json.outcome, 'done');
});

test('who says "later" for ever, or much later, is given up on', async () => {
  providers.fault(/workflows/, { status: 429, headers: { 'Retry-After': '0' } }, 100);
  assert.match((await refresh('n8n')).json.why, /still says "later" \(HTTP 429\) after 6 requests/);
  providers.reset();
  providers.fault(/workflows/, { status: 429, headers: { 'Retry-After': '86400' } });
  assert.match((await refresh('n8n')).json.why, /in more than 600 s/);
});

test('whatever breaks half-way leaves the inventory as it was; a fresh run brings it', async () => {
  const before = await shown('google');
  const elsewhere = { kind: 'admin#directory#users', users: [] };
  const cases = [
    [{ cut: true }, /users, page 2/],
    [{ status: 401, body: { error: { message: 'Invalid Credentials' } } },
      /the credential was not taken \(HTTP 401\): Invalid Credentials/],
    [{ status: 403, body: { error: { message: 'Not Authorized' } } }, /may not do this/],
    [{ status: 500 }, /it refused \(HTTP 500\)/],
    [{ status: 302, headers: { Location: 'https://elsewhere.example/' } }, /is not followed/],
    [{ body: '{"kind": ' }, /users, page 2/],
    [{ body: { kind: 'something#else' } }, /kind: admin#directory#tokenList/],
    [{ body: { ...elsewhere, users: [{ id: 'x'.repeat(400) }] } }, /an id of 1 to/],
    [{ body: { ...elsewhere, users: [{ id: '7' }] } }, /primaryEmail/],
    [{ body: 'x'.repeat(9 * 1024 * 1024) }, /users, page 2/],
  ];
  for (const [fault, why] of cases) {
    providers.reset();
    providers.fault(/pageToken=1/, fault);
    const done = await refresh('google');
    assert.equal(done.code, 5, done.err);
    assert.equal(done.json.outcome, 'failed');
    assert.match(done.json.why, why);
    assert.deepEqual(await shown('google'), before);
  }
  providers.reset();
  assert.equal((await refresh('google')).json.outcome, 'done');
});

test('Slack says no with 200, which is no answer', async () => {
  providers.fault(/approved/, { body: { ok: false, error: 'not_an_admin' } });
  assert.match((await refresh('slack')).json.why, /it refused: not_an_admin/);
});

test('a next page at another place is never asked for', async () => {
  const other = await Providers.start();
  try {
    for (const url of [`${other.url}/v1.0/users?$skiptoken=9`, 'https://graph.microsoft.com/v1.0/x',
      `${providers.url}@evil.example/`, `//127.0.0.1/v1.0/users`]) {
      providers.reset();
      providers.fault(/v1.0\/users/, { body: { '@odata.nextLink': url, value: [] } });
      const done = await refresh('microsoft');
      assert.match(done.json.why, /lies at another place than the connector's own/, url);
    }
    providers.reset();
    providers.fault(/installations/, { headers: { Link: `<${other.url}/orgs/acme>; rel="next"` },
      body: { total_count: 0, installations: [] } });
    assert.match((await refresh('github')).json.why, /lies at another place/);
    providers.reset();
    const same = `${providers.url}/v1.0/users?$select=id,userPrincipalName,mail&$top=999`;
    providers.fault(/v1.0\/users/, { body: { value: [], '@odata.nextLink': same } });
    assert.match((await refresh('microsoft')).json.why, /a page leads to itself/);
    assert.deepEqual(other.asked, []);
  } finally {
    await other.stop();
  }
});

test('a provider that suddenly has nothing is stopped, and asks', async () => {
  providers.n8n.workflows = Array.from({ length: 40 }, (_, i) => ({
    id: `flow${i}`, name: `Flow ${i}`, active: true, nodes: [] }));
  assert.equal((await refresh('n8n', '--smaller')).json.outcome, 'done');
  providers.n8n.workflows = providers.n8n.workflows.slice(0, 1);
  const done = await refresh('n8n');
  assert.equal(done.code, 4, done.err);
  assert.equal(done.json.outcome, 'stopped');
  assert.equal((await shown('n8n')).items, 40);
  const open = async () => (await world.json(ADI, 'findings', 'list')).items
    .filter(({ kind }) => kind === 'connector-stopped').map(({ subject }) => subject);
  assert.deepEqual(await open(), ['connector/n8n']);
  assert.equal((await refresh('n8n', '--smaller')).json.outcome, 'done');
  assert.equal((await shown('n8n')).items, 1);
  assert.ok(await eventually(async () => (await open()).length === 0));
});

test('progress is to be seen, and one refresh at a time', async () => {
  providers.fault(/users\/1002\/tokens/, { hold: true });
  const under = refresh('google');
  assert.ok(await eventually(() => providers.held.length === 1));
  const one = (await world.json(ADI, 'inventory', 'refreshes')).items
    .find(({ connector }) => connector === 'google');
  assert.equal(one.state, 'asking');
  assert.equal(one.list, 'tokens of each user');
  assert.equal(one.pages, 3);
  assert.equal((await refresh('google')).code, 4);
  providers.held[0]();
  assert.equal((await under).json.outcome, 'done');
});

test('a client of OAuth gets a token first, and keeps it', async () => {
  const done = await propose(document('microsoft',
    `client: client-1\ntoken-url: ${providers.url}/token\n`));
  assert.equal(done.code, 6, done.err);
  await approve('microsoft');
  assert.equal((await refresh('microsoft')).json.outcome, 'done');
  assert.ok(paths().filter((path) => path === '/token').length <= 1);
  assert.ok(providers.asked.some(
    ({ headers }) => headers.authorization === `Bearer ${providers.given}`));
  assert.ok(!providers.asked.some(
    ({ headers }) => headers.authorization === `Bearer ${providers.secret}`));
});

test('documents that say too much or too little are refused', async () => {
  const cases = [
    ['github', '', /of: is missing/],
    ['microsoft', 'of: x\n', /of: means nothing to this provider/],
    ['google', 'client: a\ntoken-url: https://x.example/\n', /is Microsoft's alone/],
    ['google', 'also: [credentials]\n', /never asked for/],
    ['slack', 'of: ../x\n', /no name of an organisation has/],
    ['google', 'every: 1s\n', /every/],
  ];
  for (const [provider, more, said] of cases) {
    const done = await propose(document(provider, more));
    assert.equal(done.code, 1, done.err + done.out);
    assert.match(done.err + done.out, said);
  }
  for (const [from, to, said] of [['private-addresses: allowed\n', '', /over https alone/],
    ['[read, contain]', '[contain]', /lacks read/],
    ['provider: google', 'provider: zapier', /provider/],
    ['provider-token', 'vault:x', /vault/]]) {
    const done = await propose(document('google').replace(from, to));
    assert.equal(done.code, 1, done.err + done.out);
    assert.match(done.err + done.out, said);
  }
});

test('at a private address nobody is asked where the document does not allow it', async () => {
  const done = await propose(document('google').replace(/url: .*/, 'url: https://127.0.0.1:1')
    .replace('private-addresses: allowed\n', ''));
  assert.equal(done.code, 6, done.err + done.out);
  await approve('google');
  assert.match((await refresh('google')).json.why, /address/);
  assert.deepEqual(providers.asked, []);
});

test('an answer that says the credential back is not taken', async () => {
  providers.fault(/workflows/, { body: { data: [], nextCursor: null, note: providers.secret } });
  assert.match((await refresh('n8n')).json.why, /holds the credential/);
  providers.fault(/workflows/, { status: 400, body: { message: `no: ${providers.secret}` } });
  assert.match((await refresh('n8n')).json.why, /holds the credential/);
  for (const encoding of ['base64', 'base64url', 'hex']) {
    providers.fault(/workflows/, { status: 400,
      body: { message: `no: ${Buffer.from(providers.secret).toString(encoding)}` } });
    assert.match((await refresh('n8n')).json.why, /holds the credential/);
  }
});

test('the credential is in no log, no record and no answer', async () => {
  const seen = [world.daemonText, JSON.stringify(await world.json(ADI, 'inventory', 'refreshes')),
    JSON.stringify(await world.json(ADI, 'connector', 'list')),
    JSON.stringify(await world.json(ADI, 'findings', 'list'))];
  const read = (folder) => readdirSync(folder, { withFileTypes: true }).forEach((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) read(path);
    else if (entry.isFile()) seen.push(readFileSync(path, 'latin1'));
  });
  read(resolve(world.path('audit')));
  assert.ok(seen.length > 4);
  for (const text of seen) {
    assert.ok(!text.includes(providers.secret));
    assert.ok(!text.includes(providers.given));
  }
  const { report, code } = await world.verify();
  assert.equal(code, 0, JSON.stringify(report));
});
