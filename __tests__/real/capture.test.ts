// Packets as AF_PACKET sockets and tcpdump have them, on the same end of a veth pair: the same ones, the same bytes, in
// the same order.

import { execFileSync } from 'node:child_process';
import { bpf, constants as C, type Message, type PacketAddress } from '../../lib/index';
import { RawSocket } from '../../lib/endpoints/raw';
import { runInChild } from '../support/child';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_MAKE_NAMESPACES, wire, type Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { find } from './support/programs';
import { cooked, filtered, packetsOf, Tcpdump } from './support/tcpdump';

const open: RawSocket[] = [];
/** Closed when the test is over, however it ends. */
function closedBehind(...sockets: readonly RawSocket[]): void {
  open.push(...sockets);
}
afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close())));
leavesNoSockets();
jest.setTimeout(60_000);
const real = needs('tcpdump, network namespaces', !!find('tcpdump') && CAN_MAKE_NAMESPACES);

const BEGINNING = 'eagain: the beginning';
const MARK = 'eagain: the end';
const ETHERNET = 14;

/** As bind() does it, in another namespace: a socket for each filter. */
async function packets(
  namespace: Namespace,
  name: string,
  ...filters: readonly ReturnType<typeof bpf.keepAll>[]
): Promise<RawSocket<PacketAddress>[]> {
  const index = namespace.indexOf(name);
  const sockets = await namespace.sockets(filters.length, C.AF_PACKET, C.SOCK_RAW);
  return sockets.map((open, i) => {
    open.set('attachFilter', filters[i]).set('packetAuxiliaryData', true);
    open.set('forceReceiveBufferSize', 8 << 20);
    open.bind({ family: 'packet', interface: index, protocol: C.ETH_P_ALL });
    return new RawSocket<PacketAddress>(open);
  });
}

const sinceBeginning = (seen: readonly Buffer[]): Buffer[] =>
  seen.slice(seen.findIndex((packet) => packet.includes(BEGINNING)));

const hex = (buffers: readonly Buffer[]): string[] => buffers.map((each) => each.toString('hex'));

interface Seen {
  readonly data: string;
  readonly from: PacketAddress;
}

real(
  'capture: raw and cooked, in and out, unicast, broadcast and multicast: all as tcpdump has it',
  async () => {
    using ends = wire();
    const { near } = ends;
    await using raw = await Tcpdump.start(near, '-i', 'near0');
    await using any = await Tcpdump.start(near, '-i', 'any', '-y', 'LINUX_SLL2');
    const program = `
      const { execFileSync } = require('node:child_process');
      const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      // Two CPUs may hand two packets at once to two sockets, in two orders.
      run('taskset', '-pc', '0', String(process.pid));
      const wire = { type: 'raw', interface: 'near0', options: { receiveBufferSize: 1 << 20 } };
      const sockets = [await eagain.bind(wire), await eagain.bind({ ...wire, cooked: true })];
      const udp = await eagain.bind({ host: '10.9.0.1', broadcast: true });
      udp.setMulticast({ interface: 'near0' });
      await udp.send('${BEGINNING}', { address: '10.9.0.2', port: 9 });
      run('ip', 'neigh', 'flush', 'dev', 'near0');
      run('ping', '-n', '-q', '-c', '2', '-i', '0.01', '-s', '1000', '10.9.0.2');
      run('ping', '-n', '-q', '-c', '1', 'fd09::2');
      await udp.send(Buffer.alloc(5000, 'fragments'), { address: '10.9.0.2', port: 9 });
      await udp.send('to all', { address: '10.9.0.255', port: 9 });
      await udp.send('to some', { address: '239.1.2.3', port: 9 });
      await eagain.connect({ host: '10.9.0.2', port: 1 }).catch(() => undefined);
      await udp.send('${MARK}', { address: '10.9.0.2', port: 9 });
      const seen = [];
      for (const socket of sockets) {
        const messages = [];
        let begun = false;
        for await (const { data, from, truncated } of socket) {
          if (data.includes('${MARK}')) break;
          begun ||= data.includes('${BEGINNING}');
          if (begun) messages.push({ data: data.toString('hex'), from, truncated });
        }
        seen.push(messages);
        await socket.close();
      }
      await udp.close();
      report(seen);`;
    const [ours, ourCooked] = (await runInChild(program, { namespace: near.name })) as Seen[][];
    const theirs = sinceBeginning(packetsOf(await raw.until(MARK)));
    expect(ours.map(({ data }) => data)).toEqual(hex(theirs));
    const index = near.indexOf('near0');
    const theirCooked = sinceBeginning(packetsOf(await any.until(MARK)))
      .map(cooked)
      .filter(({ from }) => from.interface === index)
      .map(({ from, data }) => ({ from, data: data.toString('hex'), truncated: false }));
    expect(ourCooked).toEqual(theirCooked);
    expect(ours.map(({ from }) => from)).toEqual(ourCooked.map(({ from }) => from));
    // It was worth looking: requests and replies, ARP, fragments, IPv6, groups; the far kernel's reports to
    // multicast routers may come in between.
    const kinds = [...new Set(ours.map(({ from }) => from.packetType))];
    expect(kinds).toEqual(expect.arrayContaining(['outgoing', 'host']));
    const protocols = new Set(ours.map(({ from }) => from.protocol));
    expect(protocols).toEqual(new Set([C.ETH_P_ARP, C.ETH_P_IP, C.ETH_P_IPV6]));
    expect(ours.length).toBeGreaterThan(20);
  },
);

