// Address objects ⇄ the kernel's sockaddr bytes. Where each field lies is asked of the addon, which had it
// from the headers; multi-byte fields are in network order only where the man page says so.
//
//   sockaddr_in   | family | port (net) | address 4 |                                    ip(7)
//   sockaddr_in6  | family | port (net) | flow (net) | address 16 | scope |              ipv6(7)
//   sockaddr_un   | family | path … |   length says where it ends                        unix(7)
//   sockaddr_ll   | family | protocol (net) | ifindex | hatype | pkttype | halen | addr | packet(7)
//   sockaddr_nl   | family | pad | pid | groups |                                        netlink(7)
//   sockaddr_vm   | family | reserved | port | cid |                                     vsock(7)

import { Buffer, isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { reactor } from '../core/runtime';
import {
  invalidType,
  invalidValue,
  outOfRange,
  systemError,
  type ErrorSubject,
} from '../core/errors';
import { integer, port as checkPort, record } from '../core/validate';
import { binding } from '../native/load';
import { LITTLE } from '../native/words';
import type {
  Address,
  AddressInput,
  InetAddress,
  NetlinkAddress,
  OpaqueAddress,
  PacketAddress,
  UnixAddress,
  VsockAddress,
} from './address';
import { constants as C, FAMILIES } from './constants';

// Out of the table, which V8 keeps as a dictionary.
const { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_VSOCK } = C;

const at = (field: string): number => binding.layout[field];

const FAMILY = at('sockaddr.sa_family');
const DATA = at('sockaddr.sa_data');
const STORAGE = at('sockaddr_storage');
const IN_SIZE = at('sockaddr_in');
const IN_PORT = at('sockaddr_in.sin_port');
const IN_ADDRESS = at('sockaddr_in.sin_addr');
const IN6_SIZE = at('sockaddr_in6');
const IN6_PORT = at('sockaddr_in6.sin6_port');
const IN6_FLOW = at('sockaddr_in6.sin6_flowinfo');
const IN6_ADDRESS = at('sockaddr_in6.sin6_addr');
const IN6_SCOPE = at('sockaddr_in6.sin6_scope_id');
const UN_SIZE = at('sockaddr_un');
const UN_PATH = at('sockaddr_un.sun_path');
const LL_SIZE = at('sockaddr_ll');
const LL_PROTOCOL = at('sockaddr_ll.sll_protocol');
const LL_INTERFACE = at('sockaddr_ll.sll_ifindex');
const LL_HARDWARE_TYPE = at('sockaddr_ll.sll_hatype');
const LL_PACKET_TYPE = at('sockaddr_ll.sll_pkttype');
const LL_LENGTH = at('sockaddr_ll.sll_halen');
const LL_ADDRESS = at('sockaddr_ll.sll_addr');
const NL_SIZE = at('sockaddr_nl');
const NL_PID = at('sockaddr_nl.nl_pid');
const NL_GROUPS = at('sockaddr_nl.nl_groups');
const VM_SIZE = at('sockaddr_vm');
const VM_PORT = at('sockaddr_vm.svm_port');
const VM_CID = at('sockaddr_vm.svm_cid');

const PACKET_TYPES = ['host', 'broadcast', 'multicast', 'otherhost', 'outgoing'] as const;
const UINT32 = 0xffffffff;

const scratch = reactor.memory.scratch;
const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);

/** Lays `address` into the scratch for a socket of `domain`; how many bytes it takes. Throws on misuse. */
export function encodeAddress(address: AddressInput, domain: number, name = 'address'): number {
  record(name, address);
  const family = familyOf(address, name);
  switch (family) {
    case 'IPv4':
    case 'IPv6':
      return encodeInet(address as InetAddress, family, domain, name);
    case 'unix':
      return encodeUnix(address as UnixAddress, name);
    case 'packet':
      return encodePacket(address as PacketAddress, name);
    case 'netlink':
      return encodeNetlink(address as NetlinkAddress, name);
    case 'vsock':
      return encodeVsock(address as VsockAddress, name);
    default:
      return encodeOpaque(address as OpaqueAddress, name);
  }
}

// A getter may be anybody's code, and use the scratch itself: an address is read before its first byte is laid.
// A short one is quicker cleared word by word than by fill().
function clear(family: number, size: number): void {
  for (let i = 0; i < size; i += 4) view.setUint32(i, 0);
  view.setUint16(FAMILY, family, LITTLE);
}

