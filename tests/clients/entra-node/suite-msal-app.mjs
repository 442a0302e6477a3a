// @azure/msal-node as an application: secrets, certificates, assertions, and on-behalf-of.

import assert from 'node:assert/strict';

import { apps, cluster, tenants, users } from './directory.mjs';
import { authority, folder, graph, load } from './environment.mjs';
import { claims, refused, refusedAs } from './expect.mjs';
import { workloadToken } from './material.mjs';
import { confidentialClient, interactive, msal, pinned, publicClient, scope } from './msal.mjs';
import { Suite } from './report.mjs';

const suite = new Suite(`msal-node ${load.version('@azure/msal-node')} as an application`);
const all = { scopes: [`${apps.orders.uri}/.default`] };

const daemon = (more) => confidentialClient(apps.daemon, more);

/** An app-only token for the API, and what its claims say of the proof. */
async function appOnly(client, proof) {
  const { accessToken, account } = await client.acquireTokenByClientCredential({ ...all });
  const { azp, azpacr, idtyp, roles, scp, tid } = claims(accessToken);
  assert.deepEqual({ azp, azpacr, idtyp, roles, scp, tid }, {
    azp: apps.daemon.id, azpacr: proof, idtyp: 'app', roles: ['Orders.Read.All'], scp: undefined, tid: tenants.contoso.id,
  });
  assert.equal(account, null);
}

await suite.case('client secret', () => appOnly(daemon(), '1'));

await suite.case('client secret: the second time from the cache', async () => {
  const client = daemon();
  assert.equal((await client.acquireTokenByClientCredential({ ...all })).fromCache, false);
  assert.equal((await client.acquireTokenByClientCredential({ ...all })).fromCache, true);
  assert.equal((await client.acquireTokenByClientCredential({ ...all, skipCache: true })).fromCache, false);
});

await suite.case('client secret: wrong', async () => {
  const error = await refusedAs(7000215, daemon({ clientSecret: 'guessed' }).acquireTokenByClientCredential({ ...all }));
  assert.equal(error.errorCode, 'invalid_client');
});

await suite.case('client secret: expired', async () => {
  const client = confidentialClient({ id: apps.web.id, secret: apps.web.expired });
  await refusedAs(7000222, client.acquireTokenByClientCredential({ ...all }));
});

await suite.case('client credentials need a resource with .default', async () => {
  const error = await refusedAs(1002012, daemon().acquireTokenByClientCredential({ scopes: ['User.Read'] }));
  assert.equal(error.errorCode, 'invalid_scope');
});

await suite.case('client credentials for an API that does not exist', async () => {
  await refusedAs(500011, daemon().acquireTokenByClientCredential({ scopes: ['api://nobody.example/.default'] }));
});

await suite.case('client credentials at an alias are refused', async () => {
  const client = daemon({ authority: `${authority}/common` });
  await refused(client.acquireTokenByClientCredential({ ...all }));
});

await suite.case('an application that does not exist', async () => {
  const client = confidentialClient({ id: '7e57c000-0000-4000-8000-00000000ffff', secret: 'x' });
  const error = await refusedAs(700016, client.acquireTokenByClientCredential({ ...all }));
  assert.equal(error.errorCode, 'unauthorized_client');
});

await suite.case('a public client with a secret is refused', async () => {
  const client = confidentialClient({ id: apps.desktop, secret: 'x' });
  await refusedAs(700025, client.acquireTokenByClientCredential({ ...all }));
});

await suite.case('certificate: PS256 and SHA-256 thumbprint, chain sent', () => {
  return appOnly(daemon({ clientCertificate: pinned('registered') }), '2');
});

await suite.case('certificate: RS256 and SHA-1 thumbprint, as older clients do', () => {
  return appOnly(daemon({ clientCertificate: pinned('registered', { legacy: true }) }), '2');
});

await suite.case('certificate: one that nobody registered', async () => {
  const client = daemon({ clientCertificate: pinned('stranger') });
  const error = await refusedAs(700027, client.acquireTokenByClientCredential({ ...all }));
  assert.equal(error.errorCode, 'invalid_client');
});

await suite.case('certificate: right thumbprint, wrong key', async () => {
  const clientCertificate = { ...pinned('registered'), privateKey: pinned('stranger').privateKey };
  await refusedAs(700027, daemon({ clientCertificate }).acquireTokenByClientCredential({ ...all }));
});

await suite.case('assertion callback: the token of a cluster', async () => {
  let asked;
  const clientAssertion = async (request) => {
    asked = request;
    return workloadToken(folder);
  };
  await appOnly(daemon({ clientAssertion }), '2');
  assert.equal(asked.clientId, apps.daemon.id);
  assert.equal(asked.tokenEndpoint, `${authority}/${tenants.contoso.id}/oauth2/v2.0/token`);
});

