// send(2), sendto(2), sendmsg(2), sendmmsg(2) as operations.

import { WRITE } from '../native/binding';
import { EAGAIN, ENOBUFS, type ErrorSubject } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { AddressInput } from './address';
import { lengthOf } from './bytes';
import { constants as C } from './constants';
import { EncodedControl, type OutgoingControl } from './control';
import { isWhole, layOut, messagesIn, type Outgoing } from './lay_out';
import { encodeAddress, subjectOf } from './sockaddr';
import type { SocketState } from './state';

const { scratch } = reactor.memory;

/** `to` as the kernel takes it, in memory of its own: operations may wait while the scratch goes on being used. */
export function encoded(to: AddressInput, domain: number, name: string): Uint8Array {
  return scratch.slice(0, encodeAddress(to, domain, name));
}

/** Lays an encoded address back into the scratch; its length, 0 for none. */
export function present(name: Uint8Array | null): number {
  if (name === null) return 0;
  scratch.set(name);
  return name.byteLength;
}

abstract class Sending<T> extends Operation<T> {
  abstract override readonly handle: SocketState;

  /** The recipient, where this socket is not connected to it. */
  abstract readonly to: AddressInput | undefined;

  get direction(): typeof WRITE {
    return WRITE;
  }

  // Promise 14. ENOBUFS (a full device queue) comes and goes without an event. So does the EAGAIN of a Unix
  // datagram for a peer with a full queue that this socket is not connected to: poll(2) looks at the
  // connected peer's queue alone (unix_dgram_poll), and says "writable" all the while.
  override passes(result: number): boolean {
    if (result === -ENOBUFS) return true;
    return result === -EAGAIN && this.to !== undefined && this.handle.domain === C.AF_UNIX;
  }

  override subject(): ErrorSubject | undefined {
    return subjectOf(this.to);
  }
}

export class Send extends Sending<number> {
  private readonly length: number;

  constructor(
    readonly handle: SocketState,
    private readonly data: Uint8Array,
    private readonly flags: number,
  ) {
    super();
    this.length = data.byteLength;
  }

  get syscall(): string {
    return 'send';
  }

  get to(): undefined {
    return undefined;
  }

  attempt(): number {
    return binding.send(this.handle.token, this.data, 0, this.length, this.flags);
  }

  value(result: number): number {
    return result;
  }
}

export class SendMessage<T = number> extends Sending<T> {
  private readonly name: Uint8Array | null;
  private readonly control: EncodedControl | null;

  constructor(
    readonly handle: SocketState,
    private readonly pieces: readonly Uint8Array[],
    readonly to: AddressInput | undefined,
    private readonly flags: number,
    readonly syscall: 'send' | 'sendto' | 'sendmsg',
    control?: readonly OutgoingControl[],
    name = 'control',
  ) {
    super();
    this.control = EncodedControl.of(control, handle.domain, to, name);
    this.name = to === undefined ? null : encoded(to, handle.domain, 'to');
  }

  attempt(): number {
    const { handle, pieces, flags, control } = this;
    const beside = control === null ? undefined : control.bytes;
    const length = present(this.name);
    const only = pieces[0];
    if (beside !== undefined) return binding.sendmsg(handle.token, pieces, flags, length, beside);
    if (pieces.length !== 1 || this.syscall === 'sendmsg')
      return binding.sendmsg(handle.token, pieces, flags, length);
    return binding.sendto(handle.token, only, 0, only.byteLength, flags, length);
  }

  value(result: number): T {
    return result as T;
  }
}

/** The same for callers who know that a message goes whole or not at all, and ask for no other one's errors. */
export class SendWhole extends SendMessage<void> {
  override attempt(): number {
    return this.handle.sentErrors.past(() => super.attempt());
  }

  override value(): void {}
}

/** One message by itself, out of the caller's memory: 1, or -errno. */
function sendOne(state: SocketState, message: Outgoing, flags: number): number {
  const { pieces, name, control } = message;
  if (!isWhole(message)) return -C.EFAULT;
  const beside = control === null ? undefined : control.bytes;
  const length = present(name);
  const [only] = pieces;
  const result =
    pieces.length === 1 && beside === undefined
      ? binding.sendto(state.token, only, 0, only.byteLength, flags, length)
      : binding.sendmsg(state.token, pieces, flags, length, beside);
  return result < 0 ? result : 1;
}

