// sendfile(2) and splice(2): all of it, in order, under back-pressure; and what a failure leaves behind.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readlinkSync, readSync, writeFileSync } from 'node:fs';
import { constants as C, Socket, StreamSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { temporaryFolder } from '../support/names';
import { rejection, thrown, type Failure } from '../support/outcomes';
import { connectedSockets, receiveAll, sockets, type SocketPair } from '../support/streams';
import { isPending, turn, turns, until } from '../support/turns';

leavesNoSockets();
const place = temporaryFolder();

const SIZE = 5_000_000;
const content = randomBytes(SIZE);
let file = -1;
beforeAll(() => {
  const path = place('content');
  writeFileSync(path, content);
  file = openSync(path, 'r');
});
afterAll(() => closeSync(file));

/** The pipes that this process has open. */
function pipes(): number {
  const names = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return names.filter((name) => name.startsWith('pipe:')).length;
}

/** Until nothing more goes out of it. */
async function standsStill(target: Socket): Promise<void> {
  for (let written = -1; target.state.bytesWritten !== written;) {
    written = target.state.bytesWritten;
    await turns(20);
  }
}

const KINDS: [name: string, make: () => SocketPair | Promise<SocketPair>][] = [
  ['TCP', connectedSockets],
  ['Unix', () => sockets('stream')],
];

async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const room = Buffer.alloc(1 << 16);
  for (;;) {
    const length = await socket.recv(room);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(Buffer.from(room.subarray(0, length)));
  }
}

describe.each(KINDS)('sendfile to %s', (_name, make) => {
  test('sendfile: the whole file arrives, however slowly it is read', async () => {
    using pair = await make();
    const { a, b } = pair;
    const sending = a.sendfile(file, { offset: 0 });
    await turns(3);
    expect(await isPending(sending)).toBe(true);
    const received = await receiveAll(b, SIZE);
    expect(await sending).toBe(SIZE);
    expect(received.equals(content)).toBe(true);
  });

  test('sendfile: a part of it; a length beyond its end ends there', async () => {
    using pair = await make();
    const { a, b } = pair;
    expect(await a.sendfile(file, { offset: 1000, length: 10 })).toBe(10);
    expect(await a.sendfile(file, { offset: SIZE - 5, length: 10 })).toBe(5);
    expect(await a.sendfile(file, { offset: SIZE + 5 })).toBe(0);
    expect(await a.sendfile(file, { offset: 7, length: 0 })).toBe(0);
    const expected = Buffer.concat([content.subarray(1000, 1010), content.subarray(SIZE - 5)]);
    expect((await receiveAll(b, 15)).equals(expected)).toBe(true);
  });

  test('sendfile: without an offset it begins at the position, and moves it', async () => {
    using pair = await make();
    const own = openSync(place('content'), 'r');
    try {
      readSync(own, Buffer.alloc(100));
      expect(await pair.a.sendfile(own, { length: 50 })).toBe(50);
      expect((await receiveAll(pair.b, 50)).equals(content.subarray(100, 150))).toBe(true);
      const next = Buffer.alloc(10);
      readSync(own, next);
      expect(next.equals(content.subarray(150, 160))).toBe(true);
    } finally {
      closeSync(own);
    }
  });

  test('promise 6: writes of others come before it or behind it, not in between', async () => {
    using pair = await make();
    const { a, b } = pair;
    const stream = new StreamSocket(a);
    const all = Promise.all([
      stream.write('before'),
      a.sendfile(file, { offset: 0 }),
      stream.write('behind'),
    ]);
    const received = await receiveAll(b, SIZE + 12);
    await all;
    expect(received.toString('latin1', 0, 6)).toBe('before');
    expect(received.toString('latin1', SIZE + 6)).toBe('behind');
    expect(received.subarray(6, SIZE + 6).equals(content)).toBe(true);
    expect(stream.bytesWritten).toBe(SIZE + 12);
  });

  test.each([
    ['a signal', 'ABORT_ERR'],
    ['a timeout', 'ERR_SOCKET_TIMEOUT'],
    ['the peer’s end', 'EPIPE'],
    ['close', 'ERR_SOCKET_CLOSED'],
  ])('promise 2: ended by %s, it says how far it came', async (how, code) => {
    using pair = await make();
    const { a, b } = pair;
    const controller = new AbortController();
    const limits = how === 'a timeout' ? { timeout: 5 } : { signal: controller.signal };
    const sending = rejection(a.sendfile(file, { offset: 0, ...limits }));
    await turns(3);
    if (how === 'a signal') controller.abort();
    if (how === 'close') a.close();
    if (how === 'the peer’s end') b.close();
    const error = await sending;
    // TCP resets a connection that is closed on unread bytes.
    if (how === 'the peer’s end') expect(['EPIPE', 'ECONNRESET']).toContain(error.code);
    else expect(error.code).toBe(code);
    const sent = error.bytesTransferred!;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(SIZE);
    if (how === 'the peer’s end') return;
    a.close();
    expect((await rest(b)).equals(content.subarray(0, sent))).toBe(true);
  });
});

