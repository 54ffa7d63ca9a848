// What the figures were taken on, and which cores the race uses.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { compiler } from './native.mjs';

const root = join(import.meta.dirname, '..');

/** First allowed core for the client, last for the server; -1: no pinning. */
export function chooseCores() {
  const list =
    /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const cores = list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return cores.length > 1
    ? { count: cores.length, client: cores[0], server: cores.at(-1) }
    : { count: 1, client: -1, server: -1 };
}

function firstLine(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')[0]
      .trim();
  } catch {
    return undefined;
  }
}

function packageVersion() {
  try {
    return createRequire(import.meta.url)(join(root, 'package.json')).version;
  } catch {
    return undefined;
  }
}

/** @param {Record<string, { version?: string[] } | undefined>} implementations */
export function describeMachine(implementations) {
  const versions = { node: process.versions.node, eagain: packageVersion() };
  for (const [name, implementation] of Object.entries(implementations)) {
    if (implementation?.version)
      versions[name] = firstLine(...implementation.version)?.match(/[\d.]+\S*/)?.[0];
  }
  return {
    cpu: os.cpus()[0]?.model.trim(),
    cores: os.availableParallelism(),
    virtual: /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')),
    kernel: `${os.type()} ${os.release().split('-')[0]}`,
    compiler: firstLine(compiler, '--version'),
    versions,
    revision: firstLine('git', '-C', root, 'describe', '--always', '--dirty'),
  };
}
