// @azure/identity: each credential with the two switches that another host needs, and what it makes of refusals.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { approve } from './browser.mjs';
import { apps, callback, tenants, users } from './directory.mjs';
import { authority, folder, graph, load } from './environment.mjs';
import { claims, refused, refusedAs } from './expect.mjs';
import { certificate, workloadToken } from './material.mjs';
import { interactive, publicClient, scope } from './msal.mjs';
import { Suite } from './report.mjs';

const identity = load.require('@azure/identity');
const suite = new Suite(`@azure/identity ${load.version('@azure/identity')}`);

const there = { authorityHost: authority, disableInstanceDiscovery: true };
const tenantId = tenants.contoso.id;
const all = `${apps.orders.uri}/.default`;
const orders = [scope(apps.orders)];

async function appOnly(credential, proof) {
  const { token, expiresOnTimestamp } = await credential.getToken(all);
  const { azp, azpacr, roles } = claims(token);
  assert.deepEqual({ azp, azpacr, roles }, { azp: apps.daemon.id, azpacr: proof, roles: ['Orders.Read.All'] });
  assert.ok(expiresOnTimestamp > Date.now() + 50 * 60_000, `${expiresOnTimestamp}`);
}

/** Runs `body` with environment variables, which the credentials of a deployment read. */
async function within(variables, body) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await body();
  } finally {
    for (const name of Object.keys(variables)) {
      if (name in before) process.env[name] = before[name];
      else delete process.env[name];
    }
  }
}

