// What a row of the table of options is. Knows no single option.

import type { Constants } from '../../native/constants';
import { constants as C } from '../constants';
import type { Codec } from './codec';
import type { ReadOnly } from './types';

export type Access = 'both' | 'get' | 'set';

/** Where an option is, how its value is written, and what may be done with it. */
export interface Option<T, A extends Access = Access> {
  readonly level: number;
  readonly name: number;
  readonly codec: Codec<T>;
  readonly access: A;
  /** The value is a sock_fprog: it holds an address, so the addon makes it of the instructions. */
  readonly program?: boolean | undefined;
}

/** Two options, of which the socket's family chooses. */
export interface ByFamily<T> {
  readonly IPv4: Option<T>;
  readonly IPv6: Option<T>;
}

export type Row<T> = Option<T> | ByFamily<T>;

/** A row for each option of the interface `O`; what cannot be set by its type cannot be set by its row. */
export type Table<O> = {
  readonly [K in keyof O]: [O[K]] extends [ReadOnly<infer T>] ? Option<T, 'get'> : Row<O[K]>;
};

type Level = 'AF_VSOCK' | Extract<keyof Constants, `SOL_${string}` | `IPPROTO_${string}`>;

function row<T, A extends Access>(
  level: Level,
  name: keyof Constants,
  codec: Codec<T>,
  access: A,
): Option<T, A> {
  return { level: C[level], name: C[name], codec, access };
}

/** A row that can be got and set. */
export const option = <T>(
  level: Level,
  name: keyof Constants,
  codec: Codec<T>,
): Option<T, 'both'> => row(level, name, codec, 'both');

/** A row that can only be got. */
export const getter = <T>(level: Level, name: keyof Constants, codec: Codec<T>): Option<T, 'get'> =>
  row(level, name, codec, 'get');

/** A row that can only be set. */
export const setter = <T>(level: Level, name: keyof Constants, codec: Codec<T>): Option<T, 'set'> =>
  row(level, name, codec, 'set');
