// MSG_WAITALL on a stream, as an operation: the kernel's own waits within the call, and does nothing in a
// nonblocking one (recv(2)).

import { MESSAGE_FLAGS, NAME_LENGTH, READ } from '../native/binding';
import { EAGAIN } from '../core/errors';
import { WATCH, type Direction } from '../core/handle';
import { UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { Address } from './address';
import { lengthOf } from './bytes';
import { constants as C } from './constants';
import {
  NOTHING_BESIDE,
  slabs,
  withLastControl,
  type ControlWanted,
  type Message,
} from './message';
import { dataIn, Reading, type Received } from './receive';
import { decodeScratch } from './sockaddr';
import type { SocketState } from './state';

const { shared } = reactor.memory;

// A fast peer may fill a large buffer for ever: others get their turn after so many calls.
const CALLS_PER_TURN = 16;

/** Fills all of `into`, unless the stream ends before, or a descriptor comes: each is with its own bytes. */
abstract class ReceiveAll<T> extends Reading<T> {
  protected received = 0;
  protected last: Message | Error | undefined;
  private readonly length: number;
  private readonly peeks: boolean;
  private readonly plain: number;

  constructor(
    readonly handle: SocketState,
    protected readonly into: readonly Uint8Array[],
    flags: number,
    readonly syscall: 'recv' | 'recvfrom' | 'recvmsg',
    private readonly wanted: ControlWanted,
  ) {
    super();
    slabs();
    this.length = lengthOf(into);
    this.peeks = (flags & C.MSG_PEEK) !== 0;
    this.plain = flags & ~C.MSG_WAITALL;
  }

  // What was looked at is still there for those who read.
  override get direction(): Direction {
    return this.peeks ? WATCH : READ;
  }

  override get interest(): number {
    return READ;
  }

  attempt(): number {
    if (this.peeks) return this.peek();
    for (let calls = 0; calls < CALLS_PER_TURN; calls++) {
      const result = this.receive();
      if (result < 0) return result;
      this.received += result;
      if (result === 0 || this.received >= this.length || this.isMarked()) return this.received;
    }
    return UNFINISHED;
  }

  private peek(): number {
    const result = this.receive();
    if (result <= 0) return result;
    const { POLLRDHUP, POLLHUP, POLLERR } = C;
    const over = (): boolean =>
      (binding.poll(this.handle.token, POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) !== 0;
    if (result < this.length && !over()) return -EAGAIN;
    this.received = result;
    return result;
  }

  private receive(): number {
    const { handle, wanted } = this;
    const rest = remaining(this.into, this.received);
    const { size, descriptors } = wanted;
    const result = binding.recvmsg(handle.token, rest, this.plain, size, descriptors ? 1 : 0);
    if (result < 0) return result;
    const flags = shared[MESSAGE_FLAGS];
    const seen = {
      data: Buffer.alloc(0),
      length: result,
      truncated: false,
      controlTruncated: (flags & C.MSG_CTRUNC) !== 0,
      from: decodeScratch(shared[NAME_LENGTH]),
      flags,
      control: NOTHING_BESIDE,
    };
    this.last = withLastControl(seen, handle, wanted);
    return result;
  }

  private isMarked(): boolean {
    const { last } = this;
    return last instanceof Error || last?.control.some(({ kind }) => kind === 'rights') === true;
  }

  override annotate(error: Error): Error {
    return Object.assign(error, { bytesTransferred: this.received });
  }

  protected get seen(): Message {
    if (this.last instanceof Error) throw this.annotate(this.last);
    return this.last!;
  }
}

function remaining(pieces: readonly Uint8Array[], received: number): readonly Uint8Array[] {
  if (received === 0) return pieces;
  let skip = received;
  const rest: Uint8Array[] = [];
  for (const piece of pieces) {
    if (skip < piece.byteLength) rest.push(piece.subarray(skip));
    skip = Math.max(0, skip - piece.byteLength);
  }
  return rest;
}

const NO_CONTROL: ControlWanted = { size: 0, descriptors: false };

export class ReceiveAllBytes extends ReceiveAll<number> {
  constructor(handle: SocketState, into: Uint8Array, flags: number) {
    super(handle, [into], flags, 'recv', NO_CONTROL);
  }

  value(): number {
    return this.received;
  }
}

export class ReceiveAllFrom extends ReceiveAll<Received> {
  constructor(handle: SocketState, into: Uint8Array, flags: number) {
    super(handle, [into], flags, 'recvfrom', NO_CONTROL);
  }

  value(): Received {
    const from: Address | null = this.seen.from;
    return { bytes: this.received, length: this.received, truncated: false, from };
  }
}

export class ReceiveAllMessage extends ReceiveAll<Message> {
  constructor(
    handle: SocketState,
    into: readonly Uint8Array[],
    flags: number,
    wanted: ControlWanted,
  ) {
    super(handle, into, flags, 'recvmsg', wanted);
  }

  // It may be in memory of our own.
  override annotate(error: Error): Error {
    return Object.assign(super.annotate(error), { data: dataIn(this.into, this.received) });
  }

  value(): Message {
    return { ...this.seen, data: dataIn(this.into, this.received), length: this.received };
  }
}
