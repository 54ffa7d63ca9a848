// Control messages of raw IP and of packet sockets: each kind that the kernel has there, on every path.

import {
  constants as C,
  Socket,
  type Control,
  type InetAddress,
  type OutgoingControl,
  type OutgoingMessage,
} from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { WAYS, type Receive, type Send } from '../support/ways';
import { drained } from '../support/turns';

leavesNoSockets();

const LOOPBACK = binding.ifNameToIndex('lo');
// RFC 3692 and RFC 5342: a protocol and an EtherType for experiments, so that nobody else's come in between.
const PROTOCOL = 253;
const ETHERTYPE = 0x88b6;

// <time.h>: CLOCK_MONOTONIC
const MONOTONIC = 1;

const V4 = C.IPPROTO_IP;
const V6 = C.IPPROTO_IPV6;

type Option = readonly [level: number, name: number];

interface Pair extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
}

function pairOf(open: () => Socket, options: readonly Option[]): Pair {
  const [a, b] = [open(), open()];
  for (const [level, name] of options) b.setsockopt(level, name, true);
  return { a, b, [Symbol.dispose]: () => [a, b].forEach((socket) => socket.close()) };
}

const kindsOf = (control: readonly Control[]): string[] => control.map(({ kind }) => kind).sort();

/** What every socket has: of these the tests of both families are made. */
function expectNow(timestamp: bigint | undefined, began: number): void {
  const ms = Number(timestamp! / 1_000_000n);
  expect({ before: ms < began, after: ms > Date.now() }).toEqual({ before: false, after: false });
}

interface Family {
  readonly family: 'IPv4' | 'IPv6';
  readonly level: number;
  /** Where the receiver is bound: on IPv4 the sender's own copies go elsewhere. */
  readonly at: string;
  /** An address to send from. */
  readonly local: string;
  /** Raw IPv4 is received with its header (raw(7)), raw IPv6 without (RFC 3542). */
  readonly header: number;
  readonly options: Readonly<Record<'ttl' | 'tos' | 'packetInfo' | 'originalDestination', number>>;
}

// What SOL_SOCKET tells, of raw IP and of packets alike.

type MakePair = (...wanted: readonly Option[]) => Pair;

async function isStamped(
  pair: MakePair,
  message: OutgoingMessage,
  send: Send,
  receive: Receive,
): Promise<void> {
  for (const option of [C.SO_TIMESTAMP, C.SO_TIMESTAMPNS]) {
    using made = pair([C.SOL_SOCKET, option]);
    const began = Date.now();
    await send(made.a, message);
    const { control, timestamp } = await receive(made.b);
    expect(kindsOf(control)).toEqual(['timestamp']);
    expectNow(timestamp, began);
  }
}

async function countsDrops(
  pair: MakePair,
  message: OutgoingMessage,
  send: Send,
  receive: Receive,
): Promise<void> {
  using made = pair([C.SOL_SOCKET, C.SO_RXQ_OVFL]);
  made.b.setsockopt(C.SOL_SOCKET, C.SO_RCVBUF, 4096);
  for (let i = 0; i < 40; i++) await send(made.a, message);
  const queued = await drained(() => made.b.tryRecvmsg());
  await send(made.a, message);
  expect(queued).toBeLessThan(40);
  expect((await receive(made.b)).control).toEqual([{ kind: 'drops', value: 40 - queued }]);
}

const FAMILIES: readonly Family[] = [
  {
    family: 'IPv4',
    level: V4,
    at: '127.0.0.53',
    local: '127.0.0.9',
    header: 20,
    options: {
      ttl: C.IP_RECVTTL,
      tos: C.IP_RECVTOS,
      packetInfo: C.IP_PKTINFO,
      originalDestination: C.IP_RECVORIGDSTADDR,
    },
  },
  {
    family: 'IPv6',
    level: V6,
    at: '::1',
    local: '::1',
    header: 0,
    options: {
      ttl: C.IPV6_RECVHOPLIMIT,
      tos: C.IPV6_RECVTCLASS,
      packetInfo: C.IPV6_RECVPKTINFO,
      originalDestination: C.IPV6_RECVORIGDSTADDR,
    },
  },
];

