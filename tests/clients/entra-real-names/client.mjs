// Microsoft's clients for JavaScript, with the settings they have when nobody sets anything.
// node client.mjs CONTEXT

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { approve } from '../entra-node/browser.mjs';
import { claims, refused, refusedAs } from '../entra-node/expect.mjs';
import { certificate } from '../entra-node/material.mjs';
import { loader } from '../entra-node/packages.mjs';
import { Suite } from '../entra-node/report.mjs';

const { apps, callback, folder, packages, tenants, users } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const load = loader(packages);
const msal = load.require('@azure/msal-node');
const identity = load.require('@azure/identity');
const { Client } = load.require('@microsoft/microsoft-graph-client');
const { TokenCredentialAuthenticationProvider } = load.require('@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials');
const openid = await load.import('openid-client');

const suite = new Suite('real names, Node');
const authority = `https://login.microsoftonline.com/${tenants.contoso.id}`;
const orders = `${apps.orders.uri}/${apps.orders.scope}`;
const all = `${apps.orders.uri}/.default`;

const desktop = (id = apps.desktop, at = authority) => new msal.PublicClientApplication({ auth: { clientId: id, authority: at } });
const openBrowser = (user) => async (url) => { await approve(url, user.upn); };
const interactive = (client, scopes, user = users.adele) => client.acquireTokenInteractive({ scopes, openBrowser: openBrowser(user) });
const graph = (authProvider) => Client.initWithMiddleware({ authProvider });
const bearer = (token) => graph({ getAccessToken: async () => token });

await suite.case('msal-node: sign-in, /me by graph-client, silent by refresh', async () => {
  const client = desktop();
  const { account, accessToken } = await interactive(client, ['User.Read']);
  // What the public cloud prefers in caches.
  assert.equal(account.environment, 'login.windows.net');
  assert.equal((await bearer(accessToken).api('/me').get()).userPrincipalName, users.adele.upn);
  const silent = await client.acquireTokenSilent({ account, scopes: ['User.Read'], forceRefresh: true });
  assert.equal((await bearer(silent.accessToken).api('/me').get()).id, users.adele.id);
});

await suite.case('msal-node: issuers are those of Entra', async () => {
  const { accessToken, idTokenClaims } = await interactive(desktop(), [orders]);
  const issuer = `https://login.microsoftonline.com/${tenants.contoso.id}/v2.0`;
  assert.deepEqual([claims(accessToken).iss, idTokenClaims.iss], [issuer, issuer]);
  const { accessToken: forGraph } = await interactive(desktop(), ['User.Read']);
  assert.equal(claims(forGraph).iss, `https://sts.windows.net/${tenants.contoso.id}/`);
});

await suite.case('msal-node: an authority by its other names', async () => {
  for (const alias of ['login.windows.net', 'login.microsoft.com']) {
    const { accessToken } = await interactive(desktop(apps.desktop, `https://${alias}/${tenants.contoso.id}`), ['User.Read']);
    assert.equal((await bearer(accessToken).api('/me').get()).id, users.adele.id, alias);
  }
});

await suite.case('msal-node: common, with accounts of two tenants', async () => {
  for (const [user, tenant] of [[users.adele, tenants.contoso], [users.farah, tenants.fabrikam]]) {
    const client = desktop(apps.everybody, 'https://login.microsoftonline.com/common');
    assert.equal((await interactive(client, ['User.Read'], user)).tenantId, tenant.id);
  }
});

await suite.case('msal-node: device code', async () => {
  const { accessToken } = await desktop().acquireTokenByDeviceCode({
    scopes: ['User.Read'],
    deviceCodeCallback: ({ verificationUri, userCode }) => approve(verificationUri, users.adele.upn, { code: userCode }),
  });
  assert.equal((await bearer(accessToken).api('/me').get()).id, users.adele.id);
});

