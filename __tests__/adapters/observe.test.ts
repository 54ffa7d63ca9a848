// observe(): a source as a cold Observable, with pressure where rxjs has none.

import { catchError, from, lastValueFrom, merge, take, toArray, type Subscription } from 'rxjs';
import { concatMap } from 'rxjs/operators';
import { observe, type ObserveOptions, type Overflow } from '../../lib/adapters/observe';
import { bind, connect, listen, type DatagramSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { seqpacket } from '../support/messages';
import { abstractName } from '../support/names';
import type { Failure } from '../support/outcomes';
import { closed, Scripted } from '../support/pullable';
import { tcp4 } from '../support/streams';
import { spin, turn, turns, until } from '../support/turns';

leavesNoSockets();

/** What a subscriber has seen. */
interface Seen<T> {
  readonly items: T[];
  readonly error: Failure | undefined;
  readonly completed: boolean;
  readonly subscription: Subscription;
}

function watch<T>(
  source: Parameters<typeof observe<T>>[0],
  options?: ObserveOptions<T>,
  each?: (item: T, seen: { subscription: Subscription | undefined }) => void,
): Seen<T> {
  const seen = {
    items: [] as T[],
    error: undefined as Failure | undefined,
    completed: false,
    subscription: undefined as Subscription | undefined,
  };
  seen.subscription = observe(source, options).subscribe({
    next: (item) => {
      seen.items.push(item);
      each?.(item, seen);
    },
    error: (error: unknown) => {
      seen.error = error as Failure;
    },
    complete: () => {
      seen.completed = true;
    },
  });
  return seen as Seen<T>;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('observe: a scripted source', () => {
  test('is cold: nothing is asked for before somebody subscribes', () => {
    const source = new Scripted(1, 2, null);
    const observable = observe(source);
    expect(source.pulls).toBe(0);
    const items: number[] = [];
    observable.subscribe((item) => items.push(item));
    expect(items).toEqual([1, 2]);
  });

  test('each subscription pulls for itself', () => {
    const source = new Scripted<number>();
    const one = watch(source);
    const two = watch(source);
    expect(source.pending).toBe(2);
    source.feed(1, 2, 3);
    expect([...one.items, ...two.items].sort()).toEqual([1, 2, 3]);
    one.subscription.unsubscribe();
    two.subscription.unsubscribe();
  });

  test('gives items as they come, and completes at the end', () => {
    const source = new Scripted<number>();
    const seen = watch(source);
    source.feed(1);
    expect(seen.items).toEqual([1]);
    source.feed(2, 3);
    expect(seen).toMatchObject({ items: [1, 2, 3], completed: false });
    source.feed(null);
    expect(seen).toMatchObject({ completed: true, error: undefined });
    expect(source.pending).toBe(0);
  });

  test('an error is one, and the last', () => {
    const error = new Error('broken');
    const source = new Scripted<number>(1, error, 2);
    const seen = watch(source);
    expect(seen).toMatchObject({ items: [1], error, completed: false });
    expect(source.left).toBe(1);
  });

  test('a source that this side has closed completes', () => {
    const source = new Scripted<number>(1, closed());
    expect(watch(source)).toMatchObject({ items: [1], completed: true, error: undefined });
  });

  test('unsubscribing takes the pull back', () => {
    const source = new Scripted<number>(1);
    const seen = watch(source);
    expect(source.pending).toBe(1);
    seen.subscription.unsubscribe();
    expect(source).toMatchObject({ pending: 0, withdrawn: 1 });
    source.feed(2);
    expect(source.left).toBe(1);
    expect(seen.items).toEqual([1]);
  });

  test('unsubscribing in the middle of many leaves the rest where it is', async () => {
    const source = new Scripted(...numbers(10), null);
    expect(await lastValueFrom(observe(source).pipe(take(3), toArray()))).toEqual([1, 2, 3]);
    expect(source.left).toBe(8);
    expect(source.pulls).toBe(3);
  });

  test('unsubscribing inside next, when items come later', () => {
    const source = new Scripted<number>();
    const seen = watch(source, undefined, (item, { subscription }) => {
      if (item === 2) subscription!.unsubscribe();
    });
    source.feed(1, 2, 3, 4);
    expect(seen.items).toEqual([1, 2]);
    expect(source).toMatchObject({ left: 2, pending: 0 });
  });

  test('a subscriber that throws ends nobody else', async () => {
    // rxjs reports it in a timer of its own.
    const reported: unknown[] = [];
    const { config } = await import('rxjs');
    config.onUnhandledError = (error): void => {
      reported.push(error);
    };
    const source = new Scripted<number>();
    const mistake = new Error('mine');
    const bad = watch(source, undefined, () => {
      throw mistake;
    });
    const good = watch(source);
    for (const item of [1, 2, 3, 4]) source.feed(item);
    await until(() => reported.length === 2);
    config.onUnhandledError = null;
    expect(reported).toEqual([mistake, mistake]);
    expect(bad.items).toEqual([1, 3]);
    expect(good.items).toEqual([2, 4]);
    bad.subscription.unsubscribe();
    good.subscription.unsubscribe();
  });

  test('hands its signal to the source', () => {
    const source = new Scripted<number>();
    const { signal } = new AbortController();
    const pull = jest.spyOn(source, 'pull');
    watch(source, { signal }).subscription.unsubscribe();
    expect(pull.mock.calls[0][2]).toBe(signal);
  });

  test('a hundred thousand items at once do not overflow the stack', () => {
    const source = Scripted.of(numbers(100_000));
    const seen = watch(source);
    expect(seen.items).toHaveLength(100_000);
    expect(seen.completed).toBe(true);
  });

  describe('with a subscriber that is slow', () => {
    const MARK = 10;
    const slow = (): void => spin(2);

    /** A hundred items are there at once; the subscriber takes longer for each than a turn may last. */
    async function overflow(
      policy: Overflow | undefined,
    ): Promise<[Seen<number>, Scripted<number>]> {
      const source = Scripted.of(numbers(100));
      const seen = watch(source, { overflow: policy, highWaterMark: MARK }, slow);
      await until(() => seen.completed || seen.error !== undefined);
      return [seen, source];
    }

    test.each(['pause', undefined] as const)(
      '%s: an item is asked for when the one before it was taken; none is lost',
      async (policy) => {
        const source = Scripted.of(numbers(20));
        const pulls: number[] = [];
        const seen = watch(source, { overflow: policy, highWaterMark: 1 }, () => {
          slow();
          pulls.push(source.pulls);
        });
        await until(() => seen.completed);
        expect(seen.items).toEqual(numbers(20));
        expect(pulls).toEqual(numbers(20));
      },
    );

    test('dropOldest: the newest are kept, and the end comes behind them', async () => {
      const [seen] = await overflow('dropOldest');
      // The first was delivered as it came; then ten had room.
      expect(seen).toMatchObject({ items: [1, ...numbers(100).slice(-MARK)], completed: true });
    });

    test('dropNewest: the oldest are kept, and the end comes behind them', async () => {
      const [seen] = await overflow('dropNewest');
      expect(seen).toMatchObject({ items: numbers(1 + MARK), completed: true });
    });

    test('error: what had room is delivered, and then it fails', async () => {
      const [seen, source] = await overflow('error');
      expect(seen.items).toEqual(numbers(1 + MARK));
      expect(seen.error).toMatchObject({
        code: 'ERR_BUFFER_OVERFLOW',
        message: `More than ${MARK} items wait for a slow subscriber`,
      });
      expect(seen.completed).toBe(false);
      // And no more is read.
      expect(source.taken).toBe(MARK + 2);
    });

    test('the mark is 256 unless told', async () => {
      const source = Scripted.of(numbers(1000));
      const seen = watch(source, { overflow: 'dropNewest' }, (item) => {
        if (item === 1) spin(2);
      });
      await until(() => seen.completed);
      expect(seen.items).toEqual(numbers(257));
    });

    test.each(['dropOldest', 'dropNewest', 'error'] as const)(
      '%s: a subscriber that keeps up loses nothing',
      async (policy) => {
        const source = new Scripted<number>();
        const seen = watch(source, { overflow: policy, highWaterMark: 50 });
        for (let i = 1; i <= 500; i++) {
          source.feed(i);
          if (i % 50 === 0) await turn();
        }
        source.feed(null);
        await until(() => seen.completed);
        expect(seen.items).toEqual(numbers(500));
      },
    );

    test('others get their turn between the items of a slow one', async () => {
      const source = Scripted.of(numbers(30));
      const seen = watch(source, { overflow: 'dropNewest', highWaterMark: 100 }, slow);
      const served: number[] = [];
      while (!seen.completed) {
        served.push(seen.items.length);
        await turn();
      }
      expect(seen.items).toEqual(numbers(30));
      // At most one or two of them in a turn of the loop.
      expect(served.length).toBeGreaterThan(14);
    });

    test('unsubscribing stops the queue', async () => {
      const source = new Scripted<number>(...numbers(100));
      const seen = watch(source, { overflow: 'dropNewest', highWaterMark: 50 }, (item, it) => {
        slow();
        if (item === 5) it.subscription!.unsubscribe();
      });
      await turns(20);
      expect(seen.items).toEqual(numbers(5));
      expect(source.pending).toBe(0);
    });

    test('an error of the source comes behind what was read before it', async () => {
      const error = new Error('broken');
      const source = new Scripted<number>(...numbers(5), error);
      const seen = watch(source, { overflow: 'dropOldest', highWaterMark: 50 }, slow);
      await until(() => seen.error !== undefined);
      expect(seen).toMatchObject({ items: numbers(5), error });
    });
  });
});

describe('observe: a real source', () => {
  async function udp(): Promise<DatagramSocket & { tell(text: string): Promise<void> }> {
    const socket = await bind({ host: '127.0.0.1' });
    return Object.assign(socket, {
      tell: (text: string) => socket.send(text, socket.localAddress),
    });
  }

  test('unsubscribing loses nothing', async () => {
    await using socket = await udp();
    for (let i = 0; i < 10; i++) await socket.tell(`${i}`);
    const first = await lastValueFrom(socket.observe().pipe(take(3), toArray()));
    expect(first.map(({ data }) => data.toString())).toEqual(['0', '1', '2']);
    const then = await lastValueFrom(socket.observe().pipe(take(4), toArray()));
    const rest = await socket.receiveBatch(9);
    expect([...then, ...rest].map(({ data }) => data.toString()).join('')).toBe('3456789');
  });

  test('unsubscribing while it waits leaves what comes to the next one', async () => {
    await using socket = await udp();
    const subscription = socket.observe().subscribe(() => {
      throw new Error('nothing came');
    });
    await turns(2);
    await socket.tell('kept');
    subscription.unsubscribe();
    expect((await socket.receive()).data.toString()).toBe('kept');
  });

  test('close completes', async () => {
    const socket = await udp();
    const whole = lastValueFrom(socket.observe().pipe(toArray()));
    await socket.tell('one');
    await turns(3);
    await socket.close();
    expect((await whole).map(({ data }) => data.toString())).toEqual(['one']);
  });

  test('the end of a stream completes', async () => {
    await using pair = await tcp4();
    const whole = lastValueFrom(pair.server.observe().pipe(toArray()));
    await pair.client.write('one');
    await pair.client.end();
    expect(Buffer.concat(await whole).toString()).toBe('one');
  });

  test('a reset is an error', async () => {
    await using pair = await tcp4();
    const seen = watch(pair.server);
    await turns(2);
    pair.client.abort();
    await until(() => seen.error !== undefined);
    expect(seen).toMatchObject({ error: { code: 'ECONNRESET' }, completed: false });
  });

  test('its signal is an AbortError, and what comes after it stays', async () => {
    await using socket = await udp();
    const controller = new AbortController();
    const seen = watch(socket, { signal: controller.signal });
    await turns(2);
    controller.abort('why');
    await until(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ name: 'AbortError', cause: 'why' });
    await socket.tell('kept');
    expect((await socket.receive()).data.toString()).toBe('kept');
    expect(watch(socket, { signal: controller.signal }).error).toMatchObject({
      code: 'ABORT_ERR',
    });
  });

  test('connections can be subscribed to', async () => {
    const path = abstractName();
    await using server = await listen({ path });
    const peers = lastValueFrom(server.observe().pipe(take(2), toArray()));
    const clients = [await connect({ path }), await connect({ path })];
    const met = await peers;
    expect(met).toHaveLength(2);
    await clients[1].write('x');
    expect((await met[1].readExactly(1)).toString()).toBe('x');
    for (const end of [...met, ...clients]) end.abort();
  });

  test('pause: the sender is held up by a slow subscriber, and nothing is lost', async () => {
    await using pair = await seqpacket();
    const COUNT = 700;
    let sent = 0;
    const sending = (async () => {
      for (; sent < COUNT; sent++) await pair.a.send(`${sent}`);
    })();
    const got: string[] = [];
    let most = 0;
    const subscription = pair.b.observe().subscribe(({ data }) => {
      if (got.length % 50 === 0) spin(2);
      got.push(data.toString());
      most = Math.max(most, sent - got.length);
    });
    await until(() => got.length === COUNT);
    await sending;
    subscription.unsubscribe();
    expect(got).toEqual(Array.from({ length: COUNT }, (_, i) => `${i}`));
    // What the kernel's queue holds, and one batch.
    expect(most).toBeLessThan(COUNT);
  });

  test('pause: an operator that takes its time later does not hold it up', async () => {
    await using socket = await udp();
    for (let i = 0; i < 5; i++) await socket.tell(`${i}`);
    const texts = await lastValueFrom(
      socket.observe().pipe(
        take(5),
        concatMap(({ data }) => from(turn().then(() => data.toString()))),
        toArray(),
      ),
    );
    expect(texts.join('')).toBe('01234');
  });

  test.each([
    ['dropOldest', 'newest'],
    ['dropNewest', 'oldest'],
  ] as const)('%s: reading goes on, and the %s are kept', async (overflow, _kept) => {
    await using pair = await seqpacket();
    const COUNT = 600;
    const seen = watch(pair.b, { overflow, highWaterMark: 20 }, () => spin(1.5));
    for (let i = 0; i < COUNT; i++) await pair.a.send(`${i}`);
    await (pair.a as typeof pair.a & { end(): Promise<void> }).end();
    await until(() => seen.completed);
    const got = seen.items.map(({ data }) => Number(data.toString()));
    expect(got).toEqual([...got].sort((a, b) => a - b));
    expect(new Set(got).size).toBe(got.length);
    expect(got[0]).toBe(0);
    expect(got.length).toBeLessThan(COUNT);
    if (overflow === 'dropOldest') expect(got.at(-1)).toBe(COUNT - 1);
  });

  test('error: an overflow fails, and reading stops', async () => {
    await using pair = await seqpacket();
    const seen = watch(pair.b, { overflow: 'error', highWaterMark: 5 }, () => spin(1.5));
    for (let i = 0; i < 200; i++) await pair.a.send(`${i}`);
    await until(() => seen.error !== undefined);
    expect(seen.error).toMatchObject({ code: 'ERR_BUFFER_OVERFLOW' });
    const got = seen.items.map(({ data }) => Number(data.toString()));
    expect(got).toEqual(got.map((_, i) => i));
    expect((await pair.b.receive())?.length).toBeGreaterThan(0);
  });
});

test('promise 2: a signal that several share ends nobody who has come without it', async () => {
  await using one = await tcp4();
  await using other = await tcp4();
  const controller = new AbortController();
  const { signal } = controller;
  const got: string[] = [];
  const hear = (what: unknown): void => void got.push(String(what));
  // The second is left, and subscribed to again without the signal, while the first one hears of it.
  const second = other.client.observe({ signal });
  const subscription = merge(one.client.observe({ signal }), second)
    .pipe(catchError(() => other.client.observe()))
    .subscribe({ next: hear, error: hear });
  controller.abort();
  await other.server.write('later');
  await until(() => got.length > 0);
  expect(got).toEqual(['later']);
  subscription.unsubscribe();
});
