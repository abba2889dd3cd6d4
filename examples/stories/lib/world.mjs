// One remitd with its data folder, its people, its agents and its upstreams.
// People act through the real command line, each with a configuration folder
// and so a key of their own; agents through the official MCP client.
import { spawn } from 'node:child_process';
import {
  appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync,
  rmSync, writeFileSync,
} from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Agent } from './agent.mjs';
import { assertion, keyAt, keysLine } from './keys.mjs';
import { KEY, startProvider } from './model-provider.mjs';
import { startProxy } from './upstream-proxy.mjs';

const lib = dirname(fileURLToPath(import.meta.url));
const examples = resolve(lib, '../..');
const root = dirname(examples);
const build = process.env.REMIT_BUILD ?? join(root, 'build');
const modules = join(examples, 'node_modules');

export const ADMINISTRATOR = 'adi@example.com';
export const PEOPLE = ['adi', 'eva', 'ana', 'bo', 'cy', 'dan', 'fay'].map(
  (name) => `${name}@example.com`,
);
const IDENTITIES = ['support-summariser', 'support-researcher', 'ticket-filer', 'incident-opener',
  'deployer', 'night-auditor'];
// Who approves which charter: another person than the one who applies it.
const CHARTERS = {
  'support-summariser': 'bo@example.com',
  'support-researcher': 'bo@example.com',
  'ticket-filer': 'bo@example.com',
  'incident-opener': 'fay@example.com',
  deployer: 'eva@example.com',
};
// Who agrees to which unit's template for sandboxes.
const TEMPLATES = { support: 'bo@example.com' };
// Who says yes for a unit to the lines of others' charters that touch it.
const DATA_OWNERS = { support: 'ana@example.com', operations: 'dan@example.com' };
// Of examples/guardrails: of every world, and of the stories'; the others would ask people
// in most stories.
const GUARDRAILS = ['keep-secrets-in.yaml'];
export const STORY_GUARDRAILS = [...GUARDRAILS, 'flow.yaml'];
const START_MS = 20_000;
const STOP_MS = 10_000;
const HTTP_SERVERS = ['deploy-staging', 'deploy-prod', 'playground'];

const freePort = () =>
  new Promise((done, fail) => {
    const probe = net.createServer();
    probe.on('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Whether a daemon is ready; over TLS whatever its certificate, which is the test's own.
const answersReady = (url) => {
  if (url.startsWith('http:')) return fetch(url + '/readyz').then(({ ok }) => ok, () => false);
  return new Promise((done) => {
    https.get(url + '/readyz', { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    }).on('error', () => done(false));
  });
};

// Asks again until answer is true or the time is over.
export const eventually = async (answer, ms = START_MS) => {
  const end = Date.now() + ms;
  for (;;) {
    if (await answer()) return true;
    if (Date.now() > end) return false;
    await sleep(20);
  }
};

// Runs a program to its end: { code, out, err }.
export const run = (program, args, { env = process.env, input = '', cwd, ms = 30_000 } = {}) =>
  new Promise((done) => {
    const child = spawn(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.stdout.on('data', (part) => (out += part));
    child.stderr.on('data', (part) => (err += part));
    child.stdin.on('error', () => {});
    child.on('error', (error) => done({ code: -1, out, err: err + error.message }));
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code, out, err });
    });
    child.stdin.end(input);
  });

