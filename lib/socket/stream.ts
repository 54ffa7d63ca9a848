// What a byte stream's reads and writes are made of, beyond one recv(2) or send(2): chunks in memory of their
// own, all of the bytes, exactly so many, and its ends.

import { WRITE } from '../native/binding';
import { endedError } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import { lengthOf, MEMORY_GONE } from './bytes';
import { constants as C } from './constants';
import { noticeShortRead, Reading } from './receive';
import type { SocketState } from './state';

/** The most that one read brings unless told, in bytes. */
export const CHUNK = 65536;

// The most that one operation moves in a turn, in bytes: a peer that is fast enough would hold the loop.
const PER_TURN = 1 << 20;
// As many bytes are as much work as a message (a shift): what is copied counts against the turn's time.
const BYTES_PER_MESSAGE = 14;

// What the next chunk is received into. A chunk that fills more than a quarter of it is given away with it;
// a smaller one is copied out at its size, so that nobody keeps 64 KiB for a few bytes.
let spare: Buffer | undefined;

/** The next bytes, at most `size` of them, in memory of their own; null at the end. */
export class ReceiveChunk extends Reading<Buffer | null> {
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
    if (size <= CHUNK) this.room = spare ??= Buffer.allocUnsafeSlow(CHUNK);
    else this.room ??= Buffer.allocUnsafeSlow(size);
    const result = binding.recv(handle.token, this.room, 0, size, 0);
    noticeShortRead(handle, size, result, 0);
    return result;
  }

  value(length: number): Buffer | null {
    if (length === 0) {
      this.handle.ended = true;
      return null;
    }
    this.handle.bytesRead += length;
    const room = this.room!;
    if (4 * length > room.length) {
      if (room === spare) spare = undefined;
      return room.subarray(0, length);
    }
    const chunk = Buffer.allocUnsafe(length);
    room.copy(chunk, 0, 0, length);
    return chunk;
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
    return result;
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

  attempt(): number {
    const { handle, data } = this;
    for (const turn = this.received + PER_TURN; this.received < data.length;) {
      if (this.received >= turn) return UNFINISHED;
      const asked = data.length - this.received;
      const result = binding.recv(handle.token, data, this.received, asked, 0);
      if (result < 0) return result;
      if (result === 0) {
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
    const room = (spare ??= Buffer.allocUnsafeSlow(CHUNK));
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

/** All the bytes, in order: what a stream's write means. Done when the kernel has the last one. */
export class SendAll extends Operation<void> {
  private sent = 0;
  private readonly total: number;
  // The first piece not sent whole, and how much of it is.
  private piece = 0;
  private offset = 0;

  constructor(
    readonly handle: SocketState,
    private readonly pieces: readonly Uint8Array[],
  ) {
    super();
    this.total = lengthOf(pieces);
    this.skip();
  }

  get direction(): typeof WRITE {
    return WRITE;
  }

  get syscall(): string {
    return 'write';
  }

  // A short send is followed by another one: only a real EAGAIN promises an event (SOCK_NOSPACE is set then).
  attempt(): number {
    for (const turn = this.sent + PER_TURN; this.sent < this.total;) {
      if (this.sent >= turn) return UNFINISHED;
      const result = this.sendRest();
      if (result < 0) return result;
      this.advance(result);
      reactor.spend(result >>> BYTES_PER_MESSAGE);
    }
    return 0;
  }

  value(): void {}

  override annotate(error: Error): Error {
    return Object.assign(error, { bytesTransferred: this.sent });
  }

  private sendRest(): number {
    const { pieces, piece, offset } = this;
    const { token } = this.handle;
    const first = pieces[piece];
    if (first === undefined || offset >= first.byteLength) return MEMORY_GONE;
    let result: number;
    if (piece === pieces.length - 1) {
      result = binding.send(token, first, offset, first.byteLength - offset, 0);
    } else {
      const rest = pieces.slice(piece, piece + C.IOV_MAX);
      rest[0] = first.subarray(offset);
      result = binding.sendmsg(token, rest, 0, 0);
    }
    return result === 0 ? MEMORY_GONE : result;
  }

  private advance(sent: number): void {
    this.sent += sent;
    this.handle.bytesWritten += sent;
    this.offset += sent;
    this.skip();
  }

  // On to the next piece that has anything left.
  private skip(): void {
    while (this.piece < this.pieces.length && this.offset >= this.pieces[this.piece].byteLength) {
      this.offset -= this.pieces[this.piece++].byteLength;
    }
  }
}

/** shutdown(2) of the writing side, in its turn behind the writes. */
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
    const result = binding.shutdown(this.handle.token, C.SHUT_WR);
    return result === -C.ENOTCONN ? 0 : result;
  }

  value(): void {}
}
