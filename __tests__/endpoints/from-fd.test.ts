// fromFd(): every kind of descriptor becomes the endpoint that the kernel says it is.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import {
  bind,
  connect,
  DatagramSocket,
  fromFd,
  listen,
  Listener,
  RawSocket,
  SeqpacketSocket,
  Socket,
  socketpair,
  StreamSocket,
  type InetAddress,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_VSOCK } from '../support/machine';
import { needs } from '../support/needs';
import { abstractName } from '../support/names';
import { rejection, thrown } from '../support/outcomes';

leavesNoSockets();

const pairOf = (type: 'stream' | 'dgram' | 'seqpacket'): Socket => {
  const [a, b] = socketpair(type);
  b.close();
  return a;
};
const open =
  (...args: Parameters<typeof Socket.open>) =>
  (): Socket =>
    Socket.open(...args);
const listening = (family: 'unix' | 'IPv4', type: 'stream' | 'seqpacket') => (): Socket => {
  const socket = Socket.open(family, type);
  socket.bind(family === 'unix' ? { path: abstractName() } : { address: '127.0.0.1', port: 0 });
  socket.listen();
  return socket;
};

type Kind = abstract new (...args: never[]) => { socket: Socket };
const KINDS: [what: string, make: () => Socket, kind: Kind, met?: [string, boolean]][] = [
  ['a connected Unix stream', () => pairOf('stream'), StreamSocket],
  ['a TCP socket', open('IPv4', 'stream'), StreamSocket],
  ['an MPTCP socket', open('IPv4', 'stream', 'mptcp'), StreamSocket],
  ['a VSOCK stream', open('vsock', 'stream'), StreamSocket, ['VSOCK', HAS_VSOCK]],
  ['a TCP listener', listening('IPv4', 'stream'), Listener],
  ['a Unix listener', listening('unix', 'stream'), Listener],
  ['a seqpacket listener', listening('unix', 'seqpacket'), Listener],
  ['a record socket', () => pairOf('seqpacket'), SeqpacketSocket],
  ['a Unix datagram socket', () => pairOf('dgram'), DatagramSocket],
  ['a UDP socket', open('IPv4', 'dgram'), DatagramSocket],
  ['a raw Unix socket, which is a datagram one', open('unix', 'raw'), DatagramSocket],
  ['a netlink socket', open('netlink', 'raw', 'route'), RawSocket],
  ['a netlink datagram socket', open('netlink', 'dgram', 'route'), RawSocket],
  ['a raw socket', open('IPv4', 'raw', 'icmp'), RawSocket, ['CAP_NET_RAW', CAN_OPEN_RAW]],
  ['a packet socket', open('packet', 'raw', 'all'), RawSocket, ['CAP_NET_RAW', CAN_OPEN_RAW]],
  ['a cooked packet socket', open('packet', 'dgram', 0), RawSocket, ['CAP_NET_RAW', CAN_OPEN_RAW]],
];

describe('fromFd: of', () => {
  for (const [what, make, kind, [need, met] = ['', true]] of KINDS) {
    needs(need, met)(`${what} it makes a ${kind.name}`, () => {
      const socket = make();
      const { domain, type } = socket;
      const endpoint = fromFd(socket.detach());
      try {
        expect(endpoint.constructor.name).toBe(kind.name);
        expect(endpoint).toBeInstanceOf(kind);
        expect(endpoint.socket).toMatchObject({ domain, type });
      } finally {
        endpoint.socket.close();
      }
    });
  }
});

test('fromFd: an adopted listener accepts, and its peers are streams with an address', async () => {
  const { socket } = await listen({ host: '127.0.0.1', port: 0 });
  await using listener = fromFd(socket.detach()) as Listener<StreamSocket>;
  const { port } = listener.address as InetAddress;
  await using client = await connect({ host: '127.0.0.1', port });
  await using peer = await listener.accept();
  expect(peer).toBeInstanceOf(StreamSocket);
  expect(peer.remoteAddress).toEqual(client.localAddress);
  await client.write('x');
  expect(String(await peer.read())).toBe('x');
});

test('fromFd: an adopted record listener accepts record sockets', async () => {
  const path = abstractName();
  const { socket } = await listen({ type: 'seqpacket', path });
  await using listener = fromFd(socket.detach()) as Listener<SeqpacketSocket>;
  const client = await connect({ type: 'seqpacket', path });
  const peer = await listener.accept();
  await client.send('');
  expect(await peer.receive()).toMatchObject({ length: 0 });
  await Promise.all([client.close(), peer.close()]);
});

test('fromFd: an adopted stream knows its peer, a lone one has none', async () => {
  await using listener = await listen({ host: '127.0.0.1', port: 0 });
  const client = await connect({ host: '127.0.0.1', port: listener.address.port });
  await using server = await listener.accept();
  await using adopted = fromFd(client.socket.detach()) as StreamSocket;
  expect(adopted.remoteAddress).toEqual(server.localAddress);
  await using lone = fromFd(Socket.open('IPv4', 'stream').detach()) as StreamSocket;
  expect(thrown(() => lone.remoteAddress)).toMatchObject({ code: 'ENOTCONN' });
});

test('fromFd: what it cannot adopt is left as it was', async () => {
  const file = openSync(process.execPath, 'r');
  expect(thrown(() => fromFd(file))).toMatchObject({ code: 'ENOTSOCK' });
  closeSync(file);
  expect(thrown(() => fromFd(0x7ffffff))).toMatchObject({ code: 'EBADF' });
  expect(thrown(() => fromFd('3' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  await using udp = await bind({ host: '127.0.0.1' });
  expect(thrown(() => fromFd(udp.socket.fd))).toMatchObject({ code: 'EBUSY' });
  await udp.send('x', udp.localAddress);
  expect(await udp.receive()).toMatchObject({ length: 1 });
});

test('detach: a socket is a file again, for fs.read and fs.write', async () => {
  const [a, b] = socketpair();
  // It has waited, and was nonblocking: now it blocks, so the bytes have to be there.
  await rejection(a.recv(Buffer.alloc(1), { timeout: 0 }));
  await b.send(Buffer.from('through a file descriptor'));
  const fd = a.detach();
  try {
    const room = Buffer.alloc(100);
    expect(room.toString('latin1', 0, readSync(fd, room))).toBe('through a file descriptor');
    writeSync(fd, 'and back');
    expect(await b.recv(room)).toBe(8);
  } finally {
    closeSync(fd);
    b.close();
  }
});

test.each(['dgram', 'seqpacket'] as const)(
  'detach: %s: what was received ahead is taken first, and not lost',
  async (type) => {
    const [a, b] = socketpair(type);
    const receiver = fromFd(b.detach()) as DatagramSocket | SeqpacketSocket;
    for (const word of ['one', 'two', 'three']) await a.send(Buffer.from(word));
    expect((await receiver.receive())!.data.toString()).toBe('one');
    expect(thrown(() => receiver.socket.detach())).toMatchObject({
      code: 'ERR_INVALID_STATE',
      message: expect.stringContaining('2 received messages') as string,
    });
    const rest = await receiver.receiveBatch(64, { timeout: 0 });
    expect(rest.map(({ data }) => data.toString())).toEqual(['two', 'three']);
    await a.send(Buffer.from('four'));
    const next = fromFd(receiver.socket.detach()) as DatagramSocket | SeqpacketSocket;
    expect((await next.receive())!.data.toString()).toBe('four');
    a.close();
    await next.close();
  },
);
