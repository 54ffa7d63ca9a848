// What `require('eagain')` and `import 'eagain'` cost over an empty program: many short processes, by turns.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { wordOf } from './processes.mjs';
import { median } from './statistics.mjs';

const ROUNDS = 21;
const PROGRAMS = [
  { label: "require('node:net'), ('node:dgram')", program: 'net.cjs', empty: 'empty.cjs' },
  { label: "require('eagain')", program: 'require.cjs', empty: 'empty.cjs', needs: 'eagain' },
  { label: "import 'eagain'", program: 'import.mjs', empty: 'empty.mjs', needs: 'eagain' },
];

function run(program) {
  const start = process.hrtime.bigint();
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'programs', program)], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  const wallMs = Number(process.hrtime.bigint() - start) / 1e6;
  if (child.status !== 0) throw new Error(wordOf(child.stderr));
  return { ...JSON.parse(child.stdout), wallMs };
}

export function measureImport(bench, onProgress) {
  const wanted = PROGRAMS.filter(({ needs }) => !needs || bench.implementations[needs]);
  const rows = wanted.map(({ label, program, empty }) => {
    const taken = [];
    try {
      for (let round = 0; round <= ROUNDS; round++) {
        onProgress(program, round);
        const pair = { empty: run(empty), full: run(program) };
        if (round > 0) taken.push(pair);
      }
    } catch (error) {
      return { label, failed: error.message };
    }
    const over = (key) => median(taken.map(({ empty: none, full }) => full[key] - none[key]));
    return {
      label,
      wallMs: over('wallMs'),
      inProcessMs: over('ms'),
      rss: over('rss'),
      heap: over('heap'),
      rxjs: taken[0].full.rxjs,
    };
  });
  return { rounds: ROUNDS, rows };
}
