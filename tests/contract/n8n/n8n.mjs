// A real n8n, alone on a port of its own: no telemetry, no updates, no templates; its owner set up
// as people set it up, and a key of its public API.
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { eventually } from '../../../examples/stories/lib/world.mjs';

const START_MS = 300_000;
const OFF = ['N8N_DIAGNOSTICS_ENABLED', 'N8N_VERSION_NOTIFICATIONS_ENABLED',
  'N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED', 'N8N_DYNAMIC_BANNERS_ENABLED',
  'N8N_TEMPLATES_ENABLED', 'N8N_HIRING_BANNER_ENABLED', 'N8N_PERSONALIZATION_ENABLED',
  'N8N_COMMUNITY_PACKAGES_ENABLED', 'N8N_LICENSE_AUTO_RENEW_ENABLED', 'N8N_SECURE_COOKIE'];
// What asks the outside, or needs a licence that nobody here has.
const MODULES = ['chat-hub', 'community-packages', 'dynamic-credentials', 'external-secrets',
  'insights', 'instance-ai', 'ldap', 'log-streaming', 'mcp-registry', 'provisioning',
  'quick-connect', 'source-control', 'workflow-builder', 'workflow-reviews'];

const freePort = () => new Promise((done, fail) => {
  const probe = net.createServer();
  probe.on('error', fail);
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});

export class N8n {
  // folder: where it was installed.  owner: {email, firstName, lastName}.
  static async start(folder, owner) {
    const n8n = new N8n();
    n8n.home = mkdtempSync(join(tmpdir(), 'remit-n8n-'));
    try {
      await n8n.spawn(folder);
      await n8n.setUp(owner);
    } catch (error) {
      await n8n.stop();
      throw new Error(`${error.message}\n${n8n.text.slice(-4000)}`);
    }
    return n8n;
  }

  async spawn(folder) {
    const [port, broker] = [await freePort(), await freePort()];
    const node = join(folder, 'node_modules/node/bin/node');
    this.url = `http://127.0.0.1:${port}`;
    this.text = '';
    this.child = spawn(node, [join(folder, 'node_modules/n8n/bin/n8n'), 'start'], {
      cwd: this.home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${dirname(node)}:${process.env.PATH}`, HOME: this.home,
        N8N_USER_FOLDER: this.home, N8N_PORT: String(port), N8N_LISTEN_ADDRESS: '127.0.0.1',
        N8N_RUNNERS_BROKER_PORT: String(broker), N8N_HOST: '127.0.0.1',
        N8N_ENCRYPTION_KEY: randomBytes(24).toString('base64'),
        N8N_DISABLED_MODULES: MODULES.join(','), EXTERNAL_FRONTEND_HOOKS_URLS: '',
        N8N_DIAGNOSTICS_CONFIG_FRONTEND: '', N8N_DIAGNOSTICS_CONFIG_BACKEND: '',
        ...Object.fromEntries(OFF.map((name) => [name, 'false'])),
      },
    });
    for (const pipe of [this.child.stdout, this.child.stderr]) {
      pipe.on('data', (part) => (this.text += part));
    }
    this.ended = new Promise((done) => this.child.on('close', done));
    const isUp = async () => {
      if (this.child.exitCode !== null) throw new Error(`n8n ended with ${this.child.exitCode}`);
      const answer = await fetch(`${this.url}/healthz/readiness`).catch(() => null);
      return answer?.ok;
    };
    if (!(await eventually(isUp, START_MS))) throw new Error('n8n does not become ready');
  }

  // What its own pages ask, with the cookie of who set it up.
  async rest(method, path, body) {
    const answer = await fetch(`${this.url}/rest/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'browser-id': this.browser,
        ...(this.cookie ? { Cookie: this.cookie } : {}) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /rest/${path}: ${answer.status} ${text}`);
    this.cookie ??= answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    return JSON.parse(text).data;
  }

  async setUp(owner) {
    this.browser = randomUUID();
    await this.rest('POST', 'owner/setup', { ...owner, password: `Aa1${randomUUID()}` });
    const scopes = await this.rest('GET', 'api-keys/scopes');
    const key = await this.rest('POST', 'api-keys', { label: 'remit', expiresAt: null, scopes });
    this.key = key.rawApiKey;
  }

  // Its public API: the answer as it came.
  async api(method, path, body) {
    const answer = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'X-N8N-API-KEY': this.key },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /api/v1/${path}: ${answer.status} ${text}`);
    return text;
  }

  async made(path, body) {
    return JSON.parse(await this.api('POST', path, body));
  }

  // A run of the published flow that waits for this hook.
  async run(hook, body) {
    const answer = await fetch(`${this.url}/webhook/${hook}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  }

  async stop() {
    this.child?.kill('SIGTERM');
    const late = setTimeout(() => this.child?.kill('SIGKILL'), 20_000);
    await this.ended;
    clearTimeout(late);
    rmSync(this.home, { recursive: true, force: true });
  }
}
