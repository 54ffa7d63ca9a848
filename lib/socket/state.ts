// A handle that knows what kind of socket it stands for; what all of level 1's operations work on.

import { Handle } from '../core/handle';
import { reactor } from '../core/runtime';
import { systemError } from '../core/errors';
import type { Waiting } from '../core/waiting';
import { PRIORITY, READ, WRITE } from '../native/binding';
import { binding } from '../native/load';
import { constants as C } from './constants';
import { SentErrors } from './sent_errors';

// Out of the table, which V8 keeps as a dictionary.
const {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_SCTP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  ECONNRESET,
  EHOSTUNREACH,
  ENETUNREACH,
  ETIMEDOUT,
} = C;

// Not EPIPE: that is said as often as one asks, and the peer's end may have come before.
const LOSSES = new Set([ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH]);

/** What `largestSegment` begins with: any size. */
export const LARGEST_SEGMENT = 0xffff;

export class SocketState extends Handle {
  /** A byte stream of the kernel's own (not SCTP): no message edges, and a short read means an empty queue. */
  stream: boolean;
  readonly type: number;
  /** The peer's end of the stream was read. */
  ended = false;
  private lost = 0;
  /** How often a write was given up, or failed, with a part of it sent. */
  cuts = 0;
  /** The last write was cut, and nothing was written behind it. */
  cut = false;
  /** SO_LINGER may be set: close(2) would wait then. */
  lingers = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Messages are to be stamped by the kernel whatever the user wants: SeqpacketSocket. */
  needsStamp = false;
  /** The kernel stamps them because of that, and not for the user. */
  ownStamp = false;
  /** So the user is not told of stamps. */
  hidesStamps = false;
  /** The largest datagram that may be part of a train, lay_out.ts: 0 where none may, for the kernel or for heed.ts. */
  largestSegment = 0;
  /** Messages that were received and not taken: they go with the socket. */
  leftovers: { readonly length: number; discard(): void } | undefined;
  private said: SentErrors | undefined;
  private farewells: (() => void)[] | undefined;

  constructor(
    token: number,
    readonly domain: number,
    type: number,
    readonly protocol: number,
  ) {
    super(token);
    // Linux makes SOCK_RAW of AF_UNIX a SOCK_DGRAM (unix_create).
    this.type = domain === AF_UNIX && type === SOCK_RAW ? SOCK_DGRAM : type;
    this.stream = type === SOCK_STREAM && protocol !== IPPROTO_SCTP;
    // TCP tells of room only those who were refused (SOCK_NOSPACE); all others at each message that has left, so
    // that half of a peer's events would be for nobody (sock_def_write_space, unix_write_space).
    this.company = domain === AF_UNIX || type !== SOCK_STREAM ? PRIORITY : READ | WRITE | PRIORITY;
    if (isUdp(this)) this.largestSegment = LARGEST_SEGMENT;
    reactor.adopt(this);
  }

  /** What the network says of messages that were sent. */
  get sentErrors(): SentErrors {
    return (this.said ??= new SentErrors(this));
  }

  /**
   * A stream's `result`, which is no byte: Linux says once that a connection is lost (sock_error clears sk_err), and
   * behind the call that has heard it recv(2) is 0, as at an end, wherever the stream was cut. That 0 becomes the
   * -errno again. Test: "promise 9: a reset of which a write has heard".
   */
  heard(result: number): number {
    if (result === 0) return this.lost;
    if (LOSSES.has(-result)) this.lost = result;
    return result;
  }

  /**
   * A write that has failed after `sent` bytes says so. Where the connection lives on, what stands behind it in the
   * queue was to follow the whole of it, and does not; where it is down, each finds that out by itself.
   */
  cutOff(error: Error, sent: number): Error {
    const isDown = this.lost < 0 || (error as { code?: string }).code === 'EPIPE';
    if (sent > 0 && !isDown) {
      this.cuts++;
      this.cut = true;
    }
    return Object.assign(error, { bytesTransferred: sent });
  }

  /** What was set on `other` holds for this one, too: accepted from it, or its duplicate. */
  like(other: SocketState): this {
    this.lingers = other.lingers;
    this.stream = other.stream;
    return this;
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
    const left = super.close();
    this.leftovers?.discard();
    return left;
  }
}

// UDP-Lite and the others know no trains (udp_send_skb).
export function isUdp({ domain, type, protocol }: SocketState): boolean {
  const inet = domain === AF_INET || domain === AF_INET6;
  return inet && type === SOCK_DGRAM && (protocol === 0 || protocol === IPPROTO_UDP);
}

/** An int-valued option of a token whose socket is not open to JavaScript yet. */
export function askOption(token: number, name: number): number {
  const value = new Int32Array(1);
  const result = binding.getsockopt(token, SOL_SOCKET, name, new Uint8Array(value.buffer));
  if (result < 0) throw systemError(result, 'getsockopt');
  return value[0];
}
