// TCP_REPAIR: a connection is taken apart on one machine and put together on another. Needs CAP_NET_ADMIN.

import { invalidType } from '../../core/errors';
import { integer, record } from '../../core/validate';
import { encodeOnly, int, uint32, type Codec } from './codec';
import { layout, type Values } from './layout';
import { option, setter, type Table } from './table';
import type { SetOnly } from './types';

const WINDOW = {
  sndWl1: 'u32',
  sndWnd: 'u32',
  maxWindow: 'u32',
  rcvWnd: 'u32',
  rcvWup: 'u32',
} as const;
/** struct tcp_repair_window. */
export type RepairWindow = Values<typeof WINDOW>;

/** struct tcp_repair_opt: a `TCPOPT_` number and its value. */
export interface RepairOption {
  code: number;
  value: number;
}

const UINT32 = 0xffffffff;
const window = layout(WINDOW);
const repairOption = layout({ code: 'u32', value: 'u32' });

const repairWindow: Codec<RepairWindow> = {
  size: window.size,
  encode(value, name) {
    record(name, value);
    for (const field of Object.keys(WINDOW) as (keyof RepairWindow)[]) {
      integer(`${name}.${field}`, value[field], 0, UINT32);
    }
    return window.write(value);
  },
  decode: (bytes) => window.read(bytes) as RepairWindow,
};

const repairOptions = encodeOnly<readonly RepairOption[]>((value, name) => {
  if (!Array.isArray(value)) throw invalidType(name, 'an Array', value);
  const pieces = (value as readonly RepairOption[]).map((each, i) => {
    const { code, value: number } = record(`${name}[${i}]`, each);
    return repairOption.write({
      code: integer(`${name}[${i}].code`, code, 0, UINT32),
      value: integer(`${name}[${i}].value`, number, 0, UINT32),
    });
  });
  return Buffer.concat(pieces);
});

export interface TcpRepairOptions {
  /** Repair mode: on (1), off with a probe of the peer's window (0), off without (-1). */
  repair: number;
  /** Which queue the next calls are about: none (0), receive (1), send (2). */
  repairQueue: number;
  /** The queue's sequence number. */
  queueSequence: number;
  /** The options that the peers agreed upon. */
  repairOptions: SetOnly<readonly RepairOption[]>;
  /** Both windows. */
  repairWindow: RepairWindow;
}

export const TCP_REPAIR: Table<TcpRepairOptions> = {
  repair: option('IPPROTO_TCP', 'TCP_REPAIR', int(-1, 1)),
  repairQueue: option('IPPROTO_TCP', 'TCP_REPAIR_QUEUE', int(0, 2)),
  queueSequence: option('IPPROTO_TCP', 'TCP_QUEUE_SEQ', uint32),
  repairOptions: setter('IPPROTO_TCP', 'TCP_REPAIR_OPTIONS', repairOptions),
  repairWindow: option('IPPROTO_TCP', 'TCP_REPAIR_WINDOW', repairWindow),
};
