// sink(): an endpoint as the end of an rxjs pipe, with a queue where rxjs has no pressure.

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  concat,
  endWith,
  from,
  generate,
  lastValueFrom,
  map,
  merge,
  NEVER,
  of,
  retry,
  Subject,
  take,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import type { Puttable } from '../../lib/adapters/contract';
import type { SinkOptions } from '../../lib/adapters/sink';
import { sink } from '../../lib/endpoints/sink';
import { bind, connect, type Message, type OutgoingMessage } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { seqpacket } from '../support/messages';
import type { Failure } from '../support/outcomes';
import { tcp4 } from '../support/streams';
import { turns, until } from '../support/turns';

leavesNoSockets();

/** Takes what it is given, and is done with it when the test says so. */
class Slow implements Puttable<number> {
  readonly batches: (readonly number[])[] = [];
  private under: { done: () => void; failed: (error: Error) => void } | undefined;

  put(items: readonly number[], done: () => void, failed: (error: Error) => void): void {
    if (this.under !== undefined) throw new Error('it was busy');
    this.batches.push(items);
    this.under = { done, failed };
  }

  finish(error?: Error): void {
    const under = this.under!;
    this.under = undefined;
    if (error === undefined) under.done();
    else under.failed(error);
  }
}

interface Seen {
  error?: Failure;
  completed?: true;
  readonly drops: [item: unknown, dropped: number][];
}

function pour<T>(source: Observable<T>, target: Puttable<T>, options?: SinkOptions<T>): Seen {
  return watch(source.pipe(sink(target, { ...options, onDrop: (...told) => drops.push(told) })));
}

let drops: Seen['drops'] = [];

function watch(ends: Observable<never>): Seen {
  const seen: Seen = { drops: (drops = []) };
  ends.subscribe({
    error: (error: unknown) => (seen.error = error as Failure),
    complete: () => (seen.completed = true),
  });
  return seen;
}

const words = (count: number): { data: Buffer }[] =>
  Array.from({ length: count }, (_, i) => ({ data: Buffer.from(`${i}`) }));

const textOf = ({ data }: Message): string => String(data);

