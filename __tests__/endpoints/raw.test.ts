// RawSocket: ICMP, link-level packets and netlink for an application.

import { readFileSync } from 'node:fs';
import { filter, firstValueFrom, map } from 'rxjs';
import { bind, bpf, connect, constants as C, type Message } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { isPending, turn } from '../support/turns';

leavesNoSockets();
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);
const raw6 = needs('CAP_NET_RAW and IPv6 on the loopback', CAN_OPEN_RAW && HAS_IPV6);

/** An echo request, RFC 792 or 4443. */
function echo(type: number, identifier: number, text: string): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(text)]);
  bytes[0] = type;
  bytes.writeUInt16BE(identifier, 4);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 2);
  return bytes;
}

raw('raw: an ICMP echo, subscribed to, with an address that has no port', async () => {
  await using icmp = await bind({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
  const identifier = 0x6100 | (icmp.socket.fd & 0xff);
  const reply = firstValueFrom(
    icmp.observe().pipe(
      map(({ data, from }) => ({ body: data.subarray((data[0] & 15) * 4), from })),
      filter(({ body }) => body[0] === C.ICMP_ECHOREPLY && body.readUInt16BE(4) === identifier),
    ),
  );
  await icmp.send(echo(C.ICMP_ECHO, identifier, 'ping'), { address: '127.0.0.1' });
  const { body, from } = await reply;
  expect(body.toString('latin1', 8)).toBe('ping');
  expect(from).toEqual({ family: 'IPv4', address: '127.0.0.1', port: 0 });
});

raw6('raw: an ICMPv6 echo, in a batch', async () => {
  await using icmp = await bind({ type: 'raw', family: 'IPv6', protocol: 'icmp6' });
  const identifier = 0x6200 | (icmp.socket.fd & 0xff);
  const data = echo(C.ICMP6_ECHO_REQUEST, identifier, 'pong');
  const to = { address: '::1' };
  expect(
    await icmp.sendBatch([
      { data, to },
      { data, to: { ...to, family: 'IPv6' } },
    ]),
  ).toEqual({ sent: 2 });
  let replies = 0;
  for await (const { data: body } of icmp) {
    if (body[0] !== C.ICMP6_ECHO_REPLY || body.readUInt16BE(4) !== identifier) continue;
    expect(body.toString('latin1', 8)).toBe('pong');
    if (++replies === 2) break;
  }
});

raw('raw: a socket on one address hears what is sent to it alone', async () => {
  // RFC 3692: protocols for experiments.
  await using here = await bind({ type: 'raw', family: 'IPv4', protocol: 254, host: '127.0.0.3' });
  await using sender = await bind({ type: 'raw', family: 'IPv4', protocol: 254 });
  await sender.send('elsewhere', { address: '127.0.0.4' });
  await sender.send('here', { address: '127.0.0.3' });
  const { data } = await here.receive();
  expect(data.toString('latin1', 20)).toBe('here');
});

raw('raw: packets on the loopback, filtered as they come', async () => {
  await using sniffer = await bind({ type: 'raw', interface: 'lo', protocol: 'ip' });
  await using udp = await bind({ host: '127.0.0.1' });
  const { port } = udp.localAddress;
  const seen = firstValueFrom(
    sniffer
      .observe()
      .pipe(
        filter(({ data }: Message) => data[23] === C.IPPROTO_UDP && data.readUInt16BE(36) === port),
      ),
  );
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port });
  // Again until it is seen: what else goes over the loopback may leave no room for it.
  while (await isPending(seen)) {
    await client.send('over the wire');
    await turn();
  }
  const { data, from } = await seen;
  expect(data.toString('latin1', 42)).toBe('over the wire');
  expect(from).toMatchObject({ family: 'packet', interface: 1, protocol: C.ETH_P_IP });
});

raw(
  'raw: a packet socket hears its protocol and its interface alone, from the first one on',
  async () => {
    await using arp = await bind({ type: 'raw', interface: 1, protocol: 'arp' });
    await using udp = await bind({ host: '127.0.0.1' });
    await udp.send('no ARP', udp.localAddress);
    await udp.receive();
    await using all = await bind({ type: 'raw', interface: 'lo' });
    const hearing = firstValueFrom(
      all.observe().pipe(filter(({ data }) => data.includes('eagain: all of it'))),
    );
    while (await isPending(hearing)) {
      await udp.send('eagain: all of it', udp.localAddress);
      await turn();
    }
    expect((await hearing).from!.protocol).toBe(C.ETH_P_IP);
    expect(arp.socket.tryRecvmsg()).toBeNull();
  },
);

