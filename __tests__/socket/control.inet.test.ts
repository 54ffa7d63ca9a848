// Control messages of IP and UDP: each kind on every path, over both families and over both through one socket.

import {
  constants as C,
  Socket,
  type Control,
  type InetAddress,
  type Message,
  type OutgoingControl,
} from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { WAYS } from '../support/ways';
import { drained } from '../support/turns';

leavesNoSockets();

const LOOPBACK = binding.ifNameToIndex('lo');

interface Family {
  readonly what: string;
  readonly sender: 'IPv4' | 'IPv6';
  readonly receiver: 'IPv4' | 'IPv6';
  /** Where the receiver is bound, and where it is reached. */
  readonly at: string;
  readonly to: string;
}

const FAMILIES: readonly Family[] = [
  { what: 'IPv4', sender: 'IPv4', receiver: 'IPv4', at: '127.0.0.1', to: '127.0.0.1' },
  { what: 'IPv6', sender: 'IPv6', receiver: 'IPv6', at: '::1', to: '::1' },
  { what: 'IPv4 → dual stack', sender: 'IPv4', receiver: 'IPv6', at: '::', to: '127.0.0.1' },
  { what: 'dual stack → IPv4', sender: 'IPv6', receiver: 'IPv4', at: '127.0.0.1', to: '127.0.0.1' },
  { what: 'IPv6 → dual stack', sender: 'IPv6', receiver: 'IPv6', at: '::', to: '::1' },
];

type Option = readonly [level: number, name: number];
const V4 = C.IPPROTO_IP;
const V6 = C.IPPROTO_IPV6;

interface Pair extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
  readonly to: InetAddress;
}

/** `a` sends to `b`, which tells what `options` make it tell. */
function pairOf({ sender, receiver, at, to }: Family, options: readonly Option[] = []): Pair {
  const [a, b] = [Socket.open(sender, 'dgram'), Socket.open(receiver, 'dgram')];
  if (at === '::') b.setsockopt(V6, C.IPV6_V6ONLY, false);
  for (const [level, name] of options) {
    if (level !== V6 || receiver === 'IPv6') b.setsockopt(level, name, true);
  }
  b.bind({ address: at, port: 0 });
  const { port } = b.getsockname() as InetAddress;
  const family = to.includes(':') ? 'IPv6' : 'IPv4';
  return {
    a,
    b,
    to: { family, address: to, port },
    [Symbol.dispose]: () => [a, b].forEach((socket) => socket.close()),
  };
}

const isV4 = ({ to }: Family): boolean => !to.includes(':');

function kindsOf(control: readonly Control[]): string[] {
  return control.map(({ kind }) => kind);
}

