// From checks to a verdict: what passed, what failed, and what was expected to fail.

import { readFileSync } from 'node:fs';

/**
 * Reads a list of expected failures: the suite's own form, `- scenario:check`, and on the same line what the suite says of it and the reason. Gives what it
 * says by name, so that a check that fails in another way is not excused.
 */
export function expectations(file) {
  const expected = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (/^\s*(#.*)?$/.test(line) || line === 'server:') continue;
    const entry = /^ {2}- ([\w-]+:\S+) +# "(.+)": (\S.*)$/.exec(line);
    if (!entry) throw new Error(`${file}: not an entry with a message and a reason: ${line}`);
    expected.set(entry[1], entry[2]);
  }
  return expected;
}

/** Counts checks. */
export class Verdict {
  passed = 0;
  failed = 0;
  expected = 0;

  /** Judges the checks of one scenario. A warning is a failure: what a server SHOULD do, this one does. */
  scenario(title, name, checks, expected = new Map()) {
    const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    const good = checks.filter(({ status }) => status === 'SUCCESS').length;
    const excused = bad.filter((check) => said(check) === expected.get(`${name}:${check.id}`));
    this.passed += good;
    this.expected += excused.length;
    for (const check of bad.filter((check) => !excused.includes(check))) {
      this.#fail(`${title} ${name}: ${check.id}: ${check.status}: ${said(check)}`);
    }
    // One that looked at nothing proves nothing.
    if (good === 0 && bad.length === 0) this.#fail(`${title} ${name}: no check was made`);
    // An excuse that is no longer needed has to go.
    const stale = [...expected.keys()].filter((entry) =>
      entry.startsWith(`${name}:`) && !bad.some(({ id }) => entry === `${name}:${id}`));
    for (const entry of stale) this.#fail(`${title} ${entry}: expected to fail, and does not`);
    if (bad.length === excused.length) {
      console.log(`ok ${title} ${name}: ${good} passed${excused.length ? `, ${excused.length} expected to fail` : ''}`);
    }
  }

  /** A check of our own. */
  check(what, problem) {
    if (problem) return this.#fail(`${what}: ${problem}`);
    this.passed += 1;
    console.log(`ok ${what}`);
  }

  #fail(what) {
    this.failed += 1;
    console.log(`FAILED ${what.replaceAll(/\s+/g, ' ')}`);
  }
}

/** What the suite says of a check. */
function said({ errorMessage, details }) {
  return errorMessage ?? details?.message ?? '';
}
