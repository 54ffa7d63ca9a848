// The chaos test, as short or as long as it is to be.

import { leavesNoSockets } from '../../support/descriptors';
import { buildsExamples } from '../../support/examples';
import { surviveChaos } from './run';

// Of the proxy, about connections that were harmed.
const COMPLAINT = /^(read|write|shutdown|connect) (ECONNRESET|EPIPE)/;

/** For `seconds`, or EAGAIN_CHAOS_SECONDS; EAGAIN_CHAOS_SEED plans the same again. */
export function expectsToSurviveChaos(seconds: number): void {
  buildsExamples();
  leavesNoSockets();
  const duration = Number(process.env['EAGAIN_CHAOS_SECONDS'] ?? seconds);
  const seed = Number(process.env['EAGAIN_CHAOS_SEED'] ?? Date.now() % 2 ** 31);
  test(
    'chaos: digests are right or failures have a shape, and nothing is left',
    async () => {
      process.stderr.write(`chaos: EAGAIN_CHAOS_SEED=${seed}, ${duration} s\n`);
      const { counts, wrong, stuck, left, proxy, output } = await surviveChaos(
        seed,
        duration * 1000,
      );
      process.stderr.write(`chaos: connections by harm: ${JSON.stringify(counts)}\n`);
      const said = output.trimEnd().split('\n');
      const complaints = said.filter(
        (line) => !/^(listening|done|\d+ connections)/.test(line) && !COMPLAINT.test(line),
      );
      expect({ seed, wrong: wrong.slice(0, 20), stuck, left, proxy, complaints }).toEqual({
        seed,
        wrong: [],
        stuck: [],
        left: { sockets: [], promises: 0 },
        proxy: { sockets: [], promises: 0 },
        complaints: [],
      });
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    },
    duration * 1000 + 120_000,
  );
}
