// From checks to a verdict: what passed, what failed, and what was expected to fail.

import { readFileSync } from 'node:fs';

/**
 * Reads a list of expected failures: the suite's own form, `- scenario` or `- scenario:check`, with a reason on each line. Gives the reasons by name.
 */
export function expectations(file) {
  const reasons = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (/^\s*(#.*)?$/.test(line) || line === 'server:') continue;
    const entry = /^ {2}- ([\w-]+(?::\S+)?) +# (\S.*)$/.exec(line);
    if (!entry) throw new Error(`${file}: not an entry with a reason: ${line}`);
    reasons.set(entry[1], entry[2]);
  }
  return reasons;
}

/** Counts checks. */
export class Verdict {
  passed = 0;
  failed = 0;
  expected = 0;

  /** Judges the checks of one scenario. A warning is a failure: what a server SHOULD do, this one does. */
  scenario(title, name, checks, reasons = new Map()) {
    const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    const good = checks.filter(({ status }) => status === 'SUCCESS').length;
    const excused = bad.filter(({ id }) => reasons.has(name) || reasons.has(`${name}:${id}`));
    this.passed += good;
    this.expected += excused.length;
    for (const { id, status, errorMessage } of bad.filter((check) => !excused.includes(check))) {
      this.#fail(`${title} ${name}: ${id}: ${status}: ${errorMessage}`);
    }
    // One that looked at nothing proves nothing.
    if (good === 0 && bad.length === 0) this.#fail(`${title} ${name}: no check was made`);
    this.#stale(title, name, bad, reasons);
    if (bad.length === excused.length) {
      console.log(`ok ${title} ${name}: ${good} passed${excused.length ? `, ${excused.length} expected to fail` : ''}`);
    }
  }

  /** An excuse that is no longer needed has to go. */
  #stale(title, name, bad, reasons) {
    const unused = [...reasons.keys()].filter((entry) => {
      const [scenario, check] = entry.split(/:(.*)/);
      return scenario === name && !bad.some(({ id }) => check === undefined || id === check);
    });
    for (const entry of unused) this.#fail(`${title} ${entry}: expected to fail, and does not`);
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