describe.each(FAMILIES)('raw $family', ({ family, level, at, local, header, options }) => {
  const test = needs(
    'CAP_NET_RAW, and its family on the loopback',
    CAN_OPEN_RAW && (family === 'IPv4' || HAS_IPV6),
  );
  const to: InetAddress = { family, address: at, port: 0 };
  const x = { data: Buffer.from('x'), to };

  function pair(...wanted: readonly Option[]): Pair {
    const made = pairOf(() => Socket.open(family, 'raw', PROTOCOL), wanted);
    made.b.bind(to);
    return made;
  }

  describe.each(WAYS)('%s', (_, send, receive) => {
    test('ttl', async () => {
      using made = pair([level, options.ttl]);
      const control: OutgoingControl[] = [{ kind: 'ttl', value: 17 }];
      await send(made.a, { ...x, control });
      await send(made.a, x);
      const message = await receive(made.b);
      expect(message.data.subarray(header).toString()).toBe('x');
      expect(message).toMatchObject({ control, ttl: 17, from: { family, port: 0 } });
      expect((await receive(made.b)).ttl).toBe(64);
    });

    test('tos', async () => {
      using made = pair([level, options.tos]);
      for (const [dscp, ecn] of [
        [46, 1],
        [63, 3],
      ] as const) {
        const control: OutgoingControl[] = [{ kind: 'tos', dscp, ecn }];
        await send(made.a, { ...x, control });
        expect(await receive(made.b)).toMatchObject({ control, tos: { dscp, ecn } });
      }
    });

    test('packetInfo', async () => {
      using made = pair([level, options.packetInfo]);
      const control: OutgoingControl[] = [{ kind: 'packetInfo', interface: LOOPBACK, local }];
      await send(made.a, { ...x, control });
      const message = await receive(made.b);
      expect(message.from).toMatchObject({ address: local });
      expect(message.control).toEqual([
        { kind: 'packetInfo', interface: LOOPBACK, local: at, destination: at },
      ]);
    });

    test('originalDestination: of a port the kernel knows nothing here', async () => {
      using made = pair([level, options.originalDestination]);
      // It takes whatever stands where UDP has the port (ip_cmsg_recv_dstaddr, ip6_datagram_recv_specific_ctl).
      await send(made.a, { data: Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), to });
      const { control, originalDestination } = await receive(made.b);
      expect(originalDestination).toEqual({ ...to, port: 0x0304 });
      expect(kindsOf(control)).toEqual(['originalDestination']);
    });

    test('timestamp', () => isStamped(pair, x, send, receive));

    test('drops', () => countsDrops(pair, { ...x, data: Buffer.alloc(500) }, send, receive));

    test('txtime', async () => {
      using made = pair();
      const message = { ...x, control: [{ kind: 'txtime', ns: 1n }] as OutgoingControl[] };
      const refused = await rejection(Promise.resolve().then(() => send(made.a, message)));
      expect(refused).toMatchObject({ code: 'EINVAL' });
      made.a.set('txTime', { clock: MONOTONIC, flags: [] });
      await send(made.a, message);
      expect((await receive(made.b)).data.subarray(header).toString()).toBe('x');
    });

    test('several at once', async () => {
      using made = pair(
        [C.SOL_SOCKET, C.SO_TIMESTAMPNS],
        [level, options.ttl],
        [level, options.tos],
        [level, options.packetInfo],
      );
      const control: OutgoingControl[] = [
        { kind: 'tos', dscp: 10, ecn: 1 },
        { kind: 'ttl', value: 5 },
      ];
      await send(made.a, { ...x, control });
      const message = await receive(made.b);
      expect(message).toMatchObject({ ttl: 5, tos: { dscp: 10, ecn: 1 } });
      expect(kindsOf(message.control)).toEqual(['packetInfo', 'timestamp', 'tos', 'ttl']);
    });
  });

  test('a batch: each message has its own', async () => {
    using made = pair([level, options.ttl]);
    const messages = Array.from({ length: 32 }, (_, i) => ({
      data: Buffer.from(String(i)),
      to,
      control: [{ kind: 'ttl', value: 1 + i } as const],
    }));
    expect(await made.a.sendmmsg(messages)).toBe(32);
    const got = await made.b.recvmmsg(64);
    expect(got.map(({ data, ttl }) => [data.subarray(header).toString(), ttl])).toEqual(
      messages.map((_, i) => [String(i), 1 + i]),
    );
  });
});

