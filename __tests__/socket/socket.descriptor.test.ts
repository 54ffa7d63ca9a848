// The life of a descriptor: fd, dup, detach, close, dispose.

import { closeSync, fstatSync, read, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { constants as C, Socket, socketpair } from '../../lib/index';
import { flagsOf, leavesNoSockets, nameOf } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, sockets } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();

// fcntl(2), Linux: the same on every architecture that Node runs on.
const O_NONBLOCK = 0o4000;

describe('dup', () => {
  test('is a second descriptor of the same open socket', async () => {
    using pair = sockets();
    const second = pair.a.dup();
    expect(second.fd).not.toBe(pair.a.fd);
    expect(nameOf(second.fd)).toBe(nameOf(pair.a.fd));
    expect(second).toMatchObject({ domain: C.AF_UNIX, type: C.SOCK_STREAM, protocol: 0 });
    pair.a.close();
    await second.send(Buffer.from('x'));
    expect(await pair.b.recv(Buffer.alloc(1))).toBe(1);
    const end = pair.b.recv(Buffer.alloc(1));
    await turns(2);
    expect(await isPending(end)).toBe(true);
    second.close();
    expect(await end).toBe(0);
  });

  test('both wait for themselves, and closing one leaves the other waiting', async () => {
    using pair = sockets('dgram');
    using second = pair.a.dup();
    const here = rejection(pair.a.recv(Buffer.alloc(1)));
    const there = second.recv(Buffer.alloc(1));
    await turns(2);
    pair.a.close();
    expect(await here).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(await isPending(there)).toBe(true);
    await pair.b.send(Buffer.from('x'));
    expect(await there).toBe(1);
  });
});

