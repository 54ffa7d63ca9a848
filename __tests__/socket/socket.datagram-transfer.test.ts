// Level 1 over messages: UDP, Unix datagrams, SEQPACKET.

import { constants as C, Socket, type Address } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { arrived, sockets } from '../support/streams';
import { soon, turns, until } from '../support/turns';

leavesNoSockets();

interface Kind {
  readonly what: string;
  readonly family: 'IPv4' | 'IPv6' | 'unix';
  readonly possible: boolean;
  readonly name: () => Address;
}

const KINDS: readonly Kind[] = [
  {
    what: 'UDP over IPv4',
    family: 'IPv4',
    possible: true,
    name: () => ({ family: 'IPv4', address: '127.0.0.1', port: 0 }),
  },
  {
    what: 'UDP over IPv6',
    family: 'IPv6',
    possible: HAS_IPV6,
    name: () => ({ family: 'IPv6', address: '::1', port: 0 }),
  },
  {
    what: 'Unix datagrams',
    family: 'unix',
    possible: true,
    name: () => ({ family: 'unix', path: abstractName() }),
  },
];

describe.each(KINDS)('$what', ({ family, possible, name }) => {
  const test = needs('IPv6 on the loopback', possible);

  function bound(): Socket {
    const open = Socket.open(family, 'dgram');
    open.bind(name());
    return open;
  }

  test('sendto and recvfrom: a message, and whose it is', async () => {
    using a = bound();
    using b = bound();
    expect(await a.sendto(Buffer.from('hello'), b.getsockname())).toBe(5);
    const room = Buffer.alloc(16);
    expect(await b.recvfrom(room)).toEqual({
      bytes: 5,
      length: 5,
      truncated: false,
      from: a.getsockname(),
    });
    expect(room.subarray(0, 5).toString()).toBe('hello');
  });

  test('sendto gathers, recvmsg scatters', async () => {
    using a = bound();
    using b = bound();
    const pieces = [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cde')];
    expect(await a.sendto(pieces, b.getsockname())).toBe(5);
    const into = [Buffer.alloc(1), Buffer.alloc(3), Buffer.alloc(4)];
    const message = await b.recvmsg({ into });
    expect(into.map((piece) => piece.toString('latin1'))).toEqual(['a', 'bcd', 'e\0\0\0']);
    expect(message).toMatchObject({ length: 5, truncated: false, from: a.getsockname() });
    expect(message.data.toString()).toBe('abcde');
  });

  test("recvmsg into one piece gives that piece's own memory", async () => {
    using a = bound();
    using b = bound();
    await a.sendto(Buffer.from('same'), b.getsockname());
    const into = Buffer.alloc(8);
    const { data } = await b.recvmsg({ into });
    expect(data.buffer).toBe(into.buffer);
    expect(data.toString()).toBe('same');
  });

  test('sendmsg with and without an address', async () => {
    using a = bound();
    using b = bound();
    expect(await a.sendmsg({ data: Buffer.from('one'), to: b.getsockname() })).toBe(3);
    await a.connect(b.getsockname());
    expect(await a.sendmsg({ data: [Buffer.from('t'), Buffer.from('wo')] })).toBe(3);
    const texts = [await b.recvmsg(), await b.recvmsg()].map(({ data }) => data.toString());
    expect(texts).toEqual(['one', 'two']);
  });

  test('sendmmsg and recvmmsg: many messages in one call, edges and senders kept', async () => {
    using a = bound();
    using b = bound();
    const to = b.getsockname();
    const sent = await a.sendmmsg([
      { data: Buffer.from('1'), to },
      { data: Buffer.alloc(0), to },
      { data: [Buffer.from('2'), Buffer.from('2')], to },
      { data: Buffer.alloc(3000, 'x'), to },
    ]);
    expect(sent).toBe(4);
    const messages = await b.recvmmsg(10);
    expect(messages.map(({ data }) => data.length)).toEqual([1, 0, 2, 3000]);
    expect(messages[3].data.equals(Buffer.alloc(3000, 'x'))).toBe(true);
    for (const message of messages) expect(message.from).toEqual(a.getsockname());
  });

  test('recvmmsg takes at most what it is asked for', async () => {
    using a = bound();
    using b = bound();
    for (const text of ['1', '2', '3']) await a.sendto(Buffer.from(text), b.getsockname());
    expect((await b.recvmmsg(2)).map(({ data }) => data.toString())).toEqual(['1', '2']);
    expect((await b.recvmmsg(2)).map(({ data }) => data.toString())).toEqual(['3']);
    expect(b.tryRecvmmsg(2)).toBeNull();
  });

  test('sendmmsg of none is 0, and of more than a call takes says how many went', async () => {
    using a = bound();
    using b = bound();
    const to = b.getsockname();
    expect(await a.sendmmsg([])).toBe(0);
    expect(a.trySendmmsg([])).toBe(0);
    const many = Array.from({ length: 100 }, (_, i) => ({ data: Buffer.from([i]), to }));
    const sent = await a.sendmmsg(many);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(64);
    const messages = await b.recvmmsg(64);
    expect(messages.map(({ data }) => data[0])).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  test('promise 7: empty messages are messages, to every way of receiving', async () => {
    using a = bound();
    using b = bound();
    const to = b.getsockname();
    const room = Buffer.alloc(4);
    for (let i = 0; i < 5; i++) expect(await a.sendto(Buffer.alloc(0), to)).toBe(0);
    expect(await b.recv(room)).toBe(0);
    expect(await b.recvfrom(room)).toMatchObject({ bytes: 0, from: a.getsockname() });
    expect(await b.recvmsg()).toMatchObject({ length: 0, from: a.getsockname() });
    expect(await b.recvmmsg(4)).toHaveLength(2);
    expect(b.tryRecv(room)).toBeNull();
  });

  test('promise 7: what is cut says so, and how long it was', async () => {
    using a = bound();
    using b = bound();
    const data = Buffer.from('0123456789');
    const to = b.getsockname();
    for (let i = 0; i < 6; i++) await a.sendto(data, to);
    const room = Buffer.alloc(4);
    expect(await b.recv(room)).toBe(4);
    expect(await b.recvfrom(room)).toMatchObject({ bytes: 4, length: 10, truncated: true });
    const cut = { length: 10, truncated: true, controlTruncated: false };
    const into = await b.recvmsg({ into: [Buffer.alloc(1), Buffer.alloc(2)] });
    expect(into).toMatchObject(cut);
    expect(into.data.toString()).toBe('012');
    const own = await b.recvmsg({ size: 7 });
    expect(own).toMatchObject(cut);
    expect(own.data.toString()).toBe('0123456');
    expect(own.flags & C.MSG_TRUNC).not.toBe(0);
    const [one, two] = await b.recvmmsg(2, { size: 10 });
    expect([one, two]).toMatchObject([
      { length: 10, truncated: false },
      { length: 10, truncated: false },
    ]);
    expect(one.flags & C.MSG_TRUNC).toBe(0);
  });

  test('messages around the edge of the slab come whole, and cut where they are asked to be', async () => {
    using a = bound();
    using b = bound();
    const to = b.getsockname();
    for (const length of [2047, 2048, 2049, 4096, 60_000]) {
      const data = Buffer.from(Array.from({ length }, (_, i) => (i * 7 + length) & 0xff));
      await a.sendto(data, to);
      await a.sendto(data, to);
      await a.sendto(data, to);
      const whole = await b.recvmmsg(2, { size: 60_000 });
      expect(whole.map((message) => message.data.equals(data))).toEqual([true, true]);
      const cut = await b.recvmsg({ size: 2050 });
      expect(cut.truncated).toBe(length > 2050);
      expect(cut.data.equals(data.subarray(0, 2050))).toBe(true);
    }
  });

  test('a message that is too long is EMSGSIZE, and the next one goes', async () => {
    using a = bound();
    using b = bound();
    const huge = Buffer.alloc(1 << 20);
    expect(await rejection(a.sendto(huge, b.getsockname()))).toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'sendto',
    });
    expect(await rejection(a.sendmmsg([{ data: huge, to: b.getsockname() }]))).toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'sendmmsg',
    });
    expect(await a.sendto(Buffer.from('x'), b.getsockname())).toBe(1);
    expect(await b.recv(Buffer.alloc(2))).toBe(1);
  });

  test('a connected socket hears its peer alone', async () => {
    using a = bound();
    using b = bound();
    using stranger = bound();
    await b.connect(a.getsockname());
    const refused = stranger.sendto(Buffer.from('stranger'), b.getsockname());
    if (family === 'unix') expect(await rejection(refused)).toMatchObject({ code: 'EPERM' });
    else await refused;
    await a.sendto(Buffer.from('peer'), b.getsockname());
    expect((await b.recvmsg()).data.toString()).toBe('peer');
    expect(b.tryRecvmsg()).toBeNull();
  });

  test('the forms that do not wait', async () => {
    using a = bound();
    using b = bound();
    const to = b.getsockname();
    const room = Buffer.alloc(8);
    expect([
      b.tryRecv(room),
      b.tryRecvfrom(room),
      b.tryRecvmsg(),
      b.tryRecvmsg({ into: room }),
      b.tryRecvmmsg(3),
    ]).toEqual([null, null, null, null, null]);
    expect(a.trySendto(Buffer.from('1'), to)).toBe(1);
    expect(a.trySendmsg({ data: Buffer.from('22'), to })).toBe(2);
    expect(a.trySendmmsg([{ data: Buffer.from('333'), to }])).toBe(1);
    await a.connect(to);
    expect(a.trySend(Buffer.from('4444'))).toBe(4);
    expect(a.trySend([Buffer.from('55'), Buffer.from('555')])).toBe(5);
    expect(soon(() => b.tryRecv(room))).toBe(1);
    expect(soon(() => b.tryRecvfrom(room))).toMatchObject({ bytes: 2 });
    expect(soon(() => b.tryRecvmsg({ into: room }))).toMatchObject({ length: 3 });
    expect(soon(() => b.tryRecvmsg())).toMatchObject({ length: 4 });
    expect(soon(() => b.tryRecvmmsg(3))).toMatchObject([{ length: 5 }]);
  });

  test('promise 1: readiness is a hint: of two who are woken, one gets it and one waits on', async () => {
    using a = bound();
    using b = bound();
    using other = b.dup();
    let first: Buffer | undefined;
    let settled = 0;
    const receiving = [b, other].map(async (socket) => {
      const { data } = await socket.recvmsg();
      first ??= data;
      settled++;
      return data.toString();
    });
    await turns(2);
    await a.sendto(Buffer.from('1'), b.getsockname());
    await until(() => settled === 1);
    await turns();
    expect(settled).toBe(1);
    await a.sendto(Buffer.from('2'), b.getsockname());
    expect((await Promise.all(receiving)).sort()).toEqual(['1', '2']);
  });

  test('promise 2: an aborted receive has taken no message', async () => {
    using a = bound();
    using b = bound();
    for (const receive of [
      (signal: AbortSignal) => b.recv(Buffer.alloc(4), { signal }),
      (signal: AbortSignal) => b.recvfrom(Buffer.alloc(4), { signal }),
      (signal: AbortSignal) => b.recvmsg({ signal }),
      (signal: AbortSignal) => b.recvmmsg(4, { signal }),
    ]) {
      const controller = new AbortController();
      const waiting = rejection(receive(controller.signal));
      await turns(2);
      await a.sendto(Buffer.from('kept'), b.getsockname());
      controller.abort();
      expect(await waiting).toMatchObject({ code: 'ABORT_ERR', name: 'AbortError' });
      expect(soon(() => b.tryRecvmsg()).data.toString()).toBe('kept');
    }
  });

  test('promise 2: a timeout of 0 tries once', async () => {
    using a = bound();
    using b = bound();
    expect(await rejection(b.recvmsg({ timeout: 0 }))).toMatchObject({
      code: 'ERR_SOCKET_TIMEOUT',
      message: 'recvmsg was not done within 0 ms',
    });
    await a.sendto(Buffer.from('there'), b.getsockname());
    await arrived(b);
    expect((await b.recvmsg({ timeout: 0 })).data.toString()).toBe('there');
  });
});

