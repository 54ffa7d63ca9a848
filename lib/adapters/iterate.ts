// A source as an async iterator, written by hand: a generator cannot be left while it awaits, so its return()
// would wait for one more item, and lose it.

import { isClosed, type Pull, type Pullable } from './contract';

type Result<T> = IteratorResult<T, undefined>;

/** A step that waits: pulls are served in their order, so the first one gets what comes next. */
interface Step<T> {
  readonly pull: Pull;
  readonly resolve: (result: Result<T>) => void;
  readonly reject: (error: Error) => void;
  next: Step<T> | null;
}

class PullIterator<T> implements AsyncIterableIterator<T, undefined> {
  private done = false;
  // A list and no array, whose first push would take room for seventeen: one step waits, nearly always.
  private first: Step<T> | null = null;
  private last: Step<T> | null = null;
  // What the source answered before pull() returned.
  private answer: Result<T> | undefined;
  private failure: Error | undefined;

  constructor(
    private readonly source: Pullable<T>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  // One promise a step and nothing else where the item is there: this is everybody's hot path.
  next(): Promise<Result<T>> {
    if (this.done) return Promise.resolve(END);
    const pull = this.source.pull(this.got, this.failed, this.signal);
    const { answer, failure } = this;
    if (answer !== undefined) {
      this.answer = undefined;
      return Promise.resolve(answer);
    }
    if (failure !== undefined) {
      this.failure = undefined;
      return Promise.reject(failure);
    }
    return new Promise((resolve, reject) => {
      const step: Step<T> = { pull, resolve, reject, next: null };
      if (this.last === null) this.first = step;
      else this.last.next = step;
      this.last = step;
    });
  }

  private shift(): Step<T> | null {
    const step = this.first;
    if (step === null) return null;
    this.first = step.next;
    if (step.next === null) this.last = null;
    return step;
  }

  return(): Promise<Result<T>> {
    this.done = true;
    for (let step = this.shift(); step !== null; step = this.shift()) {
      this.source.withdraw(step.pull);
      step.resolve(END);
    }
    return Promise.resolve(END);
  }

  async throw(error: unknown): Promise<Result<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private readonly got = (item: T | null): void => {
    if (item === null) this.done = true;
    const result: Result<T> = item === null ? END : { value: item, done: false };
    const step = this.shift();
    if (step === null) this.answer = result;
    else step.resolve(result);
  };

  private readonly failed = (error: Error): void => {
    if (isClosed(error)) return this.got(null);
    this.done = true;
    const step = this.shift();
    if (step === null) this.failure = error;
    else step.reject(error);
  };
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** How an iteration ends before its source does. It takes no `timeout`: that is for single calls. */
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
