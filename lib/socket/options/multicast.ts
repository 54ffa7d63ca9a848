// Multicast groups: which ones a socket is in, from whom it takes their packets, how it sends to them.
//
//   IP_ADD_MEMBERSHIP        struct ip_mreqn           | group 4 | local address 4 | ifindex |
//   IPV6_JOIN_GROUP          struct ipv6_mreq          | group 16 | ifindex |
//   MCAST_JOIN_SOURCE_GROUP  struct group_source_req   | ifindex | pad | group storage | source storage |
//   MCAST_MSFILTER           struct group_filter       | ifindex | pad | group storage | mode | count | storage … |
//
// The MCAST_ options (RFC 3678) are the same at both levels. IP_ADD_SOURCE_MEMBERSHIP and its kin are older ones
// that say no more.

import { invalidType, invalidValue } from '../../core/errors';
import { record } from '../../core/validate';
import { constants as C } from '../constants';
import { interfaceIndex } from '../sockaddr';
import { addressBytes, literalBytes, literalOf } from './addresses';
import { encodeOnly, flag, int, type Codec } from './codec';
import { layout } from './layout';
import { interfaceNumber } from './structs';
import { option, setter, type Table } from './table';
import type { SetOnly } from './types';

/** A multicast group on an interface. */
export interface GroupMembership {
  /** The group, an IP literal of the socket's family. */
  group: string;
  /** Without one the routing table chooses. */
  interface?: string | number | undefined;
  /** IPv4 only: the interface with this address of ours, where no interface is named. */
  localAddress?: string | undefined;
}

/** One sender to a group. */
export interface GroupSource {
  group: string;
  /** Its address, an IP literal. */
  source: string;
  interface?: string | number | undefined;
}

/** From whom packets of a group are taken: from these only, or from all but these. */
export interface GroupFilter {
  group: string;
  interface?: string | number | undefined;
  mode: 'include' | 'exclude';
  sources: readonly string[];
}

const INDEX = layout({ index: 'u32' });
// The address that follows is aligned as a pointer is.
const ALIGNED = layout({ index: 'u64' });

const indexOf = (device: string | number | undefined, name: string): number =>
  device === undefined ? 0 : interfaceIndex(device, `${name}.interface`);

// A uint32 at the beginning of 8 bytes, whichever byte is first.
const aligned = (index: number): Buffer =>
  Buffer.concat([INDEX.write({ index }), Buffer.alloc(ALIGNED.size - INDEX.size)]);

const membership4 = encodeOnly<GroupMembership>((value, name) => {
  const { group, interface: device, localAddress = '0.0.0.0' } = record(name, value);
  return Buffer.concat([
    literalBytes(group, 'IPv4', `${name}.group`),
    literalBytes(localAddress, 'IPv4', `${name}.localAddress`),
    INDEX.write({ index: indexOf(device, name) }),
  ]);
});

const membership6 = encodeOnly<GroupMembership>((value, name) => {
  const { group, interface: device, localAddress } = record(name, value);
  if (localAddress !== undefined) {
    throw invalidValue(`${name}.localAddress`, 'undefined: IPv6 has interfaces', localAddress);
  }
  return Buffer.concat([
    literalBytes(group, 'IPv6', `${name}.group`),
    INDEX.write({ index: indexOf(device, name) }),
  ]);
});

const groupSource = encodeOnly<GroupSource>((value, name) => {
  const { group, source, interface: device } = record(name, value);
  return Buffer.concat([
    aligned(indexOf(device, name)),
    addressBytes(group, `${name}.group`),
    addressBytes(source, `${name}.source`),
  ]);
});

const MODES: Readonly<Record<GroupFilter['mode'], number>> = {
  include: C.MCAST_INCLUDE,
  exclude: C.MCAST_EXCLUDE,
};
const FILTER = layout({ mode: 'u32', count: 'u32' });

const groupFilter = encodeOnly<GroupFilter>((value, name) => {
  const { group, interface: device, mode, sources } = record(name, value);
  if (!Object.hasOwn(MODES, mode)) {
    throw invalidValue(`${name}.mode`, "one of 'include', 'exclude'", mode);
  }
  if (!Array.isArray(sources)) throw invalidType(`${name}.sources`, 'an Array', sources);
  return Buffer.concat([
    aligned(indexOf(device, name)),
    addressBytes(group, `${name}.group`),
    FILTER.write({ mode: MODES[mode], count: sources.length }),
    ...sources.map((source, i) => addressBytes(source, `${name}.sources[${i}]`)),
  ]);
});

