// oidc-provider's own server, in memory, for bench/token: clients by secret, whose tokens are
// opaque, and by signed assertion, whose tokens are signed with ES256.
//
// Usage: peer < {"jwk": PUBLIC-KEY-WITH-KID, "secret": TEXT, "resource": URL}.  Prints its port.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import Provider from 'oidc-provider';

const { jwk, secret, resource } = JSON.parse(await text(process.stdin));
const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const { port } = server.address();
const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const client = (id, more) => ({
  client_id: id, grant_types: ['client_credentials'], response_types: [], redirect_uris: [],
  id_token_signed_response_alg: 'ES256', ...more,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client('by-secret', {
      client_secret: secret, token_endpoint_auth_method: 'client_secret_post',
    }),
    client('by-key', {
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256' }] },
    }),
  ],
  clientAuthMethods: ['client_secret_post', 'private_key_jwt'],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys: [{ ...signing.export({ format: 'jwk' }), kid: 's', use: 'sig', alg: 'ES256' }] },
  ttl: { ClientCredentials: 900 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        audience: resource, scope: 'call', accessTokenTTL: 900, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
server.on('request', provider.callback());
console.log(port);
