// A user who signs in when the SDK asks: `OAuthClientProvider` of both lines, for the three ways in which a client can be known.

import assert from 'node:assert/strict';

import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ALEX, clientId, documentId, expected, issuer, url } from './context.mjs';

export const WAYS = ['registered beforehand', 'that registers itself', 'with a document'];
const [BEFOREHAND, ITSELF, DOCUMENT] = WAYS;

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
  #client;
  #verifier;
  #discovery;
  #state = 0;

  constructor(way, user = ALEX, options = {}) {
    this.way = way;
    this.user = user;
    this.browser = new Browser(user, options);
    this.#client = way === BEFOREHAND ? { client_id: clientId } : undefined;
    if (way === DOCUMENT) this.clientMetadataUrl = documentId;
  }

  clientInformation() { return this.#client; }

  // 2.x also saves a client that it was given, with its issuer.
  saveClientInformation(client) {
    if (this.way === BEFOREHAND) assert.equal(client.client_id, clientId, 'the client is known and need not register');
    this.#client = client;
  }

  // New for each page, as a client has to do it.
  state() { return `state-${this.#state += 1}`; }

  tokens() { return this.held; }

  saveTokens(tokens) { this.held = tokens; }

  saveCodeVerifier(verifier) { this.#verifier = verifier; }

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
    const names = ['client_id', 'response_type', 'code_challenge_method', 'resource', 'scope', 'state'];
    const id = this.#client.client_id;
    assert.deepEqual(names.map((name) => query.get(name)), [id, 'code', 'S256', url, 'mcp.access', `state-${times}`]);
    assert.equal(this.callback.get('state'), `state-${times}`);
    assert.equal(this.callback.get('iss'), issuer, 'RFC 9207');
    if (this.way === ITSELF) assert.match(id, /^registered-/);
    if (this.way === DOCUMENT) assert.equal(id, documentId);
  }

  /** A session of this user's gives both tools' answers. */
  async usesTools(session) {
    const { structuredContent } = await session.call('whoami');
    assert.deepEqual(structuredContent, { ...expected[this.user].whoami, clientId: this.#client.client_id });
    isProfile(await session.call('GetUserDetailsFromGraph'), this.user);
  }
}
