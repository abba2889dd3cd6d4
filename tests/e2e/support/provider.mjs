// An OpenID provider of people: oidc-provider in memory, whose sign-in page says at once who
// signs in, as `provider.person` is set; and what a browser does there.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import * as jose from 'jose';
import Provider from 'oidc-provider';

export const CLIENT = 'remit-cli';

export const startProvider = async () => {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const people = new Map();
  const oidc = new Provider(url, {
    clients: [{
      client_id: CLIENT, application_type: 'native', token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'], grant_types: ['authorization_code'],
      response_types: ['code'], id_token_signed_response_alg: 'ES256',
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    jwks: {
      keys: [{ ...(await jose.exportJWK(privateKey)), kid: 's', use: 'sig', alg: 'ES256' }],
    },
    pkce: { required: () => true },
  });
  const made = { url, people, person: 'nobody', exchanges: [] };
  oidc.on('grant.success', ({ oidc: { params } }) => made.exchanges.push(params));
  const answer = oidc.callback();
  server.on('request', async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    const { params } = await oidc.interactionDetails(request, response);
    const grant = new oidc.Grant({ accountId: made.person, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    await oidc.interactionFinished(request, response, {
      login: { accountId: made.person }, consent: { grantId: await grant.save() },
    });
  });
  made.stop = () => new Promise((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  return made;
};

// From the address that remit prints to the one the provider sends the browser back to.
export const browse = async (address) => {
  const jar = new Map();
  for (let at = address, hops = 0; hops < 10; hops += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(at, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`${answer.status}: ${await answer.text()}`);
    at = new URL(location, at).href;
    if (new URL(at).pathname === '/callback') return at;
  }
  throw new Error('it goes round and round');
};
