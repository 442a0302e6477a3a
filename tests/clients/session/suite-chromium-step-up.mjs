// The pages on which a person does what a policy of Conditional Access wants of them, in a real browser: asked, done, too late, by another account.

import assert from 'node:assert/strict';

import { Suite } from '../entra-node/report.mjs';
import { Client, PATIENCE, atEntra, later, launch, look, watched } from './chromium.mjs';
import { ADELE, ALEX, authority, call, clock, executable, issuer, keep, mode, own, registered, request, url, webRedirect } from './context.mjs';
import { TOOL, policy } from './policies.mjs';

if (!executable) {
  console.error('NOT RUN: chromium: it is not installed; on Debian: apt-get install chromium');
  new Suite('').end();
  await new Promise(() => {});
}

const browser = await launch();
const suite = new Suite(`${mode.name}, step-up, Chromium ${browser.version()}, playwright ${own.version('playwright-core')}`);
const client = new Client();

/** The page that a call of the tool sends its user to, where the client can do that (MCP `client/elicitation`, URL mode). */
async function link(token) {
  const { body, headers } = request(TOOL);
  const message = JSON.parse(body);
  message.params._meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation: { url: {} } };
  const response = await fetch(url, {
    method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` }, body: JSON.stringify(message),
  });
  const { result } = await response.json();
  const page = new URL(result.inputRequests['sign-in'].params.url);
  keep('link', page.searchParams.get('link'));
  return page.href;
}

const heading = (page) => page.getByRole('heading', { level: 1 }).textContent();
const words = async (page) => (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');

/** Does at Entra what is asked there, whether it asks for the account first or knows it. */
async function satisfied(page, user) {
  await page.waitForURL(`${authority}/**`);
  const factor = page.getByRole('button', { name: 'Approve' });
  const account = page.getByRole('button', { name: user }).first();
  await factor.or(account).first().waitFor();
  if (!await factor.isVisible()) await account.click();
  await factor.click();
  await page.waitForURL(`${issuer}/**`);
}

/** A case of Adele's, who has signed in when a policy begins to want a second factor. Gets a page in her browser, her token, and a link. */
const one = (what, body) => suite.case(what, async () => {
  const profiles = [];
  const fresh = async () => {
    const profile = await browser.newContext({ ignoreHTTPSErrors: true });
    profiles.push(profile);
    profile.setDefaultTimeout(PATIENCE);
    watched(profile);
    return profile.newPage();
  };
  try {
    const page = await fresh();
    const begun = await client.begin();
    await page.goto(begun.url);
    await page.getByRole('button', { name: 'Allow' }).click();
    await atEntra(page, { user: ADELE });
    await page.waitForURL(`${webRedirect}?**`);
    const { access_token: token } = await client.redeem(begun, page.url());
    await registered(policy('mfa'));
    await body({ page, token, href: await link(token), fresh });
  } finally {
    await registered();
    for (const profile of profiles) await profile.close();
  }
});

/** Opens the link: the page that asks, and its button. */
async function opened(page, href) {
  await page.goto(href);
  assert.equal(await heading(page), 'Microsoft wants more from you');
  return page.locator('button[name=decision][value=allow]');
}

await one('asked, done at Entra, and the call works', async ({ page, token, href }) => {
  const button = await opened(page, href);
  assert.deepEqual(await look(page, 'step-up-asked'), []);
  await button.click();
  await satisfied(page, ADELE);
  assert.equal(await heading(page), 'Done');
  assert.match(await words(page), /Go back to your application/);
  assert.deepEqual(await look(page, 'step-up-done'), []);
  assert.equal((await call(token, TOOL)).status, 200);
});

await one('another account: it says so, and then the right one does it', async ({ page, token, href, fresh }) => {
  const other = await fresh();
  await (await opened(other, href)).click();
  await satisfied(other, ALEX);
  assert.match(await words(other), /another account/);
  assert.deepEqual(await look(other, 'step-up-another-account'), []);
  await (await opened(page, await link(token))).click();
  await satisfied(page, ADELE);
  assert.equal(await heading(page), 'Done');
  assert.equal((await call(token, TOOL)).status, 200);
});

const timed = clock ? one : async (what) => console.error(`NOT RUN: ${what}: there is no libfaketime; on Debian: apt-get install faketime`);

await timed('too old: it says so, and a new link does it', async ({ page, token, href }) => {
  await later(660, async () => {
    await page.goto(href);
    assert.match(await words(page), /This link is too old/);
    assert.deepEqual(await look(page, 'step-up-too-old'), []);
  });
  await (await opened(page, await link(token))).click();
  await satisfied(page, ADELE);
  assert.equal(await heading(page), 'Done');
});

await browser.close();
suite.end();
