// What `npm run bench -- …` understands.
import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]

  --quick             the core suites, C and Node and eagain, in under two minutes
  --suite <pattern>   only suites whose name matches the regular expression (also: memory, import)
  --only <a,b>        only these implementations: c, node, eagain, base, bun, deno
  --rounds <n>        measured rounds (7; 5 with --quick)
  --base <rev>        race another revision of this repository in the same rounds
  --check             hold the quick suites against bench/allowed.json
  --null              race the C server against itself: what differs from 1.00 is noise
  --docs [file]       no races: write docs/performance.svg and the table of docs/performance.md from a result
  --list              name the suites`;

const FULL = { rounds: 7, firstWarmMs: 700, warmMs: 150, runMs: 600 };
const QUICK = { rounds: 5, firstWarmMs: 350, warmMs: 60, runMs: 200 };

/** @param {string[]} args */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      suite: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      base: { type: 'string' },
      check: { type: 'boolean', default: false },
      null: { type: 'boolean', default: false },
      docs: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const quick = values.quick || values.check;
  const timing = { ...(quick ? QUICK : FULL) };
  if (values.rounds !== undefined) timing.rounds = Number(values.rounds);
  if (!Number.isInteger(timing.rounds) || timing.rounds < 1)
    throw new RangeError(`--rounds: want a whole number from 1, not ${values.rounds}`);
  return {
    ...values,
    quick,
    timing,
    only: values.only?.split(','),
    suite: values.suite === undefined ? undefined : new RegExp(values.suite),
    file: positionals[0],
    /** a run of everything, fit for the docs */
    whole: !quick && !values.suite && !values.only && !values.base && !values.null,
  };
}