export class World {
  // dir: the data folder; a fresh temporary one, below `under`, if not given.
  // change: edits the charters before they are applied, given Map(file → text).
  // approve: more charters to approve, identity → person.
  // key: identities that prove themselves with another one's key.
  // settings: the text of remit.yaml.
  // daemon: the words remitd is started by.
  constructor({
    dir, change = () => {}, approve = {}, key = {}, settings, under, guardrails = GUARDRAILS,
    daemon = [join(build, 'remitd')],
  } = {}) {
    this.isFresh = dir === undefined;
    this.dir = this.isFresh ? mkdtempSync(join(under ?? tmpdir(), 'remit-story-')) : resolve(dir);
    this.change = change;
    this.guardrails = guardrails;
    this.keyNames = key;
    this.daemonWords = daemon;
    // Nobody waits a day here to see what becomes of an agent whose owner left.
    this.settings = settings ?? 'hold-ms: 300\nowner-gone-writes: 0\n';
    this.charters = { ...CHARTERS, ...approve };
    this.logs = join(this.dir, 'upstream');
    this.stopped = [];
  }

  static async start(options) {
    const world = new World(options);
    try {
      world.lay();
      await world.startUpstreams();
      await world.startDaemon();
      await world.enrolPeople();
      await world.applyCharters();
      return world;
    } catch (error) {
      await world.stop().catch((late) => console.error(late.message));
      throw error;
    }
  }

  path(...parts) {
    return join(this.dir, ...parts);
  }

  // The folder, the desk the file server serves, the agents' keys, the shims.
  lay() {
    for (const folder of ['bin', 'agents', 'people', 'upstream', 'apply', 'apply-drafts']) {
      mkdirSync(this.path(folder), { recursive: true, mode: 0o700 });
    }
    rmSync(this.path('desk'), { recursive: true, force: true });
    cpSync(join(examples, 'desk'), this.path('desk'), { recursive: true });
    rmSync(this.path('knowledge'), { recursive: true, force: true });
    mkdirSync(this.path('knowledge'), { mode: 0o700 });
    this.keys = {};
    for (const name of [...IDENTITIES, 'nobody']) {
      this.keys[name] = keyAt(this.path('agents', name + '.pem'));
    }
    for (const [name, other] of Object.entries(this.keyNames)) this.keys[name] = this.keys[other];
    const shim = join(lib, 'upstream-log.mjs');
    rmSync(this.path('servers', 'glossary', 'turned'), { force: true });
    const programs = {
      files: ['mcp-server-filesystem', join(modules, '.bin', 'mcp-server-filesystem')],
      memory: ['mcp-server-memory', join(modules, '.bin', 'mcp-server-memory')],
      knowledge: ['mcp-server-knowledge', join(examples, 'knowledge', 'server.mjs')],
      glossary: ['mcp-server-glossary', join(lib, 'glossary-server.mjs'), '$HOME/turned'],
    };
    for (const [server, [name, ...program]] of Object.entries(programs)) {
      const text = [
        '#!/bin/sh',
        'MEMORY_FILE_PATH="$HOME/memory.jsonl" \\',
        `exec '${process.execPath}' '${shim}' "$HOME/reached" ${server} \\`,
        `  '${process.execPath}' ${program.map((word) => `"${word}"`).join(' ')} "$@"`,
        '',
      ].join('\n');
      writeFileSync(this.path('bin', name), text);
      chmodSync(this.path('bin', name), 0o755);
    }
    if (!existsSync(this.path('remit.yaml'))) {
      writeFileSync(this.path('remit.yaml'), this.settings, { mode: 0o600 });
    } else if (!/^owner-gone-writes:/m.test(readFileSync(this.path('remit.yaml'), 'utf8'))) {
      appendFileSync(this.path('remit.yaml'), 'owner-gone-writes: 0\n');
    }
  }

  // server-everything over HTTP, once, behind a logging proxy for each name it has.
  async startUpstreams() {
    const port = await freePort();
    const program = join(modules, '.bin', 'mcp-server-everything');
    const child = spawn(process.execPath, [program, 'streamableHttp'], {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: 'ignore',
    });
    this.stopped.push(() => child.kill('SIGKILL'));
    const up = await eventually(() =>
      new Promise((done) => {
        const probe = net.connect(port, '127.0.0.1', () => probe.end(done(true)));
        probe.on('error', () => done(false));
      }),
    );
    if (!up) throw new Error('server-everything does not listen');
    this.ports = {};
    for (const server of HTTP_SERVERS) {
      const proxy = await startProxy(this.path('upstream', server), server, port);
      this.stopped.push(proxy.close);
      this.ports[server] = proxy.port;
    }
    const provider = await startProvider(this.path('upstream', 'local'));
    this.stopped.push(provider.close);
    this.ports.local = provider.port;
  }

