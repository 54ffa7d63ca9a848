// Promise 9: errors reach both directions; SO_ERROR is read by connect's completion alone.

import { constants as C, Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { connectedSockets, fill, sockets } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const data = Buffer.from('x');
const room = Buffer.alloc(8);

function reset(socket: Socket): void {
  socket.setsockopt(C.SOL_SOCKET, C.SO_LINGER, new Int32Array([1, 0]));
  socket.close();
}

/** A UDP socket that is connected to a port which nobody has. */
async function orphan(family: 'IPv4' | 'IPv6' = 'IPv4'): Promise<Socket> {
  const open = Socket.open(family, 'dgram');
  using gone = Socket.open(family, 'dgram');
  gone.bind({ address: family === 'IPv4' ? '127.0.0.1' : '::1', port: 0 });
  await open.connect(gone.getsockname());
  return open;
}

test('promise 9: a reset wakes the reader and the writer', async () => {
  using pair = await connectedSockets();
  await fill(pair.a);
  const reading = rejection(pair.a.recv(room));
  const writing = rejection(pair.a.send(data));
  const watching = pair.a.ready({ priority: true });
  await turns(2);
  reset(pair.b);
  expect(await watching).toMatchObject({ hangup: true });
  // The error is the socket's and is given once, to the reader; the writer finds the pipe broken.
  expect(await reading).toMatchObject({
    code: 'ECONNRESET',
    errno: -C.ECONNRESET,
    syscall: 'recv',
    message: 'recv ECONNRESET',
  });
  expect(await writing).toMatchObject({ code: 'EPIPE', syscall: 'send' });
});

test('promise 9: a reset wakes a writer that waits alone', async () => {
  using pair = await connectedSockets();
  await fill(pair.a);
  const writing = rejection(pair.a.send(data));
  await turns(2);
  reset(pair.b);
  expect(await writing).toMatchObject({ code: 'ECONNRESET', syscall: 'send' });
});

test('promise 9: a peer that closes wakes a writer of a Unix stream', async () => {
  using pair = sockets();
  await fill(pair.a);
  const writing = rejection(pair.a.send(data));
  await turns(2);
  pair.b.close();
  expect(['EPIPE', 'ECONNRESET']).toContain((await writing).code);
});

test('promise 9: a reset that nobody waited for is told to the next call', async () => {
  using pair = await connectedSockets();
  await pair.a.send(data);
  await pair.b.ready({ read: true });
  reset(pair.b);
  await pair.a.ready({ read: true });
  expect(await rejection(pair.a.recv(room))).toMatchObject({ code: 'ECONNRESET' });
  expect(await pair.a.recv(room)).toBe(0);
  expect(await rejection(pair.a.send(data))).toMatchObject({ code: 'EPIPE' });
});

const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);
for (const [it, family] of [
  [test, 'IPv4'],
  [ipv6, 'IPv6'],
] as const) {
  it(`promise 9: an ICMP refusal reaches a receive that waits, ${family}`, async () => {
    using open = await orphan(family);
    const receiving = rejection(open.recv(room));
    await turns(2);
    await open.send(data);
    expect(await receiving).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recv' });
    // It was given once; the socket is as good as before.
    expect(open.tryRecv(room)).toBeNull();
  });
}

test('promise 9: an ICMP refusal reaches the next send where nobody receives', async () => {
  using open = await orphan();
  await open.send(data);
  await turns();
  expect(await rejection(open.send(data))).toMatchObject({ code: 'ECONNREFUSED', syscall: 'send' });
  expect(await open.send(data)).toBe(1);
});

test('promise 9: all kinds of receiving are told', async () => {
  for (const receive of [
    (open: Socket) => open.recv(room),
    (open: Socket) => open.recvfrom(room),
    (open: Socket) => open.recvmsg(),
    (open: Socket) => open.recvmsg({ into: room }),
    (open: Socket) => open.recvmmsg(4),
  ]) {
    using open = await orphan();
    const receiving = rejection(receive(open));
    await turns(2);
    await open.send(data);
    expect(await receiving).toMatchObject({ code: 'ECONNREFUSED' });
  }
});

test('promise 9: an unconnected socket hears nothing of refusals', async () => {
  using open = Socket.open('IPv4', 'dgram');
  open.bind({ address: '127.0.0.1', port: 0 });
  using gone = Socket.open('IPv4', 'dgram');
  gone.bind({ address: '127.0.0.1', port: 0 });
  const nobody = gone.getsockname();
  gone.close();
  const receiving = open.recv(room);
  await open.sendto(data, nobody);
  await turns();
  expect(await isPending(receiving)).toBe(true);
  await open.sendto(data, nobody);
  await open.sendto(data, open.getsockname());
  expect(await receiving).toBe(1);
});

test('promise 9: SO_ERROR is left to whoever asks for it', async () => {
  using open = await orphan();
  const watching = open.ready({ priority: true });
  await open.send(data);
  expect(await watching).toMatchObject({ error: true });
  await turns();
  expect(open.getsockopt(C.SOL_SOCKET, C.SO_ERROR).readInt32LE()).toBe(C.ECONNREFUSED);
  expect(open.tryRecv(room)).toBeNull();
});
