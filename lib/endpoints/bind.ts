// bind(): an endpoint for messages from anybody: UDP, Unix datagrams, raw IP, packets, netlink.

import { invalidType, invalidValue } from '../core/errors';
import { integer, type KeysOf } from '../core/validate';
import type { InetAddress, NetlinkAddress, PacketAddress, UnixAddress } from '../socket/address';
import { interfaceIndex } from '../socket/sockaddr';
import { constants as C, protocolNumber, swap16 } from '../socket/constants';
import type { Socket } from '../socket/socket';
import { hearOwnGroupsOnly } from '../socket/multicast';
import { DatagramSocket } from './datagram';
import {
  METADATA_KEYS,
  tellMetadata,
  type InetMetadata,
  type SocketMetadata,
  type UdpMetadata,
} from './metadata';
import {
  checkPlace,
  checkSetUp,
  reusePort,
  setIfGiven,
  withSocket,
  type SetUpWait,
} from './options';
import { RawSocket } from './raw';
import { resolve, resolvePort, type InetFamily } from './resolve';

interface InetOptions extends SetUpWait, InetMetadata {
  broadcast?: boolean | undefined;
  reusePort?: boolean | undefined;
}

export interface BindUdpOptions extends InetOptions, UdpMetadata {
  type?: 'dgram' | undefined;
  /** A name or an IP literal; without it every address: IPv6 and IPv4 alike, unless `family` says which. */
  host?: string | undefined;
  /** By number or by the name of its service; 0, or none: the kernel chooses one. */
  port?: number | string | undefined;
  family?: InetFamily | undefined;
  /** 'icmp' and 'icmp6' are ping sockets, icmp(7): allowed where net.ipv4.ping_group_range has a group of ours. */
  protocol?: number | 'udp' | 'udplite' | 'icmp' | 'icmp6' | undefined;
  path?: undefined;
}

export interface BindUnixOptions extends SetUpWait, Pick<SocketMetadata, 'timestamps'> {
  type?: 'dgram' | undefined;
  /** A path, an abstract name behind '\0', or '' for one that the kernel chooses. */
  path: string | Uint8Array;
  host?: undefined;
  port?: undefined;
  family?: undefined;
}

export interface BindRawOptions extends InetOptions {
  type: 'raw';
  family: InetFamily;
  /** The IP protocol to receive, by number or name: 'icmp', 'icmp6' … */
  protocol: number | string;
  /** Only what was sent to this address of ours. */
  host?: string | undefined;
}

export interface BindPacketOptions extends SetUpWait, SocketMetadata {
  type: 'raw';
  family?: 'packet' | undefined;
  /** The interface's name or index. */
  interface: string | number;
  /** The Ethernet protocol to receive: 'all' (unless told), 'arp', 'ip' …, or its number. */
  protocol?: number | string | undefined;
  /** Without the link's header, which the kernel takes off and puts on (SOCK_DGRAM). */
  cooked?: boolean | undefined;
}

export interface BindNetlinkOptions extends SetUpWait {
  type: 'raw';
  family: 'netlink';
  /** 'route', 'generic' … or the number. */
  protocol: number | string;
  /** Multicast groups to hear, as a mask. */
  groups?: number | undefined;
}

/** `bind` for datagrams: `{ port?, host? }` of UDP, `{ path }` of Unix sockets. */
export type BindDatagramOptions = BindUdpOptions | BindUnixOptions;
/** `bind` with `type: 'raw'`: an IP protocol, an interface's packets, or netlink. */
export type BindRawSocketOptions = BindRawOptions | BindPacketOptions | BindNetlinkOptions;
/** All that `bind` takes; `type` says which: datagrams unless told. */
export type BindOptions = BindDatagramOptions | BindRawSocketOptions;

const KEYS: KeysOf<BindOptions> = {
  host: true,
  port: true,
  family: true,
  protocol: true,
  path: true,
  interface: true,
  cooked: true,
  groups: true,
  type: true,
  broadcast: true,
  reusePort: true,
  options: true,
  configure: true,
  ...METADATA_KEYS,
  signal: true,
  timeout: true,
};

/**
 * Binds a datagram socket (unless `type` is 'raw') to `{ port?, host? }`, `{ path }` or `{ interface }`.
 * @throws SystemError of bind(2); EPERM for raw sockets without CAP_NET_RAW
 */
export function bind(options: BindUdpOptions): Promise<DatagramSocket<InetAddress>>;
export function bind(options: BindUnixOptions): Promise<DatagramSocket<UnixAddress>>;
export function bind(options: BindRawOptions): Promise<RawSocket<InetAddress>>;
export function bind(options: BindPacketOptions): Promise<RawSocket<PacketAddress>>;
export function bind(options: BindNetlinkOptions): Promise<RawSocket<NetlinkAddress>>;
export function bind(options: BindDatagramOptions): Promise<DatagramSocket>;
export function bind(options: BindRawSocketOptions): Promise<RawSocket>;
export function bind(options: BindOptions): Promise<DatagramSocket | RawSocket>;
export function bind(options: BindOptions): Promise<DatagramSocket | RawSocket> {
  checkSetUp(options, KEYS);
  if (options.type === 'raw') {
    if ('interface' in options && options.interface !== undefined) return bindPacket(options);
    if (options.family === 'netlink') return bindNetlink(options);
    return bindRaw(checkRaw(options as BindRawOptions));
  }
  const { type = 'dgram' } = options;
  if (type !== 'dgram') throw invalidValue('options.type', "one of 'dgram', 'raw'", type);
  checkPlace(options, false);
  return options.path !== undefined ? bindUnix(options) : bindUdp(options);
}

