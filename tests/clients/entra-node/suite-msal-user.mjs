// @azure/msal-node with a user: authorization code, loopback, cache, refresh, tenants.

import assert from 'node:assert/strict';

import { approve, click } from './browser.mjs';
import { apps, callback, tenants, users } from './directory.mjs';
import { admin, advance, authority, graph, host, load, revoke } from './environment.mjs';
import { claims, refused, refusedAs } from './expect.mjs';
import { auth, confidentialClient, interactive, msal, publicClient, scope } from './msal.mjs';
import { Suite } from './report.mjs';

const { InteractionRequiredAuthError, PublicClientApplication } = msal;
const orders = [scope(apps.orders)];
const suite = new Suite(`msal-node ${load.version('@azure/msal-node')} with a user`);

/** Asks for a code by hand: PKCE, state and nonce are the program's affair then. */
async function code(client, request = {}, walk = approve) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const url = await client.getAuthCodeUrl({
    scopes: orders, redirectUri: callback, codeChallenge: challenge, codeChallengeMethod: 'S256', state: 's-1', ...request,
  });
  const { answer, pages } = await walk(url, users.adele.upn);
  assert.equal(answer.state, 's-1');
  return { ...answer, pages, redeem: { scopes: orders, redirectUri: callback, code: answer.code, codeVerifier: verifier } };
}

async function signedIn(user = users.adele, request = {}, client = publicClient()) {
  const result = await interactive(client, user, request);
  return { client, result, account: result.account };
}

await suite.case('an authority on http is refused before any request', async () => {
  const client = publicClient(apps.desktop, { authority: authority.replace('https:', 'http:') });
  assert.equal((await refused(client.getAuthCodeUrl({ scopes: orders, redirectUri: callback }))).errorCode, 'authority_uri_insecure');
});

await suite.case('a known authority without its port is not enough', async () => {
  // MSAL then asks Microsoft whether the host is real. The question must not leave this machine.
  const asked = [];
  const networkClient = {
    sendGetRequestAsync: async (url) => { asked.push(new URL(url)); throw new Error('not from here'); },
    sendPostRequestAsync: async () => { throw new Error('not from here'); },
  };
  const client = new PublicClientApplication({ auth: auth(apps.desktop, { knownAuthorities: ['localhost'] }), system: { networkClient } });
  await refused(client.getAuthCodeUrl({ scopes: orders, redirectUri: callback }));
  assert.equal(asked[0].origin + asked[0].pathname, 'https://login.microsoftonline.com/common/discovery/instance');
});

await suite.case("the emulator's instance discovery serves as cloudDiscoveryMetadata", async () => {
  const url = `${authority}/common/discovery/instance?api-version=1.1&authorization_endpoint=${encodeURIComponent(`${authority}/common/oauth2/v2.0/authorize`)}`;
  const cloudDiscoveryMetadata = await (await fetch(url)).text();
  const client = publicClient(apps.desktop, { knownAuthorities: [], cloudDiscoveryMetadata });
  const { result } = await signedIn(users.adele, {}, client);
  assert.equal(result.account.environment, host);
});

await suite.case('authorization code by hand, through the pages', async () => {
  const client = publicClient(apps.desktop);
  const { redeem, pages } = await code(client, { prompt: 'consent' }, click);
  assert.deepEqual(pages, ['account', 'decision']);
  const result = await client.acquireTokenByCode(redeem);
  assert.equal(result.account.username, users.adele.upn);
  assert.equal(result.account.homeAccountId, `${users.adele.id}.${tenants.contoso.id}`);
  assert.equal(result.tenantId, tenants.contoso.id);
  const { aud, azp, scp, ver } = claims(result.accessToken);
  assert.deepEqual({ aud, azp, scp, ver }, { aud: apps.orders.id, azp: apps.desktop, scp: apps.orders.scope, ver: '2.0' });
});

await suite.case('authorization code of a confidential client, with nonce', async () => {
  const client = confidentialClient(apps.web);
  const { redeem } = await code(client, { nonce: 'n-1' });
  await refused(client.acquireTokenByCode({ ...redeem, nonce: 'n-2' }));
  const again = await code(client, { nonce: 'n-1' });
  const result = await client.acquireTokenByCode({ ...again.redeem, nonce: 'n-1' });
  assert.equal(result.idTokenClaims.nonce, 'n-1');
  assert.equal(result.idTokenClaims.aud, apps.web.id);
});

