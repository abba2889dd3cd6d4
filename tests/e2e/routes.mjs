// Every row of the control API, taken from its own description, is tried as a
// stranger and as an unsigned caller on the socket; signed requests are tried
// changed, late, twice and under another name; a proposer approves nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { World } from '../../examples/stories/lib/world.mjs';
import { ask, keyOf, signature } from './support/person.mjs';

const ADI = 'adi@example.com';
let world;
let rows;
let exported;

before(async () => {
  world = await World.start();
  const { text } = await ask(world, { method: 'GET', target: '/v1/openapi.json' });
  rows = Object.entries(JSON.parse(text).paths).flatMap(([path, methods]) =>
    Object.keys(methods).filter((method) => /^(get|put|post|delete|patch)$/.test(method))
      .map((method) => ({ method: method.toUpperCase(), path })));
  exported = await world.must(null, 'export');
});
after(async () => {
  const now = await world.must(null, 'export');
  await world.stop();
  assert.equal(now, exported, 'a refused request changed something');
});

const filled = (path) =>
  path.replace(/\{(index)\}/g, '0').replace(/\{(id|task)\}/g, 't-00000000000000000000')
    .replace(/\{[^}]*\}/g, 'nobody-there');

// Enrolment is signed by the key in the body, so a body without one is merely wrong.
const isRefusal = ({ path }, { status }) =>
  status === 401 || status === 403 ||
  (['/v1/login', '/v1/sign-in'].includes(path) && status === 400);

const bodyOf = ({ method }) => (['POST', 'PUT', 'PATCH'].includes(method) ? '{}' : '');

// What an unsigned caller on the socket may do beside reading.
const SOCKET_MAY = new Set([
  'POST /v1/plan', 'POST /v1/outlook', 'POST /v1/why', 'POST /v1/identities/{name}/suspend',
  'POST /v1/identities/{name}/kill', 'POST /v1/identities/{name}/instances/{instance}/kill',
  'POST /v1/units/{unit}/kill', 'POST /v1/tasks/{id}/kill',
  'POST /v1/tasks/{id}/tokens/{token}/kill', 'POST /v1/admin/bootstrap',
  'POST /v1/backup', 'POST /v1/findings',
]);

// What anybody may read.
const OPEN = new Set(['GET /v1/openapi.json', 'GET /v1/installation', 'GET /v1/approvals/{id}/how',
  'GET /v1/sign-in']);
const isOpen = (row) => OPEN.has(`${row.method} ${row.path}`);

test('the description has its rows', () => assert.ok(rows.length > 30, `${rows.length}`));

test('a stranger gets nothing but the description and the name', async () => {
  for (const row of rows) {
    if (isOpen(row)) continue;
    const target = filled(row.path);
    const answer = await ask(world, { method: row.method, target, body: bodyOf(row) });
    assert.ok(isRefusal(row, answer), `${row.method} ${row.path}: ${answer.status}`);
  }
});

test('the socket without a signature reads, suspends, kills and reports, and changes nothing else',
  async () => {
    for (const row of rows) {
      const name = `${row.method} ${row.path}`;
      const target = filled(row.path);
      const answer = await ask(world,
        { method: row.method, target, body: bodyOf(row), isSocket: true });
      const isRefused = isRefusal(row, answer);
      if (name === 'POST /v1/admin/bootstrap') {
        assert.ok(answer.status >= 400, 'there is an administrator already');
      } else {
        assert.equal(isRefused, row.method !== 'GET' && !SOCKET_MAY.has(name),
          `${name}: ${answer.status} ${answer.text}`);
      }
    }
  });

const asAdi = (request, wrong, key = keyOf(world, ADI), person = ADI) =>
  ask(world, {
    ...request,
    headers: { ...request.headers, Authorization: signature(world, key, person, request, wrong) },
  });
const whoami = { method: 'GET', target: '/v1/whoami' };

test('a request signed by an enrolled key is answered', async () => {
  const answer = await asAdi(whoami);
  assert.equal(answer.status, 200);
  assert.match(answer.text, /adi@example\.com/);
});

test('the socket takes what was signed for the socket', async () => {
  const answer = await asAdi({ ...whoami, isSocket: true });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /adi@example\.com/);
});

test('what was signed for the network is of no use on the socket, nor the other way', async () => {
  for (const isSocket of [true, false]) {
    const signed = signature(world, keyOf(world, ADI), ADI, { ...whoami, isSocket });
    const headers = { Authorization: signed };
    const answer = await ask(world, { ...whoami, headers, isSocket: !isSocket });
    assert.equal(answer.status, 401);
    assert.match(answer.text, /\(target\)/);
  }
});

