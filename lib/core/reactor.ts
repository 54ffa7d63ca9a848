// Who is woken when: takes the core's batches, finds the handles and lets those who wait make their calls
// again. Knows no system call by name, no protocol, no address.
//
// The life of an operation: submit → attempt → done, or → wait in the handle's queue → (an event, the next
// turn, a delay) → attempt … → settled once, by its result, its signal, its deadline or the handle's end.

import { setImmediate, setTimeout as startTimer } from 'node:timers';
import {
  BATCH,
  IN_TURN,
  PLACE_MASK,
  READ,
  REFERENCED,
  WRITE,
  type Binding,
  type SharedMemory,
} from '../native/binding';
import { Budget } from './budget';
import { abortError, closedError, EAGAIN, systemError } from './errors';
import { WATCH, type Direction, type Handle } from './handle';
import type { Operation } from './operation';
import type { Wait } from './validate';

type Waiting = Operation<unknown>;

const AGAIN = -EAGAIN;

export type ReactorBinding = Pick<
  Binding,
  'start' | 'arm' | 'disarm' | 'reference' | 'close' | 'detach'
>;

export class Reactor {
  readonly memory: SharedMemory;
  private readonly shared: Int32Array;
  private readonly handles: (Handle | undefined)[] = [];
  // Handles whose turn comes with the next one of the loop: their budget was spent, their edge was not.
  private pending: Handle[] = [];
  private nextTurn: NodeJS.Immediate | undefined;
  private referencedWaits = 0;
  private readonly giveUp = (operation: Waiting, error: Error): void =>
    this.abandon(operation, error);

  constructor(
    private readonly binding: ReactorBinding,
    private readonly budget = new Budget(),
  ) {
    this.memory = binding.start((begin, end) => this.dispatch(begin, end));
    this.shared = this.memory.shared;
  }

  /** From now on events of the handle's token are the handle's. */
  adopt(handle: Handle): void {
    this.handles[handle.token & PLACE_MASK] = handle;
  }

