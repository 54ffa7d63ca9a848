// Medians, spreads and paired ratios.

/** @param {number[]} values */
export function median(values) {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number[]} values */
export const spread = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/**
 * above / below, round by round: what slowed the whole machine for a moment slowed both.
 * @param {(number | undefined)[]} above @param {(number | undefined)[]} below
 */
export function pairedRatio(above, below) {
  const ratios = above.flatMap((value, round) =>
    value && below[round] ? [value / below[round]] : [],
  );
  return ratios.length ? spread(ratios) : undefined;
}
