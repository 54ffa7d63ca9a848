// Promise 1: every waiting call makes its system call at once and waits only after EAGAIN; readiness is a hint, and
// the call is made again after it.

import { constants as C, Socket } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { sockets, type SocketPair } from '../support/streams';
import { isPending, spin, turn, turns } from '../support/turns';

leavesNoSockets();
// A turn has a budget (promise 12), and tests that never wait would share one.
beforeEach(turn);
afterEach(() => {
  jest.restoreAllMocks();
});

const room = Buffer.alloc(8);
const data = Buffer.from('x');

describe('promise 1: the call is made before the method returns', () => {
  const RECEIVING: readonly [string, (socket: Socket) => Promise<unknown>][] = [
    ['recv', (socket) => socket.recv(room)],
    ['recvfrom', (socket) => socket.recvfrom(room)],
    ['recvmsg', (socket) => socket.recvmsg()],
    ['recvmsg, into', (socket) => socket.recvmsg({ into: room })],
    ['recvmmsg', (socket) => socket.recvmmsg(4)],
  ];

  test.each(RECEIVING)('%s', async (_name, receive) => {
    using pair = sockets('dgram');
    await pair.a.send(data);
    const receiving = receive(pair.b);
    expect(pair.b.tryRecv(room)).toBeNull();
    await receiving;
  });

  const SENDING: readonly [string, (socket: Socket) => Promise<unknown>][] = [
    ['send', (socket) => socket.send(data)],
    ['send, gathered', (socket) => socket.send([data, data])],
    ['sendmsg', (socket) => socket.sendmsg({ data })],
    ['sendmmsg', (socket) => socket.sendmmsg([{ data }])],
  ];

  test.each(SENDING)('%s', async (_name, send) => {
    using pair = sockets('dgram');
    const sending = send(pair.a);
    expect(pair.b.tryRecv(room)).toBeGreaterThan(0);
    await sending;
  });

  test('connect', async () => {
    using listener = Socket.open('unix', 'stream');
    listener.bind({ path: abstractName() });
    listener.listen();
    using client = Socket.open('unix', 'stream');
    const connecting = client.connect(listener.getsockname());
    using peer = listener.tryAccept()!;
    expect(peer).not.toBeNull();
    await connecting;
  });
});

test('promise 1: a call in a new turn of the loop is made at once, however long the last turn is ago', async () => {
  using pair = sockets('dgram');
  const late: number[] = [];
  for (let i = 0; i < 40; i++) {
    // The program does other things for a while, and the loop turns; no socket has an event.
    spin(1.5);
    await turn();
    const sending = pair.a.send(data);
    if (pair.b.tryRecv(room) === null) late.push(i);
    await sending;
    pair.b.tryRecv(room);
  }
  expect(late).toEqual([]);
});

test('promise 1: a call that the kernel has just refused is not made again before an event', async () => {
  using pair = sockets('dgram');
  const calls = jest.spyOn(binding, 'recv');
  const first = pair.a.recv(room);
  const second = pair.a.recv(room);
  await turns();
  expect(calls).toHaveBeenCalledTimes(1);
  expect(await isPending(first)).toBe(true);
  await pair.b.send(data);
  expect(await first).toBe(1);
  await pair.b.send(data);
  expect(await second).toBe(1);
});

test('promise 1: readiness that was wrong costs a call, and the wait goes on', async () => {
  using pair = sockets('dgram');
  using other = pair.a.dup();
  const rooms = [Buffer.alloc(8), Buffer.alloc(8)] as const;
  const waiting = [pair.a.recv(rooms[0]), other.recv(rooms[1])];
  await turns(2);
  const calls = jest.spyOn(binding, 'recv');
  // The event is for both; the message for the first who asks.
  await pair.b.send(Buffer.from('one'));
  await turns();
  expect(calls.mock.results.map(({ value }) => value as number).sort()).toEqual([-C.EAGAIN, 3]);
  const pending = await Promise.all(waiting.map(isPending));
  expect(pending.filter(Boolean)).toHaveLength(1);
  await pair.b.send(Buffer.from('three'));
  expect((await Promise.all(waiting)).sort()).toEqual([3, 5]);
});

test('promise 1: calls wait in line: a later one does not overtake those that were refused', async () => {
  using pair = sockets('dgram');
  const rooms = [Buffer.alloc(1), Buffer.alloc(1), Buffer.alloc(1)];
  const first = pair.a.recv(rooms[0]);
  const second = pair.a.recv(rooms[1]);
  await turns(2);
  await pair.b.send(Buffer.from('1'));
  // It is there, and nobody has been woken yet.
  const third = pair.a.recv(rooms[2]);
  await pair.b.send(Buffer.from('2'));
  await pair.b.send(Buffer.from('3'));
  await Promise.all([first, second, third]);
  expect(rooms.map(String)).toEqual(['1', '2', '3']);
});

describe('promise 1: what is still there is found, though its event was used up', () => {
  // Another one waits all the while, so that the poller stays armed and the event comes when nobody reads.
  async function used<T>(
    type: 'stream' | 'dgram',
    act: (pair: SocketPair) => Promise<T>,
  ): Promise<T> {
    using pair = sockets(type);
    const watching = pair.b.ready({ priority: true }).catch(() => undefined);
    await turns(2);
    await pair.a.send(Buffer.from('one'));
    await pair.a.send(Buffer.from('three'));
    await turns(3);
    const result = await act(pair);
    pair.b.close();
    await watching;
    return result;
  }

  const patience = { timeout: 2000 };

  test('a message that was shorter than the room for it says nothing of the next one', async () => {
    expect(
      await used('dgram', async ({ b }) => [await b.recv(room), await b.recv(room, patience)]),
    ).toEqual([3, 5]);
  });

  test('neither does one by recvfrom, recvmsg or recvmmsg', async () => {
    for (const receive of [
      ({ b }: SocketPair) => b.recvfrom(room),
      ({ b }: SocketPair) => b.recvmsg(),
      ({ b }: SocketPair) => b.recvmsg({ into: room }),
      ({ b }: SocketPair) => b.recvmmsg(1),
    ])
      expect(
        await used('dgram', async (pair) => {
          await receive(pair);
          return pair.b.recv(room, patience);
        }),
      ).toBe(5);
  });

  test.each(['stream', 'dgram'] as const)('a look at a %s takes nothing', async (type) => {
    const big = Buffer.alloc(64);
    const flags = C.MSG_PEEK;
    expect(
      await used(type, async ({ b }) => [
        await b.recv(big, { flags }),
        await b.recv(big, { flags, ...patience }),
        await b.recv(big, patience),
      ]),
    ).toEqual(type === 'stream' ? [8, 8, 8] : [3, 3, 3]);
  });
});
