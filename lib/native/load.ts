// Finds the compiled addon and loads it: a build from source first, then the one the package carries.
// EAGAIN_ADDON names another one (a build with sanitizers).

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the package has no types
const nodeGypBuild = require('node-gyp-build') as (directory: string) => unknown;
import type { Binding } from './binding';

interface Addon {
  create(): Binding;
}

/** The package's folder: this file is bundled into dist/, or compiled where it stands. */
function home(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : home(dirname(folder));
}

function load(): Addon {
  const named = process.env['EAGAIN_ADDON'];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an addon can be loaded in no other way
  if (named !== undefined && named !== '') return require(named) as Addon;
  return nodeGypBuild(home(__dirname)) as Addon;
}

// A copy: V8 keeps an object that native code has filled as a dictionary, in which every call would be looked up.
export const binding: Binding = { ...load().create() };
