// <arpa/inet.h>: IP addresses as text and as bytes, and the order of bytes; and the checksum that goes with them.

import { types } from 'node:util';
import { invalidType, outOfRange, systemError } from '../core/errors';
import { byName, integer, text } from '../core/validate';
import { binding } from '../native/load';
import { INET_FAMILIES, LITTLE, swap16, type InetFamily } from '../native/words';

const C = binding.constants;
const UINT32 = 0xffffffff;

function familyNumber(family: InetFamily | number): number {
  const number = byName('family', family, INET_FAMILIES);
  if (number !== C.AF_INET && number !== C.AF_INET6) {
    throw systemError(-C.EAFNOSUPPORT, 'inet_pton');
  }
  return number;
}

const sizeOf = (family: number): number => (family === C.AF_INET6 ? 16 : 4);

/**
 * The 4 or 16 bytes of an IP literal, in network order; null where `address` is none of `family`. inet_pton(3)
 * @throws SystemError EAFNOSUPPORT for other families
 */
function pton(family: InetFamily | number, address: string): Buffer | null {
  const number = familyNumber(family);
  const bytes = Buffer.alloc(sizeOf(number));
  return binding.pton(number, text('address', address), bytes, 0) < 0 ? null : bytes;
}

/**
 * The text of an IP address of 4 or 16 bytes, in network order. inet_ntop(3)
 * @throws SystemError EAFNOSUPPORT for other families
 */
function ntop(family: InetFamily | number, bytes: Uint8Array): string {
  const number = familyNumber(family);
  if (!types.isUint8Array(bytes)) throw invalidType('bytes', 'an instance of Uint8Array', bytes);
  const size = sizeOf(number);
  if (bytes.length !== size) throw outOfRange('bytes.length', String(size), bytes.length);
  return binding.ntop(number, bytes, 0)!;
}

/** The family of an IP literal, which may name its interface behind a '%' (RFC 4007, 11); undefined for what is none. */
export function familyOfLiteral(host: string): InetFamily | undefined {
  const literal = host.split('%', 1)[0];
  if (pton('IPv4', literal) !== null) return 'IPv4';
  return pton('IPv6', literal) === null ? undefined : 'IPv6';
}

function swap32(name: string, value: number): number {
  const given = integer(name, value, 0, UINT32);
  if (!LITTLE) return given;
  const high = ((given & 0xff) << 24) | ((given & 0xff00) << 8);
  return (high | ((given >>> 8) & 0xff00) | (given >>> 24)) >>> 0;
}

/**
 * RFC 1071's checksum of IPv4, ICMP, UDP and TCP, to be written big-endian: the complement of the one's complement
 * sum of all 16-bit words. Pieces (a pseudo-header, the message) are summed as if they were one. 0 for data that
 * hold their right checksum. (ICMPv6 is summed by the kernel, and others over raw IPv6 by the option
 * IPV6_CHECKSUM: ipv6(7).)
 */
function checksum(data: Uint8Array | readonly Uint8Array[]): number {
  const pieces: readonly unknown[] = Array.isArray(data) ? data : [data];
  let sum = 0;
  let odd = false;
  for (const [i, piece] of pieces.entries()) {
    if (!types.isUint8Array(piece)) {
      const name = Array.isArray(data) ? `data[${i}]` : 'data';
      throw invalidType(name, 'an instance of Uint8Array', piece);
    }
    for (const byte of piece) {
      sum += odd ? byte : byte << 8;
      odd = !odd;
    }
  }
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** `<arpa/inet.h>`: text and bytes of IP addresses, and numbers in host and network order. inet(3), byteorder(3) */
export const inet = Object.freeze({
  pton,
  ntop,
  checksum,
  /** A 16-bit number of this machine's in network order. */
  htons: (host: number): number => swap16(integer('host', host, 0, 0xffff)),
  /** A 32-bit number of this machine's in network order. */
  htonl: (host: number): number => swap32('host', host),
  /** A 16-bit number in network order as this machine's. */
  ntohs: (network: number): number => swap16(integer('network', network, 0, 0xffff)),
  /** A 32-bit number in network order as this machine's. */
  ntohl: (network: number): number => swap32('network', network),
});
