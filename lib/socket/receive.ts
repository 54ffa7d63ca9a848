// recv(2), recvfrom(2), recvmsg(2), recvmmsg(2) as operations.

import { MESSAGE_FLAGS, NAME_LENGTH, READ } from '../native/binding';
import { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { Address } from './address';
import { lengthOf, MEMORY_GONE } from './bytes';
import { constants as C } from './constants';
import { BATCH_CAPACITY, DEFAULT_SIZE, messageAt, senderOf, slabs, type Message } from './message';
import { decodeScratch } from './sockaddr';
import type { SocketState } from './state';

const { shared } = reactor.memory;

/** What recvfrom(2) tells. */
export interface Received {
  /** Bytes written into the caller's buffer. */
  bytes: number;
  /** Bytes on the wire: more than `bytes` where the message was truncated. */
  length: number;
  truncated: boolean;
  from: Address | null;
}

export abstract class Reading<T> extends Operation<T> {
  get direction(): typeof READ {
    return READ;
  }

  /** `MSG_*` that the caller asked for. */
  readonly flags?: number;

  // Urgent data and the error queue have queues of their own, and a look may begin where the bytes have ended
  // (SO_PEEK_OFF).
  override get conclusive(): boolean {
    return ((this.flags ?? 0) & ASIDE) === 0;
  }
}

const ASIDE = C.MSG_OOB | C.MSG_ERRQUEUE | C.MSG_PEEK;

/**
 * A stream's bytes that came up short emptied the kernel's queue (epoll(7)); flags and marks make exceptions.
 * `asked` and `got` are bytes of one recv of `state`.
 */
export function noticeShortRead(
  state: SocketState,
  asked: number,
  got: number,
  flags: number,
): void {
  if (got > 0 && got < asked && state.stream && flags === 0 && shared[MESSAGE_FLAGS] === 0)
    state.drained();
}

export class Receive extends Reading<number> {
  private readonly length: number;

  constructor(
    readonly handle: SocketState,
    private readonly into: Uint8Array,
    override readonly flags: number,
  ) {
    super();
    this.length = into.byteLength;
  }

  get syscall(): string {
    return 'recv';
  }

  attempt(): number {
    const { handle, flags, length } = this;
    const result = binding.recv(handle.token, this.into, 0, length, flags);
    noticeShortRead(handle, length, result, flags);
    return result;
  }

  value(result: number): number {
    return Math.min(result, this.length);
  }
}

export class ReceiveFrom extends Reading<Received> {
  constructor(
    readonly handle: SocketState,
    private readonly into: Uint8Array,
    override readonly flags: number,
  ) {
    super();
  }

  get syscall(): string {
    return 'recvfrom';
  }

  attempt(): number {
    if (this.into.byteLength === 0) return MEMORY_GONE;
    return binding.recvmsg(this.handle.token, [this.into], this.flags);
  }

  value(length: number): Received {
    const bytes = Math.min(length, this.into.byteLength);
    const from = senderOf(decodeScratch(shared[NAME_LENGTH]), this.handle);
    return { bytes, length, truncated: length > bytes, from };
  }
}

/** recvmsg(2) into the caller's memory. */
export class ReceiveInto extends Reading<Message> {
  private readonly room: number;

  constructor(
    readonly handle: SocketState,
    private readonly into: readonly Uint8Array[],
    override readonly flags: number,
  ) {
    super();
    this.room = lengthOf(into);
  }

  get syscall(): string {
    return 'recvmsg';
  }

  attempt(): number {
    if (lengthOf(this.into) !== this.room) return MEMORY_GONE;
    return binding.recvmsg(this.handle.token, this.into, this.flags);
  }

  value(length: number): Message {
    const { into } = this;
    const kept = Math.min(length, lengthOf(into));
    const flags = shared[MESSAGE_FLAGS];
    const [only] = into;
    return {
      data:
        into.length === 1 && only !== undefined
          ? Buffer.from(only.buffer, only.byteOffset, kept)
          : Buffer.concat(into, kept),
      length,
      truncated: length > kept,
      controlTruncated: (flags & C.MSG_CTRUNC) !== 0,
      from: senderOf(decodeScratch(shared[NAME_LENGTH]), this.handle),
      flags,
      control: [],
    };
  }
}

/** recvmmsg(2) through the slab; what is kept is copied out at its right size. */
export class ReceiveBatch extends Reading<Message[]> {
  constructor(
    readonly handle: SocketState,
    private readonly max: number,
    private readonly size: number,
    override readonly flags: number,
  ) {
    super();
    slabs();
  }

  get syscall(): string {
    return 'recvmmsg';
  }

  attempt(): number {
    return receiveMany(this.handle, this.max, this.size, this.flags);
  }

  value(count: number): Message[] {
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) messages.push(messageAt(i, this.size, this.handle));
    return messages;
  }
}

/** recvmsg(2) through the slab. */
export class ReceiveOne extends Reading<Message> {
  constructor(
    readonly handle: SocketState,
    private readonly size: number,
    override readonly flags: number,
  ) {
    super();
    slabs();
  }

  get syscall(): string {
    return 'recvmsg';
  }

  attempt(): number {
    return receiveMany(this.handle, 1, this.size, this.flags);
  }

  value(): Message {
    return messageAt(0, this.size, this.handle);
  }
}

/** At most `max` messages of at most `size` bytes into the slab: how many came, or -errno. */
export function receiveMany(state: SocketState, max: number, size: number, flags: number): number {
  const asked = max < BATCH_CAPACITY ? max : BATCH_CAPACITY;
  const received = binding.recvmmsg(state.token, asked, size, flags);
  if (received <= 0) return received;
  reactor.spend(received - 1);
  // Fewer than asked: recvmmsg(2) has met EAGAIN itself, or an error, which has an event of its own; where a
  // message is large, the slab had room for no more (message_batch.h).
  if (received < asked && size <= DEFAULT_SIZE && flags === 0 && !state.stream) state.drained();
  return received;
}
