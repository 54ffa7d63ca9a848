// recv(2), recvfrom(2), recvmsg(2), recvmmsg(2) as operations.

import { MESSAGE_FLAGS, NAME_LENGTH, READ } from '../native/binding';
import { endedError } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { Address } from './address';
import { lengthOf } from './bytes';
import { constants as C } from './constants';
import { messageAt, senderOf, slabs, type Message } from './message';
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

abstract class Reading<T> extends Operation<T> {
  constructor(
    readonly state: SocketState,
    readonly flags: number,
    syscall: string,
  ) {
    super(state, READ, syscall);
  }
}

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
    state: SocketState,
    private readonly into: Uint8Array,
    flags: number,
  ) {
    super(state, flags, 'recv');
    this.length = into.byteLength;
  }

  attempt(): number {
    const { state, flags, length } = this;
    const result = binding.recv(state.token, this.into, 0, length, flags);
    noticeShortRead(state, length, result, flags);
    return result;
  }

  value(result: number): number {
    return Math.min(result, this.length);
  }
}

export class ReceiveFrom extends Reading<Received> {
  constructor(
    state: SocketState,
    private readonly into: Uint8Array,
    flags: number,
  ) {
    super(state, flags, 'recvfrom');
  }

  attempt(): number {
    return binding.recvmsg(this.state.token, [this.into], this.flags);
  }

  value(length: number): Received {
    const bytes = Math.min(length, this.into.byteLength);
    const from = senderOf(decodeScratch(shared[NAME_LENGTH]), this.state);
    return { bytes, length, truncated: length > bytes, from };
  }
}

/** recvmsg(2) into the caller's memory. */
export class ReceiveInto extends Reading<Message> {
  constructor(
    state: SocketState,
    private readonly into: readonly Uint8Array[],
    flags: number,
  ) {
    super(state, flags, 'recvmsg');
  }

  attempt(): number {
    return binding.recvmsg(this.state.token, this.into, this.flags);
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
      from: senderOf(decodeScratch(shared[NAME_LENGTH]), this.state),
      flags,
      control: [],
    };
  }
}

/** recvmmsg(2) through the slab; what is kept is copied out at its right size. */
abstract class ReceiveMany<T> extends Reading<T> {
  constructor(
    state: SocketState,
    readonly max: number,
    readonly size: number,
    flags: number,
    syscall: string,
  ) {
    super(state, flags, syscall);
    slabs();
  }

  attempt(): number {
    const { state, max, flags } = this;
    const result = binding.recvmmsg(state.token, max, this.size, flags);
    // Fewer than asked: recvmmsg(2) has met EAGAIN itself (or an error, which comes with an event of its own).
    if (result > 0) {
      reactor.spend(result - 1);
      if (result < max && flags === 0 && !state.stream) state.drained();
    }
    return result;
  }
}

export class ReceiveOne extends ReceiveMany<Message> {
  constructor(state: SocketState, size: number, flags: number) {
    super(state, 1, size, flags, 'recvmsg');
  }

  value(): Message {
    return messageAt(0, this.size, this.state);
  }
}

export class ReceiveBatch extends ReceiveMany<Message[]> {
  constructor(state: SocketState, max: number, size: number, flags: number) {
    super(state, max, size, flags, 'recvmmsg');
  }

  value(count: number): Message[] {
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) messages.push(messageAt(i, this.size, this.state));
    return messages;
  }
}

const CHUNK = 65536;

// What the next chunk is received into. A chunk that fills more than a quarter of it is given away with it;
// a smaller one is copied out at its size, so that nobody keeps 64 KiB for a few bytes.
let spare: Buffer | undefined;

/** A stream's next bytes, at most `size` of them, in memory of their own; null at the end. */
export class ReceiveChunk extends Reading<Buffer | null> {
  private large: Buffer | undefined;

  constructor(
    state: SocketState,
    private readonly size: number,
  ) {
    super(state, 0, 'read');
  }

  attempt(): number {
    const { state, size } = this;
    const room =
      size <= CHUNK
        ? (spare ??= Buffer.allocUnsafeSlow(CHUNK))
        : (this.large ??= Buffer.allocUnsafeSlow(size));
    const result = binding.recv(state.token, room, 0, size, 0);
    noticeShortRead(state, size, result, 0);
    return result;
  }

  value(length: number): Buffer | null {
    if (length === 0) {
      this.state.ended = true;
      return null;
    }
    this.state.bytesRead += length;
    const room = this.large ?? spare!;
    if (4 * length > room.length) {
      if (room === spare) spare = undefined;
      return room.subarray(0, length);
    }
    const chunk = Buffer.allocUnsafe(length);
    room.copy(chunk, 0, 0, length);
    return chunk;
  }
}

/** A stream's next bytes in the caller's memory: how many; null at the end. */
export class ReceiveBytes extends Reading<number | null> {
  private readonly length: number;

  constructor(
    state: SocketState,
    private readonly into: Uint8Array,
  ) {
    super(state, 0, 'read');
    this.length = into.byteLength;
  }

  attempt(): number {
    const { state, length } = this;
    const result = binding.recv(state.token, this.into, 0, length, 0);
    noticeShortRead(state, length, result, 0);
    return result;
  }

  value(result: number): number | null {
    this.state.bytesRead += result;
    this.state.ended ||= result === 0;
    return result === 0 ? null : result;
  }
}

// No errno of the kernel's: the stream ended too early.
const ENDED = -0x7fffffff;

/** Exactly so many bytes of a stream. What arrived of them before a failure is on the error. */
export class ReceiveExactly extends Reading<Buffer> {
  private readonly data: Buffer;
  private received = 0;

  constructor(state: SocketState, length: number) {
    super(state, 0, 'read');
    this.data = Buffer.allocUnsafeSlow(length);
  }

  attempt(): number {
    const { state, data } = this;
    while (this.received < data.length) {
      const asked = data.length - this.received;
      const result = binding.recv(state.token, data, this.received, asked, 0);
      if (result < 0) return result;
      if (result === 0) return ENDED;
      this.received += result;
      state.bytesRead += result;
    }
    return this.received;
  }

  value(): Buffer {
    return this.data;
  }

  override error(result: number): Error {
    return result === ENDED ? endedError(this.data.length, this.received) : super.error(result);
  }

  override annotate(error: Error): Error {
    return Object.assign(error, {
      bytesTransferred: this.received,
      data: this.data.subarray(0, this.received),
    });
  }
}

const DRAIN_PER_TURN = 1 << 20;

/** Reads a stream to its end and throws the bytes away. */
export class Drain extends Reading<void> {
  constructor(state: SocketState) {
    super(state, 0, 'read');
  }

  attempt(): number {
    const room = (spare ??= Buffer.allocUnsafeSlow(CHUNK));
    for (let drained = 0; drained < DRAIN_PER_TURN;) {
      const result = binding.recv(this.state.token, room, 0, CHUNK, 0);
      if (result <= 0) return result;
      drained += result;
    }
    return UNFINISHED;
  }

  value(): void {}
}
