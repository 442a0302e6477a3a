// The official SDK for TypeScript, 1.x: revisions up to 2025-11-25.

import assert from 'node:assert/strict';

import { Suite } from '../entra-node/report.mjs';
import { refused } from '../entra-node/expect.mjs';
import { LEGACY, context, everyday, isProfile, isWhoami, leaving } from './checks.mjs';
import { ADELE, ALEX, load, scope, token, url } from './context.mjs';
import { Person, askedWell } from './person.mjs';

const name = '@modelcontextprotocol/sdk';
const { Client } = load.require(`${name}/client/index.js`);
const { StreamableHTTPClientTransport } = load.require(`${name}/client/streamableHttp.js`);
const { UnauthorizedError } = load.require(`${name}/client/auth.js`);
const suite = new Suite(`${name} ${load.version(name)}`);

const transport = (options) => new StreamableHTTPClientTransport(new URL(url), options);
const bearing = (bearer) => transport({ requestInit: { headers: { authorization: `Bearer ${bearer}` } } });

async function open(over) {
  const client = new Client({ name: 'tests', version: '1' });
  await client.connect(over);
  return {
    revision: over.protocolVersion,
    server: client.getServerVersion().name,
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    // A list first: the SDK checks structured content against the output schemas that it has seen.
    call: (tool, args, options) => client.callTool({ name: tool, arguments: args }, undefined, options),
    ...context(client),
    close: () => client.close(),
  };
}

await everyday(suite, async () => open(bearing(await token(ADELE))), LEGACY);

// 1.x says `notifications/cancelled` and keeps the request open; Valet has no sessions, so it cannot know which call is meant.
await leaving(suite, async () => open(bearing(await token(ADELE))), 1);

await suite.case('no token: the SDK asks for a sign-in, and has no session', async () => {
  const error = await refused(open(transport()));
  assert.equal(error.code, 401);
});

await suite.case('a token of another API is refused', async () => {
  const foreign = await token(ADELE, ['entries.read'], 'api://ledger.contoso.example');
  assert.equal((await refused(open(bearing(foreign)))).code, 401);
  const session = await open(bearing(await token(ADELE)));
  isWhoami(await session.call('whoami'));
  await session.close();
});

await suite.case('sign-in: discovery, PKCE, a registered client; then both tools', async () => {
  const person = new Person(ALEX);
  const first = transport({ authProvider: person });
  const error = await refused(open(first));
  assert.ok(error instanceof UnauthorizedError, `${error}`);
  askedWell(person, { url, scope });
  await first.finishAuth(person.callback.get('code'));
  const session = await open(transport({ authProvider: person }));
  isWhoami(await session.call('whoami'), ALEX);
  isProfile(await session.call('GetUserDetailsFromGraph'), ALEX);
  await session.close();
});

suite.end();
