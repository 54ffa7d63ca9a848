// Sockets to call functions on. All of them are bound to loopback or are Unix sockets, and every address that
// is laid into the scratch is one of loopback, an abstract name, or nothing: nothing leaves the machine.

import { binding, C, FACTS, scratch, shared } from './wall';

export const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const family = (number: number): number[] => (isLittleEndian ? [number, 0] : [0, number]);
const zeros = (count: number): number[] => new Array<number>(count).fill(0);

const ADDRESSES = {
  zeros: zeros(16),
  inet: [...family(C.AF_INET), 0, 0, 127, 0, 0, 1, ...zeros(8)],
  closed: [...family(C.AF_INET), 0, 1, 127, 0, 0, 1, ...zeros(8)],
  inet6: [...family(C.AF_INET6), ...zeros(6), ...zeros(15), 1, ...zeros(4)],
  unix: [...family(C.AF_UNIX), 0, ...Buffer.from(`eagain-hostile-${process.pid}`)],
} as const;
export type Place = keyof typeof ADDRESSES;
export const PLACES = Object.keys(ADDRESSES) as Place[];

/** Lays an address into the scratch; its length. */
export function lay(place: Place): number {
  scratch.fill(0);
  scratch.set(ADDRESSES[place]);
  return ADDRESSES[place].length;
}

function sure(result: number): number {
  if (result < 0) throw new Error(`a socket could not be made: ${result}`);
  return result;
}

function bound(domain: number, type: number, place: Place): number {
  const token = sure(binding.open(domain, type, 0));
  sure(binding.bind(token, lay(place)));
  return token;
}

function connected(): number[] {
  const listener = bound(C.AF_INET, C.SOCK_STREAM, 'inet');
  sure(binding.listen(listener, 5));
  const client = bound(C.AF_INET, C.SOCK_STREAM, 'inet');
  sure(binding.getsockname(listener));
  const result = binding.connect(client, 16);
  if (result !== -C.EINPROGRESS) sure(result);
  return [listener, client, sure(binding.accept(listener))];
}

function pair(type: number): number[] {
  sure(binding.socketpair(C.AF_UNIX, type, 0));
  return [shared[FACTS], shared[FACTS + 1]];
}

function hasInet6(): boolean {
  const token = binding.open(C.AF_INET6, C.SOCK_DGRAM, 0);
  if (token < 0) return false;
  const result = binding.bind(token, lay('inet6'));
  binding.close(token);
  return result === 0;
}

const MAKERS = [
  connected,
  (): number[] => [bound(C.AF_INET, C.SOCK_STREAM, 'inet')],
  (): number[] => [bound(C.AF_INET, C.SOCK_DGRAM, 'inet'), bound(C.AF_INET, C.SOCK_DGRAM, 'inet')],
  (): number[] => [sure(binding.open(C.AF_UNIX, C.SOCK_DGRAM, 0))],
  (): number[] => pair(C.SOCK_STREAM),
  (): number[] => pair(C.SOCK_DGRAM),
  (): number[] => pair(C.SOCK_SEQPACKET),
  ...(hasInet6() ? [(): number[] => [bound(C.AF_INET6, C.SOCK_DGRAM, 'inet6')]] : []),
];

let groups: number[][] = [];
const stale: number[] = [];

/** Makes anew what a call has closed or given away. */
export function refresh(): void {
  groups = MAKERS.map((make, i) => {
    const group = groups.at(i) ?? [];
    if (group.length > 0 && group.every((token) => binding.fd(token) >= 0)) return group;
    for (const token of group) {
      binding.close(token);
      stale.push(token);
    }
    return make();
  });
}

export function closeAll(): void {
  for (const token of groups.flat()) binding.close(token);
}

/** One of the open sockets. */
export function token(i: number): number {
  const all = groups.flat();
  return all[i % all.length];
}

/** One that was open. */
export function staleToken(i: number): number {
  return stale.length > 0 ? stale[i % stale.length] : 7;
}

export function listener(): number {
  return groups[0][0];
}

/** A stream socket that is not connected yet. */
export function stream(): number {
  return groups[1][0];
}
