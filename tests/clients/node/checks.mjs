// What every client has to see, whatever its wire. A session is
// `{ revision, server, capabilities, tools(), call(name, args, { signal }), close() }` with plain results of MCP; errors of
// the protocol are thrown with their `code`.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { ADELE, expected, graph } from './context.mjs';
import { refused } from '../entra-node/expect.mjs';

export const MODERN = '2026-07-28';
export const LEGACY = '2025-11-25';

export const TOOLS = ['GetUserDetailsFromGraph', 'whoami'];

// Longer than anything here waits for Graph: Valet gives up after 15 seconds.
const DELAY = 60;

/** `result` is `whoami` of the user, and its text has the same facts. */
export function isWhoami(result, user = ADELE) {
  assert.deepEqual(result.structuredContent, expected[user].whoami);
  assert.deepEqual(JSON.parse(text(result)), expected[user].whoami);
  assert.notEqual(result.isError, true);
}

/** `result` is the user's profile in both forms. */
export function isProfile(result, user = ADELE) {
  assert.deepEqual(result.structuredContent, expected[user].profile);
  assert.equal(text(result), expected[user].text);
  assert.notEqual(result.isError, true);
}

/** `tools` are ours, described as clients need it. */
export function areTools(tools) {
  assert.deepEqual(tools.map(({ name }) => name), TOOLS);
  for (const { name, inputSchema, outputSchema, annotations } of tools) {
    assert.equal(inputSchema.additionalProperties, false, name);
    assert.equal(annotations.readOnlyHint, true, name);
    assert.equal(outputSchema.type, 'object', name);
  }
}

/** `result` tells a model that its arguments are wrong, and which. */
export function isAboutArguments(result) {
  assert.equal(result.isError, true);
  assert.match(text(result), /arguments do not fit the tool's input schema.*\buser\b/s);
  assert.equal(result.structuredContent, undefined);
}

/** The text of a result that has nothing else. */
function text({ content }) {
  assert.deepEqual(content.map(({ type }) => type), ['text']);
  return content[0].text;
}

/** List, calls and errors, each a case. `connect` opens a session with a good token of Adele's. */
export async function everyday(suite, connect, revision) {
  let session;
  await suite.case('connects', async () => {
    session = await connect();
    assert.equal(session.revision, revision);
    assert.equal(session.server, 'valet');
    assert.deepEqual(session.capabilities.tools, {});
  });
  if (!session) return;
  await suite.case('lists the tools', async () => areTools(await session.tools()));
  await suite.case('whoami', async () => isWhoami(await session.call('whoami')));
  await suite.case('GetUserDetailsFromGraph', async () => isProfile(await session.call('GetUserDetailsFromGraph')));
  await suite.case('an unknown tool is an error of the protocol', async () => {
    const error = await refused(session.call('nothing_of_that_name'));
    assert.equal(error.code, -32602);
    assert.match(error.message, /Unknown tool: nothing_of_that_name$/);
  });
  for (const tool of TOOLS) {
    await suite.case(`${tool} with an argument too many is told so`, async () => {
      isAboutArguments(await session.call(tool, { user: 'somebody else' }));
    });
  }
  await suite.case('after the errors, whoami', async () => isWhoami(await session.call('whoami')));
  await session.close();
}

/**
 * The client leaves in the middle of a call, `times` times, then calls again. The server has four places (run.py): with
 * more calls left than that, the last one is served only if leaving gave the place back.
 */
export function leaving(suite, connect, times) {
  return suite.case(`leaves mid-call, ${times} times; the next call is served`, async () => {
    const session = await connect();
    await graph.delay(DELAY);
    try {
      for (let left = 0; left < times; left += 1) {
        const controller = new AbortController();
        const call = refused(session.call('GetUserDetailsFromGraph', {}, { signal: controller.signal }));
        await Promise.race([arrived(left + 1), call.then((error) => { throw error; })]);
        controller.abort(new Error('the client leaves'));
        assert.match((await call).message, /abort|cancel|leaves/i);
      }
    } finally {
      await graph.undisturbed();
    }
    isProfile(await session.call('GetUserDetailsFromGraph'));
    isWhoami(await session.call('whoami'));
    await session.close();
  });
}

/** The `number`th call is at Graph. */
async function arrived(number) {
  while (await graph.delayed() < number) await sleep(20);
}
