// What the types forbid. Never run: `npm run typecheck` fails where one of these begins to compile.

import {
  bind,
  connect,
  constants,
  listen,
  Socket,
  socketpair,
  type DatagramSocket,
  type Listener,
  type Message,
  type NetlinkAddress,
  type OutgoingMessage,
  type PacketAddress,
  type RawSocket,
  type SeqpacketSocket,
  type StreamSocket,
} from 'eagain';

export async function kinds(): Promise<void> {
  // @ts-expect-error: a raw socket is bound, not connected
  await connect({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
  // @ts-expect-error: datagrams are not listened for
  await listen({ type: 'dgram', port: 53 });
  // @ts-expect-error: a stream is listened for, or connected
  await bind({ type: 'stream', port: 80 });
  // @ts-expect-error: no such type
  await connect({ type: 'datagram', port: 53 });
  // @ts-expect-error: SEQPACKET is of Unix sockets here, and they have no ports
  await connect({ type: 'seqpacket', host: 'localhost', port: 80 });
  // @ts-expect-error: the same for a listener
  await listen({ type: 'seqpacket', port: 80 });
}

export async function options(): Promise<void> {
  // @ts-expect-error: unknown option
  await connect({ port: 80, hots: 'localhost' });
  // @ts-expect-error: a port or a path is needed
  await connect({ host: 'localhost' });
  // @ts-expect-error: a port or a path, not both
  await connect({ port: 80, path: '/run/x' });
  // @ts-expect-error: a port is a number or a service's name
  await connect({ host: 'localhost', port: true });
  // @ts-expect-error: families are 'IPv4' and 'IPv6', as in Node
  await connect({ host: 'localhost', port: 80, family: 4 });
  // @ts-expect-error: a file's mode is of listeners with a path
  await listen({ port: 80, mode: 0o600 });
  // @ts-expect-error: broadcast is of datagrams
  await listen({ port: 80, broadcast: true });
  // @ts-expect-error: a raw socket has a protocol
  await bind({ type: 'raw', family: 'IPv4' });
  // @ts-expect-error: netlink has no interface
  await bind({ type: 'raw', family: 'netlink', protocol: 'route', interface: 'lo' });
  // @ts-expect-error: a signal is an AbortSignal
  await connect({ port: 80, signal: new AbortController() });
  // @ts-expect-error: a timeout is a number of milliseconds
  await connect({ port: 80, timeout: '5s' });
}

export function groups(routes: RawSocket<NetlinkAddress>, packets: RawSocket<PacketAddress>): void {
  // @ts-expect-error: a netlink group is a number
  routes.join('link');
  // @ts-expect-error: an interface takes in everything, all multicast, or an address
  packets.join({ type: 'everything' });
}

export async function streams(stream: StreamSocket): Promise<void> {
  // @ts-expect-error: messages are received, bytes are read
  await stream.receive();
  // @ts-expect-error: bytes are written; they have no address
  await stream.send('x', { address: '127.0.0.1', port: 1 });
  // @ts-expect-error: numbers are no bytes
  await stream.write(5);
  // @ts-expect-error: what is read may be the end
  (await stream.read()).toString();
  // @ts-expect-error: the address is the socket's to say
  stream.remoteAddress = { family: 'IPv4', address: '127.0.0.1', port: 1 };
}

export async function messages(
  datagrams: DatagramSocket,
  records: SeqpacketSocket,
  message: Message,
): Promise<void> {
  // @ts-expect-error: messages are received, not read
  await datagrams.read();
  // @ts-expect-error: a datagram socket ends nothing
  await datagrams.end();
  // @ts-expect-error: a datagram socket is no byte stream
  datagrams.toDuplex();
  // @ts-expect-error: a record may be the end
  (await records.receive()).data;
  // @ts-expect-error: an address with a port is needed
  await datagrams.send('x', { address: '127.0.0.1' });
  // @ts-expect-error: a text of both is no address
  await datagrams.send('x', '127.0.0.1:80');
  // @ts-expect-error: a sender may be unknown
  message.from.family;
  // @ts-expect-error: not every address has a port
  if (message.from !== null) message.from.port;
}

export async function listeners(listener: Listener<StreamSocket>): Promise<void> {
  // @ts-expect-error: a listener accepts; what it accepts is read
  await listener.read();
  const peer = await listener.accept();
  // @ts-expect-error: accepted streams receive no messages
  await peer.receiveBatch(5);
  // @ts-expect-error: no such policy
  listener.observe({ overflow: 'block' });
}

export async function levelOne(socket: Socket): Promise<void> {
  // @ts-expect-error: wrong address family
  socket.bind({ family: 'IPv5', address: '127.0.0.1', port: 1 });
  // @ts-expect-error: a Unix address has a path, not a port
  socket.bind({ family: 'unix', address: '127.0.0.1', port: 1 });
  // @ts-expect-error: a family by number has its bytes in `data`
  await socket.connect({ family: 2, address: '127.0.0.1', port: 1 });
  // @ts-expect-error: no such family
  Socket.open('inet', 'stream');
  // @ts-expect-error: no such type
  socketpair('packet');
  // @ts-expect-error: made by open, fromFd, accept and socketpair
  new Socket(5);
  // @ts-expect-error: 'read', 'write' or 'both'
  socket.shutdown('rdwr');
  // @ts-expect-error: a string has no bytes until it is encoded
  await socket.send('x');
  // @ts-expect-error: what is received into must be memory
  await socket.recv(100);
  // @ts-expect-error: the descriptor is the socket's; detach() hands it over
  socket.fd = 5;
  // @ts-expect-error: constants are constant
  constants.AF_INET = 3;
  const data = new Uint8Array(1);
  // @ts-expect-error: the kernel tells of drops, and is not told of any
  const outgoing: OutgoingMessage = { data, control: [{ kind: 'drops', value: 1 }] };
  await socket.sendmsg(outgoing);
}