// The kernel takes an address of ours or an ip_mreqn; it gives the address, which is 0.0.0.0 where the index was set.
const sendingInterface4: Codec<string | number> = {
  size: 4,
  encode(value, name) {
    const isAddress = typeof value === 'string' && /^\d+\.\d+\.\d+\.\d+$/.test(value);
    return Buffer.concat([
      Buffer.alloc(4),
      isAddress ? literalBytes(value, 'IPv4', name) : Buffer.alloc(4),
      INDEX.write({ index: isAddress ? 0 : interfaceIndex(value, name) }),
    ]);
  },
  decode: (bytes) => literalOf(bytes, 'IPv4'),
};

export interface MulticastOptions {
  /** Hops that a multicast packet may take; 1 from the start, -1 is the kernel's choice. */
  multicastTtl: number;
  /** What is sent to a group is heard on this machine too. */
  multicastLoop: boolean;
  /** The interface that multicast leaves by: a name or index, on IPv4 also an address. IPv4 gives the address, IPv6 the index. */
  multicastInterface: string | number;
  /** Takes the packets of every group that anybody here joined; true unless told. */
  multicastAll: boolean;
  /** Joins a group. */
  joinGroup: SetOnly<GroupMembership>;
  /** Leaves it. */
  leaveGroup: SetOnly<GroupMembership>;
  /** Joins a group for one sender's packets. */
  joinSource: SetOnly<GroupSource>;
  /** Leaves the group for this sender. */
  leaveSource: SetOnly<GroupSource>;
  /** Takes no more packets of a sender to a group that was joined. */
  blockSource: SetOnly<GroupSource>;
  /** Takes them again. */
  unblockSource: SetOnly<GroupSource>;
  /** All senders of a joined group at once. */
  groupFilter: SetOnly<GroupFilter>;
}

export const MULTICAST: Table<MulticastOptions> = {
  multicastTtl: {
    IPv4: option('IPPROTO_IP', 'IP_MULTICAST_TTL', int(-1, 255)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MULTICAST_HOPS', int(-1, 255)),
  },
  multicastLoop: {
    IPv4: option('IPPROTO_IP', 'IP_MULTICAST_LOOP', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MULTICAST_LOOP', flag),
  },
  multicastInterface: {
    IPv4: option('IPPROTO_IP', 'IP_MULTICAST_IF', sendingInterface4),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MULTICAST_IF', interfaceNumber),
  },
  multicastAll: {
    IPv4: option('IPPROTO_IP', 'IP_MULTICAST_ALL', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MULTICAST_ALL', flag),
  },
  joinGroup: {
    IPv4: setter('IPPROTO_IP', 'IP_ADD_MEMBERSHIP', membership4),
    IPv6: setter('IPPROTO_IPV6', 'IPV6_JOIN_GROUP', membership6),
  },
  leaveGroup: {
    IPv4: setter('IPPROTO_IP', 'IP_DROP_MEMBERSHIP', membership4),
    IPv6: setter('IPPROTO_IPV6', 'IPV6_LEAVE_GROUP', membership6),
  },
  joinSource: {
    IPv4: setter('IPPROTO_IP', 'MCAST_JOIN_SOURCE_GROUP', groupSource),
    IPv6: setter('IPPROTO_IPV6', 'MCAST_JOIN_SOURCE_GROUP', groupSource),
  },
  leaveSource: {
    IPv4: setter('IPPROTO_IP', 'MCAST_LEAVE_SOURCE_GROUP', groupSource),
    IPv6: setter('IPPROTO_IPV6', 'MCAST_LEAVE_SOURCE_GROUP', groupSource),
  },
  blockSource: {
    IPv4: setter('IPPROTO_IP', 'MCAST_BLOCK_SOURCE', groupSource),
    IPv6: setter('IPPROTO_IPV6', 'MCAST_BLOCK_SOURCE', groupSource),
  },
  unblockSource: {
    IPv4: setter('IPPROTO_IP', 'MCAST_UNBLOCK_SOURCE', groupSource),
    IPv6: setter('IPPROTO_IPV6', 'MCAST_UNBLOCK_SOURCE', groupSource),
  },
  groupFilter: {
    IPv4: setter('IPPROTO_IP', 'MCAST_MSFILTER', groupFilter),
    IPv6: setter('IPPROTO_IPV6', 'MCAST_MSFILTER', groupFilter),
  },
};
