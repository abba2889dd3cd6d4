// A token service of others: it believes nothing that it has not verified with the key set that
// remit's own metadata names, gives provider tokens, and knows which are good.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';

import * as jose from 'jose';

const URN = 'urn:ietf:params:oauth';
export const GRANTS = {
  [`${URN}:grant-type:token-exchange`]: 'subject_token',
  client_credentials: 'client_assertion',
  [`${URN}:grant-type:jwt-bearer`]: 'assertion',
};

// mode: good, down, slow, huge, redirects, wrong (no JSON), mac (another type of token),
// refresh (another issued_token_type), over (ends now), refuses, broken (no header field's text).
export class Sts {
  static async start() {
    const sts = new Sts();
    Object.assign(sts, { mode: 'good', asked: [], given: new Map(), hanging: [], seconds: 600 });
    sts.server = http.createServer((request, answer) => sts.serve(request, answer));
    await new Promise((done) => sts.server.listen(0, '127.0.0.1', done));
    sts.url = `http://127.0.0.1:${sts.server.address().port}`;
    return sts;
  }

  // Whom it trusts: by discovery, as clouds do.
  async trust(issuer) {
    const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    assert.equal(metadata.issuer, issuer);
    this.issuer = issuer;
    this.keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  }

  serve(request, answer) {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => this.answer(request, body, answer).catch((error) => {
      this.wrong = error;
      answer.writeHead(400, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ error: 'invalid_grant', error_description: error.message }));
    }));
  }

  async answer(request, body, answer) {
    const isJson = request.headers['content-type'] === 'application/json';
    const fields = isJson ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
    const member = GRANTS[fields.grant_type];
    assert.ok(member, `grant_type ${fields.grant_type}`);
    assert.equal(request.method, 'POST');
    assert.equal(request.headers.authorization, undefined);
    const asked = { path: request.url, isJson, fields, token: fields[member] };
    this.asked.push(asked);
    const { payload, protectedHeader } = await jose.jwtVerify(fields[member], this.keys, {
      issuer: this.issuer, algorithms: ['ES256'], typ: 'JWT', maxTokenAge: 300,
      requiredClaims: ['sub', 'jti', 'exp', 'aud'],
    });
    Object.assign(asked, { claims: payload, header: protectedHeader });
    const send = (status, value, more = {}) => answer
      .writeHead(status, { 'Content-Type': 'application/json', ...more })
      .end(typeof value === 'string' ? value : JSON.stringify(value));
    const token = `pt-${randomBytes(40).toString('base64url')}`;
    const good = {
      access_token: token, token_type: 'Bearer', expires_in: this.seconds,
      issued_token_type: `${URN}:token-type:access_token`,
    };
    this.given.set(token, asked);
    switch (this.mode) {
      case 'down': return send(503, 'no');
      case 'slow': return this.hanging.push(answer);
      case 'huge': return send(200, { ...good, more: 'x'.repeat(1 << 20) });
      case 'redirects': return send(307, good, { Location: `${this.url}/other` });
      case 'wrong': return send(200, '<html>token</html>');
      case 'mac': return send(200, { ...good, token_type: 'mac' });
      case 'refresh':
        return send(200, { ...good, issued_token_type: `${URN}:token-type:refresh_token` });
      case 'over': return send(200, { ...good, expires_in: 0 });
      case 'endless': return send(200, { ...good, expires_in: 'never' });
      case 'refuses':
        return send(400, { error: 'invalid_grant', error_description: 'secret words' });
      case 'broken': return send(200, { ...good, access_token: `${token}\r\nX-Evil: 1` });
      default: return send(200, good);
    }
  }

  async stop() {
    for (const answer of this.hanging) answer.destroy();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
