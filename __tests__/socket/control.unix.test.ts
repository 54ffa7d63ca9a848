// Control messages of Unix sockets: descriptors, credentials, pidfds, on every kind and every path; and that
// no descriptor is left where nobody took it.

import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import {
  constants as C,
  OwnedFd,
  Socket,
  socketpair,
  type Control,
  type Message,
  type OutgoingControl,
} from '../../lib/index';
import { flagsOf, leavesNoSockets, nameOf } from '../support/descriptors';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { turns } from '../support/turns';
import { ROOM, WAYS } from '../support/ways';

leavesNoSockets();

const O_CLOEXEC = 0o2000000;
/** SO_PASSPIDFD, Linux 6.5: in no header yet. */
const PASSPIDFD = 76;
const TYPES = ['stream', 'dgram', 'seqpacket'] as const;
const ROOT = process.getuid!() === 0;

function works(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

const HAS_PIDFD = works(() => {
  const [a, b] = socketpair('dgram');
  using first = a;
  using second = b;
  second.setsockopt(C.SOL_SOCKET, PASSPIDFD, true);
  first.close();
});

/** How many descriptors this process has; the poller is opened when first something waits. */
const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => !nameOf(fd).includes('eventpoll')).length;

interface Pair extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
}

function pairOf(type: (typeof TYPES)[number]): Pair {
  const [a, b] = socketpair(type);
  return {
    a,
    b,
    [Symbol.dispose]: () => [a, b].forEach((socket) => socket.close()),
  };
}

function rightsOf(message: { control: readonly Control[] }): OwnedFd[] {
  const [part] = message.control;
  if (part?.kind !== 'rights') throw new Error(`no rights, but ${part?.kind}`);
  return part.fds;
}

function closeAll(message: Message): void {
  for (const fd of rightsOf(message)) fd.close();
}

const data = Buffer.from('x');
const rights = (...fds: (number | Socket | OwnedFd)[]): OutgoingControl[] => [
  { kind: 'rights', fds },
];

