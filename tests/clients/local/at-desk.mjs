// What every client does at a desk. `open(desk)` starts the server behind a client: `{ tools(), call(name), close() }` with plain results of MCP.

import assert from 'node:assert/strict';

import { areTools, isProfile, isWhoami } from '../node/checks.mjs';
import { ADELE, counting, desks, enterCode, opened } from './context.mjs';

const NOBODY = '00000000-0000-0000-0000-000000000000';
const PROFILE = 'GetUserDetailsFromGraph';

/** The cases of one client in one era. `calls`: whether the server lives on between two calls. */
export async function atDesk(suite, era, open, { livesOn = true } = {}) {
  for (const cache of ['plain', 'keychain']) {
    const desk = desks[`${era}-${cache}`];
    if (!desk) continue;
    await suite.case(`${cache}: the first call opens the browser, and the next ones are silent`, async () => {
      const session = await open(desk);
      areTools(await session.tools());
      const nobody = await session.call('whoami');
      assert.deepEqual([nobody.structuredContent.objectId, nobody.structuredContent.name], [NOBODY, undefined]);
      assert.equal(opened(desk).length, 0, 'nothing opens for that');
      const asked = await counting();
      isProfile(await session.call(PROFILE));
      // Before a person is asked, the authority may be.
      const { metadata, ...others } = await asked();
      assert.deepEqual(others, { authorize: 1, redeem_code: 1, token: 1, graph: 1 });
      isWhoami(await session.call('whoami'));
      const askedAgain = await counting();
      isProfile(await session.call(PROFILE));
      assert.deepEqual(await askedAgain(), { graph: 1 }, 'Graph alone');
      await session.close();
      assert.equal(opened(desk).length, 1);
    });

    await suite.case(`${cache}: started again, it finds the account and its tokens`, async () => {
      const asked = await counting();
      const session = await open(desk);
      isWhoami(await session.call('whoami'));
      isProfile(await session.call(PROFILE));
      assert.deepEqual(await asked(), { graph: 1 }, 'Graph alone');
      await session.close();
      assert.equal(opened(desk).length, 1, 'no browser opens');
    });
  }

  await suite.case(`device code: the answer has address and code${livesOn ? '; once it is entered the next call works' : ''}`, async () => {
    const desk = desks[`${era}-device`];
    const session = await open(desk);
    const told = await session.call(PROFILE);
    const { text } = told.content[0];
    assert.equal(told.isError, true);
    assert.match(text, /^To sign in with Microsoft, open https:\S+\/devicelogin in a browser and enter the code [A-Z0-9]{9} within \d+ minutes\. Then try again\.$/);
    if (livesOn) {
      assert.match(await enterCode(text, ADELE), /You are signed in/);
      isProfile(await session.call(PROFILE));
      isWhoami(await session.call('whoami'));
    }
    await session.close();
    assert.equal(opened(desk).length, 0, 'no browser opens');
  });
}
