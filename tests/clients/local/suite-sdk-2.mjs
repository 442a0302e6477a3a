// The official SDK for TypeScript, 2.x, in both eras, without and with pages to send its user to.

import assert from 'node:assert/strict';

import { Suite } from '../entra-node/report.mjs';
import { refused } from '../entra-node/expect.mjs';
import { isProfile } from '../node/checks.mjs';
import { atDesk } from './at-desk.mjs';
import { ADELE, desks, enterCode, load, opened, server } from './context.mjs';

const name = '@modelcontextprotocol/client';
const { Client } = load.require(name);
const { StdioClientTransport } = load.require(`${name}/stdio`);

/** `onPage`: the client can send its user to a page, and this is what they do there. */
async function open(desk, mode, onPage) {
  const client = new Client({ name: 'tests', version: '1' }, {
    versionNegotiation: { mode }, ...(onPage && { capabilities: { elicitation: { url: {} } } }),
  });
  if (onPage) client.setRequestHandler('elicitation/create', ({ params }) => onPage(params));
  await client.connect(new StdioClientTransport(server(desk)));
  return {
    tools: async () => (await client.listTools()).tools,
    call: (tool) => client.callTool({ name: tool, arguments: {} }),
    close: () => client.close(),
  };
}

for (const mode of ['auto', 'legacy']) {
  const suite = new Suite(`local, ${name} ${load.version(name)}, ${mode}`, 180_000);
  await atDesk(suite, mode, (desk) => open(desk, mode));

  await suite.case('device code, with pages: the user is sent to the one for the code', async () => {
    const desk = desks[`${mode}-pages`];
    const pages = [];
    const session = await open(desk, mode, async (page) => {
      pages.push(page);
      assert.match(await enterCode(page.message, ADELE), /You are signed in/);
      return { action: 'accept' };
    });
    if (mode === 'legacy') {
      // This revision has an error for it, and the call is made again when the user is done.
      const error = await refused(session.call('GetUserDetailsFromGraph'));
      assert.equal(error.code, -32042);
      const [page] = error.data.elicitations;
      pages.push(page);
      assert.match(await enterCode(page.message, ADELE), /You are signed in/);
    }
    isProfile(await session.call('GetUserDetailsFromGraph'));
    assert.deepEqual(pages.map((page) => [page.mode, new URL(page.url).pathname]), [['url', '/devicelogin']]);
    await session.close();
    assert.equal(opened(desk).length, 0, 'no browser opens');
  });
}

new Suite(name).end();
