// What a suite knows of the servers that run.py started, and of what their answers have to be.

import { readFileSync } from 'node:fs';

import { loader } from '../entra-node/packages.mjs';

const context = JSON.parse(readFileSync(process.env.MCP_NODE_CONTEXT, 'utf8'));

/** The MCP endpoint, and the scope that its challenge names. */
export const { url, scope } = context;

/** Everybody's folder of this run: certificates, logs, homes of programs. */
export const { folder } = context;

/** `program`, `configuration`, and `secret` of `valet stdio`. */
export const { stdio } = context;

/** The public client that the tenant's administrator registered. */
export const { client_id: clientId } = context.expected;

/** The URI of the profile, and what to ask of the prompt: `name`, `arguments`. */
export const { resource, prompt } = context.expected;

/** What is said of a user: `whoami`, `profile`, `text`, `introduction`. Written by hand in ../harness/expected.py. */
export const expected = context.expected.users;

export const ADELE = 'adele@contoso.example';
export const ALEX = 'alex@contoso.example';

export const load = loader(context.packages);

/** The file of a package, by its path in the package. */
export const packaged = (name) => `${context.packages}/node_modules/${name}`;

/** The environment of programs that are started: nothing of the developer's own. */
export const environment = {
  PATH: process.env.PATH, HOME: folder, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS, BROWSER: 'true',
};

/** The emulator's own interface; see its documentation. Returns the JSON of the answer. */
export async function admin(method, path, body) {
  const response = await fetch(`${context.authority}/emulator/${path}`, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} /emulator/${path}: HTTP ${response.status} ${await response.text()}`);
  return response.json();
}

/** An access token of the registered client, without a flow. */
export async function token(user, scopes = [context.expected.scope], api = context.expected.api) {
  return (await admin('POST', 'tokens', { user, client: clientId, api, scopes })).access_token;
}

/** Faults of Graph: how long its answers take, how many were delayed so far, and the end of it. */
export const graph = {
  delay: (seconds) => admin('POST', 'faults', { endpoint: 'graph', kind: 'delay', seconds }),
  delayed: async () => (await admin('GET', 'faults')).faults.reduce((sum, { hits }) => sum + hits, 0),
  undisturbed: () => admin('DELETE', 'faults'),
};
