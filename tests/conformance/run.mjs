#!/usr/bin/env node
// Valet judged by the conformance suite of MCP. README.md says how to run it.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { install } from '../clients/entra-node/packages.mjs';
import * as servers from './servers.mjs';
import { Conformance } from './suite.mjs';
import { Verdict, expectations } from './verdict.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const [MODERN, LEGACY] = ['2026-07-28', '2025-11-25'];

/** What the suite runs beside the requirements, of things that this server has. The others are extensions, and sessions. */
const BESIDE = {
  [MODERN]: ['http-header-validation', 'http-custom-header-server-validation', 'json-schema-2020-12'],
  [LEGACY]: ['json-schema-2020-12'],
};

/** Scenarios that need no fixture, for the tools that ship. */
const SHIPPED = [
  [MODERN, 'tools-list'],
  [MODERN, 'caching'],
  [MODERN, 'dns-rebinding-protection'],
  [LEGACY, 'dns-rebinding-protection'],
  [MODERN, 'http-header-validation'],
  [MODERN, 'server-stateless'],
  [MODERN, 'sep-2164-resource-not-found'],
  [MODERN, 'server-sse-multiple-streams'],
];

async function main() {
  const options = parse();
  const work = resolve(options.work);
  mkdirSync(work, { recursive: true });
  const conformance = new Conformance(install(HERE, work), join(work, 'results'));
  const verdict = new Verdict();
  const emulatorFolder = join(work, 'emulator');
  rmSync(emulatorFolder, { recursive: true, force: true });
  const emulator = await servers.entra(resolve(options.emulator), emulatorFolder);
  try {
    const shared = { program: resolve(options.valet), emulator };
    await served(verdict, 'fixtures', { ...shared, artifacts: options.fixtures, folder: join(work, 'fixtures'), names: fixtures() },
      (url) => withFixtures(conformance, verdict, url));
    await served(verdict, 'shipped', { ...shared, artifacts: options.artifacts, folder: join(work, 'shipped'), names: shipped() },
      (url) => withShipped(conformance, verdict, url));
  } finally {
    await emulator.stop();
  }
  console.log(`${verdict.passed} passed, ${verdict.failed} failed, ${verdict.expected} expected to fail`);
  return verdict.passed > 0 && verdict.failed === 0 ? 0 : 1;
}

/** Runs `judge` on a server, and then looks through what that wrote. */
async function served(verdict, title, options, judge) {
  const server = await servers.valet({ ...options, artifacts: resolve(options.artifacts) });
  const failed = verdict.failed;
  try {
    await judge(server.url);
  } finally {
    await server.stop();
  }
  const lines = server.log().split('\n');
  // That a client cannot be asked is what some scenarios are about.
  const unanswered = lines.filter((line) => line.includes('decision="failed"') && !line.includes('reason="missing_capability"'));
  const faults = lines.filter((line) => / ERROR |panicked/.test(line));
  verdict.check(`${title}: no fault in the log`, [...faults, ...unanswered][0]);
  // Every JSON Web Token begins so, being Base64 of `{"`.
  verdict.check(`${title}: no token in the log`, lines.find((line) => line.includes('eyJ')));
  if (verdict.failed > failed) {
    const grave = lines.filter((line) => / (WARN|ERROR) |panicked/.test(line));
    process.stderr.write(`--- from ${join(options.folder, 'valet.log')}\n${grave.slice(-20).join('\n')}\n`);
  }
}

async function withFixtures(conformance, verdict, url) {
  for (const revision of [MODERN, LEGACY]) {
    const found = await conformance.requirements(url, revision);
    const expected = revision === LEGACY ? expectations(join(HERE, 'expected-2025-11-25.yml')) : new Map();
    for (const scenario of [...conformance.required(revision), ...BESIDE[revision]]) {
      verdict.scenario(`fixtures ${revision}`, scenario, found.get(scenario) ?? [], expected);
    }
  }
}

async function withShipped(conformance, verdict, url) {
  const expected = expectations(join(HERE, 'expected-shipped.yml'));
  for (const [revision, scenario] of SHIPPED) {
    verdict.scenario(`shipped ${revision}`, scenario, await conformance.scenario(url, revision, scenario), expected);
  }
}

/** Everything that the fixture pack has. */
function fixtures() {
  const named = (file) => JSON.parse(readFileSync(join(HERE, 'pack/src', file), 'utf8')).map(({ name }) => name);
  return {
    tools: named('tools.json'),
    resources: [...named('resources.json'), ...named('templates.json')],
    prompts: named('prompts.json'),
  };
}

/** Everything that the pack that ships has. */
function shipped() {
  return { tools: ['whoami', 'GetUserDetailsFromGraph'], resources: ['profile'], prompts: ['introduce-me'] };
}

function parse() {
  const target = process.env.CARGO_TARGET_DIR ?? join(HERE, '../../target');
  const { values } = parseArgs({
    options: {
      valet: { type: 'string', default: join(target, 'debug/valet') },
      emulator: { type: 'string', default: join(target, 'debug/entra-emulator') },
      artifacts: { type: 'string', default: join(target, 'valet/native') },
      fixtures: { type: 'string', default: join(target, 'valet/conformance') },
      work: { type: 'string', default: join(target, 'valet/clients/conformance') },
    },
  });
  for (const name of ['valet', 'emulator', 'artifacts', 'fixtures']) {
    if (!existsSync(values[name])) throw new Error(`${values[name]} is not there: run \`cargo xtask build\` first`);
  }
  return values;
}

main().then((code) => { process.exitCode = code; }, (error) => {
  console.error(`run.mjs: ${error.message}`);
  process.exitCode = 1;
});
