// getsockopt and setsockopt: raw bytes, any option that the kernel has.

import { constants as C, Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, sockets } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

test('options: numbers and booleans are ints', () => {
  using open = Socket.open('IPv4', 'stream');
  const get = (level: number, name: number): Buffer => open.getsockopt(level, name);
  expect(get(C.SOL_SOCKET, C.SO_KEEPALIVE)).toHaveLength(4);
  expect(get(C.SOL_SOCKET, C.SO_KEEPALIVE).readInt32LE()).toBe(0);
  open.setsockopt(C.SOL_SOCKET, C.SO_KEEPALIVE, true);
  expect(get(C.SOL_SOCKET, C.SO_KEEPALIVE).readInt32LE()).toBe(1);
  open.setsockopt(C.SOL_SOCKET, C.SO_KEEPALIVE, false);
  expect(get(C.SOL_SOCKET, C.SO_KEEPALIVE).readInt32LE()).toBe(0);
  open.setsockopt(C.IPPROTO_TCP, C.TCP_KEEPIDLE, 77);
  expect(get(C.IPPROTO_TCP, C.TCP_KEEPIDLE).readInt32LE()).toBe(77);
  open.setsockopt(C.SOL_SOCKET, C.SO_MARK, 0xfedcba98);
  expect(get(C.SOL_SOCKET, C.SO_MARK).readUInt32LE()).toBe(0xfedcba98);
});

test('options: structures are bytes, of any view', () => {
  using open = Socket.open('IPv4', 'stream');
  open.setsockopt(C.SOL_SOCKET, C.SO_LINGER, new Int32Array([1, 30]));
  expect([
    ...new Int32Array(Uint8Array.from(open.getsockopt(C.SOL_SOCKET, C.SO_LINGER)).buffer),
  ]).toEqual([1, 30]);
  open.setsockopt(C.SOL_SOCKET, C.SO_LINGER, new Int32Array([0, 0]).buffer);
  // Switched off, the seconds stay what they were.
  expect(open.getsockopt(C.SOL_SOCKET, C.SO_LINGER).readInt32LE()).toBe(0);
});

test('options: strings come at their length, cut to what is asked for', () => {
  using open = Socket.open('IPv4', 'stream');
  open.setsockopt(C.IPPROTO_TCP, C.TCP_CONGESTION, Buffer.from('reno'));
  const name = open.getsockopt(C.IPPROTO_TCP, C.TCP_CONGESTION);
  expect(name.toString().replace(/\0+$/, '')).toBe('reno');
  expect(open.getsockopt(C.IPPROTO_TCP, C.TCP_CONGESTION, 3).toString()).toBe('ren');
});

test('options: large structures come whole', async () => {
  using pair = await connectedSockets();
  const info = pair.a.getsockopt(C.IPPROTO_TCP, C.TCP_INFO, 1024);
  expect(info.length).toBeGreaterThan(100);
  expect(info.length).toBeLessThan(1024);
  expect(info[0]).toBe(1); // tcpi_state: TCP_ESTABLISHED
});

test("options: the caller's bytes are the kernel's input where it reads them, and stay as they are", () => {
  using open = Socket.open('IPv4', 'dgram');
  // SO_PEERCRED of an unconnected socket: the kernel fills in what it has, into a copy.
  const given = Buffer.alloc(12, 0x55);
  const answer = open.getsockopt(C.SOL_SOCKET, C.SO_PEERCRED, given);
  expect(answer).toHaveLength(12);
  expect(given).toEqual(Buffer.alloc(12, 0x55));
  expect(answer.equals(given)).toBe(false);
});

test('options: refusals are errors of their call', () => {
  using open = Socket.open('IPv4', 'stream');
  expect(thrown(() => open.getsockopt(C.SOL_SOCKET, 0x7fff))).toMatchObject({
    code: 'ENOPROTOOPT',
    syscall: 'getsockopt',
    message: 'getsockopt ENOPROTOOPT',
  });
  expect(thrown(() => open.setsockopt(C.IPPROTO_TCP, C.TCP_MAXSEG, 1))).toMatchObject({
    code: 'EINVAL',
    syscall: 'setsockopt',
  });
  expect(
    thrown(() => open.setsockopt(C.SOL_SOCKET, C.SO_KEEPALIVE, Buffer.alloc(1))),
  ).toMatchObject({ code: 'EINVAL' });
});

test('options: one that changes readiness wakes nobody too early and nobody too late', async () => {
  using pair = await connectedSockets();
  pair.b.setsockopt(C.SOL_SOCKET, C.SO_RCVLOWAT, 4);
  const readable = pair.b.ready({ read: true });
  await pair.a.send(Buffer.from('abc'));
  await turns();
  expect(await isPending(readable)).toBe(true);
  expect(pair.b.tryRecv(Buffer.alloc(1), { flags: C.MSG_PEEK })).toBe(1);
  pair.b.setsockopt(C.SOL_SOCKET, C.SO_RCVLOWAT, 1);
  // The kernel tells it (tcp_set_rcvlowat), or the next call finds out.
  expect(await pair.b.ready({ read: true })).toMatchObject({ read: true });
  expect(await pair.b.recv(Buffer.alloc(8))).toBe(3);
});

test('options: SO_RCVTIMEO and SO_SNDTIMEO do not make anything wait in the kernel', async () => {
  using pair = sockets();
  pair.a.setsockopt(C.SOL_SOCKET, C.SO_RCVTIMEO, new BigInt64Array([60n, 0n]));
  const waiting = rejection(pair.a.recv(Buffer.alloc(1), { timeout: 1 }));
  expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
});

test('options: of a closed socket there are none', () => {
  const open = Socket.open('IPv4', 'stream');
  open.close();
  expect(thrown(() => open.getsockopt(C.SOL_SOCKET, C.SO_TYPE))).toMatchObject({
    code: 'ERR_SOCKET_CLOSED',
    message: 'getsockopt: the socket is closed',
  });
  expect(thrown(() => open.setsockopt(C.SOL_SOCKET, C.SO_KEEPALIVE, 1))).toMatchObject({
    code: 'ERR_SOCKET_CLOSED',
  });
});
