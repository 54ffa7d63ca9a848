// A source as a cold rxjs Observable: each subscription pulls for itself, from when it subscribes until it
// unsubscribes. The only file that loads rxjs, and does so only when it is needed.
//
// rxjs has no demand: `next` returns and the subscriber is ready for more. So back-pressure means that an
// item is read when the one before it was taken (`pause`), or that reading goes on while the subscriber is
// slow and a queue of `highWaterMark` items stands between (`dropOldest`, `dropNewest`, `error`).

import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { clearImmediate, setImmediate } from 'node:timers';
import type * as Rxjs from 'rxjs';
import { isClosed, type Pull, type Pullable } from './contract';
import { BoundedQueue, overflowError, type OverflowOptions } from './overflow';

/** What happens to items while a subscriber is slow: see `ObserveOptions.overflow`. */
export type Overflow = 'pause' | 'dropOldest' | 'dropNewest' | 'error';

/** How `observe` treats a slow subscriber, and what ends it. */
export interface ObserveOptions<T = unknown> extends OverflowOptions<T> {
  /**
   * What happens to items that come while the subscriber is slow. `pause` (unless told): they are not read,
   * and the kernel's queue does what it does. The others read on, and drop or fail beyond `highWaterMark`.
   */
  overflow?: Overflow | undefined;
  /** Aborted: the Observable ends with an AbortError. */
  signal?: AbortSignal | undefined;
}

// How long a subscriber is served at a stretch while others wait, in ms.
const SLICE = 1;

class Pump<T> {
  private pulling: Pull | undefined;
  private inLoop = false;
  private waiting = false;
  private stopped = false;
  private readonly queue: BoundedQueue<T>;
  private readonly pausing: boolean;
  private served = 0;
  private nextTurn: NodeJS.Immediate | undefined;
  private ending: (() => void) | undefined;
  // Promise 19: `next` runs in the subscriber's asynchronous context, whoever woke the source.
  private readonly context = new AsyncResource('eagain.observe');
  private readonly got = (item: T | null): void => this.enter(() => this.take(item));
  private readonly failed = (error: Error): void => this.enter(() => this.fail(error));

  constructor(
    private readonly source: Pullable<T>,
    private readonly subscriber: Rxjs.Subscriber<T>,
    private readonly options: ObserveOptions<T>,
  ) {
    const { overflow = 'pause', highWaterMark, onDrop } = options;
    this.pausing = overflow === 'pause';
    this.queue = new BoundedQueue(overflow, highWaterMark, onDrop, (item) =>
      source.discard?.(item),
    );
  }

  start(): void {
    this.served = performance.now();
    this.loop();
  }

  stop(): void {
    this.stopped = true;
    if (this.nextTurn !== undefined) clearImmediate(this.nextTurn);
    if (this.waiting && this.pulling !== undefined) this.source.withdraw(this.pulling);
    this.queue.clear();
  }

  // Pulls until one has to wait. A loop, not a recursion: a source may have many items at once.
  private loop(): void {
    this.inLoop = true;
    while (!this.stopped && !this.waiting && this.ending === undefined) {
      this.waiting = true;
      this.pulling = this.source.pull(this.got, this.failed, this.options.signal);
    }
    this.inLoop = false;
    if (this.stopped && this.waiting && this.pulling !== undefined)
      this.source.withdraw(this.pulling);
  }

  private enter(act: () => void): void {
    this.waiting = false;
    if (this.inLoop) return act();
    this.context.runInAsyncScope(() => {
      this.served = performance.now();
      act();
      this.loop();
    });
  }

  private take(item: T | null): void {
    if (item === null) return this.end(() => this.subscriber.complete());
    if (this.pausing) return this.subscriber.next(item);
    if (this.queue.length === 0 && this.nextTurn === undefined) {
      this.subscriber.next(item);
      if (performance.now() - this.served >= SLICE) this.serveLater();
    } else {
      this.enqueue(item);
    }
  }

  private fail(error: Error): void {
    this.end(() => (isClosed(error) ? this.subscriber.complete() : this.subscriber.error(error)));
  }

  private enqueue(item: T): void {
    if (this.queue.offer(item)) return this.serveLater();
    const { highWaterMark } = this.queue;
    this.end(() => this.subscriber.error(overflowError(highWaterMark, 'subscriber')));
  }

  private serveLater(): void {
    this.nextTurn ??= setImmediate(() => this.context.runInAsyncScope(() => this.serve()));
  }

  private serve(): void {
    this.nextTurn = undefined;
    const began = performance.now();
    while (this.queue.length > 0 && !this.stopped) {
      this.subscriber.next(this.queue.shift());
      if (performance.now() - began >= SLICE) break;
    }
    if (this.stopped) return;
    if (this.queue.length > 0) this.serveLater();
    else this.ending?.();
  }

  // What was read before the end is delivered before it.
  private end(ending: () => void): void {
    this.ending = ending;
    if (this.queue.length === 0 && this.nextTurn === undefined) ending();
    else this.serveLater();
  }
}

export const POLICIES: readonly Overflow[] = ['pause', 'dropOldest', 'dropNewest', 'error'];

export function rxjs(): typeof Rxjs {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- promise 20: not loaded before it is used
  return require('rxjs') as typeof Rxjs;
}

export function observe<T>(
  source: Pullable<T>,
  options: ObserveOptions<T> = {},
): Rxjs.Observable<T> {
  const chosen = { ...options };
  const { Observable } = rxjs();
  return new Observable<T>((subscriber) => {
    const pump = new Pump(source, subscriber, chosen);
    subscriber.add(() => pump.stop());
    pump.start();
  });
}
