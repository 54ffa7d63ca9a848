// Runs node-gyp so that the same sources give the same addon on every machine: npm hands its whole
// configuration (a `nodedir` or `target` that somebody once needed for another package, say) down
// as npm_config_* variables, and node-gyp obeys them.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bin, runNode } from './tools.mjs';

/** Those that say how to reach the network and Python, not what to build. */
const harmless = new Set(
  'proxy https_proxy noproxy cafile disturl dist_url devdir python jobs loglevel'.split(' '),
);

const npmVariable = /^npm_(?:config|package_config_node_gyp)_(.*)$/i;

/**
 * Node's headers: EAGAIN_NODEDIR if that is set, else those that lie beside the running node, else
 * (undefined) node-gyp fetches them.
 */
function headersPrefix() {
  if (process.env.EAGAIN_NODEDIR) return process.env.EAGAIN_NODEDIR;
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined;
}

/** The environment in which node-gyp, or prebuildify, which calls it, is to be run. */
export function nodeGypEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => {
    const option = npmVariable.exec(name)?.[1];
    return option === undefined || harmless.has(option.toLowerCase().replaceAll('-', '_'));
  });
  const prefix = headersPrefix();
  return { ...Object.fromEntries(kept), ...(prefix && { npm_config_nodedir: prefix }) };
}

/** Builds in the folder `build` of a directory. `defines` are the variables of binding.gyp. */
export function nodeGyp(directory, defines) {
  const common = [bin('node-gyp'), '-C', directory, '--loglevel', 'warn'];
  const flags = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  const env = nodeGypEnvironment();
  const configured = runNode([...common, 'configure', '--', ...flags], { env });
  return configured || runNode([...common, 'build', '-j', 'max'], { env });
}