function tokenFile(text) {
  const file = join(folder, 'federated-token');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const secret = (value = apps.daemon.secret, tenant = tenantId, more = {}) => {
  return new identity.ClientSecretCredential(tenant, apps.daemon.id, value, { ...there, ...more });
};

await suite.case('an authority on http is refused', async () => {
  const error = await refused((async () => secret(apps.daemon.secret, tenantId, { authorityHost: authority.replace('https:', 'http:') }))());
  assert.match(error.message, /https/);
});

await suite.case('ClientSecretCredential', () => appOnly(secret(), '1'));

await suite.case('ClientSecretCredential: tenant by its domain', () => appOnly(secret(apps.daemon.secret, tenants.contoso.domain), '1'));

await suite.case('ClientSecretCredential: the second token is the first', async () => {
  const credential = secret();
  assert.equal((await credential.getToken(all)).token, (await credential.getToken(all)).token);
});

await suite.case('ClientSecretCredential: continuous access evaluation', async () => {
  const { token } = await secret().getToken(all, { enableCae: true });
  assert.deepEqual([claims(token).xms_cc].flat(), ['cp1']);
});

await suite.case('ClientSecretCredential: wrong secret', async () => {
  const error = await refusedAs(7000215, secret('guessed').getToken(all));
  assert.equal(error.name, 'AuthenticationRequiredError');
  assert.match(error.message, /^invalid_client/);
});

await suite.case('ClientSecretCredential: unknown tenant', async () => {
  await refused(secret(apps.daemon.secret, 'nobody.example').getToken(all));
});

await suite.case('ClientSecretCredential: unknown resource', () => refusedAs(500011, secret().getToken('api://nobody.example/.default')));

await suite.case('ClientCertificateCredential', () => {
  const { file } = certificate(folder, 'registered');
  return appOnly(new identity.ClientCertificateCredential(tenantId, apps.daemon.id, file, there), '2');
});

await suite.case('ClientCertificateCredential: chain sent', () => {
  const { file } = certificate(folder, 'registered');
  const options = { ...there, sendCertificateChain: true };
  return appOnly(new identity.ClientCertificateCredential(tenantId, apps.daemon.id, file, options), '2');
});

await suite.case('ClientCertificateCredential: one that nobody registered', async () => {
  const { file } = certificate(folder, 'stranger');
  await refusedAs(700027, new identity.ClientCertificateCredential(tenantId, apps.daemon.id, file, there).getToken(all));
});

await suite.case('ClientAssertionCredential', () => {
  return appOnly(new identity.ClientAssertionCredential(tenantId, apps.daemon.id, async () => workloadToken(folder), there), '2');
});

await suite.case('ClientAssertionCredential: another subject', async () => {
  const assertion = async () => workloadToken(folder, { sub: 'system:serviceaccount:default:other' });
  await refusedAs('(70021|700213)', new identity.ClientAssertionCredential(tenantId, apps.daemon.id, assertion, there).getToken(all));
});

await suite.case('WorkloadIdentityCredential: from a file', () => {
  const options = { ...there, tenantId, clientId: apps.daemon.id, tokenFilePath: tokenFile(workloadToken(folder)) };
  return appOnly(new identity.WorkloadIdentityCredential(options), '2');
});

await suite.case('WorkloadIdentityCredential: from the variables of a pod', () => {
  return within({
    AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: apps.daemon.id,
    AZURE_FEDERATED_TOKEN_FILE: tokenFile(workloadToken(folder)),
  }, () => appOnly(new identity.WorkloadIdentityCredential({ disableInstanceDiscovery: true }), '2'));
});

await suite.case('WorkloadIdentityCredential: an expired file', async () => {
  const tokenFilePath = tokenFile(workloadToken(folder, { nbf: 1_000_000_000, iat: 1_000_000_000, exp: 1_000_003_600 }));
  const options = { ...there, tenantId, clientId: apps.daemon.id, tokenFilePath };
  await refused(new identity.WorkloadIdentityCredential(options).getToken(all));
});

async function userAssertion() {
  const { accessToken } = await interactive(publicClient(), users.adele);
  return { tenantId, clientId: apps.orders.id, userAssertionToken: accessToken, ...there };
}

async function me(token) {
  const response = await fetch(`${graph}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()).userPrincipalName;
}

await suite.case('OnBehalfOfCredential: with a secret', async () => {
  const options = { ...await userAssertion(), clientSecret: apps.orders.secret };
  const { token } = await new identity.OnBehalfOfCredential(options).getToken('User.Read');
  assert.equal(await me(token), users.adele.upn);
});

await suite.case('OnBehalfOfCredential: with a certificate', async () => {
  const options = { ...await userAssertion(), certificatePath: certificate(folder, 'registered').file };
  const { token } = await new identity.OnBehalfOfCredential(options).getToken('https://graph.microsoft.com/.default');
  assert.equal(await me(token), users.adele.upn);
});

await suite.case('OnBehalfOfCredential: with an assertion', async () => {
  const options = { ...await userAssertion(), getAssertion: async () => workloadToken(folder) };
  const { token } = await new identity.OnBehalfOfCredential(options).getToken('User.Read');
  assert.equal(await me(token), users.adele.upn);
});

await suite.case('OnBehalfOfCredential: a policy asks for a second factor', async () => {
  const options = { ...await userAssertion(), clientSecret: apps.orders.secret };
  const error = await refused(new identity.OnBehalfOfCredential(options).getToken(scope(apps.payroll)));
  assert.match(`${error.message} ${error.cause?.message}`, /AADSTS50076\b/);
});

await suite.case('DeviceCodeCredential', async () => {
  const credential = new identity.DeviceCodeCredential({
    ...there, tenantId, clientId: apps.desktop,
    userPromptCallback: ({ verificationUri, userCode }) => approve(verificationUri, users.adele.upn, { code: userCode }),
  });
  const record = await credential.authenticate(orders);
  assert.equal(record.username, users.adele.upn);
  const { token } = await credential.getToken(orders);
  assert.equal(claims(token).oid, users.adele.id);
});

/** AuthorizationCodeCredential knows no PKCE. */
async function code(clientId) {
  const query = new URLSearchParams({
    client_id: clientId, response_type: 'code', redirect_uri: callback, scope: `openid offline_access ${orders}`,
  });
  const { answer } = await approve(`${authority}/${tenantId}/oauth2/v2.0/authorize?${query}`, users.adele.upn);
  return answer.code;
}

await suite.case('AuthorizationCodeCredential: public client', async () => {
  const credential = new identity.AuthorizationCodeCredential(tenantId, apps.desktop, await code(apps.desktop), callback, there);
  assert.equal(claims((await credential.getToken(orders)).token).oid, users.adele.id);
});

await suite.case('AuthorizationCodeCredential: with a secret, and silently again', async () => {
  const { id, secret: value } = apps.web;
  const credential = new identity.AuthorizationCodeCredential(tenantId, id, value, await code(id), callback, there);
  const { token } = await credential.getToken(orders);
  assert.equal(claims(token).azp, id);
  assert.equal((await credential.getToken(orders)).token, token);
});

await suite.case('AuthorizationCodeCredential: a code that nobody issued', async () => {
  const credential = new identity.AuthorizationCodeCredential(tenantId, apps.desktop, '1.made-up', callback, there);
  const error = await refused(credential.getToken(orders));
  assert.match(error.message, /AADSTS\d+|invalid_grant/);
});

await suite.case('EnvironmentCredential: a secret', () => {
  return within({
    AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: apps.daemon.id,
    AZURE_CLIENT_SECRET: apps.daemon.secret,
  }, () => appOnly(new identity.EnvironmentCredential({ disableInstanceDiscovery: true }), '1'));
});

await suite.case('EnvironmentCredential: a certificate', () => {
  return within({
    AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: apps.daemon.id,
    AZURE_CLIENT_CERTIFICATE_PATH: certificate(folder, 'registered').file,
  }, () => appOnly(new identity.EnvironmentCredential({ disableInstanceDiscovery: true }), '2'));
});

await suite.case('DefaultAzureCredential: the environment comes first', () => {
  return within({
    AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: apps.daemon.id,
    AZURE_CLIENT_SECRET: apps.daemon.secret,
  }, () => appOnly(new identity.DefaultAzureCredential({ disableInstanceDiscovery: true }), '1'));
});

await suite.case('DefaultAzureCredential: the workload identity of a pod', () => {
  return within({
    AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: apps.daemon.id,
    AZURE_FEDERATED_TOKEN_FILE: tokenFile(workloadToken(folder)), AZURE_TOKEN_CREDENTIALS: 'prod',
  }, () => appOnly(new identity.DefaultAzureCredential({ disableInstanceDiscovery: true }), '2'));
});

await suite.case('ChainedTokenCredential: the first that has something to offer', () => {
  const unavailable = { getToken: async () => { throw new identity.CredentialUnavailableError('not here'); } };
  return appOnly(new identity.ChainedTokenCredential(unavailable, secret()), '1');
});

await suite.case('ChainedTokenCredential: all refused', async () => {
  const error = await refusedAs(7000215, new identity.ChainedTokenCredential(secret('guessed'), secret('again')).getToken(all));
  assert.equal(error.errors.length, 2);
});

await suite.case('InteractiveBrowserCredential: with the browser of the system', () => {
  const browser = fileURLToPath(new URL('browser-command.mjs', import.meta.url));
  return within({ BROWSER: browser, ENTRA_NODE_USER: users.adele.upn }, async () => {
    const credential = new identity.InteractiveBrowserCredential({ ...there, tenantId, clientId: apps.desktop });
    assert.equal(claims((await credential.getToken(orders)).token).oid, users.adele.id);
  });
});

await suite.case('InteractiveBrowserCredential: not without being asked', async () => {
  const credential = new identity.InteractiveBrowserCredential({
    ...there, tenantId, clientId: apps.desktop, disableAutomaticAuthentication: true,
  });
  assert.equal((await refused(credential.getToken(orders))).name, 'AuthenticationRequiredError');
});

suite.end();
