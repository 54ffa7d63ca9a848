// IPPROTO_IP: what IPv6 has not, or not in this form. ip(7).

import { invalidType } from '../../core/errors';
import { integer } from '../../core/validate';
import { flag, int, raw, type Codec } from './codec';
import { layout } from './layout';
import { getter, option, type Table } from './table';
import type { ReadOnly } from './types';

const RANGE = layout({ ports: 'u32' });

/** The lowest port in the low half, the highest in the high half; 0 is the system's limit. */
const portRange: Codec<readonly [low: number, high: number]> = {
  size: RANGE.size,
  encode(value, name) {
    if (!Array.isArray(value)) throw invalidType(name, 'an Array of two ports', value);
    const [low, high] = value as readonly unknown[];
    const ports =
      integer(`${name}[0]`, low, 0, 65535) + integer(`${name}[1]`, high, 0, 65535) * 0x10000;
    return RANGE.write({ ports });
  },
  decode(bytes) {
    const { ports = 0 } = RANGE.read(bytes);
    return [ports & 0xffff, ports >>> 16];
  },
};

export interface Ipv4Options {
  /** The IP options of what is sent, at most 40 bytes. */
  ipOptions: Uint8Array;
  /** Each message comes with its IP options. */
  receiveOptions: boolean;
  /** The same, with timestamp and route record as they were on the way. */
  receiveRawOptions: boolean;
  /** Each message comes with its peer's security context. */
  ipPassSecurity: boolean;
  /** `bind` with port 0 leaves the choice to `connect`, which can share ports. */
  bindAddressNoPort: boolean;
  /** Raw sockets: fragments are not reassembled on their way out. */
  noDefragment: boolean;
  /** Each message comes with its checksum, where the hardware has it. */
  receiveChecksum: boolean;
  /** The lowest and highest port that the kernel chooses; 0 is net.ipv4.ip_local_port_range's. IPv6 sockets too. */
  localPortRange: readonly [low: number, high: number];
  /** The protocol of what is sent. */
  ipProtocol: ReadOnly<number>;
}

export const IPV4: Table<Ipv4Options> = {
  ipOptions: option('IPPROTO_IP', 'IP_OPTIONS', raw(40)),
  receiveOptions: option('IPPROTO_IP', 'IP_RECVOPTS', flag),
  receiveRawOptions: option('IPPROTO_IP', 'IP_RETOPTS', flag),
  ipPassSecurity: option('IPPROTO_IP', 'IP_PASSSEC', flag),
  bindAddressNoPort: option('IPPROTO_IP', 'IP_BIND_ADDRESS_NO_PORT', flag),
  noDefragment: option('IPPROTO_IP', 'IP_NODEFRAG', flag),
  receiveChecksum: option('IPPROTO_IP', 'IP_CHECKSUM', flag),
  localPortRange: option('IPPROTO_IP', 'IP_LOCAL_PORT_RANGE', portRange),
  ipProtocol: getter('IPPROTO_IP', 'IP_PROTOCOL', int()),
};
