// The check of what `observe` and `sink` have in common: a policy, a mark, and who hears of what was dropped.

import type { OverflowOptions } from '../adapters/overflow';
import { invalidType, invalidValue } from '../core/errors';
import { integer, known, type KeysOf } from '../core/validate';

type Chosen = OverflowOptions<never> & { overflow?: string | undefined };

export const OVERFLOW_KEYS: KeysOf<Chosen> = { overflow: true, highWaterMark: true, onDrop: true };

export function checkOverflow<Options extends Chosen>(
  options: Options | undefined,
  policies: readonly string[],
  keys: KeysOf<Options>,
): void {
  if (options === undefined) return;
  const { overflow, highWaterMark, onDrop } = known('options', options, keys);
  if (overflow !== undefined && !policies.includes(overflow)) {
    const known = policies.map((word) => `'${word}'`).join(', ');
    throw invalidValue('options.overflow', `one of ${known}`, overflow);
  }
  if (highWaterMark !== undefined) integer('options.highWaterMark', highWaterMark, 1);
  if (onDrop !== undefined && typeof onDrop !== 'function')
    throw invalidType('options.onDrop', 'of type function', onDrop);
}
