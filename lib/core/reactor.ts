// Who is woken when: takes the core's batches, finds the handles and lets those who wait make their calls
// again. Knows no system call by name, no protocol, no address.
//
// The life of an operation: submit → attempt → done, or → wait in the handle's queue → (an event, the next
// turn, a delay) → attempt … → settled once, by its result, its signal, its deadline or the handle's end.

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
import { LANE, WATCH, type Handle, type Queue } from './handle';
import { UNFINISHED, type Operation } from './operation';
import { keep, placeToKeep } from './kept';
import { guarded, outcome, settle } from './settlement';
import { Turns } from './turns';
import type { Wait } from './validate';
import { Waiting } from './waiting';

const AGAIN = -EAGAIN;
// No call was made: others are before this one, or the kernel has just said EAGAIN.
const IN_LINE = -0x7ffffffd;

export type ReactorBinding = Pick<
  Binding,
  'start' | 'arm' | 'disarm' | 'reference' | 'close' | 'detach'
>;

export class Reactor {
  readonly memory: SharedMemory;
  private readonly shared: Int32Array;
  private readonly handles: (Handle | undefined)[] = [];
  private waits = 0;
  private referencedWaits = 0;
  private readonly place = placeToKeep();
  private readonly turns: Turns;
  // The core holds it weakly: it lives as long as this reactor, and the core's descriptors as long as it. While
  // somebody waits, kept.ts holds the reactor.
  private readonly deliver = (begin: number, end: number): void => this.dispatch(begin, end);
  private readonly giveUp = (waiting: Waiting, error: Error): void => this.abandon(waiting, error);
  // Timers run before the events that came beside them: what came in time is had, however late the loop is.
  private readonly expire = (waiting: Waiting, error: Error): void => {
    const tried = this.isNext(waiting) && this.tryAgain(waiting);
    if (!tried) this.abandon(waiting, error);
  };

  constructor(
    private readonly binding: ReactorBinding,
    private readonly budget = new Budget(),
  ) {
    this.turns = new Turns(
      budget,
      (handle) => this.advance(handle),
      () => this.referencedWaits > 0,
    );
    this.memory = binding.start(this.deliver);
    this.shared = this.memory.shared;
  }

  /** From now on events of the handle's token are the handle's. */
  adopt(handle: Handle): void {
    this.handles[handle.token & PLACE_MASK] = handle;
  }

  /** A promise for what `operation` yields. Its system call is made before this returns, where its turn has come. */
  perform<T>(operation: Operation<T>, wait?: Wait, owner?: object): Promise<T> {
    const refusal = this.refusal(operation, wait);
    if (refusal !== undefined) return Promise.reject(refusal);
    return this.promise(operation, this.begin(operation, wait), wait, owner);
  }

  /** The same for a first attempt that was made already, and answered `result`. */
  promise<T>(operation: Operation<T>, result: number, wait?: Wait, owner?: object): Promise<T> {
    if (this.isOver(operation, result)) {
      this.budget.spend(1);
      return outcome(operation, result);
    }
    return new Promise<T>((resolve, reject) => {
      operation.resolve = resolve;
      operation.reject = reject;
      this.follow(operation, result, wait, owner);
    });
  }

  /**
   * The same for callers who have set `resolve` and `reject` themselves; what waits, to be cancelled, or
   * undefined where it is over already. `owner` is kept from being collected, and its socket closed, until then.
   */
  submit<T>(operation: Operation<T>, wait?: Wait, owner?: object): Waiting | undefined {
    const refusal = this.refusal(operation, wait);
    if (refusal !== undefined) {
      operation.reject(refusal);
      return undefined;
    }
    const result = this.begin(operation, wait);
    if (!this.isOver(operation, result)) return this.follow(operation, result, wait, owner);
    this.budget.spend(1);
    settle(operation, result);
    return undefined;
  }

  /** One call without a wait: null for EAGAIN, and where others wait before it. Throws what the kernel refuses. */
  now<T>(operation: Operation<T>): T | null {
    if (this.isBehind(operation)) return null;
    const result = operation.attempt();
    if (result >= 0) return operation.value(result);
    if (result !== AGAIN) throw operation.annotate(operation.error(result));
    this.refuse(operation);
    return null;
  }

  /** Whether a call may be made at once: nobody waits before it, and it is neither refused nor out of turn. */
  mayCall(handle: Handle, direction: typeof READ | typeof WRITE): boolean {
    const queue = direction === READ ? handle.readers : handle.writers;
    return (
      queue.head === null && !handle.closed && handle.worthTrying(direction) && this.budget.left()
    );
  }

