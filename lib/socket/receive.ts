// recv(2), recvfrom(2), recvmsg(2), recvmmsg(2) as operations.

import { Buffer } from 'node:buffer';
import { MESSAGE_FLAGS, NAME_LENGTH, PRIORITY, READ } from '../native/binding';
import { WATCH, type Direction } from '../core/handle';
import { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { Address } from './address';
import { lengthOf, MEMORY_GONE } from './bytes';
import { constants as C } from './constants';
import {
  BATCH_CAPACITY,
  CONTROL_ROOM,
  DEFAULT_SIZE,
  isTruncated,
  messageAt,
  NOTHING_BESIDE,
  senderOf,
  slabs,
  withLastControl,
  type ControlWanted,
  type Message,
} from './message';
import { decodeScratch } from './sockaddr';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { MSG_CTRUNC, MSG_ERRQUEUE, MSG_OOB, MSG_PEEK } = C;

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
  get direction(): Direction {
    return READ;
  }
}

// Urgent data and the error queue are beside the stream of messages: an EAGAIN of theirs says nothing of it, and
// whoever waits for one of them stands in nobody's way.
const BESIDE = MSG_OOB | MSG_ERRQUEUE;

/** One that has the caller's flags. */
abstract class Flagged<T> extends Reading<T> {
  abstract readonly flags: number;

  override get direction(): Direction {
    return (this.flags & BESIDE) === 0 ? READ : WATCH;
  }

  override get interest(): number {
    return (this.flags & MSG_OOB) === 0 ? READ : READ | PRIORITY;
  }

  // A look may begin where the bytes have ended (SO_PEEK_OFF).
  override get conclusive(): boolean {
    return (this.flags & MSG_PEEK) === 0;
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

export class Receive extends Flagged<number> {
  private readonly length: number;

  constructor(
    readonly handle: SocketState,
    private readonly into: Uint8Array,
    readonly flags: number,
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

  // With MSG_TRUNC it is the length on the wire, as recv(2) has it.
  value(result: number): number {
    return result;
  }
}

export class ReceiveFrom extends Flagged<Received> {
  constructor(
    readonly handle: SocketState,
    private readonly into: Uint8Array,
    readonly flags: number,
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
    return { bytes, length, truncated: isTruncated(shared[MESSAGE_FLAGS], length, bytes), from };
  }
}

/** recvmsg(2) and recvmmsg(2): what came is taken over in the attempt, before anything else can use the slab. */
abstract class ReceivingMessages<T> extends Flagged<T> {
  constructor(
    readonly handle: SocketState,
    readonly flags: number,
    protected readonly wanted: ControlWanted,
  ) {
    super();
    slabs();
  }
}

/** recvmsg(2) into the caller's memory. */
export class ReceiveInto extends ReceivingMessages<Message> {
  private readonly room: number;
  private message: Message | Error | undefined;

  constructor(
    handle: SocketState,
    private readonly into: readonly Uint8Array[],
    flags: number,
    wanted: ControlWanted,
  ) {
    super(handle, flags, wanted);
    this.room = lengthOf(into);
  }

  get syscall(): string {
    return 'recvmsg';
  }

  attempt(): number {
    const { handle, into, flags, wanted } = this;
    if (lengthOf(into) !== this.room) return MEMORY_GONE;
    const { size, descriptors } = wanted;
    const length = binding.recvmsg(handle.token, into, flags, size, descriptors ? 1 : 0);
    if (length < 0) return length;
    const kept = Math.min(length, lengthOf(into));
    const got = shared[MESSAGE_FLAGS];
    const message = {
      data: dataIn(into, kept),
      length,
      truncated: isTruncated(got, length, kept),
      controlTruncated: (got & MSG_CTRUNC) !== 0,
      from: senderOf(decodeScratch(shared[NAME_LENGTH]), handle),
      flags: got,
      control: NOTHING_BESIDE,
    };
    this.message = withLastControl(message, handle, wanted);
    return length;
  }

  value(): Message {
    return unlessLost(this.message!);
  }
}

/** The caller's own memory where it is one piece, a copy where it is several. */
export function dataIn(into: readonly Uint8Array[], length: number): Buffer {
  const [only] = into;
  return into.length === 1 && only !== undefined
    ? Buffer.from(only.buffer, only.byteOffset, length)
    : Buffer.concat(into, length);
}

function unlessLost(message: Message | Error): Message {
  if (message instanceof Error) throw message;
  return message;
}

/** recvmmsg(2) through the slab; what is kept is copied out at its right size. */
export class ReceiveBatch extends ReceivingMessages<Message[]> {
  private readonly messages: (Message | Error)[] = [];

  constructor(
    handle: SocketState,
    private readonly max: number,
    private readonly size: number,
    flags: number,
    wanted: ControlWanted,
  ) {
    super(handle, flags, wanted);
  }

  get syscall(): string {
    return 'recvmmsg';
  }

  attempt(): number {
    const { handle, max, size, flags, wanted } = this;
    const count = receiveMany(handle, max, size, flags, wanted);
    for (let i = 0; i < count; i++) this.messages.push(messageAt(i, size, handle, wanted));
    return count;
  }

  // One that has lost its descriptors fails the call, and the others are on the error: they are gone from the
  // kernel.
  value(): Message[] {
    const { messages } = this;
    const lost = messages.find((message) => message instanceof Error);
    if (lost === undefined) return messages as Message[];
    throw Object.assign(lost, {
      messages: messages.filter((message) => !(message instanceof Error)),
    });
  }
}

/** recvmsg(2) through the slab. */
export class ReceiveOne extends ReceivingMessages<Message> {
  private message: Message | Error | undefined;

  constructor(
    handle: SocketState,
    private readonly size: number,
    flags: number,
    wanted: ControlWanted,
  ) {
    super(handle, flags, wanted);
  }

  get syscall(): string {
    return 'recvmsg';
  }

  attempt(): number {
    const { handle, size, flags, wanted } = this;
    const count = receiveMany(handle, 1, size, flags, wanted);
    if (count > 0) this.message = messageAt(0, size, handle, wanted);
    return count;
  }

  value(): Message {
    return unlessLost(this.message!);
  }
}

/** At most `max` messages of at most `size` bytes into the slab: how many came, or -errno. */
export function receiveMany(
  state: SocketState,
  max: number,
  size: number,
  flags: number,
  wanted: ControlWanted,
): number {
  const asked = max < BATCH_CAPACITY ? max : BATCH_CAPACITY;
  const { size: control, descriptors } = wanted;
  const received = binding.recvmmsg(state.token, asked, size, flags, control, descriptors ? 1 : 0);
  if (received <= 0) return received;
  reactor.spend(received - 1);
  // Fewer than asked: recvmmsg(2) has met EAGAIN itself, or an error, which has an event of its own; where a
  // message or its control data is large, the slab had room for no more (message_batch.h).
  const roomy = size <= DEFAULT_SIZE && control <= CONTROL_ROOM;
  if (received < asked && roomy && flags === 0 && !state.stream) state.drained();
  return received;
}