  // On a kernel that cannot confine servers over stdio, remitd refuses to start
  // them: the stories then go on without, and say so.
  async startDaemon() {
    await this.spawnDaemon();
    if (!this.daemonText.includes('stdio_servers_refused')) return;
    console.log('  (this kernel cannot confine servers over stdio: they run unconfined)');
    await this.stopped.pop()();
    appendFileSync(this.path('remit.yaml'), 'stdio-servers: unconfined\n');
    const before = this.daemonText;
    await this.spawnDaemon();
    this.daemonText = before + this.daemonText;
  }

  async spawnDaemon() {
    rmSync(this.path('listen'), { force: true });
    const env = {
      ...process.env,
      // Servers over stdio may read and run what lies on this path, and no more.
      PATH: [this.path('bin'), join(modules, '.bin'), lib, join(examples, 'knowledge'),
        dirname(process.execPath), process.env.PATH].join(':'),
    };
    // A restart keeps the port: tokens are made for the daemon's address.
    const port = this.url ? new URL(this.url).port : 0;
    const [program, ...before] = this.daemonWords;
    const args = [...before, '--data', this.dir, '--listen', `127.0.0.1:${port}`];
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.daemon = child;
    this.daemonText = '';
    child.stdout.on('data', (part) => (this.daemonText += part));
    child.stderr.on('data', (part) => (this.daemonText += part));
    const ended = new Promise((done) => child.on('close', (code) => done(code)));
    child.on('error', (error) => (this.daemonText += error.message));
    this.stopped.push(async () => {
      if (child.signalCode === 'SIGKILL') return; // the test did that
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      const code = await ended;
      clearTimeout(late);
      if (code !== 0 || /Sanitizer|runtime error/.test(this.daemonText)) {
        throw new Error(`remitd ended with ${code}:\n${this.daemonText.slice(-4000)}`);
      }
    });
    const isReady = async () => {
      if (this.daemonText.includes('ENOENT')) throw new Error(this.daemonText);
      if (child.exitCode !== null || !existsSync(this.path('listen'))) return false;
      const scheme = /^tls-cert:/m.test(this.settings) ? 'https' : 'http';
      this.url = `${scheme}://` + readFileSync(this.path('listen'), 'utf8').trim();
      return answersReady(this.url);
    };
    if (!(await eventually(isReady))) {
      throw new Error('remitd does not become ready:\n' + this.daemonText);
    }
  }

  // kill -9.
  async killDaemon() {
    const ended = new Promise((done) => this.daemon.once('close', done));
    this.daemon.kill('SIGKILL');
    await ended;
  }

  // The database is a projection: it may be lost.
  removeStore() {
    for (const end of ['', '-wal', '-shm']) rmSync(this.path('remit.db' + end), { force: true });
  }

  // `remit` as a person of the story; as nobody on the socket when person is null.
  remit(person, ...args) {
    return this.remitWith({}, person, ...args);
  }

