// `valet stdio` behind the two SDKs.

import { Suite } from '../entra-node/report.mjs';
import { LEGACY, MODERN, everyday, leaving } from './checks.mjs';
import { ADELE, environment, folder, stdio, token } from './context.mjs';

/** The command for `user`, as an SDK takes it. */
export async function command(user = ADELE) {
  return {
    command: stdio.program,
    args: ['stdio', '--config', stdio.configuration],
    cwd: folder,
    env: { ...environment, VALET_ACCESS_TOKEN: await token(user), VALET_CLIENT_SECRET: stdio.secret },
    stderr: 'ignore',
  };
}

/** The cases of both eras; `open` makes a session from a command and a mode of negotiation. */
export async function overStdio(label, open, modes = [['pinned', { pin: MODERN }, MODERN], ['legacy', 'legacy', LEGACY]]) {
  for (const [era, mode, revision] of modes) {
    const suite = new Suite(`${label}, stdio, ${era}`);
    const connect = async () => open(await command(), mode);
    await everyday(suite, connect, revision);
    // Over stdio both eras say `notifications/cancelled`, and the server knows the call.
    await leaving(suite, connect, 6);
  }
}
