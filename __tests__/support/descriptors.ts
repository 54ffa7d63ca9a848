// Descriptors of this process (or of another), as the kernel lists them: what a test opened, it has closed.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { turn } from './turns';

// What closes itself (a peer of node:net, a socket behind a look-up) does so within a few turns.
const PATIENCE = 200;

/** The sockets that a process (this one) has open, each as its descriptor and the kernel's name for it. */
export function openSockets(pid: number | 'self' = 'self'): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => `${fd} ${nameOf(fd, pid)}`)
    .filter((entry) => entry.includes(' socket:'));
}

/** Those that are open now and were not in `before`. (Jest's own, to its workers, come and go.) */
export function socketsSince(before: readonly string[]): string[] {
  return openSockets().filter((entry) => !before.includes(entry));
}

/** What the kernel calls descriptor `fd` ('socket:[12345]'); '' where there is none. */
export function nameOf(fd: number | string, pid: number | 'self' = 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The open-file flags of descriptor `fd`, O_CLOEXEC included (proc_pid_fdinfo(5)). */
export function flagsOf(fd: number): number {
  const [, octal] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))!;
  return parseInt(octal, 8);
}

/** Call at the top of a test file: it fails where the file's tests leave sockets that they have not found. */
export function leavesNoSockets(): void {
  let before: string[] = [];
  beforeAll(() => {
    before = openSockets();
  });
  afterAll(async () => {
    for (let i = 0; i < PATIENCE && socketsSince(before).length > 0; i++) await turn();
    expect(socketsSince(before)).toEqual([]);
  });
}
