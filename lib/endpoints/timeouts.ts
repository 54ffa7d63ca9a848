// Deadlines for every call of a socket without a timer for any of them: one sweep, a few times within the shortest
// of all timeouts, looks at who waits. What it sees twice too far apart has waited too long.

import { clearInterval as stopTimer, setInterval as startTimer } from 'node:timers';
import { performance } from 'node:perf_hooks';
import { timeoutError } from '../core/errors';
import { READ, WRITE, type Handle, type Queue } from '../core/handle';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import type { SocketState } from '../socket/state';

/** Deadlines for every later call of a stream that has no `timeout` of its own. */
export interface Timeouts {
  /** How long a read may wait, in ms; Infinity for ever. */
  read?: number | undefined;
  /** How long a write may take, in ms; Infinity for ever. */
  write?: number | undefined;
}

const SWEEPS_PER_TIMEOUT = 8;
const SHORTEST_PERIOD = 5;
const LONGEST_PERIOD = 1000;

// The state, not the endpoint: being swept keeps nobody from being collected.
const swept = new Map<SocketState, Timeouts>();
const exempt = new WeakSet<Operation<unknown>>();
let period = 0;
let timer: NodeJS.Timeout | undefined;

/** `operation` has a deadline of its own, or is to have none. */
export function exemptFromTimeouts(operation: Operation<unknown>): void {
  if (swept.size > 0) exempt.add(operation);
}

/** Who waits under an earlier deadline has the new one; who waits without one goes on without. */
export function setTimeouts(state: SocketState, { read, write }: Timeouts): void {
  const before = swept.get(state);
  if (read !== undefined) spare(state.readers, before?.read);
  if (write !== undefined) spare(state.writers, before?.write);
  swept.set(state, { read: read ?? before?.read, write: write ?? before?.write });
  if (before === undefined) state.whenClosed(() => stopSweeping(state));
  plan();
}

function spare(queue: Queue, before = Infinity): void {
  if (before !== Infinity) return;
  for (const waiting of queue.all()) waiting.seen = Infinity;
}

function stopSweeping(state: SocketState): void {
  swept.delete(state);
  if (swept.size === 0) plan();
}

function plan(): void {
  let shortest = Infinity;
  for (const { read = Infinity, write = Infinity } of swept.values()) {
    shortest = Math.min(shortest, read, write);
  }
  const wanted =
    shortest === Infinity
      ? 0
      : Math.max(SHORTEST_PERIOD, Math.min(shortest / SWEEPS_PER_TIMEOUT, LONGEST_PERIOD));
  if (wanted === period) return;
  period = wanted;
  stopTimer(timer);
  // Those who wait keep the process alive.
  timer = wanted === 0 ? undefined : startTimer(sweep, wanted).unref();
}

function sweep(): void {
  const now = performance.now();
  for (const [state, { read, write }] of [...swept]) {
    if (state.waiting === 0) continue;
    if (read !== undefined) endOverdue(state, READ, read, now);
    if (write !== undefined) endOverdue(state, WRITE, write, now);
  }
}

function endOverdue(
  handle: Handle,
  direction: typeof READ | typeof WRITE,
  timeout: number,
  now: number,
): void {
  const queue = direction === READ ? handle.readers : handle.writers;
  for (const waiting of queue.all()) {
    const { operation } = waiting;
    if (waiting.seen === 0) waiting.seen = now;
    else if (now - waiting.seen >= timeout && !exempt.has(operation)) {
      reactor.abandon(waiting, timeoutError(operation.syscall, timeout));
    }
  }
}
