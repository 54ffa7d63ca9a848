// bind, getsockname, getpeername: names go to the kernel and come back.

import { existsSync } from 'node:fs';
import { constants as C, Socket, type Address, type InetAddress } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6, HAS_PYTHON, HAS_VSOCK, python } from '../support/machine';
import { abstractName, temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';
import { connectedSockets, sockets } from '../support/streams';

leavesNoSockets();
const place = temporaryFolder();
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);
const vsock = needs('AF_VSOCK', HAS_VSOCK);

test('bind: IPv4, with a port that the kernel chooses', () => {
  using open = Socket.open('IPv4', 'stream');
  expect(open.getsockname()).toEqual({ family: 'IPv4', address: '0.0.0.0', port: 0 });
  open.bind({ address: '127.0.0.1', port: 0 });
  const { port, ...rest } = open.getsockname() as InetAddress;
  expect(rest).toEqual({ family: 'IPv4', address: '127.0.0.1' });
  expect(port).toBeGreaterThan(0);
});

ipv6('bind: IPv6, and IPv4 through it', () => {
  using open = Socket.open('IPv6', 'dgram');
  open.bind({ address: '::1', port: 0 });
  expect(open.getsockname()).toMatchObject({ family: 'IPv6', address: '::1' });
  using dual = Socket.open('IPv6', 'dgram');
  dual.setsockopt(C.IPPROTO_IPV6, C.IPV6_V6ONLY, false);
  dual.bind({ family: 'IPv4', address: '127.0.0.1', port: 0 });
  expect(dual.getsockname()).toMatchObject({ family: 'IPv4', address: '127.0.0.1' });
});

test('bind: a Unix path makes a file', () => {
  using open = Socket.open('unix', 'stream');
  const path = place();
  open.bind({ path });
  expect(existsSync(path)).toBe(true);
  expect(open.getsockname()).toEqual({ family: 'unix', path });
});

test('bind: a Unix path of 107 bytes is the longest', () => {
  using open = Socket.open('unix', 'dgram');
  const path = place('p').padEnd(107, 'p');
  open.bind({ path });
  expect(open.getsockname()).toEqual({ family: 'unix', path });
});

test('bind: a Unix path that is not UTF-8 comes back as bytes', () => {
  using open = Socket.open('unix', 'dgram');
  const path = Buffer.concat([Buffer.from(`${place('bytes')}-`), Buffer.from([0xff, 0xfe])]);
  open.bind({ path });
  expect(open.getsockname()).toEqual({ family: 'unix', path });
});

test('bind: abstract names are exact in their length', () => {
  const name = abstractName();
  using open = Socket.open('unix', 'dgram');
  open.bind({ path: name });
  expect(open.getsockname()).toEqual({ family: 'unix', path: name });
  using longer = Socket.open('unix', 'dgram');
  longer.bind({ path: `${name}\0` });
  expect(longer.getsockname()).toEqual({ family: 'unix', path: `${name}\0` });
  using same = Socket.open('unix', 'dgram');
  expect(thrown(() => same.bind({ path: name }))).toMatchObject({
    code: 'EADDRINUSE',
    message: `bind EADDRINUSE @${name.slice(1)}`,
  });
});

test('bind: without a name the kernel chooses an abstract one', () => {
  using open = Socket.open('unix', 'dgram');
  expect(open.getsockname()).toEqual({ family: 'unix', path: '' });
  open.bind({ path: '' });
  // unix(7): a NUL and five hexadecimal digits.
  expect((open.getsockname() as { path: string }).path).toMatch(/^\0[0-9a-f]{5}$/);
});

needs('python3', HAS_PYTHON)('bind: Python reads the same names', () => {
  using inet = Socket.open('IPv4', 'stream');
  using unix = Socket.open('unix', 'stream');
  inet.bind({ address: '127.0.0.1', port: 0 });
  unix.bind({ path: abstractName() });
  inet.listen();
  unix.listen();
  const { port } = inet.getsockname() as InetAddress;
  const { path } = unix.getsockname() as { path: string };
  const seen = python(
    [
      'import socket',
      `a = socket.create_connection(("127.0.0.1", ${port}))`,
      'b = socket.socket(socket.AF_UNIX)',
      `b.connect("\\0${path.slice(1)}")`,
      'print(a.getpeername()[1], b.getpeername()[1:].decode())',
    ].join('\n'),
  );
  expect(seen.trim()).toBe(`${port} ${path.slice(1)}`);
});

