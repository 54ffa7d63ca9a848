// send(2), sendto(2), sendmsg(2), sendmmsg(2) as operations.

import { WRITE } from '../native/binding';
import { EAGAIN, ENOBUFS, type ErrorSubject } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { AddressInput } from './address';
import { lengthOf } from './bytes';
import { constants as C } from './constants';
import { layOut, type Outgoing } from './message';
import { encodeAddress, subjectOf } from './sockaddr';
import type { SocketState } from './state';

const { scratch } = reactor.memory;

/** `to` as the kernel takes it, in memory of its own: operations may wait while the scratch goes on being used. */
export function encoded(
  to: AddressInput | undefined,
  domain: number,
  name: string,
): Uint8Array | null {
  return to === undefined ? null : scratch.slice(0, encodeAddress(to, domain, name));
}

/** Lays an encoded address back into the scratch; its length, 0 for none. */
export function present(name: Uint8Array | null): number {
  if (name === null) return 0;
  scratch.set(name);
  return name.byteLength;
}

abstract class Sending<T> extends Operation<T> {
  constructor(
    readonly state: SocketState,
    readonly flags: number,
    syscall: string,
    readonly to?: AddressInput,
  ) {
    super(state, WRITE, syscall);
  }

  // Promise 14. ENOBUFS (a full device queue) comes and goes without an event. So does the EAGAIN of a Unix
  // datagram for a peer with a full queue that this socket is not connected to: poll(2) looks at the
  // connected peer's queue alone (unix_dgram_poll), and says "writable" all the while.
  override passes(result: number): boolean {
    return (
      result === -ENOBUFS ||
      (result === -EAGAIN && this.to !== undefined && this.state.domain === C.AF_UNIX)
    );
  }

  override subject(): ErrorSubject | undefined {
    return subjectOf(this.to);
  }
}

export class Send extends Sending<number> {
  private readonly length: number;

  constructor(
    state: SocketState,
    private readonly data: Uint8Array,
    flags: number,
  ) {
    super(state, flags, 'send');
    this.length = data.byteLength;
  }

  attempt(): number {
    return binding.send(this.state.token, this.data, 0, this.length, this.flags);
  }

  value(result: number): number {
    return result;
  }
}

export class SendMessage extends Sending<number> {
  private readonly name: Uint8Array | null;

  constructor(
    state: SocketState,
    private readonly pieces: readonly Uint8Array[],
    to: AddressInput | undefined,
    flags: number,
    syscall: 'send' | 'sendto' | 'sendmsg',
  ) {
    super(state, flags, syscall, to);
    this.name = encoded(to, state.domain, 'to');
  }

  attempt(): number {
    const { state, pieces, flags } = this;
    const length = present(this.name);
    const only = pieces[0];
    if (pieces.length !== 1 || only === undefined)
      return binding.sendmsg(state.token, pieces, flags, length);
    return binding.sendto(state.token, only, 0, only.byteLength, flags, length);
  }

  value(result: number): number {
    return result;
  }
}

/** One sendmmsg(2) for `messages` from `first` on: how many went. One larger than the slab goes by itself. */
function sendSome(
  state: SocketState,
  messages: readonly Outgoing[],
  first: number,
  flags: number,
): number {
  const count = layOut(messages, first);
  if (count === 0) {
    const { pieces, name } = messages[first];
    const result = binding.sendmsg(state.token, pieces, flags, present(name));
    return result < 0 ? result : 1;
  }
  const result = binding.sendmmsg(state.token, count, flags);
  if (result > 0) reactor.spend(result - 1);
  return result;
}

/** One sendmmsg(2): how many of the messages went. */
export class SendBatch extends Sending<number> {
  constructor(
    state: SocketState,
    private readonly messages: readonly Outgoing[],
    flags: number,
    to: AddressInput | undefined,
  ) {
    super(state, flags, 'sendmmsg', to);
  }

  attempt(): number {
    return sendSome(this.state, this.messages, 0, this.flags);
  }

  value(result: number): number {
    return result;
  }
}

