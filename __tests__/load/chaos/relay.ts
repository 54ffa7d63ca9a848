// A bad network: a relay that holds back what it passes on, cuts it into small pieces, and at the planned byte of a
// connection harms it. A connection says in its first four bytes which one it is.
//
// It stands on this library, not on node:net: whose resetAndDestroy() ends the writing side first, so that the peer
// sees an end (Node 20), and whose 'end' comes, of a connection that was reset, where a write has heard of that.

import { setTimeout as startTimer } from 'node:timers';
import { connect, listen, type StreamSocket } from '../../../lib/index';
import type { Dice, Place, Plan } from './plan';

export const HEADER = 4;
/** How long a connection is silent before it is reset, in ms. */
export const SILENCE = 1500;

/** How long those who are under way may take when a server closes, in ms. */
export const DRAIN = 5000;

export interface Relay {
  readonly port: number;
  close(): Promise<void>;
}

export async function relay(
  place: Place,
  to: number,
  planOf: (id: number) => Plan,
): Promise<Relay> {
  const server = await listen({ host: '127.0.0.1', port: 0 });
  const serving = server.serve(
    async (near) => {
      const header = await near.readExactly(HEADER);
      const far = await connect({ host: '127.0.0.1', port: to });
      await far.write(header);
      await new Link(near, far, place, planOf(header.readUInt32LE())).run();
    },
    // What fails here was harmed, or it shows at the ends. A client may have said its last word and heard the other
    // side's while its bytes are still held back here.
    { drainTimeout: DRAIN, onError: () => undefined },
  );
  return {
    port: server.address.port,
    async close(): Promise<void> {
      await server.close();
      await serving;
    },
  };
}

class Link {
  private readonly dice: Dice;
  private silent = false;

  constructor(
    private readonly near: StreamSocket,
    private readonly far: StreamSocket,
    private readonly place: Place,
    private readonly plan: Plan,
  ) {
    this.dice = plan.dice(place);
  }

  async run(): Promise<void> {
    const { near, far } = this;
    const harmful = this.plan.place === this.place && this.plan.harm !== 'none';
    const { direction } = this.plan;
    try {
      await Promise.all([
        this.pump(near, far, harmful && direction === 'up'),
        this.pump(far, near, harmful && direction === 'down'),
      ]);
      if (this.silent) this.reset();
      await Promise.all([near.close(), far.close()]);
    } catch {
      // A failure of one is the other's: no end is made of it.
      this.reset();
    }
  }

  private async pump(from: StreamSocket, to: StreamSocket, harmful: boolean): Promise<void> {
    let left = harmful ? this.plan.after : Infinity;
    let cut = false;
    for await (const chunk of from) {
      for (let at = 0; at < chunk.length && !cut && !this.silent;) {
        if (left === 0) {
          cut = true;
          await this.inflict(to);
          continue;
        }
        const size = Math.min(1 + Math.floor(this.dice() * (chunk.length - at)), left);
        await to.write(chunk.subarray(at, at + size));
        at += size;
        left -= size;
        await this.pause();
      }
    }
    if (!cut && !this.silent) await to.end();
  }

  /** None, a moment, or a while. */
  private async pause(): Promise<void> {
    const fate = this.dice();
    if (fate > 0.2) return;
    const time = fate < 0.005 ? 50 + this.dice() * 250 : this.dice() * 3;
    await new Promise((resolve) => startTimer(resolve, time));
  }

  private async inflict(to: StreamSocket): Promise<void> {
    switch (this.plan.harm) {
      case 'none':
        return;
      case 'half-close':
        return to.end();
      case 'abort':
        this.near.socket.close();
        this.far.socket.close();
        return;
      case 'reset':
        return this.reset();
      case 'silence':
        this.silent = true;
        startTimer(() => this.reset(), SILENCE);
    }
  }

  private reset(): void {
    this.near.abort();
    this.far.abort();
  }
}
