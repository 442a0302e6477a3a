// The official SDK for TypeScript, 1.x.

import { Suite } from '../entra-node/report.mjs';
import { atDesk } from './at-desk.mjs';
import { load, server } from './context.mjs';

const name = '@modelcontextprotocol/sdk';
const { Client } = load.require(`${name}/client/index.js`);
const { StdioClientTransport } = load.require(`${name}/client/stdio.js`);
const suite = new Suite(`local, ${name} ${load.version(name)}`, 120_000);

await atDesk(suite, 'legacy', async (desk) => {
  const client = new Client({ name: 'tests', version: '1' });
  await client.connect(new StdioClientTransport(server(desk)));
  return {
    tools: async () => (await client.listTools()).tools,
    call: (tool) => client.callTool({ name: tool, arguments: {} }),
    close: () => client.close(),
  };
});

suite.end();
