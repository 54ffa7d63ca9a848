// Where options are found by name, and programs add their own.

import { invalidType, invalidValue } from '../../core/errors';
import { integer, record, text } from '../../core/validate';
import { constants as C } from '../constants';
import type { Codec } from './codec';
import type { Access, Option, Row } from './table';
import { TABLES } from './tables';
import type { OptionValue, SocketOptions } from './types';

const rows = new Map<string, Row<unknown>>(TABLES.flatMap((table) => Object.entries(table)));

/** What `defineOption` is told. */
export interface OptionDefinition<T> {
  /** A constant `SOL_*` or `IPPROTO_*`, or what the protocol calls its level. */
  level: number;
  name: number;
  /** One of `codecs`, or your own. */
  codec: Codec<T>;
  /** What can be done with it: 'both' unless told. */
  access?: Access | undefined;
}

const ACCESSES: readonly unknown[] = ['both', 'get', 'set'];

/**
 * Adds an option to those that `get` and `set` know, in this thread. Its type is declared beside it:
 *
 *     declare module 'eagain' { interface SocketOptions { myOption: number } }
 *     defineOption('myOption', { level: 6, name: 99, codec: codecs.int() });
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE where the name is taken
 */
export function defineOption<K extends keyof SocketOptions>(
  key: K,
  definition: OptionDefinition<OptionValue<K>>,
): void {
  if (rows.has(text('key', key))) throw invalidValue('key', 'a name that is not taken', key);
  const { level, name, codec, access = 'both' } = record('definition', definition);
  integer('definition.level', level);
  integer('definition.name', name);
  record('definition.codec', codec);
  integer('definition.codec.size', codec.size, 0, 1 << 20);
  const methods = codec as unknown as Readonly<Record<string, unknown>>;
  for (const method of ['encode', 'decode']) {
    if (typeof methods[method] === 'function') continue;
    throw invalidType(`definition.codec.${method}`, 'of type function', methods[method]);
  }
  if (!ACCESSES.includes(access)) {
    throw invalidValue('definition.access', "one of 'both', 'get', 'set'", access);
  }
  rows.set(key, { level, name, codec, access });
}

/** What stands behind a name: one option, or IPv4's and IPv6's. Throws where nothing does. */
export function optionsBehind(key: unknown, name: string): readonly Option<unknown>[] {
  const found = rows.get(text(name, key));
  if (found === undefined) throw invalidValue(name, 'the name of a socket option', key);
  return 'codec' in found ? [found] : [found.IPv4, found.IPv6];
}

/** The option that a name stands for on a socket of `domain`. */
export function optionFor(key: unknown, domain: number): Option<unknown> {
  const [first, second = first] = optionsBehind(key, 'key');
  return domain === C.AF_INET6 ? second : first;
}
