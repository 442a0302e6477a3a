// The official SDK for TypeScript, 2.x, in both eras.

import { Suite } from '../entra-node/report.mjs';
import { atDesk } from './at-desk.mjs';
import { load, server } from './context.mjs';

const name = '@modelcontextprotocol/client';
const { Client } = load.require(name);
const { StdioClientTransport } = load.require(`${name}/stdio`);

for (const mode of ['auto', 'legacy']) {
  await atDesk(new Suite(`local, ${name} ${load.version(name)}, ${mode}`, 120_000), mode, async (desk) => {
    const client = new Client({ name: 'tests', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StdioClientTransport(server(desk)));
    return {
      tools: async () => (await client.listTools()).tools,
      call: (tool) => client.callTool({ name: tool, arguments: {} }),
      close: () => client.close(),
    };
  });
}

new Suite(name).end();