describe.each(FAMILIES)('$what', (family) => {
  const possible = HAS_IPV6 || (family.sender === 'IPv4' && family.receiver === 'IPv4');
  const test = needs('IPv6 on the loopback', possible);

  describe.each(WAYS)('%s', (_, send, receive) => {
    test('ttl', async () => {
      using pair = pairOf(family, [
        [V4, C.IP_RECVTTL],
        [V6, C.IPV6_RECVHOPLIMIT],
      ]);
      const control: OutgoingControl[] = [{ kind: 'ttl', value: 17 }];
      await send(pair.a, { data: Buffer.from('x'), to: pair.to, control });
      await send(pair.a, { data: Buffer.from('y'), to: pair.to });
      const message = await receive(pair.b);
      expect(message).toMatchObject({ control, ttl: 17, controlTruncated: false });
      expect(kindsOf(message.control)).toEqual(['ttl']);
      expect((await receive(pair.b)).ttl).toBe(64);
    });

    test('tos', async () => {
      using pair = pairOf(family, [
        [V4, C.IP_RECVTOS],
        [V6, C.IPV6_RECVTCLASS],
      ]);
      // All values that ECN has, and the ends of DSCP.
      for (const [dscp, ecn] of [
        [0, 0],
        [46, 1],
        [63, 2],
        [1, 3],
      ] as const) {
        const control: OutgoingControl[] = [{ kind: 'tos', dscp, ecn }];
        await send(pair.a, { data: Buffer.from('x'), to: pair.to, control });
        expect(await receive(pair.b)).toMatchObject({ control, tos: { dscp, ecn } });
      }
    });

    test('packetInfo', async () => {
      using pair = pairOf(family, [
        [V4, C.IP_PKTINFO],
        [V6, C.IPV6_RECVPKTINFO],
      ]);
      const local = isV4(family) ? '127.0.0.9' : '::1';
      const control: OutgoingControl[] = [{ kind: 'packetInfo', interface: LOOPBACK, local }];
      await send(pair.a, { data: Buffer.from('x'), to: pair.to, control });
      const message = await receive(pair.b);
      expect(message.from).toMatchObject({ address: local });
      const info = { interface: LOOPBACK, local: family.to, destination: family.to };
      expect(message.packetInfo).toEqual(info);
      for (const part of message.control) expect(part).toEqual({ kind: 'packetInfo', ...info });
    });

    test('timestamp', async () => {
      for (const option of [C.SO_TIMESTAMP, C.SO_TIMESTAMPNS]) {
        using pair = pairOf(family, [[C.SOL_SOCKET, option]]);
        const began = BigInt(Date.now()) * 1_000_000n;
        await send(pair.a, { data: Buffer.from('x'), to: pair.to });
        await send(pair.a, { data: Buffer.from('y'), to: pair.to });
        // Nothing is said about their order: a message that came before the kernel began to stamp is stamped when
        // it is received (the next test says more), and the second may have come after that.
        for (let i = 0; i < 2; i++) {
          const { control, timestamp } = await receive(pair.b);
          const ended = BigInt(Date.now() + 1) * 1_000_000n;
          expect(control).toEqual([{ kind: 'timestamp', ns: timestamp, source: 'software' }]);
          expect({ before: timestamp! < began, after: timestamp! > ended }).toEqual({
            before: false,
            after: false,
          });
        }
      }
    });

    test('timestamp, by SO_TIMESTAMPING', async () => {
      using pair = pairOf(family);
      // SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE
      pair.b.setsockopt(C.SOL_SOCKET, C.SO_TIMESTAMPING, 0x18);
      // The kernel begins to stamp some time after it was asked to (net_enable_timestamp, a work queue), and
      // only SO_TIMESTAMP makes up a stamp for what came without one.
      let message = { timestamp: undefined } as Message;
      for (let tries = 0; message.timestamp === undefined && tries < 10_000; tries++) {
        await send(pair.a, { data: Buffer.from('x'), to: pair.to });
        message = await receive(pair.b);
      }
      const { control, timestamp } = message;
      expect(control).toEqual([{ kind: 'timestamp', ns: timestamp, source: 'software' }]);
      expect(Number(timestamp! / 1_000_000n)).toBeGreaterThan(Date.now() - 60_000);
    });

    test('segmentSize: sent as one, received as many', async () => {
      using pair = pairOf(family);
      const control: OutgoingControl[] = [{ kind: 'segmentSize', value: 100 }];
      await send(pair.a, { data: Buffer.alloc(250, 'x'), to: pair.to, control });
      const lengths = [];
      for (let i = 0; i < 3; i++) lengths.push((await receive(pair.b)).length);
      expect(lengths).toEqual([100, 100, 50]);
    });

    test('segmentSize: sent as one, received as one', async () => {
      using pair = pairOf(family, [[C.IPPROTO_UDP, C.UDP_GRO]]);
      const control: OutgoingControl[] = [{ kind: 'segmentSize', value: 100 }];
      const data = Buffer.from(Array.from({ length: 250 }, (_value, i) => i));
      await send(pair.a, { data, to: pair.to, control });
      const message = await receive(pair.b);
      expect(message).toMatchObject({ length: 250, truncated: false, control });
      expect(message.data.equals(data)).toBe(true);
      expect(message.segments!.map(({ length }) => length)).toEqual([100, 100, 50]);
      expect(Buffer.concat(message.segments!).equals(data)).toBe(true);
      await send(pair.a, { data, to: pair.to });
      expect((await receive(pair.b)).segments).toBeUndefined();
    });

    test('originalDestination', async () => {
      using pair = pairOf(family, [
        [V4, C.IP_RECVORIGDSTADDR],
        [V6, C.IPV6_RECVORIGDSTADDR],
      ]);
      await send(pair.a, { data: Buffer.from('x'), to: pair.to });
      const { control, originalDestination } = await receive(pair.b);
      expect(originalDestination).toEqual(pair.to);
      expect(control[0]).toEqual({ kind: 'originalDestination', address: pair.to });
    });

    test('drops', async () => {
      using pair = pairOf(family, [[C.SOL_SOCKET, C.SO_RXQ_OVFL]]);
      pair.b.setsockopt(C.SOL_SOCKET, C.SO_RCVBUF, 4096);
      const data = Buffer.alloc(500);
      for (let i = 0; i < 40; i++) await send(pair.a, { data, to: pair.to });
      const queued = await drained(() => pair.b.tryRecvmsg());
      expect(queued).toBeLessThan(40);
      await send(pair.a, { data, to: pair.to });
      const message = await receive(pair.b);
      expect(message.control).toEqual([{ kind: 'drops', value: 40 - queued }]);
      expect(message.drops).toBe(40 - queued);
    });

    test('txtime: the kernel reads it', async () => {
      using pair = pairOf(family);
      const message = {
        data: Buffer.from('x'),
        to: pair.to,
        control: [{ kind: 'txtime', ns: 1n }] as OutgoingControl[],
      };
      // Without the option it is EINVAL (__sock_cmsg_send).
      const refused = await rejection(Promise.resolve().then(() => send(pair.a, message)));
      expect(refused).toMatchObject({ code: 'EINVAL' });
      // struct sock_txtime: CLOCK_MONOTONIC, no flags.
      pair.a.setsockopt(C.SOL_SOCKET, C.SO_TXTIME, new Int32Array([1, 0]));
      await send(pair.a, message);
      expect((await receive(pair.b)).data.toString()).toBe('x');
    });

    test('what has no name goes and comes raw', async () => {
      using pair = pairOf(family, [
        [V4, C.IP_RECVTTL],
        [V6, C.IPV6_RECVHOPLIMIT],
      ]);
      const data = new Uint8Array(new Int32Array([33]).buffer);
      const control: OutgoingControl[] = isV4(family)
        ? [{ kind: 'raw', level: V4, type: C.IP_TTL, data }]
        : [{ kind: 'raw', level: V6, type: C.IPV6_HOPLIMIT, data }];
      // SO_RCVMARK (Linux 6.0): the mark that the sender has set comes with the message.
      pair.b.setsockopt(C.SOL_SOCKET, 75, true);
      pair.a.setsockopt(C.SOL_SOCKET, C.SO_MARK, 0x1234);
      await send(pair.a, { data: Buffer.from('x'), to: pair.to, control });
      const message = await receive(pair.b);
      expect(message.ttl).toBe(33);
      expect(message.control).toContainEqual({
        kind: 'raw',
        level: C.SOL_SOCKET,
        type: C.SO_MARK,
        data: Buffer.from(new Int32Array([0x1234]).buffer),
      });
    });

    test('several at once, in the order of the kernel', async () => {
      using pair = pairOf(family, [
        [C.SOL_SOCKET, C.SO_TIMESTAMPNS],
        [V4, C.IP_RECVTTL],
        [V4, C.IP_RECVTOS],
        [V6, C.IPV6_RECVHOPLIMIT],
        [V6, C.IPV6_RECVTCLASS],
      ]);
      const control: OutgoingControl[] = [
        { kind: 'tos', dscp: 10, ecn: 1 },
        { kind: 'ttl', value: 5 },
      ];
      await send(pair.a, { data: Buffer.from('x'), to: pair.to, control });
      const message = await receive(pair.b);
      expect(message).toMatchObject({ ttl: 5, tos: { dscp: 10, ecn: 1 } });
      expect(kindsOf(message.control).sort()).toEqual(['timestamp', 'tos', 'ttl'].sort());
    });

    test('room for some of it: the rest is cut, and says so', async () => {
      using pair = pairOf(family, [
        [C.SOL_SOCKET, C.SO_TIMESTAMPNS],
        [V4, C.IP_RECVTTL],
        [V6, C.IPV6_RECVHOPLIMIT],
      ]);
      await send(pair.a, { data: Buffer.from('x'), to: pair.to });
      // A timestamp takes 32 bytes.
      const message = await receive(pair.b, 32);
      expect(message).toMatchObject({ controlTruncated: true, truncated: false, length: 1 });
      expect(kindsOf(message.control)).toEqual(['timestamp']);
      await send(pair.a, { data: Buffer.from('x'), to: pair.to });
      expect(await receive(pair.b, 0)).toMatchObject({ controlTruncated: true, control: [] });
    });

    test('who asks for nothing gets nothing', async () => {
      using pair = pairOf(family);
      await send(pair.a, { data: Buffer.from('x'), to: pair.to });
      const message = await receive(pair.b);
      expect(message).toMatchObject({ control: [], controlTruncated: false });
      expect(Object.keys(message).sort()).toEqual(
        ['control', 'controlTruncated', 'data', 'flags', 'from', 'length', 'truncated'].sort(),
      );
    });
  });

  test('a batch: each message has its own', async () => {
    using pair = pairOf(family, [
      [V4, C.IP_RECVTTL],
      [V6, C.IPV6_RECVHOPLIMIT],
    ]);
    const messages = Array.from({ length: 64 }, (_, i) => ({
      data: Buffer.from(String(i)),
      to: pair.to,
      control: i % 3 === 0 ? [] : [{ kind: 'ttl', value: 1 + i } as const],
    }));
    expect(await pair.a.sendmmsg(messages)).toBe(64);
    const got = await pair.b.recvmmsg(64);
    expect(got.map(({ data }) => data.toString())).toEqual(
      messages.map(({ data }) => data.toString()),
    );
    expect(got.map(({ ttl }) => ttl)).toEqual(messages.map((_, i) => (i % 3 === 0 ? 64 : 1 + i)));
  });

  test('an answer from packetInfo leaves by the address that was asked', async () => {
    using pair = pairOf(family, [
      [V4, C.IP_PKTINFO],
      [V6, C.IPV6_RECVPKTINFO],
    ]);
    const asked = isV4(family) && family.at === '::' ? '127.0.0.77' : family.to;
    await pair.a.sendmsg({ data: Buffer.from('?'), to: { ...pair.to, address: asked } });
    const { from, control } = await pair.b.recvmsg();
    const info = control.filter(({ kind }) => kind === 'packetInfo').at(-1) as OutgoingControl;
    await pair.b.sendmsg({ data: Buffer.from('!'), to: from!, control: [info] });
    expect((await pair.a.recvmsg()).from).toMatchObject({ address: asked, port: pair.to.port });
  });
});
