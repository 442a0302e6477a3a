#!/usr/bin/env node
// The emulator tested with Microsoft's own clients for JavaScript. README.md says how to run it.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import * as emulator from './emulator.mjs';
import { registrations } from './directory.mjs';
import { make } from './material.mjs';
import { install } from './packages.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

// For all cases of one suite.
const PATIENCE = 240_000;

/** Where the clients look for managed identities. */
const imds = ({ imds: machine }) => ({ MACHINE: 'imds', AZURE_POD_IDENTITY_AUTHORITY_HOST: machine });
const appService = ({ identity_endpoint: endpoint, identity_header: header }) => ({
  MACHINE: 'app-service', IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header,
});

/** Name, file, and variables besides the certificate authority. Each has an emulator and a process of its own. */
const SUITES = [
  ['msal-user', 'suite-msal-user.mjs'],
  ['msal-device', 'suite-msal-device.mjs'],
  ['msal-app', 'suite-msal-app.mjs'],
  ['msal-imds', 'suite-msal-machine.mjs', imds],
  ['msal-app-service', 'suite-msal-machine.mjs', appService],
  ['identity', 'suite-identity.mjs'],
  ['identity-imds', 'suite-identity-machine.mjs', imds],
  ['identity-app-service', 'suite-identity-machine.mjs', appService],
  ['graph', 'suite-graph.mjs'],
  ['openid', 'suite-openid.mjs'],
];

async function main() {
  const options = parse();
  const work = resolve(options.work);
  mkdirSync(work, { recursive: true });
  const packages = install(HERE, work);
  const count = { passed: 0, failed: 0 };
  for (const [name, file, variables = () => ({})] of SUITES.filter(([name]) => name.includes(options.only))) {
    const folder = join(work, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await suite({ name, file, variables, folder, packages, program: resolve(options.emulator) }, count);
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.passed > 0 && count.failed === 0 ? 0 : 1;
}

async function suite({ name, file, variables, folder, packages, program }, count) {
  let running;
  try {
    running = await emulator.start(program, folder, registrations(make(folder)));
    const failed = count.failed;
    await cases({ file, folder, packages, facts: running.facts, variables: variables(running.facts) }, count);
    if (count.failed > failed) process.stderr.write(`the emulator's log of these cases: ${running.log}\n`);
  } catch (error) {
    count.failed += 1;
    console.log(`FAILED ${name}: could be run: ${error.message}`);
  } finally {
    await running?.stop();
    // Keys that only this run needed.
    for (const key of ['registered', 'stranger', 'cluster']) {
      for (const ending of ['key', 'pem']) rmSync(join(folder, `${key}.${ending}`), { force: true });
    }
  }
}

/** Runs one suite in a process of its own: the certificate authority is read once, when a process starts. */
async function cases({ file, folder, packages, facts, variables }, count) {
  const context = join(folder, 'context.json');
  writeFileSync(context, JSON.stringify({ facts, folder, packages }));
  const env = { ...clean(process.env), ENTRA_NODE_CONTEXT: context, NODE_EXTRA_CA_CERTS: facts.ca_file, ...variables };
  const child = spawn(process.execPath, [join(HERE, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const ended = new Promise((done) => { child.on('exit', (code, signal) => done(code ?? signal)); });
  let complete = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'end of the suite') complete = true;
    else console.log(line);
    if (line.startsWith('ok ')) count.passed += 1;
    if (line.startsWith('FAILED ')) count.failed += 1;
  }
  const code = await ended;
  clearTimeout(late);
  if (!complete) {
    count.failed += 1;
    console.log(`FAILED ${file}: ran to its end: it stopped with ${code}`);
  }
}

/** Without what would steer the clients: proxies, identities, authorities. */
function clean(variables) {
  const steering = /^(AZURE_|IDENTITY_|MSI_|IMDS_|NODE_OPTIONS$|NODE_TLS_|MACHINE$)|proxy$/i;
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !steering.test(name)));
}

function parse() {
  const target = process.env.CARGO_TARGET_DIR ?? join(tmpdir(), 'entra-emulator');
  const { values } = parseArgs({
    options: {
      emulator: { type: 'string' },
      work: { type: 'string', default: join(target, 'clients', 'entra-node') },
      only: { type: 'string', default: '' },
    },
  });
  if (!values.emulator) usage('--emulator is needed');
  if (!existsSync(values.emulator)) usage(`${values.emulator} does not exist`);
  return values;
}

function usage(complaint) {
  process.stderr.write(`run.mjs: ${complaint}\n` +
    'usage: node run.mjs --emulator PROGRAM [--work FOLDER] [--only PART OF A SUITE\'S NAME]\n' +
    `suites: ${SUITES.map(([name]) => name).join(' ')}\n`);
  process.exit(2);
}

process.exitCode = await main();
