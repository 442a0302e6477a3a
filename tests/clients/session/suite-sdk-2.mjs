// The official SDK for TypeScript, 2.x, in both eras.

import { Suite } from '../entra-node/report.mjs';
import { load, mode, url } from './context.mjs';
import { signIns } from './sign-in.mjs';

const name = '@modelcontextprotocol/client';
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = load.require(name);

for (const era of ['auto', 'legacy']) {
  const suite = new Suite(`${mode.name}, ${name} ${load.version(name)}, ${era}`);
  await signIns(suite, {
    transport: (person) => new StreamableHTTPClientTransport(new URL(url), { authProvider: person }),
    open: async (transport) => {
      const client = new Client({ name: 'tests', version: '1' }, { versionNegotiation: { mode: era } });
      await client.connect(transport);
      return { call: (tool) => client.callTool({ name: tool, arguments: {} }), close: () => client.close() };
    },
    // All of the answer, so that the SDK compares the issuer (RFC 9207).
    finish: (transport, answer) => transport.finishAuth(answer),
    asksAgain: (error) => error instanceof UnauthorizedError || error.cause instanceof UnauthorizedError,
  });
}

new Suite(name).end();
