// observe({ onDrop }): what a queue of an Observable loses is told, one by one, and counted. And what a source is to
// rxjs itself: from(source).

import { BehaviorSubject, from, map, merge, take, toArray, type Subscription } from 'rxjs';
import { lastValueFrom } from 'rxjs';
import { observe, type Overflow } from '../../lib/adapters/observe';
import {
  bind,
  connect,
  listen,
  type Message,
  type OwnedFd,
  type StreamSocket,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { seqpacket } from '../support/messages';
import { abstractName } from '../support/names';
import { Scripted } from '../support/pullable';
import { spin, turns, until } from '../support/turns';

leavesNoSockets();

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const slow = (): void => spin(1.5);

interface Told {
  readonly seen: number[];
  readonly drops: (readonly [item: number, dropped: number])[];
  error?: unknown;
  completed?: true;
  subscription?: Subscription;
}

/** A slow subscriber with room for ten of what is there at once. */
function watch(source: Scripted<number>, overflow: Overflow, each?: (told: Told) => void): Told {
  const told: Told = { seen: [], drops: [] };
  const onDrop = (item: number, dropped: number): void => void told.drops.push([item, dropped]);
  told.subscription = observe(source, { overflow, highWaterMark: 10, onDrop }).subscribe({
    next: (item) => {
      slow();
      told.seen.push(item);
      each?.(told);
    },
    error: (error: unknown) => (told.error = error),
    complete: () => (told.completed = true),
  });
  return told;
}

describe('onDrop', () => {
  test('dropOldest: hears of each, in their order, with the count', async () => {
    const told = watch(Scripted.of(numbers(100)), 'dropOldest');
    await until(() => told.completed === true);
    const lost = numbers(100).slice(1, 90);
    expect(told.drops).toEqual(lost.map((item, i) => [item, i + 1]));
  });

  test('dropNewest: the same', async () => {
    const told = watch(Scripted.of(numbers(100)), 'dropNewest');
    await until(() => told.completed === true);
    expect(told.drops).toEqual(
      numbers(100)
        .slice(11)
        .map((item, i) => [item, i + 1]),
    );
  });

  test('error: the one that had no room is counted', async () => {
    const told = watch(Scripted.of(numbers(100)), 'error');
    await until(() => told.error !== undefined);
    expect(told.seen).toEqual(numbers(11));
    expect(told.drops).toEqual([[12, 1]]);
  });

  test('pause: there is nothing to tell', async () => {
    const told = watch(Scripted.of(numbers(20)), 'pause');
    await until(() => told.completed === true);
    expect(told).toMatchObject({ seen: numbers(20), drops: [] });
  });

  test.each(['dropOldest', 'dropNewest', 'error'] as const)(
    '%s: what waits when the subscriber leaves is told: seen and told are all that was taken',
    async (overflow) => {
      const source = new Scripted<number>(...numbers(10));
      const told = watch(source, overflow, ({ seen, subscription }) => {
        if (seen.length === 3) subscription!.unsubscribe();
      });
      await until(() => told.seen.length === 3);
      expect(told.drops).toEqual(
        numbers(10)
          .slice(3)
          .map((item, i) => [item, i + 1]),
      );
      expect(source.taken).toBe(10);
    },
  );

  test('each subscription of one Observable counts for itself', async () => {
    const source = new Scripted<number>();
    const counts: number[] = [];
    const shared = observe(source, {
      overflow: 'dropNewest',
      highWaterMark: 1,
      onDrop: (_, dropped) => counts.push(dropped),
    });
    for (let i = 0; i < 2; i++) {
      source.feed(...numbers(4));
      const subscription = shared.subscribe(slow);
      await turns(4);
      subscription.unsubscribe();
    }
    expect(counts).toEqual([1, 2, 1, 2]);
  });

  test('may end the subscription', async () => {
    const source = new Scripted<number>(...numbers(100));
    let dropped = 0;
    const seen: number[] = [];
    const subscription = observe(source, {
      overflow: 'dropOldest',
      highWaterMark: 3,
      onDrop: () => {
        if (++dropped === 1) void Promise.resolve().then(() => subscription.unsubscribe());
      },
    }).subscribe((item) => {
      slow();
      seen.push(item);
    });
    await turns(5);
    expect(seen).toEqual([1]);
    expect(dropped + seen.length).toBe(source.taken);
    expect(source.pending).toBe(0);
  });

  test('that throws stops nothing, and its error is not lost', async () => {
    const later: (() => void)[] = [];
    const spy = jest.spyOn(globalThis, 'queueMicrotask');
    spy.mockImplementation((callback) => later.push(callback));
    const seen: number[] = [];
    let completed = false;
    observe(Scripted.of(numbers(6)), {
      overflow: 'dropNewest',
      highWaterMark: 3,
      onDrop: (item) => {
        throw new Error(`lost ${item}`);
      },
    }).subscribe({
      next: (item) => {
        slow();
        seen.push(item);
      },
      complete: () => (completed = true),
    });
    await until(() => completed);
    spy.mockRestore();
    expect(seen).toEqual(numbers(4));
    expect(later).toHaveLength(2);
    expect(later[0]).toThrow('lost 5');
  });

  test('is read at any time, and as an Observable', async () => {
    await using pair = await seqpacket();
    const COUNT = 400;
    const drops = new BehaviorSubject(0);
    let seen = 0;
    let completed = false;
    pair.b
      .observe({
        overflow: 'dropOldest',
        highWaterMark: 20,
        onDrop: (_, dropped) => drops.next(dropped),
      })
      .subscribe({
        next: () => {
          slow();
          seen++;
        },
        complete: () => (completed = true),
      });
    for (let i = 0; i < COUNT; i++) await pair.a.send(`${i}`);
    await (pair.a as typeof pair.a & { end(): Promise<void> }).end();
    await until(() => completed);
    expect(drops.value).toBeGreaterThan(0);
    expect(seen + drops.value).toBe(COUNT);
  });

  test('of connections: it hears of each before that is closed', async () => {
    const path = abstractName();
    await using server = await listen({ path });
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await connect({ path }));
    const dropped: StreamSocket[] = [];
    const met: StreamSocket[] = [];
    const subscription = server
      .observe({
        overflow: 'dropNewest',
        highWaterMark: 1,
        onDrop: (peer) => {
          expect(peer.socket.closed).toBe(false);
          dropped.push(peer);
        },
      })
      .subscribe((peer) => {
        slow();
        met.push(peer);
      });
    await until(() => met.length === 2 && dropped.length === 3);
    subscription.unsubscribe();
    expect(dropped.every((peer) => peer.socket.closed)).toBe(true);
    for (const end of [...met, ...clients]) end.abort();
  });
});

