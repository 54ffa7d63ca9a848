// rtnetlink(7) as far as tests go: requests, and what comes back. All numbers in host order, which is little endian here.

import { endianness } from 'node:os';
import { constants as C } from '../../lib/index';

if (endianness() !== 'LE') throw new Error('read as little endian here');

export const KERNEL = { family: 'netlink', pid: 0, groups: 0 } as const;

/** Message types and multicast groups, which the headers have as enumerations. */
export const RTM = { newLink: 16, delLink: 17, newAddress: 20, delAddress: 21 } as const;
export const RTM_GET = { link: 18, address: 22, route: 26 } as const;
export const RTNLGRP = { link: 1, ipv4Address: 5, ipv6Address: 9 } as const;

const NLMSG_HEADER = 16;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What is behind the header. */
  readonly body: Buffer;
}

export function request(type: number, flags: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(NLMSG_HEADER);
  header.writeUInt32LE(NLMSG_HEADER + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(C.NLM_F_REQUEST | flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** The messages of one datagram. */
export function* messagesIn(data: Buffer): Generator<NetlinkMessage> {
  for (let at = 0; at < data.length;) {
    const length = data.readUInt32LE(at);
    yield {
      type: data.readUInt16LE(at + 4),
      flags: data.readUInt16LE(at + 6),
      sequence: data.readUInt32LE(at + 8),
      body: data.subarray(at + NLMSG_HEADER, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** The attributes behind the `fixed` bytes of a body, by their types; NLA_F_NESTED and NLA_F_NET_BYTEORDER left out. */
export function attributes(body: Buffer, fixed: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = fixed; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    found.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

/** A string that ends with a NUL. */
export const text = (bytes: Buffer | undefined): string =>
  bytes?.toString('utf8', 0, bytes.length - 1) ?? '';
