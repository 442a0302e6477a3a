// The command line of MCP Inspector: one process for each request.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { Suite } from '../entra-node/report.mjs';
import { arePrompts, areResources, areTools, isAboutArguments, isIntroduction, isProfile, isRead, isWhoami } from './checks.mjs';
import { ADELE, environment, folder, graph, load, packaged, prompt, resource, token, url } from './context.mjs';
import { command } from './stdio.mjs';

const name = '@modelcontextprotocol/inspector';
// Each case starts a program or two, which takes seconds on a busy machine.
const PATIENCE = 180_000;

const label = `${name} ${load.version(name)}`;

// As its documentation lists them.
const [DONE, SIGN_IN, TOOL_FAILED] = [0, 3, 5];

/** Runs it; gives exit code, the result on standard output and what it said. `then` gets the process while it runs. */
async function inspect(options, then = () => {}) {
  const program = packaged(`${name}/clients/launcher/build/index.js`);
  const all = [program, '--cli', '--format', 'json', '-q', '--connect-timeout', '60000', ...options];
  const child = spawn(process.execPath, all, {
    env: { ...environment, MCP_INSPECTOR_SECRET_STORE: 'memory' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr), then(child)]);
  const [code] = await ended;
  return { code, said, answer: out.trim() ? JSON.parse(out).result : undefined };
}

/** The cases of one wire. `ask(options)` inspects over it. */
async function cases(suite, ask) {
  await suite.case('lists the tools, whose schemas are portable', async () => {
    const { code, said, answer } = await ask(['--method', 'tools/list', '--strict']);
    assert.deepEqual([code, said], [DONE, '']);
    areTools(answer.tools);
  });

  const call = (tool, args) => ask(['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args)]);

  await suite.case('whoami', async () => {
    const { code, said, answer } = await call('whoami', {});
    assert.equal(code, DONE, said);
    isWhoami(answer);
  });

  await suite.case('GetUserDetailsFromGraph', async () => {
    const { code, said, answer } = await call('GetUserDetailsFromGraph', {});
    assert.equal(code, DONE, said);
    isProfile(answer);
  });

  const args = Object.entries(prompt.arguments).map(([argument, value]) => `${argument}=${value}`);
  for (const [method, options, check] of [
    ['resources/list', [], ({ resources }) => areResources(resources)],
    ['resources/read', ['--uri', resource], isRead],
    ['prompts/list', [], ({ prompts }) => arePrompts(prompts)],
    ['prompts/get', ['--prompt-name', prompt.name, '--prompt-args', ...args], isIntroduction],
  ]) {
    await suite.case(method, async () => {
      const { code, said, answer } = await ask(['--method', method, ...options]);
      assert.equal(code, DONE, said);
      check(answer);
    });
  }

  await suite.case('an unknown tool', async () => {
    const { code, said } = await call('nothing_of_that_name', {});
    assert.notEqual(code, DONE);
    assert.match(said, /nothing_of_that_name/);
  });

  await suite.case('an argument too many', async () => {
    const { code, answer } = await call('whoami', { user: 'somebody else' });
    assert.equal(code, TOOL_FAILED);
    isAboutArguments(answer);
  });
}

for (const era of ['modern', 'auto', 'legacy']) {
  const suite = new Suite(`${label}, ${era}`, PATIENCE);
  const over = (bearer) => [url, '--transport', 'http', '--protocol-era', era, '--stored-auth-only',
    ...(bearer ? ['--header', `Authorization: Bearer ${bearer}`] : [])];
  await cases(suite, async (options) => inspect([...over(await token(ADELE)), ...options]));

  await suite.case('no token: it says that a sign-in is needed', async () => {
    const { code, said } = await inspect([...over(), '--method', 'tools/list']);
    assert.equal(code, SIGN_IN, said);
  });
}

const suite = new Suite(label, PATIENCE);

await suite.case('is killed mid-call; the next call is served', async () => {
  const over = [url, '--transport', 'http', '--protocol-era', 'modern', '--header', `Authorization: Bearer ${await token(ADELE)}`];
  const profile = [...over, '--method', 'tools/call', '--tool-name', 'GetUserDetailsFromGraph'];
  await graph.delay(60);
  const then = async (child) => {
    while (await graph.delayed() < 1) {
      assert.equal(child.exitCode, null, 'it waits');
      await sleep(20);
    }
    child.kill('SIGKILL');
  };
  try {
    await inspect(profile, then);
  } finally {
    await graph.undisturbed();
  }
  isProfile((await inspect(profile)).answer);
});

for (const era of ['modern', 'legacy']) {
  // In a file, so that the token is in no list of processes.
  const servers = join(folder, 'inspector.json');
  writeFileSync(servers, JSON.stringify({ mcpServers: { valet: { type: 'stdio', ...await command() } } }), { mode: 0o600 });
  const ask = (options) => inspect(['--config', servers, '--server', 'valet', '--protocol-era', era, ...options]);
  await cases(new Suite(`${label}, stdio, ${era}`, PATIENCE), ask);
}

suite.end();
