// jose's verdict on each token of a corpus, one a line: `accepted`, or why not. Set up as its documentation says: a key set, the algorithm
// fixed, issuer and audience given, `exp` required.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [corpus, packages] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { createLocalJWKSet, jwtVerify } = await import(pathToFileURL(require.resolve('jose')).href);

const read = (name) => JSON.parse(readFileSync(join(corpus, name), 'utf8'));
const rules = read('rules.json');
const keys = createLocalJWKSet(read('keys.json'));
const options = {
  algorithms: ['RS256'],
  audience: rules.audiences,
  issuer: rules.issuers,
  clockTolerance: rules.leeway,
  requiredClaims: ['exp'],
};

const lines = readFileSync(join(corpus, 'corpus.jsonl'), 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  let verdict = 'accepted';
  try {
    await jwtVerify(JSON.parse(line).token, keys, options);
  } catch (error) {
    // A verifier that breaks has not accepted.
    verdict = error.code ?? `broke off: ${error.name}`;
  }
  console.log(verdict);
}
