// A packet sniffer: who talks to whom over an interface, in a table that is drawn anew every second.

import { bind, bpf, constants, inet, type Message } from 'eagain';
import { parseArgs } from 'node:util';
import { fromEvent, map, merge, sampleTime, scan, takeUntil, tap } from 'rxjs';

const { values } = parseArgs({
  options: {
    interface: { type: 'string', short: 'i', default: 'lo' },
    filter: { type: 'string' },
    promiscuous: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const ROWS = 20;

if (values.help === true) {
  console.log(
    'sniffer [--interface lo] [--filter port] [--promiscuous]\nShows who talks to whom. Needs CAP_NET_RAW.',
  );
} else {
  void sniff(values.interface, values.filter, values.promiscuous === true);
}

async function sniff(name: string, port: string | undefined, promiscuous: boolean): Promise<void> {
  // The filter runs in the kernel, and is there before the first packet: what it drops costs nothing here.
  const attachFilter = port === undefined ? bpf.keepAll() : bpf.port(Number(port));
  await using socket = await bind({
    type: 'raw',
    interface: name,
    cooked: true, // packets without the header of the link, so that they look alike on all
    options: { attachFilter, receiveBufferSize: 1 << 20 },
  });
  if (promiscuous) socket.join({ type: 'promiscuous' }); // as long as the socket is open
  console.log(`listening on ${name}`);

  // Counted as they come, drawn once a second.
  let talks: ReadonlyMap<string, Row> = new Map();
  const drawing = socket.observe().pipe(
    takeUntil(merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'))),
    map((message) => ({ talk: talkOf(message), bytes: message.length })),
    scan((table, { talk, bytes }) => {
      const row = table.get(talk) ?? { packets: 0, bytes: 0 };
      return table.set(talk, { packets: row.packets + 1, bytes: row.bytes + bytes });
    }, new Map<string, Row>()),
    tap((table) => (talks = table)),
    sampleTime(1000),
  );
  await drawing.forEach(draw);

  draw(talks); // with what came behind the last second
  const { drops } = socket.socket.get('packetStatistics');
  const packets = [...talks.values()].reduce((sum, row) => sum + row.packets, 0);
  console.log(`done: ${packets} packets, ${drops} dropped`);
}

interface Row {
  packets: number;
  bytes: number;
}

function draw(talks: ReadonlyMap<string, Row>): void {
  const rows = [...talks].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, ROWS);
  const lines = rows.map(
    ([talk, { packets, bytes }]) =>
      `${String(packets).padStart(8)} ${String(bytes).padStart(10)}  ${talk}`,
  );
  // To the top left corner, and everything below is gone.
  if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[J');
  console.log([' packets      bytes  from > to', ...lines].join('\n'));
}

/** Protocol, sender and receiver of a packet, as far as they are known. */
function talkOf({ data, from }: Message): string {
  const protocol = from?.family === 'packet' ? from.protocol : 0;
  if (protocol === constants.ETH_P_IP && data.length >= 20) {
    const fragment = data.readUInt16BE(6) & 0x1fff; // all but the first have no ports
    const ports = fragment === 0 ? portsAt(data, data[9], (data[0] & 0xf) * 4) : ['', ''];
    return talk(
      data[9],
      [...data.subarray(12, 16)].join('.'),
      [...data.subarray(16, 20)].join('.'),
      ports,
    );
  }
  if (protocol === constants.ETH_P_IPV6 && data.length >= 40) {
    const address = (at: number): string => `[${inet.ntop('IPv6', data.subarray(at, at + 16))}]`;
    return talk(data[6], address(8), address(24), portsAt(data, data[6], 40));
  }
  if (protocol === constants.ETH_P_ARP) return 'arp';
  return `ethernet 0x${protocol.toString(16).padStart(4, '0')}`;
}

const NAMES = new Map([
  [constants.IPPROTO_ICMP, 'icmp'],
  [constants.IPPROTO_TCP, 'tcp'],
  [constants.IPPROTO_UDP, 'udp'],
  [constants.IPPROTO_ICMPV6, 'icmp6'],
]);

function talk(protocol: number, from: string, to: string, [source, destination]: string[]): string {
  return `${NAMES.get(protocol) ?? `ip ${protocol}`} ${from}${source} > ${to}${destination}`;
}

function portsAt(data: Buffer, protocol: number, at: number): string[] {
  const has = protocol === constants.IPPROTO_TCP || protocol === constants.IPPROTO_UDP;
  if (!has || data.length < at + 4) return ['', ''];
  return [`:${data.readUInt16BE(at)}`, `:${data.readUInt16BE(at + 2)}`];
}
