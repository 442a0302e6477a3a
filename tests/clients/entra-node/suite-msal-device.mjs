// @azure/msal-node, device code: pending, approved, declined, expired.

import assert from 'node:assert/strict';

import { approve, click } from './browser.mjs';
import { apps, users } from './directory.mjs';
import { advance, authority, load } from './environment.mjs';
import { refused } from './expect.mjs';
import { publicClient, scope } from './msal.mjs';
import { Suite } from './report.mjs';

const suite = new Suite(`msal-node ${load.version('@azure/msal-node')}, device code`);
const scopes = [scope(apps.orders)];

/** Starts the flow; `then` is what the person does who reads the message. */
function deviceCode(client, then) {
  return new Promise((resolve, reject) => {
    const deviceCodeCallback = (response) => { Promise.resolve(then(response)).catch(reject); };
    client.acquireTokenByDeviceCode({ scopes, deviceCodeCallback }).then(resolve, reject);
  });
}

await suite.case('approved before the first question', async () => {
  let shown;
  const result = await deviceCode(publicClient(), async (response) => {
    shown = response;
    await approve(response.verificationUri, users.adele.upn, { code: response.userCode });
  });
  assert.equal(result.account.username, users.adele.upn);
  assert.equal(shown.expiresIn, 900);
  assert.equal(shown.interval, 5);
  assert.ok(shown.verificationUri.startsWith(authority), shown.verificationUri);
  assert.ok(shown.message.includes(shown.userCode) && shown.message.includes(shown.verificationUri), shown.message);
});

await suite.case('pending, then approved through the pages, then silent', async () => {
  const client = publicClient();
  const started = Date.now();
  const result = await deviceCode(client, async ({ verificationUri, userCode }) => {
    // The first question is asked at once, and answered with authorization_pending.
    await new Promise((done) => { setTimeout(done, 1_000); });
    await click(verificationUri, users.alex.upn, { code: userCode });
  });
  assert.ok(Date.now() - started >= 5_000, 'it waited for the interval');
  assert.equal(result.account.username, users.alex.upn);
  const silent = await client.acquireTokenSilent({ account: result.account, scopes, forceRefresh: true });
  assert.equal(silent.fromCache, false);
});

await suite.case('declined', async () => {
  const error = await refused(deviceCode(publicClient(), ({ verificationUri, userCode }) => {
    return click(verificationUri, users.adele.upn, { code: userCode, press: 'cancel' });
  }));
  assert.match(`${error.message} ${error.errorCode} ${error.subError}`, /authorization_declined/);
});

await suite.case('a client that is not public is refused', async () => {
  await refused(deviceCode(publicClient(apps.daemon.id), () => {}));
});

/** The last one: it moves the clock. */
await suite.case('expired', async () => {
  const error = await refused(deviceCode(publicClient(), () => advance(901)));
  assert.match(`${error.message} ${error.errorCode} ${error.subError}`, /expired_token|code_expired/);
});

suite.end();
