// The five providers that connectors ask, as their documentation says they answer: paged, stateful,
// and as faulty as a test wants them.  Each takes one credential and no other.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../vectors/inventory');
const vector = (name) => JSON.parse(readFileSync(join(vectors, name), 'utf8'));
const paged = (items, size, at) => ({
  page: items.slice(at, at + size), next: at + size < items.length ? at + size : undefined });

export class Providers {
  static async start() {
    const all = new Providers();
    all.secret = `provider-secret-${randomBytes(12).toString('hex')}`;
    all.server = http.createServer((request, answer) => all.serve(request, answer));
    await new Promise((done) => all.server.listen(0, '127.0.0.1', done));
    all.url = `http://127.0.0.1:${all.server.address().port}`;
    all.reset();
    return all;
  }

  reset() {
    this.asked = [];
    this.faults = [];
    this.held = [];
    this.google = {
      users: [...vector('google/users-1.json').users, ...vector('google/users-2.json').users],
      tokens: {
        1001: vector('google/tokens-ana.json').items,
        1002: vector('google/tokens-bo.json').items.filter(({ userKey }) => userKey === '1002'),
      },
    };
    this.google.kept = this.google.tokens[1001];
    const principals = [1, 2].flatMap((n) => vector(`microsoft/principals-${n}.json`).value);
    const [user, organization] = vector('microsoft/others.json').value;
    const roles = vector('microsoft/roles.json').value;
    this.microsoft = { principals, users: [user], organization: [organization], roles,
      grants: vector('microsoft/grants.json').value };
    this.github = { installations: vector('github/installations.json').installations,
      tokens: vector('github/tokens.json') };
    this.slack = { apps: vector('slack/approved.json').approved_apps,
      logs: vector('slack/logs.json').logs, members: vector('slack/users.json').members };
    this.n8n = { workflows: vector('n8n/workflows.json').data };
  }

  // What answers a path of this form instead: {status, headers, body, cut, hold}; once, or `times`.
  fault(pattern, what, times = 1) {
    this.faults.push({ pattern, what, left: times });
  }