function familyOf(address: AddressInput, name: string): Address['family'] {
  const { family } = address;
  if (typeof family === 'number') return family;
  if (family === undefined) {
    if ('path' in address) return 'unix';
    const literal = (address as { address?: unknown }).address;
    if (literal === undefined) {
      const place = 'an object with an "address" (an IP literal), a "path" or a "family"';
      throw invalidValue(name, place, address);
    }
    if (typeof literal !== 'string')
      throw invalidType(`${name}.address`, 'of type string', literal);
    return literal.includes(':') ? 'IPv6' : 'IPv4';
  }
  if (typeof family !== 'string' || !Object.hasOwn(FAMILIES, family)) {
    const known = Object.keys(FAMILIES).map((word) => `'${word}'`);
    throw invalidValue(`${name}.family`, `one of ${known.join(', ')}, or a number`, family);
  }
  return family;
}

function encodeInet(
  given: InetAddress,
  family: 'IPv4' | 'IPv6',
  domain: number,
  name: string,
): number {
  const { address, scopeId, flowLabel = 0 } = given;
  if (typeof address !== 'string') throw invalidType(`${name}.address`, 'of type string', address);
  const port = checkPort(`${name}.port`, given.port);
  if (family === 'IPv4') return encodeInet4(address, port, domain === AF_INET6, name);
  const zone = address.indexOf('%');
  const literal = zone < 0 ? address : address.slice(0, zone);
  const scope =
    scopeId ?? (zone < 0 ? 0 : interfaceIndex(address.slice(zone + 1), `${name}.address`));
  integer(`${name}.flowLabel`, flowLabel, 0, 0xfffff);
  integer(`${name}.scopeId`, scope, 0, UINT32);
  clear(AF_INET6, IN6_SIZE);
  view.setUint16(IN6_PORT, port);
  view.setUint32(IN6_FLOW, flowLabel);
  view.setUint32(IN6_SCOPE, scope, LITTLE);
  if (binding.pton(AF_INET6, literal, scratch, IN6_ADDRESS) < 0)
    throw notLiteral(family, address, name);
  return IN6_SIZE;
}

// Through an IPv6 socket as ::ffff:a.b.c.d.
function encodeInet4(address: string, port: number, mapped: boolean, name: string): number {
  clear(mapped ? AF_INET6 : AF_INET, mapped ? IN6_SIZE : IN_SIZE);
  view.setUint16(mapped ? IN6_PORT : IN_PORT, port);
  if (mapped) view.setUint16(IN6_ADDRESS + 10, 0xffff);
  if (!layIpv4(address, mapped ? IN6_ADDRESS + 12 : IN_ADDRESS))
    throw notLiteral('IPv4', address, name);
  return mapped ? IN6_SIZE : IN_SIZE;
}

/** inet_pton(3) for AF_INET, whose call into the addon would be half the price of a send. */
function layIpv4(address: string, offset: number): boolean {
  let at = offset;
  let value = -1;
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      // As there, a leading zero is no octal number but none at all.
      if (value === 0) return false;
      value = value < 0 ? digit : 10 * value + digit;
      if (value > 255) return false;
    } else {
      if (digit !== DOT || value < 0 || at === offset + 3) return false;
      scratch[at++] = value;
      value = -1;
    }
  }
  if (value < 0 || at !== offset + 3) return false;
  scratch[at] = value;
  return true;
}

const DOT = -2;

function notLiteral(family: string, address: string, name: string): TypeError {
  return invalidValue(
    `${name}.address`,
    `an ${family} literal (names are resolved by connect, listen and bind)`,
    address,
  );
}

/** An interface's index, by index or name. */
export function interfaceIndex(given: string | number, name: string): number {
  if (typeof given === 'number') return integer(name, given, 0);
  if (typeof given !== 'string') throw invalidType(name, "an interface's name or index", given);
  if (/^\d+$/.test(given)) return integer(name, Number(given), 0);
  const index = binding.ifNameToIndex(given);
  if (index < 0) throw systemError(index, 'if_nametoindex', { address: given });
  return index;
}

