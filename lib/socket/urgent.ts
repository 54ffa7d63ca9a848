// Out-of-band data: MSG_OOB is received past all that waits for its turn.

import { PRIORITY } from '../native/binding';
import type { ErrorSubject } from '../core/errors';
import { WATCH } from '../core/handle';
import { Operation } from '../core/operation';
import { constants as C } from './constants';
import type { SocketState } from './state';

// The urgent byte has a place of its own in the kernel, so a `recv` that waits for ordinary bytes is no reason
// to wait, and an EAGAIN here says nothing about those: hence no reader, but a watcher of POLLPRI.
class OutOfTurn<T> extends Operation<T> {
  constructor(
    readonly handle: SocketState,
    private readonly receiving: Operation<T>,
  ) {
    super();
  }

  get direction(): typeof WATCH {
    return WATCH;
  }

  get syscall(): string {
    return this.receiving.syscall;
  }

  override get interest(): number {
    return PRIORITY;
  }

  attempt(): number {
    return this.receiving.attempt();
  }

  value(result: number): T {
    return this.receiving.value(result);
  }

  override subject(): ErrorSubject | undefined {
    return this.receiving.subject();
  }
}

/** The operation as it is, or, with MSG_OOB among its `flags`, out of its turn. */
export function inTurn<T>(
  receiving: Operation<T>,
  state: SocketState,
  flags: number | undefined,
): Operation<T> {
  return ((flags ?? 0) & C.MSG_OOB) === 0 ? receiving : new OutOfTurn(state, receiving);
}
