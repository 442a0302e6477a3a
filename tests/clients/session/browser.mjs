// A browser without a window, for clients that only need somebody to sign in: it keeps cookies, follows redirections, and presses
// the buttons of Valet's page. At Entra a header says who sits there.

import { parse, unescape, words } from '../entra-node/browser.mjs';
import { authority, issuer, keep, keepCookie, keepPage } from './context.mjs';

// Valet, Entra, Valet again, and the pages between them.
const MOST_STEPS = 12;

export class Browser {
  /** Titles of Valet's pages that a person saw, of this browser's whole life. */
  pages = [];
  /** The addresses at Entra that it was sent to. */
  entra = [];
  #jar = new Map();
  #user;
  #press;
  #declines;
  #factor;

  /** `press`: the button on Valet's page. `declines`: at Entra. `factor`: who has a second one, which they approve where Entra asks for it. */
  constructor(user, { press = 'allow', declines = false, factor = false } = {}) {
    this.#user = user;
    this.#press = press;
    this.#declines = declines;
    this.#factor = factor;
  }

  /** From a client's authorization request to the URL that takes the answer to the client, where nobody goes. */
  async go(url) {
    const redirect = new URL(url).searchParams.get('redirect_uri');
    let request = { url, init: {} };
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const response = await this.#send(request);
      const html = await response.text();
      const next = onward(response, html, request.url);
      if (next) keep('code', new URL(next).searchParams.get('code'));
      else if (new URL(request.url).origin === issuer) keepPage(html);
      if (next?.startsWith(redirect)) return new URL(next);
      request = next ? { url: next, init: {} } : this.#decide(request.url, response, html);
    }
    throw new Error(`no answer after ${MOST_STEPS} steps; pages: ${this.pages}`);
  }

  /** From a link of Valet's, by the button of its page, to the page at the end: its status and its words. */
  async follow(link) {
    let request = { url: link, init: {} };
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const response = await this.#send(request);
      const html = await response.text();
      const next = onward(response, html, request.url);
      if (next) keep('code', new URL(next).searchParams.get('code'));
      else keepPage(html);
      if (!next && !parse(html)) return `${response.status} ${words(html)}`;
      request = next ? { url: next, init: {} } : this.#decide(request.url, response, html);
    }
    throw new Error(`no end after ${MOST_STEPS} steps; pages: ${this.pages}`);
  }

  /** As `go`, and takes the answer to the client, where it listens. */
  async visit(url) {
    const answer = await this.go(url);
    // Some listen on the IPv4 address alone.
    const local = new URL(answer);
    if (local.hostname === 'localhost') local.hostname = '127.0.0.1';
    const response = await fetch(local);
    await response.arrayBuffer();
    return answer;
  }

  /** The form of Valet's page, with a button pressed. */
  #decide(url, response, html) {
    const form = parse(html);
    const button = form?.buttons.find(({ name, value }) => name === 'decision' && value === this.#press);
    if (response.status !== 200 || new URL(url).origin !== issuer || !button) {
      throw new Error(`HTTP ${response.status} of ${new URL(url).origin}: ${words(html)}`);
    }
    this.pages.push(/<title>(.*?)<\/title>/.exec(html)[1]);
    const body = new URLSearchParams({ ...form.hidden, decision: this.#press });
    const headers = { origin: issuer, 'sec-fetch-site': 'same-origin' };
    return { url: new URL(form.action, url).href, init: { method: 'POST', body, headers } };
  }

  async #send({ url, init }) {
    const { host, origin } = new URL(url);
    const jar = this.#jar.get(host) ?? new Map();
    this.#jar.set(host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (origin === authority) this.entra.push(new URL(url));
    const approval = {
      'x-emulator-approve': this.#user, ...(this.#declines && { 'x-emulator-decline': '1' }), ...(this.#factor && { 'x-emulator-mfa': '1' }),
    };
    const headers = { ...init.headers, ...(cookie && { cookie }), ...(origin === authority && approval) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = keepCookie(line);
      if (/max-age=0\b/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
}

/** Where an answer sends a browser by itself. */
function onward(response, html, base) {
  const location = response.headers.get('location') ?? unescape(/http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1] ?? '');
  return location ? new URL(location, base).href : undefined;
}
