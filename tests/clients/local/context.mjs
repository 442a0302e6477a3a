// What a suite knows of its desks and of the emulator. Most of it is what the suites of ../node know.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { click } from '../entra-node/browser.mjs';
import { loader } from '../entra-node/packages.mjs';
import { admin } from '../node/context.mjs';

export { ADELE, ALEX, admin, environment, expected, folder, load, packaged } from '../node/context.mjs';

const context = JSON.parse(readFileSync(process.env.MCP_NODE_CONTEXT, 'utf8'));

/** The machines with a user, by name: `command`, `args`, `env`, `cwd` of the server, and `folder`. */
export const { desks } = context;

/** Login at Entra, `https://host:port`. */
export const { authority } = context;

/** Chromium's program; null where it is not installed. And where its pictures are kept. */
export const { chromium: executable, screenshots } = context;

/** The packages of ../session, where playwright is. */
export const session = loader(context.session_packages);

/** As an SDK takes it. */
export const server = ({ command, args, env, cwd }) => ({ command, args, env, cwd });

/** The URLs that the browser of a desk was sent to. */
export function opened({ folder }) {
  const file = join(folder, 'opened');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return lines.map((line) => JSON.parse(line).at(-1));
}

/** Waits until it has been opened so often; the last URL. */
export async function browser(desk, times) {
  while (opened(desk).length < times) await sleep(20);
  return opened(desk)[times - 1];
}

/** What was asked of the emulator since: a function that gives the kinds with a count above zero. */
export async function counting() {
  await admin('DELETE', 'counts');
  return async () => {
    const { counts } = await admin('GET', 'counts');
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  };
}

/** Enters the code that a text shows, where it says; the words of the last page. */
export async function enterCode(text, user) {
  const [, address, code] = /open (https:\S+) .*enter the code (\S+)/.exec(text);
  return (await click(address, user, { code })).page;
}
