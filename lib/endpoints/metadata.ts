// What a message socket is to tell of each message beside its data: words for the options that switch it on.

import { constants as C } from '../socket/constants';
import type { Socket } from '../socket/socket';

/** Each is off unless it is true, and a field of every message then. */
export interface SocketMetadata {
  /** `timestamp`: when it came in (SO_TIMESTAMPNS). */
  timestamps?: boolean | undefined;
  /** `drops`: how many were lost for want of room in the queue (SO_RXQ_OVFL). */
  drops?: boolean | undefined;
}

/** What an IP socket is to tell of each message beside its data, and of messages that it sent. */
export interface InetMetadata extends SocketMetadata {
  /** `packetInfo`: on which interface it came in, and to which address of ours (IP_PKTINFO). */
  packetInfo?: boolean | undefined;
  /** `ttl`: what was left of its time to live, or hop limit (IP_RECVTTL). */
  ttl?: boolean | undefined;
  /** `tos`: its DSCP and ECN (IP_RECVTOS). */
  tos?: boolean | undefined;
  /** `originalDestination`: where it was going before it was redirected (IP_RECVORIGDSTADDR). */
  originalDestination?: boolean | undefined;
  /**
   * What the network says of messages that were sent comes out of `errors()`, and fails no send and no receive
   * any more (IP_RECVERR).
   */
  recvErr?: boolean | undefined;
}

/** What a UDP socket is to tell beside that. */
export interface UdpMetadata extends InetMetadata {
  /** `segments`: the kernel hands over datagrams of one sender that came together as one message (UDP_GRO). */
  gro?: boolean | undefined;
}

type Word = keyof UdpMetadata;

/** The same, to be among the keys of a verb's options. */
export const METADATA_KEYS: Readonly<Record<Word, true>> = {
  timestamps: true,
  drops: true,
  packetInfo: true,
  ttl: true,
  tos: true,
  originalDestination: true,
  recvErr: true,
  gro: true,
};

type Option = readonly [domain: number, level: number, name: number];

const { AF_INET6, IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET } = C;

// Of domain AF_INET6: for sockets of that family alone. Those have IPv4's options as well, for what comes over
// IPv4.
const TABLE: Readonly<Record<Word, readonly Option[]>> = {
  timestamps: [[0, SOL_SOCKET, C.SO_TIMESTAMPNS]],
  drops: [[0, SOL_SOCKET, C.SO_RXQ_OVFL]],
  packetInfo: [
    [0, IPPROTO_IP, C.IP_PKTINFO],
    [AF_INET6, IPPROTO_IPV6, C.IPV6_RECVPKTINFO],
  ],
  ttl: [
    [0, IPPROTO_IP, C.IP_RECVTTL],
    [AF_INET6, IPPROTO_IPV6, C.IPV6_RECVHOPLIMIT],
  ],
  tos: [
    [0, IPPROTO_IP, C.IP_RECVTOS],
    [AF_INET6, IPPROTO_IPV6, C.IPV6_RECVTCLASS],
  ],
  originalDestination: [
    [0, IPPROTO_IP, C.IP_RECVORIGDSTADDR],
    [AF_INET6, IPPROTO_IPV6, C.IPV6_RECVORIGDSTADDR],
  ],
  recvErr: [
    [0, IPPROTO_IP, C.IP_RECVERR],
    [AF_INET6, IPPROTO_IPV6, C.IPV6_RECVERR],
  ],
  gro: [[0, C.IPPROTO_UDP, C.UDP_GRO]],
};

const WORDS = Object.keys(TABLE) as Word[];

/** Switches on what is asked for. */
export function tellMetadata(socket: Socket, options: UdpMetadata): void {
  for (const word of WORDS) {
    if (options[word] !== true) continue;
    for (const [domain, level, name] of TABLE[word]) {
      // Raw IPv6 has no options of IPv4 (rawv6_setsockopt).
      const foreign =
        level === IPPROTO_IP && socket.domain === AF_INET6 && socket.type === C.SOCK_RAW;
      if ((domain === 0 || domain === socket.domain) && !foreign)
        socket.setsockopt(level, name, true);
    }
  }
}
