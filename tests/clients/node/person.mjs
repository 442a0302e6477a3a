// A user who signs in when the SDK asks: `OAuthClientProvider` of both lines, with a client registered beforehand.

import assert from 'node:assert/strict';

import { click } from '../entra-node/browser.mjs';
import { clientId } from './context.mjs';

/** Tokens and verifier in memory; what the SDK asked for is kept to be looked at. */
export class Person {
  // Registered without a port, and nobody listens: the answer is read from the address that the browser was sent to.
  redirectUrl = 'http://localhost/callback';
  clientMetadata = {
    client_name: 'Valet\'s tests', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  };
  asked = [];
  #tokens;
  #verifier;
  #discovery;

  constructor(user) {
    this.user = user;
  }

  clientInformation() {
    return { client_id: clientId };
  }

  state() {
    return 'a-state-of-this-test';
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.#tokens = tokens;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  // Binds the answer to the server that was asked; 2.x warns without it.
  saveDiscoveryState(state) {
    this.#discovery = state;
  }

  discoveryState() {
    return this.#discovery;
  }

  async redirectToAuthorization(url) {
    this.asked.push(url.searchParams);
    this.callback = (await click(url.href, this.user)).url.searchParams;
  }
}

/** What the SDK asked the authorization server for: everything from Valet's challenge and metadata. */
export function askedWell({ asked, callback }, { url, scope }) {
  assert.equal(asked.length, 1, 'one page was opened');
  const [query] = asked;
  assert.deepEqual(
    ['client_id', 'response_type', 'code_challenge_method', 'resource'].map((name) => query.get(name)),
    [clientId, 'code', 'S256', url],
  );
  assert.equal(query.get('scope').split(' ')[0], scope);
  assert.equal(callback.get('state'), 'a-state-of-this-test');
}
