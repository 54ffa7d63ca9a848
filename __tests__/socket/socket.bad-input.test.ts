// Misuse of level 1: an error with Node's code and the argument's name, thrown at once; the process lives.

import { binding } from '../../lib/native/load';
import { constants as C, Socket, socketpair, type Bytes } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection, thrown } from '../support/outcomes';
import { sockets } from '../support/streams';
import { turns } from '../support/turns';

leavesNoSockets();

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';
const DETACHED = 'ERR_INVALID_STATE';

// What a JavaScript caller may pass for anything.
const wrong = (value: unknown): never => value as never;

/** Memory that was transferred away. */
function detached(): ArrayBuffer {
  const memory = new ArrayBuffer(8);
  structuredClone(memory, { transfer: [memory] });
  return memory;
}

function detachedView(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

type Case = [what: string, call: (open: Socket) => unknown, code: string, names: string];

const to = { address: '127.0.0.1', port: 9 };
const data = Buffer.from('x');
const room = Buffer.alloc(4);

const CASES: readonly Case[] = [
  ['open: no domain', () => Socket.open(wrong(undefined), 'stream'), TYPE, 'domain'],
  ['open: an unknown domain', () => Socket.open(wrong('IPv5'), 'stream'), VALUE, 'domain'],
  [
    'open: a domain of the prototype',
    () => Socket.open(wrong('toString'), 'stream'),
    VALUE,
    'domain',
  ],
  ['open: a negative domain', () => Socket.open(-1, 'stream'), RANGE, 'domain'],
  ['open: a domain that is no integer', () => Socket.open(1.5, 'stream'), RANGE, 'domain'],
  ['open: a domain beyond 32 bits', () => Socket.open(2 ** 32, 'stream'), RANGE, 'domain'],
  ['open: an unknown type', () => Socket.open('IPv4', wrong('packet')), VALUE, 'type'],
  ['open: a type that is an object', () => Socket.open('IPv4', wrong({})), TYPE, 'type'],
  ['open: an unknown protocol', () => Socket.open('IPv4', 'raw', 'icmpx'), VALUE, 'protocol'],
  ['open: a NaN protocol', () => Socket.open('IPv4', 'raw', NaN), RANGE, 'protocol'],
  ['socketpair: an unknown type', () => socketpair(wrong('pair')), VALUE, 'type'],
  [
    'socketpair: a protocol that is a name',
    () => socketpair('stream', wrong('x')),
    TYPE,
    'protocol',
  ],
  ['fromFd: a string', () => Socket.fromFd(wrong('3')), TYPE, 'fd'],
  ['fromFd: a negative number', () => Socket.fromFd(-1), RANGE, 'fd'],
  ['fromFd: no integer', () => Socket.fromFd(1.5), RANGE, 'fd'],
  ['new Socket', () => new (Socket as unknown as new (s: unknown) => Socket)({}), TYPE, 'state'],

  ['bind: nothing', (s) => s.bind(wrong(undefined)), TYPE, 'address'],
  ['bind: null', (s) => s.bind(wrong(null)), TYPE, 'address'],
  ['bind: a string', (s) => s.bind(wrong('127.0.0.1:80')), TYPE, 'address'],
  ['bind: an empty object', (s) => s.bind(wrong({})), VALUE, 'address'],
  ['bind: a host', (s) => s.bind(wrong({ host: '127.0.0.1', port: 0 })), VALUE, 'address'],
  ['bind: an unknown family', (s) => s.bind(wrong({ family: 'ipx' })), VALUE, 'address.family'],
  [
    'bind: a family of the prototype',
    (s) => s.bind(wrong({ family: 'valueOf' })),
    VALUE,
    'address.family',
  ],
  ['bind: a family that is null', (s) => s.bind(wrong({ family: null })), VALUE, 'address.family'],
  [
    'bind: a port beyond 65535',
    (s) => s.bind({ address: '127.0.0.1', port: 65536 }),
    RANGE,
    'address.port',
  ],
  [
    'bind: a negative port',
    (s) => s.bind({ address: '127.0.0.1', port: -1 }),
    RANGE,
    'address.port',
  ],
  [
    'bind: a port that is no integer',
    (s) => s.bind({ address: '127.0.0.1', port: 0.5 }),
    RANGE,
    'address.port',
  ],
  [
    'bind: a port that is a string',
    (s) => s.bind(wrong({ address: '127.0.0.1', port: '80' })),
    TYPE,
    'address.port',
  ],
  ['bind: no port', (s) => s.bind(wrong({ address: '127.0.0.1' })), TYPE, 'address.port'],
  [
    'bind: a name for an address',
    (s) => s.bind({ address: 'localhost', port: 0 }),
    VALUE,
    'address.address',
  ],
  [
    'bind: an address with a NUL',
    (s) => s.bind({ address: '127.0.0.1\0', port: 0 }),
    VALUE,
    'address.address',
  ],
  [
    'bind: an address of the wrong family',
    (s) => s.bind({ family: 'IPv4', address: '::1', port: 0 }),
    VALUE,
    'address.address',
  ],
  [
    'bind: an address that is endless',
    (s) => s.bind({ address: '1'.repeat(1e6), port: 0 }),
    VALUE,
    'address.address',
  ],
  [
    'bind: an address that is a number',
    (s) => s.bind(wrong({ family: 'IPv4', address: 1, port: 0 })),
    TYPE,
    'address.address',
  ],
  [
    'bind: a scope beyond 32 bits',
    (s) => s.bind({ address: '::1', port: 0, scopeId: 2 ** 32 }),
    RANGE,
    'address.scopeId',
  ],
  [
    'bind: a flow label beyond 20 bits',
    (s) => s.bind({ address: '::1', port: 0, flowLabel: 2 ** 20 }),
    RANGE,
    'address.flowLabel',
  ],
  ['bind: a path with a NUL inside', (s) => s.bind({ path: '/tmp/a\0b' }), VALUE, 'address.path'],
  ['bind: a path that ends in NUL', (s) => s.bind({ path: '/tmp/a\0' }), VALUE, 'address.path'],
  [
    'bind: a path of 108 bytes',
    (s) => s.bind({ path: '/'.padEnd(108, 'x') }),
    RANGE,
    'address.path',
  ],
  [
    'bind: a path of 55 letters in 110 bytes',
    (s) => s.bind({ path: 'é'.repeat(55) }),
    RANGE,
    'address.path',
  ],
  [
    'bind: an abstract name of 109 bytes',
    (s) => s.bind({ path: '\0'.padEnd(109, 'x') }),
    RANGE,
    'address.path',
  ],
  ['bind: a path that is a number', (s) => s.bind(wrong({ path: 1 })), TYPE, 'address.path'],
  ['bind: a path that is null', (s) => s.bind(wrong({ path: null })), TYPE, 'address.path'],
  [
    'bind: a path in a DataView',
    (s) => s.bind(wrong({ path: new DataView(new ArrayBuffer(4)) })),
    TYPE,
    'address.path',
  ],
  [
    'bind: a path in a Uint16Array',
    (s) => s.bind(wrong({ path: Uint16Array.of(0, 300) })),
    TYPE,
    'address.path',
  ],
  [
    'bind: a packet address without a protocol',
    (s) => s.bind(wrong({ family: 'packet', interface: 1 })),
    TYPE,
    'address.protocol',
  ],
  [
    'bind: a packet address without an interface',
    (s) => s.bind(wrong({ family: 'packet', protocol: 1 })),
    TYPE,
    'address.interface',
  ],
  [
    'bind: a hardware address that is none',
    (s) => s.bind({ family: 'packet', interface: 1, protocol: 1, hardwareAddress: 'x' }),
    VALUE,
    'address.hardwareAddress',
  ],
  [
    'bind: a hardware address without end',
    (s) =>
      s.bind({
        family: 'packet',
        interface: 1,
        protocol: 1,
        hardwareAddress: '00:'.repeat(200) + '00',
      }),
    RANGE,
    'address.hardwareAddress',
  ],
  [
    'bind: a netlink port beyond 32 bits',
    (s) => s.bind({ family: 'netlink', pid: 2 ** 32, groups: 0 }),
    RANGE,
    'address.pid',
  ],
  [
    'bind: netlink groups that are a list',
    (s) => s.bind(wrong({ family: 'netlink', pid: 0, groups: [1] })),
    TYPE,
    'address.groups',
  ],
  [
    'bind: an opaque address without data',
    (s) => s.bind(wrong({ family: 2 })),
    TYPE,
    'address.data',
  ],
  [
    'bind: an opaque address of a kilobyte',
    (s) => s.bind({ family: 2, data: new Uint8Array(1024) }),
    RANGE,
    'address.data',
  ],
  [
    'bind: an opaque family beyond 16 bits',
    (s) => s.bind({ family: 65536, data }),
    RANGE,
    'address.family',
  ],
  [
    'bind: a vsock cid below 0',
    (s) => s.bind({ family: 'vsock', cid: -1, port: 1 }),
    RANGE,
    'address.cid',
  ],

  ['listen: a backlog that is a string', (s) => s.listen(wrong('5')), TYPE, 'backlog'],
  ['listen: a backlog that is no integer', (s) => s.listen(0.1), RANGE, 'backlog'],
  ['listen: a backlog beyond 32 bits', (s) => s.listen(2 ** 31), RANGE, 'backlog'],
  ['shutdown: an unknown side', (s) => s.shutdown(wrong('rw')), VALUE, 'how'],
  ['shutdown: nothing', (s) => s.shutdown(wrong(undefined)), TYPE, 'how'],
  ['connect: nothing', (s) => s.connect(wrong(undefined)), TYPE, 'address'],
  [
    'connect: a host name',
    (s) => s.connect(wrong({ host: 'localhost', port: 1 })),
    VALUE,
    'address',
  ],
  [
    'connect: a port beyond 65535',
    (s) => s.connect({ address: '::1', port: 1e5 }),
    RANGE,
    'address.port',
  ],

  ['send: nothing', (s) => s.send(wrong(undefined)), TYPE, 'data'],
  ['send: a string', (s) => s.send(wrong('text')), TYPE, 'data'],
  ['send: a number', (s) => s.send(wrong(5)), TYPE, 'data'],
  ['send: a list of strings', (s) => s.send(wrong(['a'])), TYPE, 'data[0]'],
  ['send: a hole in the list', (s) => s.send(wrong([data, undefined])), TYPE, 'data[1]'],
  ['send: 1025 pieces', (s) => s.send(Array<Bytes>(1025).fill(data)), RANGE, 'data.length'],
  ['send: detached memory', (s) => s.send(detached()), DETACHED, 'data'],
  ['send: a view of detached memory', (s) => s.send(detachedView()), DETACHED, 'data'],
  ['send: a detached piece', (s) => s.send([data, detachedView()]), DETACHED, 'data[1]'],
  [
    'send: flags that are a string',
    (s) => s.send(data, wrong({ flags: 'MSG_PEEK' })),
    TYPE,
    'options.flags',
  ],
  ['send: flags beyond 32 bits', (s) => s.send(data, { flags: 2 ** 32 }), RANGE, 'options.flags'],
  ['send: options that are null', (s) => s.send(data, wrong(null)), TYPE, 'options'],
  ['send: options that are a number', (s) => s.send(data, wrong(5)), TYPE, 'options'],
  ['trySend: a string', (s) => s.trySend(wrong('text')), TYPE, 'data'],
  ['sendto: no address', (s) => s.sendto(data, wrong(undefined)), TYPE, 'to'],
  ['sendto: a null address', (s) => s.sendto(data, wrong(null)), TYPE, 'to'],
  [
    'sendto: a port that is none',
    (s) => s.sendto(data, { address: '::1', port: NaN }),
    RANGE,
    'to.port',
  ],
  ['sendmsg: nothing', (s) => s.sendmsg(wrong(undefined)), TYPE, 'message'],
  ['sendmsg: no data', (s) => s.sendmsg(wrong({ to })), TYPE, 'message.data'],
  [
    'sendmsg: flags that are an object',
    (s) => s.sendmsg(wrong({ data, flags: {} })),
    TYPE,
    'options.flags',
  ],
  ['sendmmsg: nothing', (s) => s.sendmmsg(wrong(undefined)), TYPE, 'messages'],
  ['sendmmsg: one message', (s) => s.sendmmsg(wrong({ data })), TYPE, 'messages'],
  ['sendmmsg: a null message', (s) => s.sendmmsg(wrong([{ data }, null])), TYPE, 'messages[1]'],
  [
    'sendmmsg: a message without data',
    (s) => s.sendmmsg(wrong([{ to }])),
    TYPE,
    'messages[0].data',
  ],
  [
    'sendmmsg: a message to nowhere',
    (s) => s.sendmmsg(wrong([{ data, to: 5 }])),
    TYPE,
    'messages[0].to',
  ],
  ['trySendmmsg: nothing', (s) => s.trySendmmsg(wrong(null)), TYPE, 'messages'],

  ['recv: no memory', (s) => s.recv(wrong(undefined)), TYPE, 'into'],
  ['recv: a size', (s) => s.recv(wrong(1024)), TYPE, 'into'],
  ['recv: a list', (s) => s.recv(wrong([room])), TYPE, 'into'],
  ['recv: no room', (s) => s.recv(Buffer.alloc(0)), VALUE, 'into'],
  ['recv: detached memory', (s) => s.recv(detached()), DETACHED, 'into'],
  ['recv: a view of detached memory', (s) => s.recv(detachedView()), DETACHED, 'into'],
  ['tryRecv: no room', (s) => s.tryRecv(new ArrayBuffer(0)), VALUE, 'into'],
  ['recvfrom: no room', (s) => s.recvfrom(new Uint8Array(0)), VALUE, 'into'],
  ['recvmsg: a size of 0', (s) => s.recvmsg({ size: 0 }), RANGE, 'options.size'],
  ['recvmsg: a size beyond the slab', (s) => s.recvmsg({ size: 2 ** 30 }), RANGE, 'options.size'],
  [
    'recvmsg: memory that is a string',
    (s) => s.recvmsg(wrong({ into: 'x' })),
    TYPE,
    'options.into',
  ],
  [
    'recvmsg: a detached piece',
    (s) => s.recvmsg({ into: [room, detachedView()] }),
    DETACHED,
    'options.into[1]',
  ],
  ['recvmmsg: no number', (s) => s.recvmmsg(wrong(undefined)), TYPE, 'max'],
  ['recvmmsg: none', (s) => s.recvmmsg(0), RANGE, 'max'],
  [
    'recvmmsg: a size that is no integer',
    (s) => s.recvmmsg(1, { size: 1.5 }),
    RANGE,
    'options.size',
  ],

  [
    'a signal that is a string',
    (s) => s.recv(room, wrong({ signal: 'abort' })),
    TYPE,
    'options.signal',
  ],
  ['a signal that is null', (s) => s.recv(room, wrong({ signal: null })), TYPE, 'options.signal'],
  [
    'a signal that is the controller',
    (s) => s.recv(room, wrong({ signal: new AbortController() })),
    TYPE,
    'options.signal',
  ],
  [
    'a signal that only looks like one',
    (s) => s.recv(room, wrong({ signal: { aborted: false } })),
    TYPE,
    'options.signal',
  ],
  [
    'a timeout that is a string',
    (s) => s.recv(room, wrong({ timeout: '5' })),
    TYPE,
    'options.timeout',
  ],
  [
    'a timeout that is null',
    (s) => s.recv(room, wrong({ timeout: null })),
    TYPE,
    'options.timeout',
  ],
  ['a negative timeout', (s) => s.recv(room, { timeout: -1 }), RANGE, 'options.timeout'],
  ['a NaN timeout', (s) => s.recv(room, { timeout: NaN }), RANGE, 'options.timeout'],
  ['a bad timeout of accept', (s) => s.accept({ timeout: -1 }), RANGE, 'options.timeout'],
  ['a bad timeout of connect', (s) => s.connect(to, { timeout: -1 }), RANGE, 'options.timeout'],
  [
    'a bad signal of ready',
    (s) => s.ready({ read: true }, wrong({ signal: 1 })),
    TYPE,
    'options.signal',
  ],

  ['ready: nothing', (s) => s.ready(wrong(undefined)), TYPE, 'events'],
  ['ready: for nothing', (s) => s.ready({}), VALUE, 'events'],
  ['ready: for nothing of these', (s) => s.ready({ read: false }), VALUE, 'events'],

  [
    'getsockopt: a level that is a name',
    (s) => s.getsockopt(wrong('SOL_SOCKET'), 1),
    TYPE,
    'level',
  ],
  ['getsockopt: no name', (s) => s.getsockopt(1, wrong(undefined)), TYPE, 'name'],
  ['getsockopt: a negative length', (s) => s.getsockopt(1, 1, -1), RANGE, 'length'],
  ['getsockopt: a length of gigabytes', (s) => s.getsockopt(1, 1, 2 ** 31), RANGE, 'length'],
  ['getsockopt: detached memory', (s) => s.getsockopt(1, 1, detachedView()), DETACHED, 'length'],
  ['setsockopt: no value', (s) => s.setsockopt(1, 1, wrong(undefined)), TYPE, 'value'],
  ['setsockopt: a string', (s) => s.setsockopt(1, 1, wrong('on')), TYPE, 'value'],
  ['setsockopt: a value that is no integer', (s) => s.setsockopt(1, 1, 0.5), RANGE, 'value'],
  ['setsockopt: a value beyond 32 bits', (s) => s.setsockopt(1, 1, 2 ** 32), RANGE, 'value'],
];

test.each(CASES)('%s', (_what, call, code, names) => {
  using open = Socket.open('IPv4', 'dgram');
  const error = thrown(() => call(open));
  expect(error).toBeInstanceOf(code === RANGE ? RangeError : TypeError);
  expect(error.code).toBe(code);
  expect(error.message).toContain(`"${names}"`);
  // It was the argument that was wrong; the socket is as good as before.
  expect(open.closed).toBe(false);
});

test('bad input: what was expected and what was got stand in the message, as in Node', () => {
  using open = Socket.open('IPv4', 'dgram');
  const messages = [
    () => open.bind({ address: '127.0.0.1', port: 65536 }),
    () => open.recv(wrong('x')),
    () => open.listen(wrong(undefined)),
    () => open.send(wrong({})),
    () => open.shutdown(wrong('rw')),
  ].map((call) => thrown(call).message);
  expect(messages).toEqual([
    'The value of "address.port" is out of range. It must be >= 0 and <= 65535. Received 65536',
    'The "into" argument must be an ArrayBuffer or a view of one (Buffer, TypedArray, DataView). ' +
      "Received type string ('x')",
    // Left out, the backlog is SOMAXCONN: it is the kernel's to refuse.
    'listen EOPNOTSUPP',
    'The "data" argument must be an ArrayBuffer or a view of one (Buffer, TypedArray, DataView). ' +
      'Received an instance of Object',
    "The \"how\" argument must be one of 'read', 'write', 'both', or a number. Received 'rw'",
  ]);
});

test('bad input: a signal whose methods throw spoils its own call only', async () => {
  using pair = sockets('dgram');
  const signal = new AbortController().signal;
  Object.defineProperty(signal, 'addEventListener', {
    value: () => {
      throw new Error('no listeners here');
    },
  });
  const bad = rejection(pair.a.recv(room, { signal }));
  expect((await bad).message).toBe('no listeners here');
  const good = pair.a.recv(room, { timeout: 2000 });
  await pair.b.send(Buffer.from('abc'));
  expect(await good).toBe(3);
});

test('bad input: memory that is transferred away while a call waits is EFAULT, not a crash', async () => {
  using pair = sockets('dgram');
  const into = new Uint8Array(8);
  const waiting = rejection(pair.a.recv(into));
  await turns(2);
  structuredClone(into.buffer, { transfer: [into.buffer] });
  await pair.b.send(Buffer.from('abc'));
  expect(await waiting).toMatchObject({ code: 'EFAULT', syscall: 'recv' });
  expect(await pair.a.recv(room)).toBe(3);
});

test('bad input: memory that shrinks while a call waits is EFAULT', async () => {
  using pair = sockets('dgram');
  type Resizable = ArrayBuffer & { resize(length: number): void };
  const memory = new (
    ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable
  )(8, { maxByteLength: 8 });
  const waiting = rejection(pair.a.recv(new Uint8Array(memory)));
  await turns(2);
  memory.resize(2);
  await pair.b.send(Buffer.from('abc'));
  expect(await waiting).toMatchObject({ code: 'EFAULT' });
});

test('bad input: flags that make no sense are answered by the kernel', async () => {
  using udp = Socket.open('IPv4', 'dgram');
  udp.bind({ address: '127.0.0.1', port: 0 });
  const self = udp.getsockname();
  const outcomes = await Promise.all([
    rejection(udp.sendto(data, self, { flags: C.MSG_OOB })),
    rejection(udp.recv(room, { flags: C.MSG_ERRQUEUE, timeout: 1 })),
    rejection(udp.sendmsg({ data: [data, data], to: self, flags: -0x80000000 })),
  ]);
  expect(outcomes.map(({ code }) => code)).toEqual(['EOPNOTSUPP', 'ERR_SOCKET_TIMEOUT', 'EINVAL']);
  // All of them at once: an answer, whichever.
  for (const flags of [0x7fffffff, -1]) {
    using unix = sockets('dgram');
    const got = await Promise.allSettled([
      unix.a.send(data, { flags, timeout: 1 }),
      unix.b.recv(room, { flags, timeout: 1 }),
    ]);
    expect(got).toHaveLength(2);
  }
});

describe('stale tokens', () => {
  const CALLS: readonly [string, (token: number) => number][] = [
    ['arm', (token) => binding.arm(token, 1)],
    ['disarm', (token) => binding.disarm(token)],
    ['close', (token) => binding.close(token)],
    ['detach', (token) => binding.detach(token)],
    ['duplicate', (token) => binding.duplicate(token)],
    ['fd', (token) => binding.fd(token)],
    ['bind', (token) => binding.bind(token, 16)],
    ['connect', (token) => binding.connect(token, 16)],
    ['connectOutcome', (token) => binding.connectOutcome(token)],
    ['listen', (token) => binding.listen(token, 1)],
    ['shutdown', (token) => binding.shutdown(token, 2)],
    ['accept', (token) => binding.accept(token)],
    ['getsockname', (token) => binding.getsockname(token)],
    ['getpeername', (token) => binding.getpeername(token)],
    ['getsockopt', (token) => binding.getsockopt(token, 1, 3, room)],
    ['setsockopt', (token) => binding.setsockopt(token, 1, 3, room)],
    ['poll', (token) => binding.poll(token, 1)],
    ['send', (token) => binding.send(token, data, 0, 1, 0)],
    ['sendto', (token) => binding.sendto(token, data, 0, 1, 0, 0)],
    ['sendmsg', (token) => binding.sendmsg(token, [data], 0, 0)],
    ['recv', (token) => binding.recv(token, room, 0, 4, 0)],
    ['recvmsg', (token) => binding.recvmsg(token, [room], 0)],
    ['recvmmsg', (token) => binding.recvmmsg(token, 1, 1, 0)],
    ['sendmmsg', (token) => binding.sendmmsg(token, 1, 0)],
  ];

  test.each(CALLS)('%s: EBADF, or EINVAL for what is no token', (name, call) => {
    const token = binding.open(C.AF_INET, C.SOCK_DGRAM, 0);
    expect(binding.close(token)).toBe(0);
    // The number of its descriptor is another socket's by now.
    using tenant = Socket.open('IPv4', 'dgram');
    const refused = name === 'recv' || name === 'recvmsg' ? [-C.EBADF, -C.EINVAL] : [-C.EBADF];
    for (const stale of [token, 0, -1, 0x7fffffff, -0x80000000, tenant.fd])
      expect(refused).toContain(call(stale));
    for (const nonsense of [undefined, null, {}, 'x', Symbol('token'), 10n])
      expect(call(wrong(nonsense))).toBe(-C.EINVAL);
    expect(tenant.getsockname()).toMatchObject({ family: 'IPv4' });
  });
});

test('bad input: a socket survives ten thousand misuses and still works', async () => {
  using pair = sockets('dgram');
  const calls: (() => unknown)[] = [
    () => pair.a.bind(wrong({ path: abstractName(), family: 'nope' })),
    () => pair.a.send(wrong(Symbol('x'))),
    () => pair.a.recv(wrong(() => 0)),
    () => pair.a.recvmmsg(-1),
    () => pair.a.setsockopt(1, 1, wrong(10n)),
  ];
  const codes = new Set<string | undefined>();
  for (let i = 0; i < 10_000; i++) codes.add(thrown(calls[i % calls.length]).code);
  expect([...codes].sort()).toEqual([VALUE, TYPE, RANGE].sort());
  await pair.a.send(Buffer.from('fine'));
  expect(await pair.b.recv(room)).toBe(4);
});
