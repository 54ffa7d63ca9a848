// StreamSocket: writing. All of it, in order; the promise is the back-pressure.

import { randomBytes } from 'node:crypto';
import { constants as C, StreamSocket, type Bytes } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { abstract, sockets, tcp4, type StreamPair } from '../support/streams';
import { isPending, turn, turns, until } from '../support/turns';

leavesNoSockets();

/** More than the loopback takes. */
const HUGE = Buffer.alloc(32 << 20);

/** Closes, and does not wait for the write that is on its way. */
async function closeBehind(stream: StreamSocket): Promise<void> {
  const writing = rejection(stream.write(HUGE));
  try {
    await stream.close({ timeout: 5 });
  } finally {
    expect(await writing).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  }
}

/** A way that a little fills. (TCP with buffers this small waits for its own timers.) */
async function narrow(): Promise<StreamPair> {
  const pair = await abstract();
  pair.client.socket.setsockopt(C.SOL_SOCKET, C.SO_SNDBUF, 16_384);
  return pair;
}

/** Reads to the end. */
async function readAll(stream: StreamSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('write: every kind of data', async () => {
  await using pair = await tcp4();
  const memory = Uint8Array.from(Buffer.from('abcd')).buffer;
  await pair.client.write('é');
  await pair.client.write(memory);
  await pair.client.write(new Uint16Array(memory, 2, 1));
  await pair.client.write([Buffer.from('1'), new DataView(memory, 1, 1), memory]);
  await pair.client.write('');
  await pair.client.write([]);
  await pair.client.write(Buffer.alloc(0));
  await pair.client.end();
  expect((await readAll(pair.server)).toString()).toBe('éabcdcd1babcd');
  expect(pair.client.bytesWritten).toBe(14);
});

test.each([1023, 1024, 1025, 2048, 5000])('write: %d pieces in one call', async (count) => {
  await using pair = await tcp4();
  const pieces = Array.from({ length: count }, (_, i) => Buffer.from(`${i},`));
  const writing = pair.client.write(pieces).then(() => pair.client.end());
  const received = await readAll(pair.server);
  await writing;
  expect(received.equals(Buffer.concat(pieces))).toBe(true);
});

test('write: pieces of every size, empty ones among them, through a narrow way', async () => {
  await using pair = await narrow();
  const pieces: Bytes[] = [];
  for (let i = 0; i < 3000; i++) pieces.push(randomBytes(i % 7 === 0 ? 0 : (i * 37) % 300));
  pieces.push(...Array<Bytes>(1500).fill(Buffer.alloc(0)));
  pieces.push(Buffer.from('end'), Buffer.alloc(0));
  const expected = Buffer.concat(pieces as Buffer[]);
  const writing = pair.client.write(pieces).then(() => pair.client.end());
  const received = await readAll(pair.server);
  await writing;
  expect(received.equals(expected)).toBe(true);
  expect(pair.client.bytesWritten).toBe(expected.length);
});

test('write: resolves when the kernel has it, not before', async () => {
  await using pair = await narrow();
  const data = randomBytes(1 << 20);
  const writing = pair.client.write(data);
  await turns(20);
  expect(await isPending(writing)).toBe(true);
  expect(pair.client.bytesWritten).toBeLessThan(data.length);
  const reading = pair.server.readExactly(data.length);
  await writing;
  expect(pair.client.bytesWritten).toBe(data.length);
  expect((await reading).equals(data)).toBe(true);
});

test('promise 6: a thousand concurrent writes of every size never interleave', async () => {
  await using pair = await narrow();
  const COUNT = 1000;
  const order: number[] = [];
  const all = Array.from({ length: COUNT }, async (_, i) => {
    // Each is made of its number and its length, and then of nothing but its number.
    const body = Buffer.alloc((i * 7919) % 2000, i & 0xff);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(i, 0);
    head.writeUInt32LE(body.length, 4);
    await pair.client.write(i % 3 === 0 ? [head, body] : Buffer.concat([head, body]));
    order.push(i);
  });
  for (let i = 0; i < COUNT; i++) {
    // A reader that takes its time.
    if (i % 10 === 0) await turn();
    const head = await pair.server.readExactly(8);
    expect(head.readUInt32LE(0)).toBe(i);
    const body = await pair.server.readExactly(head.readUInt32LE(4));
    expect(body.equals(Buffer.alloc((i * 7919) % 2000, i & 0xff))).toBe(true);
  }
  await Promise.all(all);
  expect(order).toEqual(Array.from({ length: COUNT }, (_, i) => i));
});

test('promise 6: the library queues nothing of its own: what was not taken is not held', async () => {
  await using pair = await narrow();
  const data = Buffer.alloc(1 << 20, 'a');
  const writing = pair.client.write(data);
  await turns();
  const taken = pair.client.bytesWritten;
  // What the kernel does not have yet is the caller's memory still.
  data.fill('b', taken);
  await Promise.all([writing.then(() => pair.client.end()), readAll(pair.server)]).then(
    ([, received]) => {
      expect(received.subarray(0, taken).every((byte) => byte === 0x61)).toBe(true);
      expect(received.subarray(taken).every((byte) => byte === 0x62)).toBe(true);
    },
  );
});

describe('promise 2: a write that gives up says how much went', () => {
  test.each(['signal', 'timeout'] as const)('%s', async (how) => {
    await using pair = await narrow();
    const controller = new AbortController();
    const data = randomBytes(1 << 20);
    const writing = rejection(
      pair.client.write(data, how === 'signal' ? { signal: controller.signal } : { timeout: 5 }),
    );
    const behind = [
      rejection(pair.client.write('behind')),
      rejection(pair.client.write(['be', 'hind'].map((piece) => Buffer.from(piece)))),
      rejection(pair.client.end()),
    ];
    if (how === 'signal') {
      await turns();
      controller.abort();
    }
    const error = await writing;
    expect(error.code).toBe(how === 'signal' ? 'ABORT_ERR' : 'ERR_SOCKET_TIMEOUT');
    expect(error.bytesTransferred).toBeGreaterThan(0);
    expect(error.bytesTransferred).toBeLessThan(data.length);
    const reading = readAll(pair.server);
    // To the peer they would be the rest of it.
    for (const error of await Promise.all(behind)) expect(error.code).toBe('ECANCELED');
    expect(await rejection(pair.client.end())).toMatchObject({
      code: 'ECANCELED',
      syscall: 'shutdown',
    });
    await pair.client.write(data.subarray(error.bytesTransferred));
    await pair.client.end();
    const received = await reading;
    expect(received.equals(data)).toBe(true);
    expect(pair.client.bytesWritten).toBe(received.length);
  });

  test.each([
    ['a write', (stream: StreamSocket) => stream.write(HUGE, { timeout: 5 })],
    ['a write of pieces', (stream: StreamSocket) => stream.write([HUGE, HUGE], { timeout: 5 })],
    ['setTimeouts', (stream: StreamSocket) => stream.setTimeouts({ write: 5 }).write(HUGE)],
    ['a file', (stream: StreamSocket) => stream.sendFile(process.execPath, { timeout: 5 })],
    ['a close', closeBehind],
  ])('and what follows it is no end but a reset: %s', async (_, cut) => {
    const pair = await tcp4();
    expect(await rejection(cut(pair.client))).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
    const reading = rejection(readAll(pair.server).then(({ length }) => length));
    if (!pair.client.socket.closed) {
      // Nothing goes on behind it by these, which wait for the peer to make room.
      pair.client.setTimeouts({ write: Infinity });
      await pair.client.write('');
      await pair.client.sendFile(process.execPath, { length: 0 });
    }
    // Where it was closed already, this is the same close.
    await pair.client[Symbol.asyncDispose]().catch(() => {});
    expect(await reading).toMatchObject({ code: 'ECONNRESET' });
    await pair.server.close();
  });

  test('one that waited for its turn only has written nothing', async () => {
    await using pair = await narrow();
    const first = pair.client.write(Buffer.alloc(1 << 20));
    const controller = new AbortController();
    const second = rejection(pair.client.write('never', { signal: controller.signal }));
    const third = pair.client.write('third');
    await turns();
    controller.abort();
    expect(await second).toMatchObject({ code: 'ABORT_ERR', bytesTransferred: 0 });
    const received = pair.server.readExactly((1 << 20) + 5);
    await Promise.all([first, third]);
    expect((await received).subarray(-5).toString()).toBe('third');
  });

  test('and one whose peer resets the connection', async () => {
    await using pair = await tcp4();
    const writing = rejection(pair.client.write(Buffer.alloc(16 << 20)));
    await turns();
    const taken = pair.client.bytesWritten;
    pair.server.abort();
    expect(await writing).toMatchObject({
      code: 'ECONNRESET',
      syscall: 'write',
      bytesTransferred: taken,
    });
  });
});

test('end: goes behind all writes, and reading goes on', async () => {
  await using pair = await narrow();
  const data = randomBytes(200_000);
  const writing = pair.client.write(data);
  const ending = pair.client.end();
  const after = rejection(pair.client.write('too late'));
  const received = await readAll(pair.server);
  await Promise.all([writing, ending]);
  expect(received.equals(data)).toBe(true);
  expect(await after).toMatchObject({ code: 'EPIPE', bytesTransferred: 0 });
  await pair.server.write('still listening');
  expect((await pair.client.readExactly(15)).toString()).toBe('still listening');
});

test('end: again is nothing, and of a peer that is gone neither', async () => {
  await using pair = await tcp4();
  await pair.client.end();
  await pair.client.end();
  pair.client.abort();
  await pair.server.socket.ready({ read: true });
  await pair.server.end();
  await pair.server.end();
});

test('end: gives up with its signal, and the stream stays open', async () => {
  await using pair = await narrow();
  const writing = pair.client.write(Buffer.alloc(1 << 20));
  const late = await rejection(pair.client.end({ timeout: 1 }));
  expect(late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
  const received = pair.server.readExactly((1 << 20) + 4);
  await writing;
  await pair.client.write('more');
  await received;
});

test('promise 4: close rejects writes that wait, with what went', async () => {
  using pair = sockets();
  const stream = new StreamSocket(pair.a);
  const writing = rejection(stream.write(Buffer.alloc(4 << 20)));
  const behind = rejection(stream.write('behind'));
  await until(() => stream.bytesWritten > 0);
  pair.a.close();
  const error = await writing;
  expect(error.code).toBe('ERR_SOCKET_CLOSED');
  expect(error.bytesTransferred).toBe(stream.bytesWritten);
  expect(await behind).toMatchObject({ code: 'ERR_SOCKET_CLOSED', bytesTransferred: 0 });
});

test('promise 1: what fits goes at once', async () => {
  await turn();
  using pair = sockets();
  const stream = new StreamSocket(pair.a);
  const writing = stream.write('at once');
  expect(pair.b.tryRecv(Buffer.alloc(8))).toBe(7);
  await writing;
});
