// struct tcp_info: every field by its own name, in camelCase. As long as the kernel has it: it grows at its end.

import { decodeOnly } from './codec';
import { LITTLE } from '../../native/words';
import { layout, type Values } from './layout';

// <linux/tcp.h>; up to delivered_ce (Linux 4.18) every kernel that Node runs on has it.
const KNOWN = {
  state: 'u8',
  caState: 'u8',
  retransmits: 'u8',
  probes: 'u8',
  backoff: 'u8',
  options: 'u8',
  _scales: 'u8', // snd_wscale : 4, rcv_wscale : 4
  _limits: 'u8', // delivery_rate_app_limited : 1, fastopen_client_fail : 2
  rto: 'u32',
  ato: 'u32',
  sndMss: 'u32',
  rcvMss: 'u32',
  unacked: 'u32',
  sacked: 'u32',
  lost: 'u32',
  retrans: 'u32',
  fackets: 'u32',
  lastDataSent: 'u32',
  lastAckSent: 'u32',
  lastDataRecv: 'u32',
  lastAckRecv: 'u32',
  pmtu: 'u32',
  rcvSsthresh: 'u32',
  rtt: 'u32',
  rttvar: 'u32',
  sndSsthresh: 'u32',
  sndCwnd: 'u32',
  advmss: 'u32',
  reordering: 'u32',
  rcvRtt: 'u32',
  rcvSpace: 'u32',
  totalRetrans: 'u32',
  pacingRate: 'u64',
  maxPacingRate: 'u64',
  bytesAcked: 'u64',
  bytesReceived: 'u64',
  segsOut: 'u32',
  segsIn: 'u32',
  notsentBytes: 'u32',
  minRtt: 'u32',
  dataSegsIn: 'u32',
  dataSegsOut: 'u32',
  deliveryRate: 'u64',
  busyTime: 'u64',
  rwndLimited: 'u64',
  sndbufLimited: 'u64',
  delivered: 'u32',
  deliveredCe: 'u32',
} as const;

const LATER = {
  bytesSent: 'u64', // 4.19
  bytesRetrans: 'u64',
  dsackDups: 'u32',
  reordSeen: 'u32',
  rcvOoopack: 'u32', // 5.4
  sndWnd: 'u32',
  rcvWnd: 'u32', // 6.2
  rehash: 'u32',
  totalRto: 'u16', // 6.7
  totalRtoRecoveries: 'u16',
  totalRtoTime: 'u32',
  receivedCe: 'u32', // 6.18
  deliveredE1Bytes: 'u32',
  deliveredE0Bytes: 'u32',
  deliveredCeBytes: 'u32',
  receivedE1Bytes: 'u32',
  receivedE0Bytes: 'u32',
  receivedCeBytes: 'u32',
  accecnFailMode: 'u16',
  accecnOptSeen: 'u16',
} as const;

const FIELDS = { ...KNOWN, ...LATER } as const;

/**
 * struct tcp_info: times in microseconds (`rto`, `rtt` …) or milliseconds (`last…`), rates in bytes per second.
 * What an older kernel does not have is not there.
 */
export type TcpInfo = Values<typeof KNOWN> &
  Partial<Values<typeof LATER>> & {
    sndWscale: number;
    rcvWscale: number;
    deliveryRateAppLimited: boolean;
    fastopenClientFail: number;
  };

const STRUCT = layout(FIELDS);

// The compiler begins bit-fields with the low bits where the low byte comes first, and with the high bits elsewhere.
const bitField = (byte: number, from: number, width: number): number =>
  (byte >> (LITTLE ? from : 8 - from - width)) & ((1 << width) - 1);

export const tcpInfo = decodeOnly<TcpInfo>(STRUCT.size, (bytes) => {
  const scales = bytes[STRUCT.offset('_scales')];
  const limits = bytes[STRUCT.offset('_limits')];
  return Object.assign(STRUCT.read(bytes) as Values<typeof FIELDS>, {
    sndWscale: bitField(scales, 0, 4),
    rcvWscale: bitField(scales, 4, 4),
    deliveryRateAppLimited: bitField(limits, 0, 1) === 1,
    fastopenClientFail: bitField(limits, 1, 2),
  });
});
