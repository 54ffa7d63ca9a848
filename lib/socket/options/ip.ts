// What IPv4 and IPv6 both have, under one name: the socket's family says at which level. ip(7), ipv6(7).
//
// An IPv6 socket that takes IPv4 as well (`v6Only` false) has the IPv4 options too, for its IPv4-mapped peers:
// those are setsockopt(constants.IPPROTO_IP, constants.IP_TTL, …), nothing here sets two options at once.

import { constants as C } from '../constants';
import { choice, flag, int, type Codec } from './codec';
import { interfaceNumber } from './structs';
import { getter, option, type Table } from './table';

const DISCOVERY = {
  dont: C.IP_PMTUDISC_DONT,
  want: C.IP_PMTUDISC_WANT,
  do: C.IP_PMTUDISC_DO,
  probe: C.IP_PMTUDISC_PROBE,
  interface: C.IP_PMTUDISC_INTERFACE,
  omit: C.IP_PMTUDISC_OMIT,
};
/** Whether the path's MTU is discovered: the words of `IP_PMTUDISC_*`. */
export type MtuDiscovery = keyof typeof DISCOVERY;

// The index goes in network byte order, both ways.
const swapped: Codec<string | number> = {
  ...interfaceNumber,
  encode: (value, name) => Buffer.from(interfaceNumber.encode(value, name)).reverse(),
  decode: (bytes) => interfaceNumber.decode(Buffer.from(bytes).reverse()),
};
const networkOrder =
  new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? swapped : interfaceNumber;

export interface IpOptions {
  /** Hops that a packet may take; -1 is the kernel's choice. */
  ttl: number;
  /** The byte that holds DSCP and ECN: type of service, traffic class. On IPv6 -1 is the kernel's choice. */
  tos: number;
  /** Whether the path's MTU is discovered, and what becomes of larger packets. */
  mtuDiscover: MtuDiscovery;
  /** The path's MTU of a connected socket; on IPv6 sockets also the most to use, from 1280. Read-only on IPv4. */
  mtu: number;
  /** Addresses that this machine does not have may be bound. */
  freeBind: boolean;
  /** Transparent proxying: foreign addresses may be bound and are sent from. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  transparent: boolean;
  /** Raw sockets: what is sent begins with the IP header. */
  headerIncluded: boolean;
  /** Packets with fewer hops left are dropped; 0 is off. */
  minTtl: number;
  /** What is sent leaves by this interface; 0 is the routing table's choice. */
  unicastInterface: string | number;
  /** Errors of the network are queued, to be read with MSG_ERRQUEUE. */
  receiveErrors: boolean;
  /** Those errors come with what RFC 4884 adds. */
  receiveErrorsRfc4884: boolean;
  /** Each message comes with the hops it had left. */
  receiveTtl: boolean;
  /** Each message comes with its DSCP and ECN. */
  receiveTos: boolean;
  /** Each message comes with its interface and destination. */
  receivePacketInfo: boolean;
  /** Each message comes with the address and port it was sent to, before any redirection. */
  receiveOriginalDestination: boolean;
  /** Each reassembled message comes with the size of its largest fragment. */
  receiveFragmentSize: boolean;
  /** Raw sockets: takes the packets with a router alert; on IPv6 those of this value. -1 ends it there. */
  routerAlert: number;
}

export const IP: Table<IpOptions> = {
  ttl: {
    IPv4: option('IPPROTO_IP', 'IP_TTL', int(-1, 255)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_UNICAST_HOPS', int(-1, 255)),
  },
  tos: {
    IPv4: option('IPPROTO_IP', 'IP_TOS', int(0, 255)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_TCLASS', int(-1, 255)),
  },
  mtuDiscover: {
    IPv4: option('IPPROTO_IP', 'IP_MTU_DISCOVER', choice(DISCOVERY)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MTU_DISCOVER', choice(DISCOVERY)),
  },
  mtu: {
    IPv4: getter('IPPROTO_IP', 'IP_MTU', int()),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MTU', int(0, 65535)),
  },
  freeBind: {
    IPv4: option('IPPROTO_IP', 'IP_FREEBIND', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_FREEBIND', flag),
  },
  transparent: {
    IPv4: option('IPPROTO_IP', 'IP_TRANSPARENT', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_TRANSPARENT', flag),
  },
  headerIncluded: {
    IPv4: option('IPPROTO_IP', 'IP_HDRINCL', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_HDRINCL', flag),
  },
  minTtl: {
    IPv4: option('IPPROTO_IP', 'IP_MINTTL', int(0, 255)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_MINHOPCOUNT', int(0, 255)),
  },
  unicastInterface: {
    IPv4: option('IPPROTO_IP', 'IP_UNICAST_IF', networkOrder),
    IPv6: option('IPPROTO_IPV6', 'IPV6_UNICAST_IF', networkOrder),
  },
  receiveErrors: {
    IPv4: option('IPPROTO_IP', 'IP_RECVERR', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVERR', flag),
  },
  receiveErrorsRfc4884: {
    IPv4: option('IPPROTO_IP', 'IP_RECVERR_RFC4884', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVERR_RFC4884', flag),
  },
  receiveTtl: {
    IPv4: option('IPPROTO_IP', 'IP_RECVTTL', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVHOPLIMIT', flag),
  },
  receiveTos: {
    IPv4: option('IPPROTO_IP', 'IP_RECVTOS', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVTCLASS', flag),
  },
  receivePacketInfo: {
    IPv4: option('IPPROTO_IP', 'IP_PKTINFO', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVPKTINFO', flag),
  },
  receiveOriginalDestination: {
    IPv4: option('IPPROTO_IP', 'IP_RECVORIGDSTADDR', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVORIGDSTADDR', flag),
  },
  receiveFragmentSize: {
    IPv4: option('IPPROTO_IP', 'IP_RECVFRAGSIZE', flag),
    IPv6: option('IPPROTO_IPV6', 'IPV6_RECVFRAGSIZE', flag),
  },
  routerAlert: {
    IPv4: option('IPPROTO_IP', 'IP_ROUTER_ALERT', int(0, 1)),
    IPv6: option('IPPROTO_IPV6', 'IPV6_ROUTER_ALERT', int(-1, 65535)),
  },
};
