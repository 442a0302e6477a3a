// Policies of Conditional Access: how Entra is given one, and what a client and a browser see of it.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { isProfile } from '../node/checks.mjs';
import { ADELE, call, issuer, request, url } from './context.mjs';
import { openid } from './relying.mjs';

/** The tool that calls Graph. */
export const TOOL = 'GetUserDetailsFromGraph';

/** Where the document of the protected resource is (RFC 9728). */
export const DOCUMENT = `${issuer}/.well-known/oauth-protected-resource/mcp`;

/** A policy for Graph alone, so that signing in at Valet wants nothing, and the token for Graph wants it later. */
export const policy = (control) => `[[conditional_access]]
name = "For Graph: ${control}"
tenant = "7e57a000-0000-4000-8000-000000000001"
resources = ["00000003-0000-0000-c000-000000000000"]
control = "${control}"
`;

/** The claims that the answer to the tool's call wants: from the one challenge of a 401. */
export async function challenged(configuration, token) {
  const { body, headers } = request(TOOL);
  const error = await refused(openid.fetchProtectedResource(configuration, token, new URL(url), 'POST', body, new Headers(headers)));
  assert.ok(error instanceof openid.WWWAuthenticateChallengeError, `${error}`);
  assert.equal(error.status, 401);
  const [{ scheme, parameters }, ...others] = error.cause;
  assert.deepEqual([scheme, parameters.error, others], ['bearer', 'insufficient_claims', []]);
  assert.equal(parameters.resource_metadata, DOCUMENT);
  assert.match(parameters.claims, /^[A-Za-z0-9+/]+={0,2}$/, 'Base64');
  return Buffer.from(parameters.claims, 'base64').toString();
}

/** What Entra was asked for in claims, at each of its pages. */
export const atEntra = ({ entra }) => entra.filter(({ pathname }) => pathname.endsWith('/oauth2/v2.0/authorize')).map(({ searchParams }) => searchParams.get('claims'));

/** The tool gives Adele's profile. */
export async function profile(token) {
  const { status, result } = await call(token, TOOL);
  assert.equal(status, 200);
  isProfile(result, ADELE);
}
