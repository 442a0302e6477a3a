// MCP Inspector's CLI: it shows the address of a page, and listens for the answer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, clientId, documentId, environment, expected, folder, load, packaged, url } from './context.mjs';

const name = '@modelcontextprotocol/inspector';
// Each case starts a program or two, which takes seconds on a busy machine.
const suite = new Suite(`session, ${name} ${load.version(name)}`, 180_000);

// As its documentation lists them.
const [DONE, SIGN_IN] = [0, 3];

/** Runs it; gives exit code, the result, what it said, and what it asked `browser` for. */
async function inspect(home, options, browser) {
  const program = packaged(`${name}/clients/launcher/build/index.js`);
  const all = [program, '--cli', '--server-url', url, '--transport', 'http', '--format', 'json', '-q', '--connect-timeout', '60000', ...options];
  // It signs in for people alone, at a terminal or where it is told that there are some. Its secrets are in a file, where
  // the next run finds them, and in no keychain of the developer's.
  const env = { ...environment, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file', ...(browser && { MCP_AUTO_OPEN_ENABLED: 'true' }) };
  const child = spawn(process.execPath, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, said, shown] = ['', '', undefined];
  child.stdout.on('data', (part) => { out += part; });
  child.stderr.on('data', (part) => {
    said += part;
    const page = /navigate to: (https:\S+)\s/.exec(said)?.[1];
    if (!page || shown) return;
    shown = new URL(page);
    browser.visit(page).catch((error) => { said += error; });
  });
  const [code] = await once(child, 'close');
  return { code, said, asked: shown?.searchParams, answer: out.trim() ? JSON.parse(out).result : undefined };
}

const call = (tool) => ['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', '{}'];

for (const era of ['modern', 'legacy']) {
  for (const [way, options, id] of [
    ['registered beforehand', ['--client-id', clientId], clientId],
    ['that registers itself', [], undefined],
    ['with a document', ['--client-metadata-url', documentId], documentId],
  ]) {
    await suite.case(`${era}, a client ${way}: sign-in, and both tools`, async () => {
      const home = mkdtempSync(join(folder, 'inspector-'));
      const browser = new Browser(ALEX);
      const all = [...options, '--protocol-era', era];
      const first = await inspect(home, [...all, ...call('whoami')], browser);
      assert.equal(first.code, DONE, first.said);
      const asked = first.asked.get('client_id');
      if (id) assert.equal(asked, id);
      else assert.match(asked, /^registered-/);
      assert.deepEqual(first.answer.structuredContent, { ...expected[ALEX].whoami, clientId: asked });

      const second = await inspect(home, [...all, '--use-stored-auth', ...call('GetUserDetailsFromGraph')], browser);
      assert.equal(second.code, DONE, second.said);
      assert.equal(second.asked, undefined, 'no page');
      isProfile(second.answer, ALEX);
    });
  }
}

await suite.case('declined: it says that a sign-in is needed', async () => {
  const home = mkdtempSync(join(folder, 'inspector-'));
  const browser = new Browser(ALEX, { press: 'deny' });
  const { code, said } = await inspect(home, ['--client-id', clientId, ...call('whoami')], browser);
  assert.notEqual(code, DONE);
  assert.match(said, /"message":"the user declined"/);
});

await suite.case('without a sign-in: it says that one is needed', async () => {
  const home = mkdtempSync(join(folder, 'inspector-'));
  const { code, said } = await inspect(home, ['--stored-auth-only', '--method', 'tools/list']);
  assert.equal(code, SIGN_IN, said);
});

suite.end();
