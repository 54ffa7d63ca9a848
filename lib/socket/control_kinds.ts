// The kinds of control messages: which (level, type) is which. A new kind is one line of TABLE. What is shorter
// than its kind takes is left raw.

import { binding } from '../native/load';
import { constants as C } from './constants';
import type { Control } from './control';
import {
  credentials,
  groSize,
  gsoSize,
  int,
  originalDestination,
  packetInfo4,
  packetInfo6,
  pidfd,
  received,
  rights,
  SCM_PIDFD,
  stamp,
  stamps,
  tos,
  txtime,
  type Codec,
} from './control_codecs';

export interface Kind<K extends Control['kind'] = Control['kind']> extends Codec<K> {
  readonly kind: K;
  /** The one family of sockets that has it; 0 for any. */
  readonly domain: number;
  readonly level: number;
  readonly type: number;
}

const line = <K extends Control['kind']>(
  kind: K,
  domain: number,
  level: number,
  type: number,
  codec: Codec<K>,
): Kind => ({ kind, domain, level, type, ...codec }) as unknown as Kind;

const { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, AF_INET, AF_INET6 } = C;

const TABLE: readonly Kind[] = [
  line('rights', 0, SOL_SOCKET, C.SCM_RIGHTS, rights),
  line('credentials', 0, SOL_SOCKET, C.SCM_CREDENTIALS, credentials),
  line('pidfd', 0, SOL_SOCKET, SCM_PIDFD, pidfd),
  line('packetInfo', AF_INET, IPPROTO_IP, C.IP_PKTINFO, packetInfo4),
  line('packetInfo', AF_INET6, IPPROTO_IPV6, C.IPV6_PKTINFO, packetInfo6),
  line('ttl', AF_INET, IPPROTO_IP, C.IP_TTL, int('ttl', 1, 255)),
  line('ttl', AF_INET6, IPPROTO_IPV6, C.IPV6_HOPLIMIT, int('ttl', 0, 255)),
  line('tos', AF_INET, IPPROTO_IP, C.IP_TOS, tos),
  line('tos', AF_INET6, IPPROTO_IPV6, C.IPV6_TCLASS, tos),
  line('timestamp', 0, SOL_SOCKET, C.SO_TIMESTAMP, stamp(1000n)),
  line('timestamp', 0, SOL_SOCKET, C.SO_TIMESTAMPNS, stamp(1n)),
  line('timestamp', 0, SOL_SOCKET, C.SO_TIMESTAMPING, stamps),
  line('segmentSize', 0, IPPROTO_UDP, C.UDP_SEGMENT, gsoSize),
  line('segmentSize', 0, IPPROTO_UDP, C.UDP_GRO, groSize),
  line(
    'originalDestination',
    0,
    IPPROTO_IP,
    C.IP_ORIGDSTADDR,
    originalDestination(binding.layout['sockaddr_in']),
  ),
  line(
    'originalDestination',
    0,
    IPPROTO_IPV6,
    C.IPV6_ORIGDSTADDR,
    originalDestination(binding.layout['sockaddr_in6']),
  ),
  line('drops', 0, SOL_SOCKET, C.SO_RXQ_OVFL, received(int('drops', 0, 0))),
  line('txtime', 0, SOL_SOCKET, C.SCM_TXTIME, txtime),
];

/** By level and type. */
export const KINDS: ReadonlyMap<number, ReadonlyMap<number, Kind>> = new Map(
  TABLE.map(({ level }) => {
    const kinds = TABLE.filter((kind) => kind.level === level);
    return [level, new Map(kinds.map((kind) => [kind.type, kind]))];
  }),
);

export const KINDS_BY_NAME: ReadonlyMap<string, readonly Kind[]> = new Map(
  TABLE.map(({ kind }) => [kind, TABLE.filter((other) => other.kind === kind)]),
);
