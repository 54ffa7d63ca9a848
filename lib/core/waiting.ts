// An operation that has to wait: its place in the handle's queue, the delay before its next try where no
// event will come, and the caller's limits, its signal and its timeout. Made when the wait begins.

import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers';
import { limit } from './limits';
import type { Operation } from './operation';
import type { Wait } from './validate';

type GiveUp = (waiting: Waiting, error: Error) => void;

export class Waiting {
  next: Waiting | null = null;
  previous: Waiting | null = null;
  settled = false;
  /** When a sweep of deadlines first saw this wait, as performance.now(); 0 before, Infinity where it has none. */
  seen = 0;
  /** Who must not be collected while this waits. */
  owner: object | undefined;
  private delay = 0;
  private retry: NodeJS.Timeout | undefined;
  private forget: (() => void) | undefined;

  constructor(readonly operation: Operation<unknown>) {}

  /** A wait begins, the first one or another one of the same operation. */
  begin(owner: object | undefined): void {
    this.owner = owner;
    this.settled = false;
    this.seen = 0;
    this.delay = 0;
  }

  /** Waits for a delay to pass, not for an event. */
  get delayed(): boolean {
    return this.retry !== undefined;
  }

  /** Lets the caller's signal end the wait through `giveUp`, and its timeout through `expire`. */
  limit(wait: Wait, giveUp: GiveUp, expire: GiveUp): void {
    this.forget = limit(
      wait,
      this.operation.syscall,
      (error) => giveUp(this, error),
      (error) => expire(this, error),
    );
  }

  /** Calls `again` after the operation's pace: twice as long as the last time. */
  pause(again: () => void): void {
    const { pace, handle } = this.operation;
    const [first, longest] = pace;
    this.delay = this.delay === 0 ? first : Math.min(2 * this.delay, longest);
    this.retry = startTimer(() => {
      this.retry = undefined;
      again();
    }, this.delay);
    this.reference(handle.referenced);
  }

  /** Whether the delay before the next try keeps the process alive. */
  reference(alive: boolean): void {
    if (alive) this.retry?.ref();
    else this.retry?.unref();
  }

  // Promise 3: a listener on a signal lives as long as the call. Calls the signal, which may be anybody's code.
  finish(): void {
    const { forget } = this;
    this.owner = undefined;
    if (this.retry !== undefined) stopTimer(this.retry);
    this.forget = this.retry = undefined;
    forget?.();
  }
}
