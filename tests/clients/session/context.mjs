// What a suite knows of the servers that run.py started. Most of it is what the suites of ../node know.

import { readFileSync } from 'node:fs';

import { loader } from '../entra-node/packages.mjs';

export { ADELE, ALEX, clientId, environment, expected, folder, load, packaged, scope, url } from '../node/context.mjs';

const context = JSON.parse(readFileSync(process.env.MCP_NODE_CONTEXT, 'utf8'));

/** The packages of this job, beside those of ../node that `load` has. */
export const own = loader(context.own_packages);

/** The folder of the conformance suite's packages. */
export const { conformance } = context;

/** Login at Entra, `https://host:port`. */
export const { authority } = context;

/** `id` and `secret` of the client that has one. */
export const { confidential } = context;

/** The URL of the client's document, which is its `client_id`. */
export const { document: documentId } = context;

/** Where the answers to a website go. */
export const { web_redirect: webRedirect } = context;

/** Where screenshots are kept. */
export const { screenshots } = context;

/** The file that Valet's clock is set by; null where it cannot be set. */
export const { clock } = context;

/** Chromium's program; null where it is not installed. */
export const { chromium: executable } = context;

/** The issuer of Valet's tokens. */
export const issuer = new URL(context.url).origin;

/** The emulator's own interface; see its documentation. Returns the JSON of the answer. */
export async function admin(method, path, body) {
  const response = await fetch(`${authority}/emulator/${path}`, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} /emulator/${path}: HTTP ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Ends everything that `user` was granted at Entra until now. */
export const revokedAtEntra = (user) => admin('POST', `users/${encodeURIComponent(user)}/revoke`, { reason: 'sessions' });
