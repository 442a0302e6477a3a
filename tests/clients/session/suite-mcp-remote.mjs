// mcp-remote: it opens a page, listens for the answer, and keeps the tokens in files.

import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { refused } from '../entra-node/expect.mjs';
import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, clientId, documentId, environment, expected, folder, load, packaged, url } from './context.mjs';

const { Client } = load.require('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load.require('@modelcontextprotocol/sdk/client/stdio.js');
// Each case starts a program or two, which takes seconds on a busy machine.
const suite = new Suite(`session, mcp-remote ${load.version('mcp-remote')}`, 180_000);

/** A bridge that keeps what it knows in `home`. `browser` is whom its pages are shown to. */
async function open(home, options, browser) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packaged('mcp-remote/dist/proxy.js'), url, ...options, '--transport', 'http-only'],
    env: { ...environment, HOME: home, MCP_REMOTE_CONFIG_DIR: home },
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
    error.message += `; it says: ${text.slice(-600)}`;
    throw error;
  }
  return { client, asked: () => shown?.searchParams };
}

async function usesTools(client, id) {
  const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
  assert.deepEqual(structuredContent, { ...expected[ALEX].whoami, clientId: id });
  isProfile(await client.callTool({ name: 'GetUserDetailsFromGraph', arguments: {} }), ALEX);
}

for (const [way, options, id] of [
  ['registered beforehand', ['--static-oauth-client-info', JSON.stringify({ client_id: clientId })], clientId],
  ['that registers itself', [], undefined],
  ['with a document', ['--client-metadata-url', documentId], documentId],
]) {
  await suite.case(`a client ${way}: sign-in, both tools; started again, nobody is asked`, async () => {
    const home = mkdtempSync(join(folder, 'mcp-remote-'));
    const browser = new Browser(ALEX);
    const { client, asked } = await open(home, options, browser);
    const query = asked();
    assert.deepEqual(['code_challenge_method', 'resource'].map((name) => query.get(name)), ['S256', url]);
    if (id) assert.equal(query.get('client_id'), id);
    else assert.match(query.get('client_id'), /^registered-/);
    assert.equal(browser.pages.length, 1);
    await usesTools(client, query.get('client_id'));
    await client.close();

    const again = await open(home, options, browser);
    await usesTools(again.client, query.get('client_id'));
    assert.equal(again.asked(), undefined, 'no page');
    await again.client.close();
  });
}

await suite.case('declined: it ends', async () => {
  const home = mkdtempSync(join(folder, 'mcp-remote-'));
  const options = ['--static-oauth-client-info', JSON.stringify({ client_id: clientId }), '--auth-timeout', '10'];
  const error = await refused(open(home, options, new Browser(ALEX, { press: 'deny' })));
  assert.match(error.message, /access_denied|did not allow|denied|timed? ?out|closed/i);
});

suite.end();
