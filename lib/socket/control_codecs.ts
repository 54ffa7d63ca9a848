// What the bytes of each kind of control message mean, both ways. Which (level, type) is of which kind is in
// control_kinds.ts.

import { inspect } from 'node:util';
import { invalidType, invalidValue, outOfRange } from '../core/errors';
import { integer } from '../core/validate';
import { binding } from '../native/load';
import { LITTLE } from '../native/words';
import type { AddressInput, InetAddress } from './address';
import { constants as C } from './constants';
import type { Control, HasFd, OutgoingControl } from './control';
import { SocketDescriptor } from './descriptor';
import { OwnedFd } from './owned_fd';
import { decodeAddress, ipv4 } from './sockaddr';

/** Bytes of one control message in the slab. Whoever reads it keeps none of this: the next one comes in the same object. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  length: number;
}

/** What an encoder may need to know of the message it writes for. */
export interface Circumstances {
  /** The argument's name, for errors. */
  readonly name: string;
  readonly domain: number;
  readonly to: AddressInput | undefined;
  readonly level: number;
}

interface Written {
  readonly data: Uint8Array;
  /** Descriptors, in the order of their ints in `data`, that are to be looked up again. */
  readonly owners?: readonly (HasFd | null)[];
}

export interface Codec<K extends Control['kind']> {
  /** Bytes of data below which it is no such message. */
  readonly least: number;
  readonly read: (found: Control[], received: Readonly<Received>) => void;
  /** undefined where another line of the same kind speaks for this message. Absent: never sent. */
  readonly write?: (
    part: Extract<OutgoingControl, { kind: K }>,
    circumstances: Circumstances,
  ) => Written | undefined;
}

const at = (field: string): number => binding.layout[field];
const INT = at('int');
const UINT32 = 0xffffffff;
/** SCM_MAX_FD of the kernel, in no header of its users. */
const MOST_DESCRIPTORS = 253;
// Linux 6.5's, in no header of the C library's yet; the same on every architecture.
export const SCM_PIDFD = 4;

function written(size: number, fill: (view: DataView, bytes: Uint8Array) => void): Written {
  const data = new Uint8Array(size);
  fill(new DataView(data.buffer), data);
  return { data };
}

const intOf = (value: number): Written => written(INT, (view) => view.setInt32(0, value, LITTLE));

export const rights: Codec<'rights'> = {
  least: 0,
  read(found, { view, offset, length }) {
    const fds: OwnedFd[] = [];
    // Tokens of the core's, -1 where nobody wanted the descriptor: addon/sys/control.h.
    for (let i = 0; i + INT <= length; i += INT) {
      const token = view.getInt32(offset + i, LITTLE);
      if (token >= 0) fds.push(new OwnedFd(token));
    }
    if (fds.length > 0) found.push({ kind: 'rights', fds });
  },
  write: ({ fds }, { name }) => writeDescriptors(fds, `${name}.fds`),
};

/** `fds` as SCM_RIGHTS takes them; `name` is the argument's. */
export function writeDescriptors(fds: unknown, name: string): Written {
  if (!Array.isArray(fds)) throw invalidType(name, 'an Array', fds);
  if (fds.length > MOST_DESCRIPTORS)
    throw outOfRange(`${name}.length`, `<= ${MOST_DESCRIPTORS}`, fds.length);
  // Not map(): it passes over holes.
  const given = Array.from(fds, (fd: unknown, i) => descriptorOf(fd, `${name}[${i}]`));
  const { data } = written(INT * given.length, (view) => {
    given.forEach((fd, i) => {
      if (typeof fd === 'number') view.setInt32(i * INT, fd, LITTLE);
    });
  });
  return { data, owners: given.map((fd) => (typeof fd === 'number' ? null : fd)) };
}

/** A number, or whoever will know it when the message goes; of a stranger's object, the number of now. */
function descriptorOf(given: unknown, name: string): number | HasFd {
  if (given instanceof OwnedFd || given instanceof SocketDescriptor) {
    // Closed later, before the message goes, it is EBADF.
    if (given.fd < 0) throw invalidValue(name, 'open', given);
    return given;
  }
  const fd = typeof given === 'object' && given !== null ? (given as HasFd).fd : given;
  if (typeof fd === 'number') return integer(name, fd, 0);
  throw invalidType(name, 'a descriptor, a Socket or an OwnedFd', given);
}

export const pidfd: Codec<'pidfd'> = {
  least: INT,
  read(found, { view, offset }) {
    const token = view.getInt32(offset, LITTLE);
    if (token >= 0) found.push({ kind: 'pidfd', fd: new OwnedFd(token) });
  },
};

