// Places that nobody else uses: abstract names and paths that are gone after the test file.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An abstract Unix name of our own. */
export function abstractName(): string {
  return `\0eagain-${randomUUID()}`;
}

/** A folder for socket files, removed after the last test of the file. Call it at the top of one. */
export function temporaryFolder(): (name?: string) => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'eagain-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (name = randomUUID().slice(0, 8)) => join(folder, name);
}