function encodeUnix({ path }: UnixAddress, name: string): number {
  if (typeof path !== 'string' && !types.isUint8Array(path)) {
    throw invalidType(`${name}.path`, 'of type string or an instance of Uint8Array', path);
  }
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  const abstract = bytes[0] === 0;
  const most = UN_SIZE - UN_PATH - (abstract ? 0 : 1);
  if (bytes.length > most) throw outOfRange(`${name}.path`, `at most ${most} bytes`, path);
  if (!abstract && bytes.includes(0)) {
    throw invalidValue(
      `${name}.path`,
      'without NUL bytes, but for the first of an abstract name',
      path,
    );
  }
  clear(AF_UNIX, UN_SIZE);
  scratch.set(bytes, UN_PATH);
  if (bytes.length === 0) return UN_PATH;
  return UN_PATH + bytes.length + (abstract ? 0 : 1);
}

function encodePacket(given: PacketAddress, name: string): number {
  const protocol = integer(`${name}.protocol`, given.protocol, 0, 0xffff);
  const index = interfaceIndex(given.interface, `${name}.interface`);
  const bytes = hardwareBytes(given.hardwareAddress, `${name}.hardwareAddress`);
  clear(AF_PACKET, STORAGE);
  view.setUint16(LL_PROTOCOL, protocol);
  view.setInt32(LL_INTERFACE, index, LITTLE);
  view.setUint8(LL_LENGTH, bytes.length);
  scratch.set(bytes, LL_ADDRESS);
  return Math.max(LL_SIZE, LL_ADDRESS + bytes.length);
}

function hardwareBytes(hex: string | undefined, name: string): number[] {
  if (hex === undefined) return [];
  if (typeof hex !== 'string') throw invalidType(name, 'of type string', hex);
  const bytes = hex
    .split(/[:-]/)
    .map((pair) => (/^[0-9a-f]{1,2}$/i.test(pair) ? parseInt(pair, 16) : -1));
  if (bytes.includes(-1)) throw invalidValue(name, 'bytes in hex, separated by colons', hex);
  if (bytes.length > STORAGE - LL_ADDRESS) throw outOfRange(name, 'shorter', hex);
  return bytes;
}

function encodeNetlink({ pid, groups }: NetlinkAddress, name: string): number {
  integer(`${name}.pid`, pid, 0, UINT32);
  integer(`${name}.groups`, groups, 0, UINT32);
  clear(AF_NETLINK, NL_SIZE);
  view.setUint32(NL_PID, pid, LITTLE);
  view.setUint32(NL_GROUPS, groups, LITTLE);
  return NL_SIZE;
}

function encodeVsock({ cid, port }: VsockAddress, name: string): number {
  integer(`${name}.port`, port, 0, UINT32);
  integer(`${name}.cid`, cid, 0, UINT32);
  clear(AF_VSOCK, VM_SIZE);
  view.setUint32(VM_PORT, port, LITTLE);
  view.setUint32(VM_CID, cid, LITTLE);
  return VM_SIZE;
}

function encodeOpaque({ family, data }: OpaqueAddress, name: string): number {
  integer(`${name}.family`, family, 0, 0xffff);
  if (!ArrayBuffer.isView(data))
    throw invalidType(`${name}.data`, 'an instance of Uint8Array', data);
  if (data.byteLength > STORAGE - DATA)
    throw outOfRange(`${name}.data`, `at most ${STORAGE - DATA} bytes`, data);
  clear(family, STORAGE);
  scratch.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), DATA);
  return DATA + data.byteLength;
}

/** The address that the last call left in the scratch; null where it left none. */
export function decodeScratch(length: number): Address | null {
  return decodeAddress(scratch, view, 0, length);
}

/** The address in `length` bytes at `offset`; null where there is none (a connected stream's sender). */
export function decodeAddress(
  bytes: Uint8Array,
  fields: DataView,
  offset: number,
  length: number,
): Address | null {
  if (length < DATA) return null;
  const family = fields.getUint16(offset + FAMILY, LITTLE);
  switch (family) {
    case AF_INET:
      return {
        family: 'IPv4',
        address: ipv4(bytes, offset + IN_ADDRESS),
        port: fields.getUint16(offset + IN_PORT),
      };
    case AF_INET6:
      return decodeInet6(bytes, fields, offset);
    case AF_UNIX:
      return decodeUnix(bytes, offset + UN_PATH, Math.min(length, UN_SIZE) - UN_PATH);
    case AF_PACKET:
      return decodePacket(bytes, fields, offset);
    case AF_NETLINK:
      return {
        family: 'netlink',
        pid: fields.getUint32(offset + NL_PID, LITTLE),
        groups: fields.getUint32(offset + NL_GROUPS, LITTLE),
      };
    case AF_VSOCK:
      return {
        family: 'vsock',
        cid: fields.getUint32(offset + VM_CID, LITTLE),
        port: fields.getUint32(offset + VM_PORT, LITTLE),
      };
    default:
      return { family, data: Buffer.from(bytes.subarray(offset + DATA, offset + length)) };
  }
}

