// What no call may do in earnest, whatever its arguments: reach beyond loopback and AF_UNIX, wait, load modules,
// or take a descriptor of the runtime's.

import { listener } from './sockets';
import { C, FILE } from './wall';

/** The number that the binding makes of a JavaScript number. */
const int32 = (value: number): number => value | 0;

const DOMAINS = [C.AF_INET, C.AF_INET6, C.AF_UNIX, 0, -1, 1000, 0x7fffffff];
// An AF_PACKET socket under another name, packet(7).
const SOCK_PACKET = 10;

const among =
  (names: readonly number[], from = Infinity) =>
  (name: number): boolean =>
    names.includes(name) || name >= from;

// Waiting in close (SO_LINGER), devices and marks (they route), source routes, memberships (IGMP goes out),
// repair mode; behind them netfilter and multicast routing.
const LEFT_OUT = new Map([
  [C.SOL_SOCKET, among([C.SO_LINGER, C.SO_BINDTODEVICE, C.SO_MARK, C.SO_BINDTOIFINDEX])],
  [C.IPPROTO_IP, among([C.IP_OPTIONS, C.IP_FREEBIND, C.IP_TRANSPARENT], C.IP_MULTICAST_IF)],
  [C.IPPROTO_TCP, among([C.TCP_REPAIR, C.TCP_ULP, C.TCP_CONGESTION])],
  [C.IPPROTO_IPV6, among([], C.IPV6_MULTICAST_IF)],
]);

function isLeftOut(level: unknown, name: unknown): boolean {
  if (typeof level !== 'number' || typeof name !== 'number') return false;
  return LEFT_OUT.get(int32(level))?.(int32(name) >>> 0) ?? false;
}

// Where the flags of a look-up stand, and those with which it asks no server.
const LOOK_UPS = new Map([
  ['getaddrinfo', [3, C.AI_NUMERICHOST | C.AI_NUMERICSERV]],
  ['getnameinfo', [5, C.NI_NUMERICHOST]],
] as const);
const NAMES = ['getaddrinfo', 'getnameinfo', 'entryByName', 'entryByNumber', 'entries'];
const [NETWORKS, PROTOCOLS] = [1, 2];

// Their answers come later, when nobody catches what a callback throws. Networks may be asked of a server.
function harmlessLookUp(name: string, args: unknown[]): unknown[] {
  if (typeof args[0] === 'function') args[0] = (): void => undefined;
  const [place, flags] = LOOK_UPS.get(name as 'getaddrinfo') ?? [];
  if (place === undefined) {
    if (typeof args[1] === 'number' && int32(args[1]) === NETWORKS) args[1] = PROTOCOLS;
  } else if (typeof args[place] === 'number') {
    args[place] = int32(args[place]) | flags;
  }
  return args;
}

/** The same arguments, but for those. */
export function harmless(name: string, given: readonly unknown[]): unknown[] {
  const args = [...given];
  if (NAMES.includes(name)) return harmlessLookUp(name, args);
  const [first, second, third] = args;
  if (name === 'setsockopt' && isLeftOut(second, third)) args[2] = -1;
  if (typeof first !== 'number') return args;
  if (name === 'open' || name === 'socketpair') {
    if (!DOMAINS.includes(int32(first))) args[0] = DOMAINS[Math.abs(first) % DOMAINS.length];
    if (typeof second === 'number' && (int32(second) & 0xf) === SOCK_PACKET) args[1] = -1;
  }
  // A signal to somebody: to nobody. Files that the runtime has open.
  if (name === 'setOwner') args[2] = 0;
  if (name === 'sendfile' && typeof second === 'number' && second !== FILE)
    args[1] = -1 - Math.abs(int32(second) >> 1);
  if (name === 'adopt' || name === 'closeOnExec') args[0] = -1 - Math.abs(int32(first) >> 1);
  // One that is not bound would listen on every address.
  if (name === 'listen') args[0] = listener();
  return args;
}
