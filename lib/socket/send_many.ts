// Many messages at once: sendmmsg(2) by name, a batch to its end, and what was gathered in one tick.

import { EAGAIN, ENOBUFS } from '../core/errors';
import { UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { AddressInput } from './address';
import { constants as C } from './constants';
import { isWhole, layOut, messagesIn, type Outgoing } from './lay_out';
import { present, Sending } from './send';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { EFAULT, EINVAL, EIO, EMSGSIZE, MSG_ZEROCOPY } = C;

/** One message by itself, out of the caller's memory: 1, or -errno. */
function sendOne(state: SocketState, message: Outgoing, flags: number): number {
  const { pieces, name, control } = message;
  if (!isWhole(message)) return -EFAULT;
  const beside = control === null ? undefined : control.bytes;
  const length = present(name);
  const [only] = pieces;
  const result =
    pieces.length === 1 && beside === undefined
      ? binding.sendto(state.token, only, 0, only.byteLength, flags, length)
      : binding.sendmsg(state.token, pieces, flags, length, beside);
  return result < 0 ? result : 1;
}

/**
 * With MSG_ZEROCOPY the kernel goes on reading after the call: the caller's memory, which is his to leave alone, and
 * not the slab, whose next use would be on the wire. So each goes by itself.
 */
function sendUncopied(state: SocketState, messages: readonly Outgoing[], flags: number): number {
  let sent = 0;
  for (const message of messages) {
    const result = sendOne(state, message, flags);
    if (result < 0) return sent > 0 ? sent : result;
    sent++;
  }
  return sent;
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

const REFUSED: readonly number[] = [-EINVAL, -EMSGSIZE, -EIO];

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
  state.largestSegment = result === -EIO ? 0 : messages[first].length - 1;
  const plain = sendSome(state, messages, first, 0, state.largestSegment);
  // It was something else that the kernel did not like.
  if (plain === result) state.largestSegment = before;
  return plain;
}

/** As many as go at once, past errors of messages that were sent before. */
function sendMany(state: SocketState, messages: readonly Outgoing[], first: number): number {
  const sent = sendTrains(state, messages, first);
  return sent >= 0 ? sent : state.sentErrors.past(sent, () => sendTrains(state, messages, first));
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
    const { handle, messages, flags } = this;
    if ((flags & MSG_ZEROCOPY) !== 0) return sendUncopied(handle, messages, flags);
    return sendSome(handle, messages, 0, flags);
  }

  value(result: number): number {
    return result;
  }
}

/** What became of a batch: how many messages went, and why the next one did not. */
export interface BatchSent {
  sent: number;
  error?: Error;
}

const MESSAGES_PER_TURN = 256;

/** Messages in their order, as many turns as it takes. */
abstract class SendingMany<T> extends Sending<T> {
  protected sent = 0;
  protected abstract readonly messages: readonly Outgoing[];

  attempt(): number {
    const { messages, handle } = this;
    for (const turn = this.sent + MESSAGES_PER_TURN; this.sent < messages.length;) {
      if (this.sent >= turn) return UNFINISHED;
      const result = sendMany(handle, messages, this.sent);
      if (result === -EAGAIN || result === -ENOBUFS) return result;
      if (result < 0) {
        if (!this.refuse(result)) break;
        this.sent++;
      } else {
        this.took(result);
        this.sent += result;
      }
    }
    return 0;
  }

  /** The kernel has taken the next `count`. */
  protected took(_count: number): void {}
  /** The kernel has refused the next one; whether those behind it are to go. */
  protected abstract refuse(result: number): boolean;
}

/** All messages of a batch, up to the first that the kernel refuses. */
export class SendEach extends SendingMany<BatchSent> {
  private refused = 0;

  constructor(
    readonly handle: SocketState,
    protected readonly messages: readonly Outgoing[],
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

  override get lead(): AddressInput | undefined {
    return this.recipients[0];
  }

  protected refuse(result: number): boolean {
    this.refused = result;
    return false;
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

// took() has resolved each.
function resolveAll(): void {}

function rejectRest(this: SendGathered, error: Error): void {
  this.fallThrough(error);
}

/** Messages that were handed over in the same tick: each settled by itself, in their order. */
export class SendGathered extends SendingMany<void> {
  constructor(
    readonly handle: SocketState,
    protected readonly messages: readonly Gathered[],
  ) {
    super();
    // Nothing made for each of these: V8 keeps an object alive that has a closure until the next full collection,
    // with all that it knows.
    this.resolve = resolveAll;
    this.reject = rejectRest;
  }

  /** Each that the kernel has not taken. */
  fallThrough(error: Error): void {
    for (const message of this.messages.slice(this.sent)) message.reject(error);
  }

  get syscall(): string {
    return 'send';
  }

  get to(): AddressInput | undefined {
    return this.messages[this.sent]?.to;
  }

  override get lead(): AddressInput | undefined {
    return this.messages[0].to;
  }

  protected override took(count: number): void {
    for (let i = 0; i < count; i++) this.messages[this.sent + i].resolve();
  }

  protected refuse(result: number): boolean {
    this.messages[this.sent].reject(this.error(result));
    return true;
  }

  value(): void {}
}
