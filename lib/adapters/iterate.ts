// A source as an async iterator, written by hand: a generator cannot be left while it awaits, so its return()
// would wait for one more item, and lose it.

import { isClosed, type Pull, type Pullable } from './contract';

type Settle<T> = (result: IteratorResult<T, undefined>) => void;

class PullIterator<T> implements AsyncIterableIterator<T, undefined> {
  private done = false;
  // Asked for and not there yet, each with the promise that waits for it.
  private readonly waiting = new Map<Settle<T>, Pull>();

  constructor(
    private readonly source: Pullable<T>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.done) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      let settled = false;
      const pull = this.source.pull(
        (item) => {
          settled = true;
          this.waiting.delete(resolve);
          if (item !== null) return resolve({ value: item, done: false });
          this.done = true;
          resolve(END);
        },
        (error) => {
          settled = true;
          this.waiting.delete(resolve);
          this.done = true;
          if (isClosed(error)) resolve(END);
          else reject(error);
        },
        this.signal,
      );
      if (!settled) this.waiting.set(resolve, pull);
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.done = true;
    for (const [resolve, pull] of this.waiting) {
      this.source.withdraw(pull);
      resolve(END);
    }
    this.waiting.clear();
    return Promise.resolve(END);
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true };

export interface IterateOptions {
  /** Aborted: the pending step rejects with an AbortError, and the iterator is done. */
  signal?: AbortSignal | undefined;
}

/** Ends when the source does or when this side closes it; whatever is left when it is left early stays there. */
export function iterate<T>(
  source: Pullable<T>,
  options?: IterateOptions,
): AsyncIterableIterator<T, undefined> {
  return new PullIterator(source, options?.signal);
}
