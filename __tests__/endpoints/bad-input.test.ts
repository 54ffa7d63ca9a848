// Misuse of level 2: an error with Node's code and the argument's name, thrown at once; nothing stays open.

import {
  bind,
  connect,
  DatagramSocket,
  listen,
  SeqpacketSocket,
  socketpair,
  StreamSocket,
} from '../../lib/index';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { rejection, thrown } from '../support/outcomes';
import { turns } from '../support/turns';

leavesNoSockets();

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';

// What a JavaScript caller may pass for anything.
const wrong = (value: unknown): never => value as never;

type Case = [what: string, call: () => unknown, code: string, names: string];

const MAKING: readonly Case[] = [
  ['connect: nothing', () => connect(wrong(undefined)), TYPE, 'options'],
  ['connect: null', () => connect(wrong(null)), TYPE, 'options'],
  ['connect: a port alone, as net has it', () => connect(wrong(80)), TYPE, 'options'],
  ['connect: no port', () => connect(wrong({ host: '127.0.0.1' })), TYPE, 'options.port'],
  ['connect: a port beyond 65535', () => connect({ port: 65536 }), RANGE, 'options.port'],
  ...(['yes', 1, null] as const).flatMap((value): Case[] => [
    [
      `listen: reusePort ${value}`,
      () => listen(wrong({ port: 0, reusePort: value })),
      TYPE,
      'options.reusePort',
    ],
    [
      `listen: ipv6Only ${value}`,
      () => listen(wrong({ port: 0, ipv6Only: value })),
      TYPE,
      'options.ipv6Only',
    ],
    [
      `listen: unlink ${value}`,
      () => listen(wrong({ path: '\0x', unlink: value })),
      TYPE,
      'options.unlink',
    ],
    [
      `bind: reusePort ${value}`,
      () => bind(wrong({ port: 0, reusePort: value })),
      TYPE,
      'options.reusePort',
    ],
    [
      `bind: broadcast ${value}`,
      () => bind(wrong({ port: 0, broadcast: value })),
      TYPE,
      'options.broadcast',
    ],
    [
      `connect: broadcast ${value}`,
      () => connect(wrong({ type: 'dgram', port: 1, broadcast: value })),
      TYPE,
      'options.broadcast',
    ],
  ]),
  [
    'connect: a port in words beyond 65535',
    () => connect({ port: '65536' }),
    RANGE,
    'options.port',
  ],
  [
    'connect: a host that is a number',
    () => connect(wrong({ host: 127, port: 1 })),
    TYPE,
    'options.host',
  ],
  [
    'connect: an unknown type',
    () => connect(wrong({ type: 'raw', port: 1 })),
    VALUE,
    'options.type',
  ],
  [
    'connect: a type of the prototype',
    () => connect(wrong({ type: 'valueOf', port: 1 })),
    VALUE,
    'options.type',
  ],
  [
    'connect: an unknown protocol',
    () => connect(wrong({ port: 1, host: '127.0.0.1', protocol: 'x' })),
    VALUE,
    'protocol',
  ],
  [
    'connect: an unknown family',
    () => connect(wrong({ port: 1, family: 'IPv5' })),
    VALUE,
    'options.family',
  ],
  [
    'connect: a local port that is none',
    () => connect({ port: 1, host: '127.0.0.1', localPort: -1 }),
    RANGE,
    'options.localPort',
  ],
  ['connect: a path with a NUL inside', () => connect({ path: '/a\0b' }), VALUE, 'path'],
  ['connect: a path of 108 bytes', () => connect({ path: 'x'.repeat(108) }), RANGE, 'path'],
  ['connect: a path that is a number', () => connect(wrong({ path: 5 })), TYPE, 'path'],
  ['connect: a bad signal', () => connect(wrong({ port: 1, signal: {} })), TYPE, 'options.signal'],
  ['connect: a bad timeout', () => connect({ port: 1, timeout: -1 }), RANGE, 'options.timeout'],
  [
    'connect: configure that is no function',
    () => connect(wrong({ port: 1, configure: {} })),
    TYPE,
    'options.configure',
  ],
  ['listen: nothing', () => listen(wrong(undefined)), TYPE, 'options'],
  ['listen: no place', () => listen(wrong({})), TYPE, 'options.port'],
  ['listen: a port beyond 65535', () => listen({ port: 70_000 }), RANGE, 'options.port'],
  [
    'listen: a backlog that is none',
    () => listen({ port: 0, backlog: -1 }),
    RANGE,
    'options.backlog',
  ],
  [
    'listen: a mode that is none',
    () => listen({ path: '\0x', mode: 0o10000 }),
    RANGE,
    'options.mode',
  ],
  [
    'listen: a type that does not listen',
    () => listen(wrong({ type: 'dgram', port: 0 })),
    VALUE,
    'options.type',
  ],
  [
    'listen: SEQPACKET on a port',
    () => listen(wrong({ type: 'seqpacket', port: 0 })),
    TYPE,
    'options.path',
  ],
  ['listen: a path with a NUL inside', () => listen({ path: '/a\0b' }), VALUE, 'path'],
  ['bind: nothing', () => bind(wrong(undefined)), TYPE, 'options'],
  ['bind: a negative port', () => bind({ port: -1 }), RANGE, 'options.port'],
  ['bind: a type that does not bind', () => bind(wrong({ type: 'stream' })), VALUE, 'options.type'],
  ['bind: an unknown family', () => bind(wrong({ family: 'IPv5' })), VALUE, 'options.family'],
  [
    'bind: raw without a family',
    () => bind(wrong({ type: 'raw', protocol: 1 })),
    VALUE,
    'options.family',
  ],
  [
    'bind: raw with an unknown protocol',
    () => bind({ type: 'raw', family: 'IPv4', protocol: 'x' }),
    VALUE,
    'protocol',
  ],
  [
    'bind: an interface that is an object',
    () => bind(wrong({ type: 'raw', interface: {} })),
    TYPE,
    'options.interface',
  ],
  [
    'bind: groups beyond 32 bits',
    () => bind({ type: 'raw', family: 'netlink', protocol: 0, groups: 2 ** 32 }),
    RANGE,
    'options.groups',
  ],
  ['bind: a path of 108 bytes', () => bind({ path: 'x'.repeat(108) }), RANGE, 'path'],
];

