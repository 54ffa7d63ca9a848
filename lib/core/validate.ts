// Checks of arguments: each returns the value it has checked, or throws with the argument's name.

import { invalidType, invalidValue, outOfRange } from './errors';

/** How long a waiting call may wait. */
export interface Wait {
  /** Aborted: the call rejects with an AbortError, and has moved nothing. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the call rejects with ERR_SOCKET_TIMEOUT; 0 tries once. Without one it waits for ever. */
  timeout?: number | undefined;
}

export function integer(name: string, value: unknown, min = -0x80000000, max = 0x7fffffff): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} and <= ${max}`, value);
  return value;
}

export function port(name: string, value: unknown): number {
  return integer(name, value, 0, 65535);
}

/** Milliseconds, of which there may be fractions and no end. */
export function duration(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 0)) throw outOfRange(name, '>= 0', value);
  return value;
}

export function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  return value;
}

export function record<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'of type object', value);
  return value;
}

/** The names of the options that there are, in any of their forms. */
export type KeysOf<Options> = Readonly<
  Record<Options extends unknown ? keyof Options : never, true>
>;

/** Options, none of which is unknown: that would be a slip of the keyboard. */
export function known<T extends object>(name: string, value: T, keys: KeysOf<T>): T {
  for (const [key, option] of Object.entries(record(name, value))) {
    if (option === undefined || Object.hasOwn(keys, key)) continue;
    throw invalidValue(name, `an object with ${Object.keys(keys).join(', ')}`, {
      [key]: option as unknown,
    });
  }
  return value;
}

/** A number, or the word that stands for it in `table`. */
export function byName<K extends string>(
  name: string,
  value: unknown,
  table: Readonly<Record<K, number>>,
): number {
  if (typeof value === 'number') return integer(name, value, 0);
  if (typeof value !== 'string') throw invalidType(name, 'of type string or number', value);
  if (Object.hasOwn(table, value)) return table[value as K];
  const known = Object.keys(table).map((word) => `'${word}'`);
  throw invalidValue(name, `one of ${known.join(', ')}, or a number`, value);
}

// By its shape: a signal of another realm (Jest, vm) is no instance of this one's class.
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) return false;
  const signal = value as Record<string, unknown>;
  return ['addEventListener', 'removeEventListener'].every((n) => typeof signal[n] === 'function');
}

/** Signal and timeout of a `Wait`, read once, or of nothing. */
export function wait(options: Wait | undefined): Wait | undefined {
  if (options === undefined) return undefined;
  record('options', options);
  const { signal, timeout } = options;
  if (signal !== undefined && !isSignal(signal)) {
    throw invalidType('options.signal', 'an instance of AbortSignal', signal);
  }
  if (timeout !== undefined) duration('options.timeout', timeout);
  return signal === undefined && timeout === undefined ? undefined : { signal, timeout };
}
