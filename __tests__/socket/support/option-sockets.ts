// Sockets of every kind that has options of its own, in the state that these want.

import { bpf, constants as C, Socket, socketpair, type InetAddress } from '../../../lib/index';

const GROUP4 = { group: '239.1.2.3', interface: 'lo' };
const SOURCE4 = { ...GROUP4, source: '127.0.0.1' };
const GROUP6 = { group: 'ff02::7', interface: 'lo' };

const one = (domain: Parameters<typeof Socket.open>[0], type: Parameters<typeof Socket.open>[1]) =>
  Promise.resolve(Socket.open(domain, type));
const icmp = (family: 'IPv4' | 'IPv6', protocol: string) =>
  Promise.resolve(Socket.open(family, 'raw', protocol));

function reusing(): Socket {
  const socket = Socket.open('IPv4', 'dgram').set('reusePort', true);
  socket.bind({ address: '127.0.0.1', port: 0 });
  return socket;
}

function packet(): Socket {
  const socket = Socket.open('packet', 'raw', 0);
  socket.bind({ family: 'packet', interface: 1, protocol: 0x88b5 });
  return socket;
}

async function connected(domain: 'IPv4' | 'IPv6', type: 'dgram', address: string): Promise<Socket> {
  const socket = Socket.open(domain, type);
  await socket.connect({ address, port: 9 });
  return socket;
}

/** Whatever else has to stay open until the test is over is closed with the socket's test. */
export const alsoOpen: Socket[] = [];

async function tcp(): Promise<Socket> {
  using listener = Socket.open('IPv4', 'stream').set('saveSyn', 1);
  listener.bind({ address: '127.0.0.1', port: 0 });
  listener.listen();
  const client = Socket.open('IPv4', 'stream');
  const [accepted] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
  alsoOpen.push(client);
  return accepted;
}

async function repairing(): Promise<Socket> {
  return (await tcp()).set('repair', 1);
}

async function mapped(): Promise<Socket> {
  using listener = Socket.open('IPv4', 'stream');
  listener.bind({ address: '127.0.0.1', port: 0 });
  listener.listen();
  const { port } = listener.getsockname() as InetAddress;
  const client = Socket.open('IPv6', 'stream');
  await client.connect({ family: 'IPv4', address: '127.0.0.1', port });
  alsoOpen.push(await listener.accept());
  return client;
}

function pair(type: 'stream' | 'dgram'): Promise<Socket> {
  const [a, b] = socketpair(type);
  alsoOpen.push(b);
  return Promise.resolve(a);
}

export const SOCKETS = {
  tcp4: () => one('IPv4', 'stream'),
  tcp6: () => one('IPv6', 'stream'),
  udp4: () => one('IPv4', 'dgram'),
  udp6: () => one('IPv6', 'dgram'),
  udplite: () => Promise.resolve(Socket.open('IPv4', 'dgram', 'udplite')),
  tcp,
  mapped,
  repairing,
  repair: () => one('IPv4', 'stream').then((socket) => socket.set('repair', 1)),
  repairQueue: () =>
    one('IPv4', 'stream').then((socket) => socket.set('repair', 1).set('repairQueue', 2)),
  listener: () =>
    one('IPv4', 'stream').then((socket) => {
      socket.bind({ address: '127.0.0.1', port: 0 });
      socket.listen();
      return socket;
    }),
  connected4: () => connected('IPv4', 'dgram', '127.0.0.1'),
  connected6: () => connected('IPv6', 'dgram', '::1'),
  filtered: () => one('IPv4', 'dgram').then((socket) => socket.set('attachFilter', bpf.keepAll())),
  reuse: () => Promise.resolve(reusing()),
  reuseFiltered: () =>
    Promise.resolve(reusing().set('attachReusePortFilter', bpf.reusePortByCpu(1))),
  joined4: () => one('IPv4', 'dgram').then((socket) => socket.set('joinGroup', GROUP4)),
  joinedSource4: () => one('IPv4', 'dgram').then((socket) => socket.set('joinSource', SOURCE4)),
  blocked4: () =>
    one('IPv4', 'dgram').then((socket) =>
      socket.set('joinGroup', GROUP4).set('blockSource', SOURCE4),
    ),
  joined6: () => one('IPv6', 'dgram').then((socket) => socket.set('joinGroup', GROUP6)),
  unix: () => pair('dgram'),
  unixStream: () => pair('stream'),
  raw4: () => icmp('IPv4', 'icmp'),
  raw6: () => icmp('IPv6', 'icmp6'),
  rawIp6: () => Promise.resolve(Socket.open('IPv6', 'raw', C.IPPROTO_RAW)),
  packet: () => one('packet', 'raw'),
  packetBound: () => Promise.resolve(packet()),
  promiscuous: () =>
    one('packet', 'raw').then((socket) =>
      socket.set('packetAddMembership', { interface: 'lo', type: 'promiscuous' }),
    ),
  fanout: () => Promise.resolve(packet().set('packetFanout', { group: 0xea9b, mode: 'program' })),
  fanoutRollover: () =>
    Promise.resolve(packet().set('packetFanout', { group: 0xea9c, mode: 'rollover' })),
  netlink: () => Promise.resolve(Socket.open('netlink', 'raw', 'route')),
  netlinkJoined: () =>
    Promise.resolve(
      Socket.open('netlink', 'raw', 'route')
        .set('netlinkAddMembership', 5)
        .set('netlinkAddMembership', 33),
    ),
  vsock: () => one('vsock', 'stream'),
} satisfies Record<string, () => Promise<Socket>>;

export type Kind = keyof typeof SOCKETS;

/** What it takes to have one of a kind. */
export const RAW_KINDS: readonly Kind[] = [
  'raw4',
  'raw6',
  'rawIp6',
  'packet',
  'packetBound',
  'promiscuous',
  'fanout',
  'fanoutRollover',
];
