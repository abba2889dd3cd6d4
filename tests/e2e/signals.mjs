// Security events of other issuers, pushed and polled, as docs/formats/security-events.md says:
// a transmitter of this run signs them with jose.  What must end nothing comes first.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as jose from 'jose';

import { World, eventually, run } from '../../examples/stories/lib/world.mjs';
import { Issuer } from './support/issuers.mjs';

const IDENTITY = 'support-summariser';
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const CLIENT = 'remit-cli';
const CY_SUB = 'worker:cy';
const BO = 'bo.at.work@corp.example'; // as id calls bo@example.com
const POLL_TOKEN = 'token-of-the-poll-0123456789';
const path = fileURLToPath(new URL('../../docs/formats/security-events.md', import.meta.url));
const page = readFileSync(path, 'utf8');
let world;
let id; // takes pushes
let staff; // the same, and calls people by their sub
let mute; // an issuer whose events are not taken
let hub; // is polled

// RFC 8936: what waits to be fetched, and what was said of it.
class Transmitter {
  constructor() {
    Object.assign(this, { waiting: {}, acked: [], errors: {}, asked: 0, mode: 'good', keys: [] });
    this.server = http.createServer((request, answer) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => this.serve(request, answer, body));
    });
  }

  async start() {
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.server.address().port}/poll`;
    return this;
  }

  serve(request, answer, body) {
    this.asked += 1;
    this.keys.push(request.headers.authorization);
    if (this.mode === 'down') return answer.writeHead(503).end();
    if (this.mode === 'elsewhere') {
      return answer.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end();
    }
    if (this.mode === 'huge') return answer.writeHead(200).end('x'.repeat(2 << 20));
    if (this.mode === 'wrong') return answer.writeHead(200).end('{"sets": []}');
    const asked = JSON.parse(body);
    for (const jti of asked.ack) {
      this.acked.push(jti);
      delete this.waiting[jti];
    }
    for (const [jti, error] of Object.entries(asked.setErrs)) {
      this.errors[jti] = error;
      delete this.waiting[jti];
    }
    const send = () => {
      const sets = Object.fromEntries(Object.entries(this.waiting).slice(0, asked.maxEvents));
      const moreAvailable = Object.keys(this.waiting).length > asked.maxEvents;
      answer.writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ sets, moreAvailable }));
    };
    if (asked.returnImmediately || Object.keys(this.waiting).length > 0) return send();
    this.wake = send; // a long poll, until there is something
    return undefined;
  }

  put(jti, set) {
    this.waiting[jti] = set;
    this.wake?.();
    this.wake = undefined;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

const issuerDocument = ({ name, url }, rest) =>
  `object: issuer\nname: ${name}\nunit: support\nspeaks: oidc\nurl: ${url}\n` +
  `algorithms: [ES256]\nprivate-addresses: allowed\nreuse: allowed\n${rest}`;

before(async () => {
  [id, mute, hub, staff] = await Promise.all(['id', 'mute', 'hub', 'staff'].map(
    (name) => Issuer.start({ name, algorithm: 'ES256' })));
  hub.transmitter = await new Transmitter().start();
  const documents = [
    issuerDocument(id, 'events: {types: [session-revoked, credential-change], ' +
      'subjects: [people, workloads, identities]}\n' +
      `people: {client: ${CLIENT}, claim: email, ` +
      'require: [{name: email_verified, is: true}]}\n'),
    issuerDocument(mute, ''),
    issuerDocument(hub, 'events: {types: [session-revoked], subjects: [workloads], ' +
      `audience: remit-at-hub, poll: "${hub.transmitter.url}", credential: hub-poll}\n`),
    issuerDocument(staff, 'events: {types: [session-revoked], subjects: [people, workloads]}\n' +
      `people: {client: ${CLIENT}, claim: sub}\n`),
  ];
  const rules = [id, mute, hub, staff].map(({ name }) =>
    `  - {issuer: ${name}, environment: staging, subject-prefix: "worker:"}\n`).join('');
  world = await World.start({
    change: (files) => {
      files.set('charters/60-issuers.yaml', documents.join('---\n'));
      const name = `charters/50-${IDENTITY}.yaml`;
      files.set(name, `${files.get(name)}federation:\n${rules}`);
      for (const [file, text] of files) {
        files.set(file, text.replace(/^(object: person\nname: bo@[^]*?)(?=^---|(?![^]))/gm,
          `$1sign-in: {issuer: id, as: ${BO}}\n`).replace(
          /^(object: person\nname: cy@[^]*?)(?=^---|(?![^]))/gm,
          `$1sign-in: {issuer: staff, as: "${CY_SUB}"}\n`));
      }
    },
  });
  await world.setSecret('hub-poll', POLL_TOKEN);
});
after(async () => {
  try {
    await world?.stop();
  } finally { // a server that stays keeps this process, which would say nothing of what failed
    await hub?.transmitter?.stop();
    for (const issuer of [id, mute, hub, staff]) await issuer?.stop();
  }
});

const open = async (issuer, sub) => {
  const assertion = await issuer.token({ iss: issuer.url, aud: world.url, sub, jti: randomUUID() });
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: IDENTITY, client_assertion_type: JWT,
      client_assertion: assertion, resource: world.mcp('files'),
    }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
};

const initialize = (token) =>
  fetch(world.mcp('files'), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({
      jsonrpc: '2.0', id: 1, method: 'initialize',
      params: {
        protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e', version: '1' },
      },
    }),
  });
const call = async (token) => {
  const answer = await initialize(token);
  await answer.arrayBuffer();
  return answer.status;
};
const opened = async (token) => {
  const answer = await initialize(token);
  await answer.arrayBuffer();
  return answer.headers.get('mcp-session-id');
};
const works = async (token) => assert.equal(await call(token), 200);

const eventOf = (issuer, subject, change = {}, { key = issuer.key, header = {} } = {}) => {
  const claims = {
    iss: issuer.url, jti: randomUUID(), iat: Math.floor(Date.now() / 1000), aud: world.url,
    sub_id: subject, events: { [`${CAEP}session-revoked`]: {} }, ...change,
  };
  return new jose.SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: issuer.kid, typ: 'secevent+jwt', ...header })
    .sign(key);
};
const subjectOf = (issuer, sub) => ({ format: 'iss_sub', iss: issuer.url, sub });

const push = async (set, type = 'application/secevent+jwt') => {
  const answer = await fetch(`${world.url}/ssf/events`, {
    method: 'POST', headers: { 'Content-Type': type, Accept: 'application/json' }, body: set,
  });
  const text = await answer.text();
  return { status: answer.status, ...(text.startsWith('{') ? JSON.parse(text) : {}) };
};
const refused = async (set, err) => {
  const answer = await push(set);
  assert.deepEqual([answer.status, answer.err], [400, err], JSON.stringify(answer));
};
const taken = async (set) => assert.deepEqual(await push(set), { status: 202 });

const recordOf = async (jti) => {
  const found = await world.json(null, 'audit', 'search', '--type', 'security-event',
    '--limit', '1000');
  return found.items.map(({ record }) => record).find((record) => record.jti === jti);
};

test('what does not hold ends nothing', async () => {
  const token = await open(id, 'worker:7');
  const about = subjectOf(id, 'worker:7');
  const { privateKey } = await jose.generateKeyPair('ES256');
  const now = Math.floor(Date.now() / 1000);
  await refused(await eventOf(id, about, {}, { key: privateKey }), 'invalid_key');
  await refused(await eventOf(id, about, {}, { header: { kid: 'other' } }), 'invalid_key');
  await refused(await eventOf(id, about, { aud: 'https://else.example' }), 'invalid_audience');
  await refused(await eventOf(id, about, { aud: undefined }), 'invalid_audience');
  await refused(await eventOf(id, about, { iss: 'https://else.example' }), 'invalid_issuer');
  await refused(await eventOf(mute, subjectOf(mute, 'worker:7')), 'invalid_issuer');
  await refused(await eventOf(id, about, { exp: now + 60 }), 'invalid_request');
  await refused(await eventOf(id, about, { sub: 'worker:7' }), 'invalid_request');
  await refused(await eventOf(id, about, { events: {} }), 'invalid_request');
  await refused(await eventOf(id, about, { iat: now - 3 * 86400 }), 'invalid_request');
  await refused(await eventOf(id, about, { iat: now + 3600 }), 'invalid_request');
  await refused(await eventOf(id, about, {}, { header: { typ: 'JWT' } }), 'invalid_request');
  await refused(await eventOf(id, { format: 'iss_sub', sub: 'worker:7' }), 'invalid_request');
  await refused('no token', 'invalid_request');
  await refused('', 'invalid_request');
  assert.equal((await push(await eventOf(id, about), 'application/jwt')).status, 400);
  // A token of the same issuer that opens tasks is no event, and an event opens none.
  await refused(await id.token({ iss: id.url, aud: world.url, sub: 'worker:7' }),
    'invalid_request');
  await works(token);
});

test('an event about somebody else, or of no consequence, is taken and ends nothing', async () => {
  const token = await open(id, 'worker:7');
  await taken(await eventOf(id, subjectOf(id, 'worker:8')));
  await taken(await eventOf(id, subjectOf(id, 'worker:')));
  await taken(await eventOf(id, subjectOf(mute, 'worker:7')));
  await taken(await eventOf(id, { format: 'email', email: 'nobody@example.com' }));
  await taken(await eventOf(id, { format: 'opaque', id: 'nobody' }));
  await taken(await eventOf(id, { format: 'phone_number', phone_number: '+1' }));
  await taken(await eventOf(id, subjectOf(id, 'worker:7'),
    { events: { [`${CAEP}credential-change`]: { change_type: 'create' } } }));
  await taken(await eventOf(id, { format: 'opaque', id: 'stream' },
    { events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': {} } }));
  await works(token);
});

test('session-revoked ends the tasks of its subject alone, and at once', async () => {
  const [mine, again, other, elsewhere] = await Promise.all([
    open(id, 'worker:9'), open(id, 'worker:9'), open(id, 'worker:10'), open(mute, 'worker:9')]);
  for (const token of [mine, again, other, elsewhere]) await works(token);
  const set = await eventOf(id, subjectOf(id, 'worker:9'));
  const start = performance.now();
  await taken(set);
  const answered = performance.now();
  assert.equal(await call(mine), 401);
  const end = performance.now();
  assert.equal(await call(again), 401);
  await works(other);
  await works(elsewhere);
  console.log(`# pushed and durable in ${(answered - start).toFixed(1)} ms; ` +
    `the next call refused ${(end - start).toFixed(1)} ms after the push`);
  await taken(set); // sent again: no other effect
  await works(await open(id, 'worker:9'));
});

