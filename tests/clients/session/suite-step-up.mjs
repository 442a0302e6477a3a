// What a policy of Conditional Access wants of a person who has signed in, in the mode in which Valet keeps the session: every client recovers from the 401 by a new sign-in,
// and one that can send its user to a page (MCP `client/elicitation`, URL mode) goes on in the same session.

import assert from 'node:assert/strict';

import { claims as said, refused } from '../entra-node/expect.mjs';
import { Suite } from '../entra-node/report.mjs';
import { isProfile } from '../node/checks.mjs';
import { Browser } from './browser.mjs';
import { ADELE, ALEX, WAYS, clientId, issuer, keep, load, mode, own, registered, scope, url } from './context.mjs';
import { Person } from './person.mjs';
import { TOOL, atEntra, challenged, policy, profile } from './policies.mjs';
import { LOOPBACK, noted, openid, whoami } from './relying.mjs';

const SDK = '@modelcontextprotocol/client';
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = load.require(SDK);
const configuration = await openid.discovery(new URL(issuer), clientId, undefined, openid.None());

/** Has Entra want something of everybody for `body`, which gets the means to bring that about: what was there before has to be signed in by then. */
async function later(body) {
  try {
    await body(() => registered(policy('mfa')));
  } finally {
    await registered();
  }
}

const relying = new Suite(`${mode.name}, claims, openid-client ${own.version('openid-client')}`);

/** Signs Adele in with `browser`, as any client does that knows nothing of claims. */
async function signIn(browser) {
  const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
  keep('verifier', verifier);
  const asked = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: LOOPBACK, scope, state, resource: url,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const answer = await browser.go(asked.href);
  return noted(await openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state }, { resource: url }));
}

await relying.case('the challenge, a refusal to refresh, a sign-in without a word of claims, and the call works', () => later(async (begins) => {
  const before = await signIn(new Browser(ADELE));
  await begins();
  const claims = await challenged(configuration, before.access_token);
  // The session goes on for what needs nothing, and a refresh would not do.
  assert.equal((await whoami(before.access_token)).name, 'Adele Vance');
  const refusal = await refused(openid.refreshTokenGrant(configuration, before.refresh_token));
  assert.equal(refusal.error, 'invalid_grant');
  const browser = new Browser(ADELE, { factor: true });
  const next = await signIn(browser);
  assert.deepEqual(atEntra(browser), [null, claims], 'Valet knows what was wanted, and has Entra ask for it');
  await profile(next.access_token);
  await profile(noted(await openid.refreshTokenGrant(configuration, next.refresh_token)).access_token);
}));

await relying.case('who comes back without what is wanted gets no further than Entra', () => later(async (begins) => {
  const before = await signIn(new Browser(ADELE));
  await begins();
  await challenged(configuration, before.access_token);
  assert.match((await refused(signIn(new Browser(ADELE)))).message, /^HTTP 200 of .*Approve sign-in/);
  await profile((await signIn(new Browser(ADELE, { factor: true }))).access_token);
}));

/** A session of the SDK's, signed in. `onPage`: the client can send its user to a page, and this is what they do there. */
async function open(person, era, onPage) {
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: person });
  const client = () => {
    const capabilities = onPage && { elicitation: { url: {} } };
    const made = new Client({ name: 'tests', version: '1' }, { versionNegotiation: { mode: era }, ...(onPage && { capabilities }) });
    if (onPage) made.setRequestHandler('elicitation/create', ({ params }) => onPage(params));
    return made;
  };
  const [first, over, session] = [transport(), transport(), client()];
  await refused(client().connect(first));
  await first.finishAuth(person.callback);
  await session.connect(over);
  return {
    call: () => session.callTool({ name: TOOL, arguments: {} }), finish: () => over.finishAuth(person.callback), close: () => session.close(),
  };
}

const suite = new Suite(`${mode.name}, step-up, ${SDK} ${load.version(SDK)}`);

