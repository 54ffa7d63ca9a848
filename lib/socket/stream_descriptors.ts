// Descriptors beside a byte stream, SCM_RIGHTS of unix(7): bytes that take some along, and bytes that brought some.
//
// They keep their place among the bytes, loosely: what one sendmsg(2) sent goes with its first byte, and the
// recvmsg(2) that meets it stops behind that message's bytes, but may bring bytes from before it in the same read.

import { Buffer } from 'node:buffer';
import { controlTruncatedError, invalidValue } from '../core/errors';
import { bytesOf } from './bytes';
import { closeControl, EncodedControl } from './control';
import { CONTROL_ROOM, type ControlWanted } from './message';
import type { OwnedFd } from './owned_fd';
import { Reading, ReceiveOne } from './receive';
import type { SocketState } from './state';
import { CHUNK } from './stream';

export interface Packed {
  /** In a view of its own, which stands for what is beside it. */
  readonly bytes: Buffer;
  readonly beside: EncodedControl | undefined;
}

/** Checks what is to be sent; `passes` is whether the socket passes descriptors. */
export function pack(bytes: unknown, fds: unknown, passes: boolean): Packed {
  const { buffer, byteOffset, byteLength } =
    typeof bytes === 'string' ? Buffer.from(bytes) : bytesOf(bytes, 'bytes');
  const beside = EncodedControl.ofDescriptors(fds, 'fds') ?? undefined;
  // The kernel would ignore them.
  if (beside !== undefined && !passes)
    throw invalidValue('fds', 'empty where the socket is no Unix socket', fds);
  if (beside !== undefined && byteLength === 0)
    throw invalidValue('bytes', 'at least one byte long where descriptors go with it', bytes);
  return { bytes: Buffer.from(buffer, byteOffset, byteLength), beside };
}

export interface Delivery {
  /** null at the end of the stream. */
  readonly chunk: Buffer | null;
  readonly fds: readonly OwnedFd[];
}

const WANTED: ControlWanted = { size: CONTROL_ROOM, descriptors: true };

/** The next bytes and the descriptors that came with them. */
export class ReceiveWithDescriptors extends Reading<Delivery> {
  private readonly message: ReceiveOne;

  constructor(readonly handle: SocketState) {
    super();
    this.message = new ReceiveOne(handle, CHUNK, 0, WANTED);
  }

  get syscall(): string {
    return 'read';
  }

  attempt(): number {
    return this.message.attempt();
  }

  value(): Delivery {
    const { handle } = this;
    const { data, control, controlTruncated } = this.message.value();
    closeControl(control.filter(({ kind }) => kind !== 'rights'));
    const fds = control.flatMap((part) => (part.kind === 'rights' ? part.fds : []));
    // Of a message that has lost all of them (EMFILE) nothing tells but this.
    if (controlTruncated) {
      closeControl(control);
      throw controlTruncatedError(data.length);
    }
    handle.bytesRead += data.length;
    if (data.length > 0) return { chunk: data, fds };
    handle.ended = true;
    return { chunk: null, fds };
  }
}
