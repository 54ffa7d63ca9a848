// The socket options that this library itself has to go by. They are asked of the kernel: where one is set, and of a
// socket that others have had.

import { binding } from '../native/load';
import { constants as C } from './constants';
import { isUdp, LARGEST_SEGMENT, type SocketState } from './state';
import { BY_FLAGS } from './stamps';

type Option = readonly [level: number, name: number];

// A train is one message to them: cut up by the user's own size, corked with others as if it were one datagram, stamped
// once.
const AGAINST_TRAINS: readonly Option[] = [
  [C.IPPROTO_UDP, C.UDP_SEGMENT],
  [C.IPPROTO_UDP, C.UDP_CORK],
  ...BY_FLAGS.map((name) => [C.SOL_SOCKET, name] as const),
];

const REPORTS: readonly Option[] = [
  [C.IPPROTO_IP, C.IP_RECVERR],
  [C.IPPROTO_IPV6, C.IPV6_RECVERR],
];

const has = (options: readonly Option[], level: number, name: number): boolean =>
  options.some(([itsLevel, itsName]) => itsLevel === level && itsName === name);

/** One was set. */
export function heed(state: SocketState, level: number, name: number): void {
  if (has(AGAINST_TRAINS, level, name)) heedTrains(state);
  if (has(REPORTS, level, name)) heedReports(state);
}

/** Whoever had it may have set anything. */
export function heedAll(state: SocketState): void {
  heedTrains(state);
  heedReports(state);
}

function heedTrains(state: SocketState): void {
  if (isUdp(state)) state.largestSegment = isOn(state, AGAINST_TRAINS) ? 0 : LARGEST_SEGMENT;
}

function heedReports(state: SocketState): void {
  state.sentErrors.reported = isOn(state, REPORTS);
}

// One that the socket's family does not have is off.
function isOn({ token }: SocketState, options: readonly Option[]): boolean {
  return options.some(([level, name]) => {
    const value = new Int32Array(1);
    const length = binding.getsockopt(token, level, name, new Uint8Array(value.buffer));
    return length >= 0 && value[0] !== 0;
  });
}
