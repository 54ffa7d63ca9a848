// The options of a socket as types: what `get` gives, what `set` takes, and how a program adds its own.

import type { IcmpOptions } from './icmp';
import type { IpOptions } from './ip';
import type { Ipv4Options } from './ipv4';
import type { Ipv6Options } from './ipv6';
import type { MulticastOptions } from './multicast';
import type { NetlinkOptions } from './netlink';
import type { PacketOptions } from './packet';
import type { SocketLevelOptions } from './socket_level';
import type { TcpOptions } from './tcp';
import type { TcpRepairOptions } from './tcp_repair';
import type { UdpOptions } from './udp';
import type { UnixOptions } from './unix';
import type { VsockOptions } from './vsock';

export type { IcmpFilter } from './icmp';
export type { MtuDiscovery } from './ip';
export type { AddressPreference, Ipv6Interface, PathMtu } from './ipv6';
export type { GroupFilter, GroupMembership, GroupSource } from './multicast';
export type {
  PacketFanout,
  PacketMembership,
  PacketStatistics,
  PacketVersion,
  RolloverStatistics,
} from './packet';
export type { BufferLock, TimestampingFlag } from './socket_level';
export type { MemoryInfo, PeerCredentials, TxTime, TxTimeFlag } from './structs';
export type { TcpInfo } from './tcp_info';
export type { Md5Signature } from './tcp_md5';
export type { RepairOption, RepairWindow } from './tcp_repair';
export type { UdpEncapsulation } from './udp';

declare const readOnly: unique symbol;
declare const setOnly: unique symbol;

/** An option that only the kernel sets: no value can be assigned to it. */
export interface ReadOnly<T> {
  readonly [readOnly]: T;
}

/** An option that cannot be asked for. */
export type SetOnly<T> = T & { readonly [setOnly]?: never };

/**
 * Every option that `Socket.get` and `Socket.set` know, with the type of its value. docs/options.md lists them.
 *
 * A program may add its own: it declares the type,
 * `declare module 'eagain' { interface SocketOptions { myOption: number } }`, and calls `defineOption`.
 */
export interface SocketOptions
  extends
    SocketLevelOptions,
    UnixOptions,
    TcpOptions,
    TcpRepairOptions,
    UdpOptions,
    IpOptions,
    MulticastOptions,
    Ipv4Options,
    Ipv6Options,
    IcmpOptions,
    PacketOptions,
    NetlinkOptions,
    VsockOptions {}

/** What `get(key)` gives. */
export type OptionValue<K extends keyof SocketOptions> =
  SocketOptions[K] extends ReadOnly<infer T> ? T : SocketOptions[K];

/** The names that `get` takes. */
export type GettableOption = {
  [K in keyof SocketOptions]: typeof setOnly extends keyof SocketOptions[K] ? never : K;
}[keyof SocketOptions];

/** The names that `set` takes. */
export type SettableOption = {
  [K in keyof SocketOptions]: SocketOptions[K] extends ReadOnly<unknown> ? never : K;
}[keyof SocketOptions];

/** Options with values for them, as `connect`, `listen` and `bind` take them. */
export type SettableOptions = { [K in SettableOption]?: SocketOptions[K] | undefined };
