// A handle that knows what kind of socket it stands for; what all of level 1's operations work on.

import { Handle } from '../core/handle';
import { reactor } from '../core/runtime';
import { systemError } from '../core/errors';
import type { Waiting } from '../core/waiting';
import { binding } from '../native/load';
import { constants as C } from './constants';
import { SentErrors } from './sent_errors';

export class SocketState extends Handle {
  /** A byte stream: no message edges, and a short read means an empty queue. */
  readonly stream: boolean;
  readonly type: number;
  /** The peer's end of the stream was read. */
  ended = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** The kernel's stamps on messages are this library's, not the user's: SeqpacketSocket. */
  ownStamp = false;
  private errors: SentErrors | undefined;
  /** The largest datagram that may be part of a train, lay_out.ts: none where the kernel has refused it. */
  largestSegment = 0;
  /** Messages that were received and not taken: they go with the socket. */
  leftovers: { discard(): void } | undefined;

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
    if (isUdp(domain, type, protocol)) this.largestSegment = 0xffff;
    reactor.adopt(this);
  }

  /** What the network says of messages that were sent. Most sockets never ask. */
  get sentErrors(): SentErrors {
    return (this.errors ??= new SentErrors(this));
  }

  override close(): Waiting[] {
    const left = super.close();
    this.leftovers?.discard();
    return left;
  }
}

// UDP-Lite and the others know no trains (udp_send_skb).
function isUdp(domain: number, type: number, protocol: number): boolean {
  const inet = domain === C.AF_INET || domain === C.AF_INET6;
  return inet && type === C.SOCK_DGRAM && (protocol === 0 || protocol === C.IPPROTO_UDP);
}

/** An int-valued option of a token whose socket is not open to JavaScript yet. */
export function askOption(token: number, name: number): number {
  const value = new Int32Array(1);
  const result = binding.getsockopt(token, C.SOL_SOCKET, name, new Uint8Array(value.buffer));
  if (result < 0) throw systemError(result, 'getsockopt');
  return value[0];
}
