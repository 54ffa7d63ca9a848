// Formats C and C++ (--write), or says what is not formatted (--check). The binary comes with the
// package clang-format-node, pinned exactly: each release of clang-format has its own taste.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { require, root, run } from './tools.mjs';

const modes = { '--check': ['--dry-run', '--Werror'], '--write': ['-i'] };
const folders = ['addon', 'bench', '__tests__'];

function sources(folder) {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder), { recursive: true });
  return names.filter((name) => /\.(c|cc|h)$/.test(name)).map((name) => join(folder, name));
}

const mode = modes[process.argv[2]];
if (mode === undefined) throw new Error(`usage: clang-format.mjs ${Object.keys(modes).join('|')}`);

const files = folders.flatMap(sources).sort();
const { clangFormatPath } = require('clang-format-node');
if (files.length > 0) process.exitCode = run(clangFormatPath, [...mode, ...files]);
