// A browser without a window: follows an authorize URL through the pages, or past them, to the redirect.

import assert from 'node:assert/strict';

// Account choice, password, consent, the posted answer, and one spare.
const MOST_PAGES = 5;

/**
 * Signs `user` in at `url` with the emulator's short cut, a header in place of clicks. `mfa`: with a second factor.
 * Returns the parameters that reached the redirect URI, or the text of the last page where there is none.
 */
export function approve(url, user, { mfa = false, ...options } = {}) {
  return follow(url, { ...options, headers: { 'x-emulator-approve': mfa ? `${user};mfa` : user } });
}

/** Signs `user` in by the buttons of the pages. `press` names another button than Accept, `code` is that of a device. */
export function click(url, user, options = {}) {
  return follow(url, { ...options, user });
}

async function follow(url, { headers = {}, user, press = 'accept', code }) {
  const jar = new Map();
  const pages = [];
  let request = { url, init: { headers } };
  for (let page = 0; page <= MOST_PAGES; page += 1) {
    const response = await send(request, jar);
    if (response.status >= 300 && response.status < 400) {
      const target = new URL(response.headers.get('location'), request.url);
      if (target.origin === new URL(request.url).origin) {
        request = { url: target.href, init: { headers } };
        continue;
      }
      const delivered = await deliver(target);
      return { url: target, answer: Object.fromEntries(parameters(target)), pages, delivered };
    }
    const html = await response.text();
    const form = parse(html);
    if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${words(html)}`);
    if (!form) return { page: words(html), pages };
    if (posted(form)) {
      return post(form, pages);
    }
    const [name, fields] = choose(form, { user, press, code });
    pages.push(name);
    const body = new URLSearchParams({ ...form.hidden, ...fields });
    request = { url: new URL(form.action, request.url).href, init: { headers, method: 'POST', body } };
  }
  throw new Error(`no redirect after the pages ${pages}`);
}

async function send({ url, init }, jar) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { ...init.headers, ...(cookie && { cookie }) };
  const response = await fetch(url, { ...init, headers, redirect: 'manual' });
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    jar.set(name, value);
  }
  return response;
}

/** The answer in the query, or behind the `#`. */
function parameters(url) {
  return new URLSearchParams(url.hash ? url.hash.slice(1) : url.search);
}

/** The page of `form_post`: a form for the client. */
function posted(form) {
  return 'code' in form.hidden || 'error' in form.hidden;
}

async function post(form, pages) {
  const [url, answer] = [new URL(form.action), { ...form.hidden }];
  const delivered = await deliver(url, { method: 'POST', body: new URLSearchParams(answer) });
  return { url, answer, pages, delivered };
}

/** Takes the answer to the client, where it listens: on a port of its own. */
async function deliver(url, init) {
  if (url.protocol !== 'http:' || !url.port) return undefined;
  const local = new URL(url);
  // MSAL listens on the IPv4 address alone.
  if (local.hostname === 'localhost') local.hostname = '127.0.0.1';
  const response = await fetch(local, init);
  return { status: response.status, text: await response.text() };
}

/** What the page is, and what a person enters or presses who wants to sign in as `user`. */
function choose(form, { user, press, code }) {
  if (form.inputs.includes('user_code')) return ['code', { user_code: code }];
  for (const { name, value, text } of form.buttons) {
    if (name === 'account' && user && text.split(/\s+/).includes(user)) return ['account', { [name]: value }];
    if (name === 'decision' && value === press) return ['decision', { [name]: value }];
  }
  throw new Error(`no button for ${user ?? press} among ${JSON.stringify(form.buttons)}`);
}

/** The one form of a page: where it goes, its hidden fields, its inputs and its buttons. */
export function parse(html) {
  const open = /<form\b[^>]*>/.exec(html)?.[0];
  if (!open) return undefined;
  const inputs = [...html.matchAll(/<input\b[^>]*>/g)].map(([tag]) => attributes(tag));
  const hidden = inputs.filter((i) => i.type === 'hidden').map((i) => [i.name, i.value ?? '']);
  const visible = inputs.filter((i) => i.type !== 'hidden').map((i) => i.name ?? '');
  const buttons = [...html.matchAll(/(<button\b[^>]*>)([\s\S]*?)<\/button>/g)].map(([, tag, inner]) => {
    const { name = '', value = '' } = attributes(tag);
    return { name, value, text: words(inner) };
  });
  const { action } = attributes(open);
  assert.ok(action, 'the form says where it goes');
  return { action, hidden: Object.fromEntries(hidden), inputs: visible, buttons };
}

function attributes(tag) {
  const found = [...tag.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value)]);
  return Object.fromEntries(found);
}

/** The text of a page. */
export function words(html) {
  return unescape(html.replaceAll(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/g, ' ')).replaceAll(/\s+/g, ' ').trim();
}

/** A text of HTML without its references. */
export function unescape(text) {
  const named = { lt: '<', gt: '>', quot: '"', amp: '&', apos: "'" };
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|quot|amp|apos));/gi, (_, hex, decimal, name) => {
    return name ? named[name] : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
  });
}
