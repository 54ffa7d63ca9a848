// The compiled addon, started, and what this process tells its parent.

import { openSync, writeSync } from 'node:fs';
import type { Binding } from '../../../lib/native/binding';

// `node -e` with the compiled library and what to do.
export const [, library, mode, runs, seed] = process.argv as unknown as readonly string[];

// eslint-disable-next-line @typescript-eslint/no-require-imports -- as lib/native/load.ts does it
const nodeGypBuild = require('node-gyp-build') as (directory: string) => unknown;
const named = process.env['EAGAIN_ADDON'];
// eslint-disable-next-line @typescript-eslint/no-require-imports -- an addon can be loaded in no other way
const addon = (named ? require(named) : nodeGypBuild(`${library}/..`)) as { create(): Binding };
export const binding = addon.create();
export const C = binding.constants;

/** The core holds it weakly: it has to stay. */
export const dispatch = (): void => undefined;
export const { shared, scratch } = binding.start(dispatch);

/** Where the facts of a batch begin, and the tokens of a socketpair. */
export const FACTS = 8;

// Descriptor 3 is the parent's: the last line that stands there is the call that ended this process.
export function note(text: string): void {
  writeSync(3, `${text.slice(0, 2000)}\n`);
}

/** A file that may be sent. */
export const FILE = openSync(process.execPath, 'r');
