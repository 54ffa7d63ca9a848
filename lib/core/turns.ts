// Handles whose turn comes with the next one of the loop: their budget was spent, their edge was not, and an
// edge-triggered poller would not tell of it again.

import { setImmediate, setTimeout as startTimer } from 'node:timers';
import type { Budget } from './budget';
import type { Handle } from './handle';

export class Turns {
  private pending: Handle[] = [];
  private planned = false;

  constructor(
    private readonly budget: Budget,
    private readonly advance: (handle: Handle) => void,
    /** Whether anybody waits who keeps the process alive. */
    private readonly isReferenced: () => boolean,
  ) {}

  postpone(handle: Handle): void {
    if (!handle.pending) {
      handle.pending = true;
      this.pending.push(handle);
    }
    this.plan();
  }

  // An immediate keeps the loop turning, which calls that keep nobody alive must not do: a timer waits its turn.
  private plan(): void {
    if (this.planned || this.pending.length === 0) return;
    this.planned = true;
    if (this.isReferenced()) setImmediate(this.take);
    else startTimer(this.take, 1).unref();
  }

  // Who gets no turn this time is the first the next time: a flood goes behind everybody it has kept waiting.
  private readonly take = (): void => {
    this.planned = false;
    this.budget.renew();
    const handles = this.pending;
    this.pending = [];
    let served = 0;
    while (served < handles.length && this.budget.left()) {
      const handle = handles[served++];
      handle.pending = false;
      if (!handle.closed) this.advance(handle);
    }
    this.pending = handles.slice(served).concat(this.pending);
    this.plan();
  };
}