describe.each(TYPES)('%s', (type) => {
  describe.each(WAYS)('%s', (_, send, receive) => {
    test('a descriptor arrives, close-on-exec, and is the same file', async () => {
      using pair = pairOf(type);
      const file = openSync('/dev/null', 'r');
      const before = descriptors();
      await send(pair.a, { data, control: rights(file) });
      const message = await receive(pair.b);
      expect(message).toMatchObject({ length: 1, controlTruncated: false });
      const [fd] = rightsOf(message);
      expect(fd).toBeInstanceOf(OwnedFd);
      expect(nameOf(fd.fd)).toBe('/dev/null');
      expect(flagsOf(fd.fd) & O_CLOEXEC).toBe(O_CLOEXEC);
      expect(fd.fd).not.toBe(file);
      expect(descriptors()).toBe(before + 1);
      fd.close();
      fd.close();
      expect(fd.fd).toBe(-1);
      expect(descriptors()).toBe(before);
      closeSync(file);
    });

    test('253 descriptors in one message', async () => {
      using pair = pairOf(type);
      const before = descriptors();
      await send(pair.a, { data, control: rights(...Array(253).fill(pair.a)) });
      const message = await receive(pair.b);
      expect(rightsOf(message)).toHaveLength(253);
      expect(new Set(rightsOf(message).map(({ fd }) => nameOf(fd)))).toEqual(
        new Set([nameOf(pair.a.fd)]),
      );
      expect(descriptors()).toBe(before + 253);
      closeAll(message);
      expect(descriptors()).toBe(before);
    });

    test('descriptors beyond the room for them: closed, and the receive rejects', async () => {
      using pair = pairOf(type);
      const before = descriptors();
      await send(pair.a, { data, control: rights(pair.a, pair.a, pair.a, pair.a, pair.a) });
      // Room for two of the five.
      const error = await rejection(receive(pair.b, 24));
      expect(error).toMatchObject({ code: 'ERR_CONTROL_TRUNCATED', bytesTransferred: 1 });
      expect(descriptors()).toBe(before);
      await send(pair.a, { data: Buffer.from('next') });
      expect((await receive(pair.b)).data.toString()).toBe('next');
    });

    test('credentials', async () => {
      using pair = pairOf(type);
      pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
      const mine = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };
      await send(pair.a, { data });
      expect((await receive(pair.b)).control).toEqual([{ kind: 'credentials', ...mine }]);
      await send(pair.a, { data, control: [{ kind: 'credentials', ...mine }] });
      expect((await receive(pair.b)).control).toEqual([{ kind: 'credentials', ...mine }]);
    });

    needs('root', ROOT)('credentials of others, which root may send', async () => {
      using pair = pairOf(type);
      pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
      const control = [
        { kind: 'credentials', pid: process.pid, uid: 4_294_967_290, gid: 7 } as const,
      ];
      await send(pair.a, { data, control });
      expect((await receive(pair.b)).control).toEqual(control);
    });

    needs('SO_PASSPIDFD (Linux 6.5)', HAS_PIDFD)('pidfd', async () => {
      using pair = pairOf(type);
      pair.b.setsockopt(C.SOL_SOCKET, PASSPIDFD, true);
      const before = descriptors();
      await send(pair.a, { data });
      const message = await receive(pair.b);
      const [part] = message.control;
      if (part.kind !== 'pidfd') throw new Error(part.kind);
      const info = readFileSync(`/proc/self/fdinfo/${part.fd.fd}`, 'utf8');
      expect(/^Pid:\s*(\d+)$/m.exec(info)?.[1]).toBe(String(process.pid));
      expect(flagsOf(part.fd.fd) & O_CLOEXEC).toBe(O_CLOEXEC);
      part.fd.close();
      expect(descriptors()).toBe(before);
    });

    test('descriptors and credentials together', async () => {
      using pair = pairOf(type);
      pair.b.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
      const mine = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };
      const control = [...rights(pair.a, 0), { kind: 'credentials', ...mine } as const];
      await send(pair.a, { data, control });
      const message = await receive(pair.b);
      expect(message.control.map(({ kind }) => kind)).toEqual(['credentials', 'rights']);
      for (const part of message.control)
        if (part.kind === 'rights') part.fds.forEach((fd) => fd.close());
    });

    test('EBADF for a descriptor that is not open', async () => {
      using pair = pairOf(type);
      for (const closed of [9999, { fd: 9999 }]) {
        const control = [{ kind: 'rights', fds: [closed] } as const];
        const sending = Promise.resolve().then(() => send(pair.a, { data, control }));
        expect(await rejection(sending)).toMatchObject({ code: 'EBADF' });
      }
    });

    test('a socket that is closed already names itself', async () => {
      using pair = pairOf(type);
      const control = [{ kind: 'rights', fds: [0, closedSocket()] } as const];
      const sending = Promise.resolve().then(() => send(pair.a, { data, control }));
      expect(await rejection(sending)).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringMatching(/control\[0\]\.fds\[1\]" property must be open/) as string,
      });
    });
  });

  test('who has not asked for descriptors gets none, and none stays open', async () => {
    using pair = pairOf(type);
    const before = descriptors();
    for (let i = 0; i < 3; i++) await pair.a.sendmsg({ data, control: rights(pair.a, pair.b) });
    const told = { controlTruncated: true, control: [] };
    expect(await pair.b.recvmsg({ size: 1 })).toMatchObject(told);
    expect(await pair.b.recvmsg({ into: Buffer.alloc(1) })).toMatchObject(told);
    expect(await pair.b.recvmmsg(4, { size: 1 })).toMatchObject([told]);
    for (let i = 0; i < 2; i++) await pair.a.sendmsg({ data, control: rights(pair.a, pair.b) });
    expect(await pair.b.recv(Buffer.alloc(1))).toBe(1);
    expect(await pair.b.recvfrom(Buffer.alloc(1))).toMatchObject({ bytes: 1 });
    expect(descriptors()).toBe(before);
  });

  test('a descriptor that is looked at first comes twice', async () => {
    using pair = pairOf(type);
    const before = descriptors();
    await pair.a.sendmsg({ data, control: rights(0) });
    const peeked = await pair.b.recvmsg({ flags: C.MSG_PEEK, controlSize: ROOM });
    const taken = await pair.b.recvmsg({ controlSize: ROOM });
    const [one, two] = [peeked, taken].map((message) => rightsOf(message)[0].fd);
    expect([nameOf(one), nameOf(two)]).toEqual([nameOf(0), nameOf(0)]);
    expect(descriptors()).toBe(before + 2);
    closeAll(peeked);
    closeAll(taken);
  });
});

function closedSocket(): Socket {
  const [a, b] = socketpair();
  a.close();
  b.close();
  return a;
}

