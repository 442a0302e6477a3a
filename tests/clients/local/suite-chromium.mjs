// A real Chromium as the system's browser: a person's way through the pages, what they see at the end, and what stays in the browser.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';

import { Suite } from '../entra-node/report.mjs';
import { look } from '../harness/looks.mjs';
import { isProfile } from '../node/checks.mjs';
import { ADELE, admin, browser, desks, executable, load, opened, screenshots, server, session } from './context.mjs';

if (!executable) {
  console.error('NOT RUN: chromium: it is not installed; on Debian: apt-get install chromium');
  new Suite('').end();
  await new Promise(() => {});
}

const { chromium } = session.require('playwright-core');
const { Client } = load.require('@modelcontextprotocol/client');
const { StdioClientTransport } = load.require('@modelcontextprotocol/client/stdio');
const TOOL = 'GetUserDetailsFromGraph';
// What the answer says to who has closed the window.
const CLOSED = new RegExp('^The sign-in with Microsoft is not finished yet\\. Finish it in the browser window that was opened, then try again\\. '
  + 'If it is closed, open this address in a browser on this machine: (https:\\S+)$');
// For one step. Everything is on this machine.
const PATIENCE = 15_000;
// Someone who does not finish is waited for.
const suite = new Suite(`local, Chromium, playwright ${session.version('playwright-core')}`, 180_000);

rmSync(screenshots, { recursive: true, force: true });
mkdirSync(screenshots, { recursive: true });
const looks = (page, name) => look(page, join(screenshots, name));

