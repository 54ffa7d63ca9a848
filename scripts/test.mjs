// The test suite: builds what is out of date (child processes and workers of the tests run the
// compiled dist/), then runs Jest twice, the second time one file after another for those whose
// subject is time or the whole process (jest.config.js says which). Arguments go to Jest:
//
//   npm test -- __tests__/socket -t 'promise 4'
//
// The last line is always `N passed, N failed`.

import { build } from './build.mjs';
import { conclude, jest } from './jest.mjs';

const args = process.argv.slice(2);
if (args.length > 0) args.push('--passWithNoTests'); // a pattern need not match in both runs

build(['native', 'dist'], { ifStale: true });
conclude([
  jest([...args, '--selectProjects', 'parallel']),
  jest([...args, '--runInBand', '--selectProjects', 'serial']),
]);
