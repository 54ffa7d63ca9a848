// The socket and endpoint tests on an addon built with AddressSanitizer (leaks included) and
// UndefinedBehaviorSanitizer. Every process of the run, children too, writes its reports into a
// folder; one report about our code fails the run. Arguments go to Jest, in place of the usual
// folders:
//
//   npm run test:asan -- __tests__/process
//
// Where ptrace is forbidden, leaks cannot be looked for: ASAN_OPTIONS=detect_leaks=0.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asanAddon, build } from './build.mjs';
import { conclude, jest } from './jest.mjs';
import { root } from './tools.mjs';

const folders = ['__tests__/socket', '__tests__/endpoints'];
const reports = join(root, 'build-asan/reports');

/** libstdc++ comes along, because ASan looks for __cxa_throw at its start and insists on it. */
function preload() {
  const find = (library) =>
    execFileSync(process.env.CXX ?? 'g++', [`-print-file-name=${library}`], { encoding: 'utf8' });
  return ['libasan.so', 'libstdc++.so'].map((library) => find(library).trim()).join(' ');
}

function environment() {
  const asan = ['detect_stack_use_after_return=1', `log_path='${join(reports, 'report')}'`];
  return {
    EAGAIN_ADDON: asanAddon,
    LD_PRELOAD: preload(),
    ASAN_OPTIONS: [...asan, process.env.ASAN_OPTIONS ?? ''].join(':'),
    LSAN_OPTIONS: 'exitcode=0', // other people's addons leak at their exit
    UBSAN_OPTIONS: 'print_stacktrace=1', // it knows no log_path here, but ends the process
  };
}

/** The reports in one process's file that are about our code. */
function findings(text) {
  if (!text.includes('LeakSanitizer: detected memory leaks')) return [text];
  const leaks = text.split('\n\n').filter((block) => / leak of \d+ byte/.test(block));
  return leaks.filter((block) => /\baddon\/|eagain\.node/.test(block));
}

const args = process.argv.slice(2);

build(['asan', 'dist'], { ifStale: true });
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports);

const options = ['--runInBand', '--testTimeout', '120000'];
const run = jest([...(args.length > 0 ? args : folders), ...options], environment());
const files = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
const found = files.flatMap(findings).map((text) => text.split('\n'));
for (const lines of found) console.error(`${lines.join('\n')}\n`);
console.log(`${found.length} sanitizer report(s)`);
conclude([run, { passed: 0, failed: found.map(([first]) => first) }]);
