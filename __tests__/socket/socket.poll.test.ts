// poll(): poll(2) over many sockets as one promise.

import { constants as C, poll, Socket, type PollResult } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, sockets } from '../support/streams';
import { isPending, turn, turns } from '../support/turns';

leavesNoSockets();

const QUIET = { read: false, write: false, priority: false, error: false, hangup: false };
const fails = (code: string) => expect.objectContaining({ code }) as Error;

test('poll: all those that are ready come, in their order, and the others do not', async () => {
  using first = sockets();
  using second = sockets();
  using third = sockets('dgram');
  await first.b.send(Buffer.from('x'));
  await third.b.send(Buffer.alloc(0));
  expect(
    await poll([
      { socket: third.a, read: true },
      { socket: second.a, read: true },
      { socket: first.a, read: true, priority: true },
      { socket: second.b, read: true, write: true },
    ]),
  ).toEqual([
    { ...QUIET, socket: third.a, read: true },
    { ...QUIET, socket: first.a, read: true },
    { ...QUIET, socket: second.b, write: true },
  ]);
});

test('poll: level-triggered: what is still there is told again', async () => {
  using pair = sockets();
  const { a, b } = pair;
  await b.send(Buffer.from('xy'));
  for (let i = 0; i < 3; i++) {
    expect(await poll([{ socket: a, read: true }])).toEqual([{ ...QUIET, socket: a, read: true }]);
  }
  a.tryRecv(Buffer.alloc(2));
  expect(await rejection(poll([{ socket: a, read: true }], { timeout: 5 }))).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
  });
});

test('poll: waits for the first news, and takes along what came with it', async () => {
  using first = sockets();
  using second = sockets();
  using third = sockets();
  const polled = [first, second, third].map(({ a }) => ({ socket: a, read: true }));
  const polling = poll(polled);
  await turns();
  expect(await isPending(polling)).toBe(true);
  third.b.trySend(Buffer.from('x'));
  first.b.trySend(Buffer.from('x'));
  expect((await polling).map(({ socket }) => socket)).toEqual([first.a, third.a]);
});

test('poll: the same socket twice, each for what it was asked', async () => {
  using pair = sockets();
  const { a, b } = pair;
  await b.send(Buffer.from('x'));
  const [reading, writing] = await poll([
    { socket: a, read: true },
    { socket: a, write: true },
  ]);
  expect(reading).toEqual({ ...QUIET, socket: a, read: true });
  expect(writing).toEqual({ ...QUIET, socket: a, write: true });
});

test('poll: hang-ups and errors are told unasked, urgent data where asked', async () => {
  using tcp = await connectedSockets();
  using pair = sockets();
  pair.b.close();
  const [gone] = await poll([
    { socket: tcp.a, priority: true },
    { socket: pair.a, priority: true },
  ]);
  expect(gone).toEqual({ ...QUIET, socket: pair.a, hangup: true });
  await tcp.b.send(Buffer.from('!'), { flags: C.MSG_OOB });
  expect(await poll([{ socket: tcp.a, priority: true }])).toEqual([
    { ...QUIET, socket: tcp.a, priority: true },
  ]);
});

test('poll: abort and timeout leave nobody waiting on any of the sockets', async () => {
  using first = sockets();
  using second = sockets();
  const polled = [first.a, second.a].map((socket) => ({ socket, read: true }));
  const controller = new AbortController();
  const polling = poll(polled, { signal: controller.signal });
  await turn();
  controller.abort(new Error('planned'));
  expect(await rejection(polling)).toMatchObject({ code: 'ABORT_ERR' });
  expect((await rejection(poll(polled, { timeout: 1 }))).code).toBe('ERR_SOCKET_TIMEOUT');
  expect((await rejection(poll(polled, { signal: AbortSignal.abort() }))).code).toBe('ABORT_ERR');
  expect([first.a.state.waiting, second.a.state.waiting]).toEqual([0, 0]);
});

test('promise 4: closing one of many ends the poll, and nothing waits on the others', async () => {
  using first = sockets();
  using second = sockets();
  const polling = poll([first.a, second.a].map((socket) => ({ socket, read: true })));
  await turn();
  second.a.close();
  expect(await rejection(polling)).toMatchObject({
    code: 'ERR_SOCKET_CLOSED',
    message: /^poll/ as never,
  });
  expect(first.a.state.waiting).toBe(0);
  expect((await rejection(poll([{ socket: second.a, read: true }]))).code).toBe(
    'ERR_SOCKET_CLOSED',
  );
});

test('poll: a reader beside it gets its bytes all the same', async () => {
  using pair = sockets();
  const { a, b } = pair;
  const room = Buffer.alloc(4);
  const polling = poll([{ socket: a, read: true }]);
  const reading = a.recv(room);
  await b.send(Buffer.from('x'));
  expect(await polling).toEqual([{ ...QUIET, socket: a, read: true }]);
  expect(await reading).toBe(1);
});

test('poll: of unreferenced sockets it keeps no process alive', async () => {
  using pair = sockets();
  pair.a.unref();
  const controller = new AbortController();
  const polling = poll([{ socket: pair.a, read: true }], { signal: controller.signal });
  await turn();
  expect(pair.a.state.referenced).toBe(false);
  controller.abort();
  await rejection(polling);
});

test('poll: misuse throws at once, and names what is wrong', () => {
  using pair = sockets();
  const { a } = pair;
  expect(thrown(() => poll(undefined as never))).toEqual(fails('ERR_INVALID_ARG_TYPE'));
  expect(thrown(() => poll([]))).toEqual(fails('ERR_INVALID_ARG_VALUE'));
  expect(thrown(() => poll([null as never])).message).toContain('"sockets[0]"');
  expect(thrown(() => poll([{ socket: {} as never, read: true }])).message).toContain(
    '"sockets[0].socket"',
  );
  expect(thrown(() => poll([{ socket: a, read: true }, { socket: a }])).message).toContain(
    '"sockets[1]"',
  );
  expect(thrown(() => poll([{ socket: a, read: true }], { timeout: -1 }))).toEqual(
    fails('ERR_OUT_OF_RANGE'),
  );
});

describe('poll: 10,000 sockets', () => {
  const COUNT = 10_000;
  let all: Socket[] = [];

  beforeAll(() => {
    all = Array.from({ length: COUNT }, () => {
      const socket = Socket.open('IPv4', 'dgram');
      // Of an address of their own: on 127.0.0.1 they would get what other tests send to ports that are closed.
      socket.bind({ address: '127.0.0.78', port: 0 });
      return socket;
    });
  });
  afterAll(() => {
    for (const socket of all) socket.close();
  });

  test('the ones with news are found among them, and the loop goes on meanwhile', async () => {
    using sender = Socket.open('IPv4', 'dgram');
    const polled = all.map((socket) => ({ socket, read: true }));
    const numbers = (ready: PollResult[]): number[] =>
      ready.map(({ socket }) => all.indexOf(socket));
    const polling = poll(polled);
    await turns(3);
    expect(await isPending(polling)).toBe(true);
    sender.trySendto(Buffer.from('x'), all[9_999].getsockname());
    expect(numbers(await polling)).toEqual([9_999]);
    sender.trySendto(Buffer.from('x'), all[5].getsockname());
    expect(numbers(await poll(polled))).toEqual([5, 9_999]);
    expect(all.every(({ state }) => state.waiting === 0)).toBe(true);
  });
});
