// IPPROTO_UDP and UDP-Lite. udp(7), udplite(7).

import { constants as C } from '../constants';
import { choice, flag, int } from './codec';
import { option, type Table } from './table';

// The kernel's names of UDP_ENCAP_*.
const ENCAPSULATIONS = {
  none: 0,
  espinudpNonIke: C.UDP_ENCAP_ESPINUDP_NON_IKE,
  espinudp: C.UDP_ENCAP_ESPINUDP,
  l2tpinudp: C.UDP_ENCAP_L2TPINUDP,
  gtp0: C.UDP_ENCAP_GTP0,
  gtp1u: C.UDP_ENCAP_GTP1U,
};
/** What a UDP socket unpacks. */
export type UdpEncapsulation = keyof typeof ENCAPSULATIONS;

export interface UdpOptions {
  /** What is sent is gathered in one datagram until this is switched off. */
  udpCork: boolean;
  /** Each message is cut into datagrams of so many bytes, the last one shorter; 0 is off. */
  segment: number;
  /** Datagrams of one flow may come as one message, with a `segmentSize` control message. */
  gro: boolean;
  /** Packets within UDP are for the kernel. */
  encapsulation: UdpEncapsulation;
  /** Sends with a zero checksum over IPv6. */
  noChecksumSend: boolean;
  /** Takes a zero checksum over IPv6. */
  noChecksumReceive: boolean;
  /** UDP-Lite: the first so many bytes have a checksum, the header's 8 among them; 0 is all. */
  sendCoverage: number;
  /** UDP-Lite: messages with less coverage are dropped. */
  receiveCoverage: number;
}

export const UDP: Table<UdpOptions> = {
  udpCork: option('IPPROTO_UDP', 'UDP_CORK', flag),
  segment: option('IPPROTO_UDP', 'UDP_SEGMENT', int(0, 65535)),
  gro: option('IPPROTO_UDP', 'UDP_GRO', flag),
  encapsulation: option('IPPROTO_UDP', 'UDP_ENCAP', choice(ENCAPSULATIONS)),
  noChecksumSend: option('IPPROTO_UDP', 'UDP_NO_CHECK6_TX', flag),
  noChecksumReceive: option('IPPROTO_UDP', 'UDP_NO_CHECK6_RX', flag),
  sendCoverage: option('IPPROTO_UDPLITE', 'UDPLITE_SEND_CSCOV', int(0, 65535)),
  receiveCoverage: option('IPPROTO_UDPLITE', 'UDPLITE_RECV_CSCOV', int(0, 65535)),
};