const minutes = (count) => Math.floor(Date.now() / 1000) + 60 * count;
const WRONG = {
  'another method': { claims: { htm: 'POST' } },
  'another installation': { claims: { aud: 'remit-other' } },
  'no installation': { claims: { aud: undefined } },
  'another address': { claims: { htu: 'https://remit.example/v1/whoami' } },
  'no address': { claims: { htu: '/v1/whoami' } },
  'another body': { claims: { body: 'AAAA' } },
  'no body': { claims: { body: undefined } },
  'two minutes ago': { claims: { iat: minutes(-2) } },
  'in two minutes': { claims: { iat: minutes(2) } },
  'another person': { claims: { iss: 'bo@example.com' } },
  'no id': { claims: { jti: undefined } },
  'another type': { head: { typ: 'JWT' } },
  'another algorithm': { head: { alg: 'none' } },
  'a key nobody knows': { head: { kid: 'x' } },
  'an extension it must know': { head: { crit: ['x'], x: 1 } },
};

for (const [what, wrong] of Object.entries(WRONG)) {
  test(`a signature for ${what} is refused`, async () => {
    assert.equal((await asAdi(whoami, wrong)).status, 401);
  });
}

test('a signature for another target or query is refused', async () => {
  for (const target of ['/v1/tasks', '/v1/whoami?x=1']) {
    const answer = await asAdi(whoami, { claims: { htu: world.url + target } });
    assert.equal(answer.status, 401);
    assert.match(answer.text, /\(target\)/);
  }
});

test('a signature counts once', async () => {
  const headers = { Authorization: signature(world, keyOf(world, ADI), ADI, whoami) };
  assert.equal((await ask(world, { ...whoami, headers })).status, 200);
  assert.equal((await ask(world, { ...whoami, headers })).status, 401);
});

test("an agent's key signs no request of people", async () => {
  assert.equal((await asAdi(whoami, {}, world.keys.deployer)).status, 401);
});

test("an agent's token opens no row", async () => {
  const { body } = await world.askForToken('deployer', world.keys.deployer, 'deploy-staging');
  const headers = { Authorization: `Bearer ${body.access_token}` };
  for (const row of rows) {
    if (isOpen(row)) continue;
    const answer = await ask(world,
      { method: row.method, target: filled(row.path), body: bodyOf(row), headers });
    assert.ok(isRefusal(row, answer), `${row.method} ${row.path}: ${answer.status}`);
  }
});

test('a change without If-Match is refused', async () => {
  const answer = await asAdi({
    method: 'POST', target: '/v1/identities/deployer/retire', body: '{"reason":"test"}',
  });
  assert.equal(answer.status, 428);
});

test('a change that names a field nobody knows is refused', async () => {
  const answer = await asAdi({
    method: 'POST', target: '/v1/identities/deployer/retire', headers: { 'If-Match': '"1"' },
    body: '{"reason":"test","force":true}',
  });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /force/);
});

test('an approval that may be meant as a question is refused', async () => {
  const answer = await asAdi({
    method: 'POST', target: '/v1/identities/deployer/approve', headers: { 'If-Match': '"1"' },
    body: '{"check":"true"}',
  });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /check: true or false/);
});

test('a word of no vocabulary is refused with those there are', async () => {
  for (const words of [['audit', 'search', '--verdict', 'denied'], ['approvals', 'list', '--state',
    'open'], ['findings', 'list', '--kind', 'bug'],
   ['who', 'eat', 'files/read_text_file'], ['why', 'deployer', 'eat', 'files/x']]) {
    const done = await world.remit(null, ...words);
    assert.equal(done.code, 2, words.join(' ') + done.out + done.err);
    assert.match(done.err, /one of these words is expected: [\w-]+ [\w-]+/);
  }
});

// Every item of a list, one a page.
const paged = async (...words) => {
  const found = [];
  for (let after = []; ;) {
    const page = await world.json(null, ...words, '--limit', '1', ...after);
    found.push(...page.items.map(({ id }) => id));
    assert.ok(page.items.length <= 1 && found.length < 100);
    if (page.next === undefined) return found;
    after = ['--after', page.next];
  }
};

