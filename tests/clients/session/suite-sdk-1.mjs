// The official SDK for TypeScript, 1.x.

import { Suite } from '../entra-node/report.mjs';
import { load, mode, url } from './context.mjs';
import { signIns } from './sign-in.mjs';

const name = '@modelcontextprotocol/sdk';
const { Client } = load.require(`${name}/client/index.js`);
const { StreamableHTTPClientTransport } = load.require(`${name}/client/streamableHttp.js`);
const { UnauthorizedError } = load.require(`${name}/client/auth.js`);
const suite = new Suite(`${mode.name}, ${name} ${load.version(name)}`);

async function open(transport) {
  const client = new Client({ name: 'tests', version: '1' });
  await client.connect(transport);
  return { call: (tool) => client.callTool({ name: tool, arguments: {} }), close: () => client.close() };
}

await signIns(suite, {
  transport: (person) => new StreamableHTTPClientTransport(new URL(url), { authProvider: person }),
  open,
  finish: (transport, answer) => transport.finishAuth(answer.get('code')),
  asksAgain: (error) => error instanceof UnauthorizedError,
  asksOffline: false,
});

suite.end();
