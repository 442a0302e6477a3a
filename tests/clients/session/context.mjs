// What a suite knows of the servers that run.py started. Most of it is what the suites of ../node know.

import { readFileSync } from 'node:fs';

import { loader } from '../entra-node/packages.mjs';
import { admin } from '../node/context.mjs';

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

/** The status of a call of a tool with an access token, and its result. */
export async function call(token, tool) {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {}, _meta: meta } };
  const headers = {
    'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call', 'mcp-name': tool, authorization: `Bearer ${token}`,
  };
  const response = await fetch(context.url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, result: response.ok ? JSON.parse(text).result : undefined };
}

/** Ends everything that `user` was granted at Entra until now. */
export const revokedAtEntra = (user) => admin('POST', `users/${encodeURIComponent(user)}/revoke`, { reason: 'sessions' });
