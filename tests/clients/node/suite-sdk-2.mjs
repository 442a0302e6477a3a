// The official SDK for TypeScript, 2.x: 2026-07-28 where the server has it, pinned or found out, and the older handshake.

import assert from 'node:assert/strict';

import { Suite } from '../entra-node/report.mjs';
import { refused } from '../entra-node/expect.mjs';
import { LEGACY, MODERN, context, everyday, isProfile, isWhoami, leaving } from './checks.mjs';
import { ADELE, ALEX, load, scope, token, url } from './context.mjs';
import { Person, askedWell } from './person.mjs';
import { overStdio } from './stdio.mjs';

const name = '@modelcontextprotocol/client';
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = load.require(name);
const { StdioClientTransport } = load.require(`${name}/stdio`);
const label = `${name} ${load.version(name)}`;

const transport = (options) => new StreamableHTTPClientTransport(new URL(url), options);
const bearing = (bearer) => transport({ requestInit: { headers: { authorization: `Bearer ${bearer}` } } });

async function open(over, mode) {
  const client = new Client({ name: 'tests', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(over);
  return {
    revision: client.getNegotiatedProtocolVersion(),
    server: client.getServerVersion().name,
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    call: (tool, args, options) => client.callTool({ name: tool, arguments: args }, options),
    ...context(client),
    close: () => client.close(),
  };
}

for (const [era, mode, revision] of [['pinned', { pin: MODERN }, MODERN], ['auto', 'auto', MODERN], ['legacy', 'legacy', LEGACY]]) {
  const suite = new Suite(`${label}, ${era}`);
  const connect = async () => open(bearing(await token(ADELE)), mode);
  await everyday(suite, connect, revision);
  // The older revision cancels by a notification, which says nothing to a server without sessions.
  await leaving(suite, connect, revision === MODERN ? 6 : 1);

  await suite.case('no token is refused', async () => {
    const error = await refused(open(transport(), mode));
    assert.match(`${error.name} ${error.message}`, /401|unauthorized/i);
  });

  await suite.case('a token of another API is refused', async () => {
    const foreign = await token(ADELE, ['entries.read'], 'api://ledger.contoso.example');
    assert.match((await refused(open(bearing(foreign), mode))).message, /HTTP 401|the token is for another resource/);
    const session = await connect();
    isWhoami(await session.call('whoami'));
    await session.close();
  });

  await suite.case('sign-in: discovery, PKCE, a registered client; then both tools', async () => {
    const person = new Person(ALEX);
    const first = transport({ authProvider: person });
    const error = await refused(open(first, mode));
    assert.ok(error instanceof UnauthorizedError || error.cause instanceof UnauthorizedError, `${error}`);
    askedWell(person, { url, scope });
    await first.finishAuth(person.callback);
    const session = await open(transport({ authProvider: person }), mode);
    isWhoami(await session.call('whoami'), ALEX);
    isProfile(await session.call('GetUserDetailsFromGraph'), ALEX);
    await session.close();
  });
}

await overStdio(label, (command, mode) => open(new StdioClientTransport(command), mode));

new Suite(label).end();
