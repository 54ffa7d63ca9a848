// send(2), sendto(2), sendmsg(2) as operations. Many messages at once: send_many.ts.

import { Buffer } from 'node:buffer';
import { WRITE } from '../native/binding';
import { EAGAIN, ENOBUFS, type ErrorSubject } from '../core/errors';
import { LANE } from '../core/handle';
import { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { AddressInput, OpaqueAddress, UnixAddress } from './address';
import { lengthOf, MEMORY_GONE } from './bytes';
import { constants as C } from './constants';
import { EncodedControl, type OutgoingControl } from './control';
import type { Outgoing } from './lay_out';
import { encodeAddress, subjectOf } from './sockaddr';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { AF_UNIX, SOCK_DGRAM } = C;

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

export abstract class Sending<T> extends Operation<T> {
  abstract override readonly handle: SocketState;

  /** The recipient, where this socket is not connected to it. */
  abstract readonly to: AddressInput | undefined;

  /** The recipient whose lane it waits in: of a batch the first one, so that the lane stays the same. */
  get lead(): AddressInput | undefined {
    return this.to;
  }

  // The EAGAIN of a Unix datagram is about its recipient's queue. Where this socket is not connected to it, no
  // event tells that there is room: poll(2) looks at the connected peer's queue alone (unix_dgram_poll).
  get direction(): typeof WRITE | typeof LANE {
    return this.lead !== undefined && this.handle.domain === AF_UNIX ? LANE : WRITE;
  }

  override get lane(): string {
    // An address of another form has bytes, or is one that the kernel refuses.
    const { path, data } = this.lead as Partial<UnixAddress & OpaqueAddress>;
    return typeof path === 'string' ? path : Buffer.from(path ?? data ?? '').toString('latin1');
  }

  override get conclusive(): boolean {
    return this.handle.domain !== AF_UNIX || this.handle.type !== SOCK_DGRAM;
  }

  // Promise 14. ENOBUFS (a full device queue) comes and goes without an event.
  override passes(result: number): boolean {
    if (result === -ENOBUFS) return true;
    return result === -EAGAIN && this.to !== undefined && this.handle.domain === AF_UNIX;
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
    const { handle } = this;
    const result = binding.send(handle.token, this.data, 0, this.length, this.flags);
    return result < 0 ? handle.heard(result) : result;
  }

  value(result: number): number {
    return result;
  }
}

export class SendMessage<T = number> extends Sending<T> {
  private readonly name: Uint8Array | null;
  private readonly length: number;
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
    this.length = lengthOf(pieces);
  }

  attempt(): number {
    const { handle, pieces, flags, control } = this;
    if (lengthOf(pieces) !== this.length) return MEMORY_GONE;
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
    return this.after(super.attempt());
  }

  /** Goes on behind a first call that has answered `sent`; what attempt() would answer. */
  after(sent: number): number {
    return sent >= 0 ? sent : this.handle.sentErrors.past(sent, () => super.attempt());
  }

  override value(): void {}
}

/**
 * One sendto(2) of a message without an operation, where nobody waits before it; its result, or undefined where
 * somebody does. Not for Unix addresses, each of which has a lane of its own.
 */
export function sendMessageNow(
  state: SocketState,
  data: Uint8Array,
  to: AddressInput | undefined,
): number | undefined {
  const { byteLength } = data;
  const length = to === undefined ? 0 : encodeAddress(to, state.domain, 'to');
  if (!reactor.mayCall(state, WRITE)) return undefined;
  const result = binding.sendto(state.token, data, 0, byteLength, 0, length);
  if (result >= 0) reactor.spend(1);
  return result;
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
