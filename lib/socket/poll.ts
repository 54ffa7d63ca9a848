// poll(2) over many sockets. What waits is a `Ready` for each of them; the first that has news makes all look.

import { closedError, invalidType, invalidValue } from '../core/errors';
import { reactor } from '../core/runtime';
import { record, wait as checkWait, type Wait } from '../core/validate';
import type { Waiting } from '../core/waiting';
import { Ready, type Interest, type Readiness } from './ready';
import { SocketDescriptor } from './descriptor';
import type { Socket } from './socket';

/** A socket, and what to wait for on it: at least one of them. */
export interface Polled extends Interest {
  socket: Socket;
}

/** A socket that is ready, and what for. */
export interface PollResult extends Readiness {
  socket: Socket;
}

/**
 * poll(2), and select(2): resolves with all those of `sockets` that are ready, in their order, as soon as one
 * is. Level-triggered, as `ready` is, and a hint as that; looking at n sockets takes n looks. A socket may
 * occur more than once. Where one of them is closed, it rejects with ERR_SOCKET_CLOSED.
 */
export function poll(sockets: readonly Polled[], options?: Wait): Promise<PollResult[]> {
  if (!Array.isArray(sockets)) throw invalidType('sockets', 'an Array', sockets);
  if (sockets.length === 0) throw invalidValue('sockets', 'at least one', sockets);
  const polled = sockets as readonly Polled[];
  const wait = checkWait(options);
  polled.forEach(check);
  return new Promise((resolve, reject) => {
    new Poll(polled, resolve, reject).start(wait);
  });
}

function check(polled: Polled, i: number): void {
  record(`sockets[${i}]`, polled);
  if (!(polled.socket instanceof SocketDescriptor))
    throw invalidType(`sockets[${i}].socket`, 'an instance of Socket', polled.socket);
  new Ready(polled.socket.state, polled, `sockets[${i}]`);
}

class Poll {
  private readonly waits: Waiting[] = [];
  private over = false;

  constructor(
    private readonly polled: readonly Polled[],
    private readonly resolve: (ready: PollResult[]) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  /** Each wait begins with a look; the first one bears the caller's limits for all. */
  start(wait: Wait | undefined): void {
    const reject = (error: Error): void => this.end(() => this.reject(error));
    for (const [i, polled] of this.polled.entries()) {
      const looking = new Ready(polled.socket.state, polled);
      looking.resolve = (readiness) => this.look(i, readiness);
      looking.reject = reject;
      const waiting = reactor.submit(looking, i === 0 ? wait : undefined, polled.socket);
      if (this.over) return;
      if (waiting !== undefined) this.waits.push(waiting);
    }
  }

  // The `first` to have news; what the others have by now comes along.
  private look(first: number, news: Readiness): void {
    if (this.over) return;
    const ready: PollResult[] = [];
    for (const [i, polled] of this.polled.entries()) {
      const { socket } = polled;
      const looking = new Ready(socket.state, polled);
      const revents = i === first ? 0 : looking.attempt();
      if (i === first) ready.push({ socket, ...news });
      else if (revents > 0) ready.push({ socket, ...looking.value(revents) });
    }
    this.end(() => this.resolve(ready));
  }

  private end(settle: () => void): void {
    if (this.over) return;
    this.over = true;
    settle();
    const over = closedError('poll');
    for (const waiting of this.waits) reactor.cancel(waiting, over);
  }
}