  /** A promise for what `operation` yields. Its system call is made before this returns, where its turn has come. */
  perform<T>(operation: Operation<T>, wait?: Wait): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      operation.resolve = resolve;
      operation.reject = reject;
      this.submit(operation, wait);
    });
  }

  /** The same for callers that have set `resolve` and `reject` themselves. */
  submit<T>(operation: Operation<T>, wait?: Wait): void {
    const { handle } = operation;
    if (handle.closed) return operation.fail(closedError(operation.syscall));
    if (wait?.signal?.aborted === true) {
      operation.fail(abortError(wait.signal));
      return operation.abandoned();
    }
    const waiting = operation as Waiting;
    const queue = handle.queue(operation.direction);
    if ((queue.head === null || operation.direction === WATCH) && operation.promising) {
      const spent = !this.budget.left();
      if (!spent && this.attempt(waiting)) return;
      this.enqueue(waiting, wait);
      if (spent || operation.unfinished) return this.postpone(handle);
      if (operation.retry !== undefined) return;
    } else {
      this.enqueue(waiting, wait);
    }
    this.arm(waiting);
  }

  /** Ends a wait from outside: nothing was moved. False where it was over already. */
  cancel(operation: Waiting, error: Error): boolean {
    if (operation.settled) return false;
    this.dequeue(operation);
    operation.fail(error);
    return true;
  }

  /** Ends all waits in one direction, in their order. */
  expel(handle: Handle, direction: Direction, error: (operation: Waiting) => Error): void {
    const queue = handle.queue(direction);
    for (let operation = queue.head; operation !== null; operation = queue.head) {
      this.cancel(operation, error(operation));
    }
  }

  /** Work done outside an operation's own call counts as well. */
  spend(messages: number): void {
    this.budget.spend(messages);
  }

  reference(handle: Handle, alive: boolean): void {
    if (handle.referenced === alive) return;
    handle.referenced = alive;
    if (!handle.closed) this.count(alive ? handle.waiting : -handle.waiting);
  }

  // Promise 4: those who wait are rejected before the descriptor is released, whatever their handlers do.
  close(handle: Handle): void {
    if (handle.closed) return;
    this.end(handle, () => this.binding.close(handle.token));
  }

  /** Gives the descriptor up instead of closing it; those who wait are rejected all the same. */
  detach(handle: Handle): number {
    return this.end(handle, () => this.binding.detach(handle.token));
  }

  private end(handle: Handle, release: () => number): number {
    if (handle.referenced) this.count(-handle.waiting);
    const left = handle.close();
    try {
      for (const operation of left) {
        operation.queued = false;
        this.guard(() => operation.fail(closedError(operation.syscall)));
      }
    } finally {
      this.handles[handle.token & PLACE_MASK] = undefined;
    }
    const result = release();
    handle.token = -1;
    return result;
  }

  private dispatch(begin: number, end: number): void {
    if (begin === 0) this.budget.renew();
    for (let i = begin; i < end; i++) {
      const token = this.shared[BATCH + 2 * i];
      const handle = this.handles[token & PLACE_MASK];
      if (handle?.token !== token) continue;
      if (handle.notice(this.shared[BATCH + 2 * i + 1])) this.advance(handle);
      else this.silence(handle);
    }
  }

  // Promise 17: an edge that nobody waits for is the last one until somebody does.
  private silence(handle: Handle): void {
    if (handle.armed === 0) return;
    handle.armed = 0;
    this.binding.disarm(handle.token);
  }

  private advance(handle: Handle): void {
    if (handle.readers.head !== null) this.advanceQueue(handle, READ);
    if (handle.writers.head !== null) this.advanceQueue(handle, WRITE);
    if (handle.watchers.head !== null) this.advanceWatchers(handle);
  }

  private advanceQueue(handle: Handle, direction: Direction): void {
    const queue = handle.queue(direction);
    for (let operation = queue.head; operation !== null; operation = queue.head) {
      if (!operation.promising || operation.retry !== undefined) return;
      if (!this.budget.left()) return this.postpone(handle);
      if (!this.attempt(operation)) return;
    }
  }

  private advanceWatchers(handle: Handle): void {
    for (let operation = handle.watchers.head; operation !== null;) {
      const { next } = operation;
      this.attempt(operation);
      operation = next;
    }
  }

  /** Makes the call; true if that settled the operation. */
  private attempt(operation: Waiting): boolean {
    operation.unfinished = false;
    const result = operation.attempt();
    if (operation.unfinished) {
      if (operation.queued) this.postpone(operation.handle);
      return false;
    }
    if (result === AGAIN && !operation.passes(result)) {
      if (operation.direction !== WATCH) operation.handle.refuse(operation.direction);
      if (operation.queued) this.arm(operation);
      return false;
    }
    if (result < 0 && operation.passes(result)) {
      this.retryLater(operation);
      return false;
    }
    this.budget.spend(1);
    this.dequeue(operation);
    this.guard(() => {
      if (result < 0) operation.fail(operation.error(result));
      else operation.succeed(result);
    });
    return true;
  }

  // What passes without an event (a Unix backlog that is full, ENOBUFS) is waited out.
  private retryLater(operation: Waiting): void {
    const [first, longest] = operation.pace;
    operation.delay = operation.delay === 0 ? first : Math.min(2 * operation.delay, longest);
    operation.retry = startTimer(() => {
      operation.retry = undefined;
      if (!operation.settled) this.advance(operation.handle);
    }, operation.delay);
    if (!operation.handle.referenced) operation.retry.unref();
  }

  private enqueue(operation: Waiting, wait: Wait | undefined): void {
    const { handle } = operation;
    handle.queue(operation.direction).push(operation);
    operation.queued = true;
    handle.waiting++;
    if (handle.referenced) this.count(1);
    operation.limit(wait, this.giveUp);
  }

  private dequeue(operation: Waiting): void {
    if (!operation.queued) return;
    const { handle } = operation;
    operation.queued = false;
    handle.queue(operation.direction).remove(operation);
    handle.waiting--;
    if (handle.referenced) this.count(-1);
  }

  private arm(operation: Waiting): void {
    const { handle, interest } = operation;
    if (handle.missing(interest) === 0) return;
    const armed = this.binding.arm(handle.token, interest);
    if (armed >= 0) handle.armed = armed;
    else this.cancel(operation, systemError(armed, 'epoll_ctl'));
  }

  private abandon(operation: Waiting, error: Error): void {
    if (!this.cancel(operation, error)) return;
    operation.abandoned();
    // The one behind it may have waited for its turn only.
    if (!operation.handle.closed) this.advance(operation.handle);
  }

  private postpone(handle: Handle): void {
    if (!handle.pending) {
      handle.pending = true;
      this.pending.push(handle);
    }
    this.nextTurn ??= setImmediate(() => this.takeTurn());
    if (this.referencedWaits === 0) this.nextTurn.unref();
    else this.nextTurn.ref();
  }

  private takeTurn(): void {
    this.nextTurn = undefined;
    this.budget.renew();
    const handles = this.pending;
    this.pending = [];
    for (const handle of handles) {
      handle.pending = false;
      if (!handle.closed) this.advance(handle);
    }
  }

  // The core looks at the count itself after each batch; outside of one it has to be told.
  private count(waits: number): void {
    const before = this.referencedWaits;
    this.referencedWaits = before + waits;
    if ((before === 0) === (this.referencedWaits === 0)) return;
    const alive = this.referencedWaits === 0 ? 0 : 1;
    this.shared[REFERENCED] = alive;
    if (this.shared[IN_TURN] === 0) this.binding.reference(alive);
  }

  // A handler that throws loses neither the rest of its batch nor its error.
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
