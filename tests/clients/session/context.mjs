// What a suite knows of the servers that run.py started. Most of it is what the suites of ../node know.

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loader } from '../entra-node/packages.mjs';
import { admin } from '../node/context.mjs';

export { ADELE, ALEX, environment, expected, folder, load, packaged, token, url } from '../node/context.mjs';

const context = JSON.parse(readFileSync(process.env.MCP_NODE_CONTEXT, 'utf8'));

/** What modes.py says of the mode: `name`, `ids` of clients by the way they are known, `scope`, whether Valet `asks`. */
export const { mode } = context;
export const { scope } = mode;

/** The ways in which a client can be known; those without an id are refused in this mode. */
export const WAYS = ['registered beforehand', 'that registers itself', 'with a document'];

/** The client that is registered beforehand. */
export const clientId = mode.ids[WAYS[0]];

/** Notes a secret, for which the run is searched at its end (canaries.py). */
export function keep(kind, value) {
  if (value) appendFileSync(process.env.MCP_CANARIES, `${JSON.stringify([kind, value])}\n`);
}

// As in canaries.py.
const COOKIES = { '__Host-valet-tx-': 'transaction cookie', '__Host-valet-user': 'user cookie' };

/** Notes a cookie, by what `Set-Cookie` says. Answers its name and value. */
export function keepCookie(line) {
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
  const start = Object.keys(COOKIES).find((each) => name.startsWith(each));
  keep(COOKIES[start] ?? 'cookie', value);
  return [name, value];
}

let pages = 0;

/** Keeps a page that Valet showed, which is searched as well. */
export function keepPage(html) {
  mkdirSync(context.pages, { recursive: true });
  writeFileSync(join(context.pages, `node-${process.pid}-${pages += 1}.html`), html);
}

/** A folder in which a program keeps what it knows: its tokens among it. */
export function home() {
  mkdirSync(context.homes, { recursive: true });
  return mkdtempSync(join(context.homes, 'home-'));
}

/** Makes the access tokens that a program keeps in `folder` such that the server refuses them, as it does once they have expired. */
export function spoil(folder) {
  let spoiled = 0;
  // Some keep JSON as a text in JSON.
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    if (!statSync(file).isFile()) continue;
    const text = readFileSync(file, 'utf8');
    const other = text.replaceAll(/(\\*"access_token\\*": *\\*")([^"\\]+)/g, (_, before, token) => {
      keep('access token', token);
      spoiled += 1;
      return `${before}${token}x`;
    });
    if (other !== text) writeFileSync(file, other);
  }
  if (spoiled === 0) throw new Error(`no token is kept in ${folder}`);
}

/** Whether `asked` is the scope that clients are told, in the modes of Entra's with what its metadata lists. */
export function isScope(asked) {
  const [first, ...others] = asked.split(' ');
  const further = mode.name.startsWith('direct') ? ['openid', 'profile', 'email', 'offline_access'] : [];
  return first === mode.scope && others.every((other) => further.includes(other));
}

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

/** Where Valet is: the issuer of its tokens. */
export const issuer = new URL(context.url).origin;

/** Body and fields of a request that calls a tool. */
export function request(tool) {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {}, _meta: meta } };
  const headers = {
    'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call', 'mcp-name': tool,
  };
  return { body: JSON.stringify(body), headers };
}

/** The status of a call of a tool with an access token, and its result. */
export async function call(token, tool) {
  const { body, headers } = request(tool);
  const response = await fetch(context.url, { method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` }, body });
  const text = await response.text();
  return { status: response.status, result: response.ok ? JSON.parse(text).result : undefined };
}

/** Replaces what the emulator knows by what this mode began with, and these tables of TOML. */
export const registered = (further = '') => admin('POST', 'registrations', { toml: `${context.registrations}\n${further}` });

/** Ends everything that `user` was granted at Entra until now. */
export const revokedAtEntra = (user) => admin('POST', `users/${encodeURIComponent(user)}/revoke`, { reason: 'sessions' });
