// @azure/identity with managed identities. The source is chosen once a process, so this file runs once for each:
// MACHINE is `imds` or `app-service`, and run.mjs sets the variables that the library looks for.

import assert from 'node:assert/strict';

import { apps } from './directory.mjs';
import { load } from './environment.mjs';
import { claims, refused } from './expect.mjs';
import { Suite } from './report.mjs';

const { DefaultAzureCredential, ManagedIdentityCredential } = load.require('@azure/identity');
const suite = new Suite(`@azure/identity ${load.version('@azure/identity')}, managed identity from ${process.env.MACHINE}`);
const all = `${apps.orders.uri}/.default`;

async function token(credential, client) {
  const { azp, roles } = claims((await credential.getToken(all)).token);
  assert.deepEqual({ azp, roles }, { azp: client, roles: ['Orders.Read.All'] });
}

await suite.case('ManagedIdentityCredential: system-assigned', () => token(new ManagedIdentityCredential(), apps.system));

await suite.case('ManagedIdentityCredential: by client id', () => {
  return token(new ManagedIdentityCredential({ clientId: apps.assigned.id }), apps.assigned.id);
});

await suite.case('ManagedIdentityCredential: by resource id', () => {
  return token(new ManagedIdentityCredential({ resourceId: apps.assigned.resource }), apps.assigned.id);
});

await suite.case('ManagedIdentityCredential: one that the machine does not have', async () => {
  const credential = new ManagedIdentityCredential({ clientId: apps.daemon.id, retryOptions: { maxRetries: 0 } });
  assert.equal((await refused(credential.getToken(all))).name, 'CredentialUnavailableError');
});

await suite.case('DefaultAzureCredential: the machine, after nothing else was there', () => {
  return token(new DefaultAzureCredential(), apps.system);
});

await suite.case('DefaultAzureCredential: a named identity of the machine', () => {
  return token(new DefaultAzureCredential({ managedIdentityClientId: apps.assigned.id }), apps.assigned.id);
});

suite.end();
