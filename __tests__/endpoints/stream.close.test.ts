// StreamSocket: its ends. Promise 5: half-close is the default, and close never turns unread input into a lost reply.

import { once } from 'node:events';
import { constants as C, StreamSocket, type Address } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { abstract, sockets, tcp4, type StreamPair } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();

const REPLY = Buffer.alloc(400_000, 'r');

/** Reads to the end, or to the error that cut it short. */
async function readToEnd(stream: StreamSocket): Promise<[number, string]> {
  let bytes = 0;
  try {
    for await (const chunk of stream) bytes += chunk.length;
    return [bytes, 'end'];
  } catch (error) {
    return [bytes, (error as { code: string }).code];
  }
}

/**
 * A server whose whole reply is with its kernel, and whose client's request has bytes that the server never read;
 * the client has not read a byte yet.
 */
async function unread(): Promise<StreamPair> {
  const pair = await tcp4();
  // More than the client's window: the rest stays with the server's kernel.
  pair.server.socket.setsockopt(C.SOL_SOCKET, C.SO_SNDBUF, 2 * REPLY.length);
  await pair.client.write('request, and more than the server wants to know');
  expect((await pair.server.readExactly(7)).toString()).toBe('request');
  await pair.server.write(REPLY);
  return pair;
}

describe('promise 5: close does not lose the reply', () => {
  test('though there is unread input', async () => {
    await using pair = await unread();
    const closing = pair.server.close();
    await turns();
    expect(await readToEnd(pair.client)).toEqual([REPLY.length, 'end']);
    await pair.client.close();
    await closing;
    expect(pair.server.socket.closed).toBe(true);
  });

  test('where a plain close(2) loses it', async () => {
    await using pair = await unread();
    pair.server.socket.close();
    await turns();
    const [bytes, how] = await readToEnd(pair.client);
    expect(bytes).toBeLessThan(REPLY.length);
    expect(how).toBe('ECONNRESET');
  });

  test('though input comes all the while', async () => {
    await using pair = await unread();
    const closing = pair.server.close();
    const talking = (async () => {
      for (let i = 0; i < 50; i++) await pair.client.write(Buffer.alloc(10_000));
    })();
    expect(await readToEnd(pair.client)).toEqual([REPLY.length, 'end']);
    await talking;
    await pair.client.close();
    await closing;
  });

  test('of a Unix stream: the peer sees an end, not a reset', async () => {
    for (const how of ['close', 'plain'] as const) {
      await using pair = await abstract();
      await pair.client.write('unread');
      await pair.server.write('reply');
      const closing = how === 'close' ? pair.server.close() : pair.server.socket.close();
      expect(await readToEnd(pair.client)).toEqual([5, how === 'close' ? 'end' : 'ECONNRESET']);
      await pair.client.close();
      await closing;
    }
  });
});

