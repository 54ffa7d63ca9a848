// `npm run bench`: chooses the suites, races them, prints, writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buildBase } from './base.mjs';
import { violations } from './check.mjs';
import { writeDocs } from './docs.mjs';
import { implementationOf, implementations } from './implementations.mjs';
import { measureImport } from './importing.mjs';
import { chooseCores, describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { measureMemory } from './memory.mjs';
import { buildNative } from './native.mjs';
import { readOptions, USAGE } from './options.mjs';
import { progress } from './progress.mjs';
import { readResult, writeResult } from './results.mjs';
import { quickly, suites } from './suites.mjs';
import { importTable, memoryTable, suiteTable } from './table.mjs';

// The share of a window that even the least disturbed server or client waited for its core. A runtime's own helper threads
// wait for it too, so that the row that waited least tells most about strangers.
const DISTURBED = 0.1;

/** The suites of this run, with the rows that can be raced here. */
function choose(options, bench) {
  const chosen = options.quick && !options.suite ? suites.filter((suite) => suite.core) : suites;
  return chosen
    .filter((suite) => !options.suite || options.suite.test(suite.name))
    .map((suite) => (options.quick ? quickly(suite) : suite))
    .map((suite) => ({ ...suite, rows: raced(suite.rows, options, bench) }))
    .filter((suite) => Object.keys(suite.rows).length > 0);
}

function raced(rows, options, bench) {
  const entries = Object.entries(rows).flatMap(([label, form]) => {
    if (options.null && label === 'c')
      return [
        [label, form],
        ['c:null', form],
      ];
    if (bench.implementations.base && label.startsWith('eagain'))
      return [
        [label, form],
        [label.replace('eagain', 'base'), form],
      ];
    return [[label, form]];
  });
  const wanted = (label) =>
    bench.implementations[label] && (!options.only || options.only.includes(label));
  return Object.fromEntries(entries.filter(([label]) => wanted(implementationOf(label))));
}

async function race(chosen, options, bench) {
  const done = [];
  const broken = [];
  for (const [index, suite] of chosen.entries()) {
    const line = progress(`${index + 1}/${chosen.length} ${suite.name}`);
    const attempt = () =>
      measure(suite, bench, (label, round) =>
        line.show(`${label}, ${round ? `round ${round}/${bench.timing.rounds}` : 'warm-up'}`),
      );
    let result = await attempt();
    if (options.check && violations(result).length) result = await attempt(); // twice is no accident
    line.clear();
    if (options.check) broken.push(...violations(result));
    done.push(result);
  }
  return { done, broken };
}

async function besides(options, bench) {
  const asked = (name) =>
    !options.null && !options.base && (options.suite ? options.suite.test(name) : !options.quick);
  const line = progress('memory and import');
  const show = (label, round) => line.show(`${label} ${round}`);
  const memory = asked('memory') ? await measureMemory(bench, show) : undefined;
  const importing = asked('import') ? measureImport(bench, show) : undefined;
  line.clear();
  return { memory, importing };
}

function warn(result, bench) {
  if (bench.cores.count < 2)
    console.log(
      'One core only: server and client share it and nothing is pinned; rates mean even less than usual.',
    );
  const disturbed = result.suites
    .filter(
      (suite) =>
        !suite.oneCore && Math.min(...suite.rows.map((row) => row.waited ?? 1)) > DISTURBED,
    )
    .map(({ name }) => name);
  if (disturbed.length && bench.cores.count > 1)
    console.log(
      `Other programs ran on these cores during: ${disturbed.join(', ')}. Ratios hold better than times; repeat on a quiet machine.`,
    );
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  if (options.list)
    return console.log(suites.map((suite) => `${suite.name.padEnd(22)}${suite.title}`).join('\n'));
  if (options.docs)
    return console.log(
      (await writeDocs(readResult(options.file))).map((file) => relative('.', file)).join('\n'),
    );
  if (process.platform !== 'linux')
    throw new Error('the bench reads /proc and drives epoll servers: it runs on Linux only');

  const native = buildNative();
  const base = options.base ? buildBase(options.base) : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'eagain-bench-'));
  process.on('exit', () => {
    base?.remove();
    rmSync(directory, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

  const bench = {
    native,
    directory,
    timing: options.timing,
    cores: chooseCores(),
    implementations: implementations(native, base?.tree),
  };
  const { done, broken } = await race(choose(options, bench), options, bench);
  const result = {
    date: new Date().toISOString(),
    machine: describeMachine(bench.implementations),
    timing: bench.timing,
    cores: bench.cores,
    suites: done,
    ...(await besides(options, bench)),
  };

  console.log(`\n${done.map(suiteTable).join('\n')}`);
  if (result.memory) console.log(memoryTable(result.memory));
  if (result.importing) console.log(importTable(result.importing));
  warn(result, bench);
  console.log(`Written: ${relative('.', writeResult(result, options.whole))}`);
  if (options.whole) console.log('For the docs: npm run bench -- --docs');
  if (options.check) {
    console.log(
      broken.length
        ? `\nNot allowed:\n  ${broken.join('\n  ')}`
        : '\nAll ratios are within bench/allowed.json.',
    );
    process.exitCode = broken.length ? 1 : 0;
  }
}

await main();
