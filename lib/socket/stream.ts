// What a byte stream's reads and writes are made of, beyond one recv(2) or send(2): chunks in memory of their
// own, all of the bytes, exactly so many, and its ends.

import { Buffer } from 'node:buffer';
import { WRITE } from '../native/binding';
import { endedError } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import { lengthOf, MEMORY_GONE } from './bytes';
import { constants as C } from './constants';
import type { EncodedControl } from './control';
import { noticeShortRead, Reading } from './receive';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { ECANCELED, ENOTCONN, IOV_MAX, SHUT_WR } = C;

/** The most that one read brings unless told, in bytes. */
export const CHUNK = 65536;

// The most that one operation moves in a turn, in bytes, and so the most that one call is asked for: a peer that is
// fast enough would hold the loop, and so would a copy of all that a large buffer takes (6 MiB: 5 ms).
const PER_TURN = 1 << 20;
// As many bytes are as much work as a message (a shift): what is copied counts against the turn's time.
const BYTES_PER_MESSAGE = 14;
const BYTES_OF_MESSAGE = 1 << BYTES_PER_MESSAGE;

// What every chunk is received into. A small one is copied out at its size, into Node's own pool, so that nobody
// keeps 64 KiB alive for a few bytes; one that fills a quarter of it at least is given away with it.
let spare: Buffer | undefined;

function spareRoom(): Buffer {
  return (spare ??= Buffer.allocUnsafeSlow(CHUNK));
}

// Below this a loop is quicker than a call.
const FEW = 128;

function takeSpare(length: number): Buffer {
  const room = spare!;
  if (4 * length > CHUNK) {
    spare = undefined;
    return room.subarray(0, length);
  }
  const chunk = Buffer.allocUnsafe(length);
  if (length > FEW) room.copy(chunk, 0, 0, length);
  else for (let i = 0; i < length; i++) chunk[i] = room[i];
  return chunk;
}

/** The next bytes, at most `size` of them, in memory of their own; null at the end. */
export class ReceiveChunk extends Reading<Buffer | null> {
  // Of its own where `size` is beyond a chunk.
  private room: Buffer | undefined;

  constructor(
    readonly handle: SocketState,
    private readonly size: number,
  ) {
    super();
  }

  get syscall(): string {
    return 'read';
  }

  attempt(): number {
    const { handle, size } = this;
    if (size > CHUNK) this.room ??= Buffer.allocUnsafeSlow(size);
    const result = binding.recv(handle.token, this.room ?? spareRoom(), 0, size, 0);
    noticeShortRead(handle, size, result, 0);
    return result > 0 ? result : handle.heard(result);
  }

  value(length: number): Buffer | null {
    const { handle, room } = this;
    if (length === 0) {
      handle.ended = true;
      return null;
    }
    handle.bytesRead += length;
    if (length >= BYTES_OF_MESSAGE) reactor.spend(length >>> BYTES_PER_MESSAGE);
    if (room === undefined) return takeSpare(length);
    this.room = undefined;
    const chunk = room.subarray(0, length);
    return 4 * length > room.length ? chunk : Buffer.from(chunk);
  }
}

/** The next bytes in the caller's memory: how many; null at the end. */
export class ReceiveBytes extends Reading<number | null> {
  private readonly length: number;

  constructor(
    readonly handle: SocketState,
    private readonly into: Uint8Array,
  ) {
    super();
    this.length = into.byteLength;
  }

  get syscall(): string {
    return 'read';
  }

  attempt(): number {
    const { handle, length } = this;
    const result = binding.recv(handle.token, this.into, 0, length, 0);
    noticeShortRead(handle, length, result, 0);
    return result > 0 ? result : handle.heard(result);
  }

  value(result: number): number | null {
    if (result === 0) {
      this.handle.ended = true;
      return null;
    }
    this.handle.bytesRead += result;
    return result;
  }
}

// No errno of the kernel's: the stream ended too early.
const ENDED = -0x7fffffff;

/** Exactly so many bytes. What arrived of them before a failure is on the error. */
export class ReceiveExactly extends Reading<Buffer> {
  private readonly data: Buffer;
  private received = 0;

  constructor(
    readonly handle: SocketState,
    length: number,
  ) {
    super();
    this.data = Buffer.allocUnsafeSlow(length);
  }

  get syscall(): string {
    return 'read';
  }

  // Nothing is there in any case, at the end and behind a loss, too.
  override get promising(): boolean {
    return this.data.length === 0 || super.promising;
  }

