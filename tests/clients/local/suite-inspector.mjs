// MCP Inspector's CLI: a server for each request, as its configuration of servers says.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { Suite } from '../entra-node/report.mjs';
import { atDesk } from './at-desk.mjs';
import { environment, load, packaged, server } from './context.mjs';

const name = '@modelcontextprotocol/inspector';
// As its documentation lists them.
const [DONE, TOOL_FAILED] = [0, 5];

/** One request to the server of `desk`. */
async function inspect(desk, era, options) {
  const servers = join(desk.folder, 'inspector.json');
  writeFileSync(servers, JSON.stringify({ mcpServers: { valet: { type: 'stdio', ...server(desk) } } }));
  const all = [packaged(`${name}/clients/launcher/build/index.js`), '--cli', '--format', 'json', '-q', '--connect-timeout', '60000',
    '--config', servers, '--server', 'valet', '--protocol-era', era, ...options];
  const child = spawn(process.execPath, all, {
    env: { ...environment, HOME: desk.folder, MCP_INSPECTOR_SECRET_STORE: 'memory' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  assert.ok([DONE, TOOL_FAILED].includes(code), `exit code ${code}: ${said}`);
  const { result } = JSON.parse(out);
  assert.equal(code, result.isError ? TOOL_FAILED : DONE);
  return result;
}

for (const era of ['modern', 'legacy']) {
  const suite = new Suite(`local, ${name} ${load.version(name)}, ${era}`, 600_000);
  // With its server ends the sign-in by a device code, so that is only shown.
  await atDesk(suite, era, async (desk) => ({
    tools: async () => (await inspect(desk, era, ['--method', 'tools/list'])).tools,
    call: (tool) => inspect(desk, era, ['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', '{}']),
    close: () => {},
  }), { livesOn: false });
}

new Suite(name).end();
