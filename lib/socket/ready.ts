// poll(2) as an operation: a hint about readiness, level-triggered however the reactor learns of it.

import { PRIORITY, READ, WRITE } from '../native/binding';
import { EAGAIN } from '../core/errors';
import { WATCH } from '../core/handle';
import { Operation } from '../core/operation';
import { invalidValue } from '../core/errors';
import { record } from '../core/validate';
import { binding } from '../native/load';
import { constants as C } from './constants';
import type { SocketState } from './state';

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
    this.events =
      (asked.read === true ? C.POLLIN : 0) |
      (asked.write === true ? C.POLLOUT : 0) |
      (asked.priority === true ? C.POLLPRI : 0);
    this.wanted =
      (asked.read === true ? READ : 0) |
      (asked.write === true ? WRITE : 0) |
      (asked.priority === true ? PRIORITY : 0);
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

  attempt(): number {
    const revents = binding.poll(this.handle.token, this.events);
    return revents === 0 ? -EAGAIN : revents;
  }

  value(revents: number): Readiness {
    return {
      read: (revents & C.POLLIN) !== 0,
      write: (revents & C.POLLOUT) !== 0,
      priority: (revents & C.POLLPRI) !== 0,
      error: (revents & C.POLLERR) !== 0,
      hangup: (revents & C.POLLHUP) !== 0,
    };
  }
}
