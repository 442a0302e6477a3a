// An emulator, and a Valet for each set of tools.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import * as emulator from '../clients/entra-node/emulator.mjs';
import * as proxy from './proxy.mjs';

// Of the emulator's sample registrations.
const TENANT = '7e57a000-0000-4000-8000-000000000001';
const API = '7e57c000-0000-4000-8000-000000000001';
const CLIENT = '7e57c000-0000-4000-8000-000000000002';
const SECRET = 'valet-sample-secret';
const SCOPE = 'mcp.access';
const USER = 'adele@contoso.example';

const PATIENCE = 60_000;

/** Starts the emulator and has it make a token. */
export async function entra(program, folder) {
  const sample = spawnSync(program, ['--print-sample-config'], { encoding: 'utf8' });
  if (sample.status !== 0) throw new Error(`${program} cannot be run: ${sample.error?.message ?? sample.stderr}`);
  const running = await emulator.start(program, folder, sample.stdout);
  const wanted = { user: USER, client: CLIENT, api: API, scopes: [SCOPE] };
  const { admin, ca_file: ca } = running.facts;
  const { access_token: token } = JSON.parse(await post(`${admin}/tokens`, JSON.stringify(wanted), ca));
  return { facts: running.facts, token, stop: running.stop };
}

/**
 * Starts a Valet with the layout in `artifacts`, which lets everybody use the `names` of tools, resources and prompts, and a proxy before it that adds the
 * token. The server names itself after the proxy, whose URL is what the suite is given.
 */
export async function valet({ program, artifacts, folder, names, emulator: { facts, token } }) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const front = await proxy.start(port, token);
  const [config, log] = ['valet.toml', 'valet.log'].map((name) => join(folder, name));
  writeFileSync(config, configuration({ artifacts, port, front: front.port, facts, names }));
  const output = openSync(log, 'w');
  // Settings of the developer's own Valet must not reach this one.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VALET_'));
  const env = { ...Object.fromEntries(own), VALET_CLIENT_SECRET: SECRET };
  const server = spawn(program, ['serve', '--config', config], { cwd: folder, env, stdio: ['ignore', output, output] });
  let ended;
  server.on('error', (error) => { ended = error.message; });
  server.on('exit', (code, signal) => { ended ??= `it ended with ${code ?? signal}`; });
  const stop = async () => {
    front.stop();
    if (ended) return;
    const end = new Promise((resolve) => { server.once('exit', resolve); });
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 10_000);
    await end;
    clearTimeout(late);
  };
  const until = Date.now() + PATIENCE;
  while (!(await ready(port, front.port))) {
    if (ended || Date.now() > until) {
      await stop();
      throw new Error(`valet did not start: ${ended ?? 'not ready in time'}\n${readFileSync(log, 'utf8')}`);
    }
    await sleep(100);
  }
  return { url: `http://127.0.0.1:${front.port}/mcp`, log: () => readFileSync(log, 'utf8'), stop };
}

function configuration({ artifacts, port, front, facts, names }) {
  const rules = Object.entries(names).flatMap(([kind, list]) =>
    list.map((name) => `[${kind}.${JSON.stringify(name)}]\nscopes = ["${SCOPE}"]\n`));
  return `artifacts = '${artifacts}'
[server]
listen = "127.0.0.1:${port}"
public_url = "https://localhost:${front}/mcp"
allowed_hosts = ["127.0.0.1:${front}"]
allowed_origins = ["http://127.0.0.1:${front}"]
[entra]
authority = "${facts.authority}"
v1_authority = "${facts.authority}/sts"
tenant = "${TENANT}"
client_id = "${API}"
emulator = true
[graph]
url = "${facts.graph}"
[egress]
ca_file = '${facts.ca_file}'
allow_private_addresses = true
${rules.join('')}`;
}

async function ready(port, front) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { host: `127.0.0.1:${front}` } });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago. */
async function freePort() {
  const { createServer } = await import('node:net');
  const socket = createServer();
  await new Promise((done) => { socket.listen(0, '127.0.0.1', done); });
  const { port } = socket.address();
  await new Promise((done) => { socket.close(done); });
  return port;
}

/** Node reads certificates to trust when it starts; this trusts those in the file `ca` as well. */
function post(url, body, ca) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request(url, { method: 'POST', ca: readFileSync(ca), headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => (answer.statusCode < 300 ? resolve(text) : reject(new Error(`${url}: ${answer.statusCode} ${text}`))));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