await suite.case('msal-node: client credentials, by secret and by certificate', async () => {
  const { privateKey, sha256 } = certificate(folder, 'registered');
  for (const proof of [{ clientSecret: apps.daemon.secret }, { clientCertificate: { privateKey, thumbprintSha256: sha256 } }]) {
    const client = new msal.ConfidentialClientApplication({ auth: { clientId: apps.daemon.id, authority, ...proof } });
    const { accessToken } = await client.acquireTokenByClientCredential({ scopes: [all] });
    assert.deepEqual(claims(accessToken).roles, ['Orders.Read.All']);
  }
  const client = new msal.ConfidentialClientApplication({ auth: { clientId: apps.daemon.id, authority, clientSecret: 'guessed' } });
  await refusedAs(7000215, client.acquireTokenByClientCredential({ scopes: [all] }));
});

await suite.case('msal-node: on behalf of, then /me', async () => {
  const { accessToken: oboAssertion } = await interactive(desktop(), [orders]);
  const { id: clientId, secret: clientSecret } = apps.orders;
  const api = new msal.ConfidentialClientApplication({ auth: { clientId, authority, clientSecret } });
  const { accessToken } = await api.acquireTokenOnBehalfOf({ oboAssertion, scopes: ['https://graph.microsoft.com/.default'] });
  assert.equal((await bearer(accessToken).api('/me').get()).id, users.adele.id);
});

await suite.case('msal-node: managed identity, at the address of IMDS', async () => {
  const machine = new msal.ManagedIdentityApplication();
  assert.equal(machine.getManagedIdentitySource(), 'DefaultToImds');
  const { accessToken } = await machine.acquireToken({ resource: apps.orders.uri });
  assert.equal(claims(accessToken).azp, apps.system);
});

await suite.case('@azure/identity: browser of the system, and /me by graph-client', async () => {
  const credential = new identity.InteractiveBrowserCredential({ tenantId: tenants.contoso.id, clientId: apps.desktop });
  const me = await graph(new TokenCredentialAuthenticationProvider(credential, { scopes: ['User.Read'] })).api('/me').get();
  assert.equal(me.userPrincipalName, users.adele.upn);
});

await suite.case('@azure/identity: client secret and on behalf of', async () => {
  const application = new identity.ClientSecretCredential(tenants.contoso.id, apps.daemon.id, apps.daemon.secret);
  assert.equal(claims((await application.getToken(all)).token).azp, apps.daemon.id);
  const { accessToken: userAssertionToken } = await interactive(desktop(), [orders]);
  const { id: clientId, secret: clientSecret } = apps.orders;
  const api = new identity.OnBehalfOfCredential({ tenantId: tenants.contoso.id, clientId, clientSecret, userAssertionToken });
  const me = await graph(new TokenCredentialAuthenticationProvider(api, { scopes: ['User.Read'] })).api('/me').get();
  assert.equal(me.id, users.adele.id);
});

await suite.case('@azure/identity: DefaultAzureCredential finds the machine', async () => {
  const { token } = await new identity.DefaultAzureCredential().getToken(all);
  assert.equal(claims(token).azp, apps.system);
  const named = new identity.DefaultAzureCredential({ managedIdentityClientId: apps.assigned.id });
  assert.equal(claims((await named.getToken(all)).token).azp, apps.assigned.id);
});

await suite.case('openid-client: the tenant, and common as it treats it for Entra alone', async () => {
  for (const segment of [tenants.contoso.id, 'common']) {
    const server = new URL(`https://login.microsoftonline.com/${segment}/v2.0`);
    const configuration = await openid.discovery(server, apps.everybody, undefined, openid.None());
    openid.enableNonRepudiationChecks(configuration);
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: callback, scope: 'openid profile', state,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const { url: answer } = await approve(url.href, users.adele.upn);
    const tokens = await openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state });
    assert.equal(tokens.claims().oid, users.adele.id, segment);
    const { sub } = await openid.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub);
    assert.equal(sub, tokens.claims().sub);
  }
});

await suite.case('a name that Microsoft does not have is not found', async () => {
  const error = await refused(fetch('https://login.partner.microsoftonline.cn/common/v2.0/.well-known/openid-configuration'));
  assert.match(`${error.cause?.code}`, /EAI_AGAIN|ENOTFOUND/);
});

suite.end();
