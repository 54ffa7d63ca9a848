// Two hundred connections through networks that delay, stall, cut deliveries short, close and reset: see chaos/run.ts.
// Two minutes of it are __tests__/real/chaos.test.ts.

import { expectsToSurviveChaos } from './chaos/expect';

expectsToSurviveChaos(6);
