// Programs for a process of their own, over the compiled dist/: where a limit is to be lowered, a signal to be
// caught, or a descriptor's flags to be read after exec.

import { execFile } from 'node:child_process';
import { join } from 'node:path';

const LIBRARY = join(__dirname, '../../dist');

export interface ChildOptions {
  /** RLIMIT_NOFILE. */
  descriptors?: number;
  /** Options of node's own. */
  node?: readonly string[];
  /** Run as root in a network namespace of its own, with this done first: its loopback and its sysctls. */
  network?: string;
  /** Run in the network namespace of this name. */
  namespace?: string;
}

/**
 * Runs `program`, the body of an async function with `eagain` (the library), `binding` (its wall to the addon, whose calls may be replaced) and
 * `report` in scope, and gives what it reported.
 */
export function runInChild(program: string, options: ChildOptions = {}): Promise<unknown> {
  const { descriptors, node = [], network, namespace } = options;
  const script = `
    const named = process.env.EAGAIN_ADDON;
    const addon = named ? require(named) : require('node-gyp-build')(${JSON.stringify(join(LIBRARY, '..'))});
    const { create } = addon;
    let binding;
    addon.create = () => {
      binding = create();
      const calls = Object.entries(binding).filter(([, call]) => typeof call === 'function');
      const through = calls.map(([name]) => [name, (...given) => binding[name](...given)]);
      return { ...binding, ...Object.fromEntries(through) };
    };
    const eagain = require(${JSON.stringify(LIBRARY)});
    const report = (value) => console.log(JSON.stringify(value));
    (async () => {${program}})().catch((error) => { console.error(error); process.exitCode = 1; });`;
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors} && `;
  const first = network === undefined ? '' : `ip link set lo up && ${network} && `;
  const command = [
    '-c',
    `${limit}${first}exec "$@"`,
    'sh',
    process.execPath,
    ...node,
    '-e',
    script,
  ];
  return new Promise((resolve, reject) => {
    const [file, args] =
      namespace !== undefined
        ? ['ip', ['netns', 'exec', namespace, 'sh', ...command]]
        : network !== undefined
          ? ['unshare', ['--net', 'sh', ...command]]
          : ['sh', command];
    execFile(file, args, { timeout: 15_000 }, (error, stdout, stderr) => {
      if (error !== null) {
        const how = `code ${String(error.code)}, signal ${String(error.signal)}`;
        reject(new Error(`the child ended with ${how}:\n${stderr}${stdout}`));
      } else resolve(stdout === '' ? undefined : JSON.parse(stdout));
    });
  });
}
