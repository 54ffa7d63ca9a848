// One call of one caller: try → EAGAIN → wait → try. An operation knows how to make its system call and
// what its result means to the caller; when it is made is the reactor's, in which order the handle's.

import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers';
import { abortError, systemError, timeoutError, type ErrorSubject } from './errors';
import type { Direction, Handle } from './handle';
import type { Wait } from './validate';

/** What `attempt` answers while the operation has to wait; its own value, so that it reads as one. */
export type Outcome = number;

const PACE = [1, 100] as const;

export abstract class Operation<T> {
  next: Operation<unknown> | null = null;
  previous: Operation<unknown> | null = null;
  settled = false;
  /** In one of the handle's queues. */
  queued = false;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;
  /** Said -EAGAIN for fairness, not because the kernel did: goes on in the next turn. */
  unfinished = false;
  /** Where it waits out what no event announces: the delay before the next try, in ms. */
  delay = 0;
  retry: NodeJS.Timeout | undefined;

  private timer: NodeJS.Timeout | undefined;
  private signal: AbortSignal | undefined;
  private onAbort: (() => void) | undefined;

  constructor(
    readonly handle: Handle,
    readonly direction: Direction,
    readonly syscall: string,
  ) {}

  /** The system call: ≥ 0 done, -EAGAIN wait for an event, any other -errno failed. */
  abstract attempt(): Outcome;
  /** What the caller gets for a result ≥ 0. */
  abstract value(result: number): T;

  /** The readiness to wait for; reading and writing wait for their own. */
  get interest(): number {
    return this.direction;
  }

  /** Whether an attempt may succeed now; false spares a call that the kernel is known to refuse. */
  get promising(): boolean {
    return this.handle.worthTrying(this.direction);
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

  /** Lets the caller's signal and timeout end the wait through `giveUp`. Called once, when the wait begins. */
  limit(
    wait: Wait | undefined,
    giveUp: (operation: Operation<unknown>, error: Error) => void,
  ): void {
    if (wait === undefined) return;
    const { signal, timeout } = wait;
    if (signal !== undefined) {
      this.signal = signal;
      this.onAbort = (): void => giveUp(this as Operation<unknown>, abortError(signal));
      signal.addEventListener('abort', this.onAbort);
    }
    if (timeout !== undefined && timeout < 0x7fffffff) {
      this.timer = startTimer(
        () => giveUp(this as Operation<unknown>, timeoutError(this.syscall, timeout)),
        timeout,
      );
      // The wait itself keeps the process alive, or deliberately does not.
      this.timer.unref();
    }
  }

  succeed(result: number): void {
    this.finish();
    this.resolve(this.value(result));
  }

  fail(error: Error): void {
    this.finish();
    this.reject(this.annotate(error));
  }

  // Promise 3: a listener on a signal lives as long as the call.
  private finish(): void {
    this.settled = true;
    if (this.signal !== undefined)
      this.signal.removeEventListener('abort', this.onAbort as () => void);
    if (this.timer !== undefined) stopTimer(this.timer);
    if (this.retry !== undefined) stopTimer(this.retry);
    this.signal = this.timer = this.retry = undefined;
  }
}
