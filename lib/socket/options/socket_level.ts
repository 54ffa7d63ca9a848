// SOL_SOCKET: what every kind of socket has. socket(7).

import { constants as C } from '../constants';
import type { Program } from '../bpf/instruction';
import { action, bits, flag, int, text, uint32, uint64 } from './codec';
import { program, programSetter } from './filter';
import {
  interfaceNumber,
  linger,
  memoryInfo,
  milliseconds,
  txTime,
  type MemoryInfo,
  type TxTime,
} from './structs';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

const TIMESTAMPING = {
  txHardware: C.SOF_TIMESTAMPING_TX_HARDWARE,
  txSoftware: C.SOF_TIMESTAMPING_TX_SOFTWARE,
  rxHardware: C.SOF_TIMESTAMPING_RX_HARDWARE,
  rxSoftware: C.SOF_TIMESTAMPING_RX_SOFTWARE,
  software: C.SOF_TIMESTAMPING_SOFTWARE,
  rawHardware: C.SOF_TIMESTAMPING_RAW_HARDWARE,
  id: C.SOF_TIMESTAMPING_OPT_ID,
  txSched: C.SOF_TIMESTAMPING_TX_SCHED,
  txAck: C.SOF_TIMESTAMPING_TX_ACK,
  controlMessage: C.SOF_TIMESTAMPING_OPT_CMSG,
  timestampOnly: C.SOF_TIMESTAMPING_OPT_TSONLY,
  stats: C.SOF_TIMESTAMPING_OPT_STATS,
  packetInfo: C.SOF_TIMESTAMPING_OPT_PKTINFO,
  txSoftwareAndHardware: C.SOF_TIMESTAMPING_OPT_TX_SWHW,
  idTcp: C.SOF_TIMESTAMPING_OPT_ID_TCP,
  rxFilter: C.SOF_TIMESTAMPING_OPT_RX_FILTER,
  txCompletion: C.SOF_TIMESTAMPING_TX_COMPLETION,
};
/** Which timestamps the kernel makes and how it reports them; the words are those of `SOF_TIMESTAMPING_*`. */
export type TimestampingFlag = keyof typeof TIMESTAMPING;

const LOCKS = { send: C.SOCK_SNDBUF_LOCK, receive: C.SOCK_RCVBUF_LOCK };
/** Which buffers' sizes are held. */
export type BufferLock = keyof typeof LOCKS;

export const timestampingFlags = bits(TIMESTAMPING);