describe('detach', () => {
  test('hands the descriptor over: this socket is closed, the other end notices nothing', async () => {
    const [a, b] = socketpair();
    using end = b;
    const { fd } = a;
    expect(a.detach()).toBe(fd);
    expect(a.closed).toBe(true);
    expect(a.fd).toBe(-1);
    expect(fstatSync(fd).isSocket()).toBe(true);
    writeSync(fd, 'hello');
    const room = Buffer.alloc(8);
    expect(await end.recv(room)).toBe(5);
    closeSync(fd);
    expect(await end.recv(room)).toBe(0);
    expect(thrown(() => a.detach())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('gives a descriptor of ours back blocking: fs.read waits in it', async () => {
    const [a, b] = socketpair();
    using end = b;
    expect(flagsOf(a.fd) & O_NONBLOCK).toBe(O_NONBLOCK);
    const fd = a.detach();
    expect(flagsOf(fd) & O_NONBLOCK).toBe(0);
    const room = Buffer.alloc(8);
    // On a thread of libuv's, in a read(2) that blocks; a nonblocking one would be EAGAIN at once.
    const reading = promisify(read)(fd, room, 0, 8, null);
    await turns(20);
    await end.send(Buffer.from('later'));
    expect((await reading).bytesRead).toBe(5);
    closeSync(fd);
  });

  test('gives an adopted descriptor back as it was', () => {
    const [a, b] = socketpair();
    using end = b;
    const blocking = Socket.fromFd(a.detach());
    expect(flagsOf(blocking.fd) & O_NONBLOCK).toBe(O_NONBLOCK);
    const fd = blocking.detach();
    expect(flagsOf(fd) & O_NONBLOCK).toBe(0);
    closeSync(fd);

    // A duplicate shares the flag with a socket of ours, so it is one that was nonblocking before.
    const shared = end.dup().detach();
    const nonblocking = Socket.fromFd(shared);
    expect(nonblocking.detach()).toBe(shared);
    expect(flagsOf(shared) & O_NONBLOCK).toBe(O_NONBLOCK);
    closeSync(shared);
  });

  test('after dup the flag stays: both share it', () => {
    using pair = sockets();
    using second = pair.a.dup();
    const fd = pair.a.detach();
    expect(flagsOf(fd) & O_NONBLOCK).toBe(O_NONBLOCK);
    expect(second.tryRecv(Buffer.alloc(1))).toBeNull();
    expect(thrown(() => readSync(fd, Buffer.alloc(1)))).toMatchObject({ code: 'EAGAIN' });
    closeSync(fd);
  });

  test('an accepted socket comes back blocking too', async () => {
    using pair = await connectedSockets();
    const fd = pair.b.detach();
    expect(flagsOf(fd) & O_NONBLOCK).toBe(0);
    closeSync(fd);
  });

  test('rejects what waits, and wakes nobody for the new owner', async () => {
    const [a, b] = socketpair();
    using end = b;
    const waiting = rejection(a.recv(Buffer.alloc(1)));
    await turns(2);
    const fd = a.detach();
    expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await end.send(Buffer.from('for the new owner'));
    await turns();
    expect(readSync(fd, Buffer.alloc(32))).toBe(17);
    closeSync(fd);
  });

  test('and fromFd: there and back again', async () => {
    const [a, b] = socketpair();
    using end = b;
    let fd = a.detach();
    for (let i = 0; i < 10; i++) {
      const again = Socket.fromFd(fd);
      const reading = again.recv(Buffer.alloc(4));
      await end.send(Buffer.from('x'));
      expect(await reading).toBe(1);
      fd = again.detach();
    }
    closeSync(fd);
  });
});

describe('close', () => {
  test('ends the socket for the peer, and again is nothing', async () => {
    using pair = await connectedSockets();
    pair.a.close();
    pair.a.close();
    expect(pair.a).toMatchObject({ closed: true, fd: -1 });
    expect(await pair.b.recv(Buffer.alloc(1))).toBe(0);
  });

  test('is what `using` does at the end of its scope', () => {
    let inside: Socket;
    {
      using open = Socket.open('IPv4', 'stream');
      inside = open;
      expect(open.closed).toBe(false);
    }
    expect(inside.closed).toBe(true);
    inside[Symbol.dispose]();
  });

  test('leaves what a socket was', () => {
    const open = Socket.open('IPv4', 'dgram', 'udp');
    open.close();
    expect(open).toMatchObject({
      domain: C.AF_INET,
      type: C.SOCK_DGRAM,
      protocol: C.IPPROTO_UDP,
      fd: -1,
    });
  });

  test('promise 4: rejects everything that waits, in its order', async () => {
    const [a, b] = socketpair();
    using end = b;
    const piece = Buffer.alloc(65536);
    while (a.trySend(piece) !== null);
    const order: string[] = [];
    const note = (name: string, promise: Promise<unknown>): Promise<void> =>
      rejection(promise).then(({ code }) => {
        order.push(`${name} ${String(code)}`);
      });
    const all = [
      note('recv', a.recv(piece)),
      note('recvmsg', a.recvmsg()),
      note('send', a.send(piece)),
      note('sendmsg', a.sendmsg({ data: piece })),
      note('ready', a.ready({ priority: true })),
    ];
    await turns(2);
    expect(order).toEqual([]);
    a.close();
    await Promise.all(all);
    expect(order).toEqual(
      ['recv', 'recvmsg', 'send', 'sendmsg', 'ready'].map((name) => `${name} ERR_SOCKET_CLOSED`),
    );
    expect(end.closed).toBe(false);
  });

  test('promise 4: those who wait are rejected before the descriptor is released', async () => {
    const [a, b] = socketpair();
    using end = b;
    const { fd } = a;
    const name = nameOf(fd);
    const controller = new AbortController();
    let during = '';
    const waiting = rejection(a.recv(Buffer.alloc(1)));
    // The listener is removed when the operation ends, which is when this getter is asked.
    const signal = controller.signal;
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      during = nameOf(fd);
      remove(...args);
    };
    const watched = rejection(a.recv(Buffer.alloc(1), { signal }));
    await turns(2);
    a.close();
    expect(during).toBe(name);
    expect(nameOf(fd)).not.toBe(name);
    await Promise.all([waiting, watched]);
    expect(end.closed).toBe(false);
  });

  test('promise 4: every call after it says that the socket is closed', async () => {
    const open = Socket.open('IPv4', 'dgram');
    open.close();
    const to = { address: '127.0.0.1', port: 9 };
    const data = Buffer.from('x');
    const room = Buffer.alloc(1);
    const waiting = [
      open.connect(to),
      open.accept(),
      open.send(data),
      open.send([data]),
      open.sendto(data, to),
      open.sendmsg({ data }),
      open.sendmmsg([{ data }]),
      open.recv(room),
      open.recvfrom(room),
      open.recvmsg(),
      open.recvmsg({ into: room }),
      open.recvmmsg(1),
      open.ready({ read: true }),
    ];
    for (const promise of waiting)
      expect(await rejection(promise)).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    for (const call of [
      () => open.bind(to),
      () => open.listen(),
      () => open.shutdown('both'),
      () => open.getsockname(),
      () => open.getpeername(),
      () => open.disconnect(),
      () => open.dup(),
      () => open.detach(),
      () => open.tryAccept(),
      () => open.trySend(data),
      () => open.trySendto(data, to),
      () => open.trySendmsg({ data }),
      () => open.trySendmmsg([{ data }]),
      () => open.tryRecv(room),
      () => open.tryRecvfrom(room),
      () => open.tryRecvmsg(),
      () => open.tryRecvmmsg(1),
    ])
      expect(thrown(call)).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(open.ref().unref()).toBe(open);
  });

  test("promise 4: nothing pending or later touches a reused descriptor's number", async () => {
    const [stale, b] = socketpair('dgram');
    const { fd } = stale;
    const waiting = rejection(stale.recv(Buffer.alloc(4)));
    await turns(2);
    // What came for the old socket in the same turn, too, is the old socket's.
    await b.send(Buffer.from('old'));
    stale.close();
    b.close();
    const tenants = Array.from({ length: 8 }, () => socketpair('dgram')).flat();
    const at = tenants.findIndex((tenant) => tenant.fd === fd);
    expect(at).toBeGreaterThanOrEqual(0);
    const tenant = tenants[at];
    const peer = tenants[at ^ 1];
    expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await peer.send(Buffer.from('new'));
    expect(await rejection(stale.recv(Buffer.alloc(4)))).toMatchObject({
      code: 'ERR_SOCKET_CLOSED',
    });
    expect(thrown(() => stale.tryRecv(Buffer.alloc(4)))).toMatchObject({
      code: 'ERR_SOCKET_CLOSED',
    });
    stale.close();
    await turns();
    const room = Buffer.alloc(4);
    expect(await tenant.recv(room)).toBe(3);
    expect(room.toString()).toBe('new\0');
    for (const open of tenants) open.close();
  });

  test('promise 4: an event for a socket that was closed in the same batch is dropped', async () => {
    const pairs = Array.from({ length: 20 }, () => socketpair('dgram'));
    const got: number[] = [];
    // The first to be woken closes all the others, whose events are in the batch already.
    const all = pairs.map(async ([a], i) => {
      await a.recv(Buffer.alloc(1));
      got.push(i);
      for (const [other] of pairs) if (other !== a) other.close();
    });
    await turns(2);
    for (const [, b] of pairs) b.trySend(Buffer.from('x'));
    const results = await Promise.allSettled(all);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(got.length);
    for (const [i, result] of results.entries()) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
      else expect(got).toContain(i);
    }
    for (const [a, b] of pairs) {
      a.close();
      b.close();
    }
  });

  test('promise 4: a socket may be closed by the very handler that it woke', async () => {
    using pair = sockets('dgram');
    let closed = false;
    const both = [pair.a.recv(Buffer.alloc(1)), pair.a.recv(Buffer.alloc(1))] as const;
    const first = both[0].then(() => {
      pair.a.close();
      closed = true;
    });
    const second = rejection(both[1]);
    pair.b.trySend(Buffer.from('1'));
    await first;
    await until(() => closed);
    expect(await second).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });
});
