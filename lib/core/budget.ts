// How much work one turn of the loop may do before timers and everybody else get theirs: 256 messages or
// about a millisecond (a flood with 1024 messages a turn delayed a 5 ms timer by 8 ms).

import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

const MESSAGES = 256;
const MILLISECONDS = 1;
// Reading the clock costs about a tenth of a system call.
const WORK_PER_LOOK = 8;

type Later = (renew: () => void) => void;

export class Budget {
  private spent = 0;
  // Calls and messages since the clock was looked at: a batch is many messages' work for whoever handles it.
  private unseen = 0;
  private began = 0;
  private renewing = false;

  /** `later` calls back when a turn of the loop has ended. */
  constructor(
    private readonly later: Later = (renew) => void setImmediate(renew).unref(),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A new turn begins. */
  renew(): void {
    this.spent = 0;
    this.unseen = 0;
    this.began = 0;
  }

  /** Whether the next call may still be made in this turn. */
  left(): boolean {
    if (this.spent >= MESSAGES) return false;
    if (++this.unseen < WORK_PER_LOOK) return true;
    this.unseen = 0;
    this.renewInTime();
    const now = this.now();
    if (this.began === 0) this.began = now;
    else if (now - this.began >= MILLISECONDS) this.spent = MESSAGES;
    return this.spent < MESSAGES;
  }

  spend(messages: number): void {
    this.spent += messages;
    if (messages < 2) return;
    this.unseen += messages;
    // Its handlers run after it: from here on time is theirs.
    if (this.began === 0) this.began = this.now();
    this.renewInTime();
  }

  // Calls come from timers and other people's callbacks too: no wake-up of ours announces their turns.
  private renewInTime(): void {
    if (this.renewing) return;
    this.renewing = true;
    this.later(() => {
      this.renewing = false;
      this.renew();
    });
  }
}