test.each(MAKING)('%s', (_what, call, code, names) => {
  const before = openSockets();
  const error = thrown(call);
  expect(error.code).toBe(code);
  expect(error.message).toContain(names);
  expect(socketsSince(before)).toEqual([]);
});

const data = Buffer.from('x');
const room = Buffer.alloc(4);

function detachedView(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

type StreamCase = [string, (stream: StreamSocket) => unknown, string, string];

const STREAM: readonly StreamCase[] = [
  ['read: a number', (s) => s.read(wrong(5)), TYPE, 'into'],
  ['read: null', (s) => s.read(wrong(null)), TYPE, 'into'],
  ['read: a size of 0', (s) => s.read({ size: 0 }), RANGE, 'options.size'],
  ['read: a size that is a string', (s) => s.read(wrong({ size: '1' })), TYPE, 'options.size'],
  ['read: no room', (s) => s.read(Buffer.alloc(0)), VALUE, 'into'],
  ['read: detached memory', (s) => s.read(detachedView()), 'ERR_INVALID_STATE', 'into'],
  ['read: a bad timeout', (s) => s.read({ timeout: NaN }), RANGE, 'options.timeout'],
  [
    'read: a bad timeout behind memory',
    (s) => s.read(room, { timeout: -1 }),
    RANGE,
    'options.timeout',
  ],
  ['readExactly: nothing', (s) => s.readExactly(wrong(undefined)), TYPE, 'length'],
  ['readExactly: a negative length', (s) => s.readExactly(-1), RANGE, 'length'],
  ['readExactly: a length of gigabytes', (s) => s.readExactly(2 ** 31), RANGE, 'length'],
  ['write: nothing', (s) => s.write(wrong(undefined)), TYPE, 'data'],
  ['write: a number', (s) => s.write(wrong(5)), TYPE, 'data'],
  ['write: strings in a list', (s) => s.write(wrong(['a', 'b'])), TYPE, 'data'],
  ['write: a hole in the list', (s) => s.write(wrong([data, null])), TYPE, 'data[1]'],
  ['write: detached memory', (s) => s.write(detachedView()), 'ERR_INVALID_STATE', 'data'],
  ['write: a bad signal', (s) => s.write(data, wrong({ signal: 'x' })), TYPE, 'options.signal'],
  ['end: a bad timeout', (s) => s.end({ timeout: -1 }), RANGE, 'options.timeout'],
  ['end: null', (s) => s.end(wrong(null)), TYPE, 'options'],
  ['close: a bad linger', (s) => s.close({ linger: -1 }), RANGE, 'options.linger'],
  [
    'close: a linger that is a string',
    (s) => s.close(wrong({ linger: '1' })),
    TYPE,
    'options.linger',
  ],
  ['close: a bad signal', (s) => s.close(wrong({ signal: 1 })), TYPE, 'options.signal'],
  ['iterate: a bad signal', (s) => s.iterate(wrong({ signal: 1 })), TYPE, 'options.signal'],
  ['iterate: null', (s) => s.iterate(wrong(null)), TYPE, 'options'],
  ['observe: null', (s) => s.observe(wrong(null)), TYPE, 'options'],
  [
    'observe: an unknown policy',
    (s) => s.observe(wrong({ overflow: 'drop' })),
    VALUE,
    'options.overflow',
  ],
  ['observe: a mark of 0', (s) => s.observe({ highWaterMark: 0 }), RANGE, 'options.highWaterMark'],
  [
    'observe: a mark that is a string',
    (s) => s.observe(wrong({ highWaterMark: '9' })),
    TYPE,
    'options.highWaterMark',
  ],
  ['sink: pause', (s) => s.sink(wrong({ overflow: 'pause' })), VALUE, 'options.overflow'],
  ['sink: null', (s) => s.sink(wrong(null)), TYPE, 'options'],
  ['observe: a bad onDrop', (s) => s.observe(wrong({ onDrop: 1 })), TYPE, 'options.onDrop'],
  ['observe: a bad signal', (s) => s.observe(wrong({ signal: {} })), TYPE, 'options.signal'],
];

test.each(STREAM)('stream: %s', async (_what, call, code, names) => {
  const [a, b] = socketpair();
  using peer = b;
  const stream = new StreamSocket(a);
  const error = thrown(() => call(stream));
  expect(error.code).toBe(code);
  expect(error.message).toContain(`"${names}"`);
  // It was the argument that was wrong; the stream is as good as before.
  await peer.send(Buffer.from('fine'));
  expect((await stream.readExactly(4)).toString()).toBe('fine');
  await stream.write('fine too');
  expect(await peer.recv(Buffer.alloc(16))).toBe(8);
  a.close();
});

type MessageCase = [string, (socket: SeqpacketSocket) => unknown, string, string];

const MESSAGES: readonly MessageCase[] = [
  ['receive: a size of 0', (s) => s.receive({ size: 0 }), RANGE, 'options.size'],
  ['receive: a size of gigabytes', (s) => s.receive({ size: 2 ** 31 }), RANGE, 'options.size'],
  ['receive: null', (s) => s.receive(wrong(null)), TYPE, 'options'],
  ['receive: a bad signal', (s) => s.receive(wrong({ signal: 5 })), TYPE, 'options.signal'],
  ['receiveBatch: nothing', (s) => s.receiveBatch(wrong(undefined)), TYPE, 'max'],
  ['receiveBatch: none', (s) => s.receiveBatch(0), RANGE, 'max'],
  ['send: nothing', (s) => s.send(wrong(undefined)), TYPE, 'data'],
  ['send: an object', (s) => s.send(wrong({ data })), TYPE, 'data'],
  ['send: 1025 pieces', (s) => s.send(Array<Buffer>(1025).fill(data)), RANGE, 'data.length'],
  ['send: to a string', (s) => s.send(data, wrong('127.0.0.1')), TYPE, 'to'],
  ['send: to nobody', (s) => s.send(data, wrong({})), VALUE, 'to'],
  ['send: to a host', (s) => s.send(data, wrong({ host: 'x', port: 1 })), VALUE, 'to" argument'],
  ['send: to an address of 5', (s) => s.send(data, wrong({ address: 5 })), TYPE, 'to.address'],
  [
    'send: a bad timeout',
    (s) => s.send(data, undefined, { timeout: -1 }),
    RANGE,
    'options.timeout',
  ],
  ['sendBatch: nothing', (s) => s.sendBatch(wrong(undefined)), TYPE, 'messages'],
  [
    'sendBatch: a message that is null',
    (s) => s.sendBatch(wrong([{ data }, null])),
    TYPE,
    'messages[1]',
  ],
  [
    'sendBatch: a message that is data',
    (s) => s.sendBatch(wrong([data])),
    TYPE,
    'messages[0].data',
  ],
  ['sendBatch: a message that is a string', (s) => s.sendBatch(wrong(['x'])), TYPE, 'messages[0'],
  [
    'sendBatch: a message to nobody',
    (s) => s.sendBatch(wrong([{ data, to: 5 }])),
    TYPE,
    'messages[0].to',
  ],
  ['close: a bad linger', (s) => s.close(wrong({ linger: {} })), TYPE, 'options.linger'],
  ['end: a bad signal', (s) => s.end(wrong({ signal: 5 })), TYPE, 'options.signal'],
];

test.each(MESSAGES)('messages: %s', async (_what, call, code, names) => {
  const [a, b] = socketpair('seqpacket');
  using peer = b;
  const endpoint = new SeqpacketSocket(a);
  const error = thrown(() => call(endpoint));
  expect(error.code).toBe(code);
  expect(error.message).toContain(`"${names}`);
  await peer.send(Buffer.from('fine'));
  expect((await endpoint.receive())?.data.toString()).toBe('fine');
  await endpoint.send('fine too');
  expect(await peer.recv(Buffer.alloc(16))).toBe(8);
  a.close();
});

test('bad input: sendBatch checks everything before anything goes', async () => {
  const [a, b] = socketpair('dgram');
  using peer = b;
  const endpoint = new DatagramSocket(a);
  thrown(() => endpoint.sendBatch([{ data }, { data }, wrong({ data: 5 })]));
  await turns(2);
  expect(peer.tryRecv(room)).toBeNull();
  a.close();
});

test('bad input: a host without a name is nobody’s', async () => {
  for (const host of ['', 'a b', '\0', 'x'.repeat(300)]) {
    const outcomes = await Promise.all(
      [() => connect({ host, port: 1 }), () => listen({ host, port: 0 }), () => bind({ host })].map(
        (make) => rejection((async () => make())()),
      ),
    );
    for (const { code } of outcomes)
      expect(code).toMatch(/^(ERR_INVALID_ARG_VALUE|ENOTFOUND|EINVAL|EAI_[A-Z]+)$/);
  }
});