const PID = at('ucred.pid');
const UID = at('ucred.uid');
const GID = at('ucred.gid');

export const credentials: Codec<'credentials'> = {
  least: at('ucred'),
  read(found, { view, offset }) {
    found.push({
      kind: 'credentials',
      pid: view.getInt32(offset + PID, LITTLE),
      uid: view.getUint32(offset + UID, LITTLE),
      gid: view.getUint32(offset + GID, LITTLE),
    });
  },
  write({ pid, uid, gid }, { name }) {
    integer(`${name}.pid`, pid, 0);
    integer(`${name}.uid`, uid, 0, UINT32);
    integer(`${name}.gid`, gid, 0, UINT32);
    return written(at('ucred'), (view) => {
      view.setInt32(PID, pid, LITTLE);
      view.setUint32(UID, uid, LITTLE);
      view.setUint32(GID, gid, LITTLE);
    });
  },
};

// Looked up once: the layout is a dictionary to V8.
const PKTINFO_INTERFACE = at('in_pktinfo.ipi_ifindex');
const PKTINFO_LOCAL = at('in_pktinfo.ipi_spec_dst');
const PKTINFO_DESTINATION = at('in_pktinfo.ipi_addr');
const PKTINFO6_INTERFACE = at('in6_pktinfo.ipi6_ifindex');
const PKTINFO6_ADDRESS = at('in6_pktinfo.ipi6_addr');

export const packetInfo4: Codec<'packetInfo'> = {
  least: at('in_pktinfo'),
  read(found, { bytes, view, offset }) {
    found.push({
      kind: 'packetInfo',
      interface: view.getInt32(offset + PKTINFO_INTERFACE, LITTLE),
      local: ipv4(bytes, offset + PKTINFO_LOCAL),
      destination: ipv4(bytes, offset + PKTINFO_DESTINATION),
    });
  },
  write(part, circumstances) {
    if (!concernsIPv4(part, circumstances)) return undefined;
    const index = indexOf(part, circumstances);
    return written(at('in_pktinfo'), (view, bytes) => {
      view.setInt32(PKTINFO_INTERFACE, index, LITTLE);
      layLocal(C.AF_INET, part, bytes, PKTINFO_LOCAL, circumstances);
    });
  },
};

// RFC 3542 has one address. A multicast group is none to send from: '::' leaves the choice to the kernel, as
// '0.0.0.0' does for IPv4 that came through an IPv6 socket.
export const packetInfo6: Codec<'packetInfo'> = {
  least: at('in6_pktinfo'),
  read(found, { bytes, view, offset }) {
    const start = offset + PKTINFO6_ADDRESS;
    const mapped = isMapped(view, start);
    const destination = mapped ? ipv4(bytes, start + 12) : binding.ntop(C.AF_INET6, bytes, start)!;
    const group = mapped ? (bytes[start + 12] & 0xf0) === 0xe0 : bytes[start] === 0xff;
    found.push({
      kind: 'packetInfo',
      interface: view.getInt32(offset + PKTINFO6_INTERFACE, LITTLE),
      local: !group ? destination : mapped ? '0.0.0.0' : '::',
      destination,
    });
  },
  write(part, circumstances) {
    if (concernsIPv4(part, circumstances)) return undefined;
    const index = indexOf(part, circumstances);
    return written(at('in6_pktinfo'), (view, bytes) => {
      view.setInt32(PKTINFO6_INTERFACE, index, LITTLE);
      layLocal(C.AF_INET6, part, bytes, PKTINFO6_ADDRESS, circumstances);
    });
  },
};

type OutgoingPacketInfo = Extract<OutgoingControl, { kind: 'packetInfo' }>;

// By the address of ours, the recipient's, or the socket's family, whichever is known first.
function concernsIPv4({ local }: OutgoingPacketInfo, { domain, to, name }: Circumstances): boolean {
  if (local !== undefined && typeof local !== 'string')
    throw invalidType(`${name}.local`, 'of type string', local);
  if (local !== undefined) return !local.includes(':');
  const literal = (to as Partial<InetAddress> | undefined)?.address;
  if (typeof literal !== 'string') return domain === C.AF_INET;
  return !literal.includes(':') || isMappedLiteral(literal);
}

/** ::ffff:a.b.c.d */
function isMapped(view: DataView, offset: number): boolean {
  return view.getUint32(offset + 8) === 0xffff && view.getBigUint64(offset) === 0n;
}

// It goes over IPv4, where ip_cmsg_send takes no IPv6 packet info but one whose address is of this form, too.
function isMappedLiteral(literal: string): boolean {
  const bytes = new Uint8Array(16);
  return (
    binding.pton(C.AF_INET6, literal, bytes, 0) >= 0 && isMapped(new DataView(bytes.buffer), 0)
  );
}

