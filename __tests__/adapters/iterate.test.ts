// iterate(): a source as an async iterator that can be left while it waits.

import { iterate } from '../../lib/adapters/iterate';
import { bind, type DatagramSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { closed, Scripted } from '../support/pullable';
import { tcp4 } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const END = { value: undefined, done: true };

async function udp(): Promise<DatagramSocket & { tell(text: string): Promise<void> }> {
  const socket = await bind({ host: '127.0.0.1' });
  return Object.assign(socket, { tell: (text: string) => socket.send(text, socket.localAddress) });
}

describe('iterate: a scripted source', () => {
  test('gives items as they come, and asks for one at a time', async () => {
    const source = new Scripted(1, 2, 3, null);
    const got: number[] = [];
    for await (const item of iterate(source)) {
      got.push(item);
      expect(source.pulls).toBe(item);
    }
    expect(got).toEqual([1, 2, 3]);
    expect(source.pulls).toBe(4);
  });

  test('asks for nothing before the first next()', async () => {
    const source = new Scripted(1);
    const iterator = iterate(source);
    await turns(2);
    expect(source.pulls).toBe(0);
    expect(await iterator.next()).toEqual({ value: 1, done: false });
  });

  test('is its own iterator', () => {
    const iterator = iterate(new Scripted(1));
    expect(iterator[Symbol.asyncIterator]()).toBe(iterator);
  });

  test('return() while it waits ends at once, and takes the pull back', async () => {
    const source = new Scripted<number>();
    const iterator = iterate(source);
    const step = iterator.next();
    await turns(2);
    expect(await iterator.return!()).toEqual(END);
    expect(await step).toEqual(END);
    expect(source).toMatchObject({ withdrawn: 1, pending: 0 });
    source.feed(1);
    expect(source.left).toBe(1);
    expect(await iterator.next()).toEqual(END);
    expect(source.pulls).toBe(1);
    expect(await iterator.return!()).toEqual(END);
  });

  test('concurrent next() are answered in their order', async () => {
    const source = new Scripted<number>(1);
    const iterator = iterate(source);
    const steps = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    expect(source.pending).toBe(3);
    source.feed(2, 3, null);
    expect(await Promise.all(steps)).toEqual([
      { value: 1, done: false },
      { value: 2, done: false },
      { value: 3, done: false },
      END,
    ]);
  });

  test('return() ends all that wait', async () => {
    const source = new Scripted<number>();
    const iterator = iterate(source);
    const steps = [iterator.next(), iterator.next(), iterator.next()];
    await iterator.return!();
    expect(await Promise.all(steps)).toEqual([END, END, END]);
    expect(source.withdrawn).toBe(3);
  });

  test('throw() ends as return() does, and rejects', async () => {
    const source = new Scripted<number>();
    const iterator = iterate(source);
    const step = iterator.next();
    const error = new Error('enough');
    expect(await rejection(iterator.throw!(error))).toBe(error);
    expect(await step).toEqual(END);
    expect(source.withdrawn).toBe(1);
    expect(await iterator.next()).toEqual(END);
  });

  test('an error rejects the step, and then it is done', async () => {
    const error = new Error('broken');
    const source = new Scripted<number>(1, error, 2);
    const iterator = iterate(source);
    await iterator.next();
    expect(await rejection(iterator.next())).toBe(error);
    expect(await iterator.next()).toEqual(END);
    expect(source.left).toBe(1);
  });

  test('a source that this side has closed is an end', async () => {
    const source = new Scripted<number>();
    const iterator = iterate(source);
    const step = iterator.next();
    source.feed(closed());
    expect(await step).toEqual(END);
  });

  test('hands its signal to the source', () => {
    const source = new Scripted<number>();
    const { signal } = new AbortController();
    const pull = jest.spyOn(source, 'pull');
    void iterate(source, { signal }).next();
    expect(pull.mock.calls[0][2]).toBe(signal);
  });

  test('is disposed of at the end of a scope', async () => {
    const source = new Scripted<number>();
    let step: Promise<unknown>;
    {
      await using iterator = iterate(source) as AsyncIterableIterator<number> & AsyncDisposable;
      step = iterator.next();
    }
    expect(await step).toEqual(END);
    expect(source.withdrawn).toBe(1);
  });

  test('a loop that throws leaves the rest where it is', async () => {
    const source = new Scripted(1, 2, 3);
    const mistake = new Error('mine');
    const looping = (async () => {
      for await (const item of iterate(source)) if (item === 2) throw mistake;
    })();
    expect(await rejection(looping)).toBe(mistake);
    expect(source.left).toBe(1);
  });
});

describe('iterate: a real source', () => {
  test('promise 2: leaving while it waits loses nothing', async () => {
    await using socket = await udp();
    const iterator = socket.iterate();
    const step = iterator.next();
    await turns(2);
    // It is in the kernel, and the event has not been seen.
    await socket.tell('kept');
    await iterator.return!();
    expect(await step).toEqual(END);
    expect((await socket.receive()).data.toString()).toBe('kept');
  });

  test('promise 2: leaving a batch in the middle leaves the rest of it', async () => {
    await using socket = await udp();
    for (let i = 0; i < 10; i++) await socket.tell(`${i}`);
    const got: string[] = [];
    for (let round = 0; round < 5; round++) {
      for await (const { data } of socket) {
        got.push(data.toString());
        if (got.length % 2 === 0) break;
      }
    }
    expect(got.join('')).toBe('0123456789');
  });

  test('two iterators share what comes, and none of it twice', async () => {
    await using socket = await udp();
    const [one, two] = [socket.iterate(), socket.iterate()];
    const steps = [one.next(), two.next(), one.next(), two.next()];
    for (let i = 0; i < 4; i++) await socket.tell(`${i}`);
    const values = (await Promise.all(steps)).map(({ value }) => value!.data.toString());
    expect(values).toEqual(['0', '1', '2', '3']);
    await one.return!();
    const next = two.next();
    await socket.tell('4');
    expect((await next).value?.data.toString()).toBe('4');
  });

  test('leaving one wakes the other, which waited behind it', async () => {
    await using socket = await udp();
    const first = socket.iterate();
    const step = first.next();
    const second = socket.receive();
    await turns(2);
    await first.return!();
    expect(await step).toEqual(END);
    await socket.tell('for the second');
    expect((await second).data.toString()).toBe('for the second');
  });

  test('its signal ends the step with an AbortError, and the iterator', async () => {
    await using socket = await udp();
    const controller = new AbortController();
    const iterator = socket.iterate({ signal: controller.signal });
    const steps = [rejection(iterator.next()), rejection(iterator.next())];
    await turns(2);
    const why = new Error('why');
    controller.abort(why);
    for (const step of steps)
      expect(await step).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: why });
    expect(await iterator.next()).toEqual(END);
    await socket.tell('still there');
    expect((await socket.receive()).data.toString()).toBe('still there');
  });

  test('a signal that was aborted before yields nothing, though there is something', async () => {
    await using socket = await udp();
    await socket.tell('there');
    const iterator = socket.iterate({ signal: AbortSignal.abort() });
    expect(await rejection(iterator.next())).toMatchObject({ code: 'ABORT_ERR' });
    expect((await socket.receive()).data.toString()).toBe('there');
  });

  test('promise 3: a signal of many steps has no listeners left', async () => {
    await using socket = await udp();
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    const iterator = socket.iterate({ signal });
    for (let i = 0; i < 100; i++) {
      const step = iterator.next();
      await socket.tell('x');
      await step;
    }
    await iterator.return!();
    const last = socket.iterate({ signal });
    const step = last.next();
    await last.return!();
    await step;
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  });

  test('close ends it', async () => {
    const socket = await udp();
    const iterator = socket.iterate();
    const steps = [iterator.next(), iterator.next()];
    await turns(2);
    await socket.close();
    expect(await Promise.all(steps)).toEqual([END, END]);
    expect(await socket.iterate().next()).toEqual(END);
  });

  test('a reset is its error', async () => {
    await using pair = await tcp4();
    const looping = rejection(
      (async () => {
        for await (const _ of pair.server) throw new Error('nothing came');
      })(),
    );
    await turns(2);
    pair.client.abort();
    expect(await looping).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  });

  test('no demand, no read: what is not asked for stays with the kernel', async () => {
    await using pair = await tcp4();
    const iterator = pair.server.iterate();
    const writing = pair.client.write(Buffer.alloc(16 << 20));
    const first = (await iterator.next()).value!;
    await turns(20);
    expect(pair.server.bytesRead).toBe(first.length);
    expect(await isPending(writing)).toBe(true);
    pair.client.abort();
    await rejection(writing);
  });
});
