// Classic BPF: the assembler against known instructions, and the ready programs against real packets.

import { bpf, constants as C, Socket, type InetAddress } from '../../lib/index';
import type { Line } from '../../lib/socket/bpf';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';
import { soon } from '../support/turns';

leavesNoSockets();
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);

// `tcpdump -dd` of "arp": ldh [12]; jeq #0x806; ret #262144; ret #0.
test('assembler: what tcpdump makes of "arp"', () => {
  const program = bpf.assemble([
    ['ldh', 12],
    ['jeq', 0x806, '', 'drop'],
    ['ret', 262144],
    'drop:',
    ['ret', 0],
  ]);
  expect(program).toEqual([
    { code: 0x28, jt: 0, jf: 0, k: 12 },
    { code: 0x15, jt: 0, jf: 1, k: 0x806 },
    { code: 0x06, jt: 0, jf: 0, k: 262144 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ]);
});

test('assembler: negative numbers are the extensions', () => {
  const [load] = bpf.assemble([['ld', C.SKF_AD_OFF + C.SKF_AD_CPU]]);
  expect(load).toEqual({ code: 0x20, jt: 0, jf: 0, k: 0xfffff024 });
});

test.each<[string, readonly unknown[], string, string]>([
  ['an unknown mnemonic', [['load', 1]], 'ERR_INVALID_ARG_VALUE', 'lines[0][0]'],
  ['a name of Object', [['toString', 1]], 'ERR_INVALID_ARG_VALUE', 'lines[0][0]'],
  ['no number', [['ldh']], 'ERR_INVALID_ARG_TYPE', 'lines[0][1]'],
  ['too large a number', [['ret', 2 ** 32]], 'ERR_OUT_OF_RANGE', 'lines[0][1]'],
  ['an unknown label', [['ja', 'there']], 'ERR_INVALID_ARG_VALUE', 'lines[0][1]'],
  ['a jump backwards', ['a:', ['ja', 'a']], 'ERR_INVALID_ARG_VALUE', 'lines[1][1]'],
  ['a label twice', ['a:', 'a:'], 'ERR_INVALID_ARG_VALUE', 'lines[1]'],
  ['a label without a colon', ['a'], 'ERR_INVALID_ARG_VALUE', 'lines[0]'],
  ['a line that is none', [5], 'ERR_INVALID_ARG_TYPE', 'lines[0]'],
  [
    'a jump that is too far',
    [['jeq', 1, 'end'], ...Array.from({ length: 256 }, () => ['tax']), 'end:', ['ret', 0]],
    'ERR_OUT_OF_RANGE',
    'lines[0][2]',
  ],
])('assembler: %s is refused by its line', (_what, lines, code, name) => {
  const error = thrown(() => bpf.assemble(lines as Line[]));
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(`"${name}"`);
});

test.each([
  [() => bpf.port(65536)],
  [() => bpf.port(80, { protocol: 'sctp' as 'udp' })],
  [() => bpf.port(80, { side: 'left' as 'source' })],
  [() => bpf.etherType('nonsense')],
  [() => bpf.etherType(0x10000)],
  [() => bpf.ipProtocol(256)],
  [() => bpf.reusePortByCpu(0)],
])('programs: %p is refused', (make) => {
  expect(thrown(make).code).toMatch(/^ERR_/);
});

test('every mnemonic is one that the kernel takes', () => {
  using open = Socket.open('IPv4', 'dgram');
  const lines: Line[] = [
    ['ld', 0],
    ['ldh', 0],
    ['ldb', 0],
    ['ldi', 1],
    ['tax'],
    ['ldx', 0],
    ['ldhx', 0],
    ['ldbx', 0],
    ['ldxi', 1],
    ['st', 0],
    ['stx', 1],
    ['ldm', 0],
    ['ldxm', 1],
    ['ldxip', 0],
    ['ldlen'],
    ['ldxlen'],
    ['add', 1],
    ['sub', 1],
    ['mul', 1],
    ['div', 1],
    ['mod', 1],
    ['and', 1],
    ['or', 1],
    ['xor', 1],
    ['lsh', 1],
    ['rsh', 1],
    ['neg'],
    ['addx'],
    ['subx'],
    ['mulx'],
    ['divx'],
    ['modx'],
    ['andx'],
    ['orx'],
    ['xorx'],
    ['lshx'],
    ['rshx'],
    ['txa'],
    ['jeq', 1, 'a'],
    'a:',
    ['jgt', 1, 'b'],
    'b:',
    ['jge', 1, 'c'],
    'c:',
    ['jset', 1, 'd'],
    'd:',
    ['jeqx', 'e'],
    'e:',
    ['jgtx', 'f'],
    'f:',
    ['jgex', 'g'],
    'g:',
    ['jsetx', 'h'],
    'h:',
    ['ja', 'i'],
    ['ret', 5],
    'i:',
    ['reta'],
  ];
  const program = bpf.assemble(lines);
  open.set('attachFilter', program);
  expect(open.get('attachFilter')).toEqual(program);
});

test('a filter of a UDP socket keeps what it likes', async () => {
  using receiver = Socket.open('IPv4', 'dgram');
  receiver.set(
    'attachFilter',
    bpf.assemble([['ldb', 8], ['jeq', 0x7b, 'keep'], ['ret', 0], 'keep:', ['ret', 0xffffffff]]),
  );
  receiver.bind({ address: '127.0.0.1', port: 0 });
  using sender = Socket.open('IPv4', 'dgram');
  const to = receiver.getsockname();
  for (const text of ['no', '{yes', 'never', '{too']) await sender.sendto(Buffer.from(text), to);
  const got = [await receiver.recvmsg(), await receiver.recvmsg()].map(({ data }) => String(data));
  expect(got).toEqual(['{yes', '{too']);
  expect(receiver.tryRecvmsg()).toBeNull();
});

test('reusePortByCpu: one socket of the group gets all that comes from this CPU', async () => {
  const group = [0, 1].map(() => Socket.open('IPv4', 'dgram').set('reusePort', true));
  try {
    group[0].bind({ address: '127.0.0.1', port: 0 });
    group[1].bind(group[0].getsockname());
    // A program whose answer is known: the second one.
    group[0].set('attachReusePortFilter', bpf.assemble([['ret', 1]]));
    using sender = Socket.open('IPv4', 'dgram');
    for (let i = 0; i < 8; i++) await sender.sendto(Buffer.from([i]), group[0].getsockname());
    for (let i = 0; i < 8; i++) soon(() => group[1].tryRecvmsg());
    expect(group[0].tryRecvmmsg(16)).toBeNull();
    group[0].set('attachReusePortFilter', bpf.reusePortByCpu(2));
    for (let i = 0; i < 8; i++) await sender.sendto(Buffer.from([i]), group[0].getsockname());
    for (let i = 0; i < 8; i++) soon(() => group[0].tryRecvmsg() ?? group[1].tryRecvmsg());
  } finally {
    for (const socket of group) socket.close();
  }
});

type Family = 'IPv4' | 'IPv6';

interface Sniffed {
  /** The UDP ports that the packets were for. */
  sniffed: number[];
  /** Those of the two sockets. */
  ports: [number, number];
}
type Filter = ReturnType<typeof bpf.port>;

/** What a packet socket with this filter saw of one datagram to each of two sockets. */
async function seen(type: 'raw' | 'dgram', filter: Filter, family: Family): Promise<Sniffed> {
  let result: Sniffed | undefined;
  while (result === undefined) result = await look(type, filter, family);
  return result;
}

/** undefined: whatever else goes over the loopback has left no room for it. */
async function look(
  type: 'raw' | 'dgram',
  filter: Filter,
  family: Family,
): Promise<Sniffed | undefined> {
  const address = family === 'IPv4' ? '127.0.0.1' : '::1';
  using sniffer = Socket.open('packet', type, 0);
  sniffer.set('packetIgnoreOutgoing', true).set('attachFilter', filter);
  sniffer.bind({ family: 'packet', interface: 1, protocol: C.ETH_P_ALL });
  using a = Socket.open(family, 'dgram');
  a.bind({ address, port: 0 });
  using b = Socket.open(family, 'dgram');
  b.bind({ address, port: 0 });
  const ports = [a, b].map((socket) => (socket.getsockname() as InetAddress).port);
  await a.sendto(Buffer.from('eagain'), b.getsockname());
  await b.sendto(Buffer.from('eagain'), a.getsockname());
  // Packet sockets have it before its recipient.
  await Promise.all([b.recvmsg(), a.recvmsg()]);
  const packets = sniffer.tryRecvmmsg(64) ?? [];
  if (packets.length === 64 || sniffer.get('packetStatistics').drops > 0) return undefined;
  const link = type === 'raw' ? 14 : 0;
  const ip = family === 'IPv4' ? 20 : 40;
  const sniffed = packets
    .filter(({ data }) => data.subarray(link + ip + 8).toString() === 'eagain')
    .map(({ data }) => data.readUInt16BE(link + ip + 2));
  return { sniffed, ports: ports as [number, number] };
}

const families: readonly Family[] = HAS_IPV6 ? ['IPv4', 'IPv6'] : ['IPv4'];
for (const type of ['raw', 'dgram'] as const) {
  for (const family of families) {
    raw(`port, ipProtocol and etherType on a ${type} packet socket, over ${family}`, async () => {
      const all = await seen(type, bpf.keepAll(), family);
      expect(all.sniffed.sort()).toEqual([...all.ports].sort());
      expect((await seen(type, bpf.dropAll(), family)).sniffed).toEqual([]);
      expect((await seen(type, bpf.ipProtocol('udp'), family)).sniffed).toHaveLength(2);
      expect((await seen(type, bpf.ipProtocol('tcp'), family)).sniffed).toEqual([]);
      const own = family === 'IPv4' ? 'ip' : 'ipv6';
      expect((await seen(type, bpf.etherType(own), family)).sniffed).toHaveLength(2);
      expect((await seen(type, bpf.etherType('arp'), family)).sniffed).toEqual([]);
    });

    raw(`port takes the one side or the other on a ${type} socket, over ${family}`, async () => {
      const address = family === 'IPv4' ? '127.0.0.1' : '::1';
      using a = Socket.open(family, 'dgram');
      a.bind({ address, port: 0 });
      using b = Socket.open(family, 'dgram');
      b.bind({ address, port: 0 });
      const { port } = a.getsockname() as InetAddress;
      const sniff = async (match: Parameters<typeof bpf.port>[1]): Promise<number> => {
        using sniffer = Socket.open('packet', type, 0);
        sniffer.set('packetIgnoreOutgoing', true).set('attachFilter', bpf.port(port, match));
        sniffer.bind({ family: 'packet', interface: 1, protocol: C.ETH_P_ALL });
        await a.sendto(Buffer.from('from it'), b.getsockname());
        await b.sendto(Buffer.from('to it, longer'), a.getsockname());
        await b.sendto(Buffer.from('not its'), b.getsockname());
        await Promise.all([b.recvmsg(), b.recvmsg(), a.recvmsg()]);
        return (sniffer.tryRecvmmsg(64) ?? []).length;
      };
      expect(await sniff({})).toBe(2);
      expect(await sniff({ protocol: 'udp' })).toBe(2);
      expect(await sniff({ protocol: 'tcp' })).toBe(0);
      expect(await sniff({ side: 'source' })).toBe(1);
      expect(await sniff({ side: 'destination' })).toBe(1);
    });
  }
}
