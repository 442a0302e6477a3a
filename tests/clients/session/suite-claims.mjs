// What a policy of Conditional Access wants of a person, in the modes in which clients hold Entra's tokens: the challenge of a tool's call reaches the
// client, the client takes its claims to the authorization server, the person does what is wanted, and the call works. openid-client is the client:
// it reads challenges (RFC 9110, section 11.6.1), and sends what it is told to.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ADELE, WAYS, authority, clientId, issuer, load, mode, own, registered, scope, url } from './context.mjs';
import { Person } from './person.mjs';
import { DOCUMENT, TOOL, atEntra, challenged, policy, profile } from './policies.mjs';
import { LOOPBACK, noted, openid, whoami } from './relying.mjs';

const SDK = '@modelcontextprotocol/client';

/** What the pages at Entra are called that ask for it. */
const ASKED = { mfa: 'Approve sign-in', external_challenge: 'One more check' };

const suite = new Suite(`${mode.name}, claims, openid-client ${own.version('openid-client')}`);
// Valet's own, or Entra: as the document of the protected resource says (RFC 9728).
const [server] = (await (await fetch(DOCUMENT)).json()).authorization_servers;
const configuration = await openid.discovery(new URL(server), clientId, undefined, openid.None());

const { authorization_endpoint: authorize } = configuration.serverMetadata();
assert.equal(new URL(authorize).origin, mode.name === 'facade' ? issuer : authority, 'where the client sends people to');

/** Signs Adele in with `browser`, `claims` as the client passes them on. */
async function signIn(browser, claims) {
  const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
  const resource = mode.resource_refused ? {} : { resource: url };
  const asked = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: LOOPBACK, scope, state, ...resource, ...(claims && { claims }),
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  assert.equal(asked.origin + asked.pathname, authorize);
  const answer = await browser.go(asked.href);
  return noted(await openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state }, resource));
}

/** A case with a policy that came after the first sign-in; `token` is that sign-in's, and `claims` are what the policy wants. */
const wanted = (what, control, body) => suite.case(what, async () => {
  try {
    const { access_token: token } = await signIn(new Browser(ADELE));
    // Nothing is kept for this token yet, so that Graph's is asked for under the policy.
    await registered(policy(control));
    const claims = await challenged(configuration, token);
    assert.equal(JSON.parse(claims).access_token.polids.essential, true, claims);
    await body(token, claims, control);
  } finally {
    await registered();
  }
});

for (const control of Object.keys(ASKED)) {
  await wanted(`${control}: the challenge, the sign-in with its claims, and the call works`, control, async (token, claims) => {
    // The tools that need nothing of Graph go on, and the challenge stays.
    assert.equal((await whoami(token)).name, 'Adele Vance');
    assert.equal(await challenged(configuration, token), claims);
    const browser = new Browser(ADELE, { factor: true });
    const next = await signIn(browser, claims);
    assert.deepEqual(atEntra(browser), [claims], 'Entra was asked for the very claims');
    assert.deepEqual(browser.pages, [], 'and nobody else asked anything');
    await profile(next.access_token);
    await profile(next.access_token);
    // Entra itself gives none to who has not asked for `offline_access`; Valet asks for it.
    assert.equal(next.refresh_token !== undefined, mode.name === 'facade');
    if (next.refresh_token) await profile(noted(await openid.refreshTokenGrant(configuration, next.refresh_token, { resource: url })).access_token);
    // What the person did belongs to that sign-in alone.
    assert.equal(await challenged(configuration, token), claims);
  });

  await wanted(`${control}: who brings the claims and cannot do what is wanted gets no token`, control, async (token, claims) => {
    const browser = new Browser(ADELE);
    assert.match((await refused(signIn(browser, claims))).message, new RegExp(`^HTTP 200 of ${authority}: .*${ASKED[control]}`));
    assert.deepEqual(atEntra(browser), [claims]);
  });
}

await wanted('a sign-in without the claims is good for nothing that wants them', 'mfa', async (token, claims) => {
  const browser = new Browser(ADELE, { factor: true });
  const next = await signIn(browser);
  assert.deepEqual(atEntra(browser), [null]);
  assert.equal(await challenged(configuration, next.access_token), claims);
  const again = await signIn(browser, claims);
  await profile(again.access_token);
});

await suite.case('claims that are no JSON are refused by Entra, and a good sign-in works', async () => {
  const error = await refused(signIn(new Browser(ADELE), '{'));
  assert.ok(error instanceof openid.AuthorizationResponseError, `${error}`);
  assert.equal(error.error, 'invalid_request');
  assert.match(error.error_description, /^AADSTS90023: .*claims/);
  await profile((await signIn(new Browser(ADELE))).access_token);
});

await suite.case(`the SDK of MCP (${load.version(SDK)}) does not read claims: it refreshes once and ends with the 401, and asks nobody again`, async () => {
  const { Client, StreamableHTTPClientTransport } = load.require(SDK);
  const person = new Person(WAYS[0], ADELE, { resource: !mode.resource_refused, factor: true });
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: person });
  const client = () => new Client({ name: 'tests', version: '1' });
  const first = transport();
  await refused(client().connect(first));
  await first.finishAuth(person.callback);
  const session = client();
  await session.connect(transport());
  const callTool = () => session.callTool({ name: TOOL, arguments: {} });
  try {
    await registered(policy('mfa'));
    const before = person.held.access_token;
    assert.match((await refused(callTool())).message, /401 after re-authentication/);
    assert.notEqual(person.held.access_token, before, 'refreshed');
    assert.equal(person.asked.length, 1);
  } finally {
    await registered();
  }
  isProfile(await callTool(), ADELE);
  await session.close();
});

suite.end();
