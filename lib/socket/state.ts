// A handle that knows what kind of socket it stands for; what all of level 1's operations work on.

import { Handle } from '../core/handle';
import type { Waiting } from '../core/waiting';
import { reactor } from '../core/runtime';
import { systemError } from '../core/errors';
import { binding } from '../native/load';
import { constants as C } from './constants';

export class SocketState extends Handle {
  /** A byte stream: no message edges, and a short read means an empty queue. */
  readonly stream: boolean;
  readonly type: number;
  /** The peer's end of the stream was read. */
  ended = false;
  bytesRead = 0;
  bytesWritten = 0;
  private farewells: (() => void)[] | undefined;

  constructor(
    token: number,
    readonly domain: number,
    type: number,
    readonly protocol: number,
  ) {
    super(token);
    // Linux makes SOCK_RAW of AF_UNIX a SOCK_DGRAM (unix_create).
    this.type = domain === C.AF_UNIX && type === C.SOCK_RAW ? C.SOCK_DGRAM : type;
    this.stream = type === C.SOCK_STREAM;
    reactor.adopt(this);
  }

  /** Calls `act` once the socket is closed, however that comes. */
  whenClosed(act: () => void): void {
    if (this.closed) queueMicrotask(act);
    else (this.farewells ??= []).push(act);
  }

  // Behind the release of the descriptor, and behind those whose waiting it ends.
  override close(): Waiting[] {
    for (const act of this.farewells ?? []) queueMicrotask(act);
    this.farewells = undefined;
    return super.close();
  }
}

/** An int-valued option of a token whose socket is not open to JavaScript yet. */
export function askOption(token: number, name: number): number {
  const value = new Int32Array(1);
  const result = binding.getsockopt(token, C.SOL_SOCKET, name, new Uint8Array(value.buffer));
  if (result < 0) throw systemError(result, 'getsockopt');
  return value[0];
}
