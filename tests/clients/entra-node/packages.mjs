// The packages under test: installed below the work folder, and found there by their ordinary resolution.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Installs exactly what package-lock.json of `source` says, once; returns the folder. */
export function install(source, work) {
  const lists = ['package.json', 'package-lock.json'];
  const key = createHash('sha256');
  for (const name of lists) key.update(readFileSync(join(source, name)));
  const folder = join(work, `packages-${key.update(process.version).digest('hex').slice(0, 16)}`);
  // Written last, so an installation that was broken off is begun again.
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of lists) copyFileSync(join(source, name), join(folder, name));
  process.stderr.write(`installing the packages into ${folder}\n`);
  // No scripts: nothing that is downloaded runs while it is installed.
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
  if (npm.error) throw new Error(`npm cannot be run: ${npm.error.message}`);
  if (npm.status !== 0) throw new Error(`npm ci failed:\n${npm.stdout}${npm.stderr}`);
  writeFileSync(complete, '');
  return folder;
}

/** Loads packages as a program in `folder` would. */
export function loader(folder) {
  const require = createRequire(join(folder, 'package.json'));
  return {
    require,
    /** For packages that are ES modules only. */
    import: (name) => import(pathToFileURL(require.resolve(name)).href),
    version: (name) => JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version,
  };
}
