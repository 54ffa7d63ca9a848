// interfaces.list() in a network namespace with links of several sorts, against what ip(8) says of them.

import { CAN_UNSHARE } from '../support/machine';
import { needs } from '../support/needs';
import { run } from './support/program';

interface Theirs {
  ifindex: number;
  ifname: string;
  flags: string[];
  mtu: number;
  address?: string;
  addr_info: {
    family: 'inet' | 'inet6';
    local: string;
    address?: string;
    prefixlen: number;
    broadcast?: string;
  }[];
}

const SETUP = [
  'ip link set lo up',
  'ip link add v0 type veth peer name v1',
  'ip link add br0 type bridge',
  'ip tuntap add t0 mode tun',
  'ip link set v1 master br0',
  'ip link set v0 mtu 1400 address 02:00:00:00:00:01',
  'ip addr add 10.1.2.3/20 broadcast + dev v0 label v0:1',
  'ip addr add 10.1.2.4/32 dev v0',
  'ip addr add fd00::1/64 dev br0 nodad',
  'ip addr add 10.9.0.1 peer 10.9.0.2 dev t0',
  'for i in v0 v1 br0 t0; do ip link set $i up; done',
].join(' && ');

const alone = ['unshare', '--net', 'sh', '-c', `${SETUP} && exec "$@"`, 'sh'];

needs('network namespaces', CAN_UNSHARE)('interfaces.list() is what ip(8) says', async () => {
  const { ours, theirs } = await run<{
    ours: ReturnType<typeof import('../../lib').interfaces.list>;
    theirs: Theirs[];
  }>(
    ({ eagain, childProcess, tell }) => {
      const shown = childProcess.execFileSync('ip', ['-j', 'addr'], { encoding: 'utf8' });
      tell({ ours: eagain.interfaces.list(), theirs: JSON.parse(shown) as unknown });
    },
    undefined,
    { under: alone },
  );
  const order = (a: { index: number }, b: { index: number }): number => a.index - b.index;
  const has = (flags: readonly string[], flag: string): boolean => flags.includes(flag);
  expect(
    ours
      .map(({ name, index, mtu, hardwareAddress, addresses, up, loopback, ...rest }) => ({
        name,
        index,
        mtu,
        hardwareAddress,
        up,
        loopback,
        pointToPoint: rest.pointToPoint,
        multicast: rest.multicast,
        noArp: rest.noArp,
        addresses: addresses
          .filter(({ address }) => !address.startsWith('fe80:'))
          .map(({ family, address, prefixLength, broadcast, destination }) =>
            [family, address, prefixLength, broadcast, destination].join(),
          ),
      }))
      .sort(order),
  ).toEqual(
    theirs
      .map(({ ifname, ifindex, mtu, address, flags, addr_info }) => ({
        name: ifname,
        index: ifindex,
        mtu,
        hardwareAddress: address,
        up: has(flags, 'UP'),
        loopback: has(flags, 'LOOPBACK'),
        pointToPoint: has(flags, 'POINTOPOINT'),
        multicast: has(flags, 'MULTICAST'),
        noArp: has(flags, 'NOARP'),
        addresses: addr_info
          .filter(({ local }) => !local.startsWith('fe80:'))
          .map(({ family, local, prefixlen, broadcast, address: peer }) =>
            [family === 'inet' ? 'IPv4' : 'IPv6', local, prefixlen, broadcast, peer].join(),
          ),
      }))
      .sort(order),
  );
  expect(ours.map(({ name }) => name).sort()).toEqual(['br0', 'lo', 't0', 'v0', 'v1']);
});
