// What every client has to see, whatever its wire. A session is
// `{ revision, server, capabilities, tools(), call(name, args, { signal }), close() }` and what `context` adds, with plain
// results of MCP; errors of the protocol are thrown with their `code`.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { ADELE, expected, graph, prompt, resource } from './context.mjs';
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
  tools.forEach(isDrawn);
  for (const { name, inputSchema, outputSchema, annotations } of tools) {
    assert.equal(inputSchema.additionalProperties, false, name);
    assert.equal(annotations.readOnlyHint, true, name);
    assert.equal(outputSchema.type, 'object', name);
  }
}

/** `resources` are ours. */
export function areResources(resources) {
  assert.deepEqual(resources.map(({ name, uri }) => [name, uri]), [['profile', resource]]);
  resources.forEach(isDrawn);
}

/** `result` is the user's profile, read as a resource. */
export function isRead({ contents: [contents, ...others] }, user = ADELE) {
  assert.deepEqual([contents.uri, contents.mimeType, others], [resource, 'application/json', []]);
  assert.deepEqual(JSON.parse(contents.text), expected[user].profile);
}

/** `prompts` are ours. */
export function arePrompts(prompts) {
  const described = prompts.map(({ name, arguments: each }) => [name, each.map((argument) => [argument.name, argument.required])]);
  assert.deepEqual(described, [[prompt.name, [['audience', true], ['language', false]]]]);
  prompts.forEach(isDrawn);
}

/** `result` is the prompt that was asked for, with the user's profile. */
export function isIntroduction({ messages: [asks, attached, ...others] }, user = ADELE) {
  assert.deepEqual([asks.role, attached.role, others], ['user', 'user', []]);
  const { introduction } = expected[user];
  assert.equal(asks.content.text.slice(0, introduction.length), introduction);
  isRead({ contents: [attached.content.resource] }, user);
}

/** It has an icon that needs no request to anybody. */
function isDrawn({ name, icons }) {
  assert.deepEqual(icons.map(({ src }) => src.split(',')[0]), ['data:image/svg+xml;base64'], name);
}

/** Resources and prompts, for a session with a client of either line of the SDK. */
export const context = (client) => ({
  resources: async () => (await client.listResources()).resources,
  read: () => client.readResource({ uri: resource }),
  prompts: async () => (await client.listPrompts()).prompts,
  prompt: () => client.getPrompt(prompt),
});

/** `result` tells a model that its arguments are wrong, and which. */
export function isAboutArguments(result) {
  assert.equal(result.isError, true);
  assert.equal(text(result), "The arguments do not fit the tool's input schema: `/user`: is not known here");
  assert.equal(result.structuredContent, undefined);
}

/** The text of a result that has nothing else. */
function text({ content }) {
  assert.deepEqual(content.map(({ type }) => type), ['text']);
  return content[0].text;
}

/** What the server says it can do. Logging is set by a request in the older revision, and by `_meta` in the newer one. */
const capabilities = (revision) => {
  const common = { tools: {}, resources: {}, prompts: {}, completions: {} };
  return revision === MODERN ? common : { ...common, logging: {} };
};

/**
 * Lists, calls and errors, each a case. `connect` opens a session with a good token of Adele's, in `revision`; where a bridge
 * is between, it speaks `beyond` with Valet.
 */
export async function everyday(suite, connect, revision, beyond = revision) {
  let session;
  await suite.case('connects', async () => {
    session = await connect();
    assert.equal(session.revision, revision);
    assert.equal(session.server, 'valet');
    assert.deepEqual(session.capabilities, capabilities(beyond));
  });
  if (!session) return;
  await suite.case('lists the tools', async () => areTools(await session.tools()));
  await suite.case('whoami', async () => isWhoami(await session.call('whoami')));
  await suite.case('GetUserDetailsFromGraph', async () => isProfile(await session.call('GetUserDetailsFromGraph')));
  await suite.case('the profile is a resource', async () => {
    areResources(await session.resources());
    isRead(await session.read());
  });
  await suite.case('the prompt brings the profile', async () => {
    arePrompts(await session.prompts());
    isIntroduction(await session.prompt());
  });
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
