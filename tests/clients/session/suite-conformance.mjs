// The part of MCP's conformance suite that judges authorization servers, and the first steps of RFC 6749 with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import assert from 'node:assert/strict';

import { loader } from '../entra-node/packages.mjs';
import { Suite } from '../entra-node/report.mjs';
import { Browser } from './browser.mjs';
import { ADELE, clientId, conformance, environment, home, issuer, url } from './context.mjs';

const name = '@modelcontextprotocol/conformance';
const program = join(conformance, 'node_modules', name, 'dist/index.js');
const suite = new Suite(`session, ${name} ${loader(conformance).version(name)}, authorization`, 180_000);

/** Runs it with somebody who signs in; gives its checks. */
async function judged(revision, browser) {
  const results = home();
  const options = ['--url', issuer, '--client-id', clientId, '--resource', url, '--port', '3017', '--spec-version', revision];
  const child = spawn(process.execPath, [program, 'authorization', ...options, '-o', results], {
    env: environment, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, visited] = ['', false];
  child.stderr.on('data', (part) => { said += part; });
  child.stdout.on('data', (part) => {
    said += part;
    const page = /^(https:\S+\?response_type=code\S*)$/m.exec(said)?.[1];
    if (!page || visited || !said.includes('Waiting up to')) return;
    visited = true;
    browser.visit(page).catch((error) => { said += error; });
  });
  await once(child, 'close');
  const files = readdirSync(results, { recursive: true }).filter((file) => file.endsWith('checks.json'));
  return { said, checks: files.flatMap((file) => JSON.parse(readFileSync(join(results, file), 'utf8'))) };
}

for (const revision of ['2025-11-25', '2026-07-28']) {
  await suite.case(revision, async () => {
    const { said, checks } = await judged(revision, new Browser(ADELE));
    const found = checks.map(({ id, status, errorMessage }) => `${id}: ${status}${errorMessage ? ` ${errorMessage}` : ''}`);
    assert.deepEqual(found.sort(), [
      'authorization-code-grant: SUCCESS',
      'authorization-server-metadata-cimd: SUCCESS',
      'authorization-server-metadata: SUCCESS',
    ], said);
  });
}

await suite.case('whoever declines is seen by it', async () => {
  const { checks } = await judged('2026-07-28', new Browser(ADELE, { press: 'deny' }));
  const grant = checks.find(({ id }) => id === 'authorization-code-grant');
  assert.equal(grant.status, 'FAILURE');
  assert.match(grant.errorMessage, /access_denied/);
});

suite.end();
