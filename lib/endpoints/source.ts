// What all endpoints that yield items share: pulled by promise, iterator or Observable, one beside the other,
// each item to exactly one of them.

import type { Observable } from 'rxjs';
import type { Pull, Pullable } from '../adapters/contract';
import { iterate, type IterateOptions } from '../adapters/iterate';
import { observe, POLICIES, type ObserveOptions } from '../adapters/observe';
import { closedError } from '../core/errors';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { Waiting } from '../core/waiting';
import { known, wait as checkWait, type KeysOf, type Wait } from '../core/validate';
import { checkOverflow, OVERFLOW_KEYS } from './overflow';

export type { IterateOptions, ObserveOptions };

/** A pull that was answered at once. */
export const OVER: Pull = {};

const ITERATE_KEYS: KeysOf<IterateOptions> = { signal: true };
const OBSERVE_KEYS: KeysOf<ObserveOptions> = { ...OVERFLOW_KEYS, signal: true };

/** An iterator's steps have no deadline of their own: a `timeout` would be for nobody. */
export function checkIterate(options: IterateOptions | undefined): IterateOptions | undefined {
  return options === undefined ? undefined : checkWait(known('options', options, ITERATE_KEYS));
}

/** Ends a pull of ours that waits: nothing was moved, and its callbacks hear nothing. */
export function takeBack(pull: Pull): void {
  if (!(pull instanceof Waiting)) return;
  const { operation } = pull;
  operation.reject = (): void => {};
  reactor.abandon(pull, closedError(operation.syscall));
}

/** What every endpoint is: something that yields chunks, messages or connections, each to one reader. */
export interface Source<T> extends AsyncIterable<T> {
  /** An iterator over what comes; leaving it early cancels the wait at once and loses nothing. */
  iterate(options?: IterateOptions): AsyncIterableIterator<T, undefined>;
  /** A cold rxjs Observable of what comes. */
  observe(options?: ObserveOptions<T>): Observable<T>;
}

export abstract class PullSource<T> implements Source<T>, Pullable<T> {
  /** Closing is closed to callers, though the descriptor may live until the peer has ended. */
  protected closing: Promise<void> | undefined;
  // The last pull's operation, used again when it is over: most sources are pulled by one reader, step by step.
  private pulled: Operation<T | null> | undefined;

  /**
   * An iterator over what comes, as `for await` takes one. It ends when the source does or this side closes it;
   * leaving it early loses nothing and closes nothing.
   */
  iterate(options?: IterateOptions): AsyncIterableIterator<T, undefined> {
    return iterate(this, checkIterate(options));
  }

  /** A cold rxjs Observable of what comes: reading begins with a subscription and ends with it. */
  observe(options?: ObserveOptions<T>): Observable<T> {
    checkOverflow(options, POLICIES, OBSERVE_KEYS);
    checkWait(options === undefined ? undefined : { signal: options.signal });
    return observe(this, options);
  }

  /**
   * What rxjs takes for an Observable: `from(source)`, `merge(source, …)` are `observe()`, and not an iteration, which
   * rxjs cannot leave while it waits: it would take one more item, and lose it.
   */
  '@@observable'(): Observable<T> {
    return this.observe();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return this.iterate();
  }

  /** @internal The contract with the adapters. */
  pull(got: (item: T | null) => void, failed: (error: Error) => void, signal?: AbortSignal): Pull {
    const operation = this.step();
    if (this.closing !== undefined) {
      failed(closedError(operation.syscall));
      return OVER;
    }
    operation.resolve = got;
    operation.reject = failed;
    return reactor.submit(operation, signal === undefined ? undefined : { signal }, this) ?? OVER;
  }

  /** @internal */
  withdraw(pull: Pull): void {
    takeBack(pull);
  }

  protected step(): Operation<T | null> {
    const { pulled } = this;
    return pulled?.isOver === true ? pulled : (this.pulled = this.next());
  }

  /** The operation that yields the next item, null at the end. */
  protected abstract next(): Operation<T | null>;

  protected perform<R>(operation: Operation<R>, options: Wait | undefined): Promise<R> {
    const wait = checkWait(options);
    if (this.closing !== undefined) return Promise.reject(closedError(operation.syscall));
    return reactor.perform(operation, wait, this);
  }
}