export interface SocketLevelOptions {
  /** Debugging output of the protocol; setting it needs CAP_NET_ADMIN. */
  debug: boolean;
  /** The address may be bound while connections of an earlier socket are in TIME_WAIT. */
  reuseAddress: boolean;
  /** Several sockets of one user may bind the same address and share what comes in. */
  reusePort: boolean;
  /** The socket's `SOCK_` number. */
  type: ReadOnly<number>;
  /** The socket's `AF_` number. */
  domain: ReadOnly<number>;
  /** The socket's protocol. */
  protocol: ReadOnly<number>;
  /** Whether `listen` was called. */
  acceptsConnections: ReadOnly<boolean>;
  /** The pending error, an errno or 0. Asking clears it, so that no other call reports it. */
  error: ReadOnly<number>;
  /** Only to directly connected hosts, past the routing table. */
  dontRoute: boolean;
  /** Datagrams may be sent to broadcast addresses. */
  broadcast: boolean;
  /** Bytes. The kernel doubles what is set (net.core.wmem_max at most) for its own book-keeping, and gives that. */
  sendBufferSize: number;
  /** Bytes. The kernel doubles what is set (net.core.rmem_max at most) for its own book-keeping, and gives that. */
  receiveBufferSize: number;
  /** `sendBufferSize` beyond net.core.wmem_max, with CAP_NET_ADMIN. */
  forceSendBufferSize: SetOnly<number>;
  /** `receiveBufferSize` beyond net.core.rmem_max, with CAP_NET_ADMIN. */
  forceReceiveBufferSize: SetOnly<number>;
  /** Probes a silent connection: see `keepIdle`, `keepInterval`, `keepCount`. */
  keepAlive: boolean;
  /** Urgent data stays in the stream. */
  outOfBandInline: boolean;
  /** UDP over IPv4 without a checksum. */
  noCheck: boolean;
  /** The queueing priority of what is sent: 0 to 6, more with CAP_NET_ADMIN or CAP_NET_RAW. */
  priority: number;
  /** Seconds that unsent data is kept for after `close`; 0 resets the connection; `false` leaves it to the kernel. */
  linger: number | false;
  /** Bytes that have to be there before a read is woken. */
  receiveLowWater: number;
  /** Bytes of room before a write is woken: always 1 on Linux. */
  sendLowWater: ReadOnly<number>;
  /** Milliseconds, 0 for ever. Of blocking reads only, so it has no effect until the descriptor is handed over. */
  receiveTimeout: number;
  /** Milliseconds, 0 for ever. As `receiveTimeout`; a blocking connect obeys it too. */
  sendTimeout: number;
  /** The interface's name that the socket is confined to, '' for none. */
  bindToDevice: string;
  /** The index of the interface that the socket is confined to (set by name or index), 0 for none. */
  bindToInterface: string | number;
  /** A classic BPF program that says how much of each packet is kept: see `bpf`. Empty where there is none. */
  attachFilter: Program;
  /** Removes the filter: set to `true`. */
  detachFilter: SetOnly<true>;
  /** Filters can be neither changed nor removed from now on. It cannot be switched off. */
  lockFilter: boolean;
  /** The descriptor of an eBPF program as the filter. */
  attachBpf: SetOnly<number>;
  /** A classic BPF program that says which socket of a `reusePort` group gets a packet. */
  attachReusePortFilter: SetOnly<Program>;
  /** The same as the descriptor of an eBPF program. */
  attachReusePortBpf: SetOnly<number>;
  /** Removes the program of the `reusePort` group: set to `true`. */
  detachReusePortFilter: SetOnly<true>;
  /** The number of classic BPF extensions that the kernel knows. */
  bpfExtensions: ReadOnly<number>;
  /** Each message comes with the nanosecond when it arrived. */
  timestamps: boolean;
  /** Each message comes with the microsecond when it arrived. */
  microsecondTimestamps: boolean;
  /** Which timestamps are made, on the way in and out, and how they are reported. */
  timestamping: readonly TimestampingFlag[];
  /** When packets leave is said by a `txtime` control message. Needs CAP_NET_ADMIN unless the clock is MONOTONIC. */
  txTime: TxTime;
  /** The firewall mark of what is sent. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  mark: number;
  /** Each message comes with its firewall mark. */
  receiveMark: boolean;
  /** Each message comes with its queueing priority. */
  receivePriority: boolean;
  /** Each message comes with the number of those dropped before it. */
  receiveQueueOverflow: boolean;
  /** Each message comes with the state of its wireless transmission. */
  wifiStatus: boolean;
  /** Where MSG_PEEK begins, and advances with it; -1: at the queue's head, always. */
  peekOffset: number;
  /** The last four bytes of what is sent are the frame's check sequence. */
  noFcs: boolean;
  /** What is in the error queue makes the socket exceptional (POLLPRI) as well. */
  selectErrorQueue: boolean;
  /** Microseconds of busy polling on a blocking read or poll. Raising it needs CAP_NET_ADMIN. */
  busyPoll: number;
  /** Busy polling is preferred to interrupts. Needs CAP_NET_ADMIN to switch on. */
  preferBusyPoll: boolean;
  /** Packets of one busy poll. More than 8 needs CAP_NET_ADMIN. */
  busyPollBudget: SetOnly<number>;
  /** Bytes per second at most; all ones is no limit. */
  maxPacingRate: bigint;
  /** The CPU that received last; set, it is preferred in a `reusePort` group. */
  incomingCpu: number;
  /** The NAPI context that received last, 0 for none. */
  incomingNapiId: ReadOnly<number>;
  /** Tells the protocol that the route looks dead (1), so that it chooses another. */
  connectionAdvice: SetOnly<number>;
  /** Memory in use. */
  memoryInfo: ReadOnly<MemoryInfo>;
  /** A number that no other socket of this machine ever has. */
  cookie: ReadOnly<bigint>;
  /** The network namespace's cookie. */
  netnsCookie: ReadOnly<bigint>;
  /** MSG_ZEROCOPY may be used. */
  zeroCopy: boolean;
  /** Buffers whose size the kernel does not tune. */
  bufferLock: readonly BufferLock[];
  /** Bytes that are this socket's in any case, taken from the control group. */
  reserveMemory: number;
  /** Whether a connection that stalls looks for another path: 1, 0, or -1 for what net.core.txrehash says. */
  txRehash: number;
}