raw('bind: a packet socket to an interface', () => {
  using open = Socket.open('packet', 'raw', 0);
  open.bind({ family: 'packet', interface: 'lo', protocol: C.ETH_P_IP });
  expect(open.getsockname()).toEqual({
    family: 'packet',
    interface: 1,
    protocol: C.ETH_P_IP,
    hardwareType: C.ARPHRD_LOOPBACK,
    packetType: 'host',
    hardwareAddress: '00:00:00:00:00:00',
  });
});

test('bind: netlink, with a port that the kernel chooses', () => {
  using open = Socket.open('netlink', 'raw', 'route');
  open.bind({ family: 'netlink', pid: 0, groups: C.RTMGRP_LINK });
  expect(open.getsockname()).toMatchObject({ family: 'netlink', groups: C.RTMGRP_LINK });
  expect((open.getsockname() as { pid: number }).pid).toBeGreaterThan(0);
});

vsock('getsockname: a vsock socket without a name', () => {
  using open = Socket.open('vsock', 'stream');
  expect(open.getsockname()).toEqual({
    family: 'vsock',
    cid: C.VMADDR_CID_ANY,
    port: C.VMADDR_PORT_ANY,
  });
});

test('bind: a name in bytes that this library does not know', () => {
  using open = Socket.open('IPv4', 'dgram');
  const data = Buffer.alloc(14);
  data.set([127, 0, 0, 1], 2);
  open.bind({ family: C.AF_INET, data });
  expect(open.getsockname()).toMatchObject({ family: 'IPv4', address: '127.0.0.1' });
});

test("bind: refusals are in net's shape", () => {
  using taken = Socket.open('IPv4', 'stream');
  taken.bind({ address: '127.0.0.1', port: 0 });
  taken.listen();
  const { port } = taken.getsockname() as InetAddress;
  using open = Socket.open('IPv4', 'stream');
  expect(thrown(() => open.bind({ address: '127.0.0.1', port }))).toMatchObject({
    code: 'EADDRINUSE',
    errno: -C.EADDRINUSE,
    syscall: 'bind',
    address: '127.0.0.1',
    port,
    message: `bind EADDRINUSE 127.0.0.1:${port}`,
  });
  // RFC 5737: nobody's.
  expect(thrown(() => open.bind({ address: '192.0.2.1', port: 0 }))).toMatchObject({
    code: 'EADDRNOTAVAIL',
    message: 'bind EADDRNOTAVAIL 192.0.2.1:0',
  });
  using unix = Socket.open('unix', 'stream');
  const path = place('absent/deeper');
  expect(thrown(() => unix.bind({ path }))).toMatchObject({
    code: 'ENOENT',
    path,
    message: `bind ENOENT ${path}`,
  });
  expect(thrown(() => unix.bind({ address: '127.0.0.1', port: 0 }))).toMatchObject({
    code: 'EINVAL',
  });
});

test('getpeername: of a connection, both ways round', async () => {
  using tcp = await connectedSockets();
  expect(tcp.a.getpeername()).toEqual(tcp.b.getsockname());
  expect(tcp.b.getpeername()).toEqual(tcp.a.getsockname());
  using unix = sockets();
  expect(unix.a.getpeername()).toEqual<Address>({ family: 'unix', path: '' });
});

test('getpeername: without a peer it is ENOTCONN', () => {
  using open = Socket.open('IPv4', 'stream');
  expect(thrown(() => open.getpeername())).toMatchObject({
    code: 'ENOTCONN',
    syscall: 'getpeername',
    message: 'getpeername ENOTCONN',
  });
});

ipv6('getpeername: of an IPv6 socket that met an IPv4 one is IPv4', async () => {
  using listener = Socket.open('IPv6', 'stream');
  listener.setsockopt(C.IPPROTO_IPV6, C.IPV6_V6ONLY, false);
  listener.bind({ address: '::', port: 0 });
  listener.listen();
  const { port } = listener.getsockname() as InetAddress;
  using client = Socket.open('IPv4', 'stream');
  await client.connect({ address: '127.0.0.1', port });
  using peer = await listener.accept();
  expect(peer.getpeername()).toEqual(client.getsockname());
  expect(peer.getsockname()).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
});