function indexOf(part: OutgoingPacketInfo, { name }: Circumstances): number {
  return integer(`${name}.interface`, part.interface ?? 0, 0);
}

function layLocal(
  family: number,
  { local }: OutgoingPacketInfo,
  bytes: Uint8Array,
  offset: number,
  { name }: Circumstances,
): void {
  if (local !== undefined && binding.pton(family, local, bytes, offset) < 0)
    throw invalidValue(`${name}.local`, 'an IP address', local);
}

/** An int of its own, from `min` to `max` where it is sent. */
export const int = <K extends 'ttl' | 'drops'>(kind: K, min: number, max: number): Codec<K> => ({
  least: INT,
  read: (found, { view, offset }) =>
    void found.push({ kind, value: view.getUint32(offset, LITTLE) }),
  write: (part, { name }) =>
    intOf(integer(`${name}.value`, (part as { value: number }).value, min, max)),
});

/** The same where the kernel never takes one. */
export const received = <K extends Control['kind']>({ least, read }: Codec<K>): Codec<K> => ({
  least,
  read,
});

export const tos: Codec<'tos'> = {
  // IP_TOS is one byte on its way in, IPV6_TCLASS an int.
  least: 1,
  read(found, { view, offset, length }) {
    const value = length < INT ? view.getUint8(offset) : view.getInt32(offset, LITTLE);
    found.push({ kind: 'tos', dscp: (value >> 2) & 63, ecn: (value & 3) as 0 });
  },
  write({ dscp, ecn }, { name }) {
    integer(`${name}.dscp`, dscp, 0, 63);
    return intOf((dscp << 2) | integer(`${name}.ecn`, ecn, 0, 3));
  },
};

const LONG = at('timeval') / 2;
const BILLION = 1_000_000_000n;

/** Seconds and a part of one, two longs. */
function nanoseconds(view: DataView, offset: number, unit: bigint): bigint {
  const part = (i: number): bigint =>
    LONG === 8
      ? view.getBigInt64(offset + i * LONG, LITTLE)
      : BigInt(view.getInt32(offset + i * LONG, LITTLE));
  return part(0) * BILLION + part(1) * unit;
}

export const stamp = (unit: bigint): Codec<'timestamp'> => ({
  least: 2 * LONG,
  read: (found, { view, offset }) =>
    void found.push({
      kind: 'timestamp',
      ns: nanoseconds(view, offset, unit),
      source: 'software',
    }),
});

// Three timespecs: the kernel's, one that is no longer used, the device's. Zero is none.
export const stamps: Codec<'timestamp'> = {
  least: at('scm_timestamping'),
  read(found, { view, offset }) {
    const software = nanoseconds(view, offset, 1n);
    const hardware = nanoseconds(view, offset + 2 * at('timespec'), 1n);
    if (software !== 0n) found.push({ kind: 'timestamp', ns: software, source: 'software' });
    if (hardware !== 0n) found.push({ kind: 'timestamp', ns: hardware, source: 'hardware' });
  },
};

// UDP_GRO tells an int, UDP_SEGMENT takes 16 bits.
export const groSize: Codec<'segmentSize'> = {
  least: INT,
  read: (found, { view, offset }) =>
    void found.push({ kind: 'segmentSize', value: view.getInt32(offset, LITTLE) }),
};
export const gsoSize: Codec<'segmentSize'> = {
  least: 2,
  read: (found, { view, offset }) =>
    void found.push({ kind: 'segmentSize', value: view.getUint16(offset, LITTLE) }),
  write: ({ value }, { name }) =>
    written(2, (view) => view.setUint16(0, integer(`${name}.value`, value, 1, 0xffff), LITTLE)),
};

export const originalDestination = (size: number): Codec<'originalDestination'> => ({
  least: size,
  read(found, { bytes, view, offset, length }) {
    const address = decodeAddress(bytes, view, offset, length) as InetAddress;
    found.push({ kind: 'originalDestination', address });
  },
});

export const txtime: Codec<'txtime'> = {
  least: 8,
  read: (found, { view, offset }) =>
    void found.push({ kind: 'txtime', ns: view.getBigUint64(offset, LITTLE) }),
  write({ ns }, { name }) {
    if (typeof ns !== 'bigint') throw invalidType(`${name}.ns`, 'of type bigint', ns);
    if (ns < 0n || ns >> 64n !== 0n)
      throw outOfRange(`${name}.ns`, `>= 0 and < 2 ** 64`, inspect(ns));
    return written(8, (view) => view.setBigUint64(0, ns, LITTLE));
  },
};
