// Multicast memberships and where multicasts leave: the structures of ip(7), ipv6(7) and RFC 3678.

import { networkInterfaces } from 'node:os';
import { reactor } from '../core/runtime';
import { invalidType, invalidValue } from '../core/errors';
import { integer, text } from '../core/validate';
import { binding } from '../native/load';
import { constants as C } from './constants';
import type { Socket } from './socket';
import { encodeAddress, interfaceIndex } from './sockaddr';

/** How a multicast group is joined: from whom, and on which interface. */
export interface Membership {
  /** Only what this address sends to the group (source-specific, RFC 4607). */
  source?: string | undefined;
  /** The interface's name, its index, or an address of it; without one the group's zone (`%eth0`), or the kernel's choice. */
  interface?: string | number | undefined;
}

/** How this socket's own multicasts go. */
export interface MulticastOptions {
  /** The interface that they leave through: its name, its index, or an address of it. */
  interface?: string | number | undefined;
  /** Their time to live, or hop limit: 1 unless told, which no router forwards. */
  ttl?: number | undefined;
  /** Whether members on this machine get them too: true unless told. */
  loop?: boolean | undefined;
}

const at = (field: string): number => binding.layout[field];
const { scratch } = reactor.memory;

const levelOf = (isIPv6: boolean): number => (isIPv6 ? C.IPPROTO_IPV6 : C.IPPROTO_IP);

/** Joins `group` or leaves it: MCAST_JOIN_GROUP and its kin. Throws on misuse. */
export function setMembership(
  socket: Socket,
  join: boolean,
  group: string,
  { source, interface: given }: Membership,
): void {
  const isIPv6 = text('group', group).includes(':');
  const index = given === undefined ? zoneOf(group) : indexOf(given, 'options.interface');
  const structure = source === undefined ? 'group_req' : 'group_source_req';
  const prefix = source === undefined ? 'gr' : 'gsr';
  const bytes = new Uint8Array(at(structure));
  new Uint32Array(bytes.buffer, at(`${structure}.${prefix}_interface`), 1)[0] = index;
  layAddress(bytes, at(`${structure}.${prefix}_group`), group, isIPv6, 'group');
  if (source !== undefined) {
    const offset = at(`${structure}.${prefix}_source`);
    layAddress(bytes, offset, text('options.source', source), isIPv6, 'options.source');
  }
  const name =
    source === undefined
      ? join
        ? C.MCAST_JOIN_GROUP
        : C.MCAST_LEAVE_GROUP
      : join
        ? C.MCAST_JOIN_SOURCE_GROUP
        : C.MCAST_LEAVE_SOURCE_GROUP;
  socket.setsockopt(levelOf(isIPv6), name, bytes);
}

// The kernel reads gr_interface alone, not the scope of the group's address (ipv6_sock_mc_join).
function zoneOf(group: string): number {
  const zone = group.indexOf('%');
  return zone < 0 ? 0 : interfaceIndex(group.slice(zone + 1), 'group');
}

function layAddress(
  bytes: Uint8Array,
  offset: number,
  address: string,
  isIPv6: boolean,
  name: string,
): void {
  if (address.includes(':') !== isIPv6)
    throw invalidValue(name, `an ${isIPv6 ? 'IPv6' : 'IPv4'} address, as the group is`, address);
  // IPv4 stays IPv4 even for an IPv6 socket: its options of that level take it (ipv6_setsockopt).
  const domain = isIPv6 ? C.AF_INET6 : C.AF_INET;
  const length = encodeAddress({ address, port: 0 }, domain, name);
  bytes.set(scratch.subarray(0, length), offset);
}

/** An interface's index, by its index, its name or an address of it. */
function indexOf(given: string | number, name: string): number {
  if (typeof given !== 'string' || !/[.:]/.test(given)) return interfaceIndex(given, name);
  for (const [interfaceName, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ address }) => address === given) === true)
      return interfaceIndex(interfaceName, name);
  }
  // Names may have dots, as those of VLANs do.
  if (given.includes(':')) throw invalidValue(name, 'an address of this machine', given);
  return interfaceIndex(given, name);
}

/** ip_mreqn of ip(7): two addresses and an index. */
const MREQN_INDEX = 8;

export function setMulticast(socket: Socket, options: MulticastOptions, name = 'options'): void {
  const { interface: given, ttl, loop } = options;
  if (loop !== undefined && typeof loop !== 'boolean')
    throw invalidType(`${name}.loop`, 'of type boolean', loop);
  if (ttl !== undefined) integer(`${name}.ttl`, ttl, 0, 255);
  const index = given === undefined ? undefined : indexOf(given, `${name}.interface`);
  // An IPv6 socket sends IPv4 as well.
  if (socket.domain === C.AF_INET6) {
    if (loop !== undefined) socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_MULTICAST_LOOP, loop);
    if (ttl !== undefined) socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_MULTICAST_HOPS, ttl);
    if (index !== undefined) socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_MULTICAST_IF, index);
  }
  if (loop !== undefined) socket.setsockopt(C.IPPROTO_IP, C.IP_MULTICAST_LOOP, loop);
  if (ttl !== undefined) socket.setsockopt(C.IPPROTO_IP, C.IP_MULTICAST_TTL, ttl);
  if (index === undefined) return;
  const mreqn = new Int32Array(MREQN_INDEX / 4 + 1);
  mreqn[MREQN_INDEX / 4] = index;
  socket.setsockopt(C.IPPROTO_IP, C.IP_MULTICAST_IF, mreqn);
}

/**
 * Only what this socket has joined itself. The kernel's default is every group that anybody on the machine has
 * joined (ip(7), IP_MULTICAST_ALL).
 */
export function hearOwnGroupsOnly(socket: Socket): void {
  socket.setsockopt(C.IPPROTO_IP, C.IP_MULTICAST_ALL, false);
  if (socket.domain === C.AF_INET6) socket.setsockopt(C.IPPROTO_IPV6, C.IPV6_MULTICAST_ALL, false);
}
