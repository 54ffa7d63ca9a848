// A case for every option of the table: on which socket it is tried, with which value, and what the kernel then has.
// The constants are named here once more, so that a row of the table with another one's is found.

import { readFileSync } from 'node:fs';
import type { Constants } from '../../../lib/index';
import { bpf, constants as C } from '../../../lib/index';
import type { Kind } from './option-sockets';

export interface Case {
  key: string;
  on: Kind;
  level: keyof Constants;
  name: keyof Constants;
  /** Set to this. */
  set?: unknown;
  /** What `get` then gives, where that is not what was set; or a check of it. `null`: it cannot be asked for. */
  get?: unknown;
  /** The kernel's bytes, where they are not those of an int. */
  hex?: string;
  /** The capability that it takes. */
  admin?: boolean;
  /** The kernel's next answer is another one. */
  moves?: boolean;
  /** It has a test of its own, in options.values.test.ts. */
  elsewhere?: boolean;
  /** Why it is not tried here. */
  not?: string;
}

type Row = [key: string, on: Kind, name: keyof Constants, set?: unknown, more?: Partial<Case>];

const rows = (level: keyof Constants, list: readonly Row[]): Case[] =>
  list.map(([key, on, name, set, more]) => ({ key, on, level, name, set, ...more }));

const doubled = (value: number): Partial<Case> => ({ get: 2 * value });
const numeric = { get: expect.any(Number) as unknown };
const big = { get: expect.any(BigInt) as unknown };
const bytes = { get: expect.any(Uint8Array) as unknown };
// The supplementary groups only; getgroups(2) may add the effective one.
const groups = (/^Groups:(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '')
  .split(/\s+/)
  .filter((text) => text !== '')
  .map(Number);
const keepAll = bpf.keepAll();
const KEEP_ALL = '06000000ffffffff';

const SOCKET_LEVEL = rows('SOL_SOCKET', [
  ['debug', 'tcp4', 'SO_DEBUG', true, { admin: true }],
  ['reuseAddress', 'tcp4', 'SO_REUSEADDR', true],
  ['reusePort', 'udp6', 'SO_REUSEPORT', true],
  ['type', 'udp4', 'SO_TYPE', undefined, { get: C.SOCK_DGRAM }],
  ['domain', 'udp6', 'SO_DOMAIN', undefined, { get: C.AF_INET6 }],
  ['protocol', 'tcp4', 'SO_PROTOCOL', undefined, { get: C.IPPROTO_TCP }],
  ['acceptsConnections', 'listener', 'SO_ACCEPTCONN', undefined, { get: true }],
  ['error', 'tcp4', 'SO_ERROR', undefined, { get: 0 }],
  ['dontRoute', 'udp4', 'SO_DONTROUTE', true],
  ['broadcast', 'udp4', 'SO_BROADCAST', true],
  ['sendBufferSize', 'tcp4', 'SO_SNDBUF', 20_000, doubled(20_000)],
  ['receiveBufferSize', 'tcp4', 'SO_RCVBUF', 30_000, doubled(30_000)],
  ['forceSendBufferSize', 'udp4', 'SO_SNDBUFFORCE', 1 << 24, { get: null, admin: true }],
  ['forceReceiveBufferSize', 'udp4', 'SO_RCVBUFFORCE', 1 << 24, { get: null, admin: true }],
  ['keepAlive', 'tcp6', 'SO_KEEPALIVE', true],
  ['outOfBandInline', 'tcp4', 'SO_OOBINLINE', true],
  ['noCheck', 'udp4', 'SO_NO_CHECK', true],
  ['priority', 'udp4', 'SO_PRIORITY', 5],
  ['linger', 'tcp4', 'SO_LINGER', 7, { hex: '0100000007000000' }],
  ['linger', 'tcp4', 'SO_LINGER', 0, { hex: '0100000000000000' }],
  ['linger', 'tcp4', 'SO_LINGER', false, { hex: '0000000000000000' }],
  ['receiveLowWater', 'tcp4', 'SO_RCVLOWAT', 3],
  ['sendLowWater', 'tcp4', 'SO_SNDLOWAT', undefined, { get: 1 }],
  ['receiveTimeout', 'udp4', 'SO_RCVTIMEO_NEW', 1500, { hex: '010000000000000020a1070000000000' }],
  ['sendTimeout', 'udp4', 'SO_SNDTIMEO_NEW', 2000, { hex: '02000000000000000000000000000000' }],
  ['bindToDevice', 'udp4', 'SO_BINDTODEVICE', 'lo', { hex: '6c6f00' }],
  ['bindToDevice', 'udp4', 'SO_BINDTODEVICE', '', { hex: '' }],
  ['bindToInterface', 'udp4', 'SO_BINDTOIFINDEX', 'lo', { get: 1 }],
  ['attachFilter', 'udp4', 'SO_ATTACH_FILTER', keepAll, { hex: KEEP_ALL }],
  ['attachFilter', 'udp4', 'SO_GET_FILTER', undefined, { get: [], hex: '' }],
  ['detachFilter', 'filtered', 'SO_DETACH_FILTER', true, { get: null }],
  ['lockFilter', 'filtered', 'SO_LOCK_FILTER', true],
  ['attachBpf', 'udp4', 'SO_ATTACH_BPF', 0, { not: 'an eBPF program: bpf(2) is not of sockets' }],
  ['attachReusePortFilter', 'reuse', 'SO_ATTACH_REUSEPORT_CBPF', keepAll, { get: null }],
  [
    'attachReusePortBpf',
    'reuse',
    'SO_ATTACH_REUSEPORT_EBPF',
    0,
    { not: 'an eBPF program: bpf(2) is not of sockets' },
  ],
  ['detachReusePortFilter', 'reuseFiltered', 'SO_DETACH_REUSEPORT_BPF', true, { get: null }],
  ['bpfExtensions', 'udp4', 'SO_BPF_EXTENSIONS', undefined, numeric],
  ['timestamps', 'udp4', 'SO_TIMESTAMPNS', true],
  ['microsecondTimestamps', 'udp4', 'SO_TIMESTAMP', true],
  [
    'timestamping',
    'udp4',
    'SO_TIMESTAMPING',
    ['txSoftware', 'rxSoftware', 'software', 'id'],
    { hex: '9a00000000000000' },
  ],
  [
    'txTime',
    'udp4',
    'SO_TXTIME',
    { clock: 1, flags: ['reportErrors'] },
    { hex: '0100000002000000' },
  ],
  ['mark', 'udp4', 'SO_MARK', 0xfedcba98, { admin: true }],
  ['receiveMark', 'udp4', 'SO_RCVMARK', true],
  ['receivePriority', 'udp4', 'SO_RCVPRIORITY', true],
  ['receiveQueueOverflow', 'udp4', 'SO_RXQ_OVFL', true],
  ['wifiStatus', 'udp4', 'SO_WIFI_STATUS', true],
  ['peekOffset', 'unix', 'SO_PEEK_OFF', 5],
  ['peekOffset', 'unix', 'SO_PEEK_OFF', -1],
  ['noFcs', 'packet', 'SO_NOFCS', true],
  ['selectErrorQueue', 'udp4', 'SO_SELECT_ERR_QUEUE', true],
  ['busyPoll', 'udp4', 'SO_BUSY_POLL', 50, { admin: true }],
  ['preferBusyPoll', 'udp4', 'SO_PREFER_BUSY_POLL', true, { admin: true }],
  ['busyPollBudget', 'udp4', 'SO_BUSY_POLL_BUDGET', 16, { get: null, admin: true }],
  ['maxPacingRate', 'tcp4', 'SO_MAX_PACING_RATE', 5_000_000_000n, { hex: '00f2052a01000000' }],
  ['incomingCpu', 'tcp4', 'SO_INCOMING_CPU', 0],
  ['incomingNapiId', 'udp4', 'SO_INCOMING_NAPI_ID', undefined, { get: 0 }],
  ['connectionAdvice', 'tcp', 'SO_CNX_ADVICE', 1, { get: null }],
  ['memoryInfo', 'udp4', 'SO_MEMINFO', undefined, { get: expect.objectContaining({ drops: 0 }) }],
  ['cookie', 'udp4', 'SO_COOKIE', undefined, big],
  ['netnsCookie', 'udp4', 'SO_NETNS_COOKIE', undefined, big],
  ['zeroCopy', 'tcp4', 'SO_ZEROCOPY', true],
  ['bufferLock', 'udp4', 'SO_BUF_LOCK', ['send'], { hex: '01000000' }],
  ['reserveMemory', 'udp4', 'SO_RESERVE_MEM', undefined, { get: 0 }],
  ['txRehash', 'tcp4', 'SO_TXREHASH', 0],
  ['txRehash', 'tcp4', 'SO_TXREHASH', 1],
]);

const UNIX = rows('SOL_SOCKET', [
  ['passCredentials', 'unix', 'SO_PASSCRED', true],
  ['passPidfd', 'unix', 'SO_PASSPIDFD', true],
  ['passSecurity', 'unix', 'SO_PASSSEC', true],
  ['passRights', 'unix', 'SO_PASSRIGHTS', false],
  ['unixInQueue', 'unixStream', 'SO_INQ', true, { get: null }],
  [
    'peerCredentials',
    'unix',
    'SO_PEERCRED',
    undefined,
    { get: { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() } },
  ],
  ['peerGroups', 'unix', 'SO_PEERGROUPS', undefined, { get: groups }],
  ['peerPidfd', 'unix', 'SO_PEERPIDFD', undefined, { elsewhere: true }],
  ['peerSecurity', 'unix', 'SO_PEERSEC', undefined, { not: 'a security module (SELinux …)' }],
]);

const TCP = rows('IPPROTO_TCP', [
  ['noDelay', 'tcp4', 'TCP_NODELAY', true],
  ['cork', 'tcp4', 'TCP_CORK', true],
  ['quickAck', 'tcp', 'TCP_QUICKACK', false],
  ['maxSegment', 'tcp4', 'TCP_MAXSEG', 1000, { get: 1000 }],
  ['keepIdle', 'tcp4', 'TCP_KEEPIDLE', 77],
  ['keepInterval', 'tcp4', 'TCP_KEEPINTVL', 78],
  ['keepCount', 'tcp6', 'TCP_KEEPCNT', 79],
  ['synCount', 'tcp4', 'TCP_SYNCNT', 3],
  ['linger2', 'tcp4', 'TCP_LINGER2', 20],
  ['linger2', 'tcp4', 'TCP_LINGER2', -1],
  ['deferAccept', 'tcp4', 'TCP_DEFER_ACCEPT', 1],
  ['windowClamp', 'tcp4', 'TCP_WINDOW_CLAMP', 40_000],
  ['userTimeout', 'tcp4', 'TCP_USER_TIMEOUT', 5000],
  ['notSentLowWater', 'tcp4', 'TCP_NOTSENT_LOWAT', 0xfffffff0],
  ['congestion', 'tcp4', 'TCP_CONGESTION', 'reno', { hex: '72656e6f' }],
  ['congestionInfo', 'tcp4', 'TCP_CC_INFO', undefined, bytes],
  ['fastOpen', 'tcp4', 'TCP_FASTOPEN', 5],
  ['fastOpenConnect', 'tcp4', 'TCP_FASTOPEN_CONNECT', true],
  [
    'fastOpenKey',
    'tcp4',
    'TCP_FASTOPEN_KEY',
    Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
    { hex: '000102030405060708090a0b0c0d0e0f' },
  ],
  ['fastOpenNoCookie', 'tcp4', 'TCP_FASTOPEN_NO_COOKIE', true],
  ['tcpInfo', 'tcp', 'TCP_INFO', undefined, { get: expect.objectContaining({ state: 1 }) }],
  ['saveSyn', 'tcp4', 'TCP_SAVE_SYN', 2],
  ['savedSyn', 'tcp', 'TCP_SAVED_SYN', undefined, bytes],
  ['upperLayerProtocol', 'tcp4', 'TCP_ULP', undefined, { get: '', hex: '' }],
  [
    'md5Signature',
    'tcp4',
    'TCP_MD5SIG_EXT',
    { address: '127.0.0.1', key: Buffer.from('secret') },
    { get: null, not: 'a kernel with CONFIG_TCP_MD5SIG' },
  ],
  ['thinLinearTimeouts', 'tcp4', 'TCP_THIN_LINEAR_TIMEOUTS', true],
  ['thinDuplicateAck', 'tcp4', 'TCP_THIN_DUPACK', true, { get: false }],
  ['timestampClock', 'tcp4', 'TCP_TIMESTAMP', undefined, { ...numeric, moves: true }],
  ['txDelay', 'tcp4', 'TCP_TX_DELAY', 1000],
  ['rtoMax', 'tcp4', 'TCP_RTO_MAX_MS', 2000],
  ['rtoMin', 'tcp4', 'TCP_RTO_MIN_US', 100_000],
  ['delayedAckMax', 'tcp4', 'TCP_DELACK_MAX_US', 100_000],
  ['inQueue', 'tcp4', 'TCP_INQ', true],
  ['isMptcp', 'tcp4', 'TCP_IS_MPTCP', undefined, { get: false }],
  ['repair', 'tcp4', 'TCP_REPAIR', 1, { admin: true }],
  ['repairQueue', 'repair', 'TCP_REPAIR_QUEUE', 1, { admin: true }],
  ['queueSequence', 'repairQueue', 'TCP_QUEUE_SEQ', 0xfffffff0, { admin: true }],
  [
    'repairWindow',
    'repairing',
    'TCP_REPAIR_WINDOW',
    undefined,
    { admin: true, get: expect.objectContaining({ maxWindow: expect.any(Number) as unknown }) },
  ],
  [
    'repairOptions',
    'repairing',
    'TCP_REPAIR_OPTIONS',
    [{ code: 4, value: 0 }],
    { admin: true, get: null },
  ],
]);

const UDP = [
  ...rows('IPPROTO_UDP', [
    ['udpCork', 'udp4', 'UDP_CORK', true],
    ['segment', 'udp4', 'UDP_SEGMENT', 1200],
    ['gro', 'udp4', 'UDP_GRO', true],
    ['encapsulation', 'udp4', 'UDP_ENCAP', 'l2tpinudp', { hex: '03000000' }],
    ['noChecksumSend', 'udp6', 'UDP_NO_CHECK6_TX', true],
    ['noChecksumReceive', 'udp6', 'UDP_NO_CHECK6_RX', true],
  ]),
  ...rows('IPPROTO_UDPLITE', [
    ['sendCoverage', 'udplite', 'UDPLITE_SEND_CSCOV', 20],
    ['receiveCoverage', 'udplite', 'UDPLITE_RECV_CSCOV', 20],
  ]),
];

const IP = rows('IPPROTO_IP', [
  ['ttl', 'udp4', 'IP_TTL', 9],
  ['tos', 'udp4', 'IP_TOS', 0x28],
  ['mtuDiscover', 'udp4', 'IP_MTU_DISCOVER', 'do', { hex: '02000000' }],
  ['mtu', 'connected4', 'IP_MTU', undefined, { get: 65535 }],
  ['freeBind', 'udp4', 'IP_FREEBIND', true],
  ['transparent', 'udp4', 'IP_TRANSPARENT', true, { admin: true }],
  ['headerIncluded', 'raw4', 'IP_HDRINCL', true],
  ['minTtl', 'tcp4', 'IP_MINTTL', 200],
  ['unicastInterface', 'udp4', 'IP_UNICAST_IF', 'lo', { get: 1, hex: '00000001' }],
  ['receiveErrors', 'udp4', 'IP_RECVERR', true],
  ['receiveErrorsRfc4884', 'udp4', 'IP_RECVERR_RFC4884', true],
  ['receiveTtl', 'udp4', 'IP_RECVTTL', true],
  ['receiveTos', 'udp4', 'IP_RECVTOS', true],
  ['receivePacketInfo', 'udp4', 'IP_PKTINFO', true],
  ['receiveOriginalDestination', 'udp4', 'IP_RECVORIGDSTADDR', true],
  ['receiveFragmentSize', 'udp4', 'IP_RECVFRAGSIZE', true],
  ['routerAlert', 'raw4', 'IP_ROUTER_ALERT', 1],
  ['multicastTtl', 'udp4', 'IP_MULTICAST_TTL', 3],
  ['multicastLoop', 'udp4', 'IP_MULTICAST_LOOP', false],
  ['multicastInterface', 'udp4', 'IP_MULTICAST_IF', '127.0.0.1', { hex: '7f000001' }],
  ['multicastInterface', 'udp4', 'IP_MULTICAST_IF', 'lo', { get: '0.0.0.0', hex: '00000000' }],
  ['multicastAll', 'udp4', 'IP_MULTICAST_ALL', false],
  [
    'joinGroup',
    'udp4',
    'IP_ADD_MEMBERSHIP',
    { group: '239.1.2.3', interface: 'lo' },
    { get: null },
  ],
  [
    'joinGroup',
    'udp4',
    'IP_ADD_MEMBERSHIP',
    { group: '239.1.2.3', localAddress: '127.0.0.1' },
    { get: null },
  ],
  [
    'leaveGroup',
    'joined4',
    'IP_DROP_MEMBERSHIP',
    { group: '239.1.2.3', interface: 'lo' },
    { get: null },
  ],
  [
    'joinSource',
    'udp4',
    'MCAST_JOIN_SOURCE_GROUP',
    { group: '239.1.2.3', source: '127.0.0.1', interface: 'lo' },
    { get: null },
  ],
  [
    'leaveSource',
    'joinedSource4',
    'MCAST_LEAVE_SOURCE_GROUP',
    { group: '239.1.2.3', source: '127.0.0.1', interface: 'lo' },
    { get: null },
  ],
  [
    'blockSource',
    'joined4',
    'MCAST_BLOCK_SOURCE',
    { group: '239.1.2.3', source: '127.0.0.1', interface: 'lo' },
    { get: null },
  ],
  [
    'unblockSource',
    'blocked4',
    'MCAST_UNBLOCK_SOURCE',
    { group: '239.1.2.3', source: '127.0.0.1', interface: 'lo' },
    { get: null },
  ],
  [
    'groupFilter',
    'joined4',
    'MCAST_MSFILTER',
    { group: '239.1.2.3', interface: 'lo', mode: 'include', sources: ['127.0.0.1', '127.0.0.2'] },
    { get: null },
  ],
  ['ipOptions', 'udp4', 'IP_OPTIONS', Buffer.from('01010101', 'hex'), { hex: '01010101' }],
  ['receiveOptions', 'udp4', 'IP_RECVOPTS', true],
  ['receiveRawOptions', 'udp4', 'IP_RETOPTS', true],
  ['ipPassSecurity', 'udp4', 'IP_PASSSEC', true],
  ['bindAddressNoPort', 'udp4', 'IP_BIND_ADDRESS_NO_PORT', true],
  ['noDefragment', 'raw4', 'IP_NODEFRAG', true],
  ['receiveChecksum', 'udp4', 'IP_CHECKSUM', true],
  ['localPortRange', 'udp6', 'IP_LOCAL_PORT_RANGE', [40_000, 40_100], { hex: '409ca49c' }],
  ['ipProtocol', 'raw4', 'IP_PROTOCOL', undefined, { get: C.IPPROTO_ICMP }],
]);

const IPV6 = rows('IPPROTO_IPV6', [
  ['ttl', 'udp6', 'IPV6_UNICAST_HOPS', 9],
  ['tos', 'udp6', 'IPV6_TCLASS', 0x28],
  ['mtuDiscover', 'udp6', 'IPV6_MTU_DISCOVER', 'probe', { hex: '03000000' }],
  ['mtu', 'connected6', 'IPV6_MTU', undefined, { get: 65536 }],
  ['mtu', 'udp6', 'IPV6_MTU', 1400, { get: null }],
  ['freeBind', 'udp6', 'IPV6_FREEBIND', true],
  ['transparent', 'udp6', 'IPV6_TRANSPARENT', true, { admin: true }],
  ['headerIncluded', 'raw6', 'IPV6_HDRINCL', true],
  ['minTtl', 'tcp6', 'IPV6_MINHOPCOUNT', 200],
  ['unicastInterface', 'udp6', 'IPV6_UNICAST_IF', 1, { get: 1, hex: '00000001' }],
  ['receiveErrors', 'udp6', 'IPV6_RECVERR', true],
  ['receiveErrorsRfc4884', 'udp6', 'IPV6_RECVERR_RFC4884', true],
  ['receiveTtl', 'udp6', 'IPV6_RECVHOPLIMIT', true],
  ['receiveTos', 'udp6', 'IPV6_RECVTCLASS', true],
  ['receivePacketInfo', 'udp6', 'IPV6_RECVPKTINFO', true],
  ['receiveOriginalDestination', 'udp6', 'IPV6_RECVORIGDSTADDR', true],
  ['receiveFragmentSize', 'udp6', 'IPV6_RECVFRAGSIZE', true],
  ['routerAlert', 'rawIp6', 'IPV6_ROUTER_ALERT', 0, { get: null }],
  ['multicastTtl', 'udp6', 'IPV6_MULTICAST_HOPS', 3],
  ['multicastLoop', 'udp6', 'IPV6_MULTICAST_LOOP', false],
  ['multicastInterface', 'udp6', 'IPV6_MULTICAST_IF', 'lo', { get: 1 }],
  ['multicastAll', 'udp6', 'IPV6_MULTICAST_ALL', false],
  ['joinGroup', 'udp6', 'IPV6_JOIN_GROUP', { group: 'ff02::7', interface: 'lo' }, { get: null }],
  [
    'leaveGroup',
    'joined6',
    'IPV6_LEAVE_GROUP',
    { group: 'ff02::7', interface: 'lo' },
    { get: null },
  ],
  [
    'joinSource',
    'udp6',
    'MCAST_JOIN_SOURCE_GROUP',
    { group: 'ff02::7', source: '::1', interface: 'lo' },
    { get: null },
  ],
  [
    'blockSource',
    'joined6',
    'MCAST_BLOCK_SOURCE',
    { group: 'ff02::7', source: '::1', interface: 'lo' },
    { get: null },
  ],
  [
    'groupFilter',
    'joined6',
    'MCAST_MSFILTER',
    { group: 'ff02::7', interface: 'lo', mode: 'exclude', sources: ['::1'] },
    { get: null },
  ],
  ['v6Only', 'udp6', 'IPV6_V6ONLY', true],
  ['dontFragment', 'udp6', 'IPV6_DONTFRAG', true],
  [
    'addressPreferences',
    'udp6',
    'IPV6_ADDR_PREFERENCES',
    ['public', 'home'],
    { get: ['public', 'home'], hex: '02040000' },
  ],
  ['autoFlowLabel', 'udp6', 'IPV6_AUTOFLOWLABEL', false],
  ['receiveFlowInfo', 'udp6', 'IPV6_FLOWINFO', true],
  ['flowInfoSend', 'udp6', 'IPV6_FLOWINFO_SEND', true],
  ['receiveHopOptions', 'udp6', 'IPV6_RECVHOPOPTS', true],
  ['receiveDestinationOptions', 'udp6', 'IPV6_RECVDSTOPTS', true],
  ['receiveRoutingHeader', 'udp6', 'IPV6_RECVRTHDR', true],
  ['receivePathMtu', 'udp6', 'IPV6_RECVPATHMTU', true],
  [
    'pathMtu',
    'connected6',
    'IPV6_PATHMTU',
    undefined,
    { get: expect.objectContaining({ mtu: 65536 }) },
  ],
  ['checksumOffset', 'rawIp6', 'IPV6_CHECKSUM', 2],
  ['routerAlertIsolate', 'rawIp6', 'IPV6_ROUTER_ALERT_ISOLATE', true],
  [
    'hopOptions',
    'udp6',
    'IPV6_HOPOPTS',
    Buffer.from('0000010400000000', 'hex'),
    { hex: '0000010400000000' },
  ],
  [
    'destinationOptions',
    'udp6',
    'IPV6_DSTOPTS',
    Buffer.from('0000010400000000', 'hex'),
    { hex: '0000010400000000' },
  ],
  [
    'routingDestinationOptions',
    'udp6',
    'IPV6_RTHDRDSTOPTS',
    Buffer.from('0000010400000000', 'hex'),
    { hex: '0000010400000000' },
  ],
  ['routingHeader', 'udp6', 'IPV6_RTHDR', undefined, { ...bytes, hex: '' }],
  ['packetInfo', 'udp6', 'IPV6_PKTINFO', { address: '::1', interface: 'lo' }, { get: null }],
  ['addressForm', 'mapped', 'IPV6_ADDRFORM', C.AF_INET, { get: null }],
  [
    'joinAnycast',
    'udp6',
    'IPV6_JOIN_ANYCAST',
    { address: 'fd00:eaea::', interface: 'lo' },
    { get: null, not: 'forwarding, or an address with the prefix' },
  ],
  [
    'leaveAnycast',
    'udp6',
    'IPV6_LEAVE_ANYCAST',
    { address: 'fd00:eaea::', interface: 'lo' },
    { get: null, not: 'forwarding, or an address with the prefix' },
  ],
]);

const ICMP = [
  ...rows('SOL_RAW', [
    ['icmpFilter', 'raw4', 'ICMP_FILTER', { block: [8, 13] }, { hex: '00210000' }],
  ]),
  ...rows('IPPROTO_ICMPV6', [
    [
      'icmpFilter',
      'raw6',
      'ICMP6_FILTER',
      { pass: [129] },
      { hex: `${'ff'.repeat(16)}fd${'ff'.repeat(15)}` },
    ],
  ]),
];

const PACKET = rows('SOL_PACKET', [
  [
    'packetAddMembership',
    'packet',
    'PACKET_ADD_MEMBERSHIP',
    { interface: 'lo', type: 'promiscuous' },
    { get: null },
  ],
  [
    'packetDropMembership',
    'promiscuous',
    'PACKET_DROP_MEMBERSHIP',
    { interface: 'lo', type: 'promiscuous' },
    { get: null },
  ],
  [
    'packetFanout',
    'packetBound',
    'PACKET_FANOUT',
    { group: 0xea9a, mode: 'cpu', flags: ['rollover'] },
    { hex: '9aea0210' },
  ],
  ['packetFanoutProgram', 'fanout', 'PACKET_FANOUT_DATA', keepAll, { get: null }],
  ['packetStatistics', 'packet', 'PACKET_STATISTICS', undefined, { get: { packets: 0, drops: 0 } }],
  [
    'packetRolloverStatistics',
    'fanoutRollover',
    'PACKET_ROLLOVER_STATS',
    undefined,
    { get: { all: 0n, huge: 0n, failed: 0n } },
  ],
  ['packetAuxiliaryData', 'packet', 'PACKET_AUXDATA', true],
  ['packetOriginalDevice', 'packet', 'PACKET_ORIGDEV', true],
  ['packetIgnoreOutgoing', 'packet', 'PACKET_IGNORE_OUTGOING', true],
  ['packetQdiscBypass', 'packet', 'PACKET_QDISC_BYPASS', true],
  ['packetVnetHeader', 'packet', 'PACKET_VNET_HDR', true],
  ['packetVnetHeaderSize', 'packet', 'PACKET_VNET_HDR_SZ', 12],
  ['packetLoss', 'packet', 'PACKET_LOSS', true],
  ['packetVersion', 'packet', 'PACKET_VERSION', 'v3', { hex: '02000000' }],
  ['packetReserve', 'packet', 'PACKET_RESERVE', 64],
  ['packetTimestamp', 'packet', 'PACKET_TIMESTAMP', ['rawHardware'], { hex: '40000000' }],
  ['packetTxHasOffset', 'packet', 'PACKET_TX_HAS_OFF', true],
  ['packetCopyThreshold', 'packet', 'PACKET_COPY_THRESH', 100],
]);

const NETLINK = rows('SOL_NETLINK', [
  ['netlinkAddMembership', 'netlink', 'NETLINK_ADD_MEMBERSHIP', 5, { get: null }],
  ['netlinkDropMembership', 'netlinkJoined', 'NETLINK_DROP_MEMBERSHIP', 5, { get: null }],
  ['netlinkMemberships', 'netlinkJoined', 'NETLINK_LIST_MEMBERSHIPS', undefined, { get: [5, 33] }],
  ['netlinkPacketInfo', 'netlink', 'NETLINK_PKTINFO', true],
  ['netlinkBroadcastError', 'netlink', 'NETLINK_BROADCAST_ERROR', true],
  ['netlinkNoEnobufs', 'netlink', 'NETLINK_NO_ENOBUFS', true],
  ['netlinkListenAllNsid', 'netlink', 'NETLINK_LISTEN_ALL_NSID', true, { admin: true }],
  ['netlinkCapAck', 'netlink', 'NETLINK_CAP_ACK', true],
  ['netlinkExtAck', 'netlink', 'NETLINK_EXT_ACK', true],
  ['netlinkStrictCheck', 'netlink', 'NETLINK_GET_STRICT_CHK', true],
]);

const VSOCK = rows('AF_VSOCK', [
  ['vsockBufferSize', 'vsock', 'SO_VM_SOCKETS_BUFFER_SIZE', 100_000n, { hex: 'a086010000000000' }],
  [
    'vsockBufferMinSize',
    'vsock',
    'SO_VM_SOCKETS_BUFFER_MIN_SIZE',
    300n,
    { hex: '2c01000000000000' },
  ],
  [
    'vsockBufferMaxSize',
    'vsock',
    'SO_VM_SOCKETS_BUFFER_MAX_SIZE',
    400_000n,
    { hex: '801a060000000000' },
  ],
  [
    'vsockConnectTimeout',
    'vsock',
    'SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW',
    1500,
    { hex: '010000000000000020a1070000000000' },
  ],
  [
    'vsockPeerHostVmId',
    'vsock',
    'SO_VM_SOCKETS_PEER_HOST_VM_ID',
    undefined,
    { not: 'the VMCI transport: others have no such option' },
  ],
  [
    'vsockTrusted',
    'vsock',
    'SO_VM_SOCKETS_TRUSTED',
    undefined,
    { not: 'the VMCI transport: others have no such option' },
  ],
]);

export const CASES: readonly Case[] = [
  ...SOCKET_LEVEL,
  ...UNIX,
  ...TCP,
  ...UDP,
  ...IP,
  ...IPV6,
  ...ICMP,
  ...PACKET,
  ...NETLINK,
  ...VSOCK,
];
