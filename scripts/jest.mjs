// Runs Jest and counts: what `npm test` and `npm run test:asan` share.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, runNode } from './tools.mjs';

/** One run of Jest: how many tests passed, and the names of those that failed. */
export function jest(args, env = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'eagain-test-'));
  const file = join(directory, 'counts.json');
  const status = runNode([bin('jest'), ...args], {
    env: { ...process.env, ...env, EAGAIN_TEST_COUNTS: file },
  });
  const { passed, failed } = readCounts(file);
  rmSync(directory, { recursive: true });
  // What fails without a failing test (a file that does not compile, a crash) counts as one.
  return {
    passed,
    failed: status !== 0 && failed.length === 0 ? [`jest ${args.join(' ')}`] : failed,
  };
}

/** A Jest that native code crashed leaves no file. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: [] };
  }
}

/** Prints what failed and, as the last line, how many; sets the exit code. */
export function conclude(runs) {
  const passed = runs.reduce((total, run) => total + run.passed, 0);
  const failed = runs.flatMap((run) => run.failed);
  for (const name of failed) console.log(`failed: ${name}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
