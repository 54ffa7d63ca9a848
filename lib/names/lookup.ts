// Look-ups in the C library, which block the thread that makes them: another thread does, and the caller may
// give up waiting for it.

import { abortError, lookUpError, systemError } from '../core/errors';
import { limit } from '../core/limits';
import type { Wait } from '../core/validate';
import type { Done } from '../native/binding';
import { binding } from '../native/load';
import { Fields } from './fields';

export interface Question {
  readonly syscall: string;
  readonly hostname?: string | undefined;
  /** What the message of an error names, if more than the hostname. */
  readonly subject?: string | undefined;
  /** The call of the binding. */
  ask(done: Done): number;
}

// libuv's threads are everybody's: file system, zlib, crypto. A server that does not answer may have half of
// them from us, as from node:dns, and every other look-up waits here, where it can be taken back. Workers share
// these threads. Each may have one look-up at any time, whose end begins the next, so that none waits for
// another worker's; more than one while all workers together have fewer than half.
const THREADS = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
const AT_ONCE = Math.max(1, Math.ceil(THREADS / 2));

type Begin = () => void;

let running = 0;
const waiting = new Set<Begin>();
// Kept from one to the next, since a new one would have to walk over all that were deleted.
let queue = waiting.values();

function next(): Begin | undefined {
  const { value } = queue.next();
  if (value !== undefined) return value;
  queue = waiting.values();
  return queue.next().value;
}

function mayBegin(): boolean {
  return running === 0 || binding.lookUps() < AT_ONCE;
}

function beginNext(): void {
  while (waiting.size > 0 && mayBegin()) {
    const begin = next()!;
    waiting.delete(begin);
    running++;
    begin();
  }
}

function ended(): void {
  running--;
  beginNext();
}

/** Asks, and gives what `read` makes of the answer. What is aborted before its turn is never asked. */
export function lookUp<T>(
  question: Question,
  wait: Wait | undefined,
  read: (fields: Fields) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (wait?.signal?.aborted === true) {
      reject(abortError(wait.signal));
      return;
    }
    const { syscall, hostname, subject } = question;
    const begin = (): void => {
      const result = question.ask((status, errno, fields) => {
        forget();
        ended();
        if (status === 0) resolve(read(new Fields(fields)));
        else reject(lookUpError(status, errno, syscall, hostname, subject));
      });
      if (result >= 0) return;
      forget();
      reject(systemError(result, syscall));
      ended();
    };
    const forget = limit(wait ?? {}, syscall, (error) => {
      waiting.delete(begin);
      forget();
      reject(error);
    });
    waiting.add(begin);
    beginNext();
  });
}
