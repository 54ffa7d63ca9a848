// A source that does what the test says: adapters know no more of a source than adapters/contract.ts.

import type { Pull, Pullable } from '../../lib/adapters/contract';

interface Waiting<T> {
  readonly got: (item: T | null) => void;
  readonly failed: (error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

/** Yields what was fed, at once where it is there; counts what was asked of it. */
export class Scripted<T> implements Pullable<T> {
  /** Pulls so far. */
  pulls = 0;
  /** Items that were handed out. */
  taken = 0;
  /** Pulls that were taken back. */
  withdrawn = 0;
  private readonly items: (T | null | Error)[];
  private first = 0;
  private readonly waiting: Waiting<T>[] = [];

  constructor(...items: readonly (T | null | Error)[]) {
    this.items = [...items];
  }

  /** Yields all of `items`, and then the end. */
  static of<T>(items: Iterable<T>): Scripted<T> {
    const source = new Scripted<T>();
    for (const item of items) source.items.push(item);
    source.items.push(null);
    return source;
  }

  /** How many wait for what is not there. */
  get pending(): number {
    return this.waiting.length;
  }

  /** Items that are left. */
  get left(): number {
    return this.items.length - this.first;
  }

  feed(...items: readonly (T | null | Error)[]): void {
    this.items.push(...items);
    while (this.left > 0 && this.waiting.length > 0) this.answer(this.waiting.shift()!);
  }

  pull(got: (item: T | null) => void, failed: (error: Error) => void, signal?: AbortSignal): Pull {
    this.pulls++;
    const waiting = { got, failed, signal };
    if (this.left > 0) this.answer(waiting);
    else this.waiting.push(waiting);
    return waiting;
  }

  withdraw(pull: Pull): void {
    const at = this.waiting.indexOf(pull as Waiting<T>);
    if (at < 0) return;
    this.withdrawn++;
    this.waiting.splice(at, 1);
  }

  private answer({ got, failed }: Waiting<T>): void {
    const item = this.items[this.first];
    // An end is there for everybody, an item for one.
    if (item !== null) this.first++;
    if (item instanceof Error) failed(item);
    else {
      this.taken++;
      got(item);
    }
  }
}

/** What a source that was closed on this side fails with. */
export function closed(): Error {
  return Object.assign(new Error('closed'), { code: 'ERR_SOCKET_CLOSED' });
}
