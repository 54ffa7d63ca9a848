// Promise 20, in a process of its own: what a program has that has done nothing but import 'eagain'.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../support/names';

const LIBRARY = join(__dirname, '../../dist/index.js');

interface Seen {
  exports: string[];
  descriptors: { before: string[]; after: string[] };
  threads: { before: number; after: number };
  resources: { before: string[]; after: string[] };
  loaded: string[];
}

// Loading an empty module first takes what Node itself needs for loading (its thread pool reads the files of
// ECMAScript modules) out of the comparison.
const path = temporaryFolder();
let empty = '';
beforeAll(() => {
  empty = path('empty.cjs');
  writeFileSync(empty, '');
});

/** A program that loads the library by `load` and reports; then it has nothing to do. */
function program(load: string): string {
  return `
    import { readdirSync, readlinkSync } from 'node:fs';
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const descriptors = () => readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [fd + ' ' + readlinkSync('/proc/self/fd/' + fd)];
      } catch {
        return []; // the one that lists them
      }
    });
    const look = () => ({
      descriptors: descriptors(),
      threads: readdirSync('/proc/self/task').length,
      resources: process.getActiveResourcesInfo(),
    });
    await import(${JSON.stringify(pathToFileURL(empty).href)});
    const before = look();
    const library = ${load};
    const after = look();
    const both = (key) => ({ before: before[key], after: after[key] });
    const report = {
      exports: Object.keys(library).sort(),
      descriptors: both('descriptors'),
      threads: both('threads'),
      resources: both('resources'),
      loaded: Object.keys(require.cache),
    };
    process.stdout.write(JSON.stringify(report));`;
}

function run(source: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const args = ['--input-type=module', '--eval', source];
    execFile(process.execPath, args, { timeout: 15_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Seen);
      else reject(new Error(`it did not end by itself (${String(error.signal)}): ${stderr}`));
    });
  });
}

describe.each([
  ['require', `require(${JSON.stringify(LIBRARY)})`],
  ['import()', `await import(${JSON.stringify(pathToFileURL(LIBRARY).href)})`],
])("promise 20: %s('eagain')", (_how, load) => {
  let seen: Seen;
  // The process also ends by itself, or run() fails.
  beforeAll(async () => {
    seen = await run(program(load));
  });

  test('gives the library, and the process ends by itself', () => {
    expect(seen.exports).toEqual(expect.arrayContaining(['Socket', 'bind', 'connect', 'listen']));
  });

  test('loads no rxjs', () => {
    expect(seen.loaded).toContain(LIBRARY);
    expect(seen.loaded.filter((path) => path.includes('rxjs'))).toEqual([]);
  });

  test('opens no descriptor', () => {
    expect(seen.descriptors.before).not.toEqual([]);
    expect(seen.descriptors.after).toEqual(seen.descriptors.before);
  });

  test('starts no thread', () => {
    expect(seen.threads.after).toBe(seen.threads.before);
  });

  test('starts no timer and nothing else that the loop would wait for', () => {
    expect(seen.resources.after).toEqual(seen.resources.before);
  });
});
