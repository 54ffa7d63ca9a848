// The check of what `observe` and `sink` have in common: a policy, a mark, and who hears of what was dropped.

import type { OverflowOptions } from '../adapters/overflow';
import { invalidType, invalidValue } from '../core/errors';
import { integer, record } from '../core/validate';

export function checkOverflow<T>(
  options: (OverflowOptions<T> & { overflow?: string | undefined }) | undefined,
  policies: readonly string[],
): void {
  if (options === undefined) return;
  const { overflow, highWaterMark, onDrop } = record('options', options);
  if (overflow !== undefined && !policies.includes(overflow)) {
    const known = policies.map((word) => `'${word}'`).join(', ');
    throw invalidValue('options.overflow', `one of ${known}`, overflow);
  }
  if (highWaterMark !== undefined) integer('options.highWaterMark', highWaterMark, 1);
  if (onDrop !== undefined && typeof onDrop !== 'function')
    throw invalidType('options.onDrop', 'of type function', onDrop);
}