async function bindUdp(options: BindUdpOptions): Promise<DatagramSocket<InetAddress>> {
  const { host, family } = options;
  const port = await resolvePort(options.port ?? 0, options, 'dgram');
  if (host === undefined && family === undefined) return bindEverywhere(options, port);
  const [place] =
    host === undefined
      ? [{ family: family!, address: family === 'IPv6' ? '::' : '0.0.0.0', port }]
      : await resolve(host, port, family, options, 'dgram');
  if (place === undefined) throw invalidValue('options.host', 'a name with an address', host);
  return bindUdpAt({ ...place, port }, options);
}

// No IPv6, none on the loopback even, or none of this protocol: IPPROTO_ICMP is of AF_INET alone.
const NOT_OF_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'];

// One IPv6 socket for both families; one for IPv4 on a machine without IPv6.
async function bindEverywhere(
  options: BindUdpOptions,
  port: number,
): Promise<DatagramSocket<InetAddress>> {
  try {
    return await bindUdpAt({ family: 'IPv6', address: '::', port }, options);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !NOT_OF_IPV6.includes(code)) throw error;
    return bindUdpAt({ family: 'IPv4', address: '0.0.0.0', port }, options);
  }
}

function bindUdpAt(
  place: InetAddress,
  options: BindUdpOptions,
): Promise<DatagramSocket<InetAddress>> {
  const first = (socket: Socket): void => {
    setCommon(socket, options);
    hearOwnGroupsOnly(socket);
    // '::' is both families' unless one was asked for, whatever the sysctl net.ipv6.bindv6only says.
    if (place.family === 'IPv6' && options.host === undefined)
      socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_V6ONLY, options.family !== undefined);
  };
  const prepare = (socket: Socket): DatagramSocket<InetAddress> => {
    socket.bind(place);
    return new DatagramSocket(socket);
  };
  return withSocket(place.family, 'dgram', options.protocol, options, prepare, first);
}

function setCommon(socket: Socket, options: InetOptions): void {
  setIfGiven(socket, C.SOL_SOCKET, C.SO_BROADCAST, options.broadcast);
  reusePort(socket, options.reusePort);
  tellMetadata(socket, options);
}

function bindUnix({ path, ...options }: BindUnixOptions): Promise<DatagramSocket<UnixAddress>> {
  return withSocket('unix', 'dgram', undefined, options, (socket) => {
    tellMetadata(socket, options);
    socket.bind({ family: 'unix', path });
    return new DatagramSocket(socket);
  });
}

function checkRaw(options: BindRawOptions): BindRawOptions {
  const { family, host, protocol } = options;
  if (family !== 'IPv4' && family !== 'IPv6') {
    const expected = "one of 'IPv4', 'IPv6', 'netlink', or 'interface' given";
    throw invalidValue('options.family', expected, family);
  }
  if (protocol === undefined)
    throw invalidType('options.protocol', 'of type string or number', protocol);
  checkPlace({ host, family, protocol }, false);
  return options;
}

async function bindRaw(options: BindRawOptions): Promise<RawSocket<InetAddress>> {
  const { family, host } = options;
  const [place] = host === undefined ? [] : await resolve(host, 0, family, options, 'raw');
  const prepare = (socket: Socket): RawSocket<InetAddress> => {
    if (place !== undefined) socket.bind(place);
    return new RawSocket(socket);
  };
  const first = (socket: Socket): void => setCommon(socket, options);
  return withSocket(family, 'raw', options.protocol, options, prepare, first);
}

function bindPacket(options: BindPacketOptions): Promise<RawSocket<PacketAddress>> {
  const protocol = swap16(protocolNumber(C.AF_PACKET, options.protocol ?? 'all'));
  const { cooked = false } = options;
  if (typeof options.interface !== 'string') integer('options.interface', options.interface, 0);
  // Opened for no protocol, so that nothing of another interface comes in before bind(2) (packet(7)).
  return withSocket('packet', cooked ? 'dgram' : 'raw', 0, options, (socket) => {
    tellMetadata(socket, options);
    const index = interfaceIndex(options.interface, 'options.interface');
    socket.bind({ family: 'packet', interface: index, protocol });
    return new RawSocket(socket);
  });
}

function bindNetlink(options: BindNetlinkOptions): Promise<RawSocket<NetlinkAddress>> {
  const groups = integer('options.groups', options.groups ?? 0, 0, 0xffffffff);
  protocolNumber(C.AF_NETLINK, options.protocol);
  return withSocket('netlink', 'raw', options.protocol, options, (socket) => {
    socket.bind({ family: 'netlink', pid: 0, groups });
    return new RawSocket(socket);
  });
}
