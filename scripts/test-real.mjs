// The library under other people's servers and clients (__tests__/real/). `scripts/real-software.sh` installs them
// from Debian; what is not there is skipped, and the reason printed.

import { build } from './build.mjs';
import { conclude, jest } from './jest.mjs';

build(['native', 'dist'], { ifStale: true });
conclude([jest([...process.argv.slice(2), '--runInBand', '--selectProjects', 'real'])]);