for (const [what, changes, number] of [
  ['another subject', { sub: 'system:serviceaccount:default:other' }, '(70021|700213)'],
  ['another issuer', { iss: `${cluster.issuer}/` }, '(70021|700211|700212)'],
  ['another audience', { aud: 'api://other' }, '(70021|700212)'],
  ['expired', { iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_003_600 }, '(700024|700027|70021)'],
]) {
  await suite.case(`assertion callback: ${what}`, async () => {
    const client = daemon({ clientAssertion: async () => workloadToken(folder, changes) });
    await refusedAs(number, client.acquireTokenByClientCredential({ ...all }));
  });
}

/** A user's token for the API, and the API itself as a client. */
async function incoming(user = users.adele, request = {}) {
  const client = publicClient();
  const { accessToken, account } = await interactive(client, user, request);
  return { client, account, oboAssertion: accessToken };
}

const middle = (more) => confidentialClient(apps.orders, more);

await suite.case('on behalf of: Graph answers for the user', async () => {
  const { oboAssertion } = await incoming();
  const { accessToken, account, fromCache } = await middle().acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] });
  assert.equal(fromCache, false);
  assert.equal(account.homeAccountId, `${users.adele.id}.${tenants.contoso.id}`);
  const me = await fetch(`${graph}/v1.0/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  assert.equal((await me.json()).id, users.adele.id);
});

await suite.case('on behalf of: the cache knows the assertion', async () => {
  const client = middle();
  const [first, second] = [await incoming(), await incoming()];
  const exchange = ({ oboAssertion }) => client.acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] });
  assert.equal((await exchange(first)).fromCache, false);
  assert.equal((await exchange(first)).fromCache, true);
  assert.equal((await exchange(second)).fromCache, false);
});

await suite.case('on behalf of: with a certificate', async () => {
  const { oboAssertion } = await incoming();
  const client = middle({ clientCertificate: pinned('registered') });
  assert.ok((await client.acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] })).accessToken);
});

await suite.case('on behalf of: with the token of a cluster', async () => {
  const { oboAssertion } = await incoming();
  const client = middle({ clientAssertion: async () => workloadToken(folder) });
  assert.ok((await client.acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] })).accessToken);
});

await suite.case('on behalf of: a token for Graph is no assertion', async () => {
  const { oboAssertion } = await incoming(users.adele, { scopes: ['User.Read'] });
  await refused(middle().acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] }));
});

await suite.case('on behalf of: a token for another API', async () => {
  const { oboAssertion } = await incoming();
  const client = confidentialClient(apps.web);
  const error = await refusedAs(500131, client.acquireTokenOnBehalfOf({ oboAssertion, scopes: ['User.Read'] }));
  assert.equal(error.errorCode, 'invalid_grant');
});

await suite.case('on behalf of: a token without a user', async () => {
  const { accessToken } = await daemon().acquireTokenByClientCredential({ ...all });
  await refusedAs(7000114, middle().acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: ['User.Read'] }));
});

await suite.case('on behalf of: without consent', async () => {
  const { oboAssertion } = await incoming();
  const error = await refusedAs(65001, middle().acquireTokenOnBehalfOf({ oboAssertion, scopes: ['Mail.Read'] }));
  assert.ok(error instanceof msal.InteractionRequiredAuthError, error.name);
});

await suite.case('on behalf of: a policy asks for a second factor, and the user gives it', async () => {
  const { client, account, oboAssertion } = await incoming();
  const payroll = [scope(apps.payroll)];
  const error = await refusedAs(50076, middle().acquireTokenOnBehalfOf({ oboAssertion, scopes: payroll }));
  assert.ok(error instanceof msal.InteractionRequiredAuthError, error.name);
  assert.equal(error.errorCode, 'interaction_required');
  assert.ok(JSON.parse(error.claims).access_token, error.claims);
  // The API hands the claims to its client, which asks for a token that satisfies them.
  const request = { scopes: [scope(apps.orders)], claims: error.claims };
  const silent = await refused(client.acquireTokenSilent({ account, ...request }));
  assert.ok(silent instanceof msal.InteractionRequiredAuthError, silent.name);
  const { accessToken } = await interactive(client, users.adele, request, { mfa: true });
  const result = await middle().acquireTokenOnBehalfOf({ oboAssertion: accessToken, scopes: payroll });
  assert.equal(claims(result.accessToken).aud, apps.payroll.id);
});

suite.end();