  remitWith(options, person, ...args) {
    const home = this.path('people', person ?? 'nobody');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: '1' };
    return run(join(build, 'remit'), ['--data', this.dir, ...args], { ...options, env });
  }

  // The verifier's report on the log, which the daemon goes on writing.
  async verify(...args) {
    const done = await this.verifier('--allow-tail', '-o', 'json', ...args, this.path('audit'));
    return { ...done, report: done.out === '' ? null : JSON.parse(done.out) };
  }

  // What would be decided, clause by clause; whatever it is.
  async why(identity, effect, resource, args, environment) {
    const done = await this.remit(null, 'why', identity, effect, resource, '--arguments',
      JSON.stringify(args), '--environment', environment, '-o', 'json');
    return JSON.parse(done.out);
  }

  // The same, and it must work.
  async must(person, ...args) {
    const done = await this.remit(person, ...args);
    if (done.code !== 0) {
      throw new Error(`${person}: remit ${args.join(' ')}: ${done.code}\n${done.out}${done.err}`);
    }
    return done.out;
  }

  // What is applied may wait for another person.
  async apply(person, ...args) {
    const done = await this.remit(person, 'apply', '--yes', ...args);
    if (done.code !== 0 && done.code !== 6) {
      throw new Error(`${person}: remit apply: ${done.code}\n${done.out}${done.err}`);
    }
    return done;
  }

  async json(person, ...args) {
    return JSON.parse(await this.must(person, ...args, '-o', 'json'));
  }

  isEnrolled(person) {
    return existsSync(this.path('people', person, 'enrolled'));
  }

  async login(person, code) {
    const done = await this.remitWith({ input: code + '\n' }, person, 'login', person);
    if (done.code !== 0) throw new Error(`login of ${person}: ${done.out}${done.err}`);
    writeFileSync(this.path('people', person, 'enrolled'), '');
  }

  // The first administrator uses the code the daemon prints once; that
  // administrator lets the others in with codes of one hour.
  async enrolPeople() {
    if (!this.isEnrolled(ADMINISTRATOR)) {
      const find = () => /\b([0-9A-Z]{4}(?:-[0-9A-Z]{4}){4})\b/.exec(this.daemonText);
      if (!(await eventually(find))) {
        throw new Error('no administrator code in:\n' + this.daemonText);
      }
      const code = find();
      await this.login(ADMINISTRATOR, code[1]);
    }
  }

  async applyCharters() {
    const files = new Map();
    for (const folder of ['charters', 'guardrails', 'drafts']) {
      for (const file of readdirSync(join(examples, folder))) {
        if (folder === 'guardrails' && !this.guardrails.includes(file)) continue;
        const text = readFileSync(join(examples, folder, file), 'utf8');
        files.set(`${folder}/${file}`, this.filled(text));
      }
    }
    this.change(files, this);
    for (const folder of ['apply', 'apply-drafts']) {
      for (const file of readdirSync(this.path(folder))) rmSync(this.path(folder, file));
    }
    this.applied = files;
    for (const [name, text] of files) {
      const [folder, file] = name.split('/');
      writeFileSync(this.path(folder === 'drafts' ? 'apply-drafts' : 'apply', file), text);
    }
    await this.apply(ADMINISTRATOR, '-f', this.path('apply'));
    await this.setSecret('provider-key', KEY);
    for (const person of PEOPLE) await this.letIn(person);
    if (readdirSync(this.path('apply-drafts')).length > 0) {
      await this.must(ADMINISTRATOR, 'apply', '--yes', '--draft', '-f', this.path('apply-drafts'));
    }
    for (const [unit, person] of Object.entries(TEMPLATES)) {
      const entry = await this.json(person, 'unit', 'show', unit);
      if (entry.waiting) await this.must(person, 'unit', 'approve', unit, '--yes');
    }
    for (const [identity, person] of Object.entries(this.charters)) {
      const entry = await this.json(person, 'identity', 'show', identity);
      if (!entry.waiting) continue;
      await this.consented(person, identity);
      await this.must(person, 'identity', 'approve', identity, '--yes');
    }
  }

  // The units whose lines wait for it say yes, each by its own data owner.
  async consented(person, identity) {
    const { versions } = await this.json(person, 'consent', 'show', identity);
    const waiting = versions.find((version) => version.state === 'waiting');
    for (const { unit, state } of waiting?.units ?? []) {
      if (state === 'agreed') continue;
      await this.must(DATA_OWNERS[unit], 'identity', 'consent', identity, '--yes');
    }
  }

  async setSecret(name, value) {
    const done = await this.remitWith({ input: value }, ADMINISTRATOR, 'secret', 'set', name);
    if (done.code !== 0) throw new Error(`secret ${name}: ${done.out}${done.err}`);
  }

  async letIn(person) {
    if (this.isEnrolled(person)) return;
    const file = this.path('people', person + '.code');
    await this.must(ADMINISTRATOR, 'person', 'code', person, '--out', file);
    await this.login(person, readFileSync(file, 'utf8').trim());
    rmSync(file);
  }

  // A charter with the agents' fresh public keys and this run's ports.
  filled(text) {
    const name = /^name: (\S+)$/m.exec(text)?.[1];
    if (this.keys[name]) {
      text = text.replace(/^keys: \[\].*$/m, keysLine('staging', this.keys[name].jwk));
    }
    return text.replace(
      /(name: (\S+)\ntransport: \{url: ")http:\/\/127\.0\.0\.1:\d+/g,
      (all, before, server) => `${before}http://127.0.0.1:${this.ports[server]}`,
    );
  }

  keysLineOf(name) {
    return keysLine('staging', this.keys[name].jwk);
  }

  // One of the charters as this world applied it.
  charter(name) {
    return this.applied.get(name);
  }

  mcp(server) {
    return `${this.url}/mcp/${server}`;
  }

  // A task token by `remit task open`, as a developer at a terminal does it.
  openTask(identity, server, parent) {
    return this.openTaskAt(identity, this.mcp(server), parent);
  }

  // The same, for what a person asked.
  async openTaskFor(identity, purpose, server) {
    const answer = await this.json(null, 'task', 'open', identity, '--key',
      this.keys[identity].path, '--resource', this.mcp(server), '--purpose', purpose);
    return { task: answer.task, token: answer.access_token };
  }

  // The same for any address; below the task parent, if there is one.
  async openTaskAt(identity, resource, parent) {
    const answer = await this.json(null, 'task', 'open', identity, '--key',
      this.keys[identity].path, '--resource', resource, ...(parent ? ['--parent', parent] : []));
    return { task: answer.task, token: answer.access_token };
  }

  // A task token by the token endpoint, as a program does it: { status, body }.
  async askForToken(identity, key, server) {
    const metadata = await (
      await fetch(this.url + '/.well-known/oauth-authorization-server')
    ).json();
    const answer = await fetch(metadata.token_endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: identity,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(key, identity, metadata.issuer),
        resource: this.mcp(server),
      }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  async agent(identity, server, parent) {
    const { token, task } = await this.openTask(identity, server, parent);
    const agent = await new Agent(this.mcp(server), token).connect();
    agent.task = task;
    return agent;
  }

  // What reached a server, as it wrote it down itself.
  reached(server) {
    const file = [...HTTP_SERVERS, 'local'].includes(server)
      ? this.path('upstream', server) : this.path('servers', server, 'reached');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  calls(server, tool) {
    return this.reached(server).filter(
      ({ method, params }) => method === 'tools/call' && (!tool || params.name === tool),
    );
  }

  verifier(...args) {
    const key = readFileSync(this.path('audit.vkey'), 'utf8').trim();
    return run(join(build, 'remit-verify'), ['--key', key, ...args]);
  }

  // Ends everything.  Throws if the daemon did not end as it should: exit 0, and
  // nothing from a sanitizer.
  async stop() {
    const wrong = [];
    for (const stop of this.stopped.reverse()) {
      try {
        await stop();
      } catch (error) {
        wrong.push(error.message);
      }
    }
    this.stopped = [];
    if (this.isFresh && !process.env.KEEP) rmSync(this.dir, { recursive: true, force: true });
    if (wrong.length) throw new Error(wrong.join('\n'));
  }
}
