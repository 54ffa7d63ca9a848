// Control messages, cmsg(3): what travels beside the data of a message. Their frames are read and written
// here, their kinds are in control_kinds.ts.
//
//   | cmsg_len | cmsg_level | cmsg_type | data … | padding to a size_t |   the next one …

import { invalidType, invalidValue } from '../core/errors';
import { record } from '../core/validate';
import { binding } from '../native/load';
import { LITTLE } from '../native/words';
import type { AddressInput, InetAddress } from './address';
import { KINDS, KINDS_BY_NAME, type Kind } from './control_kinds';
import { writeDescriptors, type Received } from './control_codecs';
import type { OwnedFd } from './owned_fd';
import { constants as C } from './constants';

// Out of the table, which V8 keeps as a dictionary.
const { AF_INET, AF_INET6, SCM_RIGHTS, SOL_SOCKET } = C;

/** Where a datagram came in: `local` is the address of ours to answer from, `destination` the one it was sent to. */
export interface PacketInfo {
  /** The interface's index. */
  interface: number;
  local: string;
  destination?: string;
}

/** The traffic class: differentiated services (RFC 2474) and congestion notification (RFC 3168). */
export interface TrafficClass {
  dscp: number;
  ecn: 0 | 1 | 2 | 3;
}

/** What was received beside a message's data. `raw` is everything that this library knows no name for. */
export type Control =
  | { kind: 'rights'; fds: OwnedFd[] }
  | { kind: 'credentials'; pid: number; uid: number; gid: number }
  | { kind: 'pidfd'; fd: OwnedFd }
  | ({ kind: 'packetInfo' } & PacketInfo)
  | { kind: 'ttl'; value: number }
  | ({ kind: 'tos' } & TrafficClass)
  | { kind: 'timestamp'; ns: bigint; source: 'software' | 'hardware' }
  | { kind: 'segmentSize'; value: number }
  | { kind: 'originalDestination'; address: InetAddress }
  | { kind: 'drops'; value: number }
  | { kind: 'txtime'; ns: bigint }
  | { kind: 'raw'; level: number; type: number; data: Uint8Array };

/** Whatever has a descriptor: a Socket, an OwnedFd, a FileHandle. */
export interface HasFd {
  readonly fd: number;
}

/** What can be sent beside a message's data. What was received can be sent on. */
export type OutgoingControl =
  | {
      kind: 'rights';
      /** At most 253, open until the message is sent; one that is closed by then is EBADF. */
      fds: readonly (number | HasFd)[];
    }
  | { kind: 'credentials'; pid: number; uid: number; gid: number }
  | {
      kind: 'packetInfo';
      /** The interface to send through, 0 for the one that the route says. */
      interface?: number | undefined;
      /** The address of ours to send from. */
      local?: string | undefined;
      destination?: string | undefined;
    }
  | { kind: 'ttl'; value: number }
  | { kind: 'tos'; dscp: number; ecn: 0 | 1 | 2 | 3 }
  | { kind: 'segmentSize'; value: number }
  | { kind: 'txtime'; ns: bigint }
  | { kind: 'raw'; level: number; type: number; data: Uint8Array };

const at = (field: string): number => binding.layout[field];
const WORD = at('size_t');
const align = (size: number): number => (size + WORD - 1) & ~(WORD - 1);
const HEADER = align(at('cmsghdr'));
// cmsg_len is a size_t; nothing here is so long that it would need more than its low 32 bits.
const LENGTH = at('cmsghdr.cmsg_len') + (LITTLE ? 0 : WORD - 4);
const LEVEL = at('cmsghdr.cmsg_level');
const TYPE = at('cmsghdr.cmsg_type');

/** The control messages in `length` bytes at `offset`, in memory of their own. */
export function decodeControl(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  length: number,
): Control[] {
  const found: Control[] = [];
  const received: Received = { bytes, view, offset, length };
  const end = offset + length;
  for (let part = offset; end - part >= HEADER;) {
    const size = view.getUint32(part + LENGTH, LITTLE);
    if (size < HEADER || size > end - part) break;
    const level = view.getInt32(part + LEVEL, LITTLE);
    const type = view.getInt32(part + TYPE, LITTLE);
    const kind = KINDS.get(level)?.get(type);
    const data = part + HEADER;
    if (kind !== undefined && size - HEADER >= kind.least) {
      received.offset = data;
      received.length = size - HEADER;
      kind.read(found, received);
    } else {
      const copy = Buffer.from(bytes.subarray(data, part + size));
      found.push({ kind: 'raw', level, type, data: copy });
    }
    part += align(size);
  }
  return found;
}

