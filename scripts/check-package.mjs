// What users will get, seen from outside: packs the tarball, holds it to our own rules, and lets
// publint and are-the-types-wrong judge it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { bin, require, root, runNode } from './tools.mjs';

const manifest = require('../package.json');
const wanted = ['LICENSE', 'README.md', 'binding.gyp', 'dist/index.d.ts', 'dist/index.js'];
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare'];

function pack(directory) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const output = execFileSync('npm', args, { cwd: root, encoding: 'utf8' });
  const [{ filename, files }] = Object.values(JSON.parse(output)); // a list, or since npm 12 a map
  return { tarball: join(directory, filename), files: files.map(({ path }) => path) };
}

/** npm 12 skips install scripts and pnpm 12 fails on them; a binding.gyp alone is one, to npm. */
function installScriptProblems() {
  const found = installScripts.filter((name) => name in manifest.scripts);
  const problems = found.map((name) => `package.json has the install script "${name}"`);
  return manifest.gypfile === false ? problems : [...problems, '"gypfile" is not false'];
}

function contentProblems(files) {
  const prebuilds = readdirSync(join(root, 'prebuilds'), { recursive: true })
    .filter((name) => name.endsWith('.node'))
    .map((name) => `prebuilds/${name}`);
  const missing = [...wanted, ...prebuilds].filter((file) => !files.includes(file));
  return missing.map((file) => `the tarball lacks ${file}`);
}

/** `import { x }` finds what cjs-module-lexer can see in the CommonJS that tsc wrote. */
async function importProblems() {
  const imported = await import('eagain');
  const unseen = Object.keys(require('eagain')).filter((name) => !(name in imported));
  return unseen.map((name) => `import { ${name} } from 'eagain' does not work; require does`);
}

function toolProblems(tarball) {
  const tools = [
    ['publint', [bin('publint'), 'run', tarball, '--strict']],
    ['attw', [bin('@arethetypeswrong/cli', 'attw'), tarball, '--no-emoji', '--no-color']],
  ];
  return tools.filter(([, args]) => runNode(args) !== 0).map(([name]) => `${name} found problems`);
}

build(['native', 'dist'], { ifStale: true });
const directory = mkdtempSync(join(tmpdir(), 'eagain-pack-'));
const { tarball, files } = pack(directory);
const problems = [
  ...installScriptProblems(),
  ...contentProblems(files),
  ...(await importProblems()),
  ...toolProblems(tarball),
];
rmSync(directory, { recursive: true });
for (const problem of problems) console.error(`check:package: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