describe('from(source)', () => {
  test('is observe(): it gives what comes, and completes at close', async () => {
    const socket = await bind({ host: '127.0.0.1' });
    const texts = lastValueFrom(
      from(socket).pipe(
        map(({ data }) => String(data)),
        toArray(),
      ),
    );
    for (const word of ['one', 'two']) await socket.send(word, socket.localAddress);
    await turns(3);
    await socket.close();
    expect(await texts).toEqual(['one', 'two']);
  });

  test('loses nothing when it is left while it waits, merged or not', async () => {
    await using socket = await bind({ host: '127.0.0.1' });
    for (const observable of [from(socket), merge(socket, new BehaviorSubject(0).pipe(take(1)))]) {
      const subscription = observable.subscribe();
      await turns(2);
      subscription.unsubscribe();
      await socket.send('kept', socket.localAddress);
      await turns(2);
      expect(String((await socket.receive({ timeout: 5_000 })).data)).toBe('kept');
    }
  });

  test('and from(source.iterate()) is not: rxjs takes one more, and it is lost', async () => {
    await using socket = await bind({ host: '127.0.0.1' });
    const subscription = from(socket.iterate()).subscribe();
    await turns(2);
    subscription.unsubscribe();
    for (const word of ['lost', 'kept']) await socket.send(word, socket.localAddress);
    await turns(2);
    expect(String((await socket.receive()).data)).toBe('kept');
  });

  test('unless its signal ends the iterator too', async () => {
    await using socket = await bind({ host: '127.0.0.1' });
    const stop = new AbortController();
    const subscription = from(socket.iterate({ signal: stop.signal })).subscribe();
    await turns(2);
    subscription.unsubscribe();
    stop.abort();
    await socket.send('kept', socket.localAddress);
    await turns(2);
    expect(String((await socket.receive()).data)).toBe('kept');
  });
});

test('promise 8: descriptors of messages that are dropped are closed', async () => {
  await using a = await bind({ path: '' });
  await using b = await bind({ path: '' });
  a.takeDescriptors();
  const lost: OwnedFd[] = [];
  const onDrop = ({ control }: Message): void => {
    for (const part of control) if (part.kind === 'rights') lost.push(...part.fds);
  };
  for (let i = 0; i < 8; i++)
    await b.send('x', a.localAddress, { control: [{ kind: 'rights', fds: [b.socket] }] });
  const options = { overflow: 'dropNewest', highWaterMark: 1, onDrop } as const;
  const subscription = a.observe(options).subscribe(({ control }) => {
    slow();
    for (const part of control) if (part.kind === 'rights') part.fds.forEach((fd) => fd.close());
  });
  await until(() => lost.length > 0);
  await turns();
  subscription.unsubscribe();
  expect(lost.map(({ fd }) => fd)).toEqual(lost.map(() => -1));
});
