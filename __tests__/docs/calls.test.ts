// docs/calls.json, the table of calls: no cell is empty. Each form is there, each test is there, and no function
// of the headers is missing.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as eagain from '../../lib';
import { needs } from '../support/needs';
import { ROOT } from './document';

interface Row {
  header: string;
  call: string;
  form: string;
  test: string;
  /** Whose it is to make it; the row fails as soon as it is there. */
  pending?: string;
}

const rows = JSON.parse(readFileSync(join(ROOT, 'docs/calls.json'), 'utf8')) as Row[];

/** `Class#method`, `object.function` or a function, among the exports. */
function exists(form: string): boolean {
  const [name, member] = form.split(/[#.]/);
  const found = (eagain as unknown as Record<string, Record<string, unknown> | undefined>)[name];
  if (found === undefined) return false;
  if (member === undefined) return typeof found === 'function';
  const owner = form.includes('#') ? found['prototype'] : found;
  return typeof (owner as Record<string, unknown>)[member] === 'function';
}

// The names of tests as they stand in the sources: templates with their holes.
const tests = readdirSync(join(ROOT, '__tests__'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.test\.ts$|cases\.ts$/.test(file) && !file.endsWith('calls.test.ts'))
  .flatMap((file) => readFileSync(join(ROOT, '__tests__', file), 'utf8').split('\n'))
  .filter((text) => /['`]/.test(text));

test.each(rows)('calls: $header: $call is $form', ({ form, test: name, pending }) => {
  expect([form, exists(form)]).toEqual([form, pending === undefined]);
  if (pending !== undefined) return;
  expect(name.trim()).not.toBe('');
  expect(tests.filter((text) => text.includes(name))).not.toEqual([]);
});

test('calls: docs/calls.md is what the table says', () => {
  const script = join(ROOT, 'scripts/calls.mjs');
  const text = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
  expect(readFileSync(join(ROOT, 'docs/calls.md'), 'utf8')).toBe(text);
});

const HEADERS = ['sys/socket.h', 'netdb.h', 'arpa/inet.h', 'net/if.h', 'poll.h', 'sys/select.h'];

/** The functions that the headers themselves declare, or undefined without a compiler. */
function declared(): string[] | undefined {
  const input = HEADERS.map((header) => `#include <${header}>\n`).join('');
  const options = ['-E', '-std=c99', '-D_XOPEN_SOURCE=700', '-'];
  try {
    const text = execFileSync('cc', options, { input, encoding: 'utf8', stdio: 'pipe' });
    return functionsIn(text);
  } catch {
    return undefined;
  }
}

function functionsIn(text: string): string[] {
  const found = new Set<string>();
  let ours = false;
  for (const line of text.split('\n')) {
    const file = /^# \d+ "(.*)"/.exec(line)?.[1];
    if (file !== undefined) ours = HEADERS.some((header) => file.endsWith(`/${header}`));
    const name = /^extern .*?\b([a-z]\w*) \(/.exec(line)?.[1];
    if (ours && name !== undefined) found.add(name);
  }
  return [...found];
}

const functions = declared();
needs('a C compiler', functions !== undefined)(
  'calls: no function of the headers is missing',
  () => {
    const known = new Set(rows.flatMap(({ call }) => call.split(/, |\(/)));
    expect(functions!.length).toBeGreaterThan(40);
    expect(functions!.filter((name) => !known.has(name))).toEqual([]);
  },
);
