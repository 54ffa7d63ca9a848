// DatagramSocket: UDP and Unix datagrams; multicast.

import { record, type Wait } from '../core/validate';
import type { Address } from '../socket/address';
import type { Message } from '../socket/message';
import {
  setMembership,
  setMulticast,
  type Membership,
  type MulticastOptions,
} from '../socket/multicast';
import { joined } from './membership';
import { MessageSocket } from './message';

/**
 * UDP or Unix datagrams, from `bind` (from and to anybody) or `connect` (one peer). Messages come one at a time, as
 * they were sent, by `receive()`, `for await` or `observe()`.
 * @example
 * const socket = await bind({ host: '127.0.0.1', port: 7007 });
 * for await (const { data, from } of socket) await socket.send(data, from!);
 */
export class DatagramSocket<A extends Address = Address> extends MessageSocket<A> {
  /** The next message; at most `size` bytes of it, and `truncated` where there were more. */
  receive(options?: Wait & { size?: number }): Promise<Message<A>> {
    return this.takeOne(options) as Promise<Message<A>>;
  }

  /**
   * Joins a multicast group, IPv4's or IPv6's: from anybody, or from `source` alone. Disposing of what is returned
   * leaves it again. A socket from `bind` hears the groups that it has joined, no others.
   * @throws SystemError EADDRINUSE (joined already), ENODEV (no such interface, or no route for the group) …
   */
  join(group: string, options: Membership = {}): Disposable {
    const membership = { ...record('options', options) };
    return joined(this.socket, (join) => setMembership(this.socket, join, group, membership));
  }

  /**
   * Leaves a group that was joined with the same arguments.
   * @throws SystemError EADDRNOTAVAIL where it was not
   */
  leave(group: string, options: Membership = {}): void {
    setMembership(this.socket, false, group, record('options', options));
  }

  /** How this socket's own multicasts go: through which interface, how far, whether back to this machine. */
  setMulticast(options: MulticastOptions): this {
    setMulticast(this.socket, record('options', options));
    return this;
  }
}
