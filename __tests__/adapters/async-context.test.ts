// Promise 19: AsyncLocalStorage follows each call to its continuation, whoever caused what it waited for.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Subject, takeUntil } from 'rxjs';
import { bind, connect, listen, type DatagramSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection } from '../support/outcomes';
import { sockets, tcp4 } from '../support/streams';
import { spin, turns, until } from '../support/turns';

leavesNoSockets();

const storage = new AsyncLocalStorage<string>();
const where = (): string => storage.getStore() ?? 'nowhere';
const WHO = ['a', 'b', 'c', 'd'];

async function udp(): Promise<DatagramSocket & { tell(text: string): Promise<void> }> {
  const socket = await bind({ host: '127.0.0.1' });
  return Object.assign(socket, { tell: (text: string) => socket.send(text, socket.localAddress) });
}

test('promise 19: promises of level 1', async () => {
  using pair = sockets('dgram');
  const receiving = WHO.map((who) =>
    storage.run(who, async () => {
      const message = await pair.b.recvmsg();
      expect(where()).toBe(who);
      await pair.b.send(message.data);
      expect(where()).toBe(who);
      return where();
    }),
  );
  await turns(2);
  await storage.run('sender', async () => {
    for (const who of WHO) await pair.a.send(Buffer.from(who));
  });
  expect(await Promise.all(receiving)).toEqual(WHO);
});

test('promise 19: promises that reject', async () => {
  using pair = sockets('dgram');
  const controller = new AbortController();
  const receiving = [{ signal: controller.signal }, { timeout: 1 }, {}].map((options, i) =>
    storage.run(WHO[i], async () => {
      await rejection(pair.b.recvmsg(options));
      return where();
    }),
  );
  await turns(5);
  storage.run('aborter', () => {
    controller.abort();
  });
  await receiving[1];
  storage.run('closer', () => {
    pair.b.close();
  });
  expect(await Promise.all(receiving)).toEqual(WHO.slice(0, 3));
});

test('promise 19: accept, connect, read and write', async () => {
  const path = abstractName();
  await using server = await listen({ path });
  const accepting = storage.run('server', async () => {
    const peer = await server.accept();
    expect(where()).toBe('server');
    const text = String(await peer.readExactly(4));
    expect(where()).toBe('server');
    peer.abort();
    return text;
  });
  await storage.run('client', async () => {
    const client = await connect({ path });
    expect(where()).toBe('client');
    await client.write('text');
    expect(where()).toBe('client');
    expect(await accepting).toBe('text');
    client.abort();
  });
});

test('promise 19: iterators, two over one socket', async () => {
  await using socket = await udp();
  const loops = WHO.slice(0, 2).map((who) =>
    storage.run(who, async () => {
      let seen = 0;
      for await (const _ of socket) {
        expect(where()).toBe(who);
        if (++seen === 3) break;
      }
      return where();
    }),
  );
  await turns(2);
  for (let i = 0; i < 6; i++) {
    await storage.run(`sender ${i}`, () => socket.tell('x'));
    await turns(1);
  }
  expect(await Promise.all(loops)).toEqual(['a', 'b']);
});

describe('promise 19: observe', () => {
  test('next runs where it was subscribed, whoever sent', async () => {
    await using socket = await udp();
    const seen: string[] = [];
    const stop = new Subject<void>();
    for (const who of WHO) {
      storage.run(who, () => {
        socket
          .observe()
          .pipe(takeUntil(stop))
          .subscribe(() => seen.push(where()));
      });
    }
    await turns(2);
    for (let i = 0; i < 40; i++) {
      await storage.run('sender', () => socket.tell(`${i}`));
      if (i % 8 === 0) await turns(1);
    }
    await until(() => seen.length === 40);
    storage.run('stopper', () => {
      stop.next();
    });
    expect(new Set(seen)).toEqual(new Set(WHO));
  });

  test('though the queue of a slow subscriber is served later', async () => {
    await using socket = await udp();
    const seen: string[] = [];
    const subscription = storage.run('subscriber', () =>
      socket.observe({ overflow: 'dropNewest' }).subscribe(() => {
        spin(1.5);
        seen.push(where());
      }),
    );
    for (let i = 0; i < 20; i++) await storage.run('sender', () => socket.tell('x'));
    await until(() => seen.length === 20);
    subscription.unsubscribe();
    expect(new Set(seen)).toEqual(new Set(['subscriber']));
  });

  test('complete and error do, too', async () => {
    const seen: string[] = [];
    const watch = (socket: DatagramSocket, signal?: AbortSignal): void => {
      socket.observe({ signal }).subscribe({
        error: () => seen.push(`error ${where()}`),
        complete: () => seen.push(`complete ${where()}`),
      });
    };
    const one = await udp();
    await using two = await udp();
    const controller = new AbortController();
    storage.run('first', () => watch(one));
    storage.run('second', () => watch(two, controller.signal));
    await turns(2);
    await storage.run('closer', () => one.close());
    storage.run('aborter', () => {
      controller.abort();
    });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['complete first', 'error second']);
  });
});

describe('promise 19: the Duplex', () => {
  // What is buffered already, Node's streams emit where it is asked for.
  test('emits what comes where it was made, whoever wrote', async () => {
    await using pair = await tcp4();
    const seen: string[] = [];
    const note = (event: string) => () => seen.push(`${event} ${where()}`);
    const duplex = storage.run('maker', () => pair.server.toDuplex());
    duplex.on('data', note('data')).on('end', note('end'));
    await turns(2);
    for (let i = 0; i < 3; i++) {
      await storage.run('writer', () => pair.client.write('x'));
      await until(() => seen.length === i + 1);
    }
    await storage.run('writer', () => pair.client.end());
    await until(() => seen.length === 4);
    expect(seen).toEqual(['data maker', 'data maker', 'data maker', 'end maker']);
    duplex.destroy();
  });

  test('errors and drains there, too', async () => {
    await using pair = await tcp4();
    const seen: string[] = [];
    const note = (event: string) => () => seen.push(`${event} ${where()}`);
    const duplex = storage.run('maker', () => pair.server.toDuplex());
    duplex.on('drain', note('drain')).on('error', note('error'));
    const SIZE = 24 << 20;
    storage.run('producer', () => duplex.write(Buffer.alloc(SIZE)));
    await storage.run('reader', () => pair.client.readExactly(SIZE));
    await until(() => seen.length === 1);
    duplex.resume();
    await turns(2);
    storage.run('peer', () => {
      pair.client.abort();
    });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['drain maker', 'error maker']);
    if (!duplex.closed) await once(duplex, 'close');
  });
});
