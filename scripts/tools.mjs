// What the other scripts share: where the repository is, and how to run a program in it.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const require = createRequire(import.meta.url);

/** Runs a program in the repository's root, on our terminal. Its exit code; 1 for a signal. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  return status ?? 1;
}

/** The same for a JavaScript program, by this very Node. */
export const runNode = (args, options) => run(process.execPath, args, options);

/** For steps without which there is no point in going on. */
export function must(status, what) {
  if (status === 0) return;
  console.error(`${what} failed`);
  process.exit(status);
}

/** The file behind a dependency's command: not every one lets its path be resolved. */
export function bin(name, command = name) {
  const manifest = join(packageDirectory(name), 'package.json');
  const { bin: entry } = require(manifest);
  return join(dirname(manifest), typeof entry === 'string' ? entry : entry[command]);
}

function packageDirectory(name) {
  const found = require.resolve.paths(name).map((directory) => join(directory, name));
  const directory = found.find((candidate) => tryRequire(join(candidate, 'package.json')));
  if (directory === undefined) throw new Error(`${name} is not installed: run npm ci`);
  return directory;
}

function tryRequire(file) {
  try {
    return require(file);
  } catch {
    return undefined;
  }
}

export const isMain = (url) => url === pathToFileURL(process.argv[1]).href;
