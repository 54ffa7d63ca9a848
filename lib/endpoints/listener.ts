// Listener: a listening stream or SEQPACKET socket, and the connections that come to it.

import type { Operation } from '../core/operation';
import type { Wait } from '../core/validate';
import type { Address } from '../socket/address';
import { SteadyAccept } from '../socket/connection';
import { Socket } from '../socket/socket';
import { SocketState } from '../socket/state';
import { PullSource } from './source';

// accept(2) of a Unix socket gives no address for a peer that has not bound one.
const UNNAMED: Address = { family: 'unix', path: '' };

/** Makes the endpoint of an accepted socket. */
export type MakePeer<S> = (socket: Socket, remote: Address) => S;

export class Listener<S, A extends Address = Address>
  extends PullSource<S>
  implements AsyncDisposable
{
  private local: A | undefined;

  /** @internal Use `listen`. */
  constructor(
    readonly socket: Socket,
    private readonly makePeer: MakePeer<S>,
    private readonly onClose: () => void = () => {},
  ) {
    super();
  }

  /** The address it listens on, with the port that the kernel chose. */
  get address(): A {
    return (this.local ??= this.socket.getsockname() as A);
  }

  /**
   * The next connection. Connections that ended while they waited are passed over; where descriptors or
   * memory are short, it tries again until there are some (5 ms doubling to 1 s).
   */
  accept(options?: Wait): Promise<S> {
    return this.perform(this.next(), options);
  }

  /** Stops listening and closes; what waits for a connection ends. Connections that were accepted live on. */
  close(): Promise<void> {
    if (!this.socket.closed) {
      this.onClose();
      this.socket.close();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected next(): Operation<S> {
    const { domain, type, protocol } = this.socket;
    return new SteadyAccept<S>(this.socket.state, (token, peer) => {
      const socket = new Socket(new SocketState(token, domain, type, protocol));
      return this.makePeer(socket, peer ?? UNNAMED);
    });
  }
}
