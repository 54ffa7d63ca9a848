// One socket's life as a pure state machine: who waits, in which order, what the kernel last said, and
// whether it is over. Makes no system call and resolves nothing: a transition returns what is to be done.

import { DISARMED, ERROR, HANGUP, PEER_CLOSED, PRIORITY, READ, WRITE } from '../native/binding';
import type { Operation } from './operation';
import type { Waiting } from './waiting';

/**
 * The queues of a handle: readers and writers go one after the other, watchers all at once. A lane is the queue
 * of those who wait by the clock for the same thing (a full peer's queue): no event tells them, and who waits
 * for another thing does not wait for them.
 */
export type Direction = typeof READ | typeof WRITE | typeof WATCH | typeof LANE;
export const WATCH = 8;
export const LANE = 16;
export { READ, WRITE };

/** First come, first served; leaving from the middle costs nothing. */
export class Queue {
  head: Waiting | null = null;
  private tail: Waiting | null = null;

  push(waiting: Waiting): void {
    waiting.previous = this.tail;
    if (this.tail === null) this.head = waiting;
    else this.tail.next = waiting;
    this.tail = waiting;
  }

  all(): Waiting[] {
    const all: Waiting[] = [];
    for (let waiting = this.head; waiting !== null; waiting = waiting.next) all.push(waiting);
    return all;
  }

  remove(waiting: Waiting): void {
    if (waiting.previous === null) this.head = waiting.next;
    else waiting.previous.next = waiting.next;
    if (waiting.next === null) this.tail = waiting.previous;
    else waiting.next.previous = waiting.previous;
    waiting.previous = waiting.next = null;
  }
}

// The queue of those of whom there are none: a handle's own is made when somebody waits, since most sockets only
// ever wait to read.
const NOBODY = new Queue();
const NO_QUEUES: Queue[] = [];

// After these, a short read says nothing: an end, an error or a mark stands behind the bytes.
const BEHIND_BYTES = PEER_CLOSED | HANGUP | ERROR | PRIORITY;

export class Handle {
  closed = false;
  /** Whether waiting on this handle keeps the process alive. */
  referenced = true;
  /** How many operations wait in the three queues. */
  waiting = 0;
  /** The interest on which the poller reports. */
  armed = 0;
  /** What it is to report on beside what somebody waits for: one registration less, where that brings no idle news. */
  company = 0;
  /** Among the handles whose turn comes with the next one of the loop. */
  pending = false;
  readers: Queue = NOBODY;
  writers: Queue = NOBODY;
  watchers: Queue = NOBODY;
  /** An error or a hang-up was told: it may stand there still, and no event tells it again. */
  alarmed = false;
  /** The readiness that is being delivered; 0 between events. */
  news = 0;
  private lanes: Map<string, Queue> | undefined;

  // A direction is worth a try until the kernel says EAGAIN, and again after the next event.
  private ready = READ | WRITE;
  private behind = 0;

  constructor(public token: number) {}

  /** Where `operation` waits, or would; null where nobody has a lane like its. */
  queueOf(operation: Operation<unknown>): Queue | null {
    const { direction } = operation;
    if (direction === READ) return this.readers;
    if (direction === WRITE) return this.writers;
    if (direction === WATCH) return this.watchers;
    return this.lanes?.get(operation.lane) ?? null;
  }

  /** Puts an operation that waits behind those who wait for the same. */
  enter(waiting: Waiting): void {
    const queue = this.queueOf(waiting.operation);
    if (queue === null || queue === NOBODY) this.opened(waiting.operation).push(waiting);
    else queue.push(waiting);
    this.waiting++;
  }

  private opened(operation: Operation<unknown>): Queue {
    const queue = new Queue();
    const { direction } = operation;
    if (direction === READ) this.readers = queue;
    else if (direction === WRITE) this.writers = queue;
    else if (direction === WATCH) this.watchers = queue;
    else (this.lanes ??= new Map()).set(operation.lane, queue);
    return queue;
  }

  leave(waiting: Waiting): void {
    const { operation } = waiting;
    const queue = this.queueOf(operation)!;
    queue.remove(waiting);
    this.waiting--;
    if (operation.direction === LANE && queue.head === null) this.lanes!.delete(operation.lane);
  }

  /** The lanes in which somebody waits. */
  laneQueues(): Queue[] {
    return this.lanes === undefined ? NO_QUEUES : [...this.lanes.values()];
  }

  /** Everybody who waits: readers, writers, those in lanes, watchers. */
  everybody(): Waiting[] {
    const queues = [this.readers, this.writers, ...this.laneQueues(), this.watchers];
    return queues.flatMap((queue) => queue.all());
  }

  worthTrying(directions: number): boolean {
    return (this.ready & directions) !== 0;
  }

  /** EAGAIN: nothing more in this direction before the next event. */
  refuse(direction: typeof READ | typeof WRITE): void {
    this.ready &= ~direction;
    if (direction === READ) this.behind = 0;
  }

  /** A read got less than it asked for: the kernel's queue was empty, unless something stood behind the bytes. */
  drained(): void {
    if (this.behind === 0) this.ready &= ~READ;
  }

  /** Something that changes readiness without an event happened (an option was set): try again. */
  forget(): void {
    this.ready = READ | WRITE;
  }

  /** The same, and nothing is known of what stands behind the bytes: a short read does not empty the queue. */
  doubt(): void {
    this.forget();
    this.behind = BEHIND_BYTES;
  }

  /**
   * An event came. Errors and hang-ups are news for both directions: each finds out by its own call.
   * Returns whether anybody waits for news at all; where nobody does, the poller is to be silenced.
   */
  notice(readiness: number): boolean {
    if ((readiness & DISARMED) !== 0) this.armed = 0;
    this.news = readiness;
    this.behind |= readiness & BEHIND_BYTES;
    const alarming = (readiness & (ERROR | HANGUP)) !== 0;
    if (alarming) this.alarmed = true;
    const both = alarming ? READ | WRITE : 0;
    const end = (readiness & PEER_CLOSED) !== 0 ? READ : 0;
    this.ready |= (readiness & (READ | WRITE)) | both | end;
    return this.waiting > 0;
  }

  /** Those whose turn is next: the first reader, the first writer, all watchers. */
  heads(): Waiting[] {
    const heads = this.watchers.all();
    if (this.readers.head !== null) heads.push(this.readers.head);
    if (this.writers.head !== null) heads.push(this.writers.head);
    return heads;
  }

  /** The interest that has to be armed before `operation` can wait; 0 where the poller reports it already. */
  missing(interest: number): number {
    return interest & ~this.armed;
  }

  /** Whether the poller reports room to write that nobody asked it for. */
  get overheard(): boolean {
    return (
      (this.armed & ~this.company & WRITE) !== 0 &&
      !this.closed &&
      this.writers.head === null &&
      this.watchers.all().every(({ operation }) => (operation.interest & WRITE) === 0)
    );
  }

  /** The end of everything: all who waited, in their order. */
  close(): Waiting[] {
    this.closed = true;
    const left = this.everybody();
    for (const waiting of left) this.leave(waiting);
    return left;
  }
}
