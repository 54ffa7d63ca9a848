// Promise 14: ENOBUFS and EAGAIN are back-pressure, not errors, on sends.

import { constants as C, Socket } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection } from '../support/outcomes';
import { connectedSockets, fill as fillStream, receiveAll } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();
afterEach(() => {
  jest.restoreAllMocks();
});

const data = Buffer.from('x');
const room = Buffer.alloc(8);

function bound(): Socket {
  const open = Socket.open('unix', 'dgram');
  open.bind({ path: abstractName() });
  return open;
}

/** Sends until `to`'s queue is full (net.unix.max_dgram_qlen); how many went. */
function fill(from: Socket, to: Socket): number {
  let sent = 0;
  while (from.trySendto(data, to.getsockname()) !== null) sent++;
  return sent;
}

function drain(from: Socket): number {
  let received = 0;
  while (from.tryRecv(room) !== null) received++;
  return received;
}

type Sending = [string, (from: Socket, to: Socket) => Promise<number>];

const UNCONNECTED: Sending[] = [
  ['sendto', (from, to) => from.sendto(data, to.getsockname())],
  ['sendmsg', (from, to) => from.sendmsg({ data, to: to.getsockname() })],
  ['sendmmsg', (from, to) => from.sendmmsg([{ data, to: to.getsockname() }])],
];

const CONNECTED: Sending[] = [
  ['send', (from) => from.send(data)],
  ['sendmsg', (from) => from.sendmsg({ data })],
  ['sendmmsg', (from) => from.sendmmsg([{ data }])],
];

test.each(UNCONNECTED)(
  "promise 14: %s to a Unix datagram socket whose queue is full waits, though poll(2) says 'writable'",
  async (_name, send) => {
    using from = bound();
    using to = bound();
    // By somebody else: what is taken of one's own messages makes room in one's own buffer, which is an event.
    using stranger = bound();
    const full = fill(stranger, to);
    expect(full).toBeGreaterThan(0);
    expect(await from.ready({ write: true })).toMatchObject({ write: true });
    const waiting = send(from, to);
    await turns(20);
    expect(await isPending(waiting)).toBe(true);
    expect(drain(to)).toBe(full);
    expect(await waiting).toBe(1);
    expect(drain(to)).toBe(1);
  },
);

test.each(CONNECTED)(
  'promise 14: %s to the connected peer whose queue is full waits',
  async (_name, send) => {
    using from = bound();
    using to = bound();
    using stranger = bound();
    const full = fill(stranger, to);
    await from.connect(to.getsockname());
    const waiting = send(from, to);
    await turns(20);
    expect(await isPending(waiting)).toBe(true);
    expect(drain(to)).toBe(full);
    expect(await waiting).toBe(1);
    expect(drain(to)).toBe(1);
  },
);

test('promise 14: one full queue keeps nobody else waiting on another socket', async () => {
  using from = bound();
  using other = bound();
  using to = bound();
  using healthy = bound();
  fill(from, to);
  const waiting = rejection(from.sendto(data, to.getsockname()));
  expect(await other.sendto(data, healthy.getsockname())).toBe(1);
  from.close();
  expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});

test('promise 2: a send that gave up in front of a full queue has sent nothing', async () => {
  using from = bound();
  using to = bound();
  const full = fill(from, to);
  const controller = new AbortController();
  const aborted = rejection(from.sendto(data, to.getsockname(), { signal: controller.signal }));
  const late = rejection(from.sendto(data, to.getsockname(), { timeout: 3 }));
  expect(await late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
  controller.abort();
  expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
  await turns();
  expect(drain(to)).toBe(full);
  // And the one behind it goes as soon as it can.
  expect(await from.sendto(data, to.getsockname())).toBe(1);
});

test('promise 14: a peer that goes away ends the wait with its error', async () => {
  using from = bound();
  const to = bound();
  fill(from, to);
  const waiting = rejection(from.sendto(data, to.getsockname()));
  await turns(2);
  to.close();
  expect(await waiting).toMatchObject({ code: 'ECONNREFUSED', syscall: 'sendto' });
});

test('promise 14: ENOBUFS is waited out', async () => {
  using from = Socket.open('IPv4', 'dgram');
  using to = Socket.open('IPv4', 'dgram');
  to.bind({ address: '127.0.0.1', port: 0 });
  // The loopback has no device queue that could be full: the answer is put into the kernel's mouth.
  const sendto = jest.spyOn(binding, 'sendto');
  for (let i = 0; i < 3; i++) sendto.mockReturnValueOnce(-C.ENOBUFS);
  expect(await from.sendto(data, to.getsockname())).toBe(1);
  expect(sendto).toHaveBeenCalledTimes(4);
  expect(drain(to)).toBe(1);
  sendto.mockReturnValue(-C.ENOBUFS);
  expect(await rejection(from.sendto(data, to.getsockname(), { timeout: 5 }))).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
  });
  expect(drain(to)).toBe(0);
});

test('promise 14: a stream whose buffer is full lets its writers go on in their order', async () => {
  using pair = await connectedSockets();
  const total = await fillStream(pair.a);
  const waiting = ['1', '2', '3'].map((text) => pair.a.send(Buffer.from(text)));
  await turns();
  for (const promise of waiting) expect(await isPending(promise)).toBe(true);
  const draining = receiveAll(pair.b, total);
  await Promise.all(waiting);
  await draining;
  expect(String(await receiveAll(pair.b, 3))).toBe('123');
});
