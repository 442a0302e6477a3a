// The cases of a sign-in that both lines of the SDK run.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { WAYS, documentId, mode, revokedAtEntra } from './context.mjs';
import { Person } from './person.mjs';

/**
 * `transport(person)` is a new one with `person` as its provider, `open(transport)` a session, `finish(transport, parameters)` takes the answer to
 * the SDK, `asksAgain(error)` whether it says that somebody has to sign in. `asksOffline`: whether the SDK asks for `offline_access` where the metadata
 * lists it; of Entra itself there is no refresh token without.
 */
export async function signIns(suite, { transport, open, finish, asksAgain, asksOffline = true }) {
  const signIn = async (person) => {
    const first = transport(person);
    const error = await refused(open(first));
    assert.ok(asksAgain(error), `${error}`);
    await finish(first, person.callback);
  };

  const everyday = async (person) => {
    await signIn(person);
    person.askedWell();
    assert.equal(person.browser.pages.length, mode.asks ? 1 : 0, 'somebody was asked by Valet, where it asks');
    const session = await open(transport(person));
    await person.usesTools(session);
    const before = person.held;
    // As if it had expired: the server refuses it, and the SDK refreshes.
    person.held = { ...before, access_token: `${before.access_token}x` };
    if (mode.name.startsWith('direct') && !asksOffline) {
      assert.equal(before.refresh_token, undefined);
      const error = await refused(session.call('whoami'));
      assert.ok(asksAgain(error), `${error}`);
      person.askedWell(2);
    } else {
      await person.usesTools(session);
      assert.notEqual(person.held.access_token, before.access_token);
      assert.notEqual(person.held.refresh_token, before.refresh_token, 'rotated');
      person.askedWell();
    }
    await session.close();
  };

  if (mode.resource_refused) {
    await suite.case('`resource` is refused by Entra, and the client is told so', async () => {
      const person = new Person(WAYS[0]);
      await refused(open(transport(person)));
      person.askedWell();
      assert.equal(person.callback.get('error'), 'invalid_target');
      assert.match(person.callback.get('error_description'), /^AADSTS9010010/);
    });
    await suite.case('without `resource`: sign-in, both tools, refresh', () => everyday(new Person(WAYS[0], undefined, { resource: false })));
    return;
  }

  for (const way of WAYS.filter((each) => !(each in mode.ids))) {
    await suite.case(`a client ${way} is refused: Entra registers nobody`, async () => {
      const person = new Person(way);
      const error = await refused(open(transport(person)));
      assert.match(`${error} ${error.cause}`, /does not support dynamic client registration/);
      assert.deepEqual(person.asked, []);
    });
  }

  if (mode.name === 'facade') {
    await suite.case('whoever sends the URL of a document as its id is told so on a page', async () => {
      const person = new Person(WAYS[0], undefined, { id: documentId });
      const error = await refused(open(transport(person)));
      assert.match(`${error} ${error.cause}`, /HTTP 400.*does not know the application/);
    });
  }

  for (const way of WAYS.filter((each) => each in mode.ids)) {
    await suite.case(`a client ${way}: sign-in, both tools, refresh`, () => everyday(new Person(way)));

    await suite.case(`a client ${way}: ended at Entra, it asks for a sign-in again`, async () => {
      const person = new Person(way);
      await signIn(person);
      const over = transport(person);
      const session = await open(over);
      await person.usesTools(session);
      await revokedAtEntra(person.user);
      // Graph refuses, Valet ends the session and answers 401, the SDK cannot refresh, and asks.
      const error = await refused(session.call('GetUserDetailsFromGraph'));
      assert.ok(asksAgain(error), `${error}`);
      await finish(over, person.callback);
      person.askedWell(2);
      await person.usesTools(session);
      await session.close();
    });
  }

  const declined = async (options) => {
    const person = new Person(WAYS[0], undefined, options);
    await refused(open(transport(person)));
    assert.deepEqual([person.callback.get('error'), person.callback.get('code')], ['access_denied', null]);
    person.askedWell();
    assert.equal(person.held, undefined);
  };
  if (mode.asks) await suite.case('declined by the person: the client is told so, and gets nothing', () => declined({ press: 'deny' }));
  await suite.case('declined at Entra: the client is told so, and gets nothing', () => declined({ declines: true }));

  await suite.case('after that, one who allows it gets in', async () => {
    const person = new Person(WAYS[0]);
    await signIn(person);
    const session = await open(transport(person));
    await person.usesTools(session);
    await session.close();
  });
}
