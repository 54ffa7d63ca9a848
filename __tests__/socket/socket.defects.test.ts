// Each of these was broken once: what a reader of the native code and of the core found, by its symptom.

import { constants as C, Socket } from '../../lib/index';
import { StreamSocket } from '../../lib/endpoints/stream';
import { bytesOf } from '../../lib/socket/bytes';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection } from '../support/outcomes';
import { connectedSockets, receiveAll, sockets } from '../support/streams';
import { turns } from '../support/turns';

leavesNoSockets();

const room = Buffer.alloc(16);

/** Moves the memory of `view` away, as postMessage with a transfer list does. */
function transfer(view: Uint8Array): void {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
}

/** A stream whose buffer is full. */
function full(): ReturnType<typeof sockets> {
  const pair = sockets();
  while (pair.a.trySend(Buffer.alloc(65536)) !== null);
  return pair;
}

function bound(): Socket {
  const open = Socket.open('unix', 'dgram');
  open.bind({ path: abstractName() });
  return open;
}

test('more bytes than one system call takes are all looked at: the kernel says how far it came', () => {
  // MAX_RW_COUNT is 2 GiB less a page. Memory that nobody touches costs nothing.
  const total = 0x7ffff000 + 8192;
  expect(bytesOf(Buffer.alloc(total), 'data').byteLength).toBe(total);
});

test('write: memory that is transferred while it waits is EFAULT, and those behind go on', async () => {
  using pair = full();
  const stream = new StreamSocket(pair.a);
  const pieces = [new Uint8Array(65536), new Uint8Array(65536)];
  const gone = rejection(stream.write(pieces));
  const alone = new Uint8Array(65536);
  const goneToo = rejection(stream.write(alone));
  const behind = stream.write('behind');
  for (const each of [...pieces, alone]) transfer(each);
  const into = Buffer.alloc(65536);
  const reading = (async () => {
    for (let tail = ''; ;) {
      tail = (tail + into.toString('latin1', 0, await pair.b.recv(into))).slice(-6);
      if (tail === 'behind') return;
    }
  })();
  expect(await gone).toMatchObject({ code: 'EFAULT', bytesTransferred: 0 });
  expect(await goneToo).toMatchObject({ code: 'EFAULT', bytesTransferred: 0 });
  await Promise.all([behind, reading]);
});

test.each([
  ['recvfrom', (socket: Socket, into: Uint8Array) => socket.recvfrom(into)],
  ['recvmsg', (socket: Socket, into: Uint8Array) => socket.recvmsg({ into })],
  ['recv', (socket: Socket, into: Uint8Array) => socket.recv(into)],
])(
  '%s: memory that is transferred while it waits is EFAULT, and no message is lost',
  async (_, receive) => {
    using pair = sockets('dgram');
    const into = new Uint8Array(16);
    const waiting = rejection(receive(pair.b, into));
    await turns();
    transfer(into);
    await pair.a.send(Buffer.from('kept'));
    expect(await waiting).toMatchObject({ code: 'EFAULT' });
    expect(await pair.b.recv(room, { timeout: 2000 })).toBe(4);
  },
);

test('sendmsg: memory that is transferred while it waits is EFAULT', async () => {
  using pair = full();
  const data = new Uint8Array(16);
  const waiting = rejection(pair.a.sendmsg({ data: [data, new Uint8Array(1)] }));
  transfer(data);
  while (pair.b.tryRecv(Buffer.alloc(65536)) !== null);
  expect(await waiting).toMatchObject({ code: 'EFAULT' });
});

test.each([
  ['an error queue', C.MSG_ERRQUEUE],
  ['a look', C.MSG_PEEK],
])('recv: %s that is empty says nothing of the bytes', async (_, flags) => {
  using pair = await connectedSockets();
  // Somebody waits all the while, so that the event of the bytes comes when nobody reads.
  const watching = rejection(pair.b.ready({ priority: true }));
  await turns(2);
  const aside = rejection(pair.b.recv(room, { flags, timeout: 0 }));
  expect(await aside).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
  await pair.a.send(Buffer.from('x'));
  expect(await pair.b.recv(room, { timeout: 2000 })).toBe(1);
  pair.b.close();
  await watching;
});

test('promise 6: trySend does not go into the middle of a write', async () => {
  using pair = sockets();
  const writing = new StreamSocket(pair.a).write(Buffer.alloc(1 << 20, 'a'));
  expect(pair.a.trySend(Buffer.from('b'))).toBeNull();
  const all = await receiveAll(pair.b, 1 << 20);
  await writing;
  expect(all.includes('b')).toBe(false);
  expect(pair.a.trySend(Buffer.from('b'))).toBe(1);
});

describe('promise 1: a Unix datagram socket whose peer is full', () => {
  test('sends to others at once, and connects to them', async () => {
    using from = bound();
    using slow = bound();
    using quick = bound();
    while (from.trySendto(room, slow.getsockname()) !== null);
    const waiting = rejection(from.sendto(room, slow.getsockname()));
    expect(await from.sendto(Buffer.from('x'), quick.getsockname(), { timeout: 2000 })).toBe(1);
    await from.connect(quick.getsockname(), { timeout: 2000 });
    expect(await from.send(Buffer.from('y'), { timeout: 2000 })).toBe(1);
    from.close();
    expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('sends to others at once, though it is connected to that one', async () => {
    using from = bound();
    using slow = bound();
    using quick = bound();
    await from.connect(slow.getsockname());
    while (from.trySend(room) !== null);
    const waiting = rejection(from.send(room));
    expect(await from.sendto(Buffer.from('x'), quick.getsockname(), { timeout: 2000 })).toBe(1);
    from.close();
    expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });
});

test('an address whose getters use other sockets is laid out whole', async () => {
  using from = Socket.open('IPv6', 'dgram');
  using to = Socket.open('IPv6', 'dgram');
  to.bind({ address: '::1', port: 0 });
  const { port } = to.getsockname() as { port: number };
  const meddling = {
    address: '::1',
    get port(): number {
      to.getsockname();
      return port;
    },
    get scopeId(): number {
      from.getsockname();
      return 0;
    },
  };
  expect(await from.sendto(Buffer.from('x'), meddling)).toBe(1);
  expect(await to.recv(room, { timeout: 2000 })).toBe(1);
});

test('holes in an array of pieces are refused', () => {
  using pair = sockets();
  // eslint-disable-next-line no-sparse-arrays -- that is the point
  const holes = [Buffer.from('a'), , Buffer.from('b')] as never;
  expect(() => pair.a.trySend(holes)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
});
