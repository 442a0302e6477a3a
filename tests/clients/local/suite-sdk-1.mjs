// The official SDK for TypeScript, 1.x.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Suite } from '../entra-node/report.mjs';
import { atDesk } from './at-desk.mjs';
import { desks, load, opened, server } from './context.mjs';

const name = '@modelcontextprotocol/sdk';
const { Client } = load.require(`${name}/client/index.js`);
const { StdioClientTransport } = load.require(`${name}/client/stdio.js`);
const suite = new Suite(`local, ${name} ${load.version(name)}`, 120_000);

/** Without an `env` the SDK passes on what it thinks is harmless. */
async function open(desk, { env } = desk) {
  const client = new Client({ name: 'tests', version: '1' });
  await client.connect(new StdioClientTransport({ ...server(desk), env }));
  return {
    tools: async () => (await client.listTools()).tools,
    call: (tool) => client.callTool({ name: tool, arguments: {} }),
    close: () => client.close(),
  };
}

await atDesk(suite, 'legacy', open);

await suite.case('without a word about the environment there is no screen: the answer has a code', async () => {
  process.env.DISPLAY = ':0';
  const session = await open(desks.little, {});
  const told = await session.call('GetUserDetailsFromGraph');
  assert.match(told.content[0].text, /enter the code/);
  assert.match(readFileSync(join(desks.little.folder, 'stdio.err'), 'utf8'), /neither DISPLAY nor WAYLAND_DISPLAY/);
  await session.close();
  assert.equal(opened(desks.little).length, 0);
});

suite.end();
