// MSG_* flags, on the calls that take them: what the kernel does with each comes through.

import { constants as C, Socket, socketpair, type InetAddress } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const WAITALL = { flags: C.MSG_WAITALL };

interface Ends extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
}

function ends(a: Socket, b: Socket): Ends {
  return { a, b, [Symbol.dispose]: () => [a, b].forEach((socket) => socket.close()) };
}

const STREAMS = {
  TCP: async (): Promise<Ends> => {
    using listener = Socket.open('IPv4', 'stream');
    listener.bind({ address: '127.0.0.1', port: 0 });
    listener.listen();
    const a = Socket.open('IPv4', 'stream');
    const [b] = await Promise.all([listener.accept(), a.connect(listener.getsockname())]);
    return ends(a, b);
  },
  'Unix stream': (): Promise<Ends> => Promise.resolve(ends(...socketpair())),
};

function udp(): Ends & { to: InetAddress } {
  const [a, b] = [Socket.open('IPv4', 'dgram'), Socket.open('IPv4', 'dgram')];
  b.bind({ address: '127.0.0.1', port: 0 });
  return { ...ends(a, b), to: b.getsockname() as InetAddress };
}

describe.each(Object.entries(STREAMS))('%s', (_, make) => {
  test('WAITALL waits until all bytes are there, through every call', async () => {
    using pair = await make();
    const room = [Buffer.alloc(10), Buffer.alloc(10), Buffer.alloc(10)] as const;
    const message = room.map((piece) => [piece.subarray(0, 3), piece.subarray(3)]);
    const calls = [
      () => pair.b.recv(room[0], WAITALL),
      () => pair.b.recvfrom(room[1], WAITALL),
      () => pair.b.recvmsg({ ...WAITALL, into: message[2] }),
      () => pair.b.recvmsg({ ...WAITALL, size: 10 }),
    ];
    for (const [i, call] of calls.entries()) {
      const receiving = call();
      for (const text of ['one', 'two', 'thr']) {
        await pair.a.send(Buffer.from(text));
        await turns(2);
        expect(await isPending(receiving)).toBe(true);
      }
      await pair.a.send(Buffer.from('e!'));
      const got = await receiving;
      if (i === 0) expect(got).toBe(10);
      if (i === 1) expect(got).toMatchObject({ bytes: 10, length: 10, truncated: false });
      if (i > 1) expect(String((got as { data: Buffer }).data)).toBe('onetwothre');
      if (i < 3) expect(room[i].toString()).toBe('onetwothre');
      expect(await pair.b.recv(Buffer.alloc(9))).toBe(1);
    }
  });

  test('promise 2: WAITALL without memory of the caller’s has what came on its error', async () => {
    using pair = await make();
    const controller = new AbortController();
    await pair.a.send(Buffer.from('abc'));
    const failing = rejection(pair.b.recvmsg({ ...WAITALL, size: 10, signal: controller.signal }));
    await turns(2);
    controller.abort();
    const error = await failing;
    expect(error).toMatchObject({ code: 'ABORT_ERR', bytesTransferred: 3 });
    expect(error.data?.toString()).toBe('abc');
  });

  test('WAITALL over more than the kernel can hold', async () => {
    using pair = await make();
    const data = Buffer.from(Array.from({ length: 3_000_000 }, (_value, i) => i % 251));
    const room = Buffer.alloc(data.length);
    const receiving = pair.b.recv(room, WAITALL);
    for (let sent = 0; sent < data.length;) sent += await pair.a.send(data.subarray(sent));
    expect(await receiving).toBe(data.length);
    expect(room.equals(data)).toBe(true);
  });

  test('WAITALL ends with the stream', async () => {
    using pair = await make();
    const receiving = pair.b.recv(Buffer.alloc(10), WAITALL);
    await pair.a.send(Buffer.from('abc'));
    pair.a.shutdown('write');
    expect(await receiving).toBe(3);
    expect(await pair.b.recv(Buffer.alloc(10), WAITALL)).toBe(0);
  });

  test('promise 2: WAITALL that is given up says how far it came', async () => {
    using pair = await make();
    for (const limit of ['signal', 'timeout', 'close'] as const) {
      const controller = new AbortController();
      const room = Buffer.alloc(10);
      const options = {
        ...WAITALL,
        ...(limit === 'signal' && { signal: controller.signal }),
        ...(limit === 'timeout' && { timeout: 30 }),
      };
      await pair.a.send(Buffer.from('abc'));
      const failing = rejection(pair.b.recv(room, options));
      await turns(2);
      if (limit === 'signal') controller.abort();
      if (limit === 'close') pair.b.close();
      const code = {
        signal: 'ABORT_ERR',
        timeout: 'ERR_SOCKET_TIMEOUT',
        close: 'ERR_SOCKET_CLOSED',
      };
      expect(await failing).toMatchObject({ code: code[limit], bytesTransferred: 3 });
      expect(room.toString('latin1', 0, 3)).toBe('abc');
    }
  });

  test('WAITALL and PEEK: looks once all is there, and takes nothing', async () => {
    using pair = await make();
    const room = Buffer.alloc(6);
    const peeking = pair.b.recv(room, { flags: C.MSG_WAITALL | C.MSG_PEEK });
    await pair.a.send(Buffer.from('abc'));
    await turns(2);
    expect(await isPending(peeking)).toBe(true);
    await pair.a.send(Buffer.from('defg'));
    expect(await peeking).toBe(6);
    expect(room.toString()).toBe('abcdef');
    const short = pair.b.recv(Buffer.alloc(20), { flags: C.MSG_WAITALL | C.MSG_PEEK });
    await turns(2);
    pair.a.shutdown('write');
    expect(await short).toBe(7);
    expect(await pair.b.recv(Buffer.alloc(20))).toBe(7);
  });

  test('WAITALL without waiting is what there is', async () => {
    using pair = await make();
    expect(pair.b.tryRecv(Buffer.alloc(10), WAITALL)).toBeNull();
    await pair.a.send(Buffer.from('abc'));
    await pair.b.ready({ read: true });
    expect(pair.b.tryRecv(Buffer.alloc(10), WAITALL)).toBe(3);
  });

  test('PEEK leaves everything where it is', async () => {
    using pair = await make();
    await pair.a.send(Buffer.from('abc'));
    const flags = C.MSG_PEEK;
    const room = Buffer.alloc(3);
    expect(await pair.b.recv(room, { flags })).toBe(3);
    expect(await pair.b.recvfrom(room, { flags })).toMatchObject({ bytes: 3 });
    expect((await pair.b.recvmsg({ flags, size: 2 })).data.toString()).toBe('ab');
    expect((await pair.b.recvmsg({ flags, into: [room] })).data.toString()).toBe('abc');
    expect(await pair.b.recv(room)).toBe(3);
    expect(pair.b.tryRecv(room)).toBeNull();
  });

  test('who waits for urgent data stands in nobody’s way', async () => {
    using pair = await make();
    const controller = new AbortController();
    const { signal } = controller;
    const urgent = rejection(pair.b.recv(Buffer.alloc(1), { flags: C.MSG_OOB, signal }));
    await pair.a.send(Buffer.from('abc'));
    expect(await pair.b.recv(Buffer.alloc(3))).toBe(3);
    controller.abort();
    // The kernel's own word where there is no urgent data and none announced: EINVAL, at once.
    expect(['ABORT_ERR', 'EINVAL']).toContain((await urgent).code);
  });

  test('OOB: urgent data beside the stream', async () => {
    using pair = await make();
    await pair.a.send(Buffer.from('ab'));
    await pair.a.send(Buffer.from('!'), { flags: C.MSG_OOB });
    await pair.b.ready({ priority: true });
    const room = Buffer.alloc(4);
    expect(await pair.b.recv(room, { flags: C.MSG_OOB })).toBe(1);
    expect(room.toString('latin1', 0, 1)).toBe('!');
    expect(await pair.b.recv(room)).toBe(2);
  });
});

