// mcp-remote: a bridge that people put between a client of stdio and a server of HTTP. The client is the SDK 1.x.

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { click } from '../entra-node/browser.mjs';
import { Suite } from '../entra-node/report.mjs';
import { refused } from '../entra-node/expect.mjs';
import { LEGACY, MODERN, context, everyday, isProfile, isWhoami, leaving } from './checks.mjs';
import { ADELE, ALEX, clientId, environment, folder, load, packaged, scope, token, url } from './context.mjs';

const { Client } = load.require('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load.require('@modelcontextprotocol/sdk/client/stdio.js');
// Each case starts a program or two, which takes seconds on a busy machine.
const PATIENCE = 180_000;

const label = `mcp-remote ${load.version('mcp-remote')}`;

/** A bridge with nothing remembered. `said` is called with what it writes for people. */
async function open(options, said = () => {}) {
  const home = mkdtempSync(join(folder, 'mcp-remote-'));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packaged('mcp-remote/dist/proxy.js'), url, ...options(home)],
    env: { ...environment, HOME: home, MCP_REMOTE_CONFIG_DIR: home },
    stderr: 'pipe',
  });
  let text = '';
  transport.stderr.on('data', (part) => { text += part; said(text); });
  const client = new Client({ name: 'tests', version: '1' });
  try {
    await client.connect(transport);
  } catch (error) {
    error.message += `; it says: ${text.slice(-600)}`;
    throw error;
  }
  return {
    // What is spoken on this side of the bridge is the SDK's.
    revision: LEGACY,
    server: client.getServerVersion().name,
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    call: (tool, args, signal) => client.callTool({ name: tool, arguments: args }, undefined, signal),
    ...context(client),
    close: () => client.close(),
  };
}

/** The token in a file, which keeps it out of the list of processes. */
const bearing = (bearer, era) => (home) => {
  const file = join(home, 'headers');
  writeFileSync(file, `Authorization: Bearer ${bearer}\n`, { mode: 0o600 });
  return ['--header-file', file, '--transport', 'http-only', '--protocol', era];
};

for (const [era, beyond] of [['auto', MODERN], ['legacy', LEGACY]]) {
  const suite = new Suite(`${label}, ${era}`, PATIENCE);
  const connect = async () => open(bearing(await token(ADELE), era));
  await everyday(suite, connect, LEGACY, beyond);
  await leaving(suite, connect, 1);
}

const suite = new Suite(label, PATIENCE);

await suite.case('sign-in: it shows a page, a person fills it in; then both tools', async () => {
  let shown;
  const said = (text) => {
    const page = /visiting:\s+(https:\S+)\s/.exec(text)?.[1];
    // It shows the page before it listens for the answer.
    if (!page || shown || !text.includes('callback server running')) return;
    shown = new URL(page);
    click(page, ALEX).catch((error) => { shown = error; });
  };
  const registered = JSON.stringify({ client_id: clientId });
  const session = await open(() => ['--static-oauth-client-info', registered, '--callback-path', '/callback',
    '--transport', 'http-only'], said);
  const asked = shown.searchParams;
  assert.deepEqual([asked.get('client_id'), asked.get('code_challenge_method'), asked.get('resource')], [clientId, 'S256', url]);
  assert.ok(asked.get('scope').split(' ').includes(scope), asked.get('scope'));
  isWhoami(await session.call('whoami'), ALEX);
  isProfile(await session.call('GetUserDetailsFromGraph'), ALEX);
  await session.close();
});

await suite.case('a token of another API is refused', async () => {
  const foreign = await token(ADELE, ['entries.read'], 'api://ledger.contoso.example');
  await refused(open(bearing(foreign, 'legacy')));
});

suite.end();
