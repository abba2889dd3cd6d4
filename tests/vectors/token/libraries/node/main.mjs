// What a library of npm makes of the tokens that `jwt-cases --write` wrote (../README.md).
// Usage: main.mjs jose|jsonwebtoken FILE
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import * as jose from 'jose';
import jsonwebtoken from 'jsonwebtoken';

const [name, file] = process.argv.slice(2);
const version = createRequire(import.meta.url)(`${name}/package.json`).version;
const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const keys = new Map(lines.filter((line) => line.jwk).map((line) => [line.key, line]));
const rules = { issuer: 'https://issuer.example', subject: 'agent:1',
  audience: 'https://aud.example', clockTolerance: 60 };

const libraries = {
  jose: {
    asks: ['alg', 'iss', 'sub', 'aud', 'exp', 'nbf', 'typ', 'clock'],
    verify: async (token, key, isTyped) => jose.jwtVerify(token,
      await jose.importJWK(key.jwk, key.alg), {
        ...rules, algorithms: key.alg === 'Ed25519' ? ['Ed25519', 'EdDSA'] : [key.alg],
        requiredClaims: ['exp'], currentDate: new Date(key.now * 1000),
        ...(isTyped && { typ: 'JWT' }),
      }),
  },
  jsonwebtoken: {
    asks: ['alg', 'iss', 'sub', 'aud', 'exp', 'nbf', 'clock'],
    without: ['ed'], // it has no EdDSA
    verify: async (token, key) => {
      const claims = jsonwebtoken.verify(token, key.pem,
        { ...rules, algorithms: [key.alg], clockTimestamp: key.now });
      if (claims === null || typeof claims !== 'object') throw new Error('no claims');
    },
  },
};

const library = libraries[name];
const verdict = async (token, line) => {
  const key = keys.get(line.key);
  return library.verify(token, key, line.reason === 'type').then(() => 'takes', () => 'refuses');
};
console.log(JSON.stringify({ library: `npm ${name} ${version}`, asks: library.asks }));
for (const line of lines.filter((one) => one.case)) {
  if (library.without?.includes(line.key)) continue;
  const [token, twin] = [await verdict(line.token, line), await verdict(line.twin, line)];
  console.log(JSON.stringify({ case: line.case, token, twin }));
}
