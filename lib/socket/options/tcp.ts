// IPPROTO_TCP: what a connection does and how it fares. tcp(7).

import { flag, int, raw, text, uint32 } from './codec';
import { md5Signature, type Md5Signature } from './tcp_md5';
import { tcpInfo, type TcpInfo } from './tcp_info';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

// TCP_CA_NAME_MAX and TCP_ULP_NAME_MAX of the kernel, which no header for programs has, less the NUL.
const NAME = 15;

export interface TcpOptions {
  /** Small pieces go at once (no Nagle). */
  noDelay: boolean;
  /** Only full segments go, for 200 ms at most. */
  cork: boolean;
  /** Acknowledges at once, for now: the kernel may leave this mode by itself. */
  quickAck: boolean;
  /** The largest segment in bytes, 88 to 32767; 0 is the kernel's choice. */
  maxSegment: number;
  /** Seconds of silence before the first probe of `keepAlive`. */
  keepIdle: number;
  /** Seconds between two probes. */
  keepInterval: number;
  /** Probes without an answer until the connection is dead. */
  keepCount: number;
  /** How often a SYN is sent again before connecting fails. */
  synCount: number;
  /** Seconds that a closed connection waits for the peer's end; -1 not at all. */
  linger2: number;
  /** Seconds that `accept` waits for the first data of a connection; 0 not at all. Rounded to a step of the back-off. */
  deferAccept: number;
  /** The most that the window is opened, in bytes. */
  windowClamp: number;
  /** Milliseconds that sent data may stay unacknowledged before the connection is dead; 0 is the kernel's choice. */
  userTimeout: number;
  /** Unsent bytes above which the socket is not writable; all ones is no limit. */
  notSentLowWater: number;
  /** The congestion control's name, of net.ipv4.tcp_available_congestion_control. */
  congestion: string;
  /** The congestion control's own statistics, as the kernel's bytes. */
  congestionInfo: ReadOnly<Uint8Array>;
  /** Of a listener: how many connections may wait with data but before their handshake has ended; 0 is off. */
  fastOpen: number;
  /** `connect` succeeds at once, and the first data goes with the SYN. */
  fastOpenConnect: boolean;
  /** The secret of the cookies: 16 bytes, or 32 for a key and its predecessor. */
  fastOpenKey: Uint8Array;
  /** Fast open without cookies. */
  fastOpenNoCookie: boolean;
  /** Everything that the kernel knows of the connection. */
  tcpInfo: ReadOnly<TcpInfo>;
  /** Of a listener: keeps the headers of each SYN, from the IP header (1) or the link's (2) on. */
  saveSyn: number;
  /** The SYN's headers of an accepted connection, once. */
  savedSyn: ReadOnly<Uint8Array>;
  /** The protocol above: 'tls', once connected. */
  upperLayerProtocol: string;
  /** The key for a peer's segments (RFC 2385); an empty one removes it. */
  md5Signature: SetOnly<Md5Signature>;
  /** Linear timeouts for streams with little in flight. */
  thinLinearTimeouts: boolean;
  /** Has no effect any more. */
  thinDuplicateAck: boolean;
  /** The clock of the timestamps in the TCP header. Set under `repair` only. */
  timestampClock: number;
  /** Microseconds that everything sent is delayed by. */
  txDelay: number;
  /** The longest retransmission timeout, in milliseconds, 1,000 to 120,000. */
  rtoMax: number;
  /** The shortest retransmission timeout, in microseconds. */
  rtoMin: number;
  /** The longest delay of an acknowledgement, in microseconds. */
  delayedAckMax: number;
  /** Each read comes with the number of bytes that are left, as a control message. */
  inQueue: boolean;
  /** Whether the connection is one of MPTCP. */
  isMptcp: ReadOnly<boolean>;
}

export const TCP: Table<TcpOptions> = {
  noDelay: option('IPPROTO_TCP', 'TCP_NODELAY', flag),
  cork: option('IPPROTO_TCP', 'TCP_CORK', flag),
  quickAck: option('IPPROTO_TCP', 'TCP_QUICKACK', flag),
  maxSegment: option('IPPROTO_TCP', 'TCP_MAXSEG', int(0, 32767)),
  keepIdle: option('IPPROTO_TCP', 'TCP_KEEPIDLE', int(1, 32767)),
  keepInterval: option('IPPROTO_TCP', 'TCP_KEEPINTVL', int(1, 32767)),
  keepCount: option('IPPROTO_TCP', 'TCP_KEEPCNT', int(1, 127)),
  synCount: option('IPPROTO_TCP', 'TCP_SYNCNT', int(1, 127)),
  linger2: option('IPPROTO_TCP', 'TCP_LINGER2', int(-1)),
  deferAccept: option('IPPROTO_TCP', 'TCP_DEFER_ACCEPT', int()),
  windowClamp: option('IPPROTO_TCP', 'TCP_WINDOW_CLAMP', int()),
  userTimeout: option('IPPROTO_TCP', 'TCP_USER_TIMEOUT', int()),
  notSentLowWater: option('IPPROTO_TCP', 'TCP_NOTSENT_LOWAT', uint32),
  congestion: option('IPPROTO_TCP', 'TCP_CONGESTION', text(NAME)),
  congestionInfo: getter('IPPROTO_TCP', 'TCP_CC_INFO', raw(64)),
  fastOpen: option('IPPROTO_TCP', 'TCP_FASTOPEN', int()),
  fastOpenConnect: option('IPPROTO_TCP', 'TCP_FASTOPEN_CONNECT', flag),
  fastOpenKey: option('IPPROTO_TCP', 'TCP_FASTOPEN_KEY', raw(32)),
  fastOpenNoCookie: option('IPPROTO_TCP', 'TCP_FASTOPEN_NO_COOKIE', flag),
  tcpInfo: getter('IPPROTO_TCP', 'TCP_INFO', tcpInfo),
  saveSyn: option('IPPROTO_TCP', 'TCP_SAVE_SYN', int(0, 2)),
  savedSyn: getter('IPPROTO_TCP', 'TCP_SAVED_SYN', raw(1024)),
  upperLayerProtocol: option('IPPROTO_TCP', 'TCP_ULP', text(NAME)),
  md5Signature: setter('IPPROTO_TCP', 'TCP_MD5SIG_EXT', md5Signature),
  thinLinearTimeouts: option('IPPROTO_TCP', 'TCP_THIN_LINEAR_TIMEOUTS', flag),
  thinDuplicateAck: option('IPPROTO_TCP', 'TCP_THIN_DUPACK', flag),
  timestampClock: option('IPPROTO_TCP', 'TCP_TIMESTAMP', uint32),
  txDelay: option('IPPROTO_TCP', 'TCP_TX_DELAY', int()),
  rtoMax: option('IPPROTO_TCP', 'TCP_RTO_MAX_MS', int(1000, 120_000)),
  rtoMin: option('IPPROTO_TCP', 'TCP_RTO_MIN_US', int(1)),
  delayedAckMax: option('IPPROTO_TCP', 'TCP_DELACK_MAX_US', int(1)),
  inQueue: option('IPPROTO_TCP', 'TCP_INQ', flag),
  isMptcp: getter('IPPROTO_TCP', 'TCP_IS_MPTCP', flag),
};