/** tcpdump's own program for `expression`: `-ddd` prints how many instructions, and then each in four numbers. */
function compiled(expression: string): ReturnType<typeof bpf.keepAll> {
  const args = ['-ddd', '-y', 'EN10MB', expression];
  const [, ...lines] = execFileSync('tcpdump', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [code, jt, jf, k] = line.split(' ').map(Number);
    return { code, jt, jf, k };
  });
}

/** Everything that waits. */
function taken(socket: RawSocket): Message[] {
  const messages: Message[] = [];
  for (;;) {
    const more = socket.socket.tryRecvmmsg(64);
    if (more === null) return messages;
    messages.push(...more);
  }
}

real('capture: filters, ours and tcpdump’s own, keep what tcpdump keeps', async () => {
  using ends = wire();
  const { near, far } = ends;
  const cases = [
    { expression: 'port 53', filter: bpf.port(53) },
    { expression: 'udp src port 53', filter: bpf.port(53, { protocol: 'udp', side: 'source' }) },
    { expression: 'arp', filter: bpf.etherType('arp') },
    { expression: 'udp', filter: bpf.ipProtocol('udp') },
    // tcpdump's own programs.
    { expression: 'port 53' },
    { expression: 'udp port 53 and greater 200' },
    { expression: 'icmp[icmptype] == icmp-unreach' },
  ];
  const programs = cases.map(({ expression, filter }) => filter ?? compiled(expression));
  const sockets = await packets(near, 'near0', ...programs);
  closedBehind(...sockets);
  await using tcpdump = await Tcpdump.start(near, '-i', 'near0');
  using here = await near.socket(C.AF_INET, C.SOCK_DGRAM);
  using there = await far.socket(C.AF_INET, C.SOCK_DGRAM);
  here.bind({ address: '10.9.0.1', port: 53 });
  there.bind({ address: '10.9.0.2', port: 1053 });
  await there.sendto(Buffer.from('a question'), here.getsockname());
  await here.sendto(Buffer.alloc(300, 'an answer'), (await here.recvmsg()).from!);
  await there.recvmsg();
  await there.sendto(Buffer.from('to nobody'), { address: '10.9.0.1', port: 54 });
  await here.sendto(Buffer.from(MARK), there.getsockname());
  // What comes in is taken in by the CPU that sent it, perhaps later; once it is here, all before it is.
  expect((await there.recvmsg()).data.toString()).toBe(MARK);
  const file = await tcpdump.until(MARK);
  for (const [i, { expression }] of cases.entries()) {
    const theirs = hex(filtered(file, expression));
    expect([expression, theirs.length > 0]).toEqual([expression, true]);
    const ours = taken(sockets[i]).map(({ data }) => data);
    const before = ours.filter((data) => !data.includes(MARK));
    expect([expression, hex(before)]).toEqual([expression, theirs]);
  }
});

