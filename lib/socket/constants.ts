// The numbers of this platform's headers, and the words that stand for some of them.

import { byName } from '../core/validate';
import type { Constants } from '../native/constants';
import { binding } from '../native/load';
import { INET_FAMILIES, swap16, TYPES, type SocketType } from '../native/words';

export { byName, swap16, TYPES };
export type { Constants, SocketType };

/** Every `AF_ SOCK_ IPPROTO_ SOL_ SO_ TCP_ UDP_ IP_ IPV6_ MSG_ SHUT_ …` of this platform's headers. */
export const constants: Constants = Object.freeze(binding.constants);

const C = constants;

/** A protocol family by name; any other by its `AF_` number. */
export type Family = 'IPv4' | 'IPv6' | 'unix' | 'packet' | 'netlink' | 'vsock';
/** Which directions `shutdown` ends. */
export type How = 'read' | 'write' | 'both';

export const FAMILIES: Readonly<Record<Family, number>> = {
  ...INET_FAMILIES,
  unix: C.AF_UNIX,
  packet: C.AF_PACKET,
  netlink: C.AF_NETLINK,
  vsock: C.AF_VSOCK,
};

export const HOWS: Readonly<Record<How, number>> = {
  read: C.SHUT_RD,
  write: C.SHUT_WR,
  both: C.SHUT_RDWR,
};

export const IP_PROTOCOLS: Readonly<Record<string, number>> = {
  ip: C.IPPROTO_IP,
  icmp: C.IPPROTO_ICMP,
  igmp: C.IPPROTO_IGMP,
  tcp: C.IPPROTO_TCP,
  udp: C.IPPROTO_UDP,
  ipv6: C.IPPROTO_IPV6,
  gre: C.IPPROTO_GRE,
  esp: C.IPPROTO_ESP,
  ah: C.IPPROTO_AH,
  icmp6: C.IPPROTO_ICMPV6,
  sctp: C.IPPROTO_SCTP,
  udplite: C.IPPROTO_UDPLITE,
  raw: C.IPPROTO_RAW,
  mptcp: C.IPPROTO_MPTCP,
};

export const ETHERNET_PROTOCOLS: Readonly<Record<string, number>> = {
  all: C.ETH_P_ALL,
  ip: C.ETH_P_IP,
  arp: C.ETH_P_ARP,
  ipv6: C.ETH_P_IPV6,
  vlan: C.ETH_P_8021Q,
  lldp: C.ETH_P_LLDP,
};

const NETLINK_PROTOCOLS: Readonly<Record<string, number>> = {
  route: C.NETLINK_ROUTE,
  'sock-diag': C.NETLINK_SOCK_DIAG,
  audit: C.NETLINK_AUDIT,
  netfilter: C.NETLINK_NETFILTER,
  'kobject-uevent': C.NETLINK_KOBJECT_UEVENT,
  generic: C.NETLINK_GENERIC,
};

const NO_PROTOCOLS: Readonly<Record<string, number>> = {};

/**
 * socket(2)'s third argument for a number or a name, the names of `domain`. For AF_PACKET it is an ETH_P_
 * number, and socket(2) wants that in network byte order (packet(7)).
 */
export function protocolNumber(domain: number, protocol: number | string): number {
  if (domain === C.AF_PACKET) return swap16(byName('protocol', protocol, ETHERNET_PROTOCOLS));
  if (domain === C.AF_NETLINK) return byName('protocol', protocol, NETLINK_PROTOCOLS);
  if (domain === C.AF_INET || domain === C.AF_INET6)
    return byName('protocol', protocol, IP_PROTOCOLS);
  return byName('protocol', protocol, NO_PROTOCOLS);
}
