// Builds what the repository needs, whatever state it is in.
//
//   node scripts/build.mjs [--if-stale] [native] [asan] [dist] [examples]
//   node scripts/build.mjs --clean
//
// A target is stale when its inputs (their content, not their times) are not those that its output
// was made from. Their digest lies beside the output, so each output is judged by its own.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import { nodeGyp } from './node-gyp.mjs';
import { bin, isMain, must, root, runNode } from './tools.mjs';

/** Where `npm run build:asan` leaves the addon; lib/native/load.ts takes it from EAGAIN_ADDON. */
export const asanAddon = join(root, 'build-asan/build/Release/eagain.node');

const nativeInputs = ['addon', 'binding.gyp', 'scripts/build.mjs', 'scripts/node-gyp.mjs'];
const libraryInputs = ['lib', 'package.json', 'tsconfig.base.json', 'tsconfig.build.json'];

const targets = {
  native: {
    inputs: nativeInputs,
    output: 'build/Release/eagain.node',
    digest: 'build/.inputs',
    make: () => nodeGyp('.', { werror: process.env.EAGAIN_WERROR ?? 1 }),
  },
  asan: {
    inputs: nativeInputs,
    output: 'build-asan/build/Release/eagain.node',
    digest: 'build-asan/.inputs',
    make: makeAsan,
  },
  dist: {
    inputs: libraryInputs,
    output: 'dist/index.js',
    digest: 'dist/.inputs',
    make: makeDist,
  },
  // As a user's program, they import 'eagain' by its name: they are compiled against dist/.
  examples: {
    inputs: ['examples', 'tsconfig.examples.json', ...libraryInputs],
    output: 'dist-examples',
    digest: 'dist-examples/.inputs',
    make: () => compile('tsconfig.examples.json', 'dist-examples'),
  },
};

function compile(project, output) {
  rmSync(join(root, output), { recursive: true, force: true }); // what a deleted source left
  return runNode([bin('typescript', 'tsc'), '--project', project]);
}

// One file of JavaScript: to find and read eighty of them makes an import 1.7 times as long. The types stay one file
// a module, as tsc writes them.
function makeDist() {
  const status = compile('tsconfig.build.json', 'dist');
  if (status !== 0) return status;
  const { errors } = buildSync({
    absWorkingDir: root,
    entryPoints: ['lib/index.ts'],
    outfile: 'dist/index.js',
    tsconfig: 'tsconfig.build.json',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
  });
  // Only comments have other letters (esbuild escapes those of strings). With them, V8 would hold the file as UTF-16.
  const text = readFileSync(join(root, 'dist/index.js'), 'utf8');
  writeFileSync(join(root, 'dist/index.js'), text.replace(/[^\0-\x7f]/g, '?'));
  return errors.length;
}

/** node-gyp knows one folder, `build` beside binding.gyp: so binding.gyp stands in another place. */
function makeAsan() {
  mkdirSync(join(root, 'build-asan'), { recursive: true });
  for (const name of ['addon', 'binding.gyp']) {
    const link = join(root, 'build-asan', name);
    if (!existsSync(link)) symlinkSync(join('..', name), link);
  }
  return nodeGyp('build-asan', { sanitize: 1 });
}

function digestOf({ inputs }) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesUnder)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(path) {
  if (!existsSync(join(root, path))) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  const entries = readdirSync(join(root, path), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(root, join(parentPath, name))).sort();
}

function isStale({ output, digest }, current) {
  if (!existsSync(join(root, output)) || !existsSync(join(root, digest))) return true;
  return readFileSync(join(root, digest), 'utf8') !== current;
}

/** Ends the process with the failing tool's exit code. */
export function build(names, { ifStale = false } = {}) {
  for (const name of names) {
    const target = targets[name];
    if (target === undefined) throw new Error(`no such target: ${name}`);
    const current = digestOf(target);
    if (ifStale && !isStale(target, current)) continue;
    rmSync(join(root, target.digest), { force: true });
    must(target.make(), `building ${name}`);
    writeFileSync(join(root, target.digest), current);
  }
}

function clean() {
  const outputs = Object.values(targets).map(({ digest }) => dirname(digest));
  for (const folder of outputs) rmSync(join(root, folder), { recursive: true, force: true });
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes('--clean')) clean();
  const names = args.filter((arg) => !arg.startsWith('--'));
  build(names, { ifStale: args.includes('--if-stale') });
}
