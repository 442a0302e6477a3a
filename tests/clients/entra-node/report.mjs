// One line for each case. run.mjs counts the lines.

import { inspect } from 'node:util';

// A case that waits longer than this waits for something that will not come.
const PATIENCE = 60_000;

/** A group of cases, run one after the other. */
export class Suite {
  #name;
  #only = process.env.ENTRA_NODE_CASE ?? '';

  constructor(name) {
    this.#name = name;
  }

  /** Runs `body`; a case that throws has failed and does not stop the next. */
  async case(what, body) {
    const line = `${this.#name}: ${what}`;
    if (!line.includes(this.#only)) return;
    let timer;
    const patience = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end after ${PATIENCE / 1000} s`)), PATIENCE);
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
