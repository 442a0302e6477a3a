// A real Chromium, and the client whose users sit at it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { look as lookAt } from '../harness/looks.mjs';
import { authority, call, clientId, clock, executable, issuer, keep, keepCookie, own, scope, screenshots, url, webRedirect } from './context.mjs';

const { chromium } = own.require('playwright-core');
const oauth = await own.import('oauth4webapi');

mkdirSync(screenshots, { recursive: true });

/** Starts it. As root it has no sandbox of its own; it only meets servers of this job. */
export const launch = () => chromium.launch({ executablePath: executable, args: ['--no-sandbox'] });

/** For one step. Everything is on this machine. */
export const PATIENCE = 15_000;

/** Takes a picture of the page in each look, and keeps its text, which is searched for secrets. Gives what is unreadable in them. */
export async function look(page, name) {
  writeFileSync(join(screenshots, `${name}.html`), await page.content());
  return lookAt(page, join(screenshots, name));
}

/** A client: what it asks for, and what it makes of the answer. */
export class Client {
  #id;
  #redirect;

  constructor(id = clientId, redirect = webRedirect) {
    this.#id = id;
    this.#redirect = redirect;
  }

  /** A sign-in that begins: `url` is where the browser goes. */
  async begin() {
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    keep('verifier', verifier);
    const asked = new URL(`${issuer}/oauth/authorize`);
    asked.search = new URLSearchParams({
      client_id: this.#id, response_type: 'code', redirect_uri: this.#redirect, scope, state, resource: url,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    return { url: asked.href, verifier, state };
  }

  /** The answer at `address`, checked: its parameters. */
  answer({ state }, address) {
    const { searchParams } = new URL(address);
    if (searchParams.get('state') !== state) throw new Error(`another state in ${address}`);
    if (searchParams.get('iss') !== issuer) throw new Error(`another issuer in ${address}`);
    return searchParams;
  }

  /** Redeems the answer at `address`; the body of the token endpoint's answer. */
  redeem(begun, address) {
    const code = this.answer(begun, address).get('code');
    return this.#token({ grant_type: 'authorization_code', code, redirect_uri: this.#redirect, code_verifier: begun.verifier });
  }

  refresh(token) {
    return this.#token({ grant_type: 'refresh_token', refresh_token: token });
  }

  async #token(form) {
    const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', body: new URLSearchParams({ client_id: this.#id, ...form }) });
    const answer = await response.json();
    keep('access token', answer.access_token);
    keep('refresh token', answer.refresh_token);
    return answer;
  }
}

/** Notes the secrets that a browser's profile meets: codes on their way, and its cookies when it is closed. */
export function watched(profile) {
  profile.on('request', (request) => keep('code', new URL(request.url()).searchParams.get('code')));
  profile.on('response', async (response) => {
    const fields = await response.headersArray().catch(() => []);
    for (const { name, value } of fields) {
      if (name.toLowerCase() === 'set-cookie') value.split('\n').forEach(keepCookie);
    }
  });
}

/** The status of a call of `whoami` with an access token, and who that is. */
export async function whoami(token) {
  const { status, result } = await call(token, 'whoami');
  return { status, name: result?.structuredContent.name };
}

/** Presses the account of `user` on Entra's page, if that is shown; or Cancel. */
export async function atEntra(page, { user, cancel = false }) {
  await page.waitForURL(`${authority}/**`);
  await page.getByRole('button', { name: cancel ? 'Cancel' : user }).first().click();
}

/** Sets Valet's clock `seconds` ahead for as long as `body` runs. */
export async function later(seconds, body) {
  writeFileSync(clock, `+${seconds}\n`);
  try {
    return await body();
  } finally {
    writeFileSync(clock, '+0\n');
  }
}
