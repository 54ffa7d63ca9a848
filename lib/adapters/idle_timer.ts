// net.Socket's timeout: tells of a time in which nothing was read or written.

import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers';

// Node's timers would take a longer one for 1 ms.
const LONGEST = 0x7fffffff;

export class IdleTimer {
  private readonly timer: NodeJS.Timeout;
  private seen: number;

  /** From now on, until `stop`. */
  constructor(
    milliseconds: number,
    private readonly written: () => number,
    private readonly elapsed: () => void,
  ) {
    this.seen = written();
    this.timer = startTimer(() => this.ring(), Math.min(milliseconds, LONGEST)).unref();
  }

  /** Something was read or written. */
  refresh(): void {
    this.seen = this.written();
    this.timer.refresh();
  }

  stop(): void {
    stopTimer(this.timer);
  }

  // A large write that goes on is no silence.
  private ring(): void {
    if (this.written() === this.seen) this.elapsed();
    else this.refresh();
  }
}

/** The range, the errors and the words of Node's timers. */
export function checkMilliseconds(milliseconds: unknown): number {
  if (typeof milliseconds !== 'number') {
    const error = new TypeError(
      `The "msecs" argument must be of type number. Received ${typeof milliseconds}`,
    );
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
  }
  if (!(milliseconds >= 0 && milliseconds < Infinity)) {
    const error = new RangeError(
      `The value of "msecs" is out of range. It must be a non-negative finite number. Received ${milliseconds}`,
    );
    throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
  }
  return milliseconds;
}
