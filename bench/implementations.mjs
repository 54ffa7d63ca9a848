// Who is raced, and how each one's server is started.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SERVERS = join(import.meta.dirname, 'servers');
const require = createRequire(import.meta.url);

/** The binary inside an npm package, not its launcher: a launcher's CPU time would not be the server's. */
function binaryOf(packages) {
  for (const [name, path] of packages) {
    try {
      const binary = join(dirname(require.resolve(`${name}/package.json`)), path);
      if (existsSync(binary)) return binary;
    } catch {
      // not installed
    }
  }
  return undefined;
}

const target = `${process.platform}-${process.arch}`;
const armed = target.replace('arm64', 'aarch64');

/**
 * @typedef {(server: string) => string[]} Launcher the command that comes before job, transport, path and form
 * @param {{ server: string }} native
 * @param {string | undefined} base root of the other revision's tree
 * @returns {Record<string, { command: string[], version: string[] } | undefined>}
 */
export function implementations(native, base) {
  const bun = binaryOf([
    [`@oven/bun-${armed}`, 'bin/bun'],
    [`@oven/bun-${armed}-baseline`, 'bin/bun'],
    ['bun', 'bin/bun.exe'],
  ]);
  const deno = binaryOf([
    [`@deno/${target}-glibc`, 'deno'],
    [`@deno/${target}`, 'deno'],
  ]);
  const node = process.execPath;
  const dist = join(import.meta.dirname, '..', 'dist');
  return {
    c: { command: [native.server] },
    node: { command: [node, join(SERVERS, 'node.mjs')] },
    eagain: existsSync(dist) ? { command: [node, join(SERVERS, 'eagain.mjs')] } : undefined,
    base: base ? { command: [node, join(base, 'bench', 'servers', 'eagain.mjs')] } : undefined,
    bun: bun
      ? { command: [bun, join(SERVERS, 'bun.mjs')], version: [bun, '--version'] }
      : undefined,
    deno: deno
      ? {
          command: [deno, 'run', '-A', '--unstable-net', join(SERVERS, 'deno.mjs')],
          version: [deno, '--version'],
        }
      : undefined,
  };
}

/** @param {string} label `implementation` or `implementation:form` */
export const implementationOf = (label) => label.split(':')[0];
