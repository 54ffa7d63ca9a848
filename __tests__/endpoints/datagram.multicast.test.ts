// Multicast between namespaces of our own: memberships of both families, any-source and source-specific, by the
// interface's name, index and address.

import {
  bind,
  constants as C,
  DatagramSocket,
  type InetAddress,
  type Socket,
} from '../../lib/index';
import { hearOwnGroupsOnly } from '../../lib/socket/multicast';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';

leavesNoSockets();

const test_ = needs('network namespaces, iproute2 and Python 3', CAN_MAKE_NAMESPACES);

const PORT = 5353;

interface Family {
  readonly what: 'IPv4' | 'IPv6';
  readonly domain: number;
  readonly any: string;
  readonly group: string;
  readonly ssm: string;
  readonly sender: string;
  readonly other: string;
}

const FAMILIES: readonly Family[] = [
  {
    what: 'IPv4',
    domain: C.AF_INET,
    any: '0.0.0.0',
    group: '239.1.2.3',
    ssm: '232.1.2.3',
    sender: '10.9.7.1',
    other: '10.9.7.3',
  },
  {
    what: 'IPv6',
    domain: C.AF_INET6,
    any: '::',
    group: 'ff15::1234',
    ssm: 'ff35::1234',
    sender: 'fd00:9::1',
    other: 'fd00:9::3',
  },
];

class World implements AsyncDisposable {
  private readonly here = new Namespace();
  private readonly there = new Namespace();
  private readonly opened: Socket[] = [];

  constructor(private readonly family: Family) {
    const net = family.what === 'IPv4' ? '24' : '64';
    const second = family.what === 'IPv4' ? '10.9.7.2' : 'fd00:9::2';
    const addresses = [`${family.sender}/${net}`, `${family.other}/${net}`];
    this.here.link(this.there, ['v1', ...addresses], ['v2', `${second}/${net}`]);
    for (const namespace of [this.here, this.there]) {
      const device = namespace === this.here ? 'v1' : 'v2';
      if (family.what === 'IPv4') namespace.ip('route', 'add', '224.0.0.0/4', 'dev', device);
    }
  }

  async sender(address: string): Promise<DatagramSocket<InetAddress>> {
    return this.open(this.here, { family: this.family.what, address, port: 0 });
  }

  async receiver(): Promise<DatagramSocket<InetAddress>> {
    return this.open(this.there, {
      family: this.family.what,
      address: this.family.any,
      port: PORT,
    });
  }

