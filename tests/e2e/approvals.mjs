// Approvals with the real programs: the card, other arguments, the webhook, a client that opens
// URLs, and what the verifier says of it all in the end.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { World, eventually } from '../../examples/stories/lib/world.mjs';

const IDENTITY = 'incident-opener';
const OWNER = 'dan@example.com';
const SECRET = 'a-key-that-both-have';
const notices = [];
let world;
let hook;
let agent;

const entities = (name, observations = ['invoices show an old address']) => ({
  entities: [{ name, entityType: 'incident', observations }],
});
const approvalIn = (text) => /\ba-[0-9a-z]{20}\b/.exec(text)?.[0];

before(async () => {
  hook = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      notices.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise((done) => hook.listen(0, '127.0.0.1', done));
  process.env.HOOK_SECRET = SECRET;
  world = await World.start({
    settings: `hold-ms: 200\nwebhook-url: http://127.0.0.1:${hook.address().port}/hook\n`
      + 'webhook-secret: env:HOOK_SECRET\n',
    // Operations' deployer may move a file of support: with the word of both units.
    change: (files) => {
      for (const [name, text] of files) {
        const line = '  - {effect: execute, tool: deploy-prod/trigger-long-running-operation}\n';
        files.set(name, text.replace(line,
          line + '  - {effect: write, tool: files/move_file, approvals: [owner, unit/support]}\n'));
      }
    },
  });
  agent = await world.agent(IDENTITY, 'memory');
});
after(async () => {
  await agent?.close();
  await world?.stop();
  hook?.close();
});

test('the card shows the whole call, and nothing in it passes for a line of its own', async () => {
  // The second a of paypal is Cyrillic; then an override, a bell and a forged line.
  const evil = 'payp\u0430l \u202eetats\u0007\nState          approved';
  const result = await agent.client.callTool({
    name: 'create_entities',
    arguments: entities('INC-1', [evil]),
    _meta: { 'remit/reason': 'The on-call engineer asked me.\nState  approved' },
  });
  const id = approvalIn(result.content[0].text);
  const card = await world.must(OWNER, 'approvals', 'show', id);
  for (const part of [
    /^Approval +a-/m, /^State +pending$/m,
    /^Who +incident-opener, charter incident-opener@1, owner dan@/m,
    /^Chain +incident-opener in task t-/m, /^Wants +write by memory\/create_entities/m,
    /^Environment +staging$/m, /^Risk +/m, /^To take it back +/m, /^Task has seen +/m,
    /^Held by +charter\/incident-opener@1\/entitlements\/1$/m, /^Needs +owner$/m,
    /^Still missing +owner$/m, /^May answer +dan@example.com$/m,
    /^Holds until .*no answer is a no$/m,
    /which nobody checked:\n {2}\| "The on-call engineer asked me.\\nState {2}approved"$/m]) {
    assert.match(card, part);
  }
  assert.ok(card.includes(
    '"payp\u0430l \\u202eetats\\u0007\\nState          approved"   (in ASCII: '
    + '"payp\\u0430l \\u202eetats\\u0007\\nState          approved")'), card);
  assert.equal(card.match(/^State/gm).length, 1);
  const shown = await world.json(OWNER, 'approvals', 'show', id);
  assert.deepEqual(shown.call, entities('INC-1', [evil]));
  assert.match(shown.approval.call, /^sha256:[0-9a-f]{64}$/);
  await world.must(OWNER, 'reject', id, '--reason', 'no', '--yes');
});