test('UDP: an error names the destination, and is its own', async () => {
  using a = Socket.open('IPv4', 'dgram');
  const to = { family: 'IPv4', address: '255.255.255.255', port: 9 } as const;
  // Broadcasting has to be asked for.
  expect(await rejection(a.sendto(Buffer.from('x'), to))).toMatchObject({
    code: 'EACCES',
    syscall: 'sendto',
    address: '255.255.255.255',
    port: 9,
    message: 'sendto EACCES 255.255.255.255:9',
  });
  expect(thrown(() => a.trySendto(Buffer.from('x'), to))).toMatchObject({ code: 'EACCES' });
});

test('UDP: sendmmsg says how many went before the one that was refused', async () => {
  using a = Socket.open('IPv4', 'dgram');
  using b = Socket.open('IPv4', 'dgram');
  b.bind({ address: '127.0.0.1', port: 0 });
  const to = b.getsockname();
  const refused = { family: 'IPv4', address: '255.255.255.255', port: 9 } as const;
  const data = Buffer.from('x');
  expect(
    await a.sendmmsg([
      { data, to },
      { data, to },
      { data, to: refused },
      { data, to },
    ]),
  ).toBe(2);
  expect(await b.recvmmsg(9)).toHaveLength(2);
});

test('UDP over IPv6: IPv4 is given as what it is, and goes back as what it was', async () => {
  using dual = Socket.open('IPv6', 'dgram');
  dual.setsockopt(C.IPPROTO_IPV6, C.IPV6_V6ONLY, false);
  dual.bind({ address: '::', port: 0 });
  using v4 = Socket.open('IPv4', 'dgram');
  v4.bind({ address: '127.0.0.1', port: 0 });
  const { port } = dual.getsockname() as { port: number };
  await v4.sendto(Buffer.from('ping'), { address: '127.0.0.1', port });
  const { from } = await dual.recvfrom(Buffer.alloc(4));
  expect(from).toEqual(v4.getsockname());
  await dual.sendto(Buffer.from('pong'), from!);
  await dual.sendmmsg([{ data: Buffer.from('pong'), to: from! }]);
  expect(await v4.recvmmsg(4)).toHaveLength(2);
});

