// Which ICMP types a raw ICMP socket takes. raw(7), icmp(7); RFC 3542, 3.2.
//
//   ICMP_FILTER    32 bits, ICMP6_FILTER 256 bits: a set bit blocks the type. Words of 32 bits, host order.

import { invalidType, invalidValue } from '../../core/errors';
import { integer, record } from '../../core/validate';
import type { Codec } from './codec';
import { LITTLE } from '../../native/words';
import { option, type Table } from './table';

/** Types that are blocked, and the others pass; or types that pass, and the others are blocked. */
export type IcmpFilter =
  { block: readonly number[]; pass?: undefined } | { pass: readonly number[]; block?: undefined };

const typeFilter = (types: number): Codec<IcmpFilter> => ({
  size: types / 8,
  encode(value, name) {
    const { block, pass } = record(name, value);
    if ((block === undefined) === (pass === undefined)) {
      throw invalidValue(name, 'an object with either `block` or `pass`', value);
    }
    const key = block === undefined ? 'pass' : 'block';
    const listed = block ?? pass;
    if (!Array.isArray(listed)) throw invalidType(`${name}.${key}`, 'an Array', listed);
    const blocked = new Array<boolean>(types).fill(key === 'pass');
    for (const [i, type] of (listed as readonly number[]).entries()) {
      blocked[integer(`${name}.${key}[${i}]`, type, 0, types - 1)] = key === 'block';
    }
    return bitmap(blocked);
  },
  decode(bytes) {
    const blocked: number[] = [];
    const passing: number[] = [];
    for (let type = 0; type < types; type++) (bit(bytes, type) ? blocked : passing).push(type);
    return passing.length < blocked.length ? { pass: passing } : { block: blocked };
  },
});

// The byte of a bit within words of 4 bytes.
const byteOf = (index: number): number => (index >> 3) ^ (LITTLE ? 0 : 3);

function bitmap(set: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(set.length / 8);
  for (const [i, on] of set.entries()) if (on) bytes[byteOf(i)] |= 1 << (i & 7);
  return bytes;
}

const bit = (bytes: Buffer, index: number): boolean =>
  ((bytes[byteOf(index)] ?? 0) & (1 << (index & 7))) !== 0;

export interface IcmpOptions {
  /** Raw ICMP sockets: the types that are taken; 0 to 31 on IPv4, 0 to 255 on IPv6. */
  icmpFilter: IcmpFilter;
}

export const ICMP: Table<IcmpOptions> = {
  icmpFilter: {
    IPv4: option('SOL_RAW', 'ICMP_FILTER', typeFilter(32)),
    IPv6: option('IPPROTO_ICMPV6', 'ICMP6_FILTER', typeFilter(256)),
  },
};
