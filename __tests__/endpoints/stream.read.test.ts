// StreamSocket: reading.

import { constants as C, StreamSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { arrived, sockets, tcp4 } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();

test('stream: a small chunk is as large as its bytes, a large one is given away whole', async () => {
  await using pair = await tcp4();
  await pair.client.write('small');
  // Without Node's pool, of which a small one is a part otherwise: 8 KiB, and 64 since Node 26.
  const pool = jest.replaceProperty(Buffer, 'poolSize', 0);
  const small = (await pair.server.read())!;
  expect(small.toString()).toBe('small');
  expect(small.buffer.byteLength).toBe(5);
  pool.restore();
  await pair.client.write(Buffer.alloc(40_000, 1));
  const large = (await pair.server.read())!;
  await pair.client.write(Buffer.alloc(40_000, 2));
  const next = (await pair.server.read())!;
  expect(large.buffer).not.toBe(next.buffer);
  expect(large.every((byte) => byte === 1)).toBe(true);
  expect(next.every((byte) => byte === 2)).toBe(true);
});

test('stream: chunks that are kept stay as they were', async () => {
  await using pair = await tcp4();
  const kept: Buffer[] = [];
  for (let i = 0; i < 64; i++) {
    await pair.client.write(Buffer.alloc(1000 * ((i % 40) + 1), i));
    for (let got = 0; got < 1000 * ((i % 40) + 1);) {
      const chunk = (await pair.server.read())!;
      kept.push(chunk);
      got += chunk.length;
      expect(chunk.equals(Buffer.alloc(chunk.length, i))).toBe(true);
    }
  }
  const whole = kept.filter((chunk) => chunk.equals(Buffer.alloc(chunk.length, chunk[0])));
  expect(whole).toHaveLength(kept.length);
});

test('stream: read with a size beyond a chunk', async () => {
  await using pair = await tcp4();
  const sending = pair.client.write(Buffer.alloc(300_000, 7));
  let got = 0;
  let largest = 0;
  while (got < 300_000) {
    await turns(1);
    const chunk = (await pair.server.read({ size: 1 << 20 }))!;
    largest = Math.max(largest, chunk.length);
    got += chunk.length;
  }
  await sending;
  expect(got).toBe(300_000);
  expect(largest).toBeGreaterThan(65536);
});

test('stream: readExactly takes what it was asked for and leaves the rest', async () => {
  await using pair = await tcp4();
  await pair.client.write('headerbody');
  expect((await pair.server.readExactly(6)).toString()).toBe('header');
  expect((await pair.server.read())?.toString()).toBe('body');
});

test('promise 2: readExactly that gives up says what it has, on its error', async () => {
  await using pair = await tcp4();
  const controller = new AbortController();
  const reading = rejection(pair.server.readExactly(10, { signal: controller.signal }));
  await pair.client.write('abc');
  await until(() => pair.server.bytesRead === 3);
  controller.abort();
  const aborted = await reading;
  expect(aborted).toMatchObject({ code: 'ABORT_ERR', bytesTransferred: 3 });
  expect(aborted.data?.toString()).toBe('abc');
  expect(pair.server.bytesRead).toBe(3);
  await pair.client.write('de');
  await arrived(pair.server.socket);
  const late = await rejection(pair.server.readExactly(10, { timeout: 1 }));
  expect(late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT', bytesTransferred: 2 });
  expect(late.data?.toString()).toBe('de');
});

test('promise 2: a read that gives up lets the next one have the bytes', async () => {
  await using pair = await tcp4();
  const controller = new AbortController();
  const memory = Buffer.alloc(8, '.');
  const first = rejection(pair.server.read(memory, { signal: controller.signal }));
  const second = pair.server.read();
  const third = rejection(pair.server.read({ timeout: 1 }));
  await third;
  controller.abort();
  await pair.client.write('for the second');
  expect(await first).toMatchObject({ code: 'ABORT_ERR' });
  expect((await second)?.toString()).toBe('for the second');
  expect(memory.toString()).toBe('........');
});

test('promise 3: a signal has no listeners of calls that are over', async () => {
  await using pair = await tcp4();
  const { signal } = new AbortController();
  const added = jest.spyOn(signal, 'addEventListener');
  const removed = jest.spyOn(signal, 'removeEventListener');
  for (let i = 0; i < 50; i++) {
    const reading = pair.server.read({ signal });
    await pair.client.write('x', { signal });
    await reading;
  }
  expect(added.mock.calls.length).toBeGreaterThan(0);
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
});

test('stream: urgent data in between does not end reading', async () => {
  await using pair = await tcp4();
  await pair.client.write('before');
  await pair.client.socket.send(Buffer.from('!'), { flags: C.MSG_OOB });
  await pair.client.write('after');
  const got: string[] = [];
  while (got.join('').length < 11) got.push(String(await pair.server.read()));
  expect(got.join('')).toBe('beforeafter');
});

test('stream: a chunk that ends at a mark of the kernel does not hide what follows', async () => {
  // A Unix stream does not join bytes that were sent with different credentials (unix(7), SO_PASSCRED): a read ends
  // at the mark, with more behind it and no event to come.
  using pair = sockets();
  const reader = new StreamSocket(pair.b);
  // Somebody else who waits, so that the event of the bytes is used up before they are read.
  const watching = rejection(pair.b.ready({ priority: true }));
  pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
  await pair.a.send(Buffer.from('one'));
  pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, false);
  await pair.a.send(Buffer.from('two'));
  pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
  await turns(3);
  expect((await reader.read())?.toString()).toBe('one');
  expect((await reader.read({ timeout: 2000 }))?.toString()).toBe('two');
  const waiting = reader.read();
  await turns();
  expect(await isPending(waiting)).toBe(true);
  await pair.a.send(Buffer.from('three'));
  expect((await waiting)?.toString()).toBe('three');
  pair.b.close();
  await watching;
});

const HEARD: readonly (readonly [string, (stream: StreamSocket) => Promise<unknown>])[] = [
  ['write', (stream) => stream.write('x')],
  ['write', (stream) => stream.write([Buffer.from('x'), Buffer.from('y')])],
  ['send', (stream) => stream.sendUrgent(1)],
  ['sendfile', (stream) => stream.sendFile(__filename)],
  ['splice', spliceInto],
  ['read', (stream) => stream.read()],
];

/** A splice whose other socket has bytes for this one. */
async function spliceInto(stream: StreamSocket): Promise<unknown> {
  await using source = await tcp4();
  await source.client.write('x');
  return await source.server.socket.splice(stream.socket, { length: 1 });
}

describe.each(HEARD)('promise 9: a reset of which a %s has heard', (syscall, hear) => {
  test.each([
    ['read', (stream: StreamSocket) => stream.read()],
    ['read into memory', (stream: StreamSocket) => stream.read(Buffer.alloc(9))],
    ['readExactly', (stream: StreamSocket) => stream.readExactly(9)],
    ['an iterator', (stream: StreamSocket) => stream.iterate().next()],
  ])('is no end to %s, however often', async (_, read) => {
    await using pair = await tcp4();
    pair.client.abort();
    // The kernel says it once.
    expect(await rejection(hear(pair.server))).toMatchObject({ code: 'ECONNRESET', syscall });
    for (let i = 0; i < 2; i++) {
      expect(await rejection(read(pair.server))).toMatchObject({
        code: 'ECONNRESET',
        syscall: 'read',
      });
    }
  });
});

test('promise 9: a reset of which a write has heard is no end to a splice', async () => {
  await using pair = await tcp4();
  await using target = await tcp4();
  pair.client.abort();
  expect(await rejection(pair.server.write('x'))).toMatchObject({ code: 'ECONNRESET' });
  const spliced = pair.server.socket.splice(target.server.socket);
  expect(await rejection(spliced)).toMatchObject({ code: 'ECONNRESET', syscall: 'splice' });
});

test('promise 9: a reset is an error of read', async () => {
  await using pair = await tcp4();
  const reading = rejection(pair.server.read());
  await turns(2);
  pair.client.abort();
  expect(await reading).toMatchObject({
    code: 'ECONNRESET',
    errno: -C.ECONNRESET,
    syscall: 'read',
    message: 'read ECONNRESET',
  });
  expect(await rejection(pair.server.write('x'))).toMatchObject({
    code: 'EPIPE',
    syscall: 'write',
  });
});

test('stream: readExactly of nothing waits for nothing, at the end and behind a loss, too', async () => {
  await using pair = await tcp4();
  const nothing = async (): Promise<void> => {
    const reading = pair.server.readExactly(0);
    expect(await isPending(reading)).toBe(false);
    expect(await reading).toHaveLength(0);
  };
  await nothing();
  await pair.client.write('all');
  // A short read: the kernel is known to have no more.
  expect(await pair.server.read()).toHaveLength(3);
  await nothing();
  await pair.client.end();
  expect(await pair.server.read()).toBeNull();
  await nothing();
  pair.client.abort();
  await until(() => pair.server.socket.get('error') !== 0);
  await nothing();
});