for (const era of ['auto', 'legacy']) {
  await suite.case(`${era}, without pages: the SDK cannot refresh, has the user sign in again, and the call works`, () => later(async (begins) => {
    const person = new Person(WAYS[0], ADELE, { factor: true });
    const session = await open(person, era);
    // Who signed in with a second factor would not be asked for it again.
    person.held = await signIn(new Browser(ADELE));
    await begins();
    const error = await refused(session.call());
    assert.ok(error instanceof UnauthorizedError || error.cause instanceof UnauthorizedError, `${error}`);
    await session.finish();
    person.askedWell(2);
    isProfile(await session.call(), ADELE);
    await session.close();
  }));
}

/** The link of an elicitation, which nobody may keep. */
function linked(page) {
  assert.equal(page.mode, 'url');
  assert.match(page.message, /same account/);
  const link = new URL(page.url);
  assert.equal(link.origin + link.pathname, `${issuer}/oauth/step-up`);
  keep('link', link.searchParams.get('link'));
  return link.href;
}

/** A case in which the user is sent to pages: `visit` does there what it likes with each link, and says how it went. */
const sent = (what, visit, body) => suite.case(`with pages: ${what}`, () => later(async (begins) => {
  const person = new Person(WAYS[0], ADELE);
  const links = [];
  const session = await open(person, 'auto', async (page) => {
    links.push(linked(page));
    return { action: await visit(links) };
  });
  await begins();
  await body(session.call, links, person);
  assert.equal(person.asked.length, 1, 'nobody signed in again');
  await session.close();
}));

const DONE = /^200 .*Done.*Go back to your application/;

await sent('the user does what is wanted, and the call works in the same session', async ([link]) => {
  const browser = new Browser(ADELE, { factor: true });
  assert.match(await browser.follow(link), DONE);
  assert.deepEqual(browser.pages, ['Microsoft wants more from you']);
  assert.equal(browser.entra[0].searchParams.get('prompt'), 'select_account', 'whoever has another account there can choose');
  assert.equal(JSON.parse(atEntra(browser)[0]).access_token.polids.essential, true, 'Entra was asked for the claims');
  return 'accept';
}, async (call, links, person) => {
  const before = person.held;
  isProfile(await call(), ADELE);
  isProfile(await call(), ADELE);
  assert.equal(links.length, 1);
  assert.equal(person.held, before, 'with the tokens that the client had');
  // As if they had expired: the session is renewed again, and is the same.
  person.held = { ...before, access_token: `${before.access_token}x` };
  isProfile(await call(), ADELE);
  assert.equal(said(person.held.access_token).sid, said(before.access_token).sid);
});

await sent('somebody else does it, which changes nothing, and then the user', async (links) => {
  const first = links.length === 1;
  const words = await new Browser(first ? ALEX : ADELE, { factor: true }).follow(links.at(-1));
  assert.match(words, first ? /^403 .*another account/ : DONE);
  return 'accept';
}, async (call, links) => {
  isProfile(await call(), ADELE);
  assert.equal(links.length, 2);
});

await sent('the user declines at Entra, and does it the second time', async (links) => {
  const declines = links.length === 1;
  const words = await new Browser(ADELE, { factor: true, declines }).follow(links.at(-1));
  assert.match(words, declines ? /^403 .*declined, or could not be done/ : DONE);
  return 'accept';
}, async (call, links) => {
  isProfile(await call(), ADELE);
  assert.equal(links.length, 2);
});

await sent('the user declines in the client, and the tool says so; the next time they do it', async (links) => {
  if (links.length === 1) return 'decline';
  assert.match(await new Browser(ADELE, { factor: true }).follow(links.at(-1)), DONE);
  return 'accept';
}, async (call) => {
  const { isError, content: [{ text }] } = await call();
  assert.deepEqual([isError, /declined/.test(text)], [true, true], text);
  isProfile(await call(), ADELE);
});

suite.end();