raw('promise 7: a packet that is cut says so', async () => {
  await using receiver = await bind({
    type: 'raw',
    family: 'IPv4',
    protocol: 254,
    host: '127.0.0.5',
  });
  await receiver.send(Buffer.alloc(100), { address: '127.0.0.5' });
  expect(await receiver.receive({ size: 30 })).toMatchObject({ length: 120, truncated: true });
});

raw('raw: the largest frame of the loopback comes whole', async () => {
  await using udp = await bind({ host: '127.0.0.1' });
  const { port } = udp.localAddress;
  const options = { attachFilter: bpf.port(port), forceReceiveBufferSize: 1 << 20 };
  await using sniffer = await bind({ type: 'raw', interface: 'lo', options });
  // An IP packet ends at 65,535 bytes, and Ethernet's header is before it.
  await udp.send(Buffer.alloc(65_507, 'x'), udp.localAddress);
  expect(await sniffer.receive()).toMatchObject({ length: 65_549, truncated: false });
});

raw('raw: what cannot be joined names itself', async () => {
  const options = { type: 'raw', interface: 'lo' } as const;
  expect(thrown(() => bind({ ...options, cooked: 1 as never })).code).toBe('ERR_INVALID_ARG_TYPE');
  await using packets = await bind(options);
  const join = (group: unknown) => thrown(() => packets.join(group as never));
  expect(join(null)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(join({ type: 'nothing' })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(join({ type: 'multicast', address: 5 }).message).toContain('"group.address"');
  expect(join({ type: 'multicast', address: Buffer.alloc(9) }).code).toBe('ERR_OUT_OF_RANGE');
  expect(join({ type: 'promiscuous', interface: 'nosuch0' }).code).toBe('ENODEV');
  // A group of IP, or of netlink, is no group of packets'.
  for (const group of ['224.0.0.5', 1]) {
    expect(join(group)).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringContaining(
        '"group" argument must be an object with a "type"',
      ) as string,
    });
  }
  await using ip = await bind({ type: 'raw', family: 'IPv4', protocol: 254 });
  expect(thrown(() => ip.join(1 as never))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringContaining('"group" argument must be of type string') as string,
  });
});

raw('raw: an IP group is joined, and left by disposing', async () => {
  await using ospf = await bind({ type: 'raw', family: 'IPv4', protocol: 89 });
  const joined = (): boolean => readFileSync('/proc/net/igmp', 'latin1').includes('050000E0');
  {
    using group = ospf.join('224.0.0.5', { interface: 'lo' });
    expect([joined(), group]).toEqual([true, expect.anything()]);
  }
  expect(joined()).toBe(false);
});

raw('raw: an interface that is not there', async () => {
  expect(await rejection(bind({ type: 'raw', interface: 'nosuch0' }))).toMatchObject({
    code: 'ENODEV',
    syscall: 'if_nametoindex',
  });
  expect((await rejection(bind({ type: 'raw', interface: 0x7ffffff0 }))).code).toBe('ENODEV');
});

test('raw: netlink events of the kernel’s', async () => {
  await using netlink = await bind({ type: 'raw', family: 'netlink', protocol: 'route' });
  // RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP, and an empty ifinfomsg (rtnetlink(7)).
  const request = Buffer.alloc(32);
  request.writeUInt32LE(32, 0);
  request.writeUInt16LE(18, 4);
  request.writeUInt16LE(C.NLM_F_REQUEST | C.NLM_F_DUMP, 6);
  await netlink.send(request, { family: 'netlink', pid: 0, groups: 0 });
  let done = false;
  let links = 0;
  while (!done) {
    const { data, from } = await netlink.receive();
    expect(from).toEqual({ family: 'netlink', pid: 0, groups: 0 });
    for (let at = 0; at < data.length; at += (data.readUInt32LE(at) + 3) & ~3) {
      const type = data.readUInt16LE(at + 4);
      if (type === C.NLMSG_DONE) done = true;
      else links++;
    }
  }
  expect(links).toBeGreaterThan(0);
});