  private refusal<T>(operation: Operation<T>, wait: Wait | undefined): Error | undefined {
    if (operation.handle.closed) return operation.annotate(closedError(operation.syscall));
    const signal = wait?.signal;
    if (signal?.aborted !== true) return undefined;
    operation.abandoned();
    return operation.annotate(abortError(signal));
  }

  /** The first attempt; IN_LINE where it is not the operation's turn, or the kernel is known to refuse. */
  private begin<T>(operation: Operation<T>, wait: Wait | undefined): number {
    if (this.isBehind(operation)) return IN_LINE;
    // Who has a deadline learns of what came since, too: timers fire before the events that wait beside them.
    if (!operation.promising && wait?.timeout === undefined) return IN_LINE;
    return this.budget.left() ? operation.attempt() : UNFINISHED;
  }

  // Watchers stand in nobody's way, nor in one another's.
  private isBehind(operation: Operation<unknown>): boolean {
    const { handle, direction } = operation;
    return direction !== WATCH && (handle.queueOf(operation)?.head ?? null) !== null;
  }

  /** The wait of an operation whose first attempt did not settle it. */
  private follow<T>(
    operation: Operation<T>,
    result: number,
    wait: Wait | undefined,
    owner: object | undefined,
  ): Waiting {
    const { handle } = operation;
    const waiting = (operation.waiting ??= new Waiting(operation));
    waiting.begin(owner);
    if (wait !== undefined) waiting.limit(wait, this.giveUp, this.expire);
    handle.enter(waiting);
    this.count(1, handle.referenced);
    if (result !== IN_LINE) this.goOn(waiting, result);
    else if (operation.direction !== LANE) this.arm(waiting);
    return waiting;
  }

  /** Ends a wait from outside: nothing was moved. False where it was over already. */
  cancel(waiting: Waiting, error: Error): boolean {
    if (waiting.settled) return false;
    this.dequeue(waiting);
    guarded(() => waiting.finish());
    guarded(() => waiting.operation.fail(error));
    return true;
  }

  /** Ends all waits of one queue, in their order. */
  expel(queue: Queue, error: (operation: Operation<unknown>) => Error): void {
    for (const waiting of queue.all()) this.cancel(waiting, error(waiting.operation));
  }

  /** Work done outside an operation's own call counts as well. */
  spend(messages: number): void {
    this.budget.spend(messages);
  }