  attempt(): number {
    const { handle, data } = this;
    for (const turn = this.received + PER_TURN; this.received < data.length;) {
      if (this.received >= turn) return UNFINISHED;
      const asked = Math.min(data.length, turn) - this.received;
      const result = binding.recv(handle.token, data, this.received, asked, 0);
      if (result <= 0) {
        const heard = handle.heard(result);
        if (heard < 0) return heard;
        handle.ended = true;
        return ENDED;
      }
      this.received += result;
      handle.bytesRead += result;
      reactor.spend(result >>> BYTES_PER_MESSAGE);
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

/** Reads a stream to its end and throws the bytes away. */
export class Drain extends Reading<void> {
  constructor(readonly handle: SocketState) {
    super();
  }

  get syscall(): string {
    return 'read';
  }

  attempt(): number {
    const room = spareRoom();
    for (let drained = 0; drained < PER_TURN;) {
      const result = binding.recv(this.handle.token, room, 0, CHUNK, 0);
      if (result <= 0) return result;
      drained += result;
      reactor.spend(result >>> BYTES_PER_MESSAGE);
    }
    return UNFINISHED;
  }

  value(): void {}
}

/**
 * All the bytes, in order: what a stream's write means. Done when the kernel has the last one. Cut short, it takes those
 * that were queued behind it along (ECANCELED): to the peer their bytes would be the rest of its own.
 */
abstract class SendingAll extends Operation<void> {
  abstract override readonly handle: SocketState;
  protected abstract total: number;
  /** `handle.cuts` when it was asked for. */
  protected abstract cuts: number;
  protected sent = 0;

  get direction(): typeof WRITE {
    return WRITE;
  }

  get syscall(): string {
    return 'write';
  }

  // A short send is followed by another one: only a real EAGAIN promises an event (SOCK_NOSPACE is set then).
  attempt(): number {
    const { handle, total } = this;
    if (this.cuts !== handle.cuts) return -ECANCELED;
    for (const turn = this.sent + PER_TURN; this.sent < total;) {
      if (this.sent >= turn) return UNFINISHED;
      const result = this.sendRest();
      if (result < 0) return handle.heard(result);
      // Nothing of what is left: its memory has gone away.
      if (result === 0) return MEMORY_GONE;
      this.sent += result;
      handle.bytesWritten += result;
      this.advance(result);
      if (result >= BYTES_OF_MESSAGE) reactor.spend(result >>> BYTES_PER_MESSAGE);
    }
    if (total > 0) handle.cut = false;
    return 0;
  }

  value(): void {}

  override annotate(error: Error): Error {
    return this.handle.cutOff(error, this.sent);
  }

  protected abstract sendRest(): number;
  protected advance(_sent: number): void {}
}

const NONE = new Uint8Array(0);

/** Of one piece. */
export class SendBytes extends SendingAll {
  protected total = 0;
  protected cuts = 0;
  private data: Uint8Array = NONE;

  constructor(readonly handle: SocketState) {
    super();
  }

  /** The same operation again, for other bytes: only when it is over. */
  of(data: Uint8Array): this {
    this.data = data;
    this.total = data.byteLength;
    this.cuts = this.handle.cuts;
    this.sent = 0;
    return this;
  }

  /** Goes on behind a first send that was not the last; what attempt() would answer. */
  after(result: number): number {
    if (result <= 0) return result < 0 ? this.handle.heard(result) : MEMORY_GONE;
    this.sent = result;
    this.handle.bytesWritten += result;
    return this.attempt();
  }

  override value(): void {
    this.data = NONE;
  }

  protected sendRest(): number {
    const { sent } = this;
    const length = Math.min(this.total - sent, PER_TURN);
    return binding.send(this.handle.token, this.data, sent, length, 0);
  }
}

/** Of many pieces, or of those that something travels beside. */
export class SendPieces extends SendingAll {
  protected readonly total: number;
  protected readonly cuts: number;
  // The first piece not sent whole, and how much of it is.
  private piece = 0;
  private offset = 0;

  constructor(
    readonly handle: SocketState,
    private readonly pieces: readonly Uint8Array[],
    private readonly beside?: readonly (EncodedControl | undefined)[],
  ) {
    super();
    this.total = lengthOf(pieces);
    this.cuts = handle.cuts;
    this.advance(0);
  }

  protected sendRest(): number {
    const { pieces, piece, offset, beside } = this;
    const first = pieces[piece];
    if (first === undefined || offset >= first.byteLength) return MEMORY_GONE;
    const rest = [first.subarray(offset, offset + PER_TURN)];
    let length = rest[0].byteLength;
    for (let i = piece + 1; i < pieces.length && rest.length < IOV_MAX && length < PER_TURN; i++) {
      if (beside?.[i] !== undefined) break;
      const next = pieces[i].subarray(0, PER_TURN - length);
      rest.push(next);
      length += next.byteLength;
    }
    // What travels beside a piece goes with its first bytes, however few the kernel takes (unix_stream_sendmsg).
    const control = offset === 0 ? beside?.[piece]?.bytes : undefined;
    return binding.sendmsg(this.handle.token, rest, 0, 0, control);
  }

  protected override advance(sent: number): void {
    const { pieces } = this;
    this.offset += sent;
    while (this.piece < pieces.length && this.offset >= pieces[this.piece].byteLength) {
      this.offset -= pieces[this.piece++].byteLength;
    }
  }
}

/** One send(2) of all of `data`, where nobody waits before it; its result, or undefined where somebody does. */
export function sendNow(state: SocketState, data: Uint8Array): number | undefined {
  const length = data.byteLength;
  if (length > PER_TURN || !reactor.mayCall(state, WRITE)) return undefined;
  const result = binding.send(state.token, data, 0, length, 0);
  if (result === length) {
    state.cut = false;
    state.bytesWritten += length;
    reactor.spend(1 + (length >>> BYTES_PER_MESSAGE));
  }
  return result;
}

/** All of `pieces`, in order, each with what is `beside` it. */
export function sendAll(
  state: SocketState,
  pieces: readonly Uint8Array[],
  beside?: readonly (EncodedControl | undefined)[],
): Operation<void> {
  return pieces.length === 1 && beside === undefined
    ? new SendBytes(state).of(pieces[0])
    : new SendPieces(state, pieces, beside);
}

/**
 * shutdown(2) of the writing side, in its turn behind the writes. ECANCELED behind one that was cut: an end would tell
 * the peer that it has everything.
 */
export class EndWriting extends Operation<void> {
  constructor(readonly handle: SocketState) {
    super();
  }

  get direction(): typeof WRITE {
    return WRITE;
  }

  get syscall(): string {
    return 'shutdown';
  }

  override get promising(): boolean {
    return true;
  }

  // ENOTCONN: the peer is gone already, and there is nobody left to tell.
  attempt(): number {
    if (this.handle.cut) return -ECANCELED;
    const result = binding.shutdown(this.handle.token, SHUT_WR);
    return result === -ENOTCONN ? 0 : result;
  }

  value(): void {}
}