  private async open(namespace: Namespace, at: InetAddress): Promise<DatagramSocket<InetAddress>> {
    const socket = await namespace.socket(this.family.domain, C.SOCK_DGRAM);
    this.opened.push(socket);
    socket.setsockopt(C.SOL_SOCKET, C.SO_REUSEADDR, true);
    hearOwnGroupsOnly(socket);
    socket.bind(at);
    return new DatagramSocket<InetAddress>(socket);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.opened) socket.close();
    this.here[Symbol.dispose]();
    this.there[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** What has come by the time that a unicast, sent behind it, has. */
async function heard(
  receiver: DatagramSocket<InetAddress>,
  sender: DatagramSocket<InetAddress>,
  unicast: InetAddress,
): Promise<string[]> {
  await sender.send('end', unicast);
  const texts: string[] = [];
  for (;;) {
    const text = (await receiver.receive({ timeout: 5000 })).data.toString();
    if (text === 'end') return texts;
    texts.push(text);
  }
}

describe.each(FAMILIES)('$what', (family) => {
  const to = (address: string): InetAddress => ({ family: family.what, address, port: PORT });
  const unicast = to(family.what === 'IPv4' ? '10.9.7.2' : 'fd00:9::2');

  test_(`${family.what}: a member hears its groups, until it leaves`, async () => {
    await using world = new World(family);
    const sender = (await world.sender(family.sender)).setMulticast({ ttl: 4 });
    const receiver = await world.receiver();
    await sender.send('before', to(family.group));
    expect(await heard(receiver, sender, unicast)).toEqual([]);
    // v2 is not of this process's namespace: by index. A new namespace's first device has 2, or the next one.
    const index = 2;
    const membership = receiver.join(family.group, { interface: index });
    expect(thrown(() => receiver.join(family.group, { interface: index }))).toMatchObject({
      code: 'EADDRINUSE',
    });
    await sender.send('joined', to(family.group));
    await sender.send('another group', to(family.group.replace(/3$|4$/, '9')));
    expect(await heard(receiver, sender, unicast)).toEqual(['joined']);
    membership[Symbol.dispose]();
    membership[Symbol.dispose]();
    expect(thrown(() => receiver.leave(family.group, { interface: index }))).toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
    await sender.send('left', to(family.group));
    expect(await heard(receiver, sender, unicast)).toEqual([]);
    receiver.join(family.group, { interface: index });
    receiver.leave(family.group, { interface: index });
    await sender.send('left again', to(family.group));
    expect(await heard(receiver, sender, unicast)).toEqual([]);
  });

  test_(`${family.what}: source-specific: from one sender alone`, async () => {
    await using world = new World(family);
    const [wanted, unwanted] = [
      await world.sender(family.sender),
      await world.sender(family.other),
    ];
    const receiver = await world.receiver();
    const membership = receiver.join(family.ssm, { source: family.sender, interface: 2 });
    await unwanted.send('unwanted', to(family.ssm));
    await wanted.send('wanted', to(family.ssm));
    expect(await heard(receiver, wanted, unicast)).toEqual(['wanted']);
    membership[Symbol.dispose]();
    await wanted.send('late', to(family.ssm));
    expect(await heard(receiver, wanted, unicast)).toEqual([]);
  });

  test_(`${family.what}: a group that another socket has joined is not heard`, async () => {
    await using world = new World(family);
    const sender = await world.sender(family.sender);
    const [member, bystander] = [await world.receiver(), await world.receiver()];
    member.join(family.group, { interface: 2 });
    await sender.send('members only', to(family.group));
    expect((await member.receive({ timeout: 5000 })).data.toString()).toBe('members only');
    expect(bystander.socket.tryRecvmsg()).toBeNull();
  });
});

describe('on the loopback', () => {
  const lo = binding.ifNameToIndex('lo');

  test.each([
    ['name', 'lo'],
    ['index', lo],
    ['address', '127.0.0.1'],
  ])('IPv4, by the interface’s %s', async (_, where) => {
    await using receiver = await bind({ family: 'IPv4', port: 0 });
    await using sender = await bind({ host: '127.0.0.1' });
    sender.setMulticast({ interface: where, loop: true, ttl: 0 });
    using membership = receiver.join('239.9.9.9', { interface: where });
    expect(membership).toBeDefined();
    await sender.send('here', { address: '239.9.9.9', port: receiver.localAddress.port });
    expect((await receiver.receive({ timeout: 5000 })).data.toString()).toBe('here');
  });

  // The loopback itself brings everything back, whatever the option says: read instead.
  test('loop, ttl and interface, for both families of a dual stack', async () => {
    await using socket = await bind({});
    const asked = (): number[] =>
      (
        [
          [C.IPPROTO_IP, C.IP_MULTICAST_LOOP],
          [C.IPPROTO_IP, C.IP_MULTICAST_TTL],
          [C.IPPROTO_IPV6, C.IPV6_MULTICAST_LOOP],
          [C.IPPROTO_IPV6, C.IPV6_MULTICAST_HOPS],
          [C.IPPROTO_IPV6, C.IPV6_MULTICAST_IF],
        ] as const
      ).map(([level, name]) => socket.socket.getsockopt(level, name).readUInt8());
    expect(asked()).toEqual([1, 1, 1, 1, 0]);
    socket.setMulticast({ loop: false, ttl: 7, interface: 'lo' });
    expect(asked()).toEqual([0, 7, 0, 7, lo]);
    for (const bad of [{ loop: 1 }, { ttl: 256 }, { ttl: '1' }, { interface: null }])
      expect(thrown(() => socket.setMulticast(bad as never)).code).toMatch(/^ERR_/);
  });

  test('a dual stack joins groups of both', async () => {
    await using receiver = await bind({ packetInfo: true });
    await using sender = await bind({ host: '127.0.0.1' });
    sender.setMulticast({ interface: 'lo' });
    receiver.join('239.9.9.9', { interface: 'lo' });
    receiver.join('ff11::99', { interface: 'lo' });
    await sender.send('here', { address: '239.9.9.9', port: receiver.localAddress.port });
    const message = await receiver.receive({ timeout: 5000 });
    expect(message.packetInfo).toMatchObject({ interface: lo, destination: '239.9.9.9' });
    expect(message.packetInfo?.local).toBe('127.0.0.1');
  });

  test('bind has switched IP_MULTICAST_ALL off', async () => {
    await using socket = await bind({});
    const asked = (level: number, name: number): number =>
      socket.socket.getsockopt(level, name).readUInt8();
    expect(asked(C.IPPROTO_IP, C.IP_MULTICAST_ALL)).toBe(0);
    expect(asked(C.IPPROTO_IPV6, C.IPV6_MULTICAST_ALL)).toBe(0);
  });

  test.each([
    [5, {}, 'ERR_INVALID_ARG_TYPE', 'group'],
    ['127.0.0.1', {}, 'EINVAL', 'setsockopt'],
    ['all-hosts', {}, 'ERR_INVALID_ARG_VALUE', 'group'],
    ['239.9.9.9', { source: '::1' }, 'ERR_INVALID_ARG_VALUE', 'options.source'],
    ['239.9.9.9', { source: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.source'],
    ['239.9.9.9', { interface: 'nowhere' }, 'ENODEV', 'nowhere'],
    ['239.9.9.9', { interface: true }, 'ERR_INVALID_ARG_TYPE', 'options.interface'],
    ['239.9.9.9', { interface: -1 }, 'ERR_OUT_OF_RANGE', 'options.interface'],
    ['239.9.9.9', null, 'ERR_INVALID_ARG_TYPE', 'options'],
  ])('join(%p, %j) is %s', async (group, options, code, text) => {
    await using socket = await bind({ family: 'IPv4', port: 0 });
    const error = thrown(() => socket.join(group as string, options as never));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(text);
  });
});
