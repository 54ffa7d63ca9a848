// Addresses as plain objects, discriminated by `family`, in Node's shapes where Node has one.

import type { InetAddress } from '../native/words';

export type { InetAddress };

/**
 * A Unix socket's name: '' is unnamed, a leading '\0' makes it abstract (length-exact), anything else is a
 * path of at most 107 bytes. Bytes where it is not UTF-8. unix(7).
 */
export interface UnixAddress {
  family: 'unix';
  path: string | Uint8Array;
}

/** A link-level endpoint, packet(7): `protocol` is an ETH_P_ number in host order. Received ones bear the interface's index. */
export interface PacketAddress {
  family: 'packet';
  interface: string | number;
  protocol: number;
  hardwareAddress?: string;
  hardwareType?: number;
  packetType?: 'host' | 'broadcast' | 'multicast' | 'otherhost' | 'outgoing';
}

/** netlink(7): port id 0 is the kernel, `groups` a mask of multicast groups. */
export interface NetlinkAddress {
  family: 'netlink';
  pid: number;
  groups: number;
}

/** vsock(7). */
export interface VsockAddress {
  family: 'vsock';
  cid: number;
  port: number;
}

/** Any other family that the kernel has: its AF_ number and the bytes that follow sa_family. */
export interface OpaqueAddress {
  family: number;
  data: Uint8Array;
}

/** A socket's address as this library gives it; `family` tells which. */
export type Address =
  InetAddress | UnixAddress | PacketAddress | NetlinkAddress | VsockAddress | OpaqueAddress;

/** On input `family` may be left out where `address` (an IP literal) or `path` says it. */
export type AddressInput =
  | Address
  | (Omit<InetAddress, 'family'> & { family?: undefined })
  | (Omit<UnixAddress, 'family'> & { family?: undefined });
