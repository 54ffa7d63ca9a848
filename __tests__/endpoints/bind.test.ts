// bind(): places, options, classes.

import { readFileSync } from 'node:fs';
import {
  bind,
  connect,
  constants as C,
  DatagramSocket,
  RawSocket,
  type MessageSocket,
} from '../../lib/index';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6 } from '../support/machine';
import { abstractName, temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';

leavesNoSockets();
const place = temporaryFolder();
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);

function option({ socket }: MessageSocket, name: number, level: number = C.SOL_SOCKET): number {
  return socket.getsockopt(level, name).readInt32LE();
}

test('bind: UDP on one address, with a port that the kernel chooses', async () => {
  await using udp = await bind({ host: '127.0.0.1' });
  expect(udp).toBeInstanceOf(DatagramSocket);
  expect(udp.localAddress).toMatchObject({ family: 'IPv4', address: '127.0.0.1' });
  expect(udp.localAddress.port).toBeGreaterThan(0);
  expect(udp.remoteAddress).toBeNull();
});

ipv6('bind: without a host it is both families', async () => {
  await using udp = await bind({});
  const { port } = udp.localAddress;
  for (const host of ['127.0.0.1', '::1']) {
    await using peer = await connect({ type: 'dgram', host, port });
    await peer.send(host);
    const { data, from } = await udp.receive();
    expect(data.toString()).toBe(host);
    expect(from).toEqual(peer.localAddress);
    await udp.send('back', from!);
    expect((await peer.receive()).data.toString()).toBe('back');
  }
});

test('bind: the family alone picks the address', async () => {
  await using udp = await bind({ family: 'IPv4' });
  expect(udp.localAddress).toMatchObject({ family: 'IPv4', address: '0.0.0.0' });
});

ipv6('bind: IPv6 alone, and a name in a family', async () => {
  await using udp = await bind({ family: 'IPv6' });
  expect(udp.localAddress).toMatchObject({ family: 'IPv6', address: '::' });
  await using named = await bind({ host: 'localhost', family: 'IPv4' });
  expect(named.localAddress).toMatchObject({ family: 'IPv4', address: '127.0.0.1' });
});

test('bind: Unix datagrams by path, abstract name, or the kernel’s choice', async () => {
  const path = place();
  await using file = await bind({ path });
  expect(file.localAddress).toEqual({ family: 'unix', path });
  const name = abstractName();
  await using abstract = await bind({ path: name });
  expect(abstract.localAddress).toEqual({ family: 'unix', path: name });
  await using chosen = await bind({ path: '' });
  expect(chosen.localAddress.path).toMatch(/^\0[0-9a-f]{5}$/);
  const bytes = Buffer.concat([Buffer.from(abstractName()), Buffer.from([0xff])]);
  await using odd = await bind({ path: bytes });
  expect(odd.localAddress).toEqual({ family: 'unix', path: bytes });
});

