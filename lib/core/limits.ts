// The caller's limits of a wait: a signal and a timeout.

import { clearTimeout, setTimeout } from 'node:timers';
import { abortError, timeoutError } from './errors';
import { onceAborted } from './signals';
import type { Wait } from './validate';

// Timers beyond this would fire at once; nobody lives to see these.
const LONGEST_TIMEOUT = 0x7fffffff;

/**
 * Calls `giveUp` when the signal is aborted and `expire` when the time is over, until the function it returns is
 * called: once the wait is over.
 */
export function limit(
  { signal, timeout }: Wait,
  syscall: string,
  giveUp: (error: Error) => void,
  expire: (error: Error) => void = giveUp,
): () => void {
  const forget =
    signal === undefined ? undefined : onceAborted(signal, () => giveUp(abortError(signal)));
  if (timeout === undefined || timeout >= LONGEST_TIMEOUT) return forget ?? (() => undefined);
  const timer = setTimeout(() => expire(timeoutError(syscall, timeout)), timeout);
  // The wait itself keeps the process alive, or deliberately does not.
  timer.unref();
  return () => {
    clearTimeout(timer);
    forget?.();
  };
}