export const SOCKET_LEVEL: Table<SocketLevelOptions> = {
  debug: option('SOL_SOCKET', 'SO_DEBUG', flag),
  reuseAddress: option('SOL_SOCKET', 'SO_REUSEADDR', flag),
  reusePort: option('SOL_SOCKET', 'SO_REUSEPORT', flag),
  type: getter('SOL_SOCKET', 'SO_TYPE', int()),
  domain: getter('SOL_SOCKET', 'SO_DOMAIN', int()),
  protocol: getter('SOL_SOCKET', 'SO_PROTOCOL', int()),
  acceptsConnections: getter('SOL_SOCKET', 'SO_ACCEPTCONN', flag),
  error: getter('SOL_SOCKET', 'SO_ERROR', int()),
  dontRoute: option('SOL_SOCKET', 'SO_DONTROUTE', flag),
  broadcast: option('SOL_SOCKET', 'SO_BROADCAST', flag),
  sendBufferSize: option('SOL_SOCKET', 'SO_SNDBUF', int()),
  receiveBufferSize: option('SOL_SOCKET', 'SO_RCVBUF', int()),
  forceSendBufferSize: setter('SOL_SOCKET', 'SO_SNDBUFFORCE', int()),
  forceReceiveBufferSize: setter('SOL_SOCKET', 'SO_RCVBUFFORCE', int()),
  keepAlive: option('SOL_SOCKET', 'SO_KEEPALIVE', flag),
  outOfBandInline: option('SOL_SOCKET', 'SO_OOBINLINE', flag),
  noCheck: option('SOL_SOCKET', 'SO_NO_CHECK', flag),
  priority: option('SOL_SOCKET', 'SO_PRIORITY', int()),
  linger: option('SOL_SOCKET', 'SO_LINGER', linger),
  receiveLowWater: option('SOL_SOCKET', 'SO_RCVLOWAT', int()),
  sendLowWater: getter('SOL_SOCKET', 'SO_SNDLOWAT', int()),
  receiveTimeout: option('SOL_SOCKET', 'SO_RCVTIMEO_NEW', milliseconds),
  sendTimeout: option('SOL_SOCKET', 'SO_SNDTIMEO_NEW', milliseconds),
  bindToDevice: option('SOL_SOCKET', 'SO_BINDTODEVICE', text(C.IFNAMSIZ - 1)),
  bindToInterface: option('SOL_SOCKET', 'SO_BINDTOIFINDEX', interfaceNumber),
  attachFilter: program('SOL_SOCKET', 'SO_ATTACH_FILTER'),
  detachFilter: setter('SOL_SOCKET', 'SO_DETACH_FILTER', action),
  lockFilter: option('SOL_SOCKET', 'SO_LOCK_FILTER', flag),
  attachBpf: setter('SOL_SOCKET', 'SO_ATTACH_BPF', int()),
  attachReusePortFilter: programSetter('SOL_SOCKET', 'SO_ATTACH_REUSEPORT_CBPF'),
  attachReusePortBpf: setter('SOL_SOCKET', 'SO_ATTACH_REUSEPORT_EBPF', int()),
  detachReusePortFilter: setter('SOL_SOCKET', 'SO_DETACH_REUSEPORT_BPF', action),
  bpfExtensions: getter('SOL_SOCKET', 'SO_BPF_EXTENSIONS', int()),
  timestamps: option('SOL_SOCKET', 'SO_TIMESTAMPNS', flag),
  microsecondTimestamps: option('SOL_SOCKET', 'SO_TIMESTAMP', flag),
  timestamping: option('SOL_SOCKET', 'SO_TIMESTAMPING', timestampingFlags),
  txTime: option('SOL_SOCKET', 'SO_TXTIME', txTime),
  mark: option('SOL_SOCKET', 'SO_MARK', uint32),
  receiveMark: option('SOL_SOCKET', 'SO_RCVMARK', flag),
  receivePriority: option('SOL_SOCKET', 'SO_RCVPRIORITY', flag),
  receiveQueueOverflow: option('SOL_SOCKET', 'SO_RXQ_OVFL', flag),
  wifiStatus: option('SOL_SOCKET', 'SO_WIFI_STATUS', flag),
  peekOffset: option('SOL_SOCKET', 'SO_PEEK_OFF', int(-1)),
  noFcs: option('SOL_SOCKET', 'SO_NOFCS', flag),
  selectErrorQueue: option('SOL_SOCKET', 'SO_SELECT_ERR_QUEUE', flag),
  busyPoll: option('SOL_SOCKET', 'SO_BUSY_POLL', int()),
  preferBusyPoll: option('SOL_SOCKET', 'SO_PREFER_BUSY_POLL', flag),
  busyPollBudget: setter('SOL_SOCKET', 'SO_BUSY_POLL_BUDGET', int(0, 65535)),
  maxPacingRate: option('SOL_SOCKET', 'SO_MAX_PACING_RATE', uint64),
  incomingCpu: option('SOL_SOCKET', 'SO_INCOMING_CPU', int(-1)),
  incomingNapiId: getter('SOL_SOCKET', 'SO_INCOMING_NAPI_ID', uint32),
  connectionAdvice: setter('SOL_SOCKET', 'SO_CNX_ADVICE', int(0, 1)),
  memoryInfo: getter('SOL_SOCKET', 'SO_MEMINFO', memoryInfo),
  cookie: getter('SOL_SOCKET', 'SO_COOKIE', uint64),
  netnsCookie: getter('SOL_SOCKET', 'SO_NETNS_COOKIE', uint64),
  zeroCopy: option('SOL_SOCKET', 'SO_ZEROCOPY', flag),
  bufferLock: option('SOL_SOCKET', 'SO_BUF_LOCK', bits(LOCKS)),
  reserveMemory: option('SOL_SOCKET', 'SO_RESERVE_MEM', int()),
  txRehash: option('SOL_SOCKET', 'SO_TXREHASH', int(-1, 1)),
};
