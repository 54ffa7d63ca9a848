// poll(2) as an operation: a hint about readiness, level-triggered however the reactor learns of it.

import { ERROR, HANGUP, PRIORITY, READ, WRITE } from '../native/binding';
import { EAGAIN } from '../core/errors';
import { WATCH } from '../core/handle';
import { Operation } from '../core/operation';
import { invalidValue } from '../core/errors';
import { record } from '../core/validate';
import { binding } from '../native/load';
import { constants as C } from './constants';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI } = C;

/** What to wait for: at least one of them. */
export interface Interest {
  read?: boolean;
  write?: boolean;
  priority?: boolean;
}

/** What poll(2) said; `error` and `hangup` are told whether asked for or not. */
export interface Readiness {
  read: boolean;
  write: boolean;
  priority: boolean;
  error: boolean;
  hangup: boolean;
}

export class Ready extends Operation<Readiness> {
  private readonly events: number;
  private readonly wanted: number;

  constructor(
    readonly handle: SocketState,
    asked: Interest,
    name = 'events',
  ) {
    super();
    record(name, asked);
    this.wanted =
      (asked.read === true ? READ : 0) |
      (asked.write === true ? WRITE : 0) |
      (asked.priority === true ? PRIORITY : 0);
    this.events = eventsOf(this.wanted);
    if (this.wanted === 0)
      throw invalidValue(name, 'at least one of read, write and priority', asked);
  }

  get direction(): typeof WATCH {
    return WATCH;
  }

  get syscall(): string {
    return 'poll';
  }

  override get interest(): number {
    return this.wanted;
  }

  // Behind an EAGAIN the kernel need not be asked, unless for what is not in the cache: urgent data, and an error that
  // stands still.
  override get promising(): boolean {
    const { handle, wanted } = this;
    return (wanted & PRIORITY) !== 0 || handle.alarmed || handle.worthTrying(wanted);
  }

  // While an event is delivered it says itself what poll(2) would.
  attempt(): number {
    const { handle, wanted } = this;
    const revents =
      handle.news === 0
        ? binding.poll(handle.token, this.events)
        : eventsOf(handle.news & (wanted | ERROR | HANGUP));
    if ((revents & (POLLERR | POLLHUP)) === 0) handle.alarmed = false;
    return revents === 0 ? -EAGAIN : revents;
  }

  value(revents: number): Readiness {
    return {
      read: (revents & POLLIN) !== 0,
      write: (revents & POLLOUT) !== 0,
      priority: (revents & POLLPRI) !== 0,
      error: (revents & POLLERR) !== 0,
      hangup: (revents & POLLHUP) !== 0,
    };
  }
}

/** Interest or readiness as poll(2) says it. */
function eventsOf(readiness: number): number {
  return (
    ((readiness & READ) !== 0 ? POLLIN : 0) |
    ((readiness & WRITE) !== 0 ? POLLOUT : 0) |
    ((readiness & PRIORITY) !== 0 ? POLLPRI : 0) |
    ((readiness & ERROR) !== 0 ? POLLERR : 0) |
    ((readiness & HANGUP) !== 0 ? POLLHUP : 0)
  );
}
