import { Handle, LANE, Queue, READ, WATCH, WRITE, type Direction } from '../../lib/core/handle';
import { DISARMED, ERROR, HANGUP, PEER_CLOSED, PRIORITY } from '../../lib/native/binding';
import type { Waiting } from '../../lib/core/waiting';

// All that a queue knows of what waits in it.
function waiting(handle: Handle, direction: Direction = READ): Waiting {
  return { next: null, previous: null, operation: { handle, direction } } as unknown as Waiting;
}

/** A handle of which the kernel has said EAGAIN in both directions. */
function exhausted(): Handle {
  const handle = new Handle(1);
  handle.refuse(READ);
  handle.refuse(WRITE);
  return handle;
}

function contents(queue: Queue): unknown[] {
  const found = [];
  for (let next = queue.head; next !== null; next = next.next) found.push(next);
  return found;
}

describe('Queue', () => {
  const handle = new Handle(1);

  test('keeps the order in which they came', () => {
    const queue = new Queue();
    const [a, b, c] = [waiting(handle), waiting(handle), waiting(handle)];
    for (const each of [a, b, c]) queue.push(each);
    expect(contents(queue)).toEqual([a, b, c]);
  });

  test.each([
    ['first', 0],
    ['middle', 1],
    ['last', 2],
  ])('forgets its %s one alone, and takes another one behind the rest', (_which, i) => {
    const queue = new Queue();
    const all = [waiting(handle), waiting(handle), waiting(handle)];
    for (const each of all) queue.push(each);
    queue.remove(all[i]);
    const rest = all.filter((_, j) => j !== i);
    expect(contents(queue)).toEqual(rest);
    expect([all[i].next, all[i].previous]).toEqual([null, null]);
    const late = waiting(handle);
    queue.push(late);
    expect(contents(queue)).toEqual([...rest, late]);
  });

  test('is empty after its only one left, and takes that one again', () => {
    const queue = new Queue();
    const only = waiting(handle);
    queue.push(only);
    queue.remove(only);
    expect(queue.head).toBeNull();
    queue.push(only);
    expect(contents(queue)).toEqual([only]);
  });
});

describe('Handle', () => {
  test('has a queue for each direction', () => {
    const handle = new Handle(1);
    expect(handle.queueOf(waiting(handle).operation)).toBe(handle.readers);
    expect(handle.queueOf(waiting(handle, WRITE).operation)).toBe(handle.writers);
    expect(handle.queueOf(waiting(handle, WATCH).operation)).toBe(handle.watchers);
    expect(handle.queueOf(waiting(handle, LANE).operation)).toBeNull();
  });

  test('is worth trying in both directions before the kernel has said anything', () => {
    const handle = new Handle(1);
    expect(handle.worthTrying(READ)).toBe(true);
    expect(handle.worthTrying(WRITE)).toBe(true);
  });

  test('is not worth trying in a direction that was refused, until an event of that direction', () => {
    const handle = new Handle(1);
    handle.refuse(READ);
    expect(handle.worthTrying(READ)).toBe(false);
    expect(handle.worthTrying(WRITE)).toBe(true);
    handle.notice(WRITE);
    expect(handle.worthTrying(READ)).toBe(false);
    handle.notice(READ);
    expect(handle.worthTrying(READ)).toBe(true);
  });

  test('is worth trying after an option was set, whatever the kernel had said', () => {
    const handle = exhausted();
    handle.forget();
    expect(handle.worthTrying(READ)).toBe(true);
    expect(handle.worthTrying(WRITE)).toBe(true);
  });

  describe('promise 9: an event is news for', () => {
    test.each([
      ['readable', READ, true, false],
      ['writable', WRITE, false, true],
      ['both', READ | WRITE, true, true],
      ['an error', ERROR, true, true],
      ['a hang-up', HANGUP, true, true],
      ["the peer's end", PEER_CLOSED, true, false],
      ['a mark', PRIORITY, false, false],
    ])('%s: the directions that it may have changed', (_what, readiness, read, write) => {
      const handle = exhausted();
      handle.notice(readiness);
      expect(handle.worthTrying(READ)).toBe(read);
      expect(handle.worthTrying(WRITE)).toBe(write);
    });
  });

  test('is drained by a short read', () => {
    const handle = new Handle(1);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(false);
    expect(handle.worthTrying(WRITE)).toBe(true);
  });

  test.each([
    ['the end', PEER_CLOSED],
    ['a hang-up', HANGUP],
    ['an error', ERROR],
    ['a mark', PRIORITY],
  ])('is not drained by a short read while %s stands behind the bytes', (_what, readiness) => {
    const handle = new Handle(1);
    handle.notice(READ | readiness);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(true);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(true);
  });

  test('is drained by a short read again after the kernel refused one: nothing stands behind any more', () => {
    const handle = new Handle(1);
    handle.notice(READ | PRIORITY);
    handle.refuse(READ);
    handle.notice(READ);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(false);
  });

  test('in doubt, is worth trying both ways, and is not drained before the kernel refuses a read', () => {
    // A refusal that was another socket's has wiped out that the end stands behind the bytes.
    const handle = new Handle(1);
    handle.notice(READ | PEER_CLOSED);
    handle.refuse(READ);
    handle.refuse(WRITE);
    handle.doubt();
    expect([handle.worthTrying(READ), handle.worthTrying(WRITE)]).toEqual([true, true]);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(true);
    handle.refuse(READ);
    expect(handle.worthTrying(READ)).toBe(false);
    handle.notice(READ);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(false);
  });

  test('remembers what stands behind the bytes over a refused write', () => {
    const handle = new Handle(1);
    handle.notice(READ | PEER_CLOSED);
    handle.refuse(WRITE);
    handle.drained();
    expect(handle.worthTrying(READ)).toBe(true);
  });

  test('says of an event whether anybody waits', () => {
    const handle = new Handle(1);
    expect(handle.notice(READ)).toBe(false);
    handle.waiting = 1;
    expect(handle.notice(READ)).toBe(true);
  });

  test('misses the interest that is not armed, and all of it after an event that disarmed', () => {
    const handle = new Handle(1);
    expect(handle.missing(READ | PRIORITY)).toBe(READ | PRIORITY);
    handle.armed = READ | WRITE;
    expect(handle.missing(READ)).toBe(0);
    expect(handle.missing(READ | PRIORITY)).toBe(PRIORITY);
    handle.notice(READ);
    expect(handle.missing(READ)).toBe(0);
    handle.notice(READ | DISARMED);
    expect(handle.missing(READ)).toBe(READ);
  });

  test('gives back all who wait when it closes: readers, writers, watchers, each in their order', () => {
    const handle = new Handle(1);
    const [r1, r2] = [waiting(handle), waiting(handle)];
    const [w1, w2] = [waiting(handle, WRITE), waiting(handle, WRITE)];
    const [p1, p2] = [waiting(handle, WATCH), waiting(handle, WATCH)];
    for (const each of [p1, w1, r1, w2, p2, r2]) {
      handle.enter(each);
    }
    expect(handle.close()).toEqual([r1, r2, w1, w2, p1, p2]);
    expect(handle.closed).toBe(true);
    expect(handle.waiting).toBe(0);
    expect([handle.readers.head, handle.writers.head, handle.watchers.head]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('gives back nobody when it closes again', () => {
    const handle = new Handle(1);
    handle.close();
    expect(handle.close()).toEqual([]);
  });
});
