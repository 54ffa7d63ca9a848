// Whether much goes through a process without staying in it.

import { clearInterval as stopTimer, setInterval as startTimer } from 'node:timers';

/** The most that a process may grow while it passes on 100 MB or more, in bytes. */
const GROWTH = 100 << 20;
/** How often it is looked at, in ms. */
const PERIOD = 20;

/** Does `work`, in which the process must not grow by what it passes on (resident set size). */
export async function flat(work: () => Promise<unknown>): Promise<void> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = (): void => void (most = Math.max(most, process.memoryUsage.rss()));
  const looking = startTimer(look, PERIOD);
  try {
    await work();
  } finally {
    stopTimer(looking);
  }
  look();
  expect((most - before) >> 20).toBeLessThan(GROWTH >> 20);
}
