// What a suite knows about the emulator it runs against. run.mjs writes it, one file for each suite.

import { readFileSync } from 'node:fs';

import { loader } from './packages.mjs';

const { facts, folder, packages } = JSON.parse(readFileSync(process.env.ENTRA_NODE_CONTEXT, 'utf8'));

/** Login and Graph, `https://host:port` each. */
export const authority = facts.authority;
export const graph = facts.graph;

/** `host:port` of the login service, as MSAL wants it. */
export const host = new URL(authority).host;

/** `http://host:port` of the endpoints for managed identities, and the header that App Service asks for. */
export const machine = facts.imds;

/** Keys and certificates are there, and suites may write there. */
export { folder };

export const load = loader(packages);

/** The emulator's own interface; see its documentation. Returns the JSON of the answer. */
export async function admin(method, path, body) {
  const response = await fetch(`${authority}/emulator/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} /emulator/${path}: HTTP ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** `endpoint` answers `status` for the next `times` requests. */
export function fault(endpoint, status, times, retryAfter) {
  return admin('POST', 'faults', { endpoint, status, times, retry_after: retryAfter });
}

/** Ends what `user` was granted until now. */
export function revoke({ upn }) {
  return admin('POST', `users/${encodeURIComponent(upn)}/revoke`, { reason: 'sessions' });
}

/** Moves the emulator's clock. The clients' clocks stay where they are. */
export function advance(seconds) {
  return admin('POST', 'clock', { advance_seconds: seconds });
}
