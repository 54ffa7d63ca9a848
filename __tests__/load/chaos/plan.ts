// What a chaos run has in mind for each of its connections, and what bytes go over them: all of it follows from the
// run's seed and the connection's number, so that nothing depends on who comes first.

import { createHash } from 'node:crypto';

export type Dice = () => number;

/** Numbers in [0, 1) that are the same for the same seed: mulberry32. */
function random(seed: number): Dice {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Towards the target, or back. */
export type Direction = 'up' | 'down';

/**
 * half-close  one direction ends early, what comes after it is thrown away, the other one goes on
 * abort       both directions are closed without a word: what that is to the others, an end or a reset, is open
 * reset       both directions are reset
 * silence     nothing goes through any more, in neither direction, and after a while both are reset
 */
export type Harm = 'none' | 'half-close' | 'abort' | 'reset' | 'silence';

/** The client itself, the relay between it and the proxy, or the one behind the proxy. */
export type Place = 'client' | 'near' | 'far';

export interface Plan {
  readonly id: number;
  readonly flows: Readonly<Record<Direction, Flow>>;
  readonly harm: Harm;
  readonly place: Place;
  /** The harm is done when `after` bytes have gone through the place in this direction. */
  readonly direction: Direction;
  readonly after: number;
  /** For pieces, pauses and forms; each side has one of its own. */
  dice(side: Place | 'target'): Dice;
}

const LONGEST = 200_000;
// Twice, so that a flow may begin anywhere in it.
const BYTES = ((): Buffer => {
  const dice = random(1);
  const once = Buffer.from(Array.from({ length: LONGEST }, () => dice() * 256));
  return Buffer.concat([once, once]);
})();

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes of one direction. */
export class Flow {
  constructor(
    readonly length: number,
    private readonly start: number,
  ) {}

  slice(from: number, length: number): Buffer {
    const end = Math.min(from + length, this.length);
    return BYTES.subarray(this.start + from, this.start + end);
  }

  /** Of its first `length` bytes. */
  digest(length: number): string {
    return digestOf(this.slice(0, length));
  }
}

/** What has come of a flow. */
export class Receipt {
  length = 0;
  private readonly hash = createHash('sha256');

  take(chunk: Uint8Array): void {
    this.length += chunk.length;
    this.hash.update(chunk);
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }
}

const SIDES = ['client', 'near', 'far', 'target'] as const;
const HARMS: readonly Harm[] = ['half-close', 'abort', 'reset', 'silence'];
const HARMED = 0.4;

export function pick<T>(dice: Dice, from: readonly T[]): T {
  return from[Math.floor(dice() * from.length)];
}

export function planOf(seed: number, id: number): Plan {
  const own = seed + Math.imul(id + 1, 0x9e3779b1);
  const dice = random(own);
  // Mostly small, some large.
  const flow = (): Flow =>
    new Flow(Math.floor(dice() ** 4 * LONGEST), Math.floor(dice() * LONGEST));
  const flows = { up: flow(), down: flow() };
  const harm = dice() < HARMED ? pick(dice, HARMS) : 'none';
  const place = pick(
    dice,
    harm === 'silence' ? (['near', 'far'] as const) : (['client', 'near', 'far'] as const),
  );
  const direction = place === 'client' ? 'up' : pick(dice, ['up', 'down'] as const);
  return {
    id,
    flows,
    harm,
    place,
    direction,
    after: Math.floor(dice() * flows[direction].length),
    dice: (side) => random(own + 1 + SIDES.indexOf(side)),
  };
}
