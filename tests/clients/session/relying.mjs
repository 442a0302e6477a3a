// The libraries of relying parties, and what is made of their answers.

import { call, keep, own } from './context.mjs';

export const openid = await own.import('openid-client');
export const oauth = await own.import('oauth4webapi');

/** Where nobody listens: what arrives is read from the address. */
export const LOOPBACK = 'http://127.0.0.1:43210/callback';

/** Tokens, whose values the run is searched for. */
export function noted(tokens) {
  keep('access token', tokens.access_token);
  keep('refresh token', tokens.refresh_token);
  return tokens;
}

/** A tool's answer, or the status of a refusal. */
export async function whoami(token) {
  const { status, result } = await call(token, 'whoami');
  return result ? result.structuredContent : status;
}