// The same few peers are met again and again: the text of one address of each hash is kept.
const KEPT = 256;
const keptAddresses = new Int32Array(KEPT);
const keptTexts = Array<string>(KEPT).fill('0.0.0.0');

/** inet_ntop(3) for AF_INET, whose call into the addon would cost more than a datagram does. */
export function ipv4(bytes: Uint8Array, i: number): string {
  const address = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3];
  const hash = (address ^ (address >>> 8) ^ (address >>> 16)) & (KEPT - 1);
  if (keptAddresses[hash] !== address) {
    keptAddresses[hash] = address;
    keptTexts[hash] = `${bytes[i]}.${bytes[i + 1]}.${bytes[i + 2]}.${bytes[i + 3]}`;
  }
  return keptTexts[hash];
}

// ::ffff:a.b.c.d is IPv4 that arrived through an IPv6 socket, and is given as what it is.
function decodeInet6(bytes: Uint8Array, fields: DataView, offset: number): InetAddress {
  const i = offset + IN6_ADDRESS;
  const port = fields.getUint16(offset + IN6_PORT);
  if (
    fields.getUint32(i) === 0 &&
    fields.getUint32(i + 4) === 0 &&
    fields.getUint32(i + 8) === 0xffff
  ) {
    return { family: 'IPv4', address: ipv4(bytes, i + 12), port };
  }
  const result: InetAddress = {
    family: 'IPv6',
    address: binding.ntop(AF_INET6, bytes, i)!,
    port,
  };
  const scopeId = fields.getUint32(offset + IN6_SCOPE, LITTLE);
  const flowLabel = fields.getUint32(offset + IN6_FLOW) & 0xfffff;
  if (scopeId !== 0) result.scopeId = scopeId;
  if (flowLabel !== 0) result.flowLabel = flowLabel;
  return result;
}

// Linux counts the NUL that ends a path, and some callers bind without one: the path ends at either.
function decodeUnix(bytes: Uint8Array, start: number, length: number): UnixAddress {
  if (length <= 0) return { family: 'unix', path: '' };
  let end = start + length;
  if (bytes[start] !== 0) {
    const terminator = bytes.indexOf(0, start);
    if (terminator >= 0 && terminator < end) end = terminator;
  }
  const path = Buffer.from(bytes.subarray(start, end));
  return { family: 'unix', path: isUtf8(path) ? path.toString() : path };
}

// Every packet has one to be written out.
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function decodePacket(bytes: Uint8Array, fields: DataView, offset: number): PacketAddress {
  const length = fields.getUint8(offset + LL_LENGTH);
  const start = offset + LL_ADDRESS;
  const result: PacketAddress = {
    family: 'packet',
    interface: fields.getInt32(offset + LL_INTERFACE, LITTLE),
    protocol: fields.getUint16(offset + LL_PROTOCOL),
    hardwareType: fields.getUint16(offset + LL_HARDWARE_TYPE, LITTLE),
  };
  const type = PACKET_TYPES[fields.getUint8(offset + LL_PACKET_TYPE)];
  if (type !== undefined) result.packetType = type;
  if (length > 0) {
    let text = HEX[bytes[start]];
    for (let i = start + 1; i < start + length; i++) text += `:${HEX[bytes[i]]}`;
    result.hardwareAddress = text;
  }
  return result;
}

/** What an error about `address` says of it, as `node:net` does. */
export function subjectOf(address: AddressInput | null | undefined): ErrorSubject | undefined {
  if (address === null || address === undefined) return undefined;
  if ('path' in address) {
    const path =
      typeof address.path === 'string'
        ? address.path
        : Buffer.from(address.path).toString('latin1');
    return { path: path.replace(/^\0/, '@') };
  }
  if ('address' in address) return { address: address.address, port: address.port };
  return undefined;
}