test('promise 12: while a peer takes all that comes, timers have their turn', async () => {
  using pair = sockets();
  const { a, b } = pair;
  const zeros = openSync('/dev/zero', 'r');
  try {
    const sending = rejection(a.sendfile(zeros, { offset: 0 }));
    const drained = rest(b);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    a.close();
    const { bytesTransferred } = await sending;
    expect((await drained).length).toBe(bytesTransferred);
  } finally {
    closeSync(zeros);
  }
});

test('sendfile: what is no file is the kernel’s to refuse', async () => {
  using pair = sockets();
  const { a, b } = pair;
  const folder = openSync(place(''), 'r');
  try {
    const codes = [];
    for (const fd of [b.fd, folder, 0x7fffffff]) codes.push((await rejection(a.sendfile(fd))).code);
    expect(codes).toEqual(['EINVAL', 'EINVAL', 'EBADF']);
  } finally {
    closeSync(folder);
  }
  using open = Socket.open('IPv4', 'stream');
  expect(await rejection(open.sendfile(file))).toMatchObject({
    code: 'EPIPE',
    syscall: 'sendfile',
  });
});

test('sendfile, splice: misuse throws at once, and names what is wrong', () => {
  using pair = sockets();
  const { a, b } = pair;
  expect(thrown(() => a.sendfile('x' as never)).message).toContain('"file"');
  expect(thrown(() => a.sendfile(-1)).message).toContain('"file"');
  expect(thrown(() => a.sendfile(0, { offset: -1 })).message).toContain('"options.offset"');
  expect(thrown(() => a.sendfile(0, { length: 1.5 })).message).toContain('"options.length"');
  expect(thrown(() => a.sendfile(0, { length: 2 ** 60 })).message).toContain('"options.length"');
  expect(thrown(() => a.splice({} as never)).message).toContain('"to"');
  expect(thrown(() => a.splice(b, { length: -1 })).message).toContain('"options.length"');
  expect(thrown(() => a.splice(b, { timeout: 'x' as never })).message).toContain(
    '"options.timeout"',
  );
});

/** from ⇒ source → (splice) → target ⇒ to */
interface Chain extends Disposable {
  from: Socket;
  source: Socket;
  target: Socket;
  to: Socket;
}

async function chain(
  first: () => SocketPair | Promise<SocketPair>,
  second: () => SocketPair | Promise<SocketPair>,
): Promise<Chain> {
  const [one, two] = [await first(), await second()];
  return {
    from: one.a,
    source: one.b,
    target: two.a,
    to: two.b,
    [Symbol.dispose](): void {
      one[Symbol.dispose]();
      two[Symbol.dispose]();
    },
  };
}

const CHAINS = KINDS.flatMap(([from, first]) =>
  KINDS.map(([to, second]) => [`${from} to ${to}`, () => chain(first, second)] as const),
);

describe.each(CHAINS)('splice from %s', (_name, make) => {
  let before = 0;
  beforeEach(() => (before = pipes()));
  afterEach(() => expect(pipes()).toBe(before));

  test('splice: all of a stream, to its end', async () => {
    using all = await make();
    const { from, source, target, to } = all;
    const splicing = source.splice(target);
    const writer = new StreamSocket(from);
    const written = writer.write(content).then(() => writer.end());
    const received = await receiveAll(to, SIZE);
    await written;
    expect(await splicing).toBe(SIZE);
    expect(received.equals(content)).toBe(true);
    expect([source.state.bytesRead, target.state.bytesWritten]).toEqual([SIZE, SIZE]);
    // The target is not ended: that is the caller's to do.
    expect(to.tryRecv(Buffer.alloc(1))).toBeNull();
  });

  test('splice: what it left behind it is read to the end', async () => {
    using all = await make();
    const { from, source, target, to } = all;
    const writer = new StreamSocket(from);
    const splicing = source.splice(target, { length: 3_000_000 });
    const behind = rest(source);
    const written = writer.write(content).then(() => writer.end());
    const received = await receiveAll(to, 3_000_000);
    expect(await splicing).toBe(3_000_000);
    expect(Buffer.concat([received, await behind]).equals(content)).toBe(true);
    await written;
  });

  test('promise 6: writes and reads of others stand behind it', async () => {
    using all = await make();
    const { from, source, target, to } = all;
    const writer = new StreamSocket(target);
    const order = Promise.all([
      writer.write('before '),
      source.splice(target, { length: 6 }),
      writer.write(' behind'),
      source.splice(target, { length: 1 }),
    ]);
    const reading = source.recv(Buffer.alloc(10));
    for (const letter of 'middle!+') {
      await turn();
      await from.send(Buffer.from(letter));
    }
    expect(await order).toEqual([undefined, 6, undefined, 1]);
    expect((await receiveAll(to, 21)).toString()).toBe('before middle behind!');
    expect(await reading).toBe(1);
  });

  test.each([
    'a signal',
    'a timeout',
    'close of the source',
    'close of the target',
    'the peer’s end',
  ])('promise 2: ended by %s, no byte is lost', async (how) => {
    using all = await make();
    const { from, source, target, to } = all;
    const controller = new AbortController();
    const limits = how === 'a timeout' ? { timeout: 20 } : { signal: controller.signal };
    // Buffers that the whole of it does not fit into, so that it stands still with a full pipe.
    target.setsockopt(C.SOL_SOCKET, C.SO_SNDBUF, 100_000);
    to.setsockopt(C.SOL_SOCKET, C.SO_RCVBUF, 100_000);
    const splicing = rejection(source.splice(target, limits));
    const writing = new StreamSocket(from).write(content).catch((error: Failure) => error);
    await standsStill(target);
    if (how === 'a signal') controller.abort();
    if (how === 'close of the source') source.close();
    if (how === 'close of the target') target.close();
    if (how === 'the peer’s end') to.close();
    const error = await splicing;
    const code = {
      'a signal': 'ABORT_ERR',
      'a timeout': 'ERR_SOCKET_TIMEOUT',
      'the peer’s end': error.code === 'ECONNRESET' ? 'ECONNRESET' : 'EPIPE',
    }[how];
    expect(error.code).toBe(code ?? 'ERR_SOCKET_CLOSED');
    const delivered = error.bytesTransferred!;
    expect(delivered).toBeGreaterThan(0);
    const inPipe = error.data!;
    expect(inPipe.length).toBeGreaterThan(0);
    const upTo = delivered + inPipe.length;
    expect(inPipe.equals(content.subarray(delivered, upTo))).toBe(true);
    if (how !== 'the peer’s end') {
      target.close();
      expect((await rest(to)).equals(content.subarray(0, delivered))).toBe(true);
    }
    if (!source.closed) {
      const next = await receiveAll(source, SIZE - upTo);
      expect(next.equals(content.subarray(upTo))).toBe(true);
      expect(await writing).toBeUndefined();
    }
  });
});