for (const responseMode of ['query', 'fragment', 'form_post']) {
  await suite.case(`the code arrives by ${responseMode}`, async () => {
    const client = publicClient();
    const { redeem } = await code(client, { responseMode });
    assert.ok((await client.acquireTokenByCode(redeem)).accessToken);
  });
}

await suite.case('a code is good once', async () => {
  const client = publicClient();
  const { redeem } = await code(client);
  await client.acquireTokenByCode({ ...redeem });
  await refusedAs(54005, client.acquireTokenByCode({ ...redeem }));
});

await suite.case('a code needs its verifier', async () => {
  const client = publicClient();
  const { redeem } = await code(client);
  const { verifier } = await new msal.CryptoProvider().generatePkceCodes();
  await refusedAs(501481, client.acquireTokenByCode({ ...redeem, codeVerifier: verifier }));
});

await suite.case('a redirect address that is not registered stays on a page', async () => {
  const url = await publicClient().getAuthCodeUrl({ scopes: orders, redirectUri: 'http://localhost/other' });
  assert.match((await refused(approve(url, users.adele.upn))).message, /HTTP 400: .*AADSTS50011\b/);
});

await suite.case('consent that was declined comes back as access_denied', async () => {
  const client = publicClient();
  const { error, error_description: text } = await code(client, { prompt: 'consent' }, (url, user) => click(url, user, { press: 'cancel' }));
  assert.equal(error, 'access_denied');
  assert.match(text, /AADSTS65004\b/);
});

await suite.case('prompt=none without a session comes back as login_required', async () => {
  const url = await publicClient().getAuthCodeUrl({ scopes: orders, redirectUri: callback, prompt: 'none' });
  const { answer } = await click(url, users.adele.upn);
  assert.equal(answer.error, 'login_required');
});

await suite.case('interactive: the loopback client takes the posted answer', async () => {
  let delivered;
  const openBrowser = async (url) => {
    assert.equal(new URL(url).searchParams.get('response_mode'), 'form_post');
    ({ delivered } = await approve(url, users.adele.upn));
  };
  const { result } = await signedIn(users.adele, { openBrowser, successTemplate: 'Welcome back' });
  assert.deepEqual(delivered, { status: 200, text: 'Welcome back' });
  assert.equal(result.account.name, 'Adele Vance');
  assert.ok(result.idToken);
});

await suite.case('interactive: a declined consent rejects with the error of the answer', async () => {
  const openBrowser = async (url) => { await click(url, users.adele.upn, { press: 'cancel' }); };
  const error = await refusedAs(65004, signedIn(users.adele, { openBrowser, prompt: 'consent' }));
  assert.equal(error.errorCode, 'access_denied');
});

await suite.case('interactive: a scope that nobody offers is invalid_scope', async () => {
  const error = await refusedAs(650053, signedIn(users.adele, { scopes: [`${apps.orders.uri}/orders.burn`] }));
  assert.equal(error.errorCode, 'invalid_scope');
});

await suite.case('silent: from the cache', async () => {
  const { client, account, result } = await signedIn();
  const again = await client.acquireTokenSilent({ account, scopes: orders });
  assert.equal(again.fromCache, true);
  assert.equal(again.accessToken, result.accessToken);
});