real('capture: frames of 64 KiB, which the card would cut up, and a tag of 802.1Q', async () => {
  using ends = wire();
  const { near, far } = ends;
  const [socket] = await packets(near, 'near0', bpf.keepAll());
  closedBehind(socket);
  await using tcpdump = await Tcpdump.start(near, '-i', 'near0');
  using first = await near.socket(C.AF_INET, C.SOCK_DGRAM);
  await first.sendto(Buffer.from(BEGINNING), { address: '10.9.0.2', port: 9 });
  using listener = await far.socket(C.AF_INET, C.SOCK_STREAM);
  listener.bind({ address: '10.9.0.2', port: 0 });
  listener.listen();
  using client = await near.socket(C.AF_INET, C.SOCK_STREAM);
  await client.connect(listener.getsockname());
  using server = await listener.accept();
  const size = 1 << 19;
  const sending = (async (): Promise<void> => {
    for (let sent = 0; sent < size;) sent += await client.send(Buffer.alloc(size - sent, 'bulk'));
  })();
  const into = Buffer.alloc(1 << 16);
  for (let received = 0; received < size;) received += await server.recv(into);
  await sending;

  // Destination and source, 802.1Q with priority 5 and VLAN 7, an EtherType for experiments (IEEE 802).
  const tagged = Buffer.from('ffffffffffff020000000001' + '8100a007' + '88b5', 'hex');
  const [sender] = await packets(far, 'far0', bpf.dropAll());
  closedBehind(sender);
  await sender.send([tagged, Buffer.from('a tag')]);
  await sender.send([tagged, Buffer.from(MARK)]);
  const theirs = sinceBeginning(packetsOf(await tcpdump.until(MARK)));
  const all: Buffer[] = [];
  for await (const message of socket) {
    if (message.data.includes(MARK)) break;
    expect(message.truncated).toBe(false);
    all.push(untouched(message));
  }
  const ours = sinceBeginning(all);
  // Less than all, where the queue had no room for them: then it says how many.
  expect(socket.socket.get('packetStatistics').drops).toBe(0);
  expect(hex(ours)).toEqual(hex(theirs));
  expect(Math.max(...ours.map(({ length }) => length))).toBeGreaterThan(60_000);
  expect(ours.at(-1)!.subarray(0, tagged.length)).toEqual(tagged);
});

// The kernel takes a VLAN tag out of the frame (skb_vlan_untag) and tells it beside it: struct tpacket_auxdata.
function untouched({ data, control }: Message): Buffer {
  const part = control.find(({ kind }) => kind === 'raw');
  if (part?.kind !== 'raw') throw new Error('no auxiliary data');
  expect([part.level, part.type]).toEqual([C.SOL_PACKET, C.PACKET_AUXDATA]);
  const told = Buffer.from(part.data);
  if ((told.readUInt32LE(0) & C.TP_STATUS_VLAN_VALID) === 0) return data;
  const tag = Buffer.alloc(4);
  tag.writeUInt16BE(told.readUInt16LE(18), 0); // tp_vlan_tpid
  tag.writeUInt16BE(told.readUInt16LE(16), 2); // tp_vlan_tci
  return Buffer.concat([data.subarray(0, ETHERNET - 2), tag, data.subarray(ETHERNET - 2)]);
}
