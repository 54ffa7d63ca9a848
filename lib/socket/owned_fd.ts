// A descriptor that came with a message, SCM_RIGHTS or SCM_PIDFD. It has a place in the core's table from the
// moment it came, so that it is closed with everything else where its thread ends.

import { closedError } from '../core/errors';
import { binding } from '../native/load';

const lost = new FinalizationRegistry<number>((token) => {
  binding.close(token);
});

/**
 * A descriptor, close-on-exec, that is closed by `close`, by `using`, or when it is collected, unless it was
 * taken. It may be anything: a socket (`Socket.fromFd(owned.take())`), a file, a pipe.
 */
export class OwnedFd {
  private token: number;

  /** @internal Received, never made. */
  constructor(token: number) {
    this.token = token;
    lost.register(this, token, this);
  }

  /** Its number, to look at or to send on; -1 once it was taken or closed. */
  get fd(): number {
    return this.token < 0 ? -1 : Math.max(binding.fd(this.token), -1);
  }

  /**
   * Hands the descriptor over: whoever takes it closes it.
   * @throws ERR_SOCKET_CLOSED where it was taken or closed before
   */
  take(): number {
    if (this.token < 0) throw closedError('take');
    return binding.detach(this.leave());
  }

  /** Again, or after `take`: nothing. */
  close(): void {
    if (this.token >= 0) binding.close(this.leave());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private leave(): number {
    const { token } = this;
    this.token = -1;
    lost.unregister(this);
    return token;
  }
}
