// `npm run prebuilds`: the addon for this machine's platform and C library, stripped, into
// prebuilds/, where node-gyp-build looks for it. Says which versions of the system's libraries it
// asks for; with --portable it must be content with those of the oldest systems that Node itself
// supports (.github/workflows/prebuild.yml compiles on one that is old enough).

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeGypEnvironment } from './node-gyp.mjs';
import { bin, must, root, runNode } from './tools.mjs';

/** Of RHEL 8, on which Node 20 is built. */
const oldest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' };

const byVersion = new Intl.Collator('en', { numeric: true }).compare;

/** The highest version of each library's symbols in the file: { GLIBC: '2.17', … }. */
function needs(file) {
  const symbols = execFileSync('objdump', ['-T', file], { encoding: 'utf8' });
  const needed = {};
  for (const [, library, version] of symbols.matchAll(/\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    if (byVersion(version, needed[library] ?? '0') > 0) needed[library] = version;
  }
  return needed;
}

const env = { ...nodeGypEnvironment(), PREBUILD_NODE_GYP: bin('node-gyp') };
const target = process.versions.node;
const options = ['--napi', '--strip', '--tag-libc', '--target', target];
must(runNode([bin('prebuildify'), ...options], { env }), 'prebuildify');

const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
for (const name of readdirSync(folder)) {
  const needed = needs(join(folder, name));
  console.log(name, needed);
  const tooNew = Object.keys(needed).filter((key) => byVersion(needed[key], oldest[key]) > 0);
  if (process.argv.includes('--portable')) must(tooNew.length, `${name}: too new a ${tooNew}:`);
}