  serve(request, answer) {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      const url = new URL(request.url, this.url);
      const { method, url: path, headers } = request;
      this.asked.push({ method, path, headers, body });
      const fault = this.faults.find(
        ({ pattern, left }) => left > 0 && pattern.test(`${request.method} ${request.url}`));
      if (fault) fault.left -= 1;
      const what = fault?.what ?? this.route(request, url, body);
      if (what.before) what.before();
      if (what.hold) {
        this.held.push(() => this.send(answer, this.route(request, url, body)));
        return;
      }
      if (what.cut) {
        answer.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 });
        answer.write('{"half": ');
        setImmediate(() => answer.destroy());
        return;
      }
      this.send(answer, what);
    });
  }

  send(answer, { status = 200, headers = {}, body }) {
    answer.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    answer.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  }

  route(request, url, body) {
    const { method } = request;
    const shown = request.headers['x-n8n-api-key'] ??
      request.headers.authorization?.replace(/^Bearer /, '');
    if (url.pathname === '/token') return this.token(body);
    if (shown !== this.secret && shown !== this.given) {
      return { status: 401, body: { message: 'Bad credentials' } };
    }
    for (const [start, answer] of [['/admin/', this.askGoogle], ['/v1.0/', this.askMicrosoft],
      ['/orgs/', this.askGithub], ['/app/', this.askGithub], ['/api/v1/', this.askN8n],
      ['/api/', this.askSlack]]) {
      if (url.pathname.startsWith(start)) return answer.call(this, method, url, body);
    }
    return { status: 404, body: { message: 'Not Found' } };
  }

  token(body) {
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (fields.grant_type !== 'client_credentials' || fields.client_secret !== this.secret ||
      fields.client_id !== 'client-1' || fields.scope !== `${this.url}/.default`) {
      return { status: 400, body: { error: 'invalid_client' } };
    }
    this.given ??= `given-${randomBytes(12).toString('hex')}`;
    return { body: { token_type: 'Bearer', expires_in: 3599, access_token: this.given } };
  }

  askGoogle(method, url) {
    const path = url.pathname.replace('/admin/directory/v1/users', '');
    const [, user, , client] = path.split('/').map(decodeURIComponent);
    const { users, tokens } = this.google;
    if (path === '') {
      const { page, next } = paged(users, 1, Number(url.searchParams.get('pageToken') ?? 0));
      return { body: { kind: 'admin#directory#users', users: page,
        ...(next && { nextPageToken: String(next) }) } };
    }
    const key = users.find(({ id, primaryEmail }) => id === user || primaryEmail === user)?.id;
    if (key === undefined) return { status: 404, body: { error: { message: 'no such user' } } };
    if (client === undefined) {
      return { body: { kind: 'admin#directory#tokenList', items: tokens[key] } };
    }
    const token = tokens[key]?.find(({ clientId }) => clientId === client);
    if (!token) return { status: 404, body: { error: { message: 'Not Found: tokenKey' } } };
    if (method === 'DELETE') {
      tokens[key] = tokens[key].filter((each) => each !== token);
      return { status: 204 };
    }
    return { body: token };
  }

  askMicrosoft(method, url, body) {
    const [list, id, below] = url.pathname.replace('/v1.0/', '').split('/').map(decodeURIComponent);
    const lists = { servicePrincipals: this.microsoft.principals, users: this.microsoft.users,
      organization: this.microsoft.organization, oauth2PermissionGrants: this.microsoft.grants };
    if (below === 'appRoleAssignments') {
      return { body: { value: this.microsoft.roles.filter(
        ({ principalId, principalType }) => principalId === id &&
          principalType === 'ServicePrincipal') } };
    }
    if (id !== undefined) {
      const found = lists[list]?.find((each) => each.id === id);
      if (!found) return { status: 404, body: { error: { message: 'it does not exist' } } };
      if (method !== 'PATCH') return { body: found };
      Object.assign(found, JSON.parse(body));
      return { status: 204 };
    }
    const at = Number(url.searchParams.get('$skiptoken') ?? 0);
    const { page, next } = paged(lists[list], 2, at);
    return { body: { '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${list}`,
      ...(next && { '@odata.nextLink': `${this.url}/v1.0/${list}?$skiptoken=${next}` }),
      value: page } };
  }

  askGithub(method, url, body) {
    const suspended = /^\/app\/installations\/(\d+)\/suspended$/.exec(url.pathname);
    if (suspended) {
      const installation = this.github.installations.find(({ id }) => String(id) === suspended[1]);
      if (!installation) return { status: 404, body: { message: 'Not Found' } };
      installation.suspended_at = method === 'PUT' ? '2026-11-26T12:00:00Z' : null;
      return { status: 204 };
    }
    const [, , org, list, id] = url.pathname.split('/');
    if (url.pathname.startsWith('/app/installations/')) {
      const found = this.github.installations.find((each) => String(each.id) === list);
      return found ? { body: found } : { status: 404, body: { message: 'Not Found' } };
    }
    if (org !== 'acme') return { status: 404, body: { message: 'Not Found' } };
    if (list === 'installations') {
      const at = Number(url.searchParams.get('page') ?? 1) - 1;
      const { page, next } = paged(this.github.installations, 1, at);
      const link = `<${this.url}/orgs/acme/installations?per_page=100&page=`;
      return { headers: next ? { Link: `${link}1>; rel="first", ${link}${next + 1}>; rel="next"` }
        : {}, body: { total_count: this.github.installations.length, installations: page } };
    }
    if (method === 'POST') {
      if (JSON.parse(body).action !== 'revoke') return { status: 422, body: { message: 'no' } };
      this.github.tokens = this.github.tokens.filter((each) => String(each.id) !== id);
      return { status: 204 };
    }
    const wanted = url.searchParams.get('token_id');
    return { body: this.github.tokens.filter(
      ({ token_id: each }) => wanted === null || String(each) === wanted) };
  }

  askSlack(method, url, body) {
    const name = url.pathname.replace('/api/', '');
    const { apps, logs, members } = this.slack;
    const cursor = Number(url.searchParams.get('cursor') || 0);
    if (name === 'users.list') {
      const { page, next } = paged(members, 2, cursor);
      return { body: { ok: true, members: page,
        response_metadata: { next_cursor: `${next ?? ''}` } } };
    }
    if (name === 'admin.apps.approved.list') {
      const { page, next } = paged(apps, 1, cursor);
      return { body: { ok: true, approved_apps: page,
        response_metadata: { next_cursor: `${next ?? ''}` } } };
    }
    if (name === 'team.integrationLogs') {
      const number = Number(url.searchParams.get('page') ?? 1);
      return { body: { ok: true, logs: logs.slice(number - 1, number),
        paging: { count: 1, total: logs.length, page: number, pages: logs.length } } };
    }
    if (name === 'admin.apps.uninstall' || name === 'admin.apps.restrict') {
      const { app_id: app } = JSON.parse(body);
      if (!apps.some(({ app: { id } }) => id === app)) {
        return { body: { ok: false, error: 'app_not_found' } };
      }
      if (name.endsWith('restrict')) {
        this.slack.restricted = apps.filter(({ app: { id } }) => id === app);
        this.slack.apps = apps.filter(({ app: { id } }) => id !== app);
      }
      return { body: { ok: true } };
    }
    if (name === 'admin.apps.approve') {
      this.slack.apps = [...apps, ...(this.slack.restricted ?? [])];
      return { body: { ok: true } };
    }
    return { body: { ok: false, error: 'unknown_method' } };
  }

  askN8n(method, url) {
    const [list, id, verb] = url.pathname.replace('/api/v1/', '').split('/');
    const { workflows } = this.n8n;
    if (list !== 'workflows') return { status: 404, body: { message: 'not found' } };
    if (id === undefined) {
      const { page, next } = paged(workflows, 1, Number(url.searchParams.get('cursor') ?? 0));
      return { body: { data: page, nextCursor: next === undefined ? null : String(next) } };
    }
    const workflow = workflows.find((each) => each.id === id);
    if (!workflow) return { status: 404, body: { message: 'Not Found' } };
    if (verb && method === 'POST') workflow.active = verb === 'activate';
    return { body: workflow };
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
