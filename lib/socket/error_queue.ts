// The error queue, recvmsg(2) with MSG_ERRQUEUE: what the network said of messages that were sent before
// (ip(7), IP_RECVERR), and what became of sends with timestamps, SO_ZEROCOPY and SO_TXTIME.

import { EAGAIN, errnoName, systemError } from '../core/errors';
import { binding } from '../native/load';
import { LITTLE } from '../native/words';
import type { Address } from './address';
import { constants as C } from './constants';
import type { Control } from './control';
import { BATCH_CAPACITY, DEFAULT_SIZE, messageAt, slabs, TOLD } from './message';
import { receiveMany } from './receive';
import { decodeAddress } from './sockaddr';
import type { SocketState } from './state';

/** One entry of a socket's error queue, struct sock_extended_err of ip(7). */
export interface ErrorQueueEntry {
  /** The errno's name: 'ECONNREFUSED', 'EMSGSIZE', 'EHOSTUNREACH' …; 'ENOMSG' for timestamps, '' for none. */
  code: string;
  origin: 'local' | 'icmp' | 'icmp6' | 'timestamp' | 'zerocopy' | 'txtime' | 'none';
  /** ICMP's type and code, where it is of ICMP. */
  type: number;
  icmpCode: number;
  /** The path's MTU with EMSGSIZE; which timestamp; the first of the zero-copy sends. */
  info: number;
  /** The timestamp's key; the last of the zero-copy sends. */
  extra: number;
  /** Who reported it: a router, or the destination itself. */
  offender?: Address;
  /** Where the message was going. */
  destination?: Address;
  /** The message that it is about, or as much of it as came back. */
  data: Buffer;
  /** What else came with the entry: the timestamp. */
  control: readonly Control[];
}

// SO_EE_ORIGIN_* of <linux/errqueue.h>.
const ORIGINS = ['none', 'local', 'icmp', 'icmp6', 'timestamp', 'zerocopy', 'txtime'] as const;

const at = (field: string): number => binding.layout[field];
const SIZE = at('sock_extended_err');

const IS_ERROR: readonly (readonly [level: number, type: number])[] = [
  [C.IPPROTO_IP, C.IP_RECVERR],
  [C.IPPROTO_IPV6, C.IPV6_RECVERR],
  [C.SOL_PACKET, C.PACKET_TX_TIMESTAMP],
];

type Raw = Extract<Control, { kind: 'raw' }>;

const isError = (part: Control): part is Raw =>
  part.kind === 'raw' &&
  part.data.byteLength >= SIZE &&
  IS_ERROR.some(([level, type]) => part.level === level && part.type === type);

// They have none, take no notice of MSG_ERRQUEUE, and would give their messages, or their end as often as one asks
// (unix_dgram_recvmsg, unix_stream_read_generic, netlink_recvmsg).
const WITHOUT: readonly number[] = [C.AF_UNIX, C.AF_NETLINK];

/** All that is there now. */
export function errorQueueOf(state: SocketState): ErrorQueueEntry[] {
  if (WITHOUT.includes(state.domain)) return [];
  slabs();
  const entries: ErrorQueueEntry[] = [];
  for (;;) {
    const count = receiveMany(state, BATCH_CAPACITY, DEFAULT_SIZE, C.MSG_ERRQUEUE, TOLD);
    if (count === -EAGAIN) return entries;
    if (count < 0) throw systemError(count, 'recvmsg');
    for (let i = 0; i < count; i++) {
      const message = messageAt(i, DEFAULT_SIZE, state, TOLD);
      if (message instanceof Error) throw message;
      // So of any other family that takes no notice, as vsock before Linux 6.7.
      if ((message.flags & C.MSG_ERRQUEUE) === 0) return entries;
      entries.push(entryOf(message.control, message.from, message.data));
    }
  }
}

function entryOf(
  control: readonly Control[],
  destination: Address | null,
  data: Buffer,
): ErrorQueueEntry {
  const found = control.find(isError);
  const bytes = found?.data ?? new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const errno = view.getUint32(at('sock_extended_err.ee_errno'), LITTLE);
  const entry: ErrorQueueEntry = {
    code: errno === 0 ? '' : errnoName(errno),
    origin: ORIGINS[view.getUint8(at('sock_extended_err.ee_origin'))] ?? 'none',
    type: view.getUint8(at('sock_extended_err.ee_type')),
    icmpCode: view.getUint8(at('sock_extended_err.ee_code')),
    info: view.getUint32(at('sock_extended_err.ee_info'), LITTLE),
    extra: view.getUint32(at('sock_extended_err.ee_data'), LITTLE),
    data,
    control: control.filter((part) => part !== found),
  };
  const offender = offenderOf(bytes, view);
  if (offender !== null) entry.offender = offender;
  if (destination !== null) entry.destination = destination;
  return entry;
}

// SO_EE_OFFENDER: a socket address behind the entry; of family AF_UNSPEC where nobody is to blame.
function offenderOf(bytes: Uint8Array, view: DataView): Address | null {
  const address = decodeAddress(bytes, view, SIZE, bytes.byteLength - SIZE);
  return address?.family === C.AF_UNSPEC ? null : address;
}
