// One line for each case. run.mjs counts the lines.

import { inspect } from 'node:util';

// A case that waits longer than this waits for something that will not come.
const PATIENCE = 60_000;

/** A group of cases, run one after the other. */
export class Suite {
  #name;
  #patience;
  #only = process.env.ENTRA_NODE_CASE ?? '';

  /** `patience`: milliseconds for one case, where programs are started that take longer. */
  constructor(name, patience = PATIENCE) {
    this.#name = name;
    this.#patience = patience;
  }

  /** Runs `body`; a case that throws has failed and does not stop the next. */
  async case(what, body) {
    const line = `${this.#name}: ${what}`;
    if (!line.includes(this.#only)) return;
    let timer;
    const patience = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end after ${this.#patience / 1000} s`)), this.#patience);
    });
    try {
      await Promise.race([body(), patience]);
      console.log(`ok ${line}`);
    } catch (error) {
      console.log(`FAILED ${line}: ${describe(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says that all cases were tried, and ends the process: a case that hangs must not keep it. */
  end() {
    process.stdout.write('end of the suite\n', () => process.exit(0));
  }
}

function describe(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
  const where = /\n\s+at (?!.*node:)(.*\.mjs:\d+):\d+/.exec(error?.stack ?? '')?.[1] ?? '';
  return `${text} ${where && `[${where.replace(/.*\//, '')}]`}`.replaceAll(/\s+/g, ' ').trim();
}