test('an event that was taken ends nothing of later, not after a kill -9 either', async () => {
  const set = await eventOf(id, subjectOf(id, 'worker:11'));
  const first = await open(id, 'worker:11');
  await taken(set);
  assert.equal(await call(first), 401);
  await world.killDaemon();
  world.removeStore();
  await world.startDaemon();
  assert.equal(await call(first), 401);
  const later = await open(id, 'worker:11');
  await taken(set);
  await works(later);
  // What was opened before the start is still known by whose word it was.
  await world.killDaemon();
  await world.startDaemon();
  await works(later);
  await taken(await eventOf(id, subjectOf(id, 'worker:11')));
  assert.equal(await call(later), 401);
});

test('credential-change and the identity itself end tasks, too', async () => {
  const change = (type) => ({ events: { [`${CAEP}credential-change`]: { change_type: type } } });
  for (const type of ['revoke', 'update', 'delete']) {
    const token = await open(id, 'worker:12');
    await taken(await eventOf(id, subjectOf(id, 'worker:12'), change(type)));
    assert.equal(await call(token), 401);
  }
  const own = await world.openTask(IDENTITY, 'files');
  await works(own.token);
  const vouched = await open(mute, 'worker:1');
  await works(vouched);
  await taken(await eventOf(id, { format: 'iss_sub', iss: world.url, sub: IDENTITY }));
  assert.equal(await call(vouched), 401);
  assert.equal(await call(own.token), 401);
  const next = await open(id, 'worker:1');
  await taken(await eventOf(id, { format: 'opaque', id: IDENTITY }));
  assert.equal(await call(next), 401);
});

