// Netlink beside `ip`: what the kernel says to us, and what iproute2 makes of the same.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants as C, fromFd, type NetlinkAddress, type RawSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_MAKE_NAMESPACES, Namespace, wire, type Wire } from '../support/namespaces';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import {
  attributes,
  KERNEL,
  messagesIn,
  request,
  RTM,
  RTM_GET,
  RTNLGRP,
  text,
  type NetlinkMessage,
} from '../support/rtnetlink';

leavesNoSockets();
jest.setTimeout(60_000);
const real = needs('network namespaces', CAN_MAKE_NAMESPACES);

type Netlink = RawSocket<NetlinkAddress>;

/** A socket of NETLINK_ROUTE within. */
async function route(namespace: Namespace): Promise<Netlink> {
  const open = await namespace.socket(C.AF_NETLINK, C.SOCK_RAW, C.NETLINK_ROUTE);
  open.bind({ family: 'netlink', pid: 0, groups: 0 });
  return fromFd(open.detach()) as Netlink;
}

/** The wire, and two routes beside it. */
function routed(): Wire {
  const made = wire();
  made.near.ip('route', 'add', '10.10.0.0/16', 'via', '10.9.0.2', 'metric', '77');
  made.near.ip('route', 'add', 'blackhole', '10.11.0.0/16');
  return made;
}

/** The whole of a dump, by batches. */
async function dump(netlink: Netlink, type: number, body: Buffer): Promise<NetlinkMessage[]> {
  const sequence = 1000 + type;
  await netlink.send(request(type, C.NLM_F_DUMP, sequence, body), KERNEL);
  const replies: NetlinkMessage[] = [];
  for (;;) {
    for (const { data, from, truncated } of await netlink.receiveBatch(16)) {
      expect([from, truncated]).toEqual([KERNEL, false]);
      for (const message of messagesIn(data)) {
        if (message.sequence !== sequence) continue;
        if (message.type === C.NLMSG_DONE) return replies;
        expect(message.type).toBe(type - 2); // RTM_NEW… comes two before RTM_GET…
        replies.push(message);
      }
    }
  }
}

const mac = (bytes: Buffer): string => bytes.toString('hex').replace(/..(?=.)/g, '$&:');
const dotted = (bytes: Buffer): string => [...bytes].join('.');
const byIndex = (a: { index: number }, b: { index: number }): number => a.index - b.index;

real('netlink: links, as `ip -j link` has them', async () => {
  using ends = routed();
  await using netlink = await route(ends.near);
  const ours = (await dump(netlink, RTM_GET.link, Buffer.alloc(16))).map(({ body }) => {
    const found = attributes(body, 16);
    return {
      index: body.readInt32LE(4),
      name: text(found.get(3)), // IFLA_IFNAME
      mtu: found.get(4)!.readUInt32LE(), // IFLA_MTU
      address: mac(found.get(1)!), // IFLA_ADDRESS
      up: (body.readUInt32LE(8) & C.IFF_UP) !== 0,
    };
  });
  interface Link {
    ifindex: number;
    ifname: string;
    mtu: number;
    address: string;
    flags: string[];
  }
  const theirs = (ends.near.json('link') as Link[]).map((link) => ({
    index: link.ifindex,
    name: link.ifname,
    mtu: link.mtu,
    address: link.address,
    up: link.flags.includes('UP'),
  }));
  expect(ours.sort(byIndex)).toEqual(theirs.sort(byIndex));
  expect(ours.map(({ name }) => name)).toEqual(expect.arrayContaining(['lo', 'near0']));
});

interface IpAddress {
  ifindex: number;
  addr_info: { family: string; local: string; prefixlen: number; scope: string }[];
}

real('netlink: addresses, as `ip -j addr` has them', async () => {
  using ends = routed();
  await using netlink = await route(ends.near);
  const ours = (await dump(netlink, RTM_GET.address, Buffer.alloc(8)))
    .filter(({ body }) => body[0] === C.AF_INET)
    .map(({ body }) => {
      // IFA_LOCAL is the address of ours, IFA_ADDRESS the peer's, or the same.
      const local = dotted(attributes(body, 8).get(2)!);
      return { index: body.readInt32LE(4), local, length: body[1] };
    });
  const theirs = (ends.near.json('addr') as IpAddress[]).flatMap(({ ifindex, addr_info }) =>
    addr_info
      .filter(({ family }) => family === 'inet')
      .map(({ local, prefixlen }) => ({ index: ifindex, local, length: prefixlen })),
  );
  expect(ours.sort(byIndex)).toEqual(theirs.sort(byIndex));
  expect(ours).toContainEqual({ index: expect.any(Number), local: '10.9.0.1', length: 24 });
});

