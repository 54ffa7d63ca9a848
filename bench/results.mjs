// Results on disk: bench/results/<date>.json for whole runs, <date>-part.json (not checked in) for all others.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const RESULTS = join(import.meta.dirname, 'results');

/** Windows are kept apart in memory and merged to the few figures a reader can use on disk. */
const withoutWindows = (row) => {
  const { windows, ...kept } = row;
  return windows
    ? { ...kept, perRound: windows.map(({ window, idle }) => (idle ?? window).cpuPerOp) }
    : kept;
};

export function writeResult(result, whole) {
  mkdirSync(RESULTS, { recursive: true });
  const stamp = whole ? result.date.slice(0, 10) : result.date.slice(0, 19).replaceAll(':', '');
  const file = join(RESULTS, `${stamp}${whole ? '' : '-part'}.json`);
  const suites = result.suites.map((suite) => ({ ...suite, rows: suite.rows.map(withoutWindows) }));
  writeFileSync(file, `${JSON.stringify({ ...result, suites }, null, 1)}\n`);
  return file;
}

/** @param {string} [file] the newest whole run without it */
export function readResult(file) {
  const newest = () => {
    const names = readdirSync(RESULTS)
      .filter((name) => /^\d{4}-\d\d-\d\d\.json$/.test(name))
      .sort();
    if (!names.length) throw new Error('no whole run in bench/results: run `npm run bench` first');
    return join(RESULTS, names.at(-1));
  };
  return JSON.parse(readFileSync(file ?? newest(), 'utf8'));
}