raw('bind: raw sockets of all kinds are RawSockets', async () => {
  await using icmp = await bind({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
  await using here = await bind({
    type: 'raw',
    family: 'IPv4',
    protocol: 1,
    host: '127.0.0.1',
  });
  await using packet = await bind({ type: 'raw', interface: 'lo', protocol: 'arp' });
  await using netlink = await bind({ type: 'raw', family: 'netlink', protocol: 'route' });
  for (const socket of [icmp, here, packet, netlink]) expect(socket).toBeInstanceOf(RawSocket);
  expect(icmp.localAddress).toMatchObject({ family: 'IPv4', address: '0.0.0.0' });
  expect(here.localAddress).toMatchObject({ family: 'IPv4', address: '127.0.0.1' });
  expect(packet.localAddress).toMatchObject({ interface: 1, protocol: C.ETH_P_ARP });
  expect(netlink.localAddress).toMatchObject({ family: 'netlink', groups: 0 });
});

test('bind: netlink groups', async () => {
  await using netlink = await bind({
    type: 'raw',
    family: 'netlink',
    protocol: 'route',
    groups: C.RTMGRP_LINK | C.RTMGRP_IPV4_IFADDR,
  });
  expect(netlink.localAddress).toMatchObject({
    groups: C.RTMGRP_LINK | C.RTMGRP_IPV4_IFADDR,
  });
});

test('promise 16: no SO_REUSEADDR on datagram sockets: a port has one owner', async () => {
  await using udp = await bind({ host: '127.0.0.1' });
  expect(option(udp, C.SO_REUSEADDR)).toBe(0);
  expect(option(udp, C.SO_REUSEPORT)).toBe(0);
  const { port } = udp.localAddress;
  expect(await rejection(bind({ host: '127.0.0.1', port }))).toMatchObject({
    code: 'EADDRINUSE',
    syscall: 'bind',
    port,
  });
  await using peer = await connect({ type: 'dgram', host: '127.0.0.1', port });
  expect(option(peer, C.SO_REUSEADDR)).toBe(0);
  const path = place();
  await using file = await bind({ path });
  expect(option(file, C.SO_REUSEADDR)).toBe(0);
  expect(await rejection(bind({ path }))).toMatchObject({ code: 'EADDRINUSE', path });
});

test('promise 16: unless asked for', async () => {
  await using first = await bind({ host: '127.0.0.1', reusePort: true });
  const { port } = first.localAddress;
  await using second = await bind({ host: '127.0.0.1', port, reusePort: true });
  expect(second.localAddress).toEqual(first.localAddress);
  await using third = await bind({
    host: '127.0.0.1',
    configure: (socket) => socket.setsockopt(C.SOL_SOCKET, C.SO_REUSEADDR, true),
  });
  expect(option(third, C.SO_REUSEADDR)).toBe(1);
});

test('bind: broadcast is asked for', async () => {
  const to = { address: '127.255.255.255', port: 9 };
  await using shy = await bind({ host: '127.0.0.1' });
  expect(await rejection(shy.send('x', to))).toMatchObject({
    code: 'EACCES',
    address: '127.255.255.255',
    port: 9,
    message: 'send EACCES 127.255.255.255:9',
  });
  await using bold = await bind({ host: '127.0.0.1', broadcast: true });
  expect(option(bold, C.SO_BROADCAST)).toBe(1);
  await bold.send('x', to);
});

test('promise 8: a bind that fails leaves no socket behind', async () => {
  const before = openSockets();
  await rejection(bind({ host: '192.0.2.1' }));
  await rejection(bind({ path: place('absent/deeper') }));
  await rejection(
    bind({
      configure: () => {
        throw new Error('a mistake of the caller’s');
      },
    }),
  );
  await rejection(bind({ host: 'localhost', signal: AbortSignal.abort() }));
  expect(socketsSince(before)).toEqual([]);
});

ipv6('bind: IPv6 alone leaves IPv4’s port to others, unless told', async () => {
  await using six = await bind({ family: 'IPv6' });
  const { port } = six.localAddress;
  await using four = await bind({ family: 'IPv4', port });
  expect(four.localAddress.port).toBe(port);
  await using both = await bind({ family: 'IPv6', options: { v6Only: false } });
  expect(both.socket.get('v6Only')).toBe(false);
});

test('bind: a literal of the other family is no address', () => {
  const message = /options\.host.*IPv4.*options\.family.*::1/s;
  expect(thrown(() => bind({ host: '::1', family: 'IPv4' }))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringMatching(message) as string,
  });
  const raw = { type: 'raw', family: 'IPv6', protocol: 'icmp6', host: '127.0.0.1' } as const;
  expect(thrown(() => bind(raw))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
});

// Allowed or not (icmp(7), ping_group_range), the kernel knows what is meant.
test('bind: a ping socket is of IPv4 unless told', async () => {
  const outcome = await bind({ protocol: 'icmp' }).then(
    async (ping) => {
      await ping.close();
      return 'made';
    },
    ({ code }: { code: string }) => code,
  );
  expect(['made', 'EACCES']).toContain(outcome);
});

ipv6('join: the zone of a group is its interface', async () => {
  await using udp = await bind({ family: 'IPv6' });
  using _membership = udp.join('ff02::1234%lo');
  const groups = readFileSync('/proc/net/igmp6', 'utf8').split('\n');
  expect(
    groups.filter((line) => line.includes('1234')).map((line) => line.split(/\s+/)[1]),
  ).toEqual(['lo']);
});
