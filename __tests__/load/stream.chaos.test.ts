// Two hundred connections through a relay that delays, stalls, cuts deliveries short, closes and resets: every digest
// is right where the relay let things be, every failure has a shape that is known, and nothing is left behind.
// EAGAIN_CHAOS_SECONDS makes it longer.

import { createHash } from 'node:crypto';
import { connect, listen, type StreamSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';

leavesNoSockets();
const SECONDS = Number(process.env['EAGAIN_CHAOS_SECONDS'] ?? 6);
const CONNECTIONS = 200;
const FAILURES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_SOCKET_CLOSED',
]);

/** Numbers in [0, 1) that are the same for the same seed: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Harm = 'none' | 'reset' | 'close';

/** One direction of the relay. */
async function pump(
  from: StreamSocket,
  to: StreamSocket,
  dice: () => number,
  harm: () => void,
): Promise<void> {
  for await (const chunk of from) {
    for (let at = 0; at < chunk.length;) {
      const size = 1 + Math.floor(dice() * chunk.length);
      if (dice() < 0.2) await pause(dice() * 3);
      if (dice() < 0.005) await pause(50);
      harm();
      await to.write(chunk.subarray(at, at + size));
      at += size;
    }
  }
  await to.end();
}

test(
  'chaos: digests are right or failures have a shape, and nothing is left',
  async () => {
    const seed = Date.now() >>> 0;
    const dice = random(seed);
    const target = await listen({ host: '127.0.0.1', port: 0 });
    const relay = await listen({ host: '127.0.0.1', port: 0 });
    // Connections that the relay has harmed, by the client's port.
    const harmed = new Map<number, Harm>();
    const strange: unknown[] = [];
    const known = (error: unknown): void => {
      if (!FAILURES.has(String((error as { code?: string }).code))) strange.push(error);
    };

    const answering = target.serve(
      async (peer) => {
        const hash = createHash('sha256');
        for await (const chunk of peer) hash.update(chunk);
        await peer.write(hash.digest());
      },
      { onError: known },
    );
    const relaying = relay.serve(
      async (near) => {
        const far = await connect({ host: '127.0.0.1', port: target.address.port });
        const { port } = near.remoteAddress;
        const plan: Harm = dice() < 0.3 ? (dice() < 0.5 ? 'reset' : 'close') : 'none';
        const harm = (): void => {
          if (plan === 'none' || dice() > 0.1) return;
          harmed.set(port, plan);
          if (plan === 'reset') near.abort();
          else near.socket.close();
          far.abort();
        };
        try {
          const both = await Promise.allSettled([
            pump(near, far, dice, harm),
            pump(far, near, dice, harm),
          ]);
          for (const outcome of both) if (outcome.status === 'rejected') known(outcome.reason);
        } finally {
          await far.close();
        }
      },
      { onError: known },
    );

    const outcomes = { right: 0, failed: 0 };
    const until = performance.now() + SECONDS * 1000;
    async function converse(): Promise<void> {
      const client = await connect({ host: '127.0.0.1', port: relay.address.port });
      const { port } = client.localAddress as { port: number };
      harmed.delete(port);
      const hash = createHash('sha256');
      try {
        for (let pieces = 1 + dice() * 20; pieces > 0; pieces--) {
          const piece = Buffer.alloc(
            Math.floor(dice() ** 3 * 200_000) + 1,
            Math.floor(dice() * 256),
          );
          hash.update(piece);
          await client.write(piece);
        }
        await client.end();
        const digest = await client.readExactly(32);
        expect(await client.read()).toBeNull();
        if (digest.equals(hash.digest())) outcomes.right++;
        else if (!harmed.has(port)) strange.push(`seed ${seed}: a digest is wrong`);
      } catch (error) {
        known(error);
        if (!harmed.has(port)) strange.push(error);
        outcomes.failed++;
      } finally {
        await client.close();
      }
    }
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        do await converse();
        while (performance.now() < until);
      }),
    );
    await relay.close();
    await relaying;
    await target.close();
    await answering;
    expect(strange).toEqual([]);
    expect(outcomes.right).toBeGreaterThan(CONNECTIONS / 4);
    expect(outcomes.failed).toBeGreaterThan(0);
  },
  SECONDS * 1000 + 60_000,
);
