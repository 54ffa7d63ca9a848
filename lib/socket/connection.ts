// connect(2) and accept(2) as operations.

import { NAME_LENGTH, READ, WRITE } from '../native/binding';
import { EAGAIN, EINPROGRESS, type ErrorSubject } from '../core/errors';
import { LANE } from '../core/handle';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import type { Address, AddressInput } from './address';
import { constants as C } from './constants';
import { encoded, present } from './send';
import { decodeScratch, subjectOf } from './sockaddr';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const {
  AF_UNIX,
  ECONNABORTED,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMFILE,
  ENETDOWN,
  ENETUNREACH,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  ENONET,
  ENOPROTOOPT,
  EPERM,
  EPROTO,
} = C;

const { shared } = reactor.memory;

export class Connect extends Operation<void> {
  private readonly name: Uint8Array;
  private underWay = false;

  constructor(
    readonly handle: SocketState,
    private readonly to: AddressInput,
  ) {
    super();
    this.name = encoded(to, handle.domain, 'address');
  }

  // A Unix socket's connect ends at once or waits by the clock, whoever else waits.
  get direction(): typeof WRITE | typeof LANE {
    return this.handle.domain === AF_UNIX ? LANE : WRITE;
  }

  get syscall(): string {
    return 'connect';
  }

  override get promising(): boolean {
    return !this.underWay || super.promising;
  }

  // Promise 9: this is the only reader of SO_ERROR.
  attempt(): number {
    if (this.underWay) return binding.connectOutcome(this.handle.token);
    const result = binding.connect(this.handle.token, present(this.name));
    if (result !== -EINPROGRESS) return result;
    this.underWay = true;
    return -EAGAIN;
  }

  value(): void {}

  // Promise 11: a full backlog of a Unix listener is EAGAIN at once, and no event ever tells that there is room.
  override passes(result: number): boolean {
    return result === -EAGAIN && this.direction === LANE;
  }

  // Promise 2: a connection attempt cannot be taken back, so an abandoned one takes its socket along.
  override abandoned(): void {
    reactor.close(this.handle);
  }

  override subject(): ErrorSubject | undefined {
    return subjectOf(this.to);
  }
}

export class Accept<S> extends Operation<S> {
  constructor(
    readonly handle: SocketState,
    private readonly make: (token: number, peer: Address | null) => S,
  ) {
    super();
  }

  get direction(): typeof READ {
    return READ;
  }

  get syscall(): string {
    return 'accept';
  }

  attempt(): number {
    return binding.accept(this.handle.token);
  }

  value(token: number): S {
    return this.make(token, decodeScratch(shared[NAME_LENGTH]));
  }
}

// accept(2), Linux: errors of the connection that was taken off the queue; the listener is as good as before.
const PEERS_OWN = new Set(
  [
    ECONNABORTED,
    ENETDOWN,
    EPROTO,
    ENOPROTOOPT,
    EHOSTDOWN,
    ENONET,
    EHOSTUNREACH,
    ENETUNREACH,
    EPERM,
  ].map((errno) => -errno),
);
// Nothing is wrong with the listener, and the connection stays in its queue: edge-triggered, no event tells
// when there is room again.
const SHORTAGES = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM].map((errno) => -errno));
const MOST_IN_A_ROW = 64;

/** Promise 10: an accept that survives what is not the listener's fault. */
export class SteadyAccept<S> extends Accept<S> {
  private reported = false;

  /** `report` hears of a shortage once, however often it is tried again. */
  constructor(
    handle: SocketState,
    make: (token: number, peer: Address | null) => S,
    private readonly report: (error: Error) => void,
  ) {
    super(handle, make);
  }

  override attempt(): number {
    for (let tries = 0; tries < MOST_IN_A_ROW; tries++) {
      const result = super.attempt();
      if (SHORTAGES.has(result)) this.short(result);
      if (!PEERS_OWN.has(result)) return result;
    }
    return UNFINISHED;
  }

  // Not from within the attempt: who hears of it may close the listener.
  private short(result: number): void {
    if (this.reported) return;
    this.reported = true;
    const error = this.error(result);
    queueMicrotask(() => this.report(error));
  }

  // It may be performed again, and see the next shortage.
  override value(token: number): S {
    this.reported = false;
    return super.value(token);
  }

  override passes(result: number): boolean {
    return SHORTAGES.has(result);
  }

  override get pace(): readonly [number, number] {
    return [5, 1000];
  }
}