test('MORE: what is sent with it goes with what follows', async () => {
  using pair = udp();
  await pair.a.connect(pair.to);
  await pair.a.send(Buffer.from('one '), { flags: C.MSG_MORE });
  expect(pair.b.tryRecvmsg()).toBeNull();
  await pair.a.sendmsg({ data: Buffer.from('two '), flags: C.MSG_MORE });
  await pair.a.send(Buffer.from('three'));
  expect((await pair.b.recvmsg()).data.toString()).toBe('one two three');
});

test('TRUNC: recv tells the length on the wire', async () => {
  using pair = udp();
  await pair.a.sendto(Buffer.from('0123456789'), pair.to);
  expect(await pair.b.recv(Buffer.alloc(4), { flags: C.MSG_TRUNC })).toBe(10);
});

test('TRUNC: TCP throws the bytes away', async () => {
  using pair = await STREAMS.TCP();
  await pair.a.send(Buffer.from('0123456789'));
  const room = Buffer.alloc(4, '-');
  expect(await pair.b.recv(room, { flags: C.MSG_TRUNC })).toBe(4);
  expect(room.toString()).toBe('----');
  expect(await pair.b.recv(room)).toBe(4);
  expect(room.toString()).toBe('4567');
});

test('EOR: a record of SEQPACKET', async () => {
  using pair = ends(...socketpair('seqpacket'));
  await pair.a.send(Buffer.from('x'), { flags: C.MSG_EOR });
  // Linux' Unix sockets take the flag and do not hand it on (unix_dgram_sendmsg).
  expect(await pair.b.recvmsg()).toMatchObject({ length: 1, flags: 0 });
});

test('DONTROUTE, CONFIRM: sent all the same on the loopback', async () => {
  using pair = udp();
  for (const flags of [C.MSG_DONTROUTE, C.MSG_CONFIRM]) {
    await pair.a.sendto(Buffer.from('x'), pair.to, { flags });
    await pair.a.sendmmsg([{ data: Buffer.from('y'), to: pair.to }], { flags });
    expect(await pair.b.recvmmsg(4)).toHaveLength(2);
  }
});

test('ERRQUEUE: who waits for it stands in nobody’s way, and is woken by it', async () => {
  using pair = udp();
  pair.a.setsockopt(C.IPPROTO_IP, C.IP_RECVERR, true);
  pair.a.bind({ address: '127.0.0.1', port: 0 });
  const waiting = pair.a.recvmsg({ flags: C.MSG_ERRQUEUE });
  await pair.b.sendto(Buffer.from('x'), pair.a.getsockname());
  expect((await pair.a.recvmsg()).length).toBe(1);
  expect(await isPending(waiting)).toBe(true);
  const { to } = pair;
  pair.b.close();
  await pair.a.sendto(Buffer.from('lost'), to);
  const message = await waiting;
  expect(message.flags & C.MSG_ERRQUEUE).not.toBe(0);
  expect(message.data.toString()).toBe('lost');
  expect(message.control).toMatchObject([{ kind: 'raw', type: C.IP_RECVERR }]);
});
