// Socket.open, socket(), socketpair, Socket.fromFd: what is opened is what was asked for.

import { closeSync, openSync } from 'node:fs';
import { constants as C, socket, Socket, socketpair } from '../../lib/index';
import { leavesNoSockets, nameOf } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6, HAS_VSOCK } from '../support/machine';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';

leavesNoSockets();

const always = test;
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);
const vsock = needs('AF_VSOCK', HAS_VSOCK);

/** What the kernel itself says of an open socket. */
function asked(open: Socket): { domain: number; type: number; protocol: number } {
  const option = (name: number): number => open.getsockopt(C.SOL_SOCKET, name).readInt32LE();
  return {
    domain: option(C.SO_DOMAIN),
    type: option(C.SO_TYPE),
    protocol: option(C.SO_PROTOCOL),
  };
}

const KINDS = [
  [always, 'IPv4', 'stream', C.AF_INET, C.SOCK_STREAM, C.IPPROTO_TCP],
  [always, 'IPv4', 'dgram', C.AF_INET, C.SOCK_DGRAM, C.IPPROTO_UDP],
  [ipv6, 'IPv6', 'stream', C.AF_INET6, C.SOCK_STREAM, C.IPPROTO_TCP],
  [ipv6, 'IPv6', 'dgram', C.AF_INET6, C.SOCK_DGRAM, C.IPPROTO_UDP],
  [always, 'unix', 'stream', C.AF_UNIX, C.SOCK_STREAM, 0],
  [always, 'unix', 'dgram', C.AF_UNIX, C.SOCK_DGRAM, 0],
  [always, 'unix', 'seqpacket', C.AF_UNIX, C.SOCK_SEQPACKET, 0],
  [always, 'netlink', 'raw', C.AF_NETLINK, C.SOCK_RAW, C.NETLINK_ROUTE],
  [vsock, 'vsock', 'stream', C.AF_VSOCK, C.SOCK_STREAM, 0],
] as const;

for (const [testWhere, family, type, domain, kind, protocol] of KINDS) {
  testWhere(`open: ${family} ${type}, by name and by number`, () => {
    using named = Socket.open(family, type);
    using numbered = Socket.open(domain, kind);
    expect(asked(named)).toEqual({ domain, type: kind, protocol });
    expect(asked(numbered)).toEqual(asked(named));
    expect(named).toMatchObject({ domain, type: kind, closed: false });
    expect(named.fd).toBeGreaterThan(2);
    expect(nameOf(named.fd)).toMatch(/^socket:/);
  });
}

raw('open: raw sockets by the names of their protocols', () => {
  using icmp = Socket.open('IPv4', 'raw', 'icmp');
  expect(asked(icmp)).toMatchObject({ type: C.SOCK_RAW, protocol: C.IPPROTO_ICMP });
  using packet = Socket.open('packet', 'raw', 'arp');
  expect(asked(packet)).toMatchObject({ domain: C.AF_PACKET, type: C.SOCK_RAW });
  // socket(2) wants it in network byte order, and so does sockaddr_ll give it back.
  expect(packet.getsockname()).toMatchObject({ family: 'packet', protocol: C.ETH_P_ARP });
});

test('open: protocols by name belong to their family', () => {
  using generic = Socket.open('netlink', 'raw', 'generic');
  expect(asked(generic).protocol).toBe(C.NETLINK_GENERIC);
  expect(thrown(() => Socket.open('IPv4', 'stream', 'generic'))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
  });
  expect(thrown(() => Socket.open('unix', 'stream', 'tcp'))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
  });
});

test('open: SOCK_CLOEXEC and SOCK_NONBLOCK may be in the type, and are no part of it', () => {
  using open = Socket.open(C.AF_INET, C.SOCK_STREAM | C.SOCK_CLOEXEC | C.SOCK_NONBLOCK);
  expect(open.type).toBe(C.SOCK_STREAM);
});

test('open: what the kernel refuses is its error', () => {
  expect(thrown(() => Socket.open(C.AF_MAX, 'stream'))).toMatchObject({
    code: 'EAFNOSUPPORT',
    errno: -C.EAFNOSUPPORT,
    syscall: 'socket',
    message: 'socket EAFNOSUPPORT',
  });
  expect(thrown(() => Socket.open('IPv4', 'seqpacket'))).toMatchObject({
    code: 'ESOCKTNOSUPPORT',
  });
  expect(thrown(() => Socket.open('IPv4', 'stream', 'udp'))).toMatchObject({
    code: 'EPROTONOSUPPORT',
  });
});

test('open: socket() is the same', () => {
  using open = socket('IPv4', 'dgram', 'udp');
  expect(open).toBeInstanceOf(Socket);
  expect(asked(open).protocol).toBe(C.IPPROTO_UDP);
});

test.each(['stream', 'dgram', 'seqpacket'] as const)('socketpair: %s, connected', async (type) => {
  const [a, b] = socketpair(type);
  using first = a;
  using second = b;
  expect(asked(a)).toMatchObject({ domain: C.AF_UNIX, type: a.type });
  expect(a.fd).not.toBe(b.fd);
  await first.send(Buffer.from('over'));
  const room = Buffer.alloc(8);
  expect(await second.recv(room)).toBe(4);
  expect(room.subarray(0, 4).toString()).toBe('over');
  expect(a.getpeername()).toEqual({ family: 'unix', path: '' });
});

test('socketpair: what it says of itself is what the kernel made of it', () => {
  // unix(7) has no raw sockets: SOCK_RAW is "a synonym" of SOCK_DGRAM for historical reasons.
  const [a, b] = socketpair('raw');
  using first = a;
  using second = b;
  expect(first.type).toBe(asked(a).type);
  expect(second.type).toBe(asked(b).type);
});

test('fromFd: adopts a descriptor with what the kernel knows of it', async () => {
  using made = Socket.open('IPv4', 'stream');
  made.bind({ address: '127.0.0.1', port: 0 });
  made.listen();
  const address = made.getsockname();
  const fd = made.detach();
  using adopted = Socket.fromFd(fd);
  expect(adopted).toMatchObject({
    fd,
    domain: C.AF_INET,
    type: C.SOCK_STREAM,
    protocol: C.IPPROTO_TCP,
  });
  expect(adopted.getsockname()).toEqual(address);
  using client = Socket.open('IPv4', 'stream');
  const [peer] = await Promise.all([adopted.accept(), client.connect(address)]);
  peer.close();
});

test('fromFd: a descriptor that is no socket stays as it was', () => {
  const fd = openSync('/dev/null', 'r');
  expect(thrown(() => Socket.fromFd(fd))).toMatchObject({ code: 'ENOTSOCK', syscall: 'adopt' });
  expect(nameOf(fd)).toBe('/dev/null');
  closeSync(fd);
  expect(thrown(() => Socket.fromFd(fd))).toMatchObject({ code: 'EBADF' });
});

test('fromFd: a descriptor has one owner', () => {
  using owner = Socket.open('unix', 'stream');
  expect(thrown(() => Socket.fromFd(owner.fd))).toMatchObject({ code: 'EBUSY' });
  expect(owner.closed).toBe(false);
  expect(owner.getsockname()).toEqual({ family: 'unix', path: '' });
});
