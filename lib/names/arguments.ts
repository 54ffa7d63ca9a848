// Checks of arguments that are names: the C library's strings end at a NUL and have their longest.

import { invalidValue, outOfRange } from '../core/errors';
import { port as checkPort, text } from '../core/validate';
import { binding } from '../native/load';

const MOST = binding.constants.NI_MAXHOST - 1;

export function name(what: string, value: unknown): string {
  const given = text(what, value);
  if (given.includes('\0')) throw invalidValue(what, 'without NUL bytes', given);
  if (Buffer.byteLength(given) > MOST) throw outOfRange(what, `at most ${MOST} bytes`, given);
  return given;
}

/** null where none is given. */
export function optionalName(what: string, value: unknown): string | null {
  return value === undefined || value === null ? null : name(what, value);
}

/** A port by number, or by the name of its service: a number in a string is a number. */
export function checkService(what: string, port: unknown): number | string {
  if (typeof port !== 'string') return checkPort(what, port);
  return /^\d*$/.test(port) ? checkPort(what, port === '' ? NaN : Number(port)) : name(what, port);
}
