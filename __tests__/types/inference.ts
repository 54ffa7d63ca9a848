// `type` picks the kind, and TypeScript knows the class. Never run: `npm run typecheck` is the test.

import {
  bind,
  connect,
  listen,
  Socket,
  socketpair,
  type Address,
  type BindRawSocketOptions,
  type ConnectDatagramOptions,
  type ConnectStreamOptions,
  type DatagramSocket,
  type InetAddress,
  type Listener,
  type Message,
  type NetlinkAddress,
  type PacketAddress,
  type RawSocket,
  type Readiness,
  type Received,
  type SeqpacketSocket,
  type SocketDuplex,
  type StreamSocket,
  type UnixAddress,
} from 'eagain';
import type { Observable } from 'rxjs';
import { sure, type Same } from './check';

export async function connectInfers(signal: AbortSignal): Promise<void> {
  const tcp = await connect({ host: 'localhost', port: 80, signal });
  sure<Same<typeof tcp, StreamSocket<InetAddress>>>();
  const told = await connect({ type: 'stream', port: 80, protocol: 'mptcp', localPort: 0 });
  sure<Same<typeof told, StreamSocket<InetAddress>>>();
  const unix = await connect({ path: '/run/x' });
  sure<Same<typeof unix, StreamSocket<UnixAddress>>>();
  const bytes = await connect({ path: new Uint8Array([0, 1]), type: 'stream' });
  sure<Same<typeof bytes, StreamSocket<UnixAddress>>>();
  const udp = await connect({ type: 'dgram', host: '::1', port: 53, family: 'IPv6' });
  sure<Same<typeof udp, DatagramSocket<InetAddress>>>();
  const { from } = await udp.receive();
  sure<Same<typeof from, InetAddress | null>>();
  for await (const each of udp) sure<Same<typeof each, Message<InetAddress>>>();
  await udp.sendBatch([{ data: 'a string', to: from ?? undefined }]);
  const local = await connect({ type: 'dgram', path: '/run/log', localPath: '' });
  sure<Same<typeof local, DatagramSocket<UnixAddress>>>();
  const bus = await connect({ type: 'seqpacket', path: '\0bus' });
  sure<Same<typeof bus, SeqpacketSocket>>();
  const { port } = tcp.remoteAddress;
  sure<Same<typeof port, number>>();
}

/** Options that are not known in full: the class is, the address is not. */
export async function openOptionsInfer(
  stream: ConnectStreamOptions,
  datagram: ConnectDatagramOptions,
  raw: BindRawSocketOptions,
): Promise<void> {
  const one = await connect(stream);
  sure<Same<typeof one, StreamSocket>>();
  const two = await connect(datagram);
  sure<Same<typeof two, DatagramSocket>>();
  const three = await bind(raw);
  sure<Same<typeof three, RawSocket>>();
}

export async function listenInfers(): Promise<void> {
  const tcp = await listen({ port: 0 });
  sure<Same<typeof tcp, Listener<StreamSocket<InetAddress>, InetAddress>>>();
  const peer = await tcp.accept({ timeout: 5 });
  sure<Same<typeof peer, StreamSocket<InetAddress>>>();
  const { port } = tcp.address;
  sure<Same<typeof port, number>>();
  const unix = await listen({ path: '/run/x', mode: 0o600, unlink: false });
  sure<Same<typeof unix, Listener<StreamSocket<UnixAddress>, UnixAddress>>>();
  const bus = await listen({ type: 'seqpacket', path: '\0bus', backlog: 5 });
  sure<Same<typeof bus, Listener<SeqpacketSocket, UnixAddress>>>();
  for await (const each of bus) sure<Same<typeof each, SeqpacketSocket>>();
  const observed = unix.observe({ overflow: 'pause' });
  sure<Same<typeof observed, Observable<StreamSocket<UnixAddress>>>>();
}

