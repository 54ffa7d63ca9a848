// What sockets and names both say of the wall's numbers: their order of bytes, an IP address, and the words for families
// and types.

import { binding } from './load';

/** An IPv4 or IPv6 endpoint; `scopeId` is the interface of a link-local address, `flowLabel` IPv6's. */
export interface InetAddress {
  family: 'IPv4' | 'IPv6';
  address: string;
  port: number;
  scopeId?: number;
  flowLabel?: number;
}

export type InetFamily = InetAddress['family'];
/** A socket type by name; any other by its `SOCK_` number. */
export type SocketType = 'stream' | 'dgram' | 'seqpacket' | 'raw';

const C = binding.constants;

/** Whether this machine's numbers have their low byte first. */
export const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A 16-bit number of this machine's in network order, and back. */
export function swap16(value: number): number {
  return LITTLE ? ((value & 0xff) << 8) | ((value >> 8) & 0xff) : value;
}

export const INET_FAMILIES: Readonly<Record<InetFamily, number>> = {
  IPv4: C.AF_INET,
  IPv6: C.AF_INET6,
};

export const TYPES: Readonly<Record<SocketType, number>> = {
  stream: C.SOCK_STREAM,
  dgram: C.SOCK_DGRAM,
  seqpacket: C.SOCK_SEQPACKET,
  raw: C.SOCK_RAW,
};

/** The word for `number`; the number where there is none. */
export function wordOf<K extends string>(
  number: number,
  table: Readonly<Record<K, number>>,
): K | number {
  for (const word in table) if (table[word] === number) return word;
  return number;
}
