// readable and writable: a byte stream as Web streams.

import { createHash, randomBytes } from 'node:crypto';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { abstract, arrived, tcp4 } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();
const SIZE = 16 << 20;

test('web: they are made when they are asked for, once', async () => {
  await using pair = await tcp4();
  expect(pair.client.readable).toBe(pair.client.readable);
  expect(pair.client.writable).toBe(pair.client.writable);
});

test('web: nothing is read that nobody asked for', async () => {
  await using pair = await tcp4();
  const reader = pair.server.readable.getReader();
  await pair.client.write('unasked');
  await turns();
  expect(pair.server.bytesRead).toBe(0);
  const { value } = await reader.read();
  expect(Buffer.from(value!).toString()).toBe('unasked');
  expect(pair.server.bytesRead).toBe(7);
});

test('web: BYOB reads go into the reader’s buffer', async () => {
  await using pair = await tcp4();
  const reader = pair.server.readable.getReader({ mode: 'byob' });
  const memory = new ArrayBuffer(100);
  const reading = reader.read(new Uint8Array(memory, 10, 50));
  const target = jest.spyOn(Buffer, 'allocUnsafeSlow');
  await pair.client.write('straight');
  const { value, done } = await reading;
  expect(done).toBe(false);
  expect(value).toMatchObject({ byteOffset: 10, byteLength: 8 });
  expect(value!.buffer.byteLength).toBe(100);
  expect(Buffer.from(value!).toString()).toBe('straight');
  expect(target).not.toHaveBeenCalled();
  target.mockRestore();
  // No more than there is room for.
  await pair.client.write('0123456789');
  expect((await reader.read(new Uint8Array(4))).value).toHaveLength(4);
  expect((await reader.read(new Uint8Array(40))).value).toHaveLength(6);
});

test('web: the peer’s end is the end, for both kinds of reader', async () => {
  for (const byob of [false, true]) {
    await using pair = await tcp4();
    await pair.client.end();
    const { readable } = pair.server;
    const outcome = byob
      ? await readable.getReader({ mode: 'byob' }).read(new Uint8Array(8))
      : await readable.getReader().read();
    expect(outcome.done).toBe(true);
    expect(pair.server.socket.closed).toBe(false);
  }
});

// Thrown out of the callback it would be nobody's error, and end the process.
test('web: an end inside an element of the reader’s array is the reader’s error alone', async () => {
  for (const end of ['peer', 'here']) {
    await using pair = await tcp4();
    const reader = pair.server.readable.getReader({ mode: 'byob' });
    const reading = rejection(reader.read(new Uint32Array(2)));
    await pair.client.write('abc');
    await until(() => pair.server.bytesRead === 3);
    if (end === 'peer') await pair.client.end();
    else pair.server.abort();
    expect(await reading).toMatchObject({ name: 'TypeError' });
    await turns();
  }
});

test.each([['tcp', tcp4] as const, ['unix', abstract] as const])(
  'web: megabytes through pipeTo, over %s',
  async (_kind, make) => {
    await using pair = await make();
    const data = randomBytes(SIZE);
    const source = new ReadableStream<Uint8Array>({
      start(controller): void {
        for (let at = 0; at < SIZE; at += 100_003)
          controller.enqueue(data.subarray(at, at + 100_003));
        controller.close();
      },
    });
    const hash = createHash('sha256');
    await Promise.all([
      source.pipeTo(pair.client.writable),
      (async () => {
        for await (const chunk of pair.server.readable) hash.update(chunk);
      })(),
    ]);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  },
);

test('web: a write is done when the kernel has it', async () => {
  await using pair = await tcp4();
  const writer = pair.client.writable.getWriter();
  const writing = writer.write(Buffer.alloc(SIZE));
  await turns();
  expect(await isPending(writing)).toBe(true);
  expect(writer.desiredSize).toBeLessThanOrEqual(0);
  await pair.server.readExactly(SIZE);
  await writing;
});

test('web: the socket is closed when both halves are done', async () => {
  await using pair = await tcp4();
  await pair.client.writable.close();
  expect(await pair.server.read()).toBeNull();
  expect(pair.client.socket.closed).toBe(false);
  await pair.server.end();
  expect((await pair.client.readable.getReader().read()).done).toBe(true);
  await until(() => pair.client.socket.closed);
});

test('web: cancel ends the reading side, and a wait for it', async () => {
  await using pair = await tcp4();
  const reader = pair.client.readable.getReader();
  const reading = reader.read();
  await turns(2);
  await reader.cancel('enough');
  expect(await reading).toEqual({ value: undefined, done: true });
  expect(pair.client.socket.closed).toBe(false);
  await pair.client.write('still');
  expect((await pair.server.readExactly(5)).toString()).toBe('still');
  await pair.client.writable.close();
  await pair.server.end();
  await until(() => pair.client.socket.closed);
});

test.each([['tcp', tcp4] as const, ['unix', abstract] as const])(
  'promise 5: a reply outlives the cancelling of its request, over %s',
  async (_kind, make) => {
    await using pair = await make();
    const { client, server } = pair;
    const upload = client.write(Buffer.alloc(SIZE / 2)).catch(() => {});
    const reader = server.readable.getReader();
    await reader.read();
    await reader.cancel();
    const writer = server.writable.getWriter();
    // More of the upload comes while the reply is on its way.
    const reply = client.readExactly(1_000_000);
    await writer.write(Buffer.alloc(1_000_000, 'r'));
    await writer.close();
    expect((await reply).equals(Buffer.alloc(1_000_000, 'r'))).toBe(true);
    expect(await client.read()).toBeNull();
    await upload;
    await client.end();
    await until(() => server.socket.closed);
  },
);

test('web: a cancelled request and a reply that was cut make a reset', async () => {
  await using pair = await tcp4();
  const { client, server } = pair;
  await client.write('unread');
  await arrived(server.socket);
  await server.readable.cancel();
  const writer = server.writable.getWriter();
  await writer.write(Buffer.from('cut'));
  await writer.abort();
  expect(await rejection(client.readExactly(4))).toMatchObject({ code: 'ECONNRESET' });
});

test('web: abort resets, and so the peer does not take what came for whole', async () => {
  await using pair = await tcp4();
  const writer = pair.client.writable.getWriter();
  const writing = rejection(writer.write(Buffer.alloc(SIZE)));
  await turns(2);
  await writer.abort(new Error('mine'));
  await writing;
  let failure: unknown;
  try {
    for await (const chunk of pair.server) expect(chunk.length).toBeGreaterThan(0);
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ code: 'ECONNRESET' });
  expect(pair.client.socket.closed).toBe(true);
});

test('web: errors of the connection are those of the streams', async () => {
  await using pair = await tcp4();
  const reading = rejection(pair.client.readable.getReader().read());
  pair.server.abort();
  expect(await reading).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  const writing = pair.client.writable.getWriter();
  expect(await rejection(writing.write(Buffer.from('x')))).toMatchObject({ code: 'EPIPE' });
});

test('web: a close on this side is an end', async () => {
  await using pair = await tcp4();
  const reading = pair.client.readable.getReader().read();
  await turns(2);
  pair.client.abort();
  expect(await reading).toMatchObject({ done: true });
});

test('web: misuse is the writer’s error', async () => {
  await using pair = await tcp4();
  const writer = pair.client.writable.getWriter() as WritableStreamDefaultWriter<unknown>;
  expect(await rejection(writer.write(5))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  // The stream has failed by it: that half is done.
  await pair.server.end();
  expect((await pair.client.readable.getReader().read()).done).toBe(true);
  expect(pair.client.socket.closed).toBe(true);
});