/** One sendmmsg(2) for `messages` from `first` on: how many went. One larger than the slab goes by itself. */
function sendSome(
  state: SocketState,
  messages: readonly Outgoing[],
  first: number,
  flags: number,
  segment = 0,
): number {
  const entries = layOut(messages, first, segment);
  if (entries < 0) return entries;
  if (entries === 0) return sendOne(state, messages[first], flags);
  const result = binding.sendmmsg(state.token, entries, flags);
  if (result <= 0) return result;
  const sent = messagesIn(result);
  reactor.spend(sent - 1);
  return sent;
}

const REFUSED: readonly number[] = [-C.EINVAL, -C.EMSGSIZE, -C.EIO];

/**
 * The same in trains. Promise 15: one that the path refuses (a segment longer than its MTU, which the datagram by
 * itself would be cut up for; a device or a tunnel that can compute no checksums) goes as plain datagrams, and so
 * do those of its size from then on; all of them where no size can help (EIO).
 */
function sendTrains(state: SocketState, messages: readonly Outgoing[], first: number): number {
  if (first === messages.length - 1) return sendOne(state, messages[first], 0);
  const before = state.largestSegment;
  const result = sendSome(state, messages, first, 0, before);
  if (!REFUSED.includes(result) || messages[first].length > before) return result;
  state.largestSegment = result === -C.EIO ? 0 : messages[first].length - 1;
  const plain = sendSome(state, messages, first, 0, state.largestSegment);
  // It was something else that the kernel did not like.
  if (plain === result) state.largestSegment = before;
  return plain;
}

/** As many as go at once, past errors of messages that were sent before. */
function sendMany(state: SocketState, messages: readonly Outgoing[], first: number): number {
  return state.sentErrors.past(() => sendTrains(state, messages, first));
}

/** One sendmmsg(2): how many of the messages went. */
export class SendBatch extends Sending<number> {
  constructor(
    readonly handle: SocketState,
    private readonly messages: readonly Outgoing[],
    private readonly flags: number,
    /** The first one's recipient: a sendmmsg(2) that fails has failed at the first message. */
    readonly to: AddressInput | undefined,
  ) {
    super();
  }

  get syscall(): string {
    return 'sendmmsg';
  }

  attempt(): number {
    return sendSome(this.handle, this.messages, 0, this.flags);
  }

  value(result: number): number {
    return result;
  }
}

/** A message of a batch on its way out, checked; `name` is the argument's. */
export function outgoing(
  pieces: readonly Uint8Array[],
  to: AddressInput | undefined,
  control: readonly OutgoingControl[] | undefined,
  domain: number,
  name: string,
  toName = `${name}.to`,
): Outgoing {
  return {
    pieces,
    length: lengthOf(pieces),
    name: to === undefined ? null : encoded(to, domain, toName),
    control: EncodedControl.of(control, domain, to, `${name}.control`),
  };
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
    readonly handle: SocketState,
    private readonly messages: readonly Outgoing[],
    private readonly recipients: readonly (AddressInput | undefined)[],
  ) {
    super();
  }

  get syscall(): string {
    return 'sendmmsg';
  }

  get to(): AddressInput | undefined {
    return this.recipients[this.sent];
  }

  attempt(): number {
    const { messages, handle } = this;
    for (const turn = this.sent + MESSAGES_PER_TURN; this.sent < messages.length;) {
      if (this.sent >= turn) return UNFINISHED;
      const result = sendMany(handle, messages, this.sent);
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

  override annotate(error: Error): Error {
    return Object.assign(error, { messagesSent: this.sent });
  }
}

/** A message of several that are sent together, each for a caller of its own. */
export interface Gathered extends Outgoing {
  readonly to: AddressInput | undefined;
  resolve(): void;
  reject(error: Error): void;
}

/** Messages that were handed over in the same tick: each settled by itself, in their order. */
export class SendGathered extends Sending<void> {
  private sent = 0;

  constructor(
    readonly handle: SocketState,
    private readonly messages: readonly Gathered[],
  ) {
    super();
    this.resolve = (): void => {};
    this.reject = (error): void => {
      for (const message of messages.slice(this.sent)) message.reject(error);
    };
  }

  get syscall(): string {
    return 'send';
  }

  get to(): AddressInput | undefined {
    return this.messages[this.sent]?.to;
  }

  attempt(): number {
    const { messages, handle } = this;
    for (const turn = this.sent + MESSAGES_PER_TURN; this.sent < messages.length;) {
      if (this.sent >= turn) return UNFINISHED;
      const result = sendMany(handle, messages, this.sent);
      if (result === -EAGAIN || result === -ENOBUFS) return result;
      if (result < 0) messages[this.sent].reject(this.error(result));
      else for (let i = 0; i < result; i++) messages[this.sent + i].resolve();
      this.sent += Math.max(result, 1);
    }
    return 0;
  }

  value(): void {}
}
