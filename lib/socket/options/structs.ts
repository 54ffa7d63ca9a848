// The options whose value is a structure of its own: linger, timeval, ucred and the like.

import { invalidType, outOfRange } from '../../core/errors';
import { integer, record } from '../../core/validate';
import { constants as C } from '../constants';
import { interfaceIndex } from '../sockaddr';
import { bitsOf, decodeOnly, int, type Codec } from './codec';
import { layout, type Fields, type Values } from './layout';

/** A structure that only the kernel writes, read by `view`. */
export function readStruct<F extends Fields, T>(
  fields: F,
  view: (values: Values<F>) => T,
): Codec<T> {
  const struct = layout(fields);
  return decodeOnly(struct.size, (bytes) => {
    const whole = Buffer.alloc(struct.size);
    bytes.copy(whole);
    return view(struct.read(whole) as Values<F>);
  });
}

const LINGER = layout({ on: 'i32', seconds: 'i32' });

/** struct linger: whole seconds that close(2) waits for; `false`: it does not linger. */
export const linger: Codec<number | false> = {
  size: LINGER.size,
  encode(value, name) {
    if (value === false) return LINGER.write({});
    if (typeof value !== 'number') throw invalidType(name, 'of type number, or false', value);
    return LINGER.write({ on: 1, seconds: integer(name, value, 0, 0x7fffffff) });
  },
  decode(bytes) {
    const { on, seconds = 0 } = LINGER.read(bytes);
    return on === 0 ? false : seconds;
  },
};

const TIMEVAL = layout({ seconds: 'i64', microseconds: 'i64' });
const MOST_MS = 0x7fffffff * 1000;

/** struct __kernel_sock_timeval in milliseconds; 0 is no limit. */
export const milliseconds: Codec<number> = {
  size: TIMEVAL.size,
  encode(value, name) {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (!(value >= 0 && value <= MOST_MS)) throw outOfRange(name, `>= 0 and <= ${MOST_MS}`, value);
    const microseconds = Math.round(value * 1000);
    return TIMEVAL.write({
      seconds: BigInt(Math.floor(microseconds / 1e6)),
      microseconds: BigInt(microseconds % 1e6),
    });
  },
  decode(bytes) {
    const { seconds = 0n, microseconds = 0n } = TIMEVAL.read(bytes);
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  },
};

/** Who was at the other end when it connected: unix(7), SO_PEERCRED. */
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

export const credentials: Codec<PeerCredentials> = readStruct(
  { pid: 'i32', uid: 'u32', gid: 'u32' },
  (values) => values,
);

/** SO_MEMINFO, in bytes but for `drops`, which counts packets. */
export interface MemoryInfo {
  receiveAllocated: number;
  receiveBuffer: number;
  sendAllocated: number;
  sendBuffer: number;
  forwardAllocated: number;
  sendQueued: number;
  options: number;
  backlog: number;
  drops: number;
}

// In the order of SK_MEMINFO_RMEM_ALLOC …
export const memoryInfo: Codec<MemoryInfo> = readStruct(
  {
    receiveAllocated: 'u32',
    receiveBuffer: 'u32',
    sendAllocated: 'u32',
    sendBuffer: 'u32',
    forwardAllocated: 'u32',
    sendQueued: 'u32',
    options: 'u32',
    backlog: 'u32',
    drops: 'u32',
  },
  (values) => values,
);

/** SO_TXTIME: by which clock `txtime` control messages say when a packet leaves. */
export interface TxTime {
  /** A `CLOCK_` number: 1 is CLOCK_MONOTONIC, 11 CLOCK_TAI. */
  clock: number;
  flags: readonly TxTimeFlag[];
}

const TX_TIME_FLAGS = {
  deadlineMode: C.SOF_TXTIME_DEADLINE_MODE,
  reportErrors: C.SOF_TXTIME_REPORT_ERRORS,
};
/** What SO_TXTIME does beside delaying: the deadline is the latest moment, not the earliest; refusals are told. */
export type TxTimeFlag = keyof typeof TX_TIME_FLAGS;

const TX_TIME = layout({ clock: 'i32', flags: 'u32' });

export const txTime: Codec<TxTime> = {
  size: TX_TIME.size,
  encode(value, name) {
    const { clock, flags } = record(name, value);
    return TX_TIME.write({
      clock: integer(`${name}.clock`, clock),
      flags: bitsOf(TX_TIME_FLAGS, flags, `${name}.flags`),
    });
  },
  decode(bytes) {
    const { clock = 0, flags = 0 } = TX_TIME.read(bytes);
    const names = Object.keys(TX_TIME_FLAGS) as TxTimeFlag[];
    return { clock, flags: names.filter((flag) => (flags & TX_TIME_FLAGS[flag]) !== 0) };
  },
};

/** An interface: set by name or index, got as the index; 0 is none in particular. */
export const interfaceNumber: Codec<string | number> = {
  ...int(),
  encode: (value, name) => int().encode(interfaceIndex(value, name), name),
};
