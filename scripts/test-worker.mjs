// The tests that run in Jest's own process or threads once more, each file in a worker thread: what works in the main
// thread works there. Not `process` and `load`, whose programs make their own processes and workers. Arguments go to
// Jest, in place of the usual folders.

import { build } from './build.mjs';
import { conclude, jest } from './jest.mjs';

const folders = ['socket', 'names', 'endpoints', 'adapters', 'native', 'core'].map(
  (folder) => `__tests__/${folder}/`,
);
const args = process.argv.slice(2);

build(['native', 'dist'], { ifStale: true });
conclude([
  jest([...(args.length > 0 ? args : folders), '--selectProjects', 'parallel'], {
    EAGAIN_TEST_THREAD: 'worker',
  }),
]);
