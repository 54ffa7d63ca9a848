// Waiting without sleeping: for turns of the event loop, and for what happens in one of them.

import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** One turn of the event loop: whatever the kernel had ready when it began is dispatched. */
export async function turn(): Promise<void> {
  await setImmediate();
}

/** As many turns as it takes anything that could go wrong to have gone wrong. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Turns until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/**
 * What `attempt` yields once it yields something, within this turn: a packet on the loopback may arrive after
 * sendto(2) has returned, when ksoftirqd has the processor's queue in hand.
 */
export function soon<T>(attempt: () => T | null): T {
  const end = performance.now() + 5000;
  while (performance.now() < end) {
    const found = attempt();
    if (found !== null) return found;
  }
  throw new Error('nothing has come');
}

/** Calls `take` until it yields nothing, and has not for some turns: how many there were. */
export async function drained(take: () => unknown): Promise<number> {
  let taken = 0;
  for (let empty = 0; empty < 3; empty++, await turns()) {
    for (; take() !== null; taken++) empty = 0;
  }
  return taken;
}

/** Keeps the thread busy, as a slow handler does. */
export function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Whether `promise` is not settled yet, without waiting for it: a few microtasks, no turn of the loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = (): void => {
    pending = false;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 3; i++) await Promise.resolve();
  return pending;
}
