// Programs for a process or a worker of their own, written as functions in the test itself: their text goes
// there, and the compiled library with it. They see their argument and what inside.ts hands them, nothing else.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { makeInside, type Inside } from './inside';

export type Program<A = undefined> = (inside: Inside, argument: A) => unknown;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  /** All that the program told. */
  told: unknown[];
}

export interface RunOptions {
  /** Options of node's own: '--expose-gc'. */
  node?: readonly string[];
  /** A command that becomes the shell's parent or predecessor: ['unshare', '--net']. */
  under?: readonly string[];
  /** Without the shell in between. */
  bare?: boolean;
  /** What it inherits as its descriptors 3, 4, … */
  descriptors?: readonly number[];
  /** A line for the shell that becomes the program, run before it. */
  before?: string;
  /** ms after which it is killed; no program of ours should get there. */
  limit?: number;
}

const LIBRARY = join(__dirname, '../../../dist');
const LIMIT = 60_000;

/** The text of `program`, for `node -e` and for a Worker (whose workerData is then the argument). */
export function textOf<A>(program: Program<A>, argument?: A): string {
  const given = argument === undefined ? 'undefined' : JSON.stringify(argument);
  return `
    const { isMainThread, workerData } = require('node:worker_threads');
    const inside = (${makeInside.toString()})(require, ${JSON.stringify(LIBRARY)});
    (async () => (${program.toString()})(inside, isMainThread ? ${given} : workerData))()
      .catch((error) => setImmediate(() => { throw error; }));`;
}

/** A program that runs in a process of its own. */
export class Running {
  readonly told: unknown[] = [];
  /** Resolves when the process has ended and all that it told is here. */
  readonly ended: Promise<Ended>;
  private readonly process: ChildProcessWithoutNullStreams;
  private line = '';
  private stderr = '';
  private over = false;
  private readonly listeners = new Set<() => void>();

  constructor(script: string, options: RunOptions) {
    const { node = [], before = ':', limit = LIMIT, under = [], descriptors = [] } = options;
    const shell = options.bare === true ? [] : ['sh', '-c', `${before}; exec "$@"`, 'sh'];
    const [command, ...args] = [...under, ...shell, process.execPath, ...node, '-e', script];
    this.process = spawn(command, args, {
      timeout: limit,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'pipe', ...descriptors],
    }) as ChildProcessWithoutNullStreams;
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.news();
    });
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => {
        this.over = true;
        this.news();
        resolve({ code, signal, stderr: this.stderr, told: this.told });
      });
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** What the program told as its `index`th. */
  async hears<T>(index: number): Promise<T> {
    await this.until(() => this.told.length > index);
    return this.told[index] as T;
  }

  /** That this stands on its standard error. */
  complains(what: RegExp): Promise<void> {
    return this.until(() => what.test(this.stderr));
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Says something to the program, which hears it on its standard input. */
  say(text: string): void {
    this.process.stdin.write(text);
  }

  private until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition() && !this.over) return;
        this.listeners.delete(look);
        if (condition()) resolve();
        else reject(new Error(`the program has ended already:\n${this.stderr}`));
      };
      this.listeners.add(look);
      look();
    });
  }

  private hear(text: string): void {
    const lines = (this.line + text).split('\n');
    this.line = lines.pop()!;
    this.told.push(...lines.map((line) => JSON.parse(line) as unknown));
    this.news();
  }

  private news(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Starts `program` in a process of its own. */
export function start<A>(program: Program<A>, argument?: A, options: RunOptions = {}): Running {
  return new Running(textOf(program, argument), options);
}

/** Runs `program` in a process of its own to its good end: what it told last. */
export async function run<T, A = undefined>(
  program: Program<A>,
  argument?: A,
  options: RunOptions = {},
): Promise<T> {
  const { code, signal, stderr, told } = await start(program, argument, options).ended;
  if (code !== 0) throw new Error(`it ended with code ${code}, signal ${signal}:\n${stderr}`);
  return told.at(-1) as T;
}