test('splice: a stream into itself is an echo', async () => {
  using pair = sockets();
  const { a, b } = pair;
  const splicing = b.splice(b);
  const echoed = receiveAll(a, SIZE);
  await new StreamSocket(a).write(content);
  expect((await echoed).equals(content)).toBe(true);
  a.shutdown('write');
  expect(await splicing).toBe(SIZE);
});

test('splice: both ways between two connections, at once', async () => {
  using all = await chain(() => sockets(), connectedSockets);
  const { from, source, target, to } = all;
  const there = source.splice(target).then(() => target.shutdown('write'));
  const back = target.splice(source).then(() => source.shutdown('write'));
  const ends = [from, to].map(async (socket) => {
    const received = rest(socket);
    await new StreamSocket(socket).write(content);
    socket.shutdown('write');
    expect((await received).equals(content)).toBe(true);
  });
  await Promise.all([there, back, ...ends]);
});

test('splice: what knows no splice is the kernel’s to refuse', async () => {
  using streams = sockets();
  using listener = Socket.open('IPv4', 'stream');
  listener.bind({ address: '127.0.0.1', port: 0 });
  expect(await rejection(listener.splice(streams.a))).toMatchObject({
    code: 'ENOTCONN',
    syscall: 'splice',
    bytesTransferred: 0,
  });
  expect(await streams.a.splice(streams.b, { length: 0 })).toBe(0);
});

// copy_splice_read, since Linux 6.5; an empty one reads as the end.
test('splice: of datagrams, one behind the other, up to an empty one', async () => {
  using datagrams = sockets('dgram');
  using streams = sockets();
  for (const text of ['one', 'two', '', 'three']) await datagrams.a.send(Buffer.from(text));
  expect(await datagrams.b.splice(streams.a)).toBe(6);
  expect((await receiveAll(streams.b, 6)).toString()).toBe('onetwo');
});

test('splice: nothing waits on either socket after it', async () => {
  using all = await chain(
    () => sockets(),
    () => sockets(),
  );
  const { source, target } = all;
  const controller = new AbortController();
  const splicing = source.splice(target, { signal: controller.signal });
  await turns();
  expect([source.state.waiting, target.state.waiting]).toEqual([1, 1]);
  controller.abort();
  await rejection(splicing);
  expect([source.state.waiting, target.state.waiting]).toEqual([0, 0]);
});

test('splice: given up on a full target, it has not forgotten that the end stands behind the bytes', async () => {
  using all = await chain(
    () => sockets(),
    () => sockets(),
  );
  const { from, source, target } = all;
  while (target.trySend(Buffer.alloc(100_000)) !== null);
  const controller = new AbortController();
  const splicing = rejection(source.splice(target, { length: 10, signal: controller.signal }));
  await turns();
  // One event for bytes and end, whose bytes the target refuses: the EAGAIN is not the source's.
  from.trySend(Buffer.from('ten bytes.and others'));
  from.shutdown('write');
  await until(() => source.state.bytesRead === 10);
  controller.abort();
  expect((await splicing).data!.toString()).toBe('ten bytes.');
  // No deadline, which would have it try again.
  const room = Buffer.alloc(100);
  expect(await source.recv(room)).toBe(10);
  expect(await source.recv(room)).toBe(0);
});