/** A case at a desk, with a browser that keeps what browsers keep. Nothing may be blocked or broken unnoticed. */
function one(what, name, body) {
  const desk = desks[name];
  return suite.case(what, async () => {
    // Everybody is asked for their permission again.
    await admin('DELETE', 'consents');
    const profile = join(desk.folder, 'profile');
    const window = await chromium.launchPersistentContext(profile, {
      // As root it has no sandbox of its own; it only meets servers of this job, whose certificates are known to nobody else.
      executablePath: executable, args: ['--no-sandbox'], ignoreHTTPSErrors: true,
    });
    window.setDefaultTimeout(PATIENCE);
    const [complaints, codes] = [[], []];
    window.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    window.on('request', (request) => {
      if (request.method() !== 'POST' || !request.url().startsWith('http://localhost')) return;
      const code = new URLSearchParams(request.postData() ?? '').get('code');
      if (code) codes.push(code);
    });
    try {
      await body(desk, window, complaints);
      assert.deepEqual(complaints, []);
    } finally {
      await window.close();
      appendFileSync(join(desk.folder, 'canaries'), codes.map((code) => `${code}\n`).join(''));
    }
    const visited = history(profile);
    assert.ok(visited.some((url) => url.includes('/oauth2/v2.0/authorize?')), `the history is there: ${visited}`);
    const bad = visited.filter((url) => /[?&#](code|id_token|access_token)=/.test(url) || codes.some((code) => url.includes(code)));
    assert.deepEqual(bad, [], 'no code is in the history');
  });
}

/** The addresses that the browser remembers. */
function history(profile) {
  const database = new DatabaseSync(join(profile, 'Default', 'History'), { readOnly: true });
  try {
    return database.prepare('SELECT url FROM urls').all().map(({ url }) => url);
  } finally {
    database.close();
  }
}

/** `valet NAME` at a terminal. */
function run({ command, args, env, cwd }, name) {
  const child = spawn(command, [name, ...args.slice(1)], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const done = Promise.all([once(child, 'exit'), text(child.stdout)]).then(([[code], out]) => ({ code, out }));
  return { child, done };
}

/** `onPage`: the client can send its user to a page (URL elicitation), and this is what happens there. */
async function connected(desk, onPage) {
  const capabilities = onPage ? { elicitation: { url: {} } } : {};
  const client = new Client({ name: 'tests', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities });
  if (onPage) client.setRequestHandler('elicitation/create', ({ params }) => onPage(params));
  await client.connect(new StdioClientTransport(server(desk)));
  return { call: () => client.callTool({ name: TOOL, arguments: {} }), close: () => client.close() };
}

/** The system opens a page in the window, the last of so many. */
const open = async (desk, window, times) => visit(window, await browser(desk, times));

async function visit(window, address) {
  const page = await window.newPage();
  await page.goto(address);
  return page;
}

/** An account is chosen, the permission given, and the end read. */
async function finish(page, name) {
  await choose(page);
  await press(page, 'Accept');
  await ended(page, 'You are signed in', name);
}

const choose = (page, user = ADELE) => page.getByRole('button', { name: user }).first().click();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const words = async (page) => (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');

/** The page at the end: read, looked at, searched. */
async function ended(page, heading, name) {
  await page.waitForURL(/^http:\/\/localhost:\d+\/$/);
  await page.getByRole('heading', { name: heading }).waitFor();
  assert.doesNotMatch(await page.content(), /eyJ|code=|state=/, 'no token and no code on the page');
  assert.deepEqual(await looks(page, name), []);
  return words(page);
}

await one('`valet login`: an account is chosen, and the page at the end says who', 'login', async (desk, window) => {
  const login = run(desk, 'login');
  const page = await open(desk, window, 1);
  await choose(page);
  assert.equal(await ended(page, 'You are signed in', 'signed-in'),
    `You are signed in Signed in as ${ADELE}. You can close this window and go back to your work.`);
  const { code, out } = await login.done;
  assert.equal(code, 0);
  assert.match(out, /^Signed in: Adele Vance <adele@contoso\.example> {2}\S+@\S+\n$/);
  // What a person does who is not sure: nobody listens any more.
  await assert.rejects(page.reload(), /ERR_CONNECTION_REFUSED/);
  assert.match((await run(desk, 'whoami').done).out, /^Adele Vance/);
});

await one('the first call in a client: an account is chosen, the permission is given, the profile is there', 'stdio', async (desk, window) => {
  const client = await connected(desk);
  const call = client.call();
  const page = await open(desk, window, 1);
  await choose(page);
  await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
  const asked = await words(page);
  assert.match(asked, /User\.Read/);
  assert.doesNotMatch(asked, /ReadWrite|\.All/, 'what the tool needs and no more');
  await press(page, 'Accept');
  await ended(page, 'You are signed in', 'signed-in-for-a-call');
  isProfile(await call);
  isProfile(await client.call());
  assert.equal(opened(desk).length, 1);
  await client.close();
});

await one('declined: the page and the answer say so, and the next call asks again', 'declined', async (desk, window) => {
  const client = await connected(desk);
  const call = client.call();
  const page = await open(desk, window, 1);
  await choose(page);
  await press(page, 'Cancel');
  assert.match(await ended(page, 'You are not signed in', 'declined'), /declined/);
  const refused = await call;
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /declined/);
  const again = client.call();
  const second = await open(desk, window, 2);
  await choose(second);
  await press(second, 'Accept');
  await ended(second, 'You are signed in', 'signed-in-after-all');
  isProfile(await again);
  await client.close();
});

await one('the window is closed: the answer has an address, and in a new window that finishes the sign-in', 'closed', async (desk, window) => {
  const client = await connected(desk);
  const call = client.call();
  await (await open(desk, window, 1)).close();
  const told = await call;
  assert.equal(told.isError, true);
  const [, address] = CLOSED.exec(told.content[0].text) ?? assert.fail(told.content[0].text);
  assert.equal(address, opened(desk)[0], 'of the sign-in that waits');
  await finish(await visit(window, address), 'signed-in-by-the-address');
  isProfile(await client.call());
  assert.equal(opened(desk).length, 1, 'nothing else was opened');
  await client.close();
});

await one('the window is closed, and the client can send its user to a page: the address there finishes the sign-in and the call', 'page', async (desk, window) => {
  const asked = [];
  const client = await connected(desk, async ({ mode, url, message }) => {
    asked.push([mode, url, CLOSED.exec(message)?.[1]]);
    await finish(await visit(window, url), 'signed-in-by-the-page');
    return { action: 'accept' };
  });
  const call = client.call();
  await (await open(desk, window, 1)).close();
  isProfile(await call);
  const [address, ...others] = opened(desk);
  assert.deepEqual([asked, others], [[['url', address, address]], []], 'one page, of the sign-in that waits');
  await client.close();
});

await one('`valet login` is given up with Ctrl-C, and begun again', 'again', async (desk, window) => {
  const given = run(desk, 'login');
  const page = await open(desk, window, 1);
  given.child.kill('SIGINT');
  await given.done;
  // Whoever goes on in the old window finds nobody.
  const failed = page.waitForEvent('requestfailed', (request) => request.url().startsWith('http://localhost'));
  await choose(page);
  assert.match((await failed).failure().errorText, /ERR_CONNECTION_REFUSED/);
  const login = run(desk, 'login');
  const second = await open(desk, window, 2);
  await choose(second);
  await ended(second, 'You are signed in', 'signed-in-again');
  assert.equal((await login.done).code, 0);
});

await one('a page of somebody else\'s posts to the listener: refused, and the sign-in goes on', 'foreign', async (desk, window, complaints) => {
  const login = run(desk, 'login');
  const page = await open(desk, window, 1);
  const { searchParams } = new URL(opened(desk)[0]);
  const listener = searchParams.get('redirect_uri');
  for (const [origin, status] of [
    // A page of https has no name towards one of http (Fetch, section 3.2), so there the state decides.
    ['https://elsewhere.example', 400], ['http://elsewhere.example', 403],
  ]) {
    await window.route(`${origin}/**`, (route) => route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${listener}/"><input name="code" value="guessed"><input name="state" value="guessed"><button>Go</button></form>`,
    }));
    const other = await window.newPage();
    await other.goto(`${origin}/`);
    await other.evaluate((url) => fetch(url, { method: 'POST', body: new URLSearchParams({ code: 'guessed' }) }).catch(() => {}), `${listener}/`);
    const answered = other.waitForEvent('response', (response) => response.url().startsWith(listener) && response.request().isNavigationRequest());
    await other.getByRole('button').click();
    assert.equal((await answered).status(), status, origin);
  }
  complaints.splice(0);
  await choose(page);
  await ended(page, 'You are signed in', 'signed-in-all-the-same');
  assert.equal((await login.done).code, 0);
});

suite.end();