describe('sink: a scripted target', () => {
  test('the first goes at once, what comes meanwhile goes together, and the end comes behind all', () => {
    const target = new Slow();
    const source = new Subject<number>();
    const seen = pour(source, target);
    for (const item of [1, 2, 3]) source.next(item);
    source.complete();
    expect(target.batches).toEqual([[1]]);
    target.finish();
    expect(target.batches).toEqual([[1], [2, 3]]);
    expect(seen.completed).toBeUndefined();
    target.finish();
    expect(seen).toEqual({ completed: true, drops: [] });
  });

  test('an error of the source comes behind what it gave before', () => {
    const target = new Slow();
    const error = new Error('broken');
    const seen = pour(
      concat(
        of(1, 2),
        throwError(() => error),
      ),
      target,
    );
    target.finish();
    expect(target.batches).toEqual([[1], [2]]);
    expect(seen.error).toBeUndefined();
    target.finish();
    expect(seen.error).toBe(error);
  });

  test('a target that fails ends it, leaves the source, and what waited is told', () => {
    const target = new Slow();
    const source = new Subject<number>();
    const seen = pour(source, target);
    for (const item of [1, 2, 3]) source.next(item);
    const error = new Error('full');
    target.finish(error);
    expect(seen).toEqual({
      error,
      drops: [
        [2, 1],
        [3, 2],
      ],
    });
    expect(source.observed).toBe(false);
  });

  test.each([
    [
      'dropOldest',
      [4, 5],
      [
        [2, 1],
        [3, 2],
      ],
    ],
    [
      'dropNewest',
      [2, 3],
      [
        [4, 1],
        [5, 2],
      ],
    ],
  ] as const)('%s: beyond the mark it drops, and tells', (overflow, kept, lost) => {
    const target = new Slow();
    const seen = pour(of(1, 2, 3, 4, 5), target, { overflow, highWaterMark: 2 });
    target.finish();
    target.finish();
    expect(target.batches).toEqual([[1], kept]);
    expect(seen).toEqual({ completed: true, drops: lost });
  });

  test.each(['error', undefined] as const)(
    '%s: what has room goes, then it fails; the source is left at once',
    (overflow) => {
      const target = new Slow();
      let given = 0;
      const endless = generate(
        1,
        () => true,
        (i) => (given = i + 1),
      );
      const seen = pour(endless, target, { overflow, highWaterMark: 2 });
      expect(given).toBeLessThan(6);
      expect(seen.error).toBeUndefined();
      target.finish();
      target.finish();
      expect(target.batches).toEqual([[1], [2, 3]]);
      expect(seen.error).toMatchObject({
        code: 'ERR_BUFFER_OVERFLOW',
        message: 'More than 2 items wait for a slow socket',
      });
      expect(seen.drops).toEqual([[4, 1]]);
    },
  );

  test('unsubscribing drops what waits, and lets go on what is under way', () => {
    const target = new Slow();
    const source = new Subject<number>();
    const told: number[] = [];
    const subscription = source
      .pipe(sink(target, { onDrop: (item) => told.push(item) }))
      .subscribe();
    for (const item of [1, 2, 3]) source.next(item);
    subscription.unsubscribe();
    target.finish();
    expect(target.batches).toEqual([[1]]);
    expect(told).toEqual([2, 3]);
    expect(source.observed).toBe(false);
  });

  test('is cold: nothing is asked for before somebody subscribes', () => {
    const source = new Subject<number>();
    source.pipe(sink(new Slow(), {}));
    expect(source.observed).toBe(false);
  });

  test('a hundred thousand at once do not overflow the stack', () => {
    const got: number[] = [];
    const quick: Puttable<number> = {
      put: (items, done) => {
        got.push(...items);
        done();
      },
    };
    const seen = pour(
      generate(
        1,
        (i) => i <= 100_000,
        (i) => i + 1,
      ),
      quick,
    );
    expect(got).toHaveLength(100_000);
    expect(seen.completed).toBe(true);
  });

  test('promise 19: the outcome is told in the context of the subscriber', () => {
    const storage = new AsyncLocalStorage<string>();
    const target = new Slow();
    let where: string | undefined;
    storage.run('subscriber', () => {
      of(1)
        .pipe(sink(target, {}))
        .subscribe({ complete: () => (where = storage.getStore()) });
    });
    storage.run('waker', () => target.finish());
    expect(where).toBe('subscriber');
  });
});

