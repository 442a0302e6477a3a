// Before the network is closed: packages, keys and registrations, and a file that tells the clients the names.
// node prepare.mjs WORK [PACKAGES]

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as directory from '../entra-node/directory.mjs';
import { make } from '../entra-node/material.mjs';
import { install } from '../entra-node/packages.mjs';

const [work, given] = process.argv.slice(2);
const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'entra-node');
mkdirSync(work, { recursive: true });
const packages = given ?? install(source, work);
const { registrations, ...names } = directory;
writeFileSync(join(work, 'registrations.toml'), registrations(make(work)));
writeFileSync(join(work, 'context.json'), JSON.stringify({ ...names, folder: work, packages }, null, 2));
