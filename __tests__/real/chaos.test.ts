// Two minutes of __tests__/load/stream.chaos.test.ts.

import { expectsToSurviveChaos } from '../load/chaos/expect';

expectsToSurviveChaos(120);
