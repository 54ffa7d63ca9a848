// The file that a Unix listener's path is: whose it is, and when it goes.

import { chmodSync, lstatSync, unlinkSync, type Stats } from 'node:fs';
import { Socket } from '../socket/socket';

/** Gives the file of a bound path its mode. No connection comes before listen(2), so none comes in between. */
export function setMode(path: string, mode: number): void {
  chmodSync(path, mode);
}

/**
 * Removes the file at `path` if it is a socket that nobody listens on. Whether somebody does is the kernel's
 * to say: connect(2) is refused where nobody does.
 */
export async function removeStale(
  path: string,
  type: 'stream' | 'seqpacket' | 'dgram',
): Promise<boolean> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file?.isSocket() !== true) return false;
  const probe = Socket.open('unix', type);
  try {
    await probe.connect({ path }, { timeout: 0 });
    return false;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ECONNREFUSED') return false;
    // Another one may have done the same since, and listen there by now.
    if (isSame(file, path)) unlinkSync(path);
    return true;
  } finally {
    probe.close();
  }
}

/** What removes the file again that was just bound at `path`, unless another one has taken its place. */
export function remover(path: string): () => void {
  const bound = lstatSync(path);
  return () => {
    try {
      if (isSame(bound, path)) unlinkSync(path);
    } catch {
      // It is gone already, or out of reach.
    }
  };
}

function isSame(file: Stats, path: string): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  return now?.ino === file.ino && now.dev === file.dev;
}