describe('OwnedFd', () => {
  async function received(file: number): Promise<OwnedFd> {
    using pair = pairOf('dgram');
    await pair.a.sendmsg({ data, control: rights(file) });
    return rightsOf(await pair.b.recvmsg({ controlSize: ROOM }))[0];
  }

  test('take hands it over: whoever takes it closes it', async () => {
    const owned = await received(0);
    const { fd } = owned;
    const before = descriptors();
    expect(owned.take()).toBe(fd);
    expect(owned.fd).toBe(-1);
    owned.close();
    expect(descriptors()).toBe(before);
    expect(thrown(() => owned.take())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    closeSync(fd);
  });

  test('a socket that was received is a socket', async () => {
    const pair = socketpair();
    using other = pair[1];
    const owned = await received(pair[0].fd);
    pair[0].close();
    expect(thrown(() => Socket.fromFd(owned.fd))).toMatchObject({ code: 'EBUSY' });
    using adopted = Socket.fromFd(owned.take());
    await adopted.send(Buffer.from('through'));
    const room = Buffer.alloc(16);
    expect(room.toString('latin1', 0, await other.recv(room))).toBe('through');
  });

  test('using closes it', async () => {
    const before = descriptors();
    {
      using owned = await received(0);
      expect(descriptors()).toBe(before + 1);
      expect(owned.fd).toBeGreaterThan(2);
    }
    expect(descriptors()).toBe(before);
  });

  test('a pipe keeps its end', async () => {
    using pair = pairOf('dgram');
    const owned = await received(pair.a.fd);
    // A descriptor that was received may be sent on, from its owner.
    await pair.a.sendmsg({ data, control: rights(owned) });
    const [again] = rightsOf(await pair.b.recvmsg({ controlSize: ROOM }));
    expect(nameOf(again.fd)).toBe(nameOf(pair.a.fd));
    owned.close();
    again.close();
  });
});

test('a descriptor is its owner at the moment when the message goes', async () => {
  using pair = pairOf('seqpacket');
  // A full queue: the message with the descriptor waits.
  while (pair.a.trySend(data) !== null);
  const [kept, other] = socketpair();
  const number = kept.fd;
  const sending = pair.a.sendmsg({ data, control: rights(kept) });
  await turns(2);
  kept.close();
  other.close();
  const stranger = openSync('/dev/null', 'r');
  const error = rejection(sending);
  while (pair.b.tryRecvmsg() !== null);
  expect(await error).toMatchObject({ code: 'EBADF' });
  expect([stranger, stranger + 1, stranger - 1]).toContain(number);
  closeSync(stranger);
});

test('recvmmsg: one that has lost its descriptors fails the call, and the others are on the error', async () => {
  using pair = pairOf('dgram');
  const before = descriptors();
  await pair.a.sendmmsg([
    { data: Buffer.from('1'), control: rights(0) },
    { data: Buffer.from('2'), control: rights(0, 0, 0, 0, 0) },
    { data: Buffer.from('3') },
  ]);
  const error = (await rejection(pair.b.recvmmsg(8, { controlSize: 20 }))) as Error & {
    messages: Message[];
  };
  expect(error).toMatchObject({ code: 'ERR_CONTROL_TRUNCATED' });
  expect(error.messages.map((message) => message.data.toString())).toEqual(['1', '3']);
  expect(descriptors()).toBe(before + 1);
  closeAll(error.messages[0]);
  expect(descriptors()).toBe(before);
});

test('files, read and written through the descriptor that came', async () => {
  using pair = pairOf('stream');
  const file = openSync('/dev/zero', 'r+');
  await pair.a.sendmsg({ data, control: rights(file) });
  closeSync(file);
  using owned = rightsOf(await pair.b.recvmsg({ controlSize: ROOM }))[0];
  expect(fstatSync(owned.fd).isCharacterDevice()).toBe(true);
  const room = Buffer.alloc(4, 1);
  expect(readSync(owned.fd, room, 0, 4, null)).toBe(4);
  expect(room.equals(Buffer.alloc(4))).toBe(true);
  expect(writeSync(owned.fd, 'x')).toBe(1);
});

describe('bad input', () => {
  const bad: readonly (readonly [what: string, control: unknown, code: string, text: string])[] = [
    ['no array', {}, 'ERR_INVALID_ARG_TYPE', '"message.control" property must be an Array'],
    ['no object', [5], 'ERR_INVALID_ARG_TYPE', 'message.control[0]'],
    ['no kind', [{}], 'ERR_INVALID_ARG_VALUE', 'message.control[0].kind'],
    [
      'a kind of Object',
      [{ kind: 'toString' }],
      'ERR_INVALID_ARG_VALUE',
      'message.control[0].kind',
    ],
    ['one that comes only', [{ kind: 'drops', value: 1 }], 'ERR_INVALID_ARG_VALUE', '[0].kind'],
    ['a pidfd', [{ kind: 'pidfd', fd: 1 }], 'ERR_INVALID_ARG_VALUE', '[0].kind'],
    [
      'of IP',
      [{ kind: 'ttl', value: 1 }],
      'ERR_INVALID_ARG_VALUE',
      'one that this socket can send',
    ],
    ['no fds', [{ kind: 'rights' }], 'ERR_INVALID_ARG_TYPE', 'message.control[0].fds'],
    ['negative', [{ kind: 'rights', fds: [-1] }], 'ERR_OUT_OF_RANGE', 'message.control[0].fds[0]'],
    ['no fd', [{ kind: 'rights', fds: ['0'] }], 'ERR_INVALID_ARG_TYPE', '.fds[0]'],
    ['254', [{ kind: 'rights', fds: Array(254).fill(0) }], 'ERR_OUT_OF_RANGE', '.fds.length'],
    ['no pid', [{ kind: 'credentials', uid: 0, gid: 0 }], 'ERR_INVALID_ARG_TYPE', '[0].pid'],
    ['no data', [{ kind: 'raw', level: 1, type: 1 }], 'ERR_INVALID_ARG_TYPE', '[0].data'],
    [
      'a level of 33 bits',
      [{ kind: 'raw', level: 2 ** 32, type: 1 }],
      'ERR_INVALID_ARG_TYPE',
      '[0].level',
    ],
  ];

  test.each(bad)('%s', (_, control, code, text) => {
    using pair = pairOf('dgram');
    const message = { data, control: control as OutgoingControl[] };
    const error = thrown(() => pair.a.sendmsg(message));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(text);
    expect(thrown(() => pair.a.sendmmsg([message]))).toMatchObject({ code });
    expect(thrown(() => pair.a.trySendmsg(message))).toMatchObject({ code });
  });

  test.each([
    ['ttl', { value: 0 }, 'ERR_OUT_OF_RANGE'],
    ['ttl', { value: 256 }, 'ERR_OUT_OF_RANGE'],
    ['ttl', { value: '3' }, 'ERR_INVALID_ARG_TYPE'],
    ['tos', { dscp: 64, ecn: 0 }, 'ERR_OUT_OF_RANGE'],
    ['tos', { dscp: 0, ecn: 4 }, 'ERR_OUT_OF_RANGE'],
    ['segmentSize', { value: 0 }, 'ERR_OUT_OF_RANGE'],
    ['segmentSize', { value: 65_536 }, 'ERR_OUT_OF_RANGE'],
    ['txtime', { ns: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['txtime', { ns: -1n }, 'ERR_OUT_OF_RANGE'],
    ['txtime', { ns: 1n << 64n }, 'ERR_OUT_OF_RANGE'],
    ['packetInfo', { interface: -1, local: '127.0.0.1' }, 'ERR_OUT_OF_RANGE'],
    ['packetInfo', { interface: 0, local: 'localhost' }, 'ERR_INVALID_ARG_VALUE'],
    ['packetInfo', { interface: 0, local: 1 }, 'ERR_INVALID_ARG_TYPE'],
  ])('%s %j', (kind, fields, code) => {
    using udp = Socket.open('IPv4', 'dgram');
    const control = [{ kind, ...fields }] as never;
    const to = { address: '127.0.0.1', port: 9 };
    expect(thrown(() => udp.sendmsg({ data, to, control }))).toMatchObject({ code });
  });

  test.each([-1, 1.5, 'x', 2 ** 20])('controlSize %p', (controlSize) => {
    using pair = pairOf('dgram');
    const code = expect.stringMatching(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/) as string;
    const options = { controlSize: controlSize as number };
    expect(thrown(() => pair.b.recvmsg(options))).toMatchObject({ code });
    expect(thrown(() => pair.b.tryRecvmmsg(1, options))).toMatchObject({ code });
  });
});
