// People from directories, end to end: what Okta and Entra ID send as their documents show it,
// a tester of other people, who leaves with an agent in their name, and a directory that takes
// everybody out.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const ADI = 'adi@example.com';
const EVA = 'eva@example.com';
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
let world;
const tokens = {};

const tokenOf = async (directory, ...more) => {
  const file = world.path(`${directory}-${Date.now()}.token`);
  await world.must(ADI, 'scim', 'token', directory, '--yes', '--out', file, ...more);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  return readFileSync(file, 'utf8').trim();
};

const ask = async (directory, method, path, body, headers = {}) => {
  const answer = await fetch(`${world.url}/scim/v2${path}`, {
    method,
    headers: { Authorization: `Bearer ${tokens[directory] ?? directory}`,
      ...(body ? { 'Content-Type': 'application/scim+json' } : {}), ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text && JSON.parse(text) };
};

const must = async (status, ...request) => {
  const answer = await ask(...request);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
};

const patch = (...Operations) => ({ schemas: [PATCH], Operations });
const find = (directory, filter) =>
  must(200, directory, 'GET', `/Users?filter=${encodeURIComponent(filter)}`);

before(async () => {
  world = await World.start({ settings: 'hold-ms: 300\nowner-gone-writes: 0\n' });
  for (const name of ['okta', 'entra', 'tester', 'hr']) tokens[name] = await tokenOf(name);
});
after(async () => { await world?.stop(); });

// ---- who may ----

test('nobody asks without a token of a directory, not even what the service can do', async () => {
  for (const token of ['', 'nobody', tokens.okta.slice(0, -1)]) {
    const { status, headers, body } = await ask(token, 'GET', '/ServiceProviderConfig');
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate'), /^Bearer /);
    assert.deepEqual(body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
  }
});

test('a new token takes the place of the old one, and no record or log has either', async () => {
  const old = await tokenOf('brief');
  const fresh = await tokenOf('brief', '--days', '1');
  assert.equal((await ask(old, 'GET', '/Users')).status, 401);
  assert.equal((await ask(fresh, 'GET', '/Users')).status, 200);
  const records = await world.must(ADI, 'audit', 'search', '--type', 'directory', '-o', 'json');
  for (const token of [old, fresh]) {
    assert.ok(!records.includes(token) && !world.daemonText.includes(token));
  }
  const other = await world.remit('ana@example.com', 'scim', 'token', 'own', '--yes', '--out',
    world.path('own.token'));
  assert.equal(other.code, 1, other.out);
});

// ---- a tester of other people ----

test('scim2-tester finds nothing wrong', async (t) => {
  const python = resolve(root, 'build/scim/bin/python');
  if (!existsSync(python)) {
    t.skip('no build/scim; run tools/deps');
    return;
  }
  // It makes and deletes people all the time: in a world that lets it.
  const own = await World.start({ settings: 'hold-ms: 300\ndirectory-leavers-max: 100000\n' });
  try {
    const file = own.path('tester.token');
    await own.must(ADI, 'scim', 'token', 'tester', '--yes', '--out', file);
    const done = await run(python, [resolve(here, 'scim/tester.py'), `${own.url}/scim/v2`, file],
      { ms: 120_000 });
    console.log(`# ${done.out.trim().split('\n').at(-1)}`);
    assert.equal(done.code, 0, done.out.replace(/^SUCCESS.*\n/gm, '') + done.err);
  } finally {
    await own.stop();
  }
});

// ---- Okta ----

test('Okta provisions, changes, deactivates and brings back a person', async () => {
  const name = 'test.user@okta.local';
  assert.equal((await find('okta', `userName eq "${name}"`)).totalResults, 0);
  const made = await ask('okta', 'POST', '/Users', {
    schemas: [USER], userName: name, name: { givenName: 'Test', familyName: 'User' },
    emails: [{ primary: true, value: name, type: 'work' }], displayName: 'Test User',
    locale: 'en-US', externalId: '00ujl29u0le5T6Aj10h7', groups: [], password: '1mz050nq',
    active: true,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { id } = made.body;
  assert.equal(made.headers.get('location'), `${world.url}/scim/v2/Users/${id}`);
  assert.equal(made.headers.get('etag'), made.body.meta.version);
  assert.ok(!('password' in made.body));
  assert.equal((await find('okta', `userName eq "${name.toUpperCase()}"`)).Resources[0].id, id);
  const person = await world.json(ADI, 'person', 'show', name);
  assert.equal(person.object.unit, 'org');
  assert.equal(person.object.roles, undefined);
  await must(200, 'okta', 'PUT', `/Users/${id}`, { ...made.body, displayName: 'Another Name' });
  const off = await must(200, 'okta', 'PATCH', `/Users/${id}`,
    patch({ op: 'replace', value: { active: false } }));
  assert.equal(off.active, false);
  assert.ok((await world.json(ADI, 'person', 'show', name)).object.left);
  const on = await must(200, 'okta', 'PATCH', `/Users/${id}`,
    patch({ op: 'replace', value: { active: true } }));
  assert.equal(on.active, true);
  assert.equal((await world.json(ADI, 'person', 'show', name)).object.left, undefined);
});

test('Okta pushes a group, renames it and changes who is in it', async () => {
  const { id: user } = await must(201, 'okta', 'POST', '/Users',
    { schemas: [USER], userName: 'member@okta.local' });
  const group = await must(201, 'okta', 'POST', '/Groups',
    { schemas: [GROUP], displayName: 'Test SCIMv2', members: [] });
  const renamed = await must(200, 'okta', 'PATCH', `/Groups/${group.id}`,
    patch({ op: 'replace', value: { id: group.id, displayName: 'Test SCIMv2 0' } }));
  assert.equal(renamed.displayName, 'Test SCIMv2 0');
  const full = await must(200, 'okta', 'PATCH', `/Groups/${group.id}`,
    patch({ op: 'add', path: 'members', value: [{ value: user, display: 'member' }] }));
  assert.equal(full.members[0].value, user);
  const empty = await must(200, 'okta', 'PATCH', `/Groups/${group.id}`,
    patch({ op: 'remove', path: `members[value eq "${user}"]` }));
  assert.equal(empty.members, undefined);
  const wrong = await must(400, 'okta', 'PATCH', `/Groups/${group.id}`,
    patch({ op: 'add', path: 'members', value: [{ value: 'u-nobody' }] }));
  assert.equal(wrong.scimType, 'invalidValue');
  await must(204, 'okta', 'DELETE', `/Groups/${group.id}`);
  await must(404, 'okta', 'GET', `/Groups/${group.id}`);
});

// ---- Entra ID ----

test('Entra provisions with departments, words for booleans and names with dots', async () => {
  const name = 'Test_User_1@testuser.com';
  const made = await must(201, 'entra', 'POST', '/Users', {
    schemas: [USER, ENTERPRISE], externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
    userName: name, active: true, emails: [{ primary: true, type: 'work', value: name }],
    meta: { resourceType: 'User' }, name: { formatted: 'g f', familyName: 'f', givenName: 'g' },
    roles: [], [ENTERPRISE]: { department: 'operations', manager: { value: 'x' } },
  });
  assert.equal(made.userName, name, 'the directory has its own spelling');
  const shown = () => world.json(ADI, 'person', 'show', name.toLowerCase());
  assert.equal((await shown()).object.unit, 'operations');
  const changed = await must(200, 'entra', 'PATCH', `/Users/${made.id}`, patch(
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updated@testuser.com' },
    { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
    { op: 'Add', path: 'emails[type eq "other"].value', value: 'other@testuser.com' },
    { op: 'Add', path: `${ENTERPRISE}:department`, value: 'support' }));
  assert.deepEqual(changed.emails.map(({ type, value }) => [type, value]),
    [['work', 'updated@testuser.com'], ['other', 'other@testuser.com']]);
  assert.equal((await shown()).object.unit, 'support');
  const dotted = await must(200, 'entra', 'PATCH', `/Users/${made.id}`, patch({ op: 'replace',
    value: { displayName: 'New', 'name.givenName': 'Anna',
      [`${ENTERPRISE}:department`]: 'No Such' } }));
  assert.equal(dotted.name.givenName, 'Anna');
  assert.equal(dotted[ENTERPRISE].department, 'No Such');
  assert.equal((await shown()).object.unit, 'org', 'a department that is no unit');
  const off = await must(200, 'entra', 'PATCH', `/Users/${made.id}`,
    patch({ op: 'Replace', path: 'active', value: 'False' }));
  assert.equal(off.active, false);
  await must(204, 'entra', 'DELETE', `/Users/${made.id}`);
  assert.equal((await find('entra', 'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"'))
    .totalResults, 0);
});

// ---- as the page says ----

test('the examples of docs/people.md do what it says', async () => {
  const page = readFileSync(resolve(root, 'docs/people.md'), 'utf8');
  const [, shell] = /```sh\n([\s\S]*?)```/.exec(page);
  const done = await run('sh', ['-ec', shell],
    { env: { ...process.env, REMIT: world.url, TOKEN: tokens.okta } });
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /"totalResults":1/);
  assert.equal((await world.json(ADI, 'person', 'show', 'gil@example.com')).object.unit, 'support');
  const [, table] = /```csv\n([\s\S]*?)```/.exec(page);
  writeFileSync(world.path('page.csv'), table.replace('gil@', 'ida@'));
  const { new: made } = await world.json(ADI, 'person', 'import', world.path('page.csv'),
    '--directory', 'page', '--yes');
  assert.equal(made, 2);
});

// ---- the standard's corners ----

test('two are never called alike, whatever the case, in one directory or in two', async () => {
  const made = await must(201, 'okta', 'POST', '/Users',
    { schemas: [USER], userName: 'one@example.org' });
  const alike = [['okta', 'ONE@example.org'], ['entra', 'one@example.org']];
  for (const [directory, userName] of alike) {
    const twice = await must(409, directory, 'POST', '/Users', { schemas: [USER], userName });
    assert.equal(twice.scimType, 'uniqueness');
  }
  assert.equal((await must(404, 'entra', 'GET', `/Users/${made.id}`)).status, '404');
  // The directory calls them otherwise; on record they stay who they are.
  await must(200, 'okta', 'PATCH', `/Users/${made.id}`,
    patch({ op: 'replace', path: 'userName', value: 'uno@example.org' }));
  assert.equal((await find('okta', 'userName eq "uno@example.org"')).Resources[0].id, made.id);
  assert.equal((await world.remit(ADI, 'person', 'show', 'uno@example.org')).code, 3);
  assert.equal((await world.remit(ADI, 'person', 'show', 'one@example.org')).code, 0);
  await must(409, 'okta', 'POST', '/Users', { schemas: [USER], userName: 'one@example.org' });
});

test('a change of what changed since is refused, and what did not is answered 304', async () => {
  const made = await must(201, 'okta', 'POST', '/Users',
    { schemas: [USER], userName: 'etag@example.org' });
  const path = `/Users/${made.id}`;
  const title = (value) => patch({ op: 'replace', path: 'title', value });
  const second = await must(200, 'okta', 'PATCH', path, title('a'),
    { 'If-Match': made.meta.version });
  assert.notEqual(second.meta.version, made.meta.version);
  await must(412, 'okta', 'PATCH', path, title('b'), { 'If-Match': made.meta.version });
  await must(412, 'okta', 'DELETE', path, undefined, { 'If-Match': 'W/"x"' });
  assert.equal((await ask('okta', 'GET', path, undefined,
    { 'If-None-Match': second.meta.version })).status, 304);
});

test('pages are cut, sorted and filtered', async () => {
  for (const n of [3, 1, 2]) {
    await must(201, 'hr', 'POST', '/Users', { schemas: [USER], userName: `p${n}@example.org`,
      displayName: `Page ${n}`, emails: [{ value: `p${n}@work.example`, type: 'work' }] });
  }
  const page = await must(200, 'hr', 'GET', '/Users?sortBy=displayName&sortOrder=descending' +
    '&startIndex=2&count=1&attributes=displayName');
  assert.equal(page.totalResults, 3);
  assert.equal(page.itemsPerPage, 1);
  assert.deepEqual(Object.keys(page.Resources[0]).sort(), ['displayName', 'id', 'schemas']);
  assert.equal(page.Resources[0].displayName, 'Page 2');
  const by = await find('hr',
    'emails[type eq "work" and value sw "P1"] or not (displayName ne "Page 3")');
  assert.equal(by.totalResults, 2);
  const wrong = await ask('hr', 'GET', `/Users?filter=${encodeURIComponent('userName zz 1')}`);
  assert.equal(wrong.body.scimType, 'invalidFilter');
});

test('a bulk request makes people and the group they are in, and ends at its errors', async () => {
  const user = (userName) => ({ schemas: [USER], userName });
  const done = await must(200, 'hr', 'POST', '/Bulk', { schemas: [BULK], failOnErrors: 1,
    Operations: [
    { method: 'POST', path: '/Users', bulkId: 'a', data: user('bulk@example.org') },
    { method: 'POST', path: '/Groups', bulkId: 'b', data: { schemas: [GROUP], displayName: 'Bulk',
      members: [{ value: 'bulkId:a' }] } },
    { method: 'PATCH', path: '/Users/bulkId:nobody',
      data: patch({ op: 'remove', path: 'title' }) },
    { method: 'POST', path: '/Users', bulkId: 'c', data: user('late@example.org') },
  ] });
  assert.deepEqual(done.Operations.map(({ status }) => status), ['201', '201', '409']);
  const group = await must(200, 'hr', 'GET',
    `/Groups/${done.Operations[1].location.split('/').at(-1)}`);
  assert.equal(group.members[0].$ref, done.Operations[0].location);
  assert.equal((await find('hr', 'userName eq "late@example.org"')).totalResults, 0);
});

// ---- who leaves ----

test('an owner who leaves leaves nothing behind that acts, until another answers', async () => {
  const agent = await world.agent('ticket-filer', 'files');
  const write = (from, to) => agent.call('move_file',
    { source: `tickets/${from}`, destination: `tickets/${to}` });
  const owner = await must(201, 'okta', 'POST', '/Users',
    { schemas: [USER], userName: 'Ana@Example.com', externalId: 'ana' });
  const kept = await world.json(ADI, 'person', 'show', 'ana@example.com');
  assert.deepEqual(kept.object.roles, ['owner'], 'a directory takes no role either');
  const reason = async () => (await world.why('ticket-filer', 'write', 'files/move_file',
    { source: 'tickets/41.txt', destination: 'tickets/42.txt' }, 'staging')).reason;
  const before = await reason();
  assert.notEqual(before, 'owner_gone');
  const first = await write('41.txt', 'one.txt');
  assert.ok(first.done, first.text);
  await must(200, 'okta', 'PATCH', `/Users/${owner.id}`,
    patch({ op: 'replace', value: { active: false } }));
  const refused = await write('one.txt', 'two.txt');
  assert.ok((await agent.call('read_text_file', { path: 'tickets/one.txt' })).done, 'reading');
  assert.match(refused.text, /owner_gone.*ana@example\.com left/s);
  assert.equal(await reason(), 'owner_gone');
  assert.equal((await world.remit('ana@example.com', 'whoami')).code !== 0, true);
  const waiting = await world.json(ADI, 'leaver', 'list');
  const mine = waiting.items.find(({ identity }) => identity === 'ticket-filer');
  assert.equal(mine.need, 'owner-left');
  assert.equal(mine.backup_owner, 'bo@example.com');
  assert.ok(await eventually(async () => (await world.json(ADI, 'findings', 'list')).items
    .some(({ kind, subject }) => kind === 'owner-left' && subject === 'identity/ticket-filer')));
  for (const person of [ADI, EVA, 'ana@example.com']) {
    const other = await world.remit(person, 'leaver', 'acknowledge', 'ticket-filer', '--yes');
    assert.notEqual(other.code, 0, `${person} took it over`);
  }
  await world.must('bo@example.com', 'leaver', 'acknowledge', 'ticket-filer', '--yes');
  const again = await write('one.txt', 'two.txt');
  assert.ok(again.done, again.text);
  assert.equal(await reason(), before);
  const after = (await world.json(ADI, 'leaver', 'list')).items
    .find(({ identity }) => identity === 'ticket-filer');
  assert.equal(after.need, 'backup-missing');
  assert.equal(after.owner, 'bo@example.com');
  // Back again: nothing of before comes with her.
  await must(200, 'okta', 'PATCH', `/Users/${owner.id}`,
    patch({ op: 'replace', value: { active: true } }));
  const back = await world.json(ADI, 'person', 'show', 'ana@example.com');
  assert.equal(back.object.roles, undefined);
  assert.notEqual((await world.remit('ana@example.com', 'whoami')).code, 0, 'an old key signs');
  await agent.close();
});

test('documents do not bring back, move or take over whom a directory keeps', async () => {
  const file = world.path('person.yaml');
  writeFileSync(file, 'object: person\nname: one@example.org\nunit: support\n');
  const moved = await world.remit(ADI, 'apply', '--yes', '-f', file);
  assert.equal(moved.code, 1, moved.out + moved.err);
  assert.match(moved.out + moved.err, /is for the directory to say/);
});

test('a directory that takes everybody out is stopped until a person confirms it', async () => {
  const users = [];
  for (let n = 0; n < 12; n++) {
    users.push(await must(201, 'tester', 'POST', '/Users',
      { schemas: [USER], userName: `many${n}@example.net` }));
  }
  const off = (user) => ask('tester', 'PATCH', `/Users/${user.id}`,
    patch({ op: 'replace', value: { active: false } }));
  for (const user of users.slice(0, 10)) assert.equal((await off(user)).status, 200);
  for (const user of users.slice(10)) {
    const { status, headers, body } = await off(user);
    assert.equal(status, 429, JSON.stringify(body));
    assert.ok(headers.get('retry-after'));
    assert.match(body.detail, /remit directory confirm tester/);
  }
  assert.equal((await must(200, 'tester', 'GET', `/Users/${users[11].id}`)).active, undefined);
  assert.equal((await ask('tester', 'DELETE', `/Users/${users[11].id}`)).status, 429);
  await must(201, 'tester', 'POST', '/Users', { schemas: [USER], userName: 'new@example.net' });
  const { items } = await world.json(ADI, 'directory', 'list');
  assert.ok(items.find(({ name }) => name === 'tester').stopped_utc_ms > 0);
  assert.ok((await world.json(ADI, 'findings', 'list')).items
    .some(({ kind }) => kind === 'directory-stopped'));
  const other = await world.remit('bo@example.com', 'directory', 'confirm', 'tester', '--yes');
  assert.notEqual(other.code, 0);
  await world.must(ADI, 'directory', 'confirm', 'tester', '--yes');
  for (const user of users.slice(10)) assert.equal((await off(user)).status, 200);
});

// ---- tables ----

test('a table is taken whole or not at all, and says in which line it is wrong', async () => {
  const file = world.path('people.csv');
  const take = (text, ...more) => {
    writeFileSync(file, text);
    return world.remit(ADI, 'person', 'import', file, '--yes', '-o', 'json', ...more);
  };
  const head = 'userName,displayName,department\n';
  for (const [text, wrong] of [
    [`${head}a1@csv.example,A,support\nb 1@csv.example,B,support\n`, /line 3: userName/],
    [`${head}a1@csv.example,A,support\nA1@csv.example,B,support\n`, /line 3: .*twice/],
    [`${head}a1@csv.example,A\n`, /line 2: 2 columns/],
    ['userName,colour\n', /line 1: no column "colour"/]]) {
    const done = await take(text);
    assert.notEqual(done.code, 0);
    assert.match(done.out + done.err, wrong);
  }
  assert.equal((await world.remit(ADI, 'person', 'show', 'a1@csv.example')).code, 3);
  const table = `${head}a1@csv.example,"A, the ""first""",support\nb1@csv.example,B,operations\n`;
  const dry = JSON.parse((await take(table, '--dry-run')).out);
  assert.deepEqual([dry.new, dry.leave], [2, 0]);
  assert.equal((await world.remit(ADI, 'person', 'show', 'a1@csv.example')).code, 3);
  assert.equal((await take(table)).code, 0);
  const second = () => world.json(ADI, 'person', 'show', 'b1@csv.example');
  assert.equal((await second()).object.unit, 'operations');
  const less = await take(`${head}a1@csv.example,A,support\n`, '--all');
  assert.equal(less.code, 0, less.err);
  assert.ok((await world.json(ADI, 'person', 'show', 'b1@csv.example')).object.left);
  // The table before undoes it: they are here again, with nothing that ended.
  assert.equal((await take(table)).code, 0);
  assert.equal((await world.json(ADI, 'person', 'show', 'b1@csv.example')).object.left, undefined);
});

// ---- what stays ----

test('every decision comes out again from the log', async () => {
  const { code, report, err } = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(code, 0, err + JSON.stringify(report));
});

test('all of it is there again from the log alone', async () => {
  const list = async () => (await world.json(ADI, 'directory', 'list')).items
    .map(({ name, people, groups, stopped_utc_ms }) => [name, people, groups, stopped_utc_ms]);
  const leavers = async () => (await world.json(ADI, 'leaver', 'list')).items;
  const before = [await list(), await leavers()];
  await world.killDaemon();
  world.removeStore();
  await world.spawnDaemon();
  assert.deepEqual([await list(), await leavers()], before);
  assert.equal((await find('okta', 'userName eq "uno@example.org"')).totalResults, 1);
  assert.notEqual((await world.remit('ana@example.com', 'whoami')).code, 0, 'an old key signs');
});