// Signed in by a token of an issuer's, as docs/login.md has it for machines without a browser.
const signInBy = async (issuer, home, claims) => {
  const nonce = (await world.must(home, 'login', '--nonce')).trim();
  const file = world.path(`${home}.jwt`);
  writeFileSync(file, await issuer.token({ iss: issuer.url, aud: CLIENT, nonce, ...claims }),
    { mode: 0o600 });
  await world.must(home, 'login', '--issuer', issuer.name, '--id-token-file', file);
};
const signIn = (home) => signInBy(id, home, { sub: 'u-bo', email: BO, email_verified: true });

test('session-revoked of a person ends the keys that they signed in with there', async () => {
  await signIn('bo-laptop');
  await signIn('bo-phone');
  const listed = async (home) => (await world.remit(home, 'person', 'list')).code;
  assert.deepEqual([await listed('bo-laptop'), await listed('bo-phone')], [0, 0]);
  await taken(await eventOf(id, { format: 'email', email: 'other@corp.example' }));
  assert.equal(await listed('bo-laptop'), 0);
  await taken(await eventOf(id, { format: 'email', email: BO }));
  for (const home of ['bo-laptop', 'bo-phone']) {
    const refusal = await world.remit(home, 'person', 'list');
    assert.notEqual(refusal.code, 0);
    assert.match(refusal.err, /key_over/);
  }
  await signIn('bo-tablet'); // a new session there is a new key here
  assert.equal(await listed('bo-tablet'), 0);
});

