// TCP's urgent bytes as they come: one at a time, beside the stream (tcp(7), RFC 6093).

import { PRIORITY } from '../native/binding';
import { EAGAIN } from '../core/errors';
import { WATCH } from '../core/handle';
import { Operation } from '../core/operation';
import { binding } from '../native/load';
import { constants as C } from './constants';
import type { SocketState } from './state';

/** The next urgent byte; null when the connection is down. */
export class ReceiveUrgent extends Operation<number | null> {
  private readonly byte = new Uint8Array(1);

  constructor(readonly handle: SocketState) {
    super();
  }

  // Beside the readers: urgent data does not wait for the data before it to be read.
  get direction(): typeof WATCH {
    return WATCH;
  }

  override get interest(): number {
    return PRIORITY;
  }

  get syscall(): string {
    return 'recv';
  }

  // EINVAL: there is none, or it was received already. EAGAIN: announced, and not here yet (tcp_recv_urg).
  attempt(): number {
    const { token } = this.handle;
    const result = binding.recv(token, this.byte, 0, 1, C.MSG_OOB);
    if (result !== -C.EINVAL && result !== -EAGAIN) return result;
    const down = (binding.poll(token, 0) & (C.POLLHUP | C.POLLERR)) !== 0;
    return down ? 0 : -EAGAIN;
  }

  value(result: number): number | null {
    return result === 0 ? null : this.byte[0];
  }
}
