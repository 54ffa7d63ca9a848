// IPPROTO_IPV6: what IPv4 has not. ipv6(7), RFC 3493, RFC 3542.

import { record } from '../../core/validate';
import type { InetAddress } from '../address';
import { constants as C } from '../constants';
import { decodeAddress, interfaceIndex } from '../sockaddr';
import { literalBytes } from './addresses';
import { bits, decodeOnly, encodeOnly, flag, int, raw } from './codec';
import { LITTLE } from '../../native/words';
import { layout } from './layout';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

const PREFERENCES = {
  temporary: C.IPV6_PREFER_SRC_TMP,
  public: C.IPV6_PREFER_SRC_PUBLIC,
  publicOrTemporary: C.IPV6_PREFER_SRC_PUBTMP_DEFAULT,
  careOf: C.IPV6_PREFER_SRC_COA,
  home: C.IPV6_PREFER_SRC_HOME,
  cga: C.IPV6_PREFER_SRC_CGA,
  nonCga: C.IPV6_PREFER_SRC_NONCGA,
};
/** Which source addresses are preferred, RFC 5014. */
export type AddressPreference = keyof typeof PREFERENCES;

/** An interface and an address of it: struct in6_pktinfo, struct ipv6_mreq. */
export interface Ipv6Interface {
  /** An IPv6 literal. */
  address: string;
  interface: string | number;
}

const INDEX = layout({ index: 'u32' });

/** The 16 bytes of an address, then an interface's index. */
const addressOnInterface = encodeOnly<Ipv6Interface>((value, name) => {
  const { address, interface: device } = record(name, value);
  const index = interfaceIndex(device, `${name}.interface`);
  return Buffer.concat([literalBytes(address, 'IPv6', `${name}.address`), INDEX.write({ index })]);
});

/** struct ip6_mtuinfo: the path's MTU, and the peer it leads to. */
export interface PathMtu {
  mtu: number;
  address: InetAddress;
}

const SOCKADDR_IN6 = 28;
const pathMtu = decodeOnly<PathMtu>(SOCKADDR_IN6 + 4, (bytes) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    mtu: view.getUint32(SOCKADDR_IN6, LITTLE),
    address: decodeAddress(bytes, view, 0, SOCKADDR_IN6) as InetAddress,
  };
});

// An extension header: its length is a byte, in units of 8 bytes.
const HEADER = raw(2048);

export interface Ipv6Options {
  /** No IPv4 through this socket: before it is bound. */
  v6Only: boolean;
  /** What is larger than the path's MTU is refused, not cut into fragments. */
  dontFragment: boolean;
  /** Which source addresses are preferred: one of each pair of opposites. */
  addressPreferences: readonly AddressPreference[];
  /** Flow labels are made by the kernel. */
  autoFlowLabel: boolean;
  /** Each message comes with its flow label and traffic class. */
  receiveFlowInfo: boolean;
  /** The flow label of an address is used. */
  flowInfoSend: boolean;
  /** Each message comes with its hop-by-hop options. */
  receiveHopOptions: boolean;
  /** Each message comes with its destination options. */
  receiveDestinationOptions: boolean;
  /** Each message comes with its routing header. */
  receiveRoutingHeader: boolean;
  /** Messages without data tell of a smaller MTU. */
  receivePathMtu: boolean;
  /** The path's MTU of a connected socket. */
  pathMtu: ReadOnly<PathMtu>;
  /** Raw sockets: where the checksum goes that the kernel computes; -1 is none. */
  checksumOffset: number;
  /** Only the router alerts of this socket's own namespace. */
  routerAlertIsolate: boolean;
  /** The hop-by-hop options of what is sent, as the header's bytes; none removes them. Needs CAP_NET_RAW. */
  hopOptions: Uint8Array;
  /** The destination options of what is sent. Needs CAP_NET_RAW. */
  destinationOptions: Uint8Array;
  /** The destination options before the routing header. Needs CAP_NET_RAW. */
  routingDestinationOptions: Uint8Array;
  /** The routing header of what is sent. */
  routingHeader: Uint8Array;
  /** Source address and interface of what is sent. */
  packetInfo: SetOnly<Ipv6Interface>;
  /** Turns a socket that is connected to an IPv4-mapped peer into one of AF_INET, the value. Not every kernel has it: ENOPROTOOPT. */
  addressForm: SetOnly<number>;
  /** Takes packets for this anycast address. */
  joinAnycast: SetOnly<Ipv6Interface>;
  /** Takes them no longer. */
  leaveAnycast: SetOnly<Ipv6Interface>;
}

export const IPV6: Table<Ipv6Options> = {
  v6Only: option('IPPROTO_IPV6', 'IPV6_V6ONLY', flag),
  dontFragment: option('IPPROTO_IPV6', 'IPV6_DONTFRAG', flag),
  addressPreferences: option('IPPROTO_IPV6', 'IPV6_ADDR_PREFERENCES', bits(PREFERENCES)),
  autoFlowLabel: option('IPPROTO_IPV6', 'IPV6_AUTOFLOWLABEL', flag),
  receiveFlowInfo: option('IPPROTO_IPV6', 'IPV6_FLOWINFO', flag),
  flowInfoSend: option('IPPROTO_IPV6', 'IPV6_FLOWINFO_SEND', flag),
  receiveHopOptions: option('IPPROTO_IPV6', 'IPV6_RECVHOPOPTS', flag),
  receiveDestinationOptions: option('IPPROTO_IPV6', 'IPV6_RECVDSTOPTS', flag),
  receiveRoutingHeader: option('IPPROTO_IPV6', 'IPV6_RECVRTHDR', flag),
  receivePathMtu: option('IPPROTO_IPV6', 'IPV6_RECVPATHMTU', flag),
  pathMtu: getter('IPPROTO_IPV6', 'IPV6_PATHMTU', pathMtu),
  checksumOffset: option('IPPROTO_IPV6', 'IPV6_CHECKSUM', int(-1, 65534)),
  routerAlertIsolate: option('IPPROTO_IPV6', 'IPV6_ROUTER_ALERT_ISOLATE', flag),
  hopOptions: option('IPPROTO_IPV6', 'IPV6_HOPOPTS', HEADER),
  destinationOptions: option('IPPROTO_IPV6', 'IPV6_DSTOPTS', HEADER),
  routingDestinationOptions: option('IPPROTO_IPV6', 'IPV6_RTHDRDSTOPTS', HEADER),
  routingHeader: option('IPPROTO_IPV6', 'IPV6_RTHDR', HEADER),
  packetInfo: setter('IPPROTO_IPV6', 'IPV6_PKTINFO', addressOnInterface),
  addressForm: setter('IPPROTO_IPV6', 'IPV6_ADDRFORM', int()),
  joinAnycast: setter('IPPROTO_IPV6', 'IPV6_JOIN_ANYCAST', addressOnInterface),
  leaveAnycast: setter('IPPROTO_IPV6', 'IPV6_LEAVE_ANYCAST', addressOnInterface),
};