test('iss_sub reaches a person whom their issuer calls by sub, and the workload too', async () => {
  await signInBy(staff, 'cy-laptop', { sub: CY_SUB });
  const listed = async () => (await world.remit('cy-laptop', 'person', 'list')).code;
  const [same, other] = await Promise.all([open(staff, CY_SUB), open(staff, 'worker:2')]);
  await taken(await eventOf(id, subjectOf(staff, CY_SUB))); // not its own subject
  await taken(await eventOf(staff, subjectOf(staff, 'worker:3')));
  assert.equal(await listed(), 0);
  await works(same);
  await taken(await eventOf(staff, subjectOf(staff, CY_SUB)));
  const refusal = await world.remit('cy-laptop', 'person', 'list');
  assert.notEqual(refusal.code, 0);
  assert.match(refusal.err, /key_over/);
  assert.equal(await call(same), 401);
  await works(other);
});

test('many tasks end with one event', async () => {
  const tokens = [];
  for (let i = 0; i < 20; i++) {
    tokens.push(...await Promise.all(Array.from({ length: 20 }, () => open(id, 'worker:many'))));
  }
  await works(tokens[0]);
  await taken(await eventOf(id, subjectOf(id, 'worker:many')));
  for (const token of tokens) assert.equal(await call(token), 401);
});

// ---- polled ----

const enqueue = async (subject, change = {}, options = {}) => {
  const jti = randomUUID();
  hub.transmitter.put(jti, await eventOf(hub, subject, { aud: 'remit-at-hub', jti, ...change },
    options));
  return jti;
};
const isAcked = (jti) => eventually(async () => hub.transmitter.acked.includes(jti));
const errorOf = async (jti) => {
  await eventually(async () => hub.transmitter.errors[jti] !== undefined);
  return hub.transmitter.errors[jti]?.err;
};

test('events that are polled end tasks and are acknowledged, bad ones reported', async () => {
  const { transmitter } = hub;
  const { privateKey } = await jose.generateKeyPair('ES256');
  const token = await open(hub, 'worker:5');
  const other = await open(hub, 'worker:6');
  const wrongKey = await enqueue(subjectOf(hub, 'worker:6'), {}, { key: privateKey });
  const wrongAudience = await enqueue(subjectOf(hub, 'worker:6'), { aud: world.url });
  transmitter.put('garbage', 'no token');
  transmitter.put('number', 7);
  const foreign = randomUUID();
  transmitter.put(foreign, await eventOf(id, subjectOf(id, 'worker:6'), { jti: foreign }));
  const good = await enqueue(subjectOf(hub, 'worker:5'));
  assert.ok(await isAcked(good));
  assert.equal(await call(token), 401);
  assert.equal(await errorOf(wrongKey), 'invalid_key');
  assert.equal(await errorOf(wrongAudience), 'invalid_audience');
  assert.equal(await errorOf('garbage'), 'invalid_request');
  assert.equal(await errorOf('number'), 'invalid_request');
  assert.equal(await errorOf(foreign), 'invalid_issuer');
  await works(other);
  // This issuer may not speak of identities, nor of this type.
  assert.ok(await isAcked(await enqueue({ format: 'opaque', id: IDENTITY })));
  assert.ok(await isAcked(await enqueue(subjectOf(hub, 'worker:6'),
    { events: { [`${CAEP}credential-change`]: { change_type: 'revoke' } } })));
  await works(other);
  assert.ok(transmitter.keys.includes(`Bearer ${POLL_TOKEN}`));
});

