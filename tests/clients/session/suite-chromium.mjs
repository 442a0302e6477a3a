// A person's way through the pages, in a real browser: what they see, press, and do that nobody planned for.

import assert from 'node:assert/strict';

import { Suite } from '../entra-node/report.mjs';
import { Client, PATIENCE, atEntra, later, launch, look, watched, whoami } from './chromium.mjs';
import { ADELE, ALEX, authority, call, clock, documentId, executable, issuer, own, revokedAtEntra, webRedirect } from './context.mjs';

if (!executable) {
  console.error('NOT RUN: chromium: it is not installed; on Debian: apt-get install chromium');
  new Suite('').end();
  await new Promise(() => {});
}

const browser = await launch();
const suite = new Suite(`session, Chromium ${browser.version()}, playwright ${own.version('playwright-core')}`);
const client = new Client();
const AT_CLIENT = `${webRedirect}?**`;

/** A case with a browser profile of its own, in which nothing may be blocked or broken unnoticed. */
function one(what, body, options = {}) {
  return suite.case(what, async () => {
    // The certificates of this job are known to nobody else.
    const profile = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    profile.setDefaultTimeout(PATIENCE);
    watched(profile);
    const complaints = [];
    profile.on('console', (message) => {
      // The browser's own note of an answer that is an error.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    try {
      await body(await profile.newPage(), profile, complaints);
      assert.deepEqual(complaints, []);
    } finally {
      await profile.close();
    }
  });
}

/** Begins, and is asked by Valet. */
async function asked(page, by = client) {
  const begun = await by.begin();
  await page.goto(begun.url);
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  return begun;
}

/** The whole way, with whatever is asked. Gives what was begun. */
async function signedIn(page, user = ADELE) {
  const begun = await asked(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await atEntra(page, { user });
  await page.waitForURL(AT_CLIENT);
  return begun;
}

const heading = (page) => page.getByRole('heading', { level: 1 }).textContent();

/** What the page says, in one line. */
const words = async (page) => (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');

await one('the first sign-in: asked by Valet, asked by Entra, back at the client; a tool answers', async (page) => {
  const begun = await asked(page);
  const said = await words(page);
  for (const expected of ['The tests', 'valet.example', 'https://client.example', 'mcp.access', 'Microsoft']) {
    assert.ok(said.includes(expected), `${expected} is not in: ${said}`);
  }
  assert.deepEqual(await look(page, 'consent-configured'), []);
  await page.getByRole('button', { name: 'Allow' }).click();
  await atEntra(page, { user: ADELE });
  await page.waitForURL(AT_CLIENT);
  const tokens = await client.redeem(begun, page.url());
  assert.deepEqual(await whoami(tokens.access_token), { status: 200, name: 'Adele Vance' });
});

await one('the second sign-in: nobody is asked anything', async (page) => {
  await signedIn(page);
  const seen = [];
  page.on('framenavigated', (frame) => seen.push(new URL(frame.url()).pathname));
  const begun = await client.begin();
  await page.goto(begun.url);
  await page.waitForURL(AT_CLIENT);
  assert.deepEqual(seen, ['/auth/callback', '/callback'], 'the page that goes on by itself is the only one');
  assert.ok((await client.redeem(begun, page.url())).access_token);
});

await one('another client in the same browser is asked about', async (page) => {
  await signedIn(page);
  await asked(page, new Client(documentId));
  assert.match(await words(page), /client\.example \(https:\/\/client\.example\/client\.json\)/);
  assert.deepEqual(await look(page, 'consent-document'), []);
});

/** Somebody else than Adele, who was here before, comes back from Entra, and is asked then. */
async function replaced(page, profile) {
  await signedIn(page);
  // Entra forgets who was here; Valet thinks of Adele, who allowed it, and goes on to Entra at once.
  await profile.clearCookies({ domain: new URL(authority).hostname });
  const begun = await client.begin();
  await page.goto(begun.url);
  await atEntra(page, { user: ALEX });
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  return begun;
}

await one('somebody else comes back from Entra than was here before: they say no, and are asked again next time', async (page, profile) => {
  const begun = await replaced(page, profile);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(AT_CLIENT);
  const answer = client.answer(begun, page.url());
  assert.deepEqual([answer.get('error'), answer.get('code')], ['access_denied', null]);
  await asked(page);
});

await one('they say yes: they are not asked again', async (page, profile) => {
  const begun = await replaced(page, profile);
  assert.deepEqual(await look(page, 'consent-after-entra'), []);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(AT_CLIENT);
  const tokens = await client.redeem(begun, page.url());
  assert.deepEqual(await whoami(tokens.access_token), { status: 200, name: 'Alex Wilber' });
  await page.goto((await client.begin()).url);
  await page.waitForURL(AT_CLIENT);
});

await one('a program on this computer: asked each time, with a warning', async (page) => {
  const answer = await fetch(`${issuer}/oauth/register`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://127.0.0.1:4321/callback'], client_name: 'A program with quite a long name, of sixty letters at most, yes' }),
  });
  const { client_id: id } = await answer.json();
  const program = new Client(id, 'http://127.0.0.1:4321/callback');
  // Where a program would listen.
  await page.route('http://127.0.0.1:4321/**', (route) => route.fulfill({ contentType: 'text/html', body: '<title>Done</title>Done' }));
  for (const time of [1, 2]) {
    const begun = await asked(page, program);
    assert.match(await words(page), /a program on this computer \(http:\/\/127\.0\.0\.1:4321\).*nobody has checked|nobody has checked.*a program on this computer/);
    if (time === 1) assert.deepEqual(await look(page, 'consent-registered'), []);
    await page.getByRole('button', { name: 'Allow' }).click();
    if (time === 1) await atEntra(page, { user: ADELE });
    await page.waitForURL('http://127.0.0.1:4321/callback?**');
    assert.ok((await program.redeem(begun, page.url())).access_token);
  }
});

await one('a name that is markup is shown as text', async (page) => {
  const answer = await fetch(`${issuer}/oauth/register`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'], client_name: '<img src=x onerror=alert(1)>"\'&amp;' }),
  });
  const { client_id: id } = await answer.json();
  page.on('dialog', () => assert.fail('a script ran'));
  await asked(page, new Client(id, 'http://127.0.0.1/callback'));
  assert.equal(await heading(page), 'Allow <img src=x onerror=alert(1)>"\'&amp; to act for you?');
  assert.equal(await page.locator('img').count(), 0);
});

await one('Cancel: the client is told, and is asked about again next time', async (page) => {
  const begun = await asked(page);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(AT_CLIENT);
  const answer = client.answer(begun, page.url());
  assert.deepEqual([answer.get('error'), answer.get('code')], ['access_denied', null]);
  await signedIn(page);
});

await one('Cancel at Entra: the client is told; the next try works', async (page) => {
  const begun = await asked(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await atEntra(page, { cancel: true });
  await page.waitForURL(AT_CLIENT);
  assert.equal(client.answer(begun, page.url()).get('error'), 'access_denied');
  const again = await signedIn(page);
  assert.ok((await client.redeem(again, page.url())).access_token);
});

const timed = clock ? one : async (what) => console.error(`NOT RUN: ${what}: there is no libfaketime; on Debian: apt-get install faketime`);

await timed('too late for the button: it says so, and the next try works', async (page) => {
  await asked(page);
  await later(660, async () => {
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Signing in did not work' }).waitFor();
    assert.match(await words(page), /took too long/);
    assert.deepEqual(await look(page, 'too-late'), []);
  });
  await signedIn(page);
});

await timed('too late at Entra: it says so, and the next try works', async (page) => {
  await asked(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(/localhost/);
  await later(660, async () => {
    await atEntra(page, { user: ADELE });
    await page.getByRole('heading', { name: 'Signing in did not work' }).waitFor();
    assert.match(await words(page), /took too long/);
  });
  const begun = await client.begin();
  await page.goto(begun.url);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(begun, page.url())).access_token);
});

await one('a session that Entra ended: the client has to come back, and the person is not asked for permission again', async (page) => {
  const begun = await signedIn(page);
  const tokens = await client.redeem(begun, page.url());
  await revokedAtEntra(ADELE);
  // Graph tells; Valet does not ask Entra before what it knows is old.
  assert.equal((await call(tokens.access_token, 'GetUserDetailsFromGraph')).status, 401);
  assert.equal((await client.refresh(tokens.refresh_token)).error, 'invalid_grant');
  const again = await client.begin();
  await page.goto(again.url);
  // Entra may want to see the person; Valet need not.
  await page.waitForURL((at) => at.origin !== issuer);
  if (!page.url().startsWith(webRedirect)) await atEntra(page, { user: ADELE });
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(again, page.url())).access_token);
});

