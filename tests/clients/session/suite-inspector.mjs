// MCP Inspector's CLI: it shows the address of a page, and listens for the answer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, WAYS, clientId, documentId, environment, expected, home, isScope, load, mode, packaged, revokedAtEntra, spoil, token, url } from './context.mjs';

const name = '@modelcontextprotocol/inspector';
// Each case starts a program or two, which takes seconds on a busy machine.
const suite = new Suite(`${mode.name}, ${name} ${load.version(name)}`, 180_000);

// As its documentation lists them.
const [DONE, SIGN_IN] = [0, 3];

/** Runs it; gives exit code, the result, what it said, and what it asked `browser` for. */
async function inspect(folder, options, browser) {
  const program = packaged(`${name}/clients/launcher/build/index.js`);
  const all = [program, '--cli', '--server-url', url, '--transport', 'http', '--format', 'json', '-q', '--connect-timeout', '60000', ...options];
  // It signs in for people alone, at a terminal or where it is told that there are some. Its secrets are in a file, where
  // the next run finds them, and in no keychain of the developer's.
  const env = { ...environment, HOME: folder, MCP_INSPECTOR_SECRET_STORE: 'file', ...(browser && { MCP_AUTO_OPEN_ENABLED: 'true' }) };
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

if (mode.resource_refused) {
  await suite.case('`resource` is refused by Entra, and it says so', async () => {
    const { code, said } = await inspect(home(), ['--client-id', clientId, ...call('whoami')], new Browser(ALEX));
    assert.notEqual(code, DONE);
    assert.match(said, /AADSTS9010010/);
    // So that nothing else stands between it and the tools.
    const bearer = ['--header', `Authorization: Bearer ${await token(ALEX)}`];
    const held = await inspect(home(), [...bearer, ...call('GetUserDetailsFromGraph')]);
    assert.equal(held.code, DONE, held.said);
    isProfile(held.answer, ALEX);
  });
  suite.end();
  await new Promise(() => {});
}

for (const era of ['modern', 'legacy']) {
  for (const [way, options] of [[WAYS[0], ['--client-id', clientId]], [WAYS[1], []], [WAYS[2], ['--client-metadata-url', documentId]]]) {
    const all = [...options, '--protocol-era', era];
    if (!(way in mode.ids)) {
      await suite.case(`${era}, a client ${way} is refused: Entra registers nobody`, async () => {
        const { code, said, asked } = await inspect(home(), [...all, ...call('whoami')], new Browser(ALEX));
        assert.notEqual(code, DONE);
        assert.match(said, /does not support dynamic client registration/);
        assert.equal(asked, undefined, 'no page');
      });
      continue;
    }
    await suite.case(`${era}, a client ${way}: sign-in, both tools, refresh`, async () => {
      const folder = home();
      const browser = new Browser(ALEX);
      const first = await inspect(folder, [...all, ...call('whoami')], browser);
      assert.equal(first.code, DONE, first.said);
      const asked = first.asked.get('client_id');
      assert.equal(first.asked.get('resource'), url);
      assert.ok(isScope(first.asked.get('scope')), first.asked.get('scope'));
      if (mode.ids[way]) assert.equal(asked, mode.ids[way]);
      else assert.match(asked, /^registered-/);
      assert.deepEqual(first.answer.structuredContent, { ...expected[ALEX].whoami, clientId: asked });

      spoil(folder);
      const second = await inspect(folder, [...all, '--use-stored-auth', ...call('GetUserDetailsFromGraph')], browser);
      assert.equal(second.code, DONE, second.said);
      assert.equal(second.asked, undefined, 'no page');
      isProfile(second.answer, ALEX);
    });
  }
}

await suite.case('ended at Entra: it shows a page again', async () => {
  const [folder, browser, known] = [home(), new Browser(ALEX), ['--client-id', clientId, ...call('GetUserDetailsFromGraph')]];
  const first = await inspect(folder, known, browser);
  assert.equal(first.code, DONE, first.said);
  await revokedAtEntra(ALEX);
  const second = await inspect(folder, [...known, '--use-stored-auth'], browser);
  assert.equal(second.code, DONE, second.said);
  assert.equal(second.asked.get('client_id'), clientId, 'a page');
  isProfile(second.answer, ALEX);
});

for (const [what, options, told] of [
  ['by the person', { press: 'deny' }, /"message":"the user declined"/], ['at Entra', { declines: true }, /declined|access_denied/],
]) {
  if (options.press && !mode.asks) continue;
  await suite.case(`declined ${what}: it says so`, async () => {
    const { code, said } = await inspect(home(), ['--client-id', clientId, ...call('whoami')], new Browser(ALEX, options));
    assert.notEqual(code, DONE);
    assert.match(said, told);
  });
}

await suite.case('without a sign-in: it says that one is needed', async () => {
  const { code, said } = await inspect(home(), ['--stored-auth-only', '--method', 'tools/list']);
  assert.equal(code, SIGN_IN, said);
});

suite.end();