await suite.case('silent: by refresh, for another API', async () => {
  const { client, account } = await signedIn(users.adele, { extraScopesToConsent: ['User.Read'] });
  const { accessToken, fromCache, scopes } = await client.acquireTokenSilent({ account, scopes: ['User.Read'] });
  assert.equal(fromCache, false);
  assert.ok(scopes.includes('User.Read'), `${scopes}`);
  const me = await fetch(`${graph}/v1.0/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  assert.equal((await me.json()).userPrincipalName, users.adele.upn);
});

await suite.case('silent: forced refresh', async () => {
  const { client, account, result } = await signedIn();
  const forced = await client.acquireTokenSilent({ account, scopes: orders, forceRefresh: true });
  assert.equal(forced.fromCache, false);
  assert.notEqual(claims(forced.accessToken).uti, claims(result.accessToken).uti);
});

await suite.case('silent: claims pass the cache by', async () => {
  const { client, account } = await signedIn();
  const nbf = `${Math.floor(Date.now() / 1000) - 5}`;
  const request = { account, scopes: orders, claims: JSON.stringify({ access_token: { nbf: { essential: true, value: nbf } } }) };
  assert.equal((await client.acquireTokenSilent(request)).fromCache, false);
});

await suite.case('silent: a cache that was stored and loaded again', async () => {
  const { client } = await signedIn();
  const restarted = publicClient();
  restarted.getTokenCache().deserialize(client.getTokenCache().serialize());
  const [account] = await restarted.getTokenCache().getAllAccounts();
  assert.equal(account.username, users.adele.upn);
  assert.equal((await restarted.acquireTokenSilent({ account, scopes: orders })).fromCache, true);
  assert.equal((await restarted.acquireTokenSilent({ account, scopes: orders, forceRefresh: true })).fromCache, false);
});

await suite.case('silent: without consent the user is asked', async () => {
  await admin('DELETE', 'consents');
  const { client, account } = await signedIn(users.alex);
  const error = await refusedAs(65001, client.acquireTokenSilent({ account, scopes: ['Mail.Read'] }));
  assert.ok(error instanceof InteractionRequiredAuthError, error.name);
  assert.equal(error.subError, 'consent_required');
});

await suite.case('a refresh token from elsewhere is taken in', async () => {
  const { client } = await signedIn();
  const [entry] = Object.values(JSON.parse(client.getTokenCache().serialize()).RefreshToken);
  const result = await publicClient().acquireTokenByRefreshToken({ refreshToken: entry.secret, scopes: orders });
  assert.equal(result.account.username, users.adele.upn);
});

await suite.case('a refresh token that nobody issued is invalid_grant', async () => {
  const error = await refused(publicClient().acquireTokenByRefreshToken({ refreshToken: '1.made-up', scopes: orders }));
  assert.match(error.message, /invalid_grant|AADSTS/);
});

await suite.case('a revoked refresh token asks for the user', async () => {
  const { client, account } = await signedIn(users.alex);
  await revoke(users.alex);
  const error = await refusedAs(50173, client.acquireTokenSilent({ account, scopes: orders, forceRefresh: true }));
  assert.ok(error instanceof InteractionRequiredAuthError, error.name);
  // What was granted after the revocation is good again.
  const { client: next, account: back } = await signedIn(users.alex);
  assert.equal((await next.acquireTokenSilent({ account: back, scopes: orders, forceRefresh: true })).fromCache, false);
});

await suite.case('capabilities: cp1 reaches an API that asked for it', async () => {
  const able = await signedIn(users.adele, {}, publicClient(apps.desktop, { clientCapabilities: ['cp1'] }));
  assert.deepEqual([claims(able.result.accessToken).xms_cc].flat(), ['cp1']);
  const unable = await signedIn();
  assert.equal(claims(unable.result.accessToken).xms_cc, undefined);
});

await suite.case('continuous access evaluation: Graph challenges, the user signs in, Graph answers', async () => {
  const client = publicClient(apps.desktop, { clientCapabilities: ['cp1'] });
  const { account, result } = await signedIn(users.alex, { scopes: ['User.Read'] }, client);
  const me = (token) => fetch(`${graph}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await me(result.accessToken)).status, 200);
  await revoke(users.alex);
  const challenged = await me(result.accessToken);
  assert.equal(challenged.status, 401);
  const challenge = challenged.headers.get('www-authenticate');
  assert.match(challenge, /error="insufficient_claims"/);
  const wanted = Buffer.from(/claims="([^"]+)"/.exec(challenge)[1], 'base64').toString();
  assert.ok(JSON.parse(wanted).access_token.nbf, wanted);
  const request = { scopes: ['User.Read'], claims: wanted };
  const error = await refused(client.acquireTokenSilent({ account, ...request }));
  assert.ok(error instanceof InteractionRequiredAuthError, error.name);
  const fresh = await interactive(client, users.alex, request);
  assert.equal((await me(fresh.accessToken)).status, 200);
});