/** Closes the descriptors among `control`: nobody will. */
export function closeControl(control: readonly Control[]): void {
  for (const part of control) {
    if (part.kind === 'rights') for (const fd of part.fds) fd.close();
    else if (part.kind === 'pidfd') part.fd.close();
  }
}

/** Control data as the kernel takes it. */
export class EncodedControl {
  /** Where a descriptor stands that belongs to an object: its number is looked up when the message goes. */
  private readonly owners: { readonly offset: number; readonly owner: HasFd }[] = [];

  private constructor(
    private readonly data: Uint8Array,
    private readonly view: DataView,
  ) {}

  /** null where there is nothing to send. Throws on misuse. */
  static of(
    control: readonly OutgoingControl[] | undefined,
    domain: number,
    to: AddressInput | undefined,
    name: string,
  ): EncodedControl | null {
    if (control === undefined) return null;
    if (!Array.isArray(control)) throw invalidType(name, 'an Array', control);
    const parts = control.flatMap((part: OutgoingControl, i) =>
      encodePart(part, domain, to, `${name}[${i}]`),
    );
    return EncodedControl.laidOut(parts);
  }

  /** Descriptors alone, the argument `name`. Throws on misuse. */
  static ofDescriptors(fds: unknown, name: string): EncodedControl | null {
    const written = writeDescriptors(fds, name);
    const { byteLength } = written.data;
    return EncodedControl.laidOut(
      byteLength === 0 ? [] : [{ level: SOL_SOCKET, type: SCM_RIGHTS, ...written }],
    );
  }

  private static laidOut(parts: readonly Part[]): EncodedControl | null {
    if (parts.length === 0) return null;
    const length = parts.reduce((sum, { data }) => sum + align(HEADER + data.byteLength), 0);
    const bytes = new Uint8Array(length);
    const encoded = new EncodedControl(bytes, new DataView(bytes.buffer));
    let offset = 0;
    for (const part of parts) offset = encoded.add(part, offset);
    return encoded;
  }

  private add({ level, type, data, owners }: Part, offset: number): number {
    const { view } = this;
    view.setUint32(offset + LENGTH, HEADER + data.byteLength, LITTLE);
    view.setInt32(offset + LEVEL, level, LITTLE);
    view.setInt32(offset + TYPE, type, LITTLE);
    this.data.set(data, offset + HEADER);
    owners?.forEach((owner, i) => {
      if (owner !== null) this.owners.push({ offset: offset + HEADER + i * at('int'), owner });
    });
    return offset + align(HEADER + data.byteLength);
  }

  /**
   * The bytes, to be sent before anything else runs. A descriptor's number is its owner's of this moment: by
   * the time of an earlier one it may be a stranger's. A closed owner has -1, and the kernel says EBADF.
   */
  get bytes(): Uint8Array {
    for (const { offset, owner } of this.owners) this.view.setInt32(offset, owner.fd, LITTLE);
    return this.data;
  }
}

/** One control message on its way out, without its frame. */
interface Part {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
  readonly owners?: readonly (HasFd | null)[] | undefined;
}

function encodePart(
  part: OutgoingControl,
  domain: number,
  to: AddressInput | undefined,
  name: string,
): Part[] {
  record(name, part);
  if (part.kind === 'raw') return [rawPart(part, name)];
  const kinds = KINDS_BY_NAME.get(part.kind)?.filter((kind) => goesOn(kind, domain));
  if (kinds === undefined || kinds.length === 0 || kinds.every(({ write }) => write === undefined))
    throw invalidValue(`${name}.kind`, 'one that this socket can send', part.kind);
  const parts: Part[] = [];
  for (const { level, type, write } of kinds) {
    const written = write?.(part, { name, domain, to, level });
    if (written !== undefined) parts.push({ level, type, ...written });
  }
  return parts;
}

// An IPv6 socket sends IPv4 as well, and heeds the control messages of whichever it sends at the moment.
function goesOn({ domain: only }: Kind, domain: number): boolean {
  return only === 0 || only === domain || (only === AF_INET && domain === AF_INET6);
}

function rawPart(part: OutgoingControl & { kind: 'raw' }, name: string): Part {
  const { level, type, data } = part;
  for (const [field, value] of Object.entries({ level, type })) {
    if (typeof value !== 'number' || value !== (value | 0))
      throw invalidType(`${name}.${field}`, 'an integer of 32 bits', value);
  }
  if (!ArrayBuffer.isView(data))
    throw invalidType(`${name}.data`, 'an instance of Uint8Array', data);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { level, type, data: bytes.slice() };
}
