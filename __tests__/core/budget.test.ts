import { Budget } from '../../lib/core/budget';

interface Clock {
  now: number;
  /** How often it was read. */
  reads: number;
  /** What is to be called when the turn of the loop has ended. */
  later: (() => void)[];
}

function clocked(): { budget: Budget; clock: Clock } {
  const clock: Clock = { now: 1000, reads: 0, later: [] };
  const budget = new Budget(
    (renew) => clock.later.push(renew),
    () => {
      clock.reads++;
      return clock.now;
    },
  );
  budget.renew();
  return { budget, clock };
}

/** How many calls of one message each the rest of the turn allows. */
function calls(budget: Budget, most = 1000): number {
  let count = 0;
  while (count < most && budget.left()) {
    budget.spend(1);
    count++;
  }
  return count;
}

describe('Budget', () => {
  test('allows 256 messages a turn', () => {
    const { budget } = clocked();
    expect(calls(budget)).toBe(256);
    expect(budget.left()).toBe(false);
  });

  test('counts the messages of a batch, and lets the call that oversteps be the last', () => {
    const { budget } = clocked();
    budget.spend(255);
    expect(budget.left()).toBe(true);
    budget.spend(64);
    expect(budget.left()).toBe(false);
  });

  test('is whole again in the next turn', () => {
    const { budget } = clocked();
    calls(budget);
    budget.renew();
    expect(calls(budget)).toBe(256);
  });

  test('ends after a millisecond of work, noticed within eight calls', () => {
    const { budget, clock } = clocked();
    expect(calls(budget, 20)).toBe(20);
    clock.now += 1;
    expect(calls(budget)).toBeLessThanOrEqual(8);
    expect(budget.left()).toBe(false);
  });

  test('does not end before a millisecond has passed', () => {
    const { budget, clock } = clocked();
    calls(budget, 20);
    clock.now += 0.99;
    expect(calls(budget, 100)).toBe(100);
  });

  test('measures from the first call of the turn, not from the turn before', () => {
    const { budget, clock } = clocked();
    calls(budget, 9);
    budget.renew();
    clock.now += 50;
    expect(calls(budget, 100)).toBe(100);
  });

  test('reads the clock once in eight calls', () => {
    const { budget, clock } = clocked();
    calls(budget, 80);
    expect(clock.reads).toBe(10);
  });

  test('spent by time stays spent until the next turn, though the clock stands still', () => {
    const { budget, clock } = clocked();
    calls(budget, 8);
    clock.now += 2;
    expect(calls(budget)).toBeLessThanOrEqual(8);
    expect(calls(budget)).toBe(0);
    budget.renew();
    expect(budget.left()).toBe(true);
  });

  test.each([
    ['single messages', 1, 256],
    ['batches', 64, 4],
  ])(
    'spent by %s is whole again when the turn of the loop has ended, told or not',
    (_what, size, count) => {
      const { budget, clock } = clocked();
      for (let i = 0; i < count; i++) {
        expect(budget.left()).toBe(true);
        budget.spend(size);
      }
      expect(budget.left()).toBe(false);
      for (const renew of clock.later.splice(0)) renew();
      expect(budget.left()).toBe(true);
    },
  );

  test('asks once for the end of a turn', () => {
    const { budget, clock } = clocked();
    calls(budget);
    calls(budget);
    expect(clock.later).toHaveLength(1);
    clock.later.pop()!();
    calls(budget);
    expect(clock.later).toHaveLength(1);
  });
});
