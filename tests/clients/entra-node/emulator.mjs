// The emulator as a process of its own.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 30_000;

/** Starts the emulator with `registrations`; logs and state are in `folder`. */
export async function start(program, folder, registrations) {
  const [config, ready, log] = ['registrations.toml', 'ready.json', 'emulator.log'].map((name) => join(folder, name));
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, registrations);
  const output = openSync(log, 'w');
  const emulator = spawn(program, [
    '--bind', '127.0.0.1:0', '--config', config, '--state', join(folder, 'state'), '--ready-file', ready,
    '--managed-identity', '127.0.0.1:0', '--log',
  ], { stdio: ['ignore', output, output] });
  let failure;
  emulator.on('error', (error) => { failure = error.message; });
  emulator.on('exit', (code, signal) => { failure ??= `it ended with ${code ?? signal}`; });
  const until = Date.now() + PATIENCE;
  while (!existsSync(ready)) {
    if (failure || Date.now() > until) {
      emulator.kill();
      throw new Error(`the emulator did not start: ${failure ?? 'no ready file'}\n${readFileSync(log, 'utf8')}`);
    }
    await sleep(50);
  }
  return { facts: JSON.parse(readFileSync(ready, 'utf8')), log, stop: () => stop(emulator) };
}

async function stop(emulator) {
  if (emulator.exitCode !== null || emulator.signalCode !== null) return;
  const ended = new Promise((resolve) => { emulator.once('exit', resolve); });
  emulator.kill('SIGINT');
  const late = setTimeout(() => emulator.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(late);
}
