// Happy Eyeballs v2 (RFC 8305): the addresses of one name in the order in which they are tried, and the race
// between the attempts. Knows nothing of how an attempt is made.

import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers';
import { abortError, timeoutError } from '../core/errors';
import { onceAborted } from '../core/signals';
import type { Wait } from '../core/validate';

/** RFC 8305, section 8: the Connection Attempt Delay, in ms. */
const ATTEMPT_DELAY = 250;
// Node's timers would take a longer one for 1 ms.
const LONGEST_TIMEOUT = 0x7fffffff;

/** RFC 8305, section 4: the families take turns, the resolver's first choice first. */
export function interleave<A extends { family: string }>(addresses: readonly A[]): A[] {
  const first = addresses.filter(({ family }) => family === addresses[0].family);
  const second = addresses.filter(({ family }) => family !== addresses[0].family);
  const rounds = Math.max(first.length, second.length);
  return Array.from({ length: rounds }, (_, i) => [
    ...first.slice(i, i + 1),
    ...second.slice(i, i + 1),
  ]).flat();
}

/** What is won, and closed where it comes second. */
interface Prize {
  close(): void;
}

/** Makes one attempt; gives up, and leaves nothing open, when `signal` is aborted. */
export type Attempt<A, S> = (candidate: A, signal: AbortSignal) => Promise<S>;

class Race<A, S extends Prize> {
  private readonly others = new AbortController();
  private readonly failures: Error[] = [];
  private started = 0;
  private failed = 0;
  private over = false;
  private next: NodeJS.Timeout | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private forget: (() => void) | undefined;

  constructor(
    private readonly candidates: readonly A[],
    private readonly attempt: Attempt<A, S>,
    private readonly resolve: (winner: S) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  begin({ signal, timeout }: Wait, asked: number | undefined): void {
    if (signal !== undefined) {
      if (signal.aborted) return this.giveUp(abortError(signal));
      this.forget = onceAborted(signal, () => this.giveUp(abortError(signal)));
    }
    if (timeout !== undefined && timeout < LONGEST_TIMEOUT) {
      const late = (): void => this.giveUp(timeoutError('connect', asked ?? timeout));
      // The attempts keep the process alive.
      this.deadline = startTimer(late, Math.max(0, timeout)).unref();
    }
    this.start();
  }

  // Section 5: the next attempt begins when the last one has failed or was given its time.
  private start(): void {
    stopTimer(this.next);
    const place = this.started++;
    if (this.started < this.candidates.length) {
      this.next = startTimer(() => this.start(), ATTEMPT_DELAY).unref();
    }
    this.attempt(this.candidates[place], this.others.signal).then(
      (socket) => this.arrived(socket),
      (error: unknown) => this.fell(place, error as Error),
    );
  }

  private arrived(socket: S): void {
    if (this.over) return socket.close();
    this.end();
    this.resolve(socket);
  }

  private fell(place: number, error: Error): void {
    if (this.over) return;
    this.failures[place] = error;
    if (++this.failed === this.candidates.length) this.giveUp(together(this.failures));
    else if (place === this.started - 1 && this.started < this.candidates.length) this.start();
  }

  private giveUp(error: Error): void {
    this.end();
    this.reject(error);
  }

  private end(): void {
    this.over = true;
    stopTimer(this.next);
    stopTimer(this.deadline);
    this.forget?.();
    this.others.abort();
  }
}

function together(failures: readonly Error[]): Error {
  const [first] = failures;
  if (failures.length === 1) return first;
  const all = new AggregateError(failures, failures.map(({ message }) => message).join('; '));
  return Object.assign(all, { code: (first as { code?: string }).code });
}

/**
 * The first of `candidates` to which `attempt` comes through: they begin one after the other, 250 ms apart or as
 * soon as the one before has failed, and the first to arrive ends the others. `asked` is the timeout that
 * errors name, of which `wait.timeout` is what is left.
 * @throws every failure in one AggregateError, in the candidates' order; ABORT_ERR; ERR_SOCKET_TIMEOUT
 */
export function race<A, S extends Prize>(
  candidates: readonly A[],
  attempt: Attempt<A, S>,
  wait: Wait,
  asked: number | undefined,
): Promise<S> {
  return new Promise((resolve, reject) => {
    new Race(candidates, attempt, resolve, reject).begin(wait, asked);
  });
}