describe('close', () => {
  test('goes behind all writes', async () => {
    await using pair = await tcp4();
    const data = Buffer.alloc(16 << 20, 'd');
    const writing = pair.client.write(data);
    const closing = pair.client.close();
    expect(await readToEnd(pair.server)).toEqual([data.length, 'end']);
    await writing;
    await pair.server.close();
    await closing;
  });

  test('waits for the peer’s end, and no longer', async () => {
    await using pair = await tcp4();
    const closing = pair.client.close({ linger: 60_000 });
    await turns();
    expect(await isPending(closing)).toBe(true);
    expect(pair.client.socket.closed).toBe(false);
    await pair.server.end();
    await closing;
    expect(pair.client.socket.closed).toBe(true);
  });

  test('waits at most as long as it was told', async () => {
    await using pair = await tcp4();
    await pair.client.close({ linger: 2 });
    expect(pair.client.socket.closed).toBe(true);
    expect(await pair.server.read()).toBeNull();
  });

  test('with a linger of 0 does not wait', async () => {
    await using pair = await tcp4();
    await pair.client.close({ linger: 0 });
    expect(pair.client.socket.closed).toBe(true);
  });

  test('with a peer that has ended does not wait', async () => {
    await using pair = await tcp4();
    await pair.server.end();
    expect(await pair.client.read()).toBeNull();
    let closed = false;
    const closing = pair.client.close({ linger: 60_000 }).then(() => {
      closed = true;
    });
    await until(() => closed);
    await closing;
  });

  test('with a peer that has reset the connection goes through', async () => {
    await using pair = await tcp4();
    pair.server.abort();
    await pair.client.socket.ready({ read: true });
    await pair.client.close();
    expect(pair.client.socket.closed).toBe(true);
  });

  test('again, and at once, is the same close', async () => {
    await using pair = await tcp4();
    const first = pair.client.close();
    const second = pair.client.close();
    await pair.server.close();
    await Promise.all([first, second]);
    await pair.client.close();
  });

  test('rejects what reads, at once, and the calls that come after it', async () => {
    await using pair = await tcp4();
    const reading = rejection(pair.client.read());
    const exactly = rejection(pair.client.readExactly(5));
    await turns(2);
    const closing = pair.client.close();
    expect(await reading).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(await exactly).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(await isPending(closing)).toBe(true);
    for (const call of [
      () => pair.client.read(),
      () => pair.client.read(Buffer.alloc(1)),
      () => pair.client.readExactly(1),
      () => pair.client.write('x'),
      () => pair.client.end(),
    ])
      expect(await rejection(call())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await pair.server.close();
    await closing;
    for (const call of [() => pair.client.read(), () => pair.client.write('x')])
      expect(await rejection(call())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('ends an iterator, also one that is not waiting', async () => {
    await using pair = await tcp4();
    const waiting = pair.client.iterate();
    const step = waiting.next();
    const idle = pair.client.iterate();
    const closing = pair.client.close({ linger: 60_000 });
    expect(await step).toEqual({ value: undefined, done: true });
    expect(await idle.next()).toEqual({ value: undefined, done: true });
    expect(await isPending(closing)).toBe(true);
    await pair.server.close();
    await closing;
  });

  test('gives up with its signal, and has closed all the same', async () => {
    await using pair = await tcp4();
    const controller = new AbortController();
    const closing = rejection(pair.client.close({ signal: controller.signal, linger: 60_000 }));
    await turns();
    controller.abort();
    expect(await closing).toMatchObject({ code: 'ABORT_ERR' });
    expect(pair.client.socket.closed).toBe(true);
  });

  test('gives up writes that do not get away with its timeout', async () => {
    await using pair = await tcp4();
    const writing = rejection(pair.client.write(Buffer.alloc(16 << 20)));
    const closing = rejection(pair.client.close({ timeout: 5 }));
    expect(await closing).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
    expect(await writing).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(pair.client.socket.closed).toBe(true);
  });

  test('is bounded by its linger behind a write that makes no progress, and the peer sees no end', async () => {
    await using pair = await tcp4();
    const writing = rejection(pair.client.write(Buffer.alloc(16 << 20)));
    await pair.client.close({ linger: 20 });
    expect(await writing).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(pair.client.socket.closed).toBe(true);
    const [bytes, how] = await readToEnd(pair.server);
    expect(bytes).toBeLessThan(16 << 20);
    expect(how).toBe('ECONNRESET');
  });

  test('waits as long as a write goes on', async () => {
    await using pair = await tcp4();
    const data = Buffer.alloc(16 << 20, 'd');
    const writing = pair.client.write(data);
    const closing = pair.client.close({ linger: 60 });
    let bytes = 0;
    const began = performance.now();
    // Slow, but never still for so long.
    for await (const chunk of pair.server) {
      bytes += chunk.length;
      if (performance.now() - began < 200) await new Promise((next) => setTimeout(next, 2));
    }
    expect(bytes).toBe(data.length);
    await Promise.all([writing, pair.server.close(), closing]);
  });

  test('SO_LINGER does not hold the thread', async () => {
    // Linux: close(2) waits for the peer to take what was sent, though the socket is nonblocking.
    for (const close of ['close', 'release'] as const) {
      await using pair = await tcp4();
      const { socket } = pair.client;
      socket.setsockopt(C.SOL_SOCKET, C.SO_LINGER, new Int32Array([1, 3]));
      while (socket.trySend(Buffer.alloc(65536)) !== null);
      const began = performance.now();
      if (close === 'close') await pair.client.close({ linger: 1 });
      else pair.client.release();
      expect(performance.now() - began).toBeLessThan(1500);
    }
  });

  test('is what `await using` does at the end of its scope', async () => {
    const pair = await tcp4();
    {
      await using client = pair.client;
      await client.write('bye');
      void pair.server.close();
    }
    expect(pair.client.socket.closed).toBe(true);
    pair.server.abort();
  });

  test('two that close each other do not wait for each other', async () => {
    await using pair = await tcp4();
    await pair.client.write('unread');
    await pair.server.write('unread');
    let closed = 0;
    const both = [pair.client, pair.server].map((end) =>
      end.close({ linger: 60_000 }).then(() => {
        closed++;
      }),
    );
    await until(() => closed === 2);
    await Promise.all(both);
  });
});

describe('abort', () => {
  test('the peer’s read is ECONNRESET, and what waits here is closed', async () => {
    await using pair = await tcp4();
    const there = rejection(pair.server.read());
    const here = rejection(pair.client.read());
    await turns(2);
    pair.client.abort();
    expect(await there).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    expect(await here).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    pair.client.abort();
    await pair.client.close();
  });

  test('throws away what was not sent', async () => {
    await using pair = await tcp4();
    const writing = rejection(pair.client.write(Buffer.alloc(16 << 20)));
    await turns();
    pair.client.abort();
    expect(await writing).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    const [bytes, how] = await readToEnd(pair.server);
    expect(bytes).toBeLessThan(16 << 20);
    expect(how).toBe('ECONNRESET');
  });

  test('ends a close that waits', async () => {
    await using pair = await tcp4();
    const closing = pair.client.close({ linger: 60_000 });
    await turns(2);
    pair.client.abort();
    await closing;
  });

  test('of a Unix stream is a close', async () => {
    await using pair = await abstract();
    pair.client.abort();
    expect(await pair.server.read()).toBeNull();
  });
});

test('stream: what it was is known after it is closed', async () => {
  await using pair = await tcp4();
  const remote: Address = pair.client.remoteAddress;
  const local: Address = pair.client.localAddress;
  await pair.client.write('12345');
  await pair.server.readExactly(5);
  pair.client.abort();
  expect(pair.client.remoteAddress).toEqual(remote);
  expect(pair.client.localAddress).toEqual(local);
  expect(pair.client.bytesWritten).toBe(5);
  expect(pair.server.bytesRead).toBe(5);
});

test('stream: half an end does not close, whoever asks', async () => {
  using pair = sockets();
  const stream = new StreamSocket(pair.b);
  pair.a.shutdown('write');
  for await (const chunk of stream) expect(chunk).toBeNull();
  expect(await stream.read()).toBeNull();
  expect(pair.b.closed).toBe(false);
  await stream.write('still open');
  expect(await pair.a.recv(Buffer.alloc(16))).toBe(10);
});

test('promise 4: who hears of the close is refused if he reads again', async () => {
  await using pair = await tcp4();
  let again: Promise<unknown> | undefined;
  pair.client.observe().subscribe({ complete: () => void (again = rejection(pair.client.read())) });
  const closing = pair.client.close({ linger: 60_000 });
  expect(await again).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  await pair.server.end();
  await closing;
});

test('promise 4: a write of an adapter behind a close is refused as any other is', async () => {
  await using pair = await tcp4();
  const writer = pair.client.writable.getWriter();
  const duplex = pair.client.toDuplex();
  const failed = once(duplex, 'error');
  const closing = pair.client.close({ linger: 60_000 });
  expect(await rejection(writer.write(Buffer.from('x')))).toMatchObject({
    code: 'ERR_SOCKET_CLOSED',
  });
  duplex.write('x');
  expect((await failed)[0]).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  await pair.server.end();
  await closing;
});