await timed('a session that came to its end after 30 days: the same', async (page) => {
  const begun = await signedIn(page);
  const tokens = await client.redeem(begun, page.url());
  await later(31 * 24 * 3600, async () => assert.equal((await client.refresh(tokens.refresh_token)).error, 'invalid_grant'));
  const again = await client.begin();
  await page.goto(again.url);
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(again, page.url())).access_token);
});

await one('signing out: everything ends at once, on every device, and permissions are forgotten', async (page, profile) => {
  const begun = await signedIn(page);
  const tokens = await client.redeem(begun, page.url());
  await page.goto(`${issuer}/oauth/sign-out`);
  assert.match(await words(page), /Adele Vance.*https:\/\/client\.example/);
  assert.deepEqual(await look(page, 'sign-out'), []);
  assert.equal((await whoami(tokens.access_token)).status, 200, 'asking ends nothing');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  assert.deepEqual(await look(page, 'signed-out'), []);
  assert.equal((await whoami(tokens.access_token)).status, 401);
  assert.equal((await client.refresh(tokens.refresh_token)).error, 'invalid_grant');
  assert.deepEqual((await profile.cookies(issuer)).map(({ name }) => name), []);
  await page.goto(`${issuer}/oauth/sign-out`);
  assert.equal(await heading(page), 'Nobody is signed in here');
  assert.deepEqual(await look(page, 'nobody'), []);
  await asked(page);
});

