// The governed stories.  Each is played once as it is, and once more with its
// rule taken away: that twin must break at the step the rule stands for, or the
// story would prove nothing.
import {
  closeSync, cpSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, rmSync,
  writeFileSync, writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { Agent } from './lib/agent.mjs';
import { assertion, keyAt, keysLine } from './lib/keys.mjs';
import { startIssuer } from './lib/issuer.mjs';
import { handOver, startPeer } from './lib/peer.mjs';
import { eventually, sleep } from './lib/world.mjs';

// Replaces text in one file of the charters; it must be there.
const edit = (files, name, before, after) => {
  const text = files.get(name);
  if (!text?.includes(before)) throw new Error(`${name} has no: ${before}`);
  files.set(name, text.replace(before, after));
};

const SUMMARISER = 'charters/50-support-summariser.yaml';
const OPENER = 'charters/50-incident-opener.yaml';
const DEPLOYER = 'charters/50-deployer.yaml';
const READ_TICKETS =
  `- {effect: read, tool: files/read_text_file, when: 'context.args.path like "tickets/*"'}`;

const summary = (text) => text.split('\n').slice(1, 2).join(' ').trim();

// Conditions of the policies that decided, with that result.
const clauses = (why, result) => why.accounts.flatMap((account) => account.parts)
  .filter((part) => part.part === 'when' && part.result === result);

const reads = {
  name: 'support-summariser reads tickets and nothing else',
  async run(world, tell) {
    const agent = await world.agent('support-summariser', 'files');
    try {
      const tools = await agent.tools();
      tell.holds('sees only what it could ever use', tools.join() === 'read_text_file',
        tools.join());
      const before = world.calls('files').length;
      const ticket = await agent.call('read_text_file', { path: 'tickets/41.txt' });
      tell.holds('reads a ticket', ticket.done && ticket.text.includes('export button'),
        ticket.text);
      tell.say(`    "${summary(ticket.text)}"`);
      tell.holds('the server saw that one call', world.calls('files').length === before + 1);
      const payroll = await agent.call('read_text_file', { path: 'private/payroll.txt' });
      tell.holds('is refused a file outside its data source', !payroll.done, payroll.text);
      tell.say(`    "${payroll.text}"`);
      const why = await world.why('support-summariser', 'read', 'files/read_text_file',
        { path: 'private/payroll.txt' }, 'staging');
      const failed = clauses(why, 'false');
      tell.holds('remit why names the clause and its value', failed.length === 1 &&
        failed[0].text === 'context.args.path like "tickets/*"' &&
        failed[0].values[0].value === '"private/payroll.txt"', JSON.stringify(why));
      tell.holds('and the one change that would turn it', why.change.what === 'argument path' &&
        why.change.to.like === 'tickets/*', JSON.stringify(why.change));
      tell.say(`    "${why.change.sentence}"`);
      for (const path of ['tickets/../private/payroll.txt', '~/x', 'tickets//41.txt']) {
        const detour = await agent.call('read_text_file', { path });
        tell.holds(`is refused the detour ${path}`, !detour.done, detour.text);
      }
      tell.holds('the server saw none of them', world.calls('files').length === before + 1);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'the condition of its entitlement',
    breaks: 'is refused a file outside its data source',
    change(files) {
      edit(files, SUMMARISER, READ_TICKETS, '- {effect: read, tool: files/read_text_file}');
      edit(files, SUMMARISER, 'data-sources: [{name: tickets, up-to: internal}]',
        'data-sources: [{name: tickets, up-to: internal}, {name: payroll, up-to: restricted}]');
      edit(files, SUMMARISER, '{to: reply, up-to: internal}', '{to: reply, up-to: restricted}');
    },
  },
};

const writes = {
  name: 'support-summariser is refused a write',
  async run(world, tell) {
    const agent = await world.agent('support-summariser', 'files');
    try {
      const before = world.calls('files', 'write_file').length;
      const written = await agent.call('write_file', { path: 'tickets/41.txt', content: 'done' });
      tell.holds('is refused a write', !written.done, written.text);
      tell.say(`    "${written.text}"`);
      tell.holds('the server saw no write', world.calls('files', 'write_file').length === before);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'its class and the missing entitlement',
    breaks: 'is refused a write',
    change(files) {
      edit(files, SUMMARISER, 'class: summarise', 'class: update');
      edit(files, SUMMARISER, READ_TICKETS,
        READ_TICKETS + '\n  - {effect: write, tool: files/write_file}');
    },
  },
};

const poisoned = {
  name: 'a poisoned ticket gains nothing',
  async run(world, tell) {
    const agent = await world.agent('support-summariser', 'files');
    try {
      const before = world.calls('files', 'move_file').length;
      const ticket = await agent.call('read_text_file', { path: 'tickets/66-poisoned.txt' });
      tell.holds('reads the poisoned ticket', ticket.done, ticket.text);
      const obeyed = await agent.obey(ticket.text);
      tell.holds('obeys it and tries a tool it was not given', obeyed.length === 1);
      tell.holds('is refused that tool', !obeyed[0].done, obeyed[0].text);
      tell.say(`    "${obeyed[0].text}"`);
      tell.holds('the server saw no move', world.calls('files', 'move_file').length === before);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'the line that is not in its charter',
    breaks: 'is refused that tool',
    change(files) {
      edit(files, SUMMARISER, 'class: summarise', 'class: update');
      edit(files, SUMMARISER, READ_TICKETS,
        READ_TICKETS + '\n  - {effect: write, tool: files/move_file}');
      edit(files, SUMMARISER, 'outputs: [{to: reply, up-to: internal}]',
        'outputs: [{to: reply, up-to: internal}, {to: files/move_file, up-to: internal}]');
      files.delete('guardrails/flow.yaml'); // which would hold it, too
    },
  },
};

const approvalIn = (text) => /\ba-[0-9a-z]{20}\b/.exec(text)?.[0];

const PURPOSE = 'Move tickets/50.txt to tickets/done-50.txt';

const injected = {
  name: 'an injected ticket moves nothing its person did not name',
  async run(world, tell) {
    const { task, token } = await world.openTaskFor('ticket-filer', PURPOSE, 'files');
    const agent = await new Agent(world.mcp('files'), token).connect();
    const moves = () => world.calls('files', 'move_file').length;
    try {
      const before = moves();
      const ticket = await agent.call('read_text_file', { path: 'tickets/66-poisoned.txt' });
      tell.holds('reads what a stranger wrote', ticket.done, ticket.text);
      const [obeyed] = await agent.obey(ticket.text);
      const id = approvalIn(obeyed.text);
      tell.holds('obeys it, with a tool it may use, and is held', !obeyed.done && id !== undefined,
        obeyed.text);
      tell.say(`    "${obeyed.text}"`);
      const card = await world.json('ana@example.com', 'approvals', 'show', id);
      const { origins } = card.approval;
      const from = origins.from.find(({ argument }) => argument === 'destination');
      tell.holds('its owner sees where the destination came from',
        from?.origin === 'untrusted' && from.record !== undefined, JSON.stringify(origins));
      await world.must('ana@example.com', 'reject', id, '--reason', 'nobody asked', '--yes');
      tell.holds('the server saw no move', moves() === before);
      const asked = await agent.call('move_file',
        { source: 'tickets/50.txt', destination: 'tickets/done-50.txt' });
      tell.holds('what its person named goes, and asks nobody', asked.done, asked.text);
      tell.holds('the server saw that one move', moves() === before + 1);
      const labels = await world.json(null, 'task', 'show', task);
      tell.holds('the task says which record made it untrusted',
        labels.untrusted_source?.record === from.record, JSON.stringify(labels));
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'the guardrail org/endorsed-targets',
    breaks: 'obeys it, with a tool it may use, and is held',
    change(files) {
      files.delete('guardrails/flow.yaml');
    },
  },
};

const incident = {
  name: 'incident-opener writes what its owner approved, exactly',
  async run(world, tell) {
    const agent = await world.agent('incident-opener', 'memory');
    const entities = (name) => ({
      entities: [{ name, entityType: 'incident', observations: ['invoices show an old address'] }],
    });
    const writesSeen = () => world.calls('memory', 'create_entities').length;
    const title = `invoices-${Date.now()}`;
    try {
      const before = writesSeen();
      const first = await agent.call('create_entities', entities(title));
      const id = approvalIn(first.text);
      tell.holds('is held until a person answers', !first.done && id !== undefined, first.text);
      tell.say(`    "${first.text}"`);
      tell.holds('the server saw nothing', writesSeen() === before);
      const shown = await world.must('dan@example.com', 'approvals', 'show', id);
      tell.holds('the owner sees the complete arguments',
        shown.includes(title) && shown.includes('invoices show an old address'), shown);
      const wrong = await world.remit('bo@example.com', 'approve', id, '--yes');
      tell.holds('somebody else may not approve it', wrong.code === 1, wrong.out + wrong.err);
      await world.must('dan@example.com', 'approve', id, '--yes');
      const changed = await agent.call('create_entities', entities(title + '-and-more'));
      tell.holds('the approval does not open a changed call',
        !changed.done && approvalIn(changed.text) !== id, changed.text);
      tell.holds('the server still saw nothing', writesSeen() === before);
      const again = await agent.call('create_entities', entities(title));
      tell.holds('the approved call goes', again.done, again.text);
      tell.holds('the server saw that one call', writesSeen() === before + 1);
      const twice = await agent.call('create_entities', entities(title));
      tell.holds('an approval opens one call once', !twice.done, twice.text);
      tell.holds('the server saw no second one', writesSeen() === before + 1);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'approvals: [owner]',
    breaks: 'is held until a person answers',
    change(files) {
      edit(files, OPENER, ', approvals: [owner]', '');
    },
  },
};

const across = {
  name: 'a call across units waits for the word of both',
  async run(world, tell) {
    const agent = await world.agent('incident-opener', 'files');
    const move = { source: 'tickets/42.txt', destination: 'tickets/42-in-incident.txt' };
    const seen = () => world.calls('files', 'move_file').length;
    try {
      const before = seen();
      const held = await agent.call('move_file', move);
      const id = approvalIn(held.text);
      tell.holds('is held until people answer', !held.done && id !== undefined, held.text);
      const boss = await world.remit('eva@example.com', 'approve', id, '--yes');
      tell.holds('the administrator of both may not answer for support', boss.code === 1,
        boss.out + boss.err);
      const own = await world.remit('dan@example.com', 'approve', id, '--yes');
      tell.holds('its owner may, and somebody of support is missing still', own.code === 6,
        own.out + own.err);
      const early = await agent.call('move_file', move);
      tell.holds('one unit alone opens nothing', !early.done && seen() === before, early.text);
      await world.must('bo@example.com', 'approve', id, '--yes');
      const moved = await agent.call('move_file', move);
      tell.holds('with the word of both it goes', moved.done && seen() === before + 1, moved.text);
      await sleep(1100); // a checkpoint is signed within a second
      const proof = await world.verify('--approvals');
      tell.holds('the verifier proves who said yes to it',
        proof.report.approvals.result === 'all' && proof.report.approvals.backed > 0, proof.out);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'unit/support',
    breaks: 'its owner may, and somebody of support is missing still',
    change(files) {
      edit(files, OPENER, ', unit/support]', ']');
    },
  },
};

const LONG = 'trigger-long-running-operation';

const staging = {
  name: 'a staging identity is refused production',
  async run(world, tell) {
    await reactivated(world);
    const own = await world.agent('deployer', 'deploy-staging');
    const other = await world.agent('deployer', 'deploy-prod');
    try {
      const roll = await own.call(LONG, { duration: 1, steps: 1 });
      tell.holds('rolls out to staging', roll.done, roll.text);
      const before = world.calls('deploy-prod').length;
      const prod = await other.call(LONG, { duration: 1, steps: 1 });
      tell.holds('is refused production', !prod.done, prod.text);
      tell.say(`    "${prod.text}"`);
      const why = await world.why('deployer', 'execute', `deploy-prod/${LONG}`,
        { duration: 1, steps: 1 }, 'staging');
      tell.holds('remit why shows both clauses of the policy that held',
        clauses(why, 'true').map((part) => part.text).join(' && ') ===
          'resource.environment == "prod" && context.environment != "prod"',
        JSON.stringify(why));
      tell.holds('and that only a call from production would do',
        why.change.what === 'environment of the call' && why.change.to === 'prod',
        JSON.stringify(why.change));
      tell.holds('production saw no call', world.calls('deploy-prod').length === before);
    } finally {
      await own.close();
      await other.close();
    }
  },
  twin: {
    rule: 'the policy org/no-prod-from-staging',
    breaks: 'is refused production',
    change(files) {
      files.delete('charters/40-policies.yaml');
    },
  },
};

// What a sandbox's charter would be after its promotion.
const PROMOTED = (name, environments, lines) => `object: identity
name: ${name}
kind: agent
class: execute
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Tries prompts
environments: [${environments}]
entitlements:
${lines}
`;

const sandbox = {
  name: 'a sandbox identity is refused production',
  async run(world, tell, isTwin) {
    // Names are used once, and var/ may have seen this story before.
    const name = isTwin ? 'prompt-trial' : `prompt-trial-${Date.now().toString(36)}`;
    if (!isTwin) {
      const key = world.path('agents', `${name}.pem`);
      const opened = await world.remit('ana@example.com', 'sandbox', 'open', name, '--unit',
        'support', '--backup-owner', 'bo@example.com', '--purpose', 'Tries prompts', '--key', key);
      tell.holds('one person opens it alone, in one command', opened.code === 0,
        opened.out + opened.err);
      tell.say(`    "${opened.out.split('\n')[0]}"`);
      world.keys[name] = { path: key };
    }
    const own = await world.agent(name, 'playground');
    const other = await world.agent(name, 'deploy-prod');
    try {
      const said = await own.call('echo', { message: 'a trial' });
      tell.holds('works in dev', said.done && said.text.includes('a trial'), said.text);
      const before = world.calls('deploy-prod').length;
      const prod = await other.call(LONG, { duration: 1, steps: 1 });
      tell.holds('is refused production', !prod.done, prod.text);
      tell.say(`    "${prod.text}"`);
      tell.holds('production saw no call', world.calls('deploy-prod').length === before);
      const why = await world.why(name, 'execute', `deploy-prod/${LONG}`,
        { duration: 1, steps: 1 }, 'dev');
      tell.holds('remit why says that no line of its charter would do',
        why.reason === 'sandbox' && why.change.kind === 'none', JSON.stringify(why));
      const file = world.path(`${name}.yaml`);
      writeFileSync(file, PROMOTED(name, 'dev, prod',
        `  - {effect: execute, tool: deploy-prod/${LONG}}`));
      await world.apply('ana@example.com', '-f', file);
      const alone = await world.remit('ana@example.com', 'identity', 'approve', name, '--yes');
      tell.holds('its owner cannot promote it alone', alone.code !== 0, alone.out);
      const again = await other.call(LONG, { duration: 1, steps: 1 });
      tell.holds('and is refused production still', !again.done, again.text);
    } finally {
      await own.close();
      await other.close();
    }
    const tried = async () => (await world.json(null, 'findings', 'list')).items.find(
      ({ kind, subject }) => kind === 'sandbox-outside' && subject === `identity/${name}`);
    tell.holds('that it tried is a finding, which a person closes', await eventually(tried));
    await world.must('adi@example.com', 'findings', 'close', (await tried()).id, '--reason',
      'a story');
    await world.must('ana@example.com', 'identity', 'retire', name, '--reason', 'tried', '--yes');
  },
  twin: {
    rule: 'being a sandbox',
    breaks: 'is refused production',
    approve: { 'prompt-trial': 'bo@example.com' },
    change(files, world) {
      const { jwk } = (world.keys['prompt-trial'] = keyAt(
        world.path('agents', 'prompt-trial.pem')));
      files.set('charters/50-prompt-trial.yaml', PROMOTED('prompt-trial', 'dev, prod',
        `  - {effect: read, tool: playground/echo}
  - {effect: execute, tool: deploy-prod/${LONG}}`) + keysLine('dev', jwk) + '\n');
      files.delete('charters/40-policies.yaml'); // which would hold it, too
    },
  },
};

// After an earlier run on the same data folder: two people lift the suspension.
const reactivated = async (world) => {
  const entry = await world.json('eva@example.com', 'identity', 'show', 'deployer');
  if (entry.state !== 'suspended') return;
  for (const person of ['eva@example.com', 'dan@example.com']) {
    await world.must(person, 'identity', 'reactivate', 'deployer', '--reason', 'next run',
      '--yes');
  }
};

// Opens the GET stream by hand, so that its end is seen as it happens.
const openStream = async (agent) => {
  const stop = new AbortController();
  const answer = await fetch(agent.url, {
    headers: {
      Authorization: `Bearer ${agent.token}`,
      Accept: 'text/event-stream',
      'Mcp-Session-Id': agent.transport.sessionId,
      'MCP-Protocol-Version': agent.transport.protocolVersion ?? '2025-11-25',
    },
    signal: stop.signal,
  });
  const stream = { status: answer.status, ended: false, stop: () => stop.abort() };
  const drain = async () => {
    for await (const part of answer.body) void part;
  };
  drain().then(() => (stream.ended = true), () => (stream.ended = true));
  return stream;
};

const killed = {
  name: 'deployer is killed mid-work',
  async run(world, tell, isTwin) {
    await reactivated(world);
    const worker = await world.agent('deployer', 'deploy-staging');
    const second = await world.agent('deployer', 'deploy-staging');
    const stream = await openStream(second);
    try {
      tell.holds('its stream is open', stream.status === 200 && !stream.ended, `${stream.status}`);
      const seen = () => world.calls('deploy-staging', LONG).length;
      const before = seen();
      const work = worker.call(LONG, { duration: 4, steps: 8 });
      tell.holds('is at work', await eventually(() => seen() === before + 1, 5000));
      if (!isTwin) {
        await world.must(null, 'kill', 'identity', 'deployer', '--reason', 'INC-7', '--yes');
      }
      const next = await second.call('echo', { message: 'still there?' });
      tell.holds('its next call is refused', !next.done, next.text);
      tell.say(`    "${next.text}"`);
      tell.holds('the server saw no echo', world.calls('deploy-staging', 'echo')
        .every(({ params }) => params.arguments?.message !== 'still there?'));
      tell.holds('its stream ends', await eventually(() => stream.ended, 2000));
      const late = await world.askForToken('deployer', world.keys.deployer, 'deploy-staging');
      tell.holds('it gets no new token', late.status >= 400 && !late.body.access_token,
        JSON.stringify(late.body));
      const result = await Promise.race([work, sleep(8000).then(() => null)]);
      tell.holds('what was under way does not answer as if nothing had happened',
        result !== null && !result.done, result?.text);
      const alone = await world.remit('dan@example.com', 'identity', 'reactivate', 'deployer',
        '--reason', 'INC-7 is over', '--yes');
      const state = (await world.json('eva@example.com', 'identity', 'show', 'deployer')).state;
      tell.holds('one person alone does not bring it back', state === 'suspended', alone.out);
      await world.must('eva@example.com', 'identity', 'reactivate', 'deployer',
        '--reason', 'INC-7 is over', '--yes');
      const back = (await world.json('eva@example.com', 'identity', 'show', 'deployer')).state;
      tell.holds('two people do', back === 'active', back);
    } finally {
      stream.stop();
      await worker.close();
      await second.close();
    }
  },
  twin: { rule: 'the kill itself', breaks: 'its next call is refused' },
};

const unregistered = {
  name: 'an unregistered client gets no token',
  async run(world, tell) {
    const before = world.calls('files').length;
    const answer = await world.askForToken('nobody', world.keys.nobody, 'files');
    tell.holds('gets no token', answer.status === 401 && !answer.body.access_token,
      JSON.stringify(answer));
    tell.say(`    ${answer.status} ${JSON.stringify(answer.body)}`);
    const borrowed = await world.askForToken('support-summariser', world.keys.nobody, 'files');
    tell.holds('nor under a name that is registered', borrowed.status === 401,
      JSON.stringify(borrowed));
    const bare = await fetch(world.mcp('files'), {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    tell.holds('without a token the door says 401 and where to get one',
      bare.status === 401 && /resource_metadata=/.test(bare.headers.get('www-authenticate')),
      `${bare.status}`);
    tell.holds('the server saw nothing', world.calls('files').length === before);
  },
  twin: {
    rule: 'that it is not registered',
    breaks: 'gets no token',
    change(files, world) {
      const text = files.get(SUMMARISER)
        .replace('name: support-summariser', 'name: nobody')
        .replace(/^keys: .*$/m, world.keysLineOf('nobody'));
      files.set('charters/50-nobody.yaml', text);
    },
    approve: { nobody: 'bo@example.com' },
  },
};

const draft = {
  name: 'a draft identity gets no token',
  async run(world, tell) {
    const entry = await world.json('cy@example.com', 'identity', 'show', 'night-auditor');
    const answer = await world.askForToken('night-auditor', world.keys['night-auditor'], 'files');
    tell.holds('gets no token', answer.status >= 400 && !answer.body.access_token,
      JSON.stringify(answer));
    tell.say(`    ${entry.state}: ${answer.status} ${JSON.stringify(answer.body)}`);
  },
  twin: {
    rule: 'that nobody approved it',
    breaks: 'gets no token',
    change(files) {
      files.set('charters/50-night-auditor.yaml', files.get('drafts/night-auditor.yaml'));
      files.delete('drafts/night-auditor.yaml');
    },
    approve: { 'night-auditor': 'bo@example.com' },
  },
};

const TOOLS_FILE = 'charters/30-tools.yaml';
const GLOSSARY_PIN = /(name: glossary\/explain\n(?:.*\n)*?)definition: sha256:[0-9a-f]{64}\n/;

const rugPull = {
  name: 'a server changes a tool after review',
  async run(world, tell) {
    const offered = () => world.json(null, 'definition', 'show', 'glossary/explain');
    const calls = () => world.calls('glossary').length;
    const ask = () => agent.call('explain', { word: 'SLA', context: 'what it asks for' });
    const agent = await world.agent('support-summariser', 'glossary');
    try {
      const reviewed = await offered();
      const first = await agent.call('explain', { word: 'SLA' });
      tell.holds('the tool answers as reviewed',
        first.done && first.text === 'service level agreement', first.text);
      const before = calls();
      writeFileSync(world.path('servers', 'glossary', 'turned'), '');
      tell.holds('the server asks for more, and remit sees it', await eventually(
        async () => (await offered()).definition !== reviewed.definition));
      const changed = await offered();
      const refused = await ask();
      tell.holds('the changed tool is refused',
        !refused.done && /\btool_quarantined\b/.test(refused.text), refused.text);
      tell.say(`    "${refused.text}"`);
      tell.holds('the refusal names what was pinned and what is offered',
        refused.text.includes(reviewed.definition) && refused.text.includes(changed.definition),
        refused.text);
      tell.holds('the agent does not see it either', (await agent.tools()).length === 0);
      tell.holds('the server saw no call', calls() === before);
      tell.holds('people see the difference', changed.state === 'differs' &&
        changed.offered.description.includes('private/payroll.txt'), JSON.stringify(changed));
      const findings = async () => (await world.json(null, 'findings', 'list')).items.filter(
        ({ kind }) => kind === 'tool-drift');
      const [found] = await findings();
      tell.holds('it is found, with the control it speaks to', found?.kind === 'tool-drift' &&
        found.subject === 'glossary/explain' && found.control === 'G-28', JSON.stringify(found));
      const file = world.path('apply', '30-tools.yaml');
      const text = readFileSync(file, 'utf8').replace(GLOSSARY_PIN,
        `$1definition: ${changed.definition}\n`);
      writeFileSync(file, text);
      const alone = await world.remit('ana@example.com', 'apply', '--yes', '-f', file);
      tell.holds('who is no administrator cannot pin it', alone.code === 1, alone.err);
      await world.must('adi@example.com', 'apply', '--yes', '-f', file);
      const again = await ask();
      tell.holds('once an administrator pins it, the call goes', again.done, again.text);
      const formless = await agent.call('explain', { word: ['SLA'] });
      tell.holds('arguments of another form than was pinned are refused', !formless.done &&
        /\barguments_invalid\b.*\/word must be string/.test(formless.text), formless.text);
      tell.holds('the server saw that one call', calls() === before + 1);
      await world.must('adi@example.com', 'findings', 'close', found.id, '--reason', 'reviewed');
      tell.holds('and the finding is closed by a person', (await findings()).length === 0);
    } finally {
      await agent.close();
    }
  },
  twin: {
    rule: 'the pin',
    breaks: 'the changed tool is refused',
    change(files) {
      const text = files.get(TOOLS_FILE);
      if (!GLOSSARY_PIN.test(text)) throw new Error(`${TOOLS_FILE} pins no glossary/explain`);
      files.set(TOOLS_FILE, text.replace(GLOSSARY_PIN, '$1'));
    },
  },
};

const RESEARCHER = 'charters/50-support-researcher.yaml';
const idsOf = (answer) =>
  (answer.result?.structuredContent?.rows ?? []).map(({ id }) => id).sort();

const knowledge = {
  name: 'a retrieval is filtered by sensitivity',
  async run(world, tell) {
    const log = () => readFileSync(world.path('knowledge', 'queries.jsonl'), 'utf8').trim()
      .split('\n').map((line) => JSON.parse(line));
    const lying = world.path('knowledge', 'lying');
    const agent = await world.agent('support-researcher', 'knowledge');
    try {
      const found = await agent.call('search', { query: 'refund' });
      tell.holds('finds articles about refunds', found.done && idsOf(found).includes('kb-201'),
        found.text);
      tell.holds('sees no row above internal', idsOf(found).join() === 'kb-101,kb-201',
        found.text);
      tell.say(`    rows up to ${log().at(-1).ceiling}: ${idsOf(found).join(', ')}`);
      const forged = await agent.client.callTool({
        name: 'search', arguments: { query: 'refund' }, _meta: { 'remit/ceiling': 'restricted' },
      });
      tell.holds('a ceiling that the agent claims is overwritten',
        log().at(-1).ceiling === 'internal' && forged.structuredContent.rows.length === 2);
      const record = log().at(-1).record;
      let mine;
      await eventually(async () => {
        const outcomes = await world.json(null, 'audit', 'search', '--source', 'articles', '--type',
          'outcome');
        mine = outcomes.items.map((item) => item.record).find(
          (one) => one.decision === record)?.retrieval;
        return mine;
      });
      tell.holds('the record says what was read', mine?.count === 2 &&
        mine.objects.slice().sort().join() === 'kb-101,kb-201' && mine.sensitivity === 'internal' &&
        mine.sources.join() === 'articles', JSON.stringify(mine));
      tell.say(`    ${JSON.stringify(mine)}`);
      writeFileSync(lying, '');
      const lie = await agent.call('search', { query: 'refund' });
      tell.holds('what a server sends above it all the same is withheld',
        !lie.done && /withheld/.test(lie.text) && !/Miller|settlement/.test(lie.text), lie.text);
      tell.say(`    "${lie.text}"`);
      rmSync(lying);
      const article = await agent.client.readResource({ uri: 'kb://public/kb-101' });
      tell.holds('reads a public article by its URI',
        article.contents[0].text.includes('five working days'));
      for (const uri of ['kb://internal/kb-201', 'kb://public/../internal/kb-201',
        'file:///etc/passwd']) {
        const refused = await agent.client.readResource({ uri }).then(
          () => 'it was read', (error) => error.message);
        tell.holds(`is refused ${uri}`, /^MCP error -32010: Refused/.test(refused), refused);
      }
      const listed = await agent.client.listResources();
      tell.holds('is listed only what it may read',
        listed.resources.map(({ uri }) => uri).join() === 'kb://public/kb-101,kb://public/kb-102',
        JSON.stringify(listed));
      await agent.close();
      const done = await world.remit(null, 'audit', 'reconcile', '--source',
        'articles,articles-public', '--log', world.path('knowledge', 'queries.jsonl'));
      tell.holds("each read in the server's own log has its record, and each record its read",
        done.code === 0, done.out + done.err);
      tell.say(`    ${done.err.trim()}`);
    } finally {
      rmSync(lying, { force: true });
      await agent.close();
    }
  },
  twin: {
    rule: 'the ceiling in its charter',
    breaks: 'sees no row above internal',
    change(files) {
      edit(files, RESEARCHER, '{name: articles, up-to: internal}',
        '{name: articles, up-to: restricted}');
      edit(files, RESEARCHER, '{to: reply, up-to: internal}', '{to: reply, up-to: restricted}');
    },
  },
};

const allFiles = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? allFiles(join(folder, entry.name)) : [join(folder, entry.name)]);

const flip = (file, offset) => {
  const handle = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(handle, byte, 0, 1, offset);
  byte[0] ^= 1;
  writeSync(handle, byte, 0, 1, offset);
  closeSync(handle);
};

const record = {
  name: 'the record proves itself',
  async run(world, tell, isTwin) {
    const agent = await world.agent('support-summariser', 'files');
    const refused = await agent.call('read_text_file', { path: 'private/payroll.txt' });
    await agent.close();
    tell.holds('a refusal is made to be found', !refused.done);
    const trace = await world.must('bo@example.com', 'trace', agent.task);
    tell.holds('remit trace shows the refused call', /deny/.test(trace), trace);
    await sleep(1100); // a checkpoint is signed within a second
    const copy = world.path('copy-of-audit');
    rmSync(copy, { recursive: true, force: true });
    cpSync(world.path('audit'), copy, { recursive: true });
    const whole = await world.verifier('--allow-tail', copy);
    tell.holds('an outsider verifies the log offline', whole.code === 0, whole.out + whole.err);
    const segment = allFiles(join(copy, 'segments')).sort()[0];
    const offset = readFileSync(segment).lastIndexOf('"verdict":"deny"') + 12;
    if (!isTwin) flip(segment, offset);
    const broken = await world.verifier('--allow-tail', copy);
    const words = broken.out + broken.err;
    tell.holds('one flipped byte is found', broken.code === 1, words);
    tell.holds('and named: record, or file and offset',
      /record #?\d+|#\d+|offset \d+/.test(words), words);
    tell.say(`    "${words.trim().split('\n').at(-1)}"`);
    rmSync(copy, { recursive: true, force: true });
  },
  twin: { rule: 'the flipped byte', breaks: 'one flipped byte is found' },
};

const asked = async (world, token, content) => {
  const answer = await fetch(`${world.url}/llm/local/v1/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'small-1', stream: true, messages: [{ role: 'user', content }] }),
  });
  return { status: answer.status, text: await answer.text() };
};
const said = (text) => [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join('');

const model = {
  name: 'a model is asked, counted and stopped',
  async run(world, tell) {
    const { task, token } = await world.openTaskAt('support-summariser', `${world.url}/llm/local`);
    const reader = await world.agent('support-summariser', 'files', task);
    const ticket = await reader.call('read_text_file', { path: 'tickets/41.txt' });
    await reader.close();
    const first = await asked(world, token, `Summarise: ${ticket.text.slice(0, 200)}`);
    tell.holds('is answered as the provider streams',
      first.status === 200 && first.text.endsWith('data: [DONE]\n\n'), first.text);
    tell.say(`    "${said(first.text).trim()}"`);
    const reached = world.reached('local');
    tell.holds('the provider saw its own key, and no token', reached.length > 0 &&
      reached.every(({ authorization }) => !authorization.includes(token)));
    const records = async () => (await world.json('bo@example.com', 'audit', 'search', '--task',
      task)).items.map((item) => item.record);
    const ended = async () => (await records()).filter(({ generation }) => generation);
    tell.holds('what it cost is on record', await eventually(async () =>
      (await ended()).length === 1) && (await ended())[0].generation.used.tokens > 0);
    const { labels } = (await records()).find(({ effect }) => effect === 'generate');
    tell.holds('with what the task had read', labels?.sensitivity === 'internal',
      JSON.stringify(labels));
    const long = await asked(world, token, 'And now at length.');
    tell.holds('is stopped when its budget is used up', !long.text.includes('[DONE]') &&
      long.text.includes('"code":"budget"'), long.text.slice(-300));
    tell.say(`    "${/"message":"([^"]*)"/.exec(long.text.slice(-400))?.[1]}"`);
    const more = await asked(world, token, 'Once more.');
    tell.holds('and refused from then on', more.status === 429, more.text);
  },
  twin: {
    rule: 'the budget of its charter',
    breaks: 'is stopped when its budget is used up',
    change(files) {
      edit(files, SUMMARISER, ', budget-per-task: {tokens: 300, spend: 1000}', '');
    },
  },
};

const HANDED = (name, purpose, lines, key) => `object: identity
name: ${name}
kind: agent
class: retrieve
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: ${purpose}
environments: [staging]
${lines}
${key ? keysLine('staging', key.jwk) : 'keys: []'}
---
`;
const PEER = (name, skill, url) => `object: server
name: ${name}
speaks: a2a
transport: {url: "${url}"}
environment: staging
unit: support
---
object: tool
name: ${name}/${skill}
effect: delegate
up-to: internal
risk: low
reversal: none-needed
---
`;

// front-desk hands to scribe, who hands on to printer: front-desk itself may not hand to printer.
const handedOn = (names, urls, keys, isTwin) => HANDED(names.desk, 'Hands letters to a scribe',
  `entitlements:
  - {effect: delegate, resource: "peer:${names.scribe}"}
${isTwin ? `  - {effect: delegate, resource: "peer:${names.printer}"}\n` : ''}peers: [{identity: ${
  names.scribe}, effects: [read], up-to: internal, depth: 1}]`, keys.desk) +
  HANDED(names.scribe, 'Writes letters and has them printed',
    `entitlements: [{effect: delegate, resource: "peer:${names.printer}"}]`, keys.scribe) +
  HANDED(names.printer, 'Prints letters', 'entitlements: []') +
  PEER(names.scribe, 'write', urls.scribe) + PEER(names.printer, 'print', urls.printer);

// A token of the scribe's own, for the printer, in exchange for the one it was handed (RFC 8693).
const exchanged = async (world, subject, name, key, resource) => {
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: name,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(key, name, world.url), subject_token: subject, resource,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  });
  return (await answer.json()).access_token;
};

const handed = {
  name: 'work that is handed on is refused at the second hop',
  async run(world, tell, isTwin) {
    // Names are used once, and var/ may have seen this story before.
    const end = Date.now().toString(36);
    const names = { desk: `front-desk-${end}`, scribe: `scribe-${end}`, printer: `printer-${end}` };
    const keys = {};
    for (const who of ['desk', 'scribe']) {
      keys[who] = keyAt(world.path('agents', `${names[who]}.pem`));
    }
    world.keys[names.desk] = keys.desk;
    const at = (who) => `${world.url}/a2a/${names[who]}`;
    const printer = await startPeer(names.printer, 'print', (text) => `printed: ${text}`);
    let given = '';
    const scribe = await startPeer(names.scribe, 'write', async (text, token) => {
      given = token;
      const own = await exchanged(world, token, names.scribe, keys.scribe, at('printer'));
      return (await handOver(at('printer'), own, 'print', `Dear customer, ${text}`)).text;
    });
    try {
      const urls = { scribe: scribe.url, printer: printer.url };
      const file = world.path(`${names.desk}.yaml`);
      writeFileSync(file, handedOn(names, urls, keys, isTwin).replace(/---\n$/, ''));
      await world.apply('adi@example.com', '-f', file);
      for (const who of Object.values(names)) {
        await world.must('bo@example.com', 'identity', 'approve', who, '--yes');
      }
      const { task, token } = await world.openTaskAt(names.desk, at('scribe'));
      const answer = await handOver(at('scribe'), token, 'write', 'all is well.');
      tell.holds('the first hop is done', answer.done && scribe.reached.length === 1, answer.text);
      tell.holds('with a token that opens nothing else', given !== '' && given !== token &&
        !(await handOver(at('scribe'), given, 'write', 'again').catch((wrong) => wrong)).done);
      tell.holds('is refused at the second hop', printer.reached.length === 0 &&
        answer.text.includes(names.desk), answer.text);
      tell.say(`    "${answer.text}"`);
      const found = await world.json(null, 'audit', 'search', '--identity', names.scribe);
      const refused = found.items.map(({ record }) => record).find(
        ({ type, verdict }) => type === 'decision' && verdict === 'deny');
      tell.holds('and is on record, with the task that it was for',
        refused?.chain?.includes(task), JSON.stringify(refused));
      const hops = (await world.json(null, 'trace', refused.task, '--hops')).items;
      const denied = hops.flatMap(({ identity, decisions }) => decisions
        .filter(({ record: { verdict } }) => verdict === 'deny')
        .map(({ record: { tool } }) => `${identity} ${tool}`));
      tell.holds('remit trace --hops shows both links, and which was refused',
        hops.map(({ identity }) => identity).join() === `${names.desk},${names.scribe}` &&
        denied.join() === `${names.scribe} ${names.printer}/print`, JSON.stringify(hops));
    } finally {
      scribe.close();
      printer.close();
    }
  },
  twin: {
    rule: 'that each charter above must let it',
    breaks: 'is refused at the second hop',
  },
};

const WORKLOAD = (name, issuer, url, rule) => `object: issuer
name: ${issuer}
unit: support
speaks: oidc
url: ${url}
algorithms: [ES256]
private-addresses: allowed
---
object: identity
name: ${name}
kind: agent
class: summarise
risk: low
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Reads tickets on the platform it runs on
environments: [staging]
data-sources: [{name: tickets, up-to: internal}]
outputs: [{to: reply, up-to: internal}]
entitlements:
  ${READ_TICKETS}
limits: {task: 15m}
federation:
  - {issuer: ${issuer}, environment: staging, ${rule}}
`;

// What the token endpoint says to a platform's token.
const byPlatform = async (world, token, name) => {
  const answer = await fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: name, resource: world.mcp('files'),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: token,
    }),
  });
  return { status: answer.status, ...(await answer.json()) };
};

const workload = {
  name: 'a workload proves itself by its platform, without a key',
  async run(world, tell, isTwin) {
    // Names are used once, and var/ may have seen this story before.
    const end = Date.now().toString(36);
    const [name, issuer] = [`ticket-reader-${end}`, `platform-${end}`];
    const platform = await startIssuer();
    try {
      const rule = isTwin ? 'subject-prefix: "job:"' : 'subject: "job:reader"';
      const file = world.path(`${name}.yaml`);
      writeFileSync(file, WORKLOAD(name, issuer, platform.url, rule));
      await world.apply('adi@example.com', '-f', file);
      const before = await byPlatform(world, platform.tokenFor('job:reader', world.url), name);
      tell.holds('one person alone lets no platform in', before.status === 401, before.error);
      await world.must('bo@example.com', 'issuer', 'approve', issuer, '--yes');
      await world.must('bo@example.com', 'identity', 'approve', name, '--yes');
      const token = platform.tokenFor('job:reader', world.url);
      const given = await byPlatform(world, token, name);
      tell.holds('its platform\'s token opens a task', given.status === 200, given.error);
      const agent = await new Agent(world.mcp('files'), given.access_token).connect();
      const ticket = await agent.call('read_text_file', { path: 'tickets/41.txt' })
        .finally(() => agent.close());
      tell.holds('and the task reads a ticket', ticket.done, ticket.text);
      tell.say(`    "${summary(ticket.text)}"`);
      const again = await byPlatform(world, token, name);
      tell.holds('the same token opens no second one', again.status === 401, again.error);
      const other = await byPlatform(world, platform.tokenFor('job:other', world.url), name);
      tell.holds('nor does another workload\'s', other.status === 401, other.error);
      const elsewhere = await byPlatform(
        world, platform.tokenFor('job:reader', 'https://else.example'), name);
      tell.holds('nor one that was meant for others', elsewhere.status === 401, elsewhere.error);
      const { items } = await world.json(null, 'credential', 'list');
      const { object } = await world.json(null, 'identity', 'show', name);
      tell.holds('no key of it is anywhere, and nothing of it stands', object.keys === undefined &&
        !items.some((item) => item.object === `identity/${name}`), JSON.stringify(items));
    } finally {
      platform.close();
    }
  },
  twin: {
    rule: 'the exact subject of its rule',
    breaks: 'nor does another workload\'s',
  },
};

// ---- an owner who leaves ----

const SCIM_USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const SCIM_ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const SCIM_PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

// What the staff system of the organisation asks, as directories do (RFC 7644).
const scimOf = (world, token) => async (method, path, body) => {
  const answer = await fetch(`${world.url}/scim/v2${path}`, {
    method, body: JSON.stringify(body),
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
  });
  return { status: answer.status, body: await answer.json() };
};

const UNIT = (name) => `object: unit\nname: ${name}\n---\n`;
const OWNED = (name, unit, owner, backup, lines, key) => `object: identity
name: ${name}
kind: agent
class: update
risk: low
owner: ${owner}
backup-owner: ${backup}
unit: ${unit}
purpose: Says what customers bring in
environments: [staging]
outputs: [{to: reply, up-to: internal}, {to: files/move_file, up-to: internal}]
data-sources: [{name: tickets, up-to: internal}]
${lines}
${key ? keysLine('staging', key.jwk) : 'keys: []'}
---
`;

// planner of Sales may hand data-agent of Finance one skill, and not the other.
const leaving = (names, people, url, keys) => UNIT(names.sales) + UNIT(names.finance) +
  OWNED(names.planner, names.sales, 'cy@example.com', 'bo@example.com',
    `entitlements:
  - effect: delegate
    resource: "peer:${names.agent}"
    when: 'resource.skill == "aggregate_revenue"'
peers: [{identity: ${names.agent}, effects: [read], up-to: internal, depth: 1}]`, keys.planner)
    .replace('class: update', 'class: retrieve')
    .replace(/outputs:.*\ndata-sources:.*\n/, 'outputs: [{to: reply, up-to: internal}]\n') +
  OWNED(names.agent, names.finance, people.owner, people.backup, `entitlements:
  - {effect: read, tool: files/read_text_file}
  - {effect: write, tool: files/move_file}`, keys.agent) +
  PEER(names.agent, 'aggregate_revenue', url).replace('unit: support', `unit: ${names.finance}`) +
  `object: tool
name: ${names.agent}/export_rows
effect: delegate
up-to: internal
risk: low
reversal: none-needed
---
object: data-source
name: ledger-${names.finance}
unit: ${names.finance}
custodian: ${people.backup}
environment: staging
sensitivity: internal
`;

const ownerless = async (world, name) => (await world.json(null, 'leaver', 'list')).items
  .filter(({ identity, need }) => identity === name && need === 'owner-left');

const left = {
  name: 'an owner leaves, and another answers for the agent',
  async run(world, tell, isTwin) {
    // Names are used once, and var/ may have seen this story before.
    const end = Date.now().toString(36);
    const names = { planner: `planner-${end}`, agent: `data-agent-${end}`, sales: `sales-${end}`,
      finance: `finance-${end}`, directory: `staff-${end}` };
    const people = { owner: `fin-${end}@example.com`, backup: `gil-${end}@example.com` };
    const keys = {};
    for (const who of ['planner', 'agent']) {
      keys[who] = keyAt(world.path('agents', `${names[who]}.pem`));
      world.keys[names[who]] = keys[who];
    }
    const peer = await startPeer(names.agent, 'aggregate_revenue', (text) => `revenue of ${text}`);
    const apply = async (text) => {
      const file = world.path(`${names.agent}.yaml`);
      writeFileSync(file, text);
      await world.apply('adi@example.com', '-f', file);
    };
    try {
      await apply((UNIT(names.sales) + UNIT(names.finance)).replace(/---\n$/, ''));
      const token = world.path(`${names.directory}.token`);
      await world.must('adi@example.com', 'scim', 'token', names.directory, '--yes', '--out',
        token);
      const scim = scimOf(world, readFileSync(token, 'utf8').trim());
      const made = {};
      for (const [who, userName] of Object.entries(people)) {
        made[who] = await scim('POST', '/Users', { schemas: [SCIM_USER, SCIM_ENTERPRISE], userName,
          active: true, [SCIM_ENTERPRISE]: { department: names.finance } });
      }
      tell.holds('the directory brings the people of Finance in', made.owner.status === 201 &&
        made.backup.status === 201, JSON.stringify(made));
      await world.letIn(people.backup);
      await apply(leaving(names, people, peer.url, keys));
      // Whoever named them as the custodian cannot give them the word of Finance alone.
      await world.must('eva@example.com', 'data-source', 'consent', `ledger-${names.finance}`,
        '--yes');
      for (const person of ['bo@example.com', 'adi@example.com']) {
        const given = await world.remit(person, 'identity', 'consent', names.planner, '--yes');
        tell.holds(`${person} cannot consent for Finance`, given.code !== 0, given.out);
      }
      // To what planner touches of Finance, and to data-agent, which nobody of Finance wrote.
      for (const who of [names.planner, names.agent]) {
        await world.must(people.backup, 'identity', 'consent', who, '--yes');
      }
      await world.must('ana@example.com', 'identity', 'consent', names.agent, '--yes');
      for (const who of [names.planner, names.agent]) {
        await world.must('eva@example.com', 'identity', 'approve', who, '--yes');
      }
      const at = `${world.url}/a2a/${names.agent}`;
      const { token: handed } = await world.openTaskAt(names.planner, at);
      const revenue = await handOver(at, handed, 'aggregate_revenue', 'Brot AG');
      tell.holds('planner hands it one skill', revenue.done && peer.reached.length === 1,
        revenue.text);
      const rows = await handOver(at, handed, 'export_rows', 'all')
        .catch((wrong) => ({ done: false, text: wrong.message }));
      tell.holds('and is refused the other', !rows.done && peer.reached.length === 1, rows.text);
      const agent = await world.agent(names.agent, 'files');
      const note = `tickets/${names.agent}`;
      cpSync(world.path('desk', 'tickets', '41.txt'), world.path('desk', `${note}-0.txt`));
      const write = (from, to) => agent.call('move_file',
        { source: `${note}-${from}.txt`, destination: `${note}-${to}.txt` });
      const first = await write(0, 1);
      tell.holds('data-agent writes', first.done, first.text);
      if (!isTwin) {
        const gone = await scim('PATCH', `/Users/${made.owner.body.id}`, { schemas: [SCIM_PATCH],
          Operations: [{ op: 'replace', value: { active: false } }] });
        tell.holds('the directory says that its owner has left', gone.body.active === false);
      }
      const refused = await write(1, 2);
      tell.holds('it writes no more', !refused.done && refused.text.includes('owner_gone'),
        refused.text);
      tell.say(`    "${refused.text}"`);
      const item = await ownerless(world, names.agent);
      tell.holds('its backup owner is asked', item.length === 1 &&
        item[0].backup_owner === people.backup, JSON.stringify(item));
      for (const person of ['cy@example.com', 'adi@example.com', 'eva@example.com']) {
        const taken = await world.remit(person, 'leaver', 'acknowledge', names.agent, '--yes');
        tell.holds(`${person} cannot take it over`, taken.code !== 0, taken.out);
      }
      await world.must(people.backup, 'leaver', 'acknowledge', names.agent, '--yes');
      const again = await write(1, 2);
      tell.holds('once that one answers for it, it writes again', again.done, again.text);
      tell.holds('and nobody is missing', (await ownerless(world, names.agent)).length === 0);
      await agent.close();
    } finally {
      peer.close();
    }
  },
  twin: {
    rule: 'the word that its owner has left',
    breaks: 'it writes no more',
  },
};

// A Google export in which one person let MeetingGenius in, as tokens.list, users.list and the
// token activities say it.
const GOOGLE = 'https://www.googleapis.com/auth/';
const googleExport = (client, scopes, usedAt) => ({
  'users.json': { kind: 'admin#directory#users', users: [
    { id: '1001', primaryEmail: 'cy@example.com' }] },
  'tokens.json': { kind: 'admin#directory#tokenList', items: scopes.length === 0 ? [] : [
    { kind: 'admin#directory#token', clientId: client, displayText: 'MeetingGenius',
      userKey: '1001', scopes }] },
  'activities.json': { kind: 'admin#reports#activities', items: [
    { id: { time: usedAt, applicationName: 'token' },
      actor: { email: 'cy@example.com', profileId: '1001' },
      events: [{ type: 'auth', name: 'activity', parameters: [
        { name: 'client_id', value: client },
        { name: 'scope', multiValue: [`${GOOGLE}calendar.readonly`] }] }] }] },
});

const ADOPTED = (name, account) => `object: data-source
name: calendars
unit: support
custodian: cy@example.com
sensitivity: internal
trust: untrusted
environment: staging
at: [google/calendar]
---
object: identity
name: ${name}
kind: oauth-app
class: retrieve
risk: medium
owner: ana@example.com
backup-owner: bo@example.com
unit: support
purpose: Takes notes of meetings
environments: [staging]
accounts: ["${account}"]
data-sources: [{name: calendars, up-to: internal}]
`;

const inherited = {
  name: 'an app that an employee let in is found, cut down and stopped',
  async run(world, tell, isTwin) {
    const end = Date.now().toString(36);
    const client = `${end}.apps.googleusercontent.com`;
    const [account, app] = [`google/${client}`, `meeting-genius-${end}`];
    const seconds = (more) => new Date(Date.now() + more * 1000).toISOString();
    let age = 0;
    const importing = async (connector, provider, files) => {
      const folder = world.path(`export-${end}-${(age += 1)}`);
      mkdirSync(folder);
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(
          join(folder, name), typeof text === 'string' ? text : JSON.stringify(text));
      }
      return world.must('adi@example.com', 'inventory', 'import', connector, folder, '--provider',
        provider, '--taken', seconds(age), '--yes', '--smaller', '--older');
    };
    const wide = ['calendar.readonly', 'drive'].map((scope) => GOOGLE + scope);
    const used = new Date(Date.now() - 86_400_000).toISOString();
    await importing('google', 'google',
      googleExport(client, [...wide, 'https://mail.google.com/'], used));
    await importing('agents', 'items', { 'agents.jsonl': `${JSON.stringify({ edge: 'uses',
      from: 'identity:support-summariser', to: `account:/${account}`,
      why: 'asks it for notes' })}\n` });
    const ways = async () => {
      const done = await world.remit('adi@example.com', 'path', 'identity:support-summariser',
        'resource:google/drive', '-o', 'json');
      return done.code === 0 ? JSON.parse(done.out).paths : [];
    };
    const [way] = await ways();
    tell.holds('the graph draws agent, app and drive, with who granted it', way?.length === 2 &&
      way[1].by.includes('cy@example.com') && way[1].effects.includes('write'),
    JSON.stringify(way));
    tell.say(`    ${way.map(({ from, to }) => `${from} -> ${to}`).join(', ')}`);
    const draft = async () => (await world.json('adi@example.com', 'inventory', 'drafts', 'google'))
      .items.find((item) => item.account === account);
    const found = await draft();
    tell.holds('nobody stands for it, and who might is said with the ground',
      found?.external && found.suggestions.map(({ person, ground }) => `${person} ${ground}`)
        .join() === 'ana@example.com owns-what-uses-it,cy@example.com gave-most-grants',
      JSON.stringify(found));
    await world.must('adi@example.com', 'inventory', 'adopt', account, '--owner',
      'ana@example.com', '--backup-owner', 'bo@example.com', '--unit', 'support', '--name', app,
      '--environment', 'staging', '--yes');
    tell.holds('a draft alone changes nothing', (await draft()) !== undefined);
    const file = world.path(`${app}.yaml`);
    writeFileSync(file, ADOPTED(app, account));
    await world.apply('adi@example.com', '-f', file);
    const approve = () => world.remit('bo@example.com', 'identity', 'approve', app, '--yes');
    const early = await approve();
    tell.holds('its charter is not approved while the app may more than it says',
      early.code !== 0, early.out + early.err);
    // The owner leaves it the scope that was used, at Google; the next export says so.
    await importing('google', 'google',
      googleExport(client, isTwin ? wide : [`${GOOGLE}calendar.readonly`], used));
    const late = await approve();
    tell.holds('cut down to what it uses, it is approved', late.code === 0, late.out + late.err);
    tell.holds('and the way to the drive is gone', (await ways()).length === 0 &&
      (await draft()) === undefined);
    const reads = async () => {
      const agent = await world.agent('support-summariser', 'files');
      return agent.call('read_text_file', { path: 'tickets/41.txt' }).finally(() => agent.close());
    };
    tell.holds('the agent works as before', (await reads()).done);
    const stopped = await world.json('adi@example.com', 'inventory', 'contain', account,
      '--reason', `INC-${end}: the vendor was broken into`);
    tell.holds('stopping it is on record, with the calls to make and who depends on it',
      stopped.state === 'intended' && stopped.calls.length > 0 &&
        stopped.dependants.includes('identity/support-summariser'), JSON.stringify(stopped));
    tell.say(`    ${stopped.calls[0].call}`);
    await importing('google', 'google', googleExport(client, [], used));
    const { items } = await world.json('adi@example.com', 'inventory', 'contained');
    const state = items.find((item) => item.account === account)?.state;
    tell.holds('the next export proves that it is gone', state === 'gone', state);
    await world.must('adi@example.com', 'inventory', 'contain', account, '--undo', '--reason',
      'over');
  },
  twin: {
    rule: 'the reduction at the provider',
    breaks: 'cut down to what it uses, it is approved',
  },
};

export const stories = [
  reads, writes, poisoned, injected, incident, across, staging, sandbox, killed, unregistered,
  draft, rugPull, knowledge, record, model,
  handed, workload, left, inherited,
];
