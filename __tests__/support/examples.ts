// Programs of examples/, compiled, each in a process of its own: run to their end, or listened to until it is asked for.

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Namespace } from './namespaces';

const ROOT = join(__dirname, '../..');

// A test that takes too long is given up, and its programs would outlive the run.
const running = new Set<ChildProcess>();

/** Call at the top of a test file. */
export function buildsExamples(): void {
  jest.setTimeout(60_000); // each program loads a Node of its own: seconds, on a busy machine
  beforeAll(() => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
  }, 120_000);
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
  });
}

function commandOf(
  name: string,
  args: readonly string[],
  within?: Namespace,
  node: readonly string[] = [],
): [string, string[]] {
  const command = [process.execPath, ...node, join(ROOT, `dist-examples/${name}.js`), ...args];
  const whole = within === undefined ? command : ['ip', 'netns', 'exec', within.name, ...command];
  return [whole[0], whole.slice(1)];
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one that ends by itself. */
export function runExample(name: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [file, given] = commandOf(name, args);
    const child = execFile(file, given, { timeout: 30_000 }, (_error, stdout, stderr) => {
      if (child.signalCode !== null) reject(new Error(`${name}: ${child.signalCode}\n${stderr}`));
      else resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

/** One that runs until it is ended. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What of its output matches, or what `pattern` makes of it, as soon as it does; what was printed before counts. */
  said<T = RegExpExecArray>(pattern: RegExp | ((output: string) => T | null)): Promise<T>;
  /** Everything it has printed, when it has ended by SIGTERM as it should: with 0. */
  end(): Promise<string>;
}

/** `node` are options of node's, and with any it has an IPC channel. */
export function startExample(
  name: string,
  args: readonly string[],
  within?: Namespace,
  node: readonly string[] = [],
): Running {
  const child = spawn(...commandOf(name, args, within, node), {
    stdio: ['ignore', 'pipe', 'pipe', ...(node.length > 0 ? (['ipc'] as const) : [])],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  let output = '';
  let heard: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr] as NodeJS.ReadableStream[])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      heard();
    });
  const exited = once(child, 'close') as Promise<[number | null]>;
  return {
    child,
    said: <T>(pattern: RegExp | ((output: string) => T | null)) =>
      new Promise<T>((resolve, reject) => {
        heard = (): void => {
          const found = typeof pattern === 'function' ? pattern(output) : pattern.exec(output);
          if (found !== null) resolve(found as T);
        };
        heard();
        void exited.then(() => reject(new Error(`${name} has ended:\n${output}`)));
      }),
    async end(): Promise<string> {
      child.kill('SIGTERM');
      const [code] = await exited;
      if (code !== 0) throw new Error(`${name} ended with ${code}:\n${output}`);
      return output;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** One that says which port it has got. */
export async function startServer(
  name: string,
  args: readonly string[] = [],
  node?: readonly string[],
): Promise<Running & { port: number }> {
  const running = startExample(name, ['--port', '0', ...args], undefined, node);
  const [, port] = await running.said(/listening on port (\d+)/);
  return Object.assign(running, { port: Number(port) });
}