test('more events than one answer may hold all come', async () => {
  const sent = [];
  for (let i = 0; i < 70; i++) sent.push(await enqueue(subjectOf(hub, 'worker:none')));
  for (const jti of sent) assert.ok(await isAcked(jti));
});

test('a transmitter that is down, huge, wrong or elsewhere is asked again, and shown', async () => {
  const { transmitter } = hub;
  const row = async () => {
    const rows = await world.json(null, 'trust', 'list');
    return (rows.items ?? rows).find((each) => each.id === 'issuer/hub');
  };
  const token = await open(hub, 'worker:down');
  for (const mode of ['down', 'elsewhere', 'huge', 'wrong']) {
    transmitter.mode = mode;
    await enqueue(subjectOf(hub, 'worker:none'));
    assert.ok(await eventually(async () => (await row()).poll_error !== undefined), mode);
    await works(token);
    transmitter.mode = 'good';
    assert.ok(await eventually(async () => (await row()).poll_error === undefined), mode);
  }
  assert.ok(await isAcked(await enqueue(subjectOf(hub, 'worker:down'))));
  assert.equal(await call(token), 401);
});

test('an issuer that takes no events is asked nothing', async () => {
  const asked = mute.reads;
  await refused(await eventOf(mute, subjectOf(mute, 'a'), {}, { header: { kid: 'x' } }),
    'invalid_issuer');
  assert.equal(mute.reads, asked);
});

test('the command of the page pushes an event', async () => {
  const [, command] = /^```sh\n([^]*?)^```$/m.exec(page);
  const token = await open(id, 'worker:page');
  const file = world.path('event.jwt');
  writeFileSync(file, await eventOf(id, subjectOf(id, 'worker:page')));
  const env = { ...process.env, REMIT: world.url, EVENT: file };
  const done = await run('sh', ['-c', command], { env });
  assert.match(done.out, /^202/, done.out + done.err);
  assert.equal(await call(token), 401);
});

test('what each event came to is on record', async () => {
  const [jti, other] = [randomUUID(), randomUUID()];
  const token = await open(id, 'worker:record');
  await taken(await eventOf(id, subjectOf(id, 'worker:record'), { jti }));
  assert.equal(await call(token), 401);
  await taken(await eventOf(id, subjectOf(mute, 'worker:record'), { jti: other }));
  const [record, nothing] = [await recordOf(jti), await recordOf(other)];
  assert.deepEqual(
    [record.event, record.issuer, record.tasks, record.subject],
    ['session-revoked', id.url, 1, { format: 'iss_sub', iss: id.url, name: 'worker:record' }]);
  assert.equal(record['passed-over'], undefined);
  assert.deepEqual([nothing.tasks, nothing['passed-over']], [0, 'subject']);
  const { code, report } = await world.verify();
  assert.equal(code, 0, JSON.stringify(report));
});

test('a task of session=mcp ends when its client deletes its session', async () => {
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: IDENTITY, client_assertion_type: JWT,
      client_assertion: await id.token({ iss: id.url, aud: world.url, sub: 'worker:mcp' }),
      resource: world.mcp('files'), session: 'mcp',
    }),
  });
  const { access_token: token } = await answer.json();
  const [first, second] = [await opened(token), await opened(token)];
  const end = (session) => fetch(world.mcp('files'), {
    method: 'DELETE', headers: { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': session },
  });
  assert.equal((await end(first)).status, 204);
  assert.equal((await end(first)).status, 404); // the task is there, and that session is not
  assert.equal((await end(second)).status, 204);
  assert.equal(await call(token), 401);
});
