// Memberships as disposables: what was joined is left by disposing of it, once, and by closing the socket.

import type { Socket } from '../socket/socket';

/** Joins by `set(true)`; disposing of what is returned leaves by `set(false)`. */
export function joined(socket: Socket, set: (join: boolean) => void): Disposable {
  set(true);
  let member = true;
  return {
    [Symbol.dispose]: (): void => {
      // Closing has left everything.
      if (member && !socket.closed) set(false);
      member = false;
    },
  };
}
