// Issuers of workload identity, as GitHub, a cluster, a SPIFFE mesh and any OpenID provider
// have them: keys made for this run, served as each serves them, and tokens of any claims.
import http from 'node:http';

import * as jose from 'jose';

const REDIRECTED = 'https://example.com/keys';

// state.mode: good, down, slow, huge, redirects, wrong, lies (another issuer's name).
export class Issuer {
  static async start({ name, algorithm, use = 'sig', kid = 'key-1' }) {
    const issuer = new Issuer();
    Object.assign(issuer, { name, algorithm, use, kid, mode: 'good', reads: 0 });
    issuer.hanging = [];
    await issuer.turn(kid);
    issuer.server = http.createServer((request, answer) => issuer.serve(request, answer));
    await new Promise((done) => issuer.server.listen(0, '127.0.0.1', done));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    return issuer;
  }

  // Another key, under this kid.
  async turn(kid) {
    const pair = await jose.generateKeyPair(this.algorithm, { extractable: true });
    this.kid = kid;
    this.key = pair.privateKey;
    this.jwk = { ...(await jose.exportJWK(pair.publicKey)), kid, use: this.use };
    if (this.use === 'sig') this.jwk.alg = this.algorithm;
  }

  serve(request, answer) {
    this.reads += 1;
    const send = (value) =>
      answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    const isConfiguration = request.url === '/.well-known/openid-configuration';
    if (this.mode === 'down') answer.writeHead(503).end();
    else if (this.mode === 'slow') this.hanging.push(answer);
    else if (this.mode === 'redirects') answer.writeHead(302, { Location: REDIRECTED }).end();
    else if (this.mode === 'huge') answer.writeHead(200).end('x'.repeat(1 << 20));
    else if (this.mode === 'wrong') answer.writeHead(200).end('<html>keys</html>');
    else if (isConfiguration) {
      send({
        issuer: this.mode === 'lies' ? 'https://other.example' : this.url,
        jwks_uri: `${this.url}/keys`, response_types_supported: ['id_token'],
      });
    } else {
      send({ keys: [{ kty: 'future', kid: 'x' }, this.jwk], spiffe_refresh_hint: 300 });
    }
  }

  // claims may say anything; header members beside alg and kid, likewise.
  async token(claims, { header = {}, key = this.key, seconds = 300, at = Date.now() / 1000 } = {}) {
    const now = Math.floor(at);
    return new jose.SignJWT({ iat: now, exp: now + seconds, ...claims })
      .setProtectedHeader({ alg: this.algorithm, kid: this.kid, ...header })
      .sign(key);
  }

  async stop() {
    for (const answer of this.hanging) answer.destroy();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
