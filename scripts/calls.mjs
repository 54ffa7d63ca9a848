// Writes docs/calls.md, or with --print only shows it: the calls of the sockets chapter, each with its form here
// and the test that shows it. docs/calls.json is the table; __tests__/docs/calls.test.ts judges it.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs');
const rows = JSON.parse(readFileSync(join(docs, 'calls.json'), 'utf8'));

const cell = (text) => text.replaceAll('|', '\\|');
const line = ({ call, form, test, pending }) =>
  `| \`${cell(call)}\` | ${pending ? 'not yet: ' : ''}\`${cell(form)}\` | ${cell(test.trim())} |`;
const section = (header) =>
  [
    `## ${header}`,
    '',
    '| call | here | shown by the test |',
    '|---|---|---|',
    ...rows.filter((row) => row.header === header).map(line),
    '',
  ].join('\n');

const headers = [...new Set(rows.map(({ header }) => header))];
const text = [
  '# The calls of the sockets chapter',
  '',
  'Written by `scripts/calls.mjs` from `calls.json`. A test fails where a function of these headers is missing here, a form does not exist, or its test does not. `Class#method` is a method, `Class.method` a static one.',
  '',
  ...headers.map(section),
].join('\n');

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(docs, 'calls.md'), text);
