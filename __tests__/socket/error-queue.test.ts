// readErrorQueue(): ICMP errors of both families, timestamps of what was sent.

import { bind, constants as C, Socket, socketpair, type InetAddress } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { soon } from '../support/turns';

leavesNoSockets();

interface Family {
  readonly family: 'IPv4' | 'IPv6';
  readonly domain: 'IPv4' | 'IPv6';
  readonly address: string;
  readonly origin: 'icmp' | 'icmp6';
}

const FAMILIES: readonly Family[] = [
  { family: 'IPv4', domain: 'IPv4', address: '127.0.0.1', origin: 'icmp' },
  { family: 'IPv6', domain: 'IPv6', address: '::1', origin: 'icmp6' },
  { family: 'IPv4', domain: 'IPv6', address: '127.0.0.1', origin: 'icmp' },
];

function asking(domain: 'IPv4' | 'IPv6'): Socket {
  const socket = Socket.open(domain, 'dgram');
  socket.setsockopt(C.IPPROTO_IP, C.IP_RECVERR, true);
  if (domain === 'IPv6') socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_RECVERR, true);
  return socket;
}

/** A port where nobody listens. */
function deadPort({ family, address }: Family): InetAddress {
  using gone = Socket.open(family, 'dgram');
  gone.bind({ family, address, port: 0 });
  return gone.getsockname() as InetAddress;
}

describe.each(FAMILIES)('$family through an $domain socket', (family) => {
  const test = needs('IPv6 on the loopback', HAS_IPV6 || family.domain === 'IPv4');

  test('a port that is closed', async () => {
    using socket = asking(family.domain);
    const to = deadPort(family);
    expect(socket.readErrorQueue()).toEqual([]);
    await socket.sendto(Buffer.from('lost'), to);
    const entries = socket.readErrorQueue();
    expect(entries).toHaveLength(1);
    const [type, icmpCode] = family.origin === 'icmp' ? [3, 3] : [1, 4];
    expect(entries[0]).toMatchObject({
      code: 'ECONNREFUSED',
      origin: family.origin,
      type,
      icmpCode,
      info: 0,
      offender: { family: family.family, address: family.address },
      destination: to,
      control: [],
    });
    expect(entries[0].data.toString()).toBe('lost');
    expect(socket.readErrorQueue()).toEqual([]);
  });

  test('many at once, each with its own', async () => {
    using socket = asking(family.domain);
    const to = deadPort(family);
    const sent = Array.from({ length: 100 }, (_, i) => String(i));
    for (const text of sent) {
      // Each error is the next call's as well, and taken with it.
      socket.getsockopt(C.SOL_SOCKET, C.SO_ERROR);
      await socket.sendto(Buffer.from(text), to);
    }
    const entries = socket.readErrorQueue();
    expect(entries.length).toBeGreaterThan(1);
    expect(entries.map(({ data }) => data.toString())).toEqual(sent.slice(0, entries.length));
  });

  test('the stamp of what was sent', async () => {
    using socket = asking(family.domain);
    using receiver = Socket.open(family.family, 'dgram');
    receiver.bind({ family: family.family, address: family.address, port: 0 });
    // SOF_TIMESTAMPING_TX_SOFTWARE | SOFTWARE | OPT_ID
    socket.setsockopt(C.SOL_SOCKET, C.SO_TIMESTAMPING, 0x2 | 0x10 | 0x80);
    for (const text of ['a', 'b']) await socket.sendto(Buffer.from(text), receiver.getsockname());
    const entries = socket.readErrorQueue();
    expect(entries.map(({ code, origin, extra }) => [code, origin, extra])).toEqual([
      ['ENOMSG', 'timestamp', 0],
      ['ENOMSG', 'timestamp', 1],
    ]);
    for (const { control } of entries)
      expect(control).toMatchObject([{ kind: 'timestamp', source: 'software' }]);
  });
});

test('a closed socket has none', () => {
  const socket = asking('IPv4');
  socket.close();
  expect(thrown(() => socket.readErrorQueue())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});

// They take no notice of MSG_ERRQUEUE.
describe('families that have no error queue', () => {
  test.each(['stream', 'dgram', 'seqpacket'] as const)('unix %s', async (type) => {
    const [a, b] = socketpair(type);
    using _a = a;
    using _b = b;
    await a.send(Buffer.from('kept'));
    expect(b.readErrorQueue()).toEqual([]);
    const into = Buffer.alloc(10);
    expect(await b.recv(into)).toBe(4);
    a.close();
    // At the end of a stream each call would give it again.
    expect(b.readErrorQueue()).toEqual([]);
  });

  test('netlink', async () => {
    using socket = Socket.open('netlink', 'raw', 'route');
    // RTM_GETLINK as a dump, NLM_F_REQUEST | NLM_F_DUMP.
    const request = Buffer.alloc(20);
    request.writeUInt32LE(20, 0);
    request.writeUInt16LE(18, 4);
    request.writeUInt16LE(0x301, 6);
    await socket.sendto(request, { family: 'netlink', pid: 0, groups: 0 });
    expect(socket.readErrorQueue()).toEqual([]);
    expect((await socket.recvmsg({ timeout: 1000 })).length).toBeGreaterThan(0);
  });

  test('errors() of a message socket takes no message', async () => {
    await using to = await bind({ path: '' });
    await using from = await bind({ path: '' });
    const errors = to.errors();
    const next = errors.next();
    await from.send('kept', to.localAddress);
    expect((await to.receive({ timeout: 1000 })).data.toString()).toBe('kept');
    await errors.return!();
    expect(await next).toEqual({ value: undefined, done: true });
  });
});

test('a try… for the queue finds it while somebody waits in ready()', async () => {
  using socket = asking('IPv4');
  const waiting = rejection(socket.ready({ read: true }));
  await socket.sendto(Buffer.from('lost'), deadPort(FAMILIES[0]));
  const entry = soon(() => socket.tryRecvmsg({ flags: C.MSG_ERRQUEUE }));
  expect(entry.data.toString()).toBe('lost');
  // With its entry the error is gone, and there is no event.
  socket.close();
  expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});

// ip_recv_error takes no notice of MSG_TRUNC on the way in.
test('promise 7: an entry that is cut says so', async () => {
  using socket = asking('IPv4');
  const to = deadPort(FAMILIES[0]);
  const flags = C.MSG_ERRQUEUE;
  const lose = async (): Promise<void> => {
    socket.getsockopt(C.SOL_SOCKET, C.SO_ERROR);
    await socket.sendto(Buffer.alloc(100), to);
  };
  await lose();
  expect(await socket.recvmsg({ flags, size: 10 })).toMatchObject({ truncated: true });
  await lose();
  expect(await socket.recvmsg({ flags, into: Buffer.alloc(10) })).toMatchObject({
    truncated: true,
  });
  await lose();
  expect(await socket.recvfrom(Buffer.alloc(10), { flags })).toMatchObject({ truncated: true });
  await lose();
  expect(await socket.recvfrom(Buffer.alloc(100), { flags })).toMatchObject({ truncated: false });
});
