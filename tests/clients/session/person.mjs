// A user who signs in when the SDK asks: `OAuthClientProvider` of both lines, for the three ways in which a client can be known.

import assert from 'node:assert/strict';

import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, WAYS, documentId, expected, isScope, issuer, keep, mode, url } from './context.mjs';

const [BEFOREHAND, , DOCUMENT] = WAYS;

/** Tokens and verifier in memory; what the SDK asked for is kept to be looked at. */
export class Person {
  // Nobody listens: the answer is read from the address that the browser was sent to.
  redirectUrl = 'http://localhost/callback';
  clientMetadata = {
    client_name: 'The tests, by themselves', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  };
  asked = [];
  browser;
  held;
  #id;
  #client;
  #resource;
  #verifier;
  #discovery;
  #state = 0;

  /** `id`: another than that of the way. `resource`: whether it is sent (RFC 8707). */
  constructor(way, user = ALEX, { id = mode.ids[way], resource = true, ...options } = {}) {
    this.way = way;
    this.user = user;
    this.browser = new Browser(user, options);
    this.#id = id;
    this.#client = way === BEFOREHAND ? { client_id: id } : undefined;
    this.#resource = resource;
    if (!resource) this.validateResourceURL = async () => undefined;
    if (way === DOCUMENT) this.clientMetadataUrl = documentId;
  }

  clientInformation() { return this.#client; }

  // 2.x also saves a client that it was given, with its issuer.
  saveClientInformation(client) {
    if (this.way === BEFOREHAND) assert.equal(client.client_id, this.#id, 'the client is known and need not register');
    this.#client = client;
  }

  // New for each page, as a client has to do it.
  state() { return `state-${this.#state += 1}`; }

  tokens() { return this.held; }

  saveTokens(tokens) {
    keep('access token', tokens.access_token);
    keep('refresh token', tokens.refresh_token);
    this.held = tokens;
  }

  saveCodeVerifier(verifier) {
    keep('verifier', verifier);
    this.#verifier = verifier;
  }

  codeVerifier() { return this.#verifier; }

  // Binds the answer to the server that was asked.
  saveDiscoveryState(state) { this.#discovery = state; }

  discoveryState() { return this.#discovery; }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'tokens') this.held = undefined;
  }

  async redirectToAuthorization(page) {
    this.asked.push(page.searchParams);
    this.callback = (await this.browser.go(page.href)).searchParams;
  }

  /** What the SDK has to have asked, and what came back for it. */
  askedWell(times = 1) {
    assert.equal(this.asked.length, times, 'as many pages were opened');
    const query = this.asked.at(-1);
    const names = ['client_id', 'response_type', 'code_challenge_method', 'resource', 'state'];
    const id = this.#client.client_id;
    assert.deepEqual(names.map((name) => query.get(name)), [id, 'code', 'S256', this.#resource ? url : null, `state-${times}`]);
    assert.ok(isScope(query.get('scope')), query.get('scope'));
    assert.equal(this.callback.get('state'), `state-${times}`);
    // RFC 9207. Entra says no issuer, and promises none.
    assert.equal(this.callback.get('iss'), mode.asks ? issuer : null);
    if (this.#id) assert.equal(id, this.#id);
    else assert.match(id, /^registered-/);
  }

  /** A session of this user's gives both tools' answers. */
  async usesTools(session) {
    const { structuredContent } = await session.call('whoami');
    assert.deepEqual(structuredContent, { ...expected[this.user].whoami, clientId: this.#client.client_id });
    isProfile(await session.call('GetUserDetailsFromGraph'), this.user);
  }
}
