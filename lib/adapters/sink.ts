// The writing end of an Observable: what it emits goes into a target, one batch after the other, and what comes while
// the target is busy waits in a queue with an end. Loads no rxjs: a subscriber is something to be told.

import { AsyncResource } from 'node:async_hooks';
import type { Puttable } from './contract';
import { BoundedQueue, overflowError, type OverflowOptions } from './overflow';

/** What happens to items while the kernel takes no more: see `SinkOptions.overflow`. */
export type SinkOverflow = 'error' | 'dropOldest' | 'dropNewest';

/** How `sink` treats a source that emits more than the kernel takes. */
export interface SinkOptions<T = unknown> extends OverflowOptions<T> {
  /**
   * What happens to items beyond `highWaterMark` while the kernel takes no more. `error` (unless told): what has room
   * is sent, and then it fails with ERR_BUFFER_OVERFLOW. The others drop.
   */
  overflow?: SinkOverflow | undefined;
}

export const SINK_POLICIES: readonly SinkOverflow[] = ['error', 'dropOldest', 'dropNewest'];

interface Outcome {
  error(error: unknown): void;
  complete(): void;
}

/** An Observer that fills `target`, and tells `outcome` when all is through, or why it is not. */
export class Sink<T> {
  private readonly queue: BoundedQueue<T>;
  // What goes one by one, since there is a bad item among it.
  private rest: readonly T[] = [];
  private busy = false;
  private inLoop = false;
  private stopped = false;
  private ending: (() => void) | undefined;
  // Promise 19: the outcome is told in the subscriber's context, whoever woke the target.
  private readonly context = new AsyncResource('eagain.sink');

  constructor(
    private readonly target: Puttable<T>,
    private readonly outcome: Outcome,
    { overflow = 'error', highWaterMark, onDrop }: SinkOptions<T>,
  ) {
    this.queue = new BoundedQueue(overflow, highWaterMark, onDrop);
  }

  /** Whether it takes more. */
  get open(): boolean {
    return !this.stopped && this.ending === undefined;
  }

  next(item: T): void {
    if (!this.open) return;
    if (!this.queue.offer(item)) {
      const { highWaterMark } = this.queue;
      this.ending = () => this.outcome.error(overflowError(highWaterMark, 'socket'));
    }
    if (!this.busy) this.drain();
  }

  error(error: unknown): void {
    this.end(() => this.outcome.error(error));
  }

  complete(): void {
    this.end(() => this.outcome.complete());
  }

  /** What is under way goes on; what waits is dropped. */
  stop(): void {
    this.stopped = true;
    this.rest = [];
    this.queue.clear();
  }

  // What came before the end goes before it.
  private end(ending: () => void): void {
    if (!this.open) return;
    this.ending = ending;
    if (!this.busy) this.drain();
  }

  // A loop, not a recursion: a target may be done at once.
  private drain(): void {
    if (this.inLoop) return;
    this.inLoop = true;
    while (!this.busy && !this.stopped && (this.rest.length > 0 || this.queue.length > 0)) {
      this.put(this.take());
    }
    this.inLoop = false;
    if (!this.busy && !this.stopped) this.ending?.();
  }

  private take(): readonly T[] {
    if (this.rest.length === 0) return this.queue.take();
    const [first, ...rest] = this.rest;
    this.rest = rest;
    return [first];
  }

  private put(items: readonly T[]): void {
    this.busy = true;
    try {
      this.target.put(
        items,
        () => this.settled(() => this.drain()),
        (error) => this.settled(() => this.outcome.error(error)),
      );
    } catch (error) {
      // An item that is none: it was the caller's mistake, as one in an operator's function is. Nothing of the batch
      // was put; what came before it goes before it.
      if (items.length > 1) this.rest = items;
      this.settled(() => (items.length > 1 ? this.drain() : this.outcome.error(error)));
    }
  }

  private settled(act: () => void): void {
    this.busy = false;
    if (this.stopped) return;
    if (this.inLoop) act();
    else this.context.runInAsyncScope(act);
  }
}
