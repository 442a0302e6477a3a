// mcp-remote: it opens a page, listens for the answer, and keeps the tokens in files.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, WAYS, clientId, documentId, environment, expected, home, isScope, load, mode, packaged, revokedAtEntra, spoil, url } from './context.mjs';

const { Client } = load.require('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load.require('@modelcontextprotocol/sdk/client/stdio.js');
// Each case starts a program or two, which takes seconds on a busy machine.
const suite = new Suite(`${mode.name}, mcp-remote ${load.version('mcp-remote')}`, 180_000);

/** A bridge that keeps what it knows in `folder`. `browser` is whom its pages are shown to. */
async function open(folder, options, browser) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packaged('mcp-remote/dist/proxy.js'), url, ...options, '--transport', 'http-only'],
    env: { ...environment, HOME: folder, MCP_REMOTE_CONFIG_DIR: folder },
    stderr: 'pipe',
  });
  let [text, shown] = ['', undefined];
  transport.stderr.on('data', (part) => {
    text += part;
    const page = /visiting:\s+(https:\S+)\s/.exec(text)?.[1];
    // It shows the page before it listens for the answer.
    if (!page || shown || !text.includes('callback server running')) return;
    shown = new URL(page);
    browser.visit(page).catch((error) => { text += error; });
  });
  const client = new Client({ name: 'tests', version: '1' });
  try {
    await client.connect(transport);
  } catch (error) {
    await client.close();
    error.message += `; it says: ${text}`;
    throw error;
  }
  return { client, asked: () => shown?.searchParams, said: () => text };
}

async function usesTools(client, id) {
  const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
  assert.deepEqual(structuredContent, { ...expected[ALEX].whoami, clientId: id });
  isProfile(await client.callTool({ name: 'GetUserDetailsFromGraph', arguments: {} }), ALEX);
}

const registered = ['--static-oauth-client-info', JSON.stringify({ client_id: clientId })];

/** Sign-in, and both tools; started again with a token that has expired, it refreshes and nobody is asked. */
async function everyday(options, id, resource = url) {
  const folder = home();
  const browser = new Browser(ALEX);
  const { client, asked } = await open(folder, options, browser);
  const query = asked();
  assert.deepEqual(['code_challenge_method', 'resource'].map((name) => query.get(name)), ['S256', resource]);
  assert.ok(isScope(query.get('scope')), query.get('scope'));
  if (id) assert.equal(query.get('client_id'), id);
  else assert.match(query.get('client_id'), /^registered-/);
  assert.equal(browser.pages.length, mode.asks ? 1 : 0);
  await usesTools(client, query.get('client_id'));
  await client.close();

  spoil(folder);
  const again = await open(folder, options, browser);
  await usesTools(again.client, query.get('client_id'));
  assert.equal(again.asked(), undefined, 'no page');
  await again.client.close();
}

if (mode.resource_refused) {
  await suite.case('`resource` is refused by Entra, and it says so', async () => {
    const error = await refused(open(home(), registered, new Browser(ALEX)));
    assert.match(error.message, /AADSTS9010010/);
  });
  await suite.case('--disable-resource-parameter: sign-in, both tools, refresh', () =>
    everyday([...registered, '--disable-resource-parameter'], clientId, null));
  suite.end();
  await new Promise(() => {});
}

for (const [way, options] of [[WAYS[0], registered], [WAYS[1], []], [WAYS[2], ['--client-metadata-url', documentId]]]) {
  if (!(way in mode.ids)) {
    await suite.case(`a client ${way} is refused: Entra registers nobody`, async () => {
      const error = await refused(open(home(), options, new Browser(ALEX)));
      assert.match(error.message, /does not support dynamic client registration/);
    });
    continue;
  }
  await suite.case(`a client ${way}: sign-in, both tools, refresh`, () => everyday(options, mode.ids[way]));
}

await suite.case('ended at Entra: it shows a page again', async () => {
  const [folder, browser] = [home(), new Browser(ALEX)];
  const first = await open(folder, registered, browser);
  await usesTools(first.client, clientId);
  await first.client.close();
  await revokedAtEntra(ALEX);
  const second = await open(folder, registered, browser);
  assert.equal(second.asked(), undefined, 'its token is good until a tool asks Graph');
  await usesTools(second.client, clientId);
  assert.equal(second.asked().get('client_id'), clientId, 'a page');
  await second.client.close();
});

for (const [what, options] of [['by the person', { press: 'deny' }], ['at Entra', { declines: true }]]) {
  if (options.press && !mode.asks) continue;
  await suite.case(`declined ${what}: it ends`, async () => {
    const error = await refused(open(home(), [...registered, '--auth-timeout', '10'], new Browser(ALEX, options)));
    assert.match(error.message, /access_denied/);
  });
}

suite.end();