describe('packet', () => {
  const test = needs('CAP_NET_RAW', CAN_OPEN_RAW);
  const text = 'eagain: a frame';
  const frame = (...words: readonly number[]): Buffer => {
    const header = Buffer.alloc(12 + 2 * words.length);
    words.forEach((word, i) => header.writeUInt16BE(word, 12 + 2 * i));
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const plain = { data: frame(ETHERTYPE) };

  function pair(...wanted: readonly Option[]): Pair {
    return pairOf(() => {
      const open = Socket.open('packet', 'raw', 0);
      open.bind({ family: 'packet', interface: LOOPBACK, protocol: ETHERTYPE });
      return open;
    }, wanted);
  }

  // struct tpacket_auxdata: __u32 status, len, snaplen; __u16 mac, net, vlan_tci, vlan_tpid.
  function auxiliary(control: readonly Control[]): number[] {
    expect(control).toMatchObject([{ kind: 'raw', level: C.SOL_PACKET, type: C.PACKET_AUXDATA }]);
    const { data } = control[0] as Extract<Control, { kind: 'raw' }>;
    expect(data.byteLength).toBe(20);
    const { buffer } = Uint8Array.from(data);
    return [...new Uint32Array(buffer, 0, 3), ...new Uint16Array(buffer, 12)];
  }

  describe.each(WAYS)('%s', (_, send, receive) => {
    test('PACKET_AUXDATA, raw', async () => {
      using made = pair([C.SOL_PACKET, C.PACKET_AUXDATA]);
      await send(made.a, plain);
      const { control, data } = await receive(made.b);
      expect(data.equals(plain.data)).toBe(true);
      const { length } = plain.data;
      const [status, ...rest] = auxiliary(control);
      expect(status & C.TP_STATUS_USER).not.toBe(0);
      expect(rest).toEqual([length, length, 0, 14, 0, 0]);
    });

    test('PACKET_AUXDATA of a VLAN: the tag is there and not in the frame', async () => {
      using made = pair([C.SOL_PACKET, C.PACKET_AUXDATA], [C.SOL_PACKET, C.PACKET_IGNORE_OUTGOING]);
      // Those who are bound to one EtherType get the frame without its tag, here or there: the kernel forgets it
      // before it comes to them (__netif_receive_skb_core).
      made.b.bind({ family: 'packet', interface: LOOPBACK, protocol: C.ETH_P_ALL });
      let message;
      do {
        await send(made.a, { data: frame(C.ETH_P_8021Q, 5, ETHERTYPE) });
        message = await receive(made.b);
        // Whatever else goes over the loopback comes too.
      } while (!message.data.equals(plain.data));
      const [status, length, , , , tag, protocol] = auxiliary(message.control);
      const valid = C.TP_STATUS_VLAN_VALID | C.TP_STATUS_VLAN_TPID_VALID;
      expect(status & valid).toBe(valid);
      expect([length, tag, protocol]).toEqual([plain.data.length, 5, C.ETH_P_8021Q]);
    });

    test('timestamp', () => isStamped(pair, plain, send, receive));

    test('drops', () => countsDrops(pair, { data: Buffer.alloc(500, plain.data) }, send, receive));

    test('txtime', async () => {
      using made = pair();
      const message = { ...plain, control: [{ kind: 'txtime', ns: 1n }] as OutgoingControl[] };
      const refused = await rejection(Promise.resolve().then(() => send(made.a, message)));
      expect(refused).toMatchObject({ code: 'EINVAL' });
      made.a.set('txTime', { clock: MONOTONIC, flags: [] });
      await send(made.a, message);
      expect((await receive(made.b)).data.equals(plain.data)).toBe(true);
    });
  });

  test('a batch: each frame has its own', async () => {
    using made = pair([C.SOL_PACKET, C.PACKET_AUXDATA], [C.SOL_SOCKET, C.SO_TIMESTAMPNS]);
    const frames = [1, 2, 3].map((i) => Buffer.concat([plain.data, Buffer.alloc(i)]));
    expect(await made.a.sendmmsg(frames.map((data) => ({ data })))).toBe(3);
    const got = await made.b.recvmmsg(3);
    const lengths = got.map(({ control }) =>
      auxiliary(control.filter(({ kind }) => kind === 'raw')).at(1),
    );
    expect(lengths).toEqual(frames.map(({ length }) => length));
    expect(got.every(({ timestamp }) => timestamp !== undefined)).toBe(true);
  });

  test('ttl, tos and packetInfo are of IP, and refused by their names', () => {
    using made = pair();
    for (const kind of ['ttl', 'tos', 'packetInfo'] as const) {
      const control = [{ kind, value: 1, dscp: 1, ecn: 0 }] as unknown as OutgoingControl[];
      expect(thrown(() => made.a.sendmsg({ ...plain, control }))).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining('message.control[0].kind') as string,
      });
    }
  });
});