test('Unix datagrams: a sender without a name is the unnamed one', async () => {
  using pair = sockets('dgram');
  await pair.a.send(Buffer.from('x'));
  expect(await pair.b.recvfrom(Buffer.alloc(1))).toMatchObject({
    from: { family: 'unix', path: '' },
  });
});

test('Unix datagrams: senders with names that are not UTF-8', async () => {
  using a = Socket.open('unix', 'dgram');
  const path = Buffer.concat([Buffer.from(abstractName()), Buffer.from([0xff])]);
  a.bind({ path });
  using b = Socket.open('unix', 'dgram');
  b.bind({ path: abstractName() });
  await a.sendto(Buffer.from('x'), b.getsockname());
  expect((await b.recvmsg()).from).toEqual({ family: 'unix', path });
});

describe('SEQPACKET', () => {
  test('records keep their edges', async () => {
    using pair = sockets('seqpacket');
    for (const text of ['one', 'two', 'three']) await pair.a.send(Buffer.from(text));
    const messages = [await pair.b.recvmsg(), ...(await pair.b.recvmmsg(2))];
    expect(messages.map(({ data }) => data.toString())).toEqual(['one', 'two', 'three']);
  });

  test('promise 7: a cut record says so, and its rest is gone', async () => {
    using pair = sockets('seqpacket');
    await pair.a.send(Buffer.from('0123456789'));
    await pair.a.send(Buffer.from('next'));
    const room = Buffer.alloc(4);
    expect(await pair.b.recvfrom(room)).toMatchObject({ bytes: 4, length: 10, truncated: true });
    expect(await pair.b.recv(room)).toBe(4);
    expect(room.toString()).toBe('next');
  });

  test('the end is 0 bytes', async () => {
    using pair = sockets('seqpacket');
    pair.a.shutdown('write');
    expect(await pair.b.recv(Buffer.alloc(1))).toBe(0);
    expect(await rejection(pair.a.send(Buffer.from('x')))).toMatchObject({ code: 'EPIPE' });
  });
});
