// SOL_NETLINK. netlink(7).

import { decodeOnly, flag, int, uint32List } from './codec';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

// A mask of groups, in words: group 1 is the first bit.
const words = uint32List(256);
const groups = decodeOnly<readonly number[]>(words.size, (bytes) => {
  const joined: number[] = [];
  for (const [i, word] of words.decode(bytes).entries()) {
    for (let bit = 0; bit < 32; bit++)
      if (((word >>> bit) & 1) === 1) joined.push(32 * i + bit + 1);
  }
  return joined;
});

export interface NetlinkOptions {
  /** Joins a multicast group, by its number (from 1). */
  netlinkAddMembership: SetOnly<number>;
  /** Leaves it. */
  netlinkDropMembership: SetOnly<number>;
  /** The groups that the socket is in. */
  netlinkMemberships: ReadOnly<readonly number[]>;
  /** Each message comes with its group. */
  netlinkPacketInfo: boolean;
  /** A broadcast that did not reach everybody is an error to its sender. */
  netlinkBroadcastError: boolean;
  /** An overrun is not reported (ENOBUFS). */
  netlinkNoEnobufs: boolean;
  /** Hears the network namespaces that have an id here too. Needs CAP_NET_BROADCAST. */
  netlinkListenAllNsid: boolean;
  /** Acknowledgements of errors leave the request out. */
  netlinkCapAck: boolean;
  /** Acknowledgements say more of an error. */
  netlinkExtAck: boolean;
  /** Requests for dumps are checked, and filtered as they ask. */
  netlinkStrictCheck: boolean;
}

export const NETLINK: Table<NetlinkOptions> = {
  netlinkAddMembership: setter('SOL_NETLINK', 'NETLINK_ADD_MEMBERSHIP', int(1)),
  netlinkDropMembership: setter('SOL_NETLINK', 'NETLINK_DROP_MEMBERSHIP', int(1)),
  netlinkMemberships: getter('SOL_NETLINK', 'NETLINK_LIST_MEMBERSHIPS', groups),
  netlinkPacketInfo: option('SOL_NETLINK', 'NETLINK_PKTINFO', flag),
  netlinkBroadcastError: option('SOL_NETLINK', 'NETLINK_BROADCAST_ERROR', flag),
  netlinkNoEnobufs: option('SOL_NETLINK', 'NETLINK_NO_ENOBUFS', flag),
  netlinkListenAllNsid: option('SOL_NETLINK', 'NETLINK_LISTEN_ALL_NSID', flag),
  netlinkCapAck: option('SOL_NETLINK', 'NETLINK_CAP_ACK', flag),
  netlinkExtAck: option('SOL_NETLINK', 'NETLINK_EXT_ACK', flag),
  netlinkStrictCheck: option('SOL_NETLINK', 'NETLINK_GET_STRICT_CHK', flag),
};
