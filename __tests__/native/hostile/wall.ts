// The compiled addon, started, and what this process tells its parent.

import { openSync, writeSync } from 'node:fs';
import type { Binding } from '../../../lib/native/binding';

// `node -e` with the compiled library and what to do.
export const [, library, mode, runs, seed] = process.argv as unknown as readonly string[];

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the compiled dist/, by its path
const loaded = require(`${library}/native/load.js`) as { binding: Binding };
export const { binding } = loaded;
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
