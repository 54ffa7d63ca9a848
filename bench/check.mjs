// --check: the quick suites held against the ratios of allowed.json. CPU ratios only, never times.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const allowed = JSON.parse(readFileSync(join(import.meta.dirname, 'allowed.json'), 'utf8'));

// key of allowed.json -> the row's ratio, and whether it may not go above or below
const LIMITS = {
  timesC: { read: (row) => row.timesC, within: (value, limit) => value <= limit, sign: '≤' },
  netTimes: { read: (row) => row.netTimes, within: (value, limit) => value >= limit, sign: '≥' },
  rateTimesC: {
    read: (row) => row.rateTimesC,
    within: (value, limit) => value >= limit,
    sign: '≥',
  },
};

/** What a suite breaks of allowed.json, one sentence each. */
export function violations(suite) {
  return Object.entries(allowed[suite.name] ?? {}).flatMap(([label, limits]) => {
    const row = suite.rows.find((one) => one.label === label);
    if (!row) return [];
    if (row.failed) return [`${suite.name}, ${label}: failed`];
    return Object.entries(limits).flatMap(([key, limit]) => {
      const { read, within, sign } = LIMITS[key];
      const value = read(row)?.median;
      if (value === undefined || within(value, limit)) return [];
      return [`${suite.name}, ${label}: ${key} is ${value.toFixed(2)}, allowed ${sign} ${limit}`];
    });
  });
}
