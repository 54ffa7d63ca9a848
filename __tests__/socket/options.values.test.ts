// What options do, refuse and say, beyond being set and got: options.table.test.ts has all of them.

import { closeSync, readFileSync, readlinkSync } from 'node:fs';
import {
  bind,
  bpf,
  codecs,
  connect,
  constants as C,
  defineOption,
  listen,
  Socket,
  socketpair,
  type OptionDefinition,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets } from '../support/streams';

leavesNoSockets();

type Untyped = { get(key: unknown): unknown; set(key: unknown, value?: unknown): unknown };
const untyped = (socket: unknown): Untyped => socket as Untyped;

describe('misuse', () => {
  test.each([
    ['noDelay', 1, 'ERR_INVALID_ARG_TYPE'],
    ['noDelay', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['keepIdle', 0, 'ERR_OUT_OF_RANGE'],
    ['keepIdle', 1.5, 'ERR_OUT_OF_RANGE'],
    ['keepIdle', '5', 'ERR_INVALID_ARG_TYPE'],
    ['keepIdle', NaN, 'ERR_OUT_OF_RANGE'],
    ['ttl', 256, 'ERR_OUT_OF_RANGE'],
    ['mark', -1, 'ERR_OUT_OF_RANGE'],
    ['linger', true, 'ERR_INVALID_ARG_TYPE'],
    ['linger', -1, 'ERR_OUT_OF_RANGE'],
    ['receiveTimeout', -1, 'ERR_OUT_OF_RANGE'],
    ['receiveTimeout', Infinity, 'ERR_OUT_OF_RANGE'],
    ['maxPacingRate', 5, 'ERR_INVALID_ARG_TYPE'],
    ['maxPacingRate', 1n << 64n, 'ERR_OUT_OF_RANGE'],
    ['congestion', 5, 'ERR_INVALID_ARG_TYPE'],
    ['congestion', 'a\0b', 'ERR_INVALID_ARG_VALUE'],
    ['congestion', 'a name much too long', 'ERR_OUT_OF_RANGE'],
    ['mtuDiscover', 'perhaps', 'ERR_INVALID_ARG_VALUE'],
    ['mtuDiscover', 2, 'ERR_INVALID_ARG_TYPE'],
    ['timestamping', ['software', 'nonsense'], 'ERR_INVALID_ARG_VALUE'],
    ['timestamping', 16, 'ERR_INVALID_ARG_TYPE'],
    ['bindToInterface', {}, 'ERR_INVALID_ARG_TYPE'],
    ['ipOptions', Buffer.alloc(41), 'ERR_OUT_OF_RANGE'],
    ['ipOptions', 'bytes', 'ERR_INVALID_ARG_TYPE'],
    ['txTime', null, 'ERR_INVALID_ARG_TYPE'],
    ['joinGroup', { group: 'ff02::1' }, 'ERR_INVALID_ARG_VALUE'],
    ['joinGroup', { group: 'localhost' }, 'ERR_INVALID_ARG_VALUE'],
    ['joinGroup', '239.1.2.3', 'ERR_INVALID_ARG_TYPE'],
    ['joinSource', { group: '239.1.2.3' }, 'ERR_INVALID_ARG_TYPE'],
    ['groupFilter', { group: '239.1.2.3', mode: 'exclude' }, 'ERR_INVALID_ARG_TYPE'],
    ['groupFilter', { group: '239.1.2.3', mode: 'all', sources: [] }, 'ERR_INVALID_ARG_VALUE'],
    ['localPortRange', [1], 'ERR_INVALID_ARG_TYPE'],
    ['localPortRange', [1, 65536], 'ERR_OUT_OF_RANGE'],
    ['icmpFilter', {}, 'ERR_INVALID_ARG_VALUE'],
    ['icmpFilter', { block: [1], pass: [2] }, 'ERR_INVALID_ARG_VALUE'],
    ['icmpFilter', { block: [32] }, 'ERR_OUT_OF_RANGE'],
    ['md5Signature', { address: '127.0.0.1', key: Buffer.alloc(81) }, 'ERR_OUT_OF_RANGE'],
    ['attachFilter', [], 'ERR_OUT_OF_RANGE'],
    ['attachFilter', [{ code: 6, jt: 256, jf: 0, k: 0 }], 'ERR_OUT_OF_RANGE'],
    ['attachFilter', new Array(4097).fill({ code: 6, jt: 0, jf: 0, k: 0 }), 'ERR_OUT_OF_RANGE'],
    ['attachFilter', 'tcp port 80', 'ERR_INVALID_ARG_TYPE'],
    ['detachFilter', false, 'ERR_INVALID_ARG_VALUE'],
    ['packetFanout', { group: 1, mode: 'fair' }, 'ERR_INVALID_ARG_VALUE'],
    ['packetAddMembership', { interface: 'lo', type: 'everything' }, 'ERR_INVALID_ARG_VALUE'],
  ])('%s = %p is %s', (key, value, code) => {
    using open = Socket.open('IPv4', 'stream');
    const error = thrown(() => untyped(open).set(key, value));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`"${key}`);
  });

  test.each([
    ['nonsense', 'ERR_INVALID_ARG_VALUE'],
    ['toString', 'ERR_INVALID_ARG_VALUE'],
    ['__proto__', 'ERR_INVALID_ARG_VALUE'],
    [5, 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [Symbol.iterator, 'ERR_INVALID_ARG_TYPE'],
  ])('%p is no option: %s', (key, code) => {
    using open = Socket.open('IPv4', 'stream');
    expect(thrown(() => untyped(open).get(key))).toMatchObject({ code });
    expect(thrown(() => untyped(open).set(key, 1))).toMatchObject({ code });
  });

  test('the kernel refuses by its own errno, and the option is named', () => {
    using open = Socket.open('unix', 'stream');
    expect(thrown(() => open.set('noDelay', true))).toMatchObject({
      code: 'EOPNOTSUPP',
      syscall: 'setsockopt',
      message: 'setsockopt EOPNOTSUPP (noDelay)',
    });
    expect(thrown(() => open.get('tcpInfo'))).toMatchObject({
      code: 'EOPNOTSUPP',
      message: 'getsockopt EOPNOTSUPP (tcpInfo)',
    });
    expect(thrown(() => untyped(open).set('mtu', 1500))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });

  test('an interface that is not there is ENODEV', () => {
    using open = Socket.open('IPv4', 'dgram');
    expect(thrown(() => open.set('bindToInterface', 'eagain-none'))).toMatchObject({
      code: 'ENODEV',
    });
  });

  test('a closed socket has no options, not even one that its value closed', () => {
    const open = Socket.open('IPv4', 'stream');
    const closing = {
      get group(): string {
        open.close();
        return '239.1.2.3';
      },
    };
    expect(thrown(() => open.set('joinGroup', closing))).toMatchObject({
      code: 'ERR_SOCKET_CLOSED',
    });
    expect(thrown(() => open.get('noDelay'))).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });
});

describe('values', () => {
  test('tcpInfo: every field of the kernel, and its bytes counted', async () => {
    using pair = await connectedSockets();
    await pair.a.send(Buffer.alloc(1000));
    await pair.b.recv(Buffer.alloc(1000));
    const info = pair.b.get('tcpInfo');
    expect(info).toMatchObject({ state: 1, bytesReceived: 1000n, sndWscale: expect.any(Number) });
    expect(info.rtt).toBeGreaterThan(0);
    expect(info.rto).toBeGreaterThanOrEqual(200_000);
    const raw = pair.b.getsockopt(C.IPPROTO_TCP, C.TCP_INFO, 512);
    expect(info.rcvMss).toBe(raw.readUInt32LE(20));
    expect(info.pmtu).toBe(raw.readUInt32LE(60));
    expect(info.advmss).toBe(raw.readUInt32LE(84));
    expect(info.sndWscale).toBe(raw[6] & 15);
    expect(info.rcvWscale).toBe(raw[6] >> 4);
    // This kernel's fields beyond those that are always there: bytes_sent at 200.
    if (raw.length >= 208) expect(info.bytesSent).toBe(raw.readBigUInt64LE(200));
    if (raw.length >= 232) expect(info.sndWnd).toBe(raw.readUInt32LE(228));
    expect('totalRto' in info).toBe(raw.length >= 242);
  });

  test('peerPidfd is a descriptor of the peer, close-on-exec', () => {
    const [a, b] = socketpair();
    const fd = a.get('peerPidfd');
    try {
      expect(readlinkSync(`/proc/self/fd/${fd}`)).toMatch(/pidfd/);
      const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
      expect(text).toContain(`Pid:\t${process.pid}\n`);
      expect(parseInt(/flags:\s*(\d+)/.exec(text)![1], 8) & 0o2000000).not.toBe(0);
    } finally {
      closeSync(fd);
      a.close();
      b.close();
    }
  });

  test('one name for two families: the domain chooses', () => {
    using four = Socket.open('IPv4', 'dgram').set('ttl', 7);
    expect(four.getsockopt(C.IPPROTO_IP, C.IP_TTL).readInt32LE()).toBe(7);
    using six = Socket.open('IPv6', 'dgram').set('ttl', 8);
    expect(six.getsockopt(C.IPPROTO_IPV6, C.IPV6_UNICAST_HOPS).readInt32LE()).toBe(8);
    // And no other: the hops to IPv4-mapped peers are as they were.
    expect(six.getsockopt(C.IPPROTO_IP, C.IP_TTL).readInt32LE()).not.toBe(8);
  });

  test('groups: what is joined is joined by the kernel, and left again', () => {
    using open = Socket.open('IPv4', 'dgram');
    const joined = (): boolean => /^\s+FB0201EF /m.test(readFileSync('/proc/net/igmp', 'utf8'));
    const group = '239.1.2.251';
    expect(joined()).toBe(false);
    open.set('joinGroup', { group, interface: 'lo' });
    expect(joined()).toBe(true);
    open.set('leaveGroup', { group, interface: 'lo' });
    expect(joined()).toBe(false);
  });

  test('groupFilter sets the senders that the kernel has', () => {
    const group = '239.1.2.250';
    using open = Socket.open('IPv4', 'dgram').set('joinGroup', {
      group,
      localAddress: '127.0.0.1',
    });
    const sources = ['10.0.0.1', '10.0.0.2'];
    open.set('groupFilter', { group, interface: 'lo', mode: 'include', sources });
    // struct ip_msfilter: group, interface, mode, count, and room for eight.
    const asked = Buffer.alloc(16 + 32);
    asked.set([239, 1, 2, 250, 127, 0, 0, 1]);
    asked.writeUInt32LE(8, 12);
    const answer = open.getsockopt(C.IPPROTO_IP, C.IP_MSFILTER, asked);
    expect(answer.readUInt32LE(8)).toBe(C.MCAST_INCLUDE);
    expect(answer.subarray(16).toString('hex')).toBe('0a0000010a000002');
  });

  test('a filter comes back as it was attached, whatever its length', () => {
    using open = Socket.open('IPv4', 'dgram');
    const program = bpf.assemble([
      ...Array.from({ length: 4000 }, (_, k) => ['ldi', k] as const),
      ['ret', 0xffffffff],
    ]);
    open.set('attachFilter', program);
    expect(open.get('attachFilter')).toEqual(program);
    // Fewer bytes than it has: refused, not overrun.
    expect(thrown(() => open.getsockopt(C.SOL_SOCKET, C.SO_GET_FILTER))).toMatchObject({
      code: 'EINVAL',
    });
    open.set('detachFilter', true);
    expect(open.get('attachFilter')).toEqual([]);
    expect(open.getsockopt(C.SOL_SOCKET, C.SO_GET_FILTER)).toHaveLength(0);
  });
});

describe('options of connect, listen and bind', () => {
  test('are set before the address, and before configure', async () => {
    const order: unknown[] = [];
    await using server = await listen({
      host: '127.0.0.1',
      port: 0,
      options: { deferAccept: 1, priority: 3 },
      configure(socket) {
        order.push(socket.get('priority'), socket.getsockname());
        socket.set('priority', 4);
      },
    });
    expect(order).toEqual([3, { family: 'IPv4', address: '0.0.0.0', port: 0 }]);
    expect(server.socket.get('priority')).toBe(4);
    expect(server.socket.get('deferAccept')).toBe(1);
    await using udp = await bind({ host: '127.0.0.1', options: { receiveTtl: true, tos: 16 } });
    expect(udp.socket.get('tos')).toBe(16);
    await using peer = await connect({
      type: 'dgram',
      port: 9,
      host: '127.0.0.1',
      options: { ttl: 5 },
    });
    expect(peer.socket.get('ttl')).toBe(5);
  });

  test('count more than what the verb sets by itself', async () => {
    await using server = await listen({
      host: '127.0.0.1',
      port: 0,
      options: { reuseAddress: false, reusePort: undefined },
    });
    expect(server.socket.get('reuseAddress')).toBe(false);
  });

  needs('IPv6', HAS_IPV6)('are one family when the socket has it: v6Only', async () => {
    await using server = await listen({ port: 0, options: { v6Only: true } });
    expect(server.socket.get('v6Only')).toBe(true);
  });

  test.each([
    [{ nonsense: 1 }, 'ERR_INVALID_ARG_VALUE', 'nonsense'],
    [{ tcpInfo: 1 }, 'ERR_INVALID_ARG_VALUE', 'tcpInfo'],
    [{ keepIdle: 0 }, 'ERR_OUT_OF_RANGE', 'options.options.keepIdle'],
    [{ noDelay: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'options.options.noDelay'],
    [{ ttl: 300 }, 'ERR_OUT_OF_RANGE', 'options.options.ttl'],
    [5, 'ERR_INVALID_ARG_TYPE', 'options.options'],
    [null, 'ERR_INVALID_ARG_TYPE', 'options.options'],
  ])('%p is %s at once', (options, code, named) => {
    for (const verb of [connect, listen, bind] as ((given: unknown) => unknown)[]) {
      const error = thrown(() => verb({ port: 0, options }));
      expect(error).toMatchObject({ code });
      expect(error.message).toContain(named);
    }
  });

  test('what the kernel refuses rejects, and leaves no socket', async () => {
    const refused = bind({ host: '127.0.0.1', options: { noDelay: true } });
    expect(await rejection(refused)).toMatchObject({ code: 'ENOPROTOOPT' });
    const gone = bind({ host: '127.0.0.1', options: { bindToInterface: 'eagain-none' } });
    expect(await rejection(gone)).toMatchObject({ code: 'ENODEV' });
  });

  test('a verb refuses the options that it does not have', () => {
    for (const [verb, given] of [
      [connect, { prot: 80, port: 80 }],
      [listen, { port: 0, broadcast: true }],
      [bind, { port: 0, hots: '::1' }],
    ] as [(given: unknown) => unknown, object][]) {
      expect(thrown(() => verb(given))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    }
    expect(
      thrown(() => connect({ prot: 80, port: 80 } as unknown as { port: number })).message,
    ).toContain('prot: 80');
  });
});

describe('defineOption', () => {
  const define = defineOption as unknown as (
    key: unknown,
    definition: Partial<OptionDefinition<number>>,
  ) => void;
  const good = { level: C.IPPROTO_TCP, name: C.TCP_WINDOW_CLAMP, codec: codecs.int(0, 99_999) };

  test('adds an option that can be got and set', () => {
    define('testClamp', good);
    using open = Socket.open('IPv4', 'stream');
    untyped(open).set('testClamp', 50_000);
    expect(untyped(open).get('testClamp')).toBe(50_000);
    expect(open.get('windowClamp')).toBe(50_000);
    expect(thrown(() => untyped(open).set('testClamp', 100_000))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
    define('testReadOnly', { ...good, access: 'get' });
    expect(thrown(() => untyped(open).set('testReadOnly', 1))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });

  test('takes a codec of a program, and what it gives is checked', () => {
    const codec = { size: 4, encode: () => 'no bytes', decode: (bytes: Buffer) => bytes.length };
    define('testCodec', { ...good, codec: codec as unknown as typeof good.codec });
    using open = Socket.open('IPv4', 'stream');
    expect(untyped(open).get('testCodec')).toBe(4);
    expect(thrown(() => untyped(open).set('testCodec', 1))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  test.each([
    ['noDelay', good, 'ERR_INVALID_ARG_VALUE'],
    [5, good, 'ERR_INVALID_ARG_TYPE'],
    ['testA', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['testA', { ...good, level: 'tcp' }, 'ERR_INVALID_ARG_TYPE'],
    ['testA', { ...good, name: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ['testA', { ...good, codec: 5 }, 'ERR_INVALID_ARG_TYPE'],
    ['testA', { ...good, codec: { size: 4 } }, 'ERR_INVALID_ARG_TYPE'],
    ['testA', { ...good, codec: { ...good.codec, size: -1 } }, 'ERR_OUT_OF_RANGE'],
    ['testA', { ...good, access: 'write' }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %p, %j: %s', (key, definition, code) => {
    expect(thrown(() => define(key, definition as OptionDefinition<number>))).toMatchObject({
      code,
    });
  });
});