describe('sink: a real target', () => {
  test('messages are sent in their order, and all when it completes', async () => {
    await using to = await bind({ host: '127.0.0.1' });
    await using socket = await bind({ host: '127.0.0.1' });
    const messages = words(50).map((message) => ({ ...message, to: to.localAddress }));
    await lastValueFrom(from(messages).pipe(socket.sink(), endWith(null)));
    const got = await to.receiveBatch(50);
    expect(got.map(textOf)).toEqual(words(50).map(({ data }) => String(data)));
  });

  test('with the replies beside it', async () => {
    await using echo = await bind({ host: '127.0.0.1' });
    const echoing = echo
      .observe()
      .pipe(
        map(({ data, from: to }) => ({ data, to: to! })),
        echo.sink(),
      )
      .subscribe();
    const { port } = echo.localAddress;
    await using client = await connect({ type: 'dgram', host: '127.0.0.1', port });
    const replies = await lastValueFrom(
      merge(from(words(3)).pipe(client.sink()), client.observe()).pipe(take(3), toArray()),
    );
    expect(replies.map(textOf)).toEqual(['0', '1', '2']);
    echoing.unsubscribe();
  });

  test.each([
    ['dropOldest', [0, 15, 16, 17, 18, 19]],
    ['dropNewest', [0, 1, 2, 3, 4, 5]],
  ] as const)('%s: a peer whose queue is full gets what had room', async (overflow, kept) => {
    await using pair = await seqpacket();
    let before = 0;
    while (pair.a.socket.trySend(Buffer.alloc(4000)) !== null) before++;
    let dropped = 0;
    const onDrop = (_: unknown, count: number): void => void (dropped = count);
    let completed = false;
    from(words(20))
      .pipe(pair.a.sink({ overflow, highWaterMark: 5, onDrop }))
      .subscribe({ complete: () => (completed = true) });
    await turns(3);
    expect({ completed, dropped }).toEqual({ completed: false, dropped: 14 });
    for (let i = 0; i < before; i++) await pair.b.receive();
    await until(() => completed);
    const got = await pair.b.receiveBatch(20);
    expect(got.map((message) => Number(textOf(message)))).toEqual(kept);
  });

  test('a stream: bytes, pieces and text, each whole, and the writing side stays open', async () => {
    await using pair = await tcp4();
    const big = Buffer.alloc(3_000_000, 'x');
    const items = ['text, ', [Buffer.from('two '), Buffer.from('pieces, ')], big, ' the end'];
    const poured = lastValueFrom(from(items).pipe(pair.client.sink(), endWith('poured')));
    const whole = `text, two pieces, ${String(big)} the end`;
    expect(String(await pair.server.readExactly(whole.length))).toBe(whole);
    expect(await poured).toBe('poured');
    await pair.client.write('!');
    expect(String(await pair.server.read())).toBe('!');
  });

  test('closing fails it: what was to go has not gone', async () => {
    await using pair = await tcp4();
    const seen = watch(concat(of(Buffer.alloc(50_000_000)), NEVER).pipe(pair.client.sink()));
    await turns(2);
    pair.client.abort();
    await until(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    const after = watch(of('x').pipe(pair.client.sink()));
    expect(after.error).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('a destination that is dead fails it, and retry() goes on', async () => {
    const gone = await bind({ host: '127.0.0.1' });
    const { port } = gone.localAddress;
    await gone.close();
    await using socket = await connect({ type: 'dgram', host: '127.0.0.1', port });
    const source = new Subject<OutgoingMessage>();
    const errors: Failure[] = [];
    const retried = retry({
      delay: (error: Failure) => {
        errors.push(error);
        return of(0);
      },
    });
    const subscription = source.pipe(socket.sink(), retried).subscribe();
    const [message] = words(1);
    source.next(message);
    // The kernel tells it to the next send.
    await turns(2);
    source.next(message);
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await using back = await bind({ host: '127.0.0.1', port });
    source.next(message);
    expect(textOf(await back.receive())).toBe('0');
    subscription.unsubscribe();
  });

  test('what is no message fails it, by name', async () => {
    await using socket = await bind({ host: '127.0.0.1' });
    const bad = { data: 7, to: socket.localAddress } as unknown as OutgoingMessage;
    expect(watch(of(bad).pipe(socket.sink())).error).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringContaining('"messages[0].data"') as string,
    });
  });
});

test('sink: an item that is none is an error behind the good ones before it', async () => {
  await using pair = await tcp4();
  const items = new Subject<Buffer | string>();
  let failure: Failure | undefined;
  items.pipe(pair.client.sink()).subscribe({ error: (error: Failure) => (failure = error) });
  // The first one is more than the kernel takes, so that the others are a batch.
  items.next(Buffer.alloc(16 << 20));
  for (const item of ['good', 'fine', 5, 'late']) items.next(item as string);
  await pair.server.readExactly(16 << 20);
  expect((await pair.server.readExactly(8)).toString()).toBe('goodfine');
  await until(() => failure !== undefined);
  expect(failure?.code).toBe('ERR_INVALID_ARG_TYPE');
  await pair.client.end();
  expect(await pair.server.read()).toBeNull();
});
