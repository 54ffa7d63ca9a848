// How a result reaches whoever asked: the value or the error is made of it, and handed over. Knows nothing of who
// waits, or when a call is made.

import type { Operation } from './operation';
import type { Waiting } from './waiting';

/** What is done already and yields nothing: one promise for all. */
export const DONE: Promise<void> = Promise.resolve();

/** Settles an operation whose caller has set `resolve` and `reject`; `waiting` is what it waited as, if it did. */
export function settle<T>(operation: Operation<T>, result: number, waiting?: Waiting): void {
  let value: T | undefined;
  let failure: Error | undefined;
  // The value is taken before anybody else's code runs: what the call left in shared memory is still there.
  try {
    if (result < 0) failure = operation.annotate(operation.error(result));
    else value = operation.value(result);
  } catch (error) {
    failure = error as Error;
  }
  try {
    waiting?.finish();
  } catch (error) {
    throwLater(error);
  }
  try {
    if (failure === undefined) operation.resolve(value as T);
    else operation.reject(failure);
  } catch (error) {
    throwLater(error);
  }
}

/** The same as a promise, for one that never waited. */
export function outcome<T>(operation: Operation<T>, result: number): Promise<T> {
  if (result < 0) return Promise.reject(operation.annotate(operation.error(result)));
  try {
    const value = operation.value(result);
    return value === undefined ? (DONE as Promise<T>) : Promise.resolve(value);
  } catch (error) {
    const failure = error as Error;
    return Promise.reject(failure);
  }
}

/** Runs somebody else's code, whose error is not ours. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    throwLater(error);
  }
}

/** A handler that throws loses neither the rest of its batch nor its error. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