await one('back after signing out: nobody is named any more', async (page) => {
  await signedIn(page);
  await page.goto(`${issuer}/oauth/sign-out`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Nobody is signed in here' }).waitFor();
  assert.ok(!(await words(page)).includes('Adele'));
});

await one('one application is ended and forgotten, the other stays', async (page) => {
  const documented = new Client(documentId);
  const held = [];
  for (const by of [client, documented]) {
    const begun = await asked(page, by);
    await page.getByRole('button', { name: 'Allow' }).click();
    // Entra knows the browser the second time.
    if (by === client) await atEntra(page, { user: ALEX });
    await page.waitForURL(AT_CLIENT);
    held.push((await by.redeem(begun, page.url())).access_token);
  }
  await page.goto(`${issuer}/oauth/sign-out`);
  await page.locator('dl', { hasText: documentId }).getByRole('button', { name: 'End and forget' }).click();
  await page.waitForURL(`${issuer}/oauth/sign-out`);
  assert.deepEqual(await look(page, 'sign-out-one'), []);
  assert.ok(!(await words(page)).includes(documentId));
  assert.deepEqual([(await whoami(held[0])).status, (await whoami(held[1])).status], [200, 401]);
  await asked(page, documented);
});

await one('two tabs at once, to the end in turn', async (first, profile) => {
  const second = await profile.newPage();
  const tabs = [[first, await asked(first)], [second, await asked(second)]];
  for (const [page] of tabs) await page.getByRole('button', { name: 'Allow' }).click();
  for (const [page] of tabs) await page.waitForURL(/localhost/);
  await atEntra(second, { user: ALEX });
  await second.waitForURL(AT_CLIENT);
  await atEntra(first, { user: ADELE });
  await first.waitForURL(AT_CLIENT);
  for (const [[page, begun], name] of [[tabs[0], 'Adele Vance'], [tabs[1], 'Alex Wilber']]) {
    const tokens = await client.redeem(begun, page.url());
    assert.deepEqual(await whoami(tokens.access_token), { status: 200, name });
  }
});

await timed('four tabs at once: the oldest is told, the others work', async (page, profile) => {
  const tabs = [];
  for (let count = 0; count < 4; count += 1) {
    const tab = count === 0 ? page : await profile.newPage();
    // Which is the oldest is known by the second.
    tabs.push([tab, await later(2 * count, () => asked(tab))]);
  }
  await page.getByRole('button', { name: 'Allow' }).click();
  assert.equal(await heading(page), 'Signing in did not work');
  for (const [tab, begun] of tabs.slice(1)) {
    await tab.getByRole('button', { name: 'Allow' }).click();
    await tab.waitForURL((at) => at.origin !== issuer);
    if (!tab.url().startsWith(webRedirect)) await atEntra(tab, { user: ADELE });
    await tab.waitForURL(AT_CLIENT);
    assert.ok((await client.redeem(begun, tab.url())).access_token);
  }
});

await one('back from Entra to the page that asks, and Allow again', async (page) => {
  await asked(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(/localhost/);
  await page.goBack();
  await page.waitForURL(`${issuer}/**`);
  await page.getByRole('button', { name: 'Allow' }).click();
  await atEntra(page, { user: ADELE });
  await page.waitForURL(AT_CLIENT);
});

await one('back from the client: nothing is given twice, and the sign-in that there is stays', async (page) => {
  const begun = await signedIn(page);
  const arrived = page.url();
  await page.goBack();
  await page.waitForLoadState();
  const at = new URL(page.url());
  assert.deepEqual([at.origin, at.pathname, await heading(page)], [issuer, '/auth/callback', 'Signing in did not work']);
  assert.match(await words(page), /finished already/);
  const tokens = await client.redeem(begun, arrived);
  assert.deepEqual(await whoami(tokens.access_token), { status: 200, name: 'Adele Vance' });
});

await one('the callback is loaded again: it says that this is finished, and the sign-in stays', async (page) => {
  let callback;
  page.on('request', (request) => {
    if (request.url().startsWith(`${issuer}/auth/callback`)) callback = request.url();
  });
  const begun = await signedIn(page);
  const tokens = await client.redeem(begun, page.url());
  await page.goto(callback);
  assert.equal(await heading(page), 'Signing in did not work');
  assert.match(await words(page), /finished already/);
  assert.deepEqual(await look(page, 'finished-already'), []);
  assert.equal((await whoami(tokens.access_token)).status, 200);
  assert.ok((await client.refresh(tokens.refresh_token)).access_token);
});

await one('Entra’s answer in another browser is refused there, and still works here', async (page, profile) => {
  const begun = await asked(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(/localhost/);
  // Caught on its way, as by somebody who sends it to others.
  const entra = await fetch(page.url(), { headers: { 'x-emulator-approve': ADELE }, redirect: 'manual' });
  const callback = entra.headers.get('location');
  const other = await browser.newContext({ ignoreHTTPSErrors: true });
  const stranger = await other.newPage();
  await stranger.goto(callback);
  assert.match(await words(stranger), /not begun in this browser/);
  assert.deepEqual(await other.cookies(issuer), []);
  await other.close();
  await page.goto(callback);
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(begun, page.url())).access_token);
});

await one('without script, and by the keyboard alone', async (page) => {
  const begun = await client.begin();
  await page.goto(begun.url);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/localhost/);
  await page.getByRole('button', { name: ADELE }).first().press('Enter');
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(begun, page.url())).access_token);
}, { javaScriptEnabled: false });

