// <net/if.h> and getifaddrs(3): the network interfaces of this machine (of this network namespace).

import { systemError } from '../core/errors';
import { integer } from '../core/validate';
import { binding } from '../native/load';
import { INET_FAMILIES, wordOf, type InetFamily } from '../native/words';
import { name as checkName } from './arguments';
import { Fields } from './fields';
import { inet } from './inet';

/** An IP address of an interface. */
export interface InterfaceAddress {
  family: InetFamily;
  address: string;
  /** The interface's index, for addresses that are valid on their link only: of `fe80::/10`. */
  scopeId?: number;
  netmask: string;
  /** How many bits of the netmask are 1. */
  prefixLength: number;
  /** IPv4's address for all on the link, where there is one. */
  broadcast?: string;
  /** The address at the other end of a point-to-point link. */
  destination?: string;
}

/** A network interface. */
export interface NetworkInterface {
  name: string;
  index: number;
  /** `IFF_…` or'ed; the words below are some of them. netdevice(7) */
  flags: number;
  /** Switched on. */
  up: boolean;
  /** Has its resources and its link. */
  running: boolean;
  loopback: boolean;
  broadcast: boolean;
  pointToPoint: boolean;
  multicast: boolean;
  promiscuous: boolean;
  /** Resolves no link addresses. */
  noArp: boolean;
  /** The most bytes of one packet. */
  mtu: number;
  /** `ARPHRD_…`: what sort of link it is. */
  hardwareType: number;
  /** In hex with colons; none where the link has no addresses. */
  hardwareAddress?: string;
  addresses: InterfaceAddress[];
}

const C = binding.constants;
const UINT32 = 0xffffffff;

/** The interface's index; null where there is none of that name. if_nametoindex(3) */
function nameToIndex(name: string): number | null {
  const index = binding.ifNameToIndex(checkName('name', name));
  if (index >= 0) return index;
  if (index === -C.ENODEV) return null;
  throw systemError(index, 'if_nametoindex');
}

/** The interface's name; null where there is none of that index. if_indextoname(3) */
function indexToName(index: number): string | null {
  return binding.ifIndexToName(integer('index', index, 0, UINT32) | 0) ?? null;
}

function prefixLength(family: InetFamily, netmask: string): number {
  let bits = 0;
  for (const byte of inet.pton(family, netmask) ?? []) {
    for (let rest: number = byte; rest > 0; rest >>= 1) bits += rest & 1;
  }
  return bits;
}

function readAddress(fields: Fields, flags: number): InterfaceAddress {
  const family = wordOf(fields.number(), INET_FAMILIES) as InetFamily;
  const address = fields.text();
  const scopeId = fields.number();
  const netmask = fields.text();
  // Where there is no broadcast address, glibc has the address itself there (IFA_ADDRESS).
  const other = fields.text();
  return {
    family,
    address,
    ...(scopeId !== 0 && { scopeId }),
    netmask,
    prefixLength: prefixLength(family, netmask),
    ...(other !== '' &&
      other !== address && {
        [(flags & C.IFF_POINTOPOINT) !== 0 ? 'destination' : 'broadcast']: other,
      }),
  };
}

function readInterface(fields: Fields): NetworkInterface {
  const name = fields.text();
  const index = fields.number();
  const flags = fields.number();
  const mtu = fields.number();
  const hardwareType = fields.number();
  const hardwareAddress = fields.text();
  return {
    name,
    index,
    flags,
    up: (flags & C.IFF_UP) !== 0,
    running: (flags & C.IFF_RUNNING) !== 0,
    loopback: (flags & C.IFF_LOOPBACK) !== 0,
    broadcast: (flags & C.IFF_BROADCAST) !== 0,
    pointToPoint: (flags & C.IFF_POINTOPOINT) !== 0,
    multicast: (flags & C.IFF_MULTICAST) !== 0,
    promiscuous: (flags & C.IFF_PROMISC) !== 0,
    noArp: (flags & C.IFF_NOARP) !== 0,
    mtu,
    hardwareType,
    ...(hardwareAddress !== '' && { hardwareAddress }),
    addresses: fields.list(() => readAddress(fields, flags)),
  };
}

/** All interfaces with their addresses, in the kernel's order. Waits for nothing. getifaddrs(3) */
function list(): NetworkInterface[] {
  const answer = binding.interfaces();
  if (typeof answer === 'number') throw systemError(answer, 'getifaddrs');
  const fields = new Fields(answer);
  const found: NetworkInterface[] = [];
  while (fields.more) found.push(readInterface(fields));
  return found;
}

/** The network interfaces of this machine: names, indexes, flags and addresses. */
export const interfaces = Object.freeze({ nameToIndex, indexToName, list });
