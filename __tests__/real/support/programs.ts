// Other people's servers and clients: found, started on a port of their own with their data in a folder of their own,
// and ended by their own process id.

import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, connect as netConnect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
// eslint-disable-next-line no-restricted-imports -- nothing tells that somebody else's server has begun to listen
import { setTimeout as delay } from 'node:timers/promises';

function postgresFolders(): string[] {
  try {
    return readdirSync('/usr/lib/postgresql').map((v) => `/usr/lib/postgresql/${v}/bin`);
  } catch {
    return [];
  }
}

const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  ...postgresFolders(),
];

/** Where `name` is; undefined where it is not installed. */
export function find(name: string): string | undefined {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Elsewhere, or nowhere.
    }
  }
  return undefined;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Program {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

export function start(path: string, args: readonly string[], options: SpawnOptions = {}): Program {
  const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    process: child,
    output: () => output,
    async stop(): Promise<void> {
      if (child.exitCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** Asks until the answer is yes: nothing tells that somebody else's server has begun to listen. Ends it where none comes. */
export async function untilAnswered(
  program: Program,
  answers: () => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (program.process.exitCode !== null) break;
    if (await answers()) return;
    await delay(20);
  }
  await program.stop();
  throw new Error(`${program.process.spawnfile} does not answer:\n${program.output()}`);
}

/** Starts a server, and waits until it takes connections. */
export async function startServer(
  port: number,
  path: string,
  args: readonly string[],
  options?: SpawnOptions,
): Promise<Program> {
  const program = start(path, args, options);
  await untilAnswered(program, async () => {
    const probe = netConnect(port, '127.0.0.1');
    const answer = await Promise.race([
      once(probe, 'connect').then(
        () => true,
        () => false,
      ),
      delay(1000, false),
    ]);
    probe.destroy();
    return answer;
  });
  return program;
}

/**
 * Call at the top of a test file: a server of its own for all of it, and the port on which it listens. `path` is
 * undefined where it is not installed: then nothing is started. `args` may write a configuration first.
 */
export function serves(
  path: string | undefined,
  args: (port: number) => readonly string[],
  options: { spawn?: SpawnOptions; ready?: () => Promise<unknown>; stop?: NodeJS.Signals } = {},
): { readonly port: number } {
  const at = { port: 0 };
  let server: Program | undefined;
  beforeAll(async () => {
    if (path === undefined) return;
    at.port = await freePort();
    server = await startServer(at.port, path, args(at.port), options.spawn);
    await options.ready?.();
  }, 60_000);
  afterAll(async () => {
    if (options.stop !== undefined) server?.process.kill(options.stop);
    await server?.stop();
  });
  return at;
}

/** A folder that `user` may use, removed at the end of the file. */
export function folder(user?: { uid: number; gid: number }): string {
  const path = mkdtempSync(join(tmpdir(), 'eagain-real-'));
  if (user !== undefined) execFileSync('chown', [`${user.uid}:${user.gid}`, path]);
  afterAll(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** The ids of a user of this machine; undefined where this process may not become it. */
export function userOf(name: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}
