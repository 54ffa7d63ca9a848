// The kernel's stamps on what is received: who wants them, the user or SeqpacketSocket, which tells an empty record from
// the end by them.

import { systemError } from '../core/errors';
import { binding } from '../native/load';
import { constants as C } from './constants';
import { askOption, type SocketState } from './state';

// Each takes the others' place (sock_set_timestamp). Those with 64-bit times have names of their own since Linux 5.1,
// and older headers have not all of them.
const RECEIVED = distinct(
  C.SO_TIMESTAMP,
  C.SO_TIMESTAMPNS,
  C.SO_TIMESTAMP_OLD,
  C.SO_TIMESTAMPNS_OLD,
  C.SO_TIMESTAMP_NEW,
  C.SO_TIMESTAMPNS_NEW,
);
/** SO_TIMESTAMPING, as all headers have it. */
export const BY_FLAGS: readonly number[] = distinct(
  C.SO_TIMESTAMPING,
  C.SO_TIMESTAMPING_OLD,
  C.SO_TIMESTAMPING_NEW,
);

function distinct(...options: (number | undefined)[]): number[] {
  return [...new Set(options.filter((option) => option !== undefined))];
}

/** The options that have the kernel stamp messages. */
export const STAMPS: ReadonlySet<number> = new Set([...RECEIVED, ...BY_FLAGS]);

/**
 * One of them, `name`, was set by the user, or the need has arisen: where a stamp is needed and the user has none of his
 * own, this library has it.
 */
export function keepStamped(state: SocketState, name: number = C.SO_TIMESTAMP): void {
  const isOn = (option: number): boolean => askOption(state.token, option) !== 0;
  if (RECEIVED.includes(name)) state.ownStamp = false;
  if (state.needsStamp && !RECEIVED.some(isOn)) {
    stamp(state, true);
    state.ownStamp = true;
  }
  state.hidesStamps = state.ownStamp && !BY_FLAGS.some(isOn);
}

/** Somebody else will have the socket: the stamps that only this library wanted are off again. */
export function handStampsBack(state: SocketState): void {
  if (state.ownStamp) stamp(state, false);
}

function stamp({ token }: SocketState, on: boolean): void {
  const value = new Uint8Array(new Int32Array([Number(on)]).buffer);
  const result = binding.setsockopt(token, C.SOL_SOCKET, C.SO_TIMESTAMP, value);
  if (result < 0) throw systemError(result, 'setsockopt');
}