for (const [segment, client, user, tenant] of [
  ['common', apps.everybody, users.adele, tenants.contoso.id],
  ['common', apps.everybody, users.farah, tenants.fabrikam.id],
  ['common', apps.everybody, users.pat, tenants.consumers.id],
  ['organizations', apps.everybody, users.farah, tenants.fabrikam.id],
  ['consumers', apps.everybody, users.pat, tenants.consumers.id],
  [tenants.fabrikam.domain, apps.everybody, users.farah, tenants.fabrikam.id],
]) {
  await suite.case(`${segment}: ${user.upn} signs in, and silently again`, async () => {
    const app = publicClient(client, { authority: `${authority}/${segment}` });
    const { account, result } = await signedIn(user, { scopes: ['User.Read'] }, app);
    assert.equal(account.tenantId, tenant);
    assert.equal(account.homeAccountId.split('.')[1], tenant);
    assert.equal(result.idTokenClaims.iss, `${authority}/${tenant}/v2.0`);
    const again = await app.acquireTokenSilent({ account, scopes: ['User.Read'], forceRefresh: true });
    assert.equal(again.account.homeAccountId, account.homeAccountId);
  });
}

await suite.case('organizations: a personal account is refused', async () => {
  const app = publicClient(apps.everybody, { authority: `${authority}/organizations` });
  const url = await app.getAuthCodeUrl({ scopes: ['User.Read'], redirectUri: callback });
  assert.match((await refused(approve(url, users.pat.upn))).message, /AADSTS\d+/);
});

await suite.case('common: an application of one tenant is refused', async () => {
  const app = publicClient(apps.desktop, { authority: `${authority}/common` });
  const url = await app.getAuthCodeUrl({ scopes: ['User.Read'], redirectUri: callback });
  assert.match((await refused(approve(url, users.adele.upn))).message, /AADSTS50194\b/);
});

await suite.case('a guest has two tenants and one home account', async () => {
  const app = publicClient(apps.everybody, { authority: `${authority}/${tenants.fabrikam.id}` });
  const { account: home } = await signedIn(users.farah, { scopes: ['User.Read'] }, app);
  const { account: away } = await signedIn(users.farah, { scopes: ['User.Read'], authority: `${authority}/${tenants.contoso.id}` }, app);
  assert.equal(away.homeAccountId, home.homeAccountId);
  assert.deepEqual([home.tenantId, away.tenantId], [tenants.fabrikam.id, tenants.contoso.id]);
  assert.deepEqual([home.localAccountId, away.localAccountId], [users.farah.id, users.guest.id]);
  // The refresh token of the home tenant is good in the other one.
  const silent = await app.acquireTokenSilent({
    account: home, scopes: ['User.Read'], authority: `${authority}/${tenants.contoso.id}`, forceRefresh: true,
  });
  assert.equal(silent.tenantId, tenants.contoso.id);
});

await suite.case('an unknown tenant is refused at discovery', async () => {
  const app = publicClient(apps.desktop, { authority: `${authority}/nobody.example` });
  assert.equal((await refused(app.getAuthCodeUrl({ scopes: orders, redirectUri: callback }))).errorCode, 'endpoints_resolution_error');
});

await suite.case('the request id of the client comes back in a refusal', async () => {
  const correlationId = '11111111-2222-4333-8444-555555555555';
  const error = await refused(publicClient().acquireTokenByRefreshToken({ refreshToken: '1.made-up', scopes: orders, correlationId }));
  assert.equal(error.correlationId, correlationId);
  assert.ok(error.message.includes(correlationId), error.message);
});

await suite.case('sign-out empties the cache', async () => {
  const { client, account } = await signedIn();
  await client.signOut({ account });
  assert.deepEqual(await client.getTokenCache().getAllAccounts(), []);
  await refused(client.acquireTokenSilent({ account, scopes: orders }));
});

/** The last ones: they move the clock, after which clocks of client and server disagree. */
await suite.case('a code expires', async () => {
  const client = publicClient();
  const { redeem } = await code(client);
  await advance(601);
  await refusedAs(70008, client.acquireTokenByCode(redeem));
});

await suite.case('a refresh token expires after ninety days of rest', async () => {
  const client = new PublicClientApplication({ auth: auth(apps.desktop) });
  const { account } = await signedIn(users.adele, {}, client);
  await advance(90 * 24 * 3600 + 1);
  const error = await refused(client.acquireTokenSilent({ account, scopes: orders, forceRefresh: true }));
  assert.match(`${error.message}`, /AADSTS(700082|70008)\b/);
});

suite.end();
