// Runs a program of examples/, with everything built first that it needs:
//
//   node scripts/run-example.mjs tour [arguments]

import { join } from 'node:path';
import { build } from './build.mjs';
import { root, runNode } from './tools.mjs';

const [name, ...args] = process.argv.slice(2);

build(['native', 'dist', 'examples'], { ifStale: true });
const program = join(root, `dist-examples/${name}.js`);
process.exitCode = runNode(['--enable-source-maps', program, ...args]);