  reference(handle: Handle, alive: boolean): void {
    if (handle.referenced === alive) return;
    handle.referenced = alive;
    if (handle.closed) return;
    this.refer(alive ? handle.waiting : -handle.waiting);
    for (const waiting of handle.everybody()) waiting.reference(alive);
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
    this.count(-handle.waiting, handle.referenced);
    const left = handle.close();
    for (const waiting of left) waiting.settled = true;
    for (const waiting of left) {
      guarded(() => waiting.finish());
      guarded(() => waiting.operation.fail(closedError(waiting.operation.syscall)));
    }
    this.handles[handle.token & PLACE_MASK] = undefined;
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
      const readiness = this.shared[BATCH + 2 * i + 1];
      const idle = (readiness & WRITE) !== 0 && handle.overheard;
      if (!handle.notice(readiness)) this.silence(handle);
      else this.wake(handle);
      if (idle && handle.overheard) this.narrow(handle);
      handle.news = 0;
    }
  }

  private wake(handle: Handle): void {
    this.advance(handle);
    // A poller that reports once has forgotten those who go on waiting.
    if (handle.armed === 0 && handle.waiting > 0) {
      for (const waiting of handle.heads()) this.arm(waiting);
    }
  }

  // Promise 17: an edge that nobody waits for is the last one until somebody does.
  private silence(handle: Handle): void {
    if (handle.armed === 0) return;
    handle.armed = 0;
    this.binding.disarm(handle.token);
  }

  // The same for the half of it: who only reads hears no more of each message that the peer has taken.
  private narrow(handle: Handle): void {
    const rest = handle.armed & ~WRITE;
    if (rest === 0) return this.silence(handle);
    const armed = this.binding.arm(handle.token, rest);
    if (armed >= 0) handle.armed = armed;
  }

  private advance(handle: Handle): void {
    // Watchers look first: a reader takes the error along that they are to tell of.
    if (handle.watchers.head !== null) this.advanceWatchers(handle);
    if (handle.readers.head !== null) this.advanceQueue(handle, handle.readers);
    if (handle.writers.head !== null) this.advanceQueue(handle, handle.writers);
    for (const queue of handle.laneQueues()) this.advanceQueue(handle, queue);
  }

  private advanceQueue(handle: Handle, queue: Queue): void {
    for (let waiting = queue.head; waiting !== null; waiting = queue.head) {
      if (waiting.delayed) return;
      if (!waiting.operation.promising) return this.arm(waiting);
      if (!this.budget.left()) return this.turns.postpone(handle);
      if (!this.tryAgain(waiting)) return;
    }
  }

  private advanceWatchers(handle: Handle): void {
    for (const waiting of handle.watchers.all()) {
      if (!waiting.settled) this.tryAgain(waiting);
    }
  }

  /** Lets writers that only wait for their turn have it now, where there will be no later one. */
  hurry(handle: Handle): void {
    let waiting = handle.writers.head;
    while (waiting !== null && !waiting.delayed && waiting.operation.promising) {
      if (!this.tryAgain(waiting)) return;
      waiting = handle.writers.head;
    }
  }

  /** Lets watchers look in the next turn: what they wait for came by somebody else's call, and not by an event. */
  alert(handle: Handle): void {
    if (handle.watchers.head !== null) this.turns.postpone(handle);
  }

  private isNext(waiting: Waiting): boolean {
    const { operation } = waiting;
    if (waiting.settled || waiting.delayed) return false;
    const isFirst = operation.handle.queueOf(operation)?.head === waiting;
    return isFirst || operation.direction === WATCH;
  }

  /** Makes a waiting operation's call; true if that settled it. */
  private tryAgain(waiting: Waiting): boolean {
    const { operation } = waiting;
    let result: number;
    try {
      result = operation.attempt();
    } catch (error) {
      return this.cancel(waiting, error as Error);
    }
    if (!this.isOver(operation, result)) {
      this.goOn(waiting, result);
      return false;
    }
    this.dequeue(waiting);
    this.budget.spend(1);
    settle(operation, result, waiting);
    return true;
  }

  private isOver<T>(operation: Operation<T>, result: number): boolean {
    if (result >= 0) return true;
    if (result === AGAIN || result === IN_LINE || result === UNFINISHED) return false;
    return !operation.passes(result);
  }

  // What passes without an event (a Unix backlog that is full, ENOBUFS) is waited out.
  private goOn(waiting: Waiting, result: number): void {
    const { operation } = waiting;
    const { handle } = operation;
    if (result === UNFINISHED) return this.turns.postpone(handle);
    if (operation.passes(result)) {
      return waiting.pause(() => {
        if (!waiting.settled) this.advance(handle);
      });
    }
    this.refuse(operation);
    this.arm(waiting);
  }

  private refuse({ handle, direction, conclusive }: Operation<unknown>): void {
    if (conclusive && (direction === READ || direction === WRITE)) handle.refuse(direction);
  }

  private dequeue(waiting: Waiting): void {
    const { handle } = waiting.operation;
    handle.leave(waiting);
    waiting.settled = true;
    this.count(-1, handle.referenced);
  }

  private arm(waiting: Waiting): void {
    const { handle, interest } = waiting.operation;
    if (handle.missing(interest) === 0) return;
    const armed = this.binding.arm(handle.token, handle.armed | handle.company | interest);
    if (armed >= 0) handle.armed = armed;
    else this.cancel(waiting, systemError(armed, 'epoll_ctl'));
  }

  /** The same because whoever waited gives up: an attempt that cannot be taken back is abandoned. */
  abandon(waiting: Waiting, error: Error): void {
    if (!this.cancel(waiting, error)) return;
    const { operation } = waiting;
    operation.abandoned();
    // The one behind it may have waited for its turn only.
    if (!operation.handle.closed) this.advance(operation.handle);
  }

  private count(waits: number, referenced: boolean): void {
    const before = this.waits;
    this.waits = before + waits;
    if ((before === 0) !== (this.waits === 0)) keep(this.place, before === 0 ? this : undefined);
    if (referenced) this.refer(waits);
  }

  // The core looks at the count itself after each batch; outside of one it has to be told.
  private refer(waits: number): void {
    const before = this.referencedWaits;
    this.referencedWaits = before + waits;
    if ((before === 0) === (this.referencedWaits === 0)) return;
    const alive = this.referencedWaits === 0 ? 0 : 1;
    this.shared[REFERENCED] = alive;
    if (this.shared[IN_TURN] === 0) this.binding.reference(alive);
  }
}
