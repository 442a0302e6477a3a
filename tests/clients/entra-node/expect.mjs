// What the cases compare: tokens that were issued, and refusals.

import assert from 'node:assert/strict';

/** The payload of a token. Clients must not look into access tokens; a test may. */
export function claims(token) {
  assert.equal(typeof token, 'string', 'there is no token');
  const parts = token.split('.');
  assert.equal(parts.length, 3, 'a token has three parts');
  return JSON.parse(Buffer.from(parts[1], 'base64url').toString());
}

/** The header of a token. */
export function header(token) {
  return JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
}

/** Awaits a rejection and returns the error. */
export async function refused(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: `was not refused, but answered ${JSON.stringify(value)?.slice(0, 200)}` });
}

/** Awaits a rejection whose text has the AADSTS number. Programs must not read it; a test of the emulator must. */
export async function refusedAs(number, promise) {
  const error = await refused(promise);
  const text = `${error.message} ${error.errorMessage ?? ''} ${error.error_description ?? ''}`;
  assert.match(text, new RegExp(`AADSTS${number}\\b`));
  return error;
}
