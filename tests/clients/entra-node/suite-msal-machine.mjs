// @azure/msal-node with managed identities. MSAL chooses the source once a process, so this file runs once for each:
// MACHINE is `imds` or `app-service`, and run.mjs sets the variables that MSAL looks for.

import assert from 'node:assert/strict';

import { apps, tenants } from './directory.mjs';
import { load, machine } from './environment.mjs';
import { claims, refused } from './expect.mjs';
import { msal } from './msal.mjs';
import { Suite } from './report.mjs';

const source = process.env.MACHINE;
const suite = new Suite(`msal-node ${load.version('@azure/msal-node')}, managed identity from ${source}`);
const resource = apps.orders.uri;

const identity = (managedIdentityIdParams) => new msal.ManagedIdentityApplication({ managedIdentityIdParams });

async function token(ids, client) {
  const { accessToken, expiresOn } = await identity(ids).acquireToken({ resource, forceRefresh: true });
  const { appid, azp, tid, roles, idtyp } = claims(accessToken);
  assert.equal(azp ?? appid, client);
  assert.equal(tid, tenants.contoso.id);
  assert.deepEqual(roles, ['Orders.Read.All']);
  assert.equal(idtyp, 'app');
  assert.ok(expiresOn.getTime() > Date.now() + 50 * 60_000, `${expiresOn}`);
}

await suite.case('the source is found', () => {
  assert.equal(identity().getManagedIdentitySource(), source === 'imds' ? 'DefaultToImds' : 'AppService');
});

await suite.case('system-assigned', () => token(undefined, apps.system));

await suite.case('the second time from the cache', async () => {
  const application = identity();
  await application.acquireToken({ resource });
  assert.equal((await application.acquireToken({ resource })).fromCache, true);
});

await suite.case('user-assigned by client id', () => token({ userAssignedClientId: apps.assigned.id }, apps.assigned.id));

await suite.case('user-assigned by resource id', () => {
  return token({ userAssignedResourceId: apps.assigned.resource }, apps.assigned.id);
});

await suite.case('user-assigned by object id', async () => {
  const { accessToken } = await identity({ userAssignedClientId: apps.assigned.id }).acquireToken({ resource });
  await token({ userAssignedObjectId: claims(accessToken).oid }, apps.assigned.id);
});

await suite.case('an identity that the machine does not have', async () => {
  await refused(identity({ userAssignedClientId: apps.daemon.id }).acquireToken({ resource }));
});

await suite.case('a resource that does not exist', async () => {
  await refused(identity().acquireToken({ resource: 'api://nobody.example' }));
});

await suite.case('a request without the header is refused', async () => {
  const path = source === 'imds' ? '/metadata/identity/oauth2/token?api-version=2018-02-01' : '/msi/token?api-version=2019-08-01';
  const url = `${machine}${path}&resource=${encodeURIComponent(resource)}`;
  const { status } = await fetch(url);
  assert.ok(status === 400 || status === 401 || status === 403, `${status}`);
});

suite.end();
