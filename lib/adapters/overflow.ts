// What stands between one who gives and one who takes where nobody can be asked to wait: a queue with an end, what
// happens beyond it, and the count of what was lost. Knows neither rxjs nor who gives and takes.

import { throwLater } from './contract';

export const HIGH_WATER_MARK = 256;

/** The queue between who gives and who takes, where nobody can be asked to wait. */
export interface OverflowOptions<T> {
  /** Items that may wait in the queue: 256 unless told. */
  highWaterMark?: number | undefined;
  /**
   * Hears of each item that was taken and will reach nobody, because the queue was full or was given up, and how many
   * those are so far. Each subscription counts for itself.
   */
  onDrop?: ((item: T, dropped: number) => void) | undefined;
}

export class BoundedQueue<T> {
  private items: T[] = [];
  private dropped = 0;

  constructor(
    private readonly overflow: string,
    readonly highWaterMark: number = HIGH_WATER_MARK,
    private readonly onDrop: OverflowOptions<T>['onDrop'],
    /** Disposes of an item that was dropped. */
    private readonly discard: (item: T) => void = () => {},
  ) {}

  get length(): number {
    return this.items.length;
  }

  /** False where it was full and that is an error; else the item is in it, or one was dropped for want of room. */
  offer(item: T): boolean {
    const full = this.items.length >= this.highWaterMark;
    const oldest = this.overflow === 'dropOldest';
    if (!full || oldest) this.items.push(item);
    if (full) this.drop(oldest ? this.shift() : item);
    return !full || this.overflow !== 'error';
  }

  shift(): T {
    return this.items.shift() as T;
  }

  /** All of them. */
  take(): T[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  /** Nobody will take what is left. */
  clear(): void {
    for (const item of this.take()) this.drop(item);
  }

  // A callback that throws stops nothing, and its error is not lost.
  private drop(item: T): void {
    this.dropped++;
    try {
      this.onDrop?.(item, this.dropped);
    } catch (error) {
      throwLater(error);
    } finally {
      this.discard(item);
    }
  }
}

export function overflowError(highWaterMark: number, whom: string): Error {
  const error = new Error(`More than ${highWaterMark} items wait for a slow ${whom}`);
  return Object.assign(error, { code: 'ERR_BUFFER_OVERFLOW' });
}
