#!/usr/bin/env node
// A command for the variable BROWSER: signs $ENTRA_NODE_USER in at the given URL. It returns at once and goes on in the
// background, as a browser does: the program that called it only then begins to listen.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { approve } from './browser.mjs';

const [url] = process.argv.slice(2);
if (process.env.ENTRA_NODE_DETACHED) {
  await approve(url, process.env.ENTRA_NODE_USER);
} else {
  const env = { ...process.env, ENTRA_NODE_DETACHED: '1' };
  spawn(process.execPath, [fileURLToPath(import.meta.url), url], { env, detached: true, stdio: 'ignore' }).unref();
}
