// Level 1 over byte streams: send and recv with all their kin, waiting and not.

import { constants as C, Socket, type Bytes } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, fill, receiveAll, sockets, type SocketPair } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const KINDS = [
  ['TCP over IPv4', true, (): Promise<SocketPair> => connectedSockets()],
  ['TCP over IPv6', HAS_IPV6, (): Promise<SocketPair> => connectedSockets('IPv6')],
  ['Unix stream', true, (): Promise<SocketPair> => Promise.resolve(sockets())],
] as const;

function drain(socket: Socket, bytes: number): number {
  const room = Buffer.alloc(65536);
  let total = 0;
  while (total < bytes) {
    const received = socket.tryRecv(room);
    if (received === null) break;
    total += received;
  }
  return total;
}

describe.each(KINDS)('%s', (_kind, possible, make) => {
  const test = needs('IPv6 on the loopback', possible);

  test('send takes every kind of memory', async () => {
    using pair = await make();
    const memory = Uint8Array.from(Buffer.from('abcdefgh')).buffer;
    const given: Bytes[] = [
      Buffer.from('01'),
      memory,
      new Uint8Array(memory, 2, 2),
      new Uint16Array(memory, 4, 1),
      new DataView(memory, 6, 2),
    ];
    for (const bytes of given) expect(await pair.a.send(bytes)).toBe(bytes.byteLength);
    expect(await pair.a.send(given)).toBe(16);
    expect(String(await receiveAll(pair.b, 32))).toBe('01abcdefghcdefgh'.repeat(2));
  });

  test('send of nothing is 0, and the peer notices nothing', async () => {
    using pair = await make();
    expect(await pair.a.send(Buffer.alloc(0))).toBe(0);
    expect(await pair.a.send([])).toBe(0);
    expect(await pair.a.send([Buffer.alloc(0), Buffer.alloc(0)])).toBe(0);
    await turns(2);
    expect(pair.b.tryRecv(Buffer.alloc(1))).toBeNull();
  });

  test('recv fills every kind of memory, and no more than it', async () => {
    using pair = await make();
    await pair.a.send(Buffer.from('abcdef'));
    const memory = new ArrayBuffer(6);
    expect(await pair.b.recv(new DataView(memory, 1, 2))).toBe(2);
    expect(await pair.b.recv(new Uint8Array(memory, 3, 1))).toBe(1);
    expect(Buffer.from(memory).toString('latin1')).toBe('\0abc\0\0');
    expect(await pair.b.recv(memory)).toBe(3);
    expect(Buffer.from(memory).toString('latin1')).toBe('defc\0\0');
  });

  test('recv gives 0 at the end of the stream, again and again', async () => {
    using pair = await make();
    pair.a.shutdown('write');
    const room = Buffer.alloc(4);
    expect(await pair.b.recv(room)).toBe(0);
    expect(await pair.b.recv(room)).toBe(0);
    expect(pair.b.tryRecv(room)).toBe(0);
    expect(await pair.b.recvfrom(room)).toMatchObject({ bytes: 0, length: 0, truncated: false });
    expect((await pair.b.recvmsg()).data).toHaveLength(0);
  });

  test('recvfrom and recvmsg read the stream too', async () => {
    using pair = await make();
    await pair.a.send(Buffer.from('abcdefghij'));
    const room = Buffer.alloc(2);
    expect(await pair.b.recvfrom(room)).toEqual({
      bytes: 2,
      length: 2,
      truncated: false,
      from: null,
    });
    const message = await pair.b.recvmsg({ size: 3 });
    expect(message).toMatchObject({ length: 3, truncated: false, from: null, control: [] });
    expect(message.data.toString()).toBe('cde');
    const pieces = [Buffer.alloc(1), Buffer.alloc(2)];
    const scattered = await pair.b.recvmsg({ into: pieces });
    expect(pieces.map(String)).toEqual(['f', 'gh']);
    expect(scattered.data.toString()).toBe('fgh');
    const [last] = await pair.b.recvmmsg(4, { size: 100 });
    expect(last.data.toString()).toBe('ij');
  });

  test('flags reach the kernel: MSG_PEEK leaves the bytes there', async () => {
    using pair = await make();
    await pair.a.send(Buffer.from('abc'));
    const room = Buffer.alloc(3);
    expect(await pair.b.recv(room, { flags: C.MSG_PEEK })).toBe(3);
    expect(await pair.b.recv(room, { flags: C.MSG_PEEK })).toBe(3);
    expect(await pair.b.recv(room)).toBe(3);
    expect(pair.b.tryRecv(room)).toBeNull();
  });

  test('a full buffer makes send wait, trySend say so, and drains again', async () => {
    using pair = await make();
    const taken = await fill(pair.a);
    expect(taken).toBeGreaterThan(0);
    const waiting = pair.a.send(Buffer.from('one more'));
    await turns();
    expect(await isPending(waiting)).toBe(true);
    let drained = 0;
    while (drained < taken) {
      drained += drain(pair.b, taken - drained);
      await turns(1);
    }
    expect(await waiting).toBe(8);
    expect(String(await receiveAll(pair.b, 8))).toBe('one more');
  });

  test('promise 2: a send that is aborted while it waits has sent nothing', async () => {
    using pair = await make();
    const taken = await fill(pair.a);
    const controller = new AbortController();
    const waiting = rejection(pair.a.send(Buffer.from('lost'), { signal: controller.signal }));
    const late = rejection(pair.a.send(Buffer.from('late'), { timeout: 1 }));
    expect(await late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'ABORT_ERR' });
    pair.a.shutdown('write');
    let received = 0;
    const room = Buffer.alloc(65536);
    for (;;) {
      const got = await pair.b.recv(room);
      if (got === 0) break;
      received += got;
    }
    expect(received).toBe(taken);
  });

  test('shutdown of the reading side ends reading here', async () => {
    using pair = await make();
    const reading = pair.b.recv(Buffer.alloc(4));
    await turns(2);
    pair.b.shutdown('read');
    expect(await reading).toBe(0);
    await pair.b.send(Buffer.from('still'));
    expect(await pair.a.recv(Buffer.alloc(8))).toBe(5);
  });

  test('shutdown of both sides ends both', async () => {
    using pair = await make();
    pair.a.shutdown('both');
    expect(await pair.a.recv(Buffer.alloc(1))).toBe(0);
    expect(await rejection(pair.a.send(Buffer.from('x')))).toMatchObject({
      code: 'EPIPE',
      syscall: 'send',
      message: 'send EPIPE',
    });
    expect(thrown(() => pair.a.trySend(Buffer.from('x')))).toMatchObject({ code: 'EPIPE' });
    expect(await pair.b.recv(Buffer.alloc(1))).toBe(0);
  });

  test('one after the other: those who receive get the bytes in the order in which they asked', async () => {
    using pair = await make();
    const rooms = Array.from({ length: 8 }, () => Buffer.alloc(1));
    const reading = Promise.all(rooms.map((room) => pair.b.recv(room)));
    await pair.a.send(Buffer.from('01234567'));
    expect(await reading).toEqual(Array(8).fill(1));
    expect(rooms.map(String).join('')).toBe('01234567');
  });
});

