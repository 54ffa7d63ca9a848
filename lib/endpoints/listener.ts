// Listener: a listening stream or SEQPACKET socket, and the connections that come to it.

import type { Operation } from '../core/operation';
import type { Wait } from '../core/validate';
import type { Address } from '../socket/address';
import { SteadyAccept } from '../socket/connection';
import { Socket } from '../socket/socket';
import { SocketState } from '../socket/state';
import { drop, Serving, warn, type Handler, type Peer, type ServeOptions } from './serving';
import { PullSource } from './source';

// accept(2) of a Unix socket gives no address for a peer that has not bound one.
const UNNAMED: Address = { family: 'unix', path: '' };

/** Makes the endpoint of an accepted socket. */
export type MakePeer<S> = (socket: Socket, remote: Address) => S;

/**
 * A listening socket, from `listen`: connections by `accept()`, `for await`, `observe()`, or a handler for each by
 * `serve()`.
 * @example
 * const server = await listen({ port: 7007 });
 * for await (const peer of server) handle(peer).catch(console.error);
 */
export class Listener<S extends Peer, A extends Address = Address>
  extends PullSource<S>
  implements AsyncDisposable
{
  private local: A | undefined;
  private report: (error: Error) => void = warn;

  /** @internal Use `listen`. */
  constructor(
    readonly socket: Socket,
    private readonly makePeer: MakePeer<S>,
    private readonly onClose: () => void = () => {},
  ) {
    super();
  }

  /**
   * The address it listens on, with the port that the kernel chose; remembered once it was asked for.
   * @throws ERR_SOCKET_CLOSED where it is closed and nobody has asked before
   */
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

  /**
   * Runs `handler` for every connection until `signal` is aborted or the listener is closed; then it listens no
   * longer, gives the handlers `drainTimeout` ms to end, aborts their signal, closes what is left, and resolves.
   *
   * A handler that returns a promise is done when that settles: its peer is closed then, politely, or with a
   * reset where it failed. One that returns anything else, or nothing, has the peer for its own, and closes it when it likes.
   * Errors of handlers, and shortages of descriptors or memory, go to `onError` and end nothing.
   * @throws SystemError of accept(2) where the listener itself has failed
   */
  serve(handler: Handler<S>, options?: ServeOptions<S>): Promise<void> {
    const serving = new Serving(this, handler, options);
    const { report } = this;
    this.report = (error) => serving.report(error);
    return serving.run().finally(() => {
      this.report = report;
    });
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

  /** @internal A connection that was accepted for nobody (promise 8). */
  discard(peer: S): void {
    drop(peer);
  }

  protected next(): Operation<S> {
    const { domain, type, protocol } = this.socket;
    return new SteadyAccept<S>(
      this.socket.state,
      (token, peer) => {
        const state = new SocketState(token, domain, type, protocol).like(this.socket.state);
        const socket = new Socket(state);
        return this.makePeer(socket, peer ?? UNNAMED);
      },
      (error) => this.report(error),
    );
  }
}