await one('a page of somebody else’s cannot frame it', async (page, _, complaints) => {
  const begun = await client.begin();
  await page.goto('https://client.example/');
  await page.evaluate((src) => {
    const frame = document.createElement('iframe');
    frame.src = src;
    document.body.append(frame);
    return new Promise((loaded) => { frame.onload = loaded; });
  }, begun.url);
  assert.equal(await page.frames()[1].locator('button').count(), 0);
  assert.match(complaints.splice(0).join('\n'), /frame/i);
});

await one('a page of somebody else’s cannot press the button', async (page) => {
  const begun = await asked(page);
  const hidden = await page.locator('input[type=hidden]').evaluateAll((inputs) => inputs.map(({ name, value }) => [name, value]));
  const attacker = await page.context().newPage();
  await attacker.goto('https://client.example/');
  await attacker.evaluate(([action, fields]) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action });
    for (const [name, value] of [...fields, ['decision', 'allow']]) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }, [`${issuer}/oauth/consent`, hidden]);
  await attacker.getByRole('heading', { name: 'Signing in did not work' }).waitFor();
  assert.deepEqual(await look(attacker, 'foreign-form'), []);
  await page.getByRole('button', { name: 'Allow' }).click();
  await atEntra(page, { user: ADELE });
  await page.waitForURL(AT_CLIENT);
  assert.ok((await client.redeem(begun, page.url())).access_token);
});

await one('errors that only a person can be told', async (page) => {
  for (const [name, wrong, status, expected] of [
    ['unknown-client', ['client_id', 'nobody'], 400, /does not know the application/],
    ['unknown-redirect', ['redirect_uri', 'https://elsewhere.example/callback'], 400, /has not registered/],
    ['document-host', ['client_id', 'https://elsewhere.example/client.json'], 403, /has not allowed the application/],
    ['no-document', ['client_id', 'https://client.example/nothing/here'], 502, /application/],
  ]) {
    const begun = new URL((await client.begin()).url);
    begun.searchParams.set(...wrong);
    const response = await page.goto(begun.href);
    assert.equal(response.status(), status, name);
    assert.match(await words(page), expected, name);
    assert.deepEqual(await look(page, name), []);
  }
});

await one('the page between two forms says what happens, and has a link', async (page) => {
  await asked(page);
  // Held, so that it can be looked at.
  await page.route(`${issuer}/oauth/consent`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '') });
  });
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByRole('heading', { name: 'One moment' }).waitFor();
  assert.deepEqual(await look(page, 'one-moment'), []);
  await page.getByRole('link', { name: 'Continue' }).click();
  await atEntra(page, { user: ADELE });
  await page.waitForURL(AT_CLIENT);
});

await browser.close();
suite.end();
