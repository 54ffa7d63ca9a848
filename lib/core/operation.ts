// One call of one caller: how its system call is made, and what the result means to the caller. When it is
// made, and how long that is waited for, is the reactor's and waiting.ts's.
//
// Most calls never wait, so making an operation must cost next to nothing: there are no fields here, since a
// store in a constructor that many classes share is a look-up for V8, and one in a class of its own is not.

import { systemError, type ErrorSubject } from './errors';
import { LANE, WATCH, WRITE, type Direction, type Handle } from './handle';
import type { Waiting } from './waiting';

/** What `attempt` answers for fairness' sake, with more to do at once: go on in the next turn. */
export const UNFINISHED = -0x7ffffffe;

const PACE = [1, 100] as const;

// A method's type: TypeScript compares those both ways, so that an operation of less is one of more.
type Resolve<T> = { resolve(value: T): void }['resolve'];

export abstract class Operation<T> {
  resolve!: Resolve<T>;
  reject!: (error: Error) => void;
  /** Its place in the queue, once it has had to wait: made then, and used again if it is performed again. */
  waiting?: Waiting;

  abstract readonly handle: Handle;
  abstract readonly direction: Direction;
  /** What errors call it. */
  abstract readonly syscall: string;

  /** The system call: ≥ 0 done, -EAGAIN wait for an event, UNFINISHED, any other -errno failed. */
  abstract attempt(): number;
  /** What the caller gets for a result ≥ 0. */
  abstract value(result: number): T;

  /** The readiness to wait for; reading and writing wait for their own, lanes are for writing. */
  get interest(): number {
    return this.direction === LANE ? WRITE : this.direction;
  }

  /** What those who wait in the same lane have in common. */
  get lane(): string {
    return '';
  }

  /** Nobody waits for it any more, or yet: it may be performed again. */
  get isOver(): boolean {
    return this.waiting?.settled !== false;
  }

  /** Whether an attempt may succeed now; false spares a call that the kernel is known to refuse. */
  get promising(): boolean {
    return this.direction >= WATCH || this.handle.worthTrying(this.direction);
  }

  /** Whether its EAGAIN holds for every call in this direction; false where it is about a queue of its own. */
  get conclusive(): boolean {
    return true;
  }

  /** Whether this -errno passes by itself, with no event to announce it. */
  passes(_result: number): boolean {
    return false;
  }

  /** How long to wait for such a one: at first, doubling up to at most, in ms. */
  get pace(): readonly [number, number] {
    return PACE;
  }

  /** The address that errors name. */
  subject(): ErrorSubject | undefined {
    return undefined;
  }

  /** Says on an error how far a partial operation came. */
  annotate(error: Error): Error {
    return error;
  }

  error(result: number): Error {
    return systemError(result, this.syscall, this.subject());
  }

  /** What follows when the caller gives up, beyond the error: an aborted connect closes its socket. */
  abandoned(): void {}

  fail(error: Error): void {
    this.reject(this.annotate(error));
  }
}