test('a list that goes on says so, and goes on behind what it names', async () => {
  const agent = await world.agent('incident-opener', 'memory');
  for (const name of ['one', 'two', 'three']) {
    await agent.call('create_entities',
      { entities: [{ name, entityType: 'incident', observations: [] }] });
    await world.openTask('incident-opener', 'memory');
  }
  await agent.close();
  for (const list of [['task', 'list'], ['approvals', 'list'],
    ['approvals', 'list', '--state', 'pending']]) {
    const whole = (await world.json(null, ...list)).items.map(({ id }) => id);
    assert.ok(whole.length >= 3, list.join(' '));
    assert.deepEqual(await paged(...list), whole);
  }
  const unknown = await world.remit(null, 'approvals', 'list', '--after', 'a-nobody');
  assert.equal(unknown.code, 2, unknown.out + unknown.err);
});

test('what a newcomer gets wrong is said with its place and has its exit status', async () => {
  const wrong = [
    [3, /no identity is named nobody/, 'identity', 'show', 'nobody'],
    [3, /no record names this task/, 'trace', 't-nobody'],
    [0, /There is none/, 'findings', 'list', '--kind', 'tool-drift'],
    [3, /no such finding is open/, 'findings', 'show', 'f-nobody'],
    [3, /no finding f-nobody is open/, 'findings', 'close', 'f-nobody', '--reason', 'seen'],
    [2, /--reason says what came of it/, 'findings', 'close', 'f-nobody'],
    [1, /ADDRESS\/mcp\/SERVER/, 'task', 'open', 'deployer', '--key',
      world.keys.deployer.path, '--resource', `${world.url}/mcp/nobody`],
    [0, /There is none/, 'audit', 'search', '--task', 't-nobody'],
    [2, /person:NAME/, 'audit', 'search', '--actor', 'ana'],
    [3, /\/nowhere\/b: No such file/, 'backup', '/nowhere/b'],
    [2, /\/etc\/hostname can be read by others/, 'key', 'show', '/etc/hostname'],
    [1, /hostname: not a backup/, 'restore', '/etc/hostname', '--yes', '--data',
      world.path('restored')],
    [4, /nothing of deployer waits for approval/, 'identity', 'approve', 'deployer'],
  ];
  for (const [code, words, ...command] of wrong) {
    const done = await world.remit(ADI, ...command);
    assert.equal(done.code, code, command.join(' ') + done.out + done.err);
    assert.match(done.err, words);
  }
});

test('who may not administrate issues no code', async () => {
  const request = { method: 'POST', target: '/v1/persons/bo@example.com/code', body: '{}' };
  const answer = await asAdi(request, {}, keyOf(world, 'ana@example.com'), 'ana@example.com');
  assert.equal(answer.status, 403);
});

test('who proposed a charter cannot approve it', async () => {
  const file = world.path('changed.yaml');
  const text = world.charter('charters/50-deployer.yaml');
  writeFileSync(file, text.replace('Roll out releases', 'Roll out any release'));
  const applied = await world.remit(ADI, 'apply', '--yes', '-f', file);
  assert.equal(applied.code, 6, applied.out + applied.err);
  assert.match(applied.err, /It waits for another person: remit identity approve deployer \(\S+@/);
  const twice = await world.remit(ADI, 'apply', '--yes', '-f', file);
  assert.equal(twice.code, 6, 'it still waits');
  assert.match(twice.err, /approve deployer \(.* may\), proposed by person:adi@example\.com$/m);
  const own = await world.remit(ADI, 'identity', 'approve', 'deployer', '--yes');
  assert.equal(own.code, 1, own.out + own.err);
  assert.doesNotMatch(own.out + own.err, /in force at once/, 'nothing is said before');
  const seen = await world.remit('dan@example.com', 'identity', 'approve', 'deployer');
  assert.equal(seen.code, 1, 'without a terminal or --yes nothing is done');
  assert.match(seen.out, /change identity deployer, version 2, proposed by person:adi@/);
  assert.match(seen.out, /- Roll out releases[^]*\+ Roll out any release/);
  await world.must('eva@example.com', 'identity', 'reject', 'deployer', '--reason', 'test',
    '--yes');
  assert.match(await world.must(null, 'identity', 'show', 'deployer'), /Roll out releases/);
});

test('what is not a row does not exist', async () => {
  for (const target of ['/v1', '/v1/', '/v1/nothing', '/v1/identities/a/b/c', '/v2/whoami',
    '/v1/../v1/whoami', '/v1//whoami', '/v1/whoami/']) {
    const { status } = await asAdi({ method: 'GET', target });
    assert.ok(status === 404 || status === 400, `${target}: ${status}`);
  }
});