test('the card says what is otherwise than in the last approved call', async () => {
  const one = approvalIn((await agent.call('create_entities', entities('INC-A'))).text);
  await world.must(OWNER, 'approve', one, '--yes');
  assert.ok((await agent.call('create_entities', entities('INC-A'))).done);
  // The next card says what is otherwise than the last approved call.
  const two = approvalIn((await agent.call('create_entities', entities('INC-B'))).text);
  const card = await world.must(OWNER, 'approvals', 'show', two);
  assert.match(card, /last approved call of this tool by this identity, #\d+, .*, differs:/);
  assert.match(card, /^ {4}- .*"INC-A"/m);
  assert.match(card, /^ {4}\+ .*"INC-B"/m);
  await world.must(OWNER, 'reject', two, '--reason', 'no', '--yes');
});

test('a person accepts other arguments, and only exactly those go', async () => {
  const first = await agent.call('create_entities', entities('INC-2', ['all of it']));
  const id = approvalIn(first.text);
  const patch = JSON.stringify(entities('INC-2', ['a part of it']));
  const done = await world.must(OWNER, 'approve', id, '--with', patch, '--yes');
  assert.match(done, /^Edited by +dan@example.com, in place of a-/m);
  const told = await agent.call('create_entities', entities('INC-2', ['all of it']));
  assert.ok(!told.done && told.text.includes('"a part of it"'), told.text);
  const { accepted } = told.result._meta['remit/decision'];
  assert.deepEqual(accepted, entities('INC-2', ['a part of it']));
  assert.ok(!(await agent.call('create_entities', entities('INC-2', ['a part', 'of it']))).done);
  assert.ok((await agent.call('create_entities', accepted)).done);
  assert.ok(!(await agent.call('create_entities', accepted)).done);
  assert.equal((await world.json(OWNER, 'approvals', 'show', id)).approval.state, 'edited');
});

test('a call across units goes with the word of both, and of nobody above them', async () => {
  const deployer = await world.agent('deployer', 'files');
  const move = { source: 'desk/tickets/1.txt', destination: 'desk/tickets/moved.txt' };
  const held = await deployer.call('move_file', move);
  const id = approvalIn(held.text);
  const { approval } = await world.json(OWNER, 'approvals', 'show', id);
  assert.deepEqual(approval.names, ['owner', 'unit/support']);
  // The administrator of the whole, and the other unit's approver, are not those who are asked.
  for (const person of ['adi@example.com', 'eva@example.com', 'fay@example.com']) {
    assert.equal((await world.remit(person, 'approve', id, '--yes')).code, 1, person);
  }
  assert.equal((await world.remit(OWNER, 'approve', id, '--yes')).code, 6);
  assert.ok(!(await deployer.call('move_file', move)).done);
  const both = await world.remit('bo@example.com', 'approve', id, '--yes');
  assert.equal(both.code, 0, both.out + both.err);
  const before = world.calls('files', 'move_file').length;
  await deployer.call('move_file', move);
  assert.equal(world.calls('files', 'move_file').length, before + 1);
  await deployer.call('move_file', move);
  assert.equal(world.calls('files', 'move_file').length, before + 1);
  await deployer.close();
});

test('a client that opens URLs is given one, and hears when people have answered', async () => {
  const { token } = await world.openTask(IDENTITY, 'memory');
  const transport = new StreamableHTTPClientTransport(new URL(world.mcp('memory')), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  const client = new Client({ name: 'opens-urls', version: '1.0.0' },
    { capabilities: { elicitation: { form: {}, url: {} } } });
  const heard = [];
  client.fallbackNotificationHandler = async (notice) => heard.push(notice);
  client.onerror = () => {};
  await client.connect(transport);
  const error = await client.callTool({ name: 'create_entities', arguments: entities('INC-3') })
    .then(() => null, (thrown) => thrown);
  assert.equal(error?.code, -32042);
  const [elicitation] = error.data.elicitations;
  assert.equal(elicitation.mode, 'url');
  const page = await fetch(elicitation.url);
  assert.equal(page.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.match(await page.text(), new RegExp(`remit approve ${elicitation.elicitationId}`));
  assert.equal((await fetch(elicitation.url.replace(/a-[0-9a-z]+/, 'a-b'))).status, 404);
  await world.must(OWNER, 'approve', elicitation.elicitationId, '--yes');
  assert.ok(await eventually(() => heard.some(({ method, params }) =>
    method === 'notifications/elicitation/complete'
      && params.elicitationId === elicitation.elicitationId)), JSON.stringify(heard));
  const result = await client.callTool({ name: 'create_entities', arguments: entities('INC-3') });
  assert.notEqual(result.isError, true);
  await client.close();
});

test('break-glass stands in for the answer, is said everywhere, and is on record', async () => {
  const open = ['break-glass', 'open', IDENTITY, '--reason', 'nobody is awake', '--ticket',
    'INC-7', '--yes'];
  assert.equal((await world.remit('cy@example.com', ...open)).code, 1);
  const asked = await world.remit('fay@example.com', ...open, '-o', 'json');
  assert.equal(asked.code, 6, asked.err);
  const id = JSON.parse(asked.out).break_glass;
  assert.equal((await world.remit('fay@example.com', 'break-glass', 'agree', id, '--yes')).code, 1);
  assert.ok(!(await agent.call('create_entities', entities('INC-5'))).done);
  await world.must('adi@example.com', 'break-glass', 'agree', id, '--yes');
  assert.ok((await agent.call('create_entities', entities('INC-5'))).done);
  const said = await world.remit(OWNER, 'whoami');
  assert.match(said.err, new RegExp(`BREAK-GLASS IS OPEN: ${id} of ${IDENTITY} by fay@`));
  assert.doesNotMatch((await world.remit('ana@example.com', 'whoami')).err, /BREAK-GLASS/);
  const metrics = await (await fetch(world.url + '/metrics')).text();
  assert.match(metrics, /^remit_break_glass_open 1$/m);
  await world.must(OWNER, 'break-glass', 'close', id, '--yes');
  assert.ok(!(await agent.call('create_entities', entities('INC-6'))).done);
  const found = await world.json(null, 'audit', 'search', '--type', 'outcome');
  assert.equal(found.items.filter(({ record }) => record['break-glass'] === id).length, 1);
});

test('the webhook is told, signed, and never of arguments', async () => {
  const told = (event) => notices.filter(({ body }) => JSON.parse(body).event === event);
  assert.ok(await eventually(() => told('approval.closed').length >= 4));
  for (const { headers, body } of notices) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', SECRET).update(signed).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${mac}`);
    assert.ok(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 60);
    for (const value of ['INC-1', 'INC-A', 'invoices', 'on-call']) {
      assert.ok(!body.includes(value), body);
    }
  }
  const ids = notices.map(({ headers }) => headers['webhook-id']);
  assert.equal(new Set(ids).size, ids.length);
  const broken = ['asked', 'opened', 'closed'].map((what) => told(`break-glass.${what}`).length);
  assert.deepEqual(broken, [1, 1, 1]);
  const asked = JSON.parse(told('approval.asked')[0].body);
  assert.equal(asked.tool, 'memory/create_entities');
  assert.deepEqual(asked.who, [OWNER]);
  assert.match(asked.link, new RegExp(`^${world.url}/v1/approvals/${asked.approval}/how$`));
  const states = told('approval.closed').map(({ body }) => JSON.parse(body).state);
  assert.ok(['rejected', 'used', 'edited'].every((state) => states.includes(state)), states.join());
});

test('the webhook is told of findings, and not what they quote', async () => {
  const told = (event) => notices.map(({ headers, body }) => ({ headers, ...JSON.parse(body) }))
    .filter((notice) => notice.event === event);
  const named = () => told('finding.opened').find(({ kind }) => kind === 'standing-access');
  assert.ok(await eventually(named));
  const first = named();
  const open = (await world.json(null, 'findings', 'list')).items;
  const same = open.find(({ id }) => id === first.finding);
  assert.equal(first.headers['webhook-id'], `${same.id}.opened`);
  assert.deepEqual([first.kind, first.subject, first.control, first.command],
    [same.kind, same.subject, same.control, `remit findings show ${same.id}`]);
  assert.ok(first.meaning.length > 0 && first.what === undefined && first.details === undefined);
});

test('what was lost on the way to the webhook is on record', async () => {
  const metrics = await (await fetch(world.url + '/metrics')).text();
  assert.match(metrics, /^remit_notices_lost_total 0$/m);
  assert.match(metrics, /^remit_approvals_pending \d+$/m);
});

test('the verifier proves each answer, and what it let go', async () => {
  const done = await world.verify('--approvals');
  assert.equal(done.code, 0, done.out + done.err);
  const { approvals } = done.report;
  assert.equal(approvals.result, 'all');
  assert.equal(approvals.answers, approvals.proven);
  assert.equal(approvals.broken, 1);
  assert.ok(approvals.uses >= 3 && approvals.uses === approvals.backed);
  const replayed = await world.verify('--replay', '--keys', world.path('keys'));
  assert.equal(replayed.report.replay.result, 'all', replayed.out);
});

test('a restart keeps the questions, the answers and what the last approved call was', async () => {
  const id = approvalIn((await agent.call('create_entities', entities('INC-9'))).text);
  await world.must(OWNER, 'approve', id, '--yes');
  await world.must('fay@example.com', 'break-glass', 'open', IDENTITY, '--alone', '--reason', 'r',
    '--ticket', 'INC-9', '--yes');
  await agent.close();
  for (const loses of [false, true]) {
    await world.stopped.pop()();
    if (loses) world.removeStore();
    await world.startDaemon();
    const shown = await world.json(OWNER, 'approvals', 'show', id);
    assert.equal(shown.approval.state, 'approved');
    assert.notEqual(shown.last, undefined);
    const { items } = await world.json(OWNER, 'break-glass', 'list');
    assert.deepEqual(items.map(({ state, opener }) => [state, opener]),
      [['open', 'fay@example.com']]);
  }
});
