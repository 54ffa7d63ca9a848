// Whatever JavaScript hands to the native functions: they answer, they never throw, and the process lives.
// In a process of its own, since the failure to be found is one that ends it.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { binding } from '../../lib/native/load';

const ROOT = join(__dirname, '../..');

interface Outcome {
  /** How often each function was called, and how often it answered with something but an -errno. */
  calls: Record<string, number>;
  answers: Record<string, number>;
  /** Calls that threw, or answered what is no answer. */
  problems: string[];
  /** Sockets that it has left open. */
  left: number;
}

// TypeScript for the child, as Jest's transform gives it to the tests.
const REQUIRE = `
  const { transformFileSync } = require('@swc/core');
  require.extensions['.ts'] = (module, file) => {
    const jsc = { target: 'es2022', parser: { syntax: 'typescript' } };
    module._compile(transformFileSync(file, { jsc, module: { type: 'commonjs' } }).code, file);
  };`;

/** Runs hostile/main.ts; rejects with its last call where the process does not end well, and by itself. */
function run(mode: string, runs: number, seed: number): Promise<Outcome> {
  const program = `${REQUIRE}require(${JSON.stringify(join(__dirname, 'hostile/main.ts'))});`;
  const args = ['-e', program, join(ROOT, 'dist'), mode, String(runs), String(seed)];
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: [...stdio] });
  const [out, error, log] = [1, 2, 3].map((fd) => textOf(child.stdio[fd] as Readable));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      // A sanitizer may end it with 0, too, but lets it report nothing.
      if (status === 0 && out() !== '') {
        resolve(JSON.parse(out()) as Outcome);
        return;
      }
      const last = log().trimEnd().split('\n').at(-1);
      const how = `status ${String(status)}, signal ${String(signal)}`;
      reject(new Error(`seed ${seed}: it ended with ${how} after ${String(last)}\n${error()}`));
    });
  });
}

/** What has come out of `stream` so far: of much, the end. */
function textOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-100_000);
  });
  return () => text;
}

const FUNCTIONS = Object.entries(binding)
  .filter(([, value]) => typeof value === 'function')
  .map(([name]) => name);
const RUNS = 150;
// Another one each day, and the one that a failure tells: EAGAIN_SEED.
const SEED = Number(process.env['EAGAIN_SEED'] ?? Math.floor(Date.now() / 86_400_000));

describe('arbitrary arguments', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await run('arbitrary', RUNS, SEED);
  }, 60_000);

  test.each(FUNCTIONS)('%s answers them all, and never throws', (name) => {
    expect(outcome.calls[name]).toBeGreaterThanOrEqual(RUNS);
    expect(outcome.problems.filter((problem) => problem.startsWith(`${name}(`))).toEqual([]);
  });

  test('leave no descriptor behind', () => {
    expect(outcome.left).toBe(0);
  });
});

describe('plausible calls in any order', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await run('plausible', RUNS, SEED);
  }, 60_000);

  test('are all answered', () => {
    expect(outcome.problems).toEqual([]);
  });

  test.each([
    'send',
    'recv',
    'sendto',
    'sendmsg',
    'recvmsg',
    'recvmmsg',
    'sendmmsg',
    'getsockopt',
    'setsockopt',
    'connect',
    'accept',
    'arm',
    'getaddrinfo',
    'getnameinfo',
    'entryByName',
    'entryByNumber',
    'entries',
  ])('reach the kernel through %s, and some of them succeed', (name) => {
    expect(outcome.answers[name]).toBeGreaterThan(0);
  });

  test('leave no descriptor behind', () => {
    expect(outcome.left).toBe(0);
  });
});