real('netlink: routes, as `ip -j route` has them', async () => {
  using ends = routed();
  await using netlink = await route(ends.near);
  const request4 = Buffer.alloc(12);
  request4[0] = C.AF_INET;
  const MAIN = 254; // RT_TABLE_MAIN
  const TYPES: Record<number, string | undefined> = { 1: undefined, 6: 'blackhole' };
  const ours = (await dump(netlink, RTM_GET.route, request4))
    .filter(({ body }) => body[4] === MAIN)
    .map(({ body }) => {
      const found = attributes(body, 12);
      return {
        dst: `${dotted(found.get(1)!)}/${body[1]}`, // RTA_DST
        gateway: found.has(5) ? dotted(found.get(5)!) : undefined, // RTA_GATEWAY
        metric: found.get(6)?.readUInt32LE(), // RTA_PRIORITY
        type: TYPES[body[7]],
      };
    });
  interface Route {
    dst: string;
    gateway?: string;
    metric?: number;
    type?: string;
  }
  const theirs = (ends.near.json('-4', 'route') as Route[]).map((each) => ({
    dst: each.dst,
    gateway: each.gateway,
    metric: each.metric,
    type: each.type,
  }));
  expect(ours).toEqual(theirs);
  expect(ours).toHaveLength(3);
});

real('netlink: what changes, as `ip monitor` tells it', async () => {
  using namespace = new Namespace();
  await using netlink = await route(namespace);
  using links = netlink.join(RTNLGRP.link);
  using addresses = netlink.join(RTNLGRP.ipv4Address);
  expect(netlink.socket.get('netlinkMemberships')).toEqual([RTNLGRP.link, RTNLGRP.ipv4Address]);
  const args = ['netns', 'exec', namespace.name, 'ip', '-o', '-4', 'monitor', 'link', 'address'];
  const monitor = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    monitor.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // It says nothing when it begins to listen: an MTU is changed until it tells of one.
    for (let mtu = 60_000; said === ''; mtu++) {
      namespace.ip('link', 'set', 'lo', 'mtu', String(mtu));
      await netlink.receive();
    }
    namespace.ip('link', 'add', 'one0', 'type', 'veth', 'peer', 'name', 'two0');
    namespace.ip('addr', 'add', '10.8.0.1/24', 'dev', 'one0');
    namespace.ip('addr', 'del', '10.8.0.1/24', 'dev', 'one0');
    namespace.ip('link', 'del', 'one0');
    const gone = (lines: string, name: string): boolean =>
      lines.split('\n').some((line) => line.startsWith('Deleted') && line.includes(`${name}@`));
    while (!gone(said, 'one0') || !gone(said, 'two0')) await once(monitor.stdout, 'data');
    const ours: string[] = [];
    const seen = new Set<string>();
    for await (const { data } of netlink) {
      for (const { type, body } of messagesIn(data)) {
        const line = told(type, body);
        if (line !== undefined) ours.push(line);
        if (type === RTM.delLink) seen.add(text(attributes(body, 16).get(3)));
      }
      if (seen.has('one0') && seen.has('two0')) break;
    }
    expect(ours).toEqual(said.split('\n').flatMap((line) => theirs(line)));
    expect(ours).toEqual(
      expect.arrayContaining([
        '+link one0',
        '+addr 10.8.0.1/24',
        '-addr 10.8.0.1/24',
        '-link one0',
      ]),
    );
  } finally {
    const ended = once(monitor, 'close');
    monitor.kill('SIGTERM');
    await ended;
  }
  expect([links, addresses]).toHaveLength(2);
});

/** A change in a few words; nothing of the loopback, which is changed before both listen. */
function told(type: number, body: Buffer): string | undefined {
  switch (type) {
    case RTM.newLink:
    case RTM.delLink: {
      const name = text(attributes(body, 16).get(3));
      return name === 'lo' ? undefined : `${type === RTM.newLink ? '+' : '-'}link ${name}`;
    }
    case RTM.newAddress:
    case RTM.delAddress: {
      const address = `${dotted(attributes(body, 8).get(2)!)}/${body[1]}`;
      return `${type === RTM.newAddress ? '+' : '-'}addr ${address}`;
    }
    default:
      return undefined;
  }
}

/** The same of a line of `ip -o monitor`. */
function theirs(line: string): string[] {
  const sign = line.startsWith('Deleted') ? '-' : '+';
  const link = /^(?:Deleted )?\d+: (\w+)[@:].*<.*>/.exec(line)?.[1];
  if (link !== undefined) return link === 'lo' ? [] : [`${sign}link ${link}`];
  const address = /\binet (\S+)/.exec(line)?.[1];
  return address === undefined ? [] : [`${sign}addr ${address}`];
}

real('netlink: an overrun is told once, by ENOBUFS, and the socket goes on', async () => {
  using namespace = new Namespace();
  await using netlink = await route(namespace);
  netlink.socket.set('receiveBufferSize', 4096);
  using _links = netlink.join(RTNLGRP.link);
  const iterator = netlink.iterate();
  const set = (mtu: number): void => namespace.ip('link', 'set', 'lo', 'mtu', String(mtu));
  for (let mtu = 60_000; mtu < 60_030; mtu++) set(mtu);
  // It comes before what is in the queue (netlink_overrun, sock_error in __skb_wait_for_more_packets).
  const error = await rejection(iterator.next());
  expect(error).toMatchObject({ code: 'ENOBUFS', syscall: 'receive' });
  expect(netlink.socket.closed).toBe(false);
  // Until the queue is empty the kernel adds nothing to it (NETLINK_S_CONGESTED).
  const left = netlink.socket.tryRecvmmsg(64) ?? [];
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThan(30);
  set(59_999);
  const [message] = messagesIn((await netlink.receive()).data);
  expect(attributes(message.body, 16).get(4)!.readUInt32LE()).toBe(59_999);
});