export async function bindInfers(): Promise<void> {
  const udp = await bind({ port: 0 });
  sure<Same<typeof udp, DatagramSocket<InetAddress>>>();
  const told = await bind({ type: 'dgram', host: '127.0.0.1', broadcast: true, reusePort: true });
  sure<Same<typeof told, DatagramSocket<InetAddress>>>();
  const unix = await bind({ path: '' });
  sure<Same<typeof unix, DatagramSocket<UnixAddress>>>();
  const ping = await bind({ family: 'IPv4', protocol: 'icmp' });
  sure<Same<typeof ping, DatagramSocket<InetAddress>>>();
  const icmp = await bind({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
  sure<Same<typeof icmp, RawSocket<InetAddress>>>();
  const packets = await bind({ type: 'raw', interface: 'lo', protocol: 'arp' });
  sure<Same<typeof packets, RawSocket<PacketAddress>>>();
  const routes = await bind({ type: 'raw', family: 'netlink', protocol: 'route', groups: 1 });
  sure<Same<typeof routes, RawSocket<NetlinkAddress>>>();
  using group = icmp.join('224.0.0.5', { interface: 'lo' });
  using everything = packets.join({ type: 'promiscuous' });
  using links = routes.join(1);
  sure<
    Same<[typeof group, typeof everything, typeof links], [Disposable, Disposable, Disposable]>
  >();
}

export async function endpointsYield(
  stream: StreamSocket,
  datagrams: DatagramSocket,
  records: SeqpacketSocket,
  packets: RawSocket,
): Promise<void> {
  const chunk = await stream.read();
  sure<Same<typeof chunk, Buffer | null>>();
  const sized = await stream.read({ size: 10, timeout: 5 });
  sure<Same<typeof sized, Buffer | null>>();
  const length = await stream.read(new Uint8Array(10), { timeout: 5 });
  sure<Same<typeof length, number | null>>();
  const exactly = await stream.readExactly(4);
  sure<Same<typeof exactly, Buffer>>();
  for await (const each of stream) sure<Same<typeof each, Buffer>>();
  const duplex = stream.toDuplex();
  sure<Same<typeof duplex, SocketDuplex>>();

  const datagram = await datagrams.receive();
  sure<Same<typeof datagram, Message>>();
  const record = await records.receive();
  sure<Same<typeof record, Message<UnixAddress> | null>>();
  const packet = await packets.receive({ size: 100 });
  sure<Same<typeof packet, Message>>();
  const batch = await datagrams.receiveBatch(64);
  sure<Same<typeof batch, Message[]>>();
  for await (const each of datagrams.iterate()) sure<Same<typeof each, Message>>();
  const { from } = datagram;
  sure<Same<typeof from, Address | null>>();
  if (from?.family === 'IPv4') sure<Same<typeof from.port, number>>();
  if (from?.family === 'unix') sure<Same<typeof from.path, string | Uint8Array>>();

  await packets.send('ping', { address: '127.0.0.1' });
  await packets.sendBatch([{ data: [new Uint8Array(8)], to: { address: '::1' } }]);
  await datagrams.send(new DataView(new ArrayBuffer(1)), { address: '::1', port: 1 });
}

export async function levelOneYields(socket: Socket): Promise<void> {
  const [a, b] = socketpair('seqpacket');
  sure<Same<typeof a, Socket>>();
  const sent = await a.send([new Uint8Array(1), new ArrayBuffer(1)], { flags: 0 });
  sure<Same<typeof sent, number>>();
  const tried = b.tryRecv(new Uint8Array(1));
  sure<Same<typeof tried, number | null>>();
  const received = await b.recvfrom(new Uint8Array(1));
  sure<Same<typeof received, Received>>();
  const ready = await b.ready({ read: true });
  sure<Same<typeof ready, Readiness>>();
  const peer = socket.tryAccept();
  sure<Same<typeof peer, Socket | null>>();
  using raw = Socket.open('IPv4', 'raw', 'icmp');
  raw.bind({ address: '127.0.0.1', port: 0 });
  raw.bind({ family: 38, data: new Uint8Array(8) });
}