test('sendto on a connected stream: TCP ignores the address, Unix says EISCONN', async () => {
  using pair = await connectedSockets();
  expect(await pair.a.sendto(Buffer.from('x'), pair.a.getpeername())).toBe(1);
  using unix = sockets();
  const to = { family: 'unix', path: '/nowhere' } as const;
  expect(await rejection(unix.a.sendto(Buffer.from('x'), to))).toMatchObject({
    code: 'EISCONN',
    syscall: 'sendto',
    path: '/nowhere',
    message: 'sendto EISCONN /nowhere',
  });
});

test('send without a connection is EPIPE for TCP and ENOTCONN for Unix', async () => {
  using tcp = Socket.open('IPv4', 'stream');
  expect(await rejection(tcp.send(Buffer.from('x')))).toMatchObject({ code: 'EPIPE' });
  using unix = Socket.open('unix', 'stream');
  expect(await rejection(unix.send(Buffer.from('x')))).toMatchObject({ code: 'ENOTCONN' });
  expect(await rejection(tcp.recv(Buffer.alloc(1)))).toMatchObject({ code: 'ENOTCONN' });
});

test('urgent data goes with MSG_OOB and comes with it', async () => {
  using pair = await connectedSockets();
  expect(await pair.a.send(Buffer.from('!'), { flags: C.MSG_OOB })).toBe(1);
  const ready = await pair.b.ready({ priority: true });
  expect(ready.priority).toBe(true);
  const room = Buffer.alloc(2);
  expect(await pair.b.recv(room, { flags: C.MSG_OOB })).toBe(1);
  expect(room.toString()).toBe('!\0');
});
