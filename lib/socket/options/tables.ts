// All tables of options, brought together.

import { ICMP } from './icmp';
import { IP } from './ip';
import { IPV4 } from './ipv4';
import { IPV6 } from './ipv6';
import { MULTICAST } from './multicast';
import { NETLINK } from './netlink';
import { PACKET } from './packet';
import { SOCKET_LEVEL } from './socket_level';
import type { Row } from './table';
import { TCP } from './tcp';
import { TCP_REPAIR } from './tcp_repair';
import { UDP } from './udp';
import { UNIX } from './unix';
import { VSOCK } from './vsock';

export const TABLES = [
  SOCKET_LEVEL,
  UNIX,
  TCP,
  TCP_REPAIR,
  UDP,
  IP,
  MULTICAST,
  IPV4,
  IPV6,
  ICMP,
  PACKET,
  NETLINK,
  VSOCK,
] as unknown as readonly Readonly<Record<string, Row<unknown>>>[];