export function outgoing(
  pieces: readonly Uint8Array[],
  to: AddressInput | undefined,
  domain: number,
  name: string,
): Outgoing {
  return { pieces, length: lengthOf(pieces), name: encoded(to, domain, name) };
}

/** All the bytes, in order: what a stream's write means. Resolves when the kernel has the last one. */
export class SendAll extends Sending<void> {
  private sent = 0;
  private readonly total: number;
  // The first piece not sent whole, and how much of it is.
  private piece = 0;
  private offset = 0;

  constructor(
    state: SocketState,
    private readonly pieces: readonly Uint8Array[],
  ) {
    super(state, 0, 'write');
    this.total = lengthOf(pieces);
  }

  // A short send is followed by another one: only a real EAGAIN promises an event (SOCK_NOSPACE is set then).
  attempt(): number {
    while (this.sent < this.total) {
      const result = this.sendRest();
      if (result < 0) return result;
      this.advance(result);
    }
    return 0;
  }

  value(): void {}

  override annotate(error: Error): Error {
    return Object.assign(error, { bytesTransferred: this.sent });
  }

  private sendRest(): number {
    const { pieces, piece, offset } = this;
    const { token } = this.state;
    const first = pieces[piece];
    if (piece === pieces.length - 1)
      return binding.send(token, first, offset, first.byteLength - offset, 0);
    const rest = pieces.slice(piece, piece + C.IOV_MAX);
    rest[0] = first.subarray(offset);
    return binding.sendmsg(token, rest, 0, 0);
  }

  private advance(sent: number): void {
    this.sent += sent;
    this.state.bytesWritten += sent;
    this.offset += sent;
    for (
      let left = this.pieces[this.piece];
      left !== undefined && this.offset >= left.byteLength;
    ) {
      this.offset -= left.byteLength;
      left = this.pieces[++this.piece];
    }
  }
}

/** What became of a batch: how many messages went, and why the next one did not. */
export interface BatchSent {
  sent: number;
  error?: Error;
}

const MESSAGES_PER_TURN = 256;

/** All messages of a batch, in order, up to the first that the kernel refuses. */
export class SendEach extends Sending<BatchSent> {
  private sent = 0;
  private refused = 0;

  constructor(
    state: SocketState,
    private readonly messages: readonly Outgoing[],
    private readonly recipients: readonly (AddressInput | undefined)[],
  ) {
    super(state, 0, 'sendmmsg');
  }

  attempt(): number {
    const { messages, state } = this;
    for (let turn = this.sent + MESSAGES_PER_TURN; this.sent < messages.length;) {
      if (this.sent >= turn) {
        return UNFINISHED;
      }
      const result = sendSome(state, messages, this.sent, 0);
      if (result === -EAGAIN || result === -ENOBUFS) return result;
      if (result < 0) {
        this.refused = result;
        break;
      }
      this.sent += result;
    }
    return 0;
  }

  value(): BatchSent {
    if (this.refused === 0) return { sent: this.sent };
    return { sent: this.sent, error: this.error(this.refused) };
  }

  override passes(result: number): boolean {
    const to = this.recipients[this.sent];
    return (
      result === -ENOBUFS ||
      (result === -EAGAIN && to !== undefined && this.state.domain === C.AF_UNIX)
    );
  }

  override annotate(error: Error): Error {
    return Object.assign(error, { messagesSent: this.sent });
  }

  override subject(): ErrorSubject | undefined {
    return subjectOf(this.recipients[this.sent]);
  }
}

/** shutdown(2) of the writing side, in its turn behind the writes. */
export class EndWriting extends Sending<void> {
  constructor(state: SocketState) {
    super(state, 0, 'shutdown');
  }

  override get promising(): boolean {
    return true;
  }

  // ENOTCONN: the peer is gone already, and there is nobody left to tell.
  attempt(): number {
    const result = binding.shutdown(this.state.token, C.SHUT_WR);
    return result === -C.ENOTCONN ? 0 : result;
  }

  value(): void {}
}
