// StreamSocket.sendFile(): a file, or a part of one, on the wire, without passing through JavaScript.

import { fstatSync, promises as fs, type Stats } from 'node:fs';
import { invalidType } from '../core/errors';
import { integer, record, type Wait } from '../core/validate';
import { SendFile } from '../socket/file_transfer';
import type { SocketState } from '../socket/state';

/** Files are longer than 2 GiB, and offsets exact up to here. */
const MOST = Number.MAX_SAFE_INTEGER;

/** Which part of a file `sendFile` sends, and who hears how far it is. */
export interface SendFileOptions extends Wait {
  /** Where in the file to begin, in bytes: 0 unless told. */
  offset?: number | undefined;
  /** How many bytes; up to the file's end unless told. */
  length?: number | undefined;
  /** Called as it goes, with how many bytes of how many the kernel has: of Infinity where nobody knows the size. */
  onProgress?: ((sent: number, total: number) => void) | undefined;
}

/** What has a descriptor, as `fs.promises.open` gives it. */
export interface FileHandleLike {
  readonly fd: number;
}

class Reporting extends SendFile {
  private reported = 0;

  constructor(
    handle: SocketState,
    file: FileHandleLike,
    offset: number,
    private readonly total: number,
    private readonly onProgress: (sent: number, total: number) => void,
  ) {
    super(handle, file, offset, total);
  }

  override attempt(): number {
    const before = this.handle.bytesWritten;
    const result = super.attempt();
    const moved = this.handle.bytesWritten - before;
    if (moved === 0) return result;
    const sent = (this.reported += moved);
    // Not from within the attempt: what it throws is its own, and it may close the socket.
    queueMicrotask(() => this.onProgress(sent, this.total));
    return result;
  }
}

type Perform = (operation: SendFile) => Promise<number>;

/** Misuse throws at once; the rest is the promise's. */
export function sendFile(
  state: SocketState,
  file: number | FileHandleLike | string,
  options: SendFileOptions,
  perform: Perform,
): Promise<number> {
  record('options', options);
  const { offset = 0, length, onProgress } = options;
  integer('options.offset', offset, 0, MOST);
  if (length !== undefined) integer('options.length', length, 0, MOST);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidType('options.onProgress', 'of type function', onProgress);
  }
  const send = (owner: FileHandleLike, stats: Stats): Promise<number> => {
    const total = Math.max(0, Math.min(sizeOf(stats) - offset, length ?? Infinity));
    return perform(
      onProgress === undefined
        ? new SendFile(state, owner, offset, total)
        : new Reporting(state, owner, offset, total, onProgress),
    );
  };
  if (typeof file === 'string') return sendPath(file, send);
  const owner = ownerOf(file);
  // At once, so that it has its place among the writes.
  return new Promise((resolve) => resolve(send(owner, fstatSync(owner.fd))));
}

async function sendPath(
  path: string,
  send: (owner: FileHandleLike, stats: Stats) => Promise<number>,
): Promise<number> {
  const opened = await fs.open(path);
  try {
    return await send(opened, await opened.stat());
  } finally {
    await opened.close();
  }
}

// fstat(2) calls the files of /proc empty, pipes and block devices too: where the end is, or that there is nothing to
// send, is sendfile(2)'s to say (/proc/version is sent, of /proc/self/status and a FIFO it says EINVAL or ESPIPE).
function sizeOf(stats: Stats): number {
  return stats.isFile() && stats.size > 0 ? stats.size : Infinity;
}

function ownerOf(file: unknown): FileHandleLike {
  if (typeof file === 'number') return { fd: integer('file', file, 0) };
  const owner = file as FileHandleLike | null;
  const fd = owner?.fd;
  if (typeof fd !== 'number') {
    throw invalidType('file', 'a descriptor, a FileHandle or a path', file);
  }
  integer('file.fd', fd, 0);
  return owner!;
}
