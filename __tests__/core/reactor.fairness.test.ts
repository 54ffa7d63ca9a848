import { READ, WRITE, type Handle } from '../../lib/core/handle';
import { EAGAIN, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const MESSAGES = 256;

/** Reads without end, each time at once when the one before was served, as a subscriber does. */
function flood(handle: Handle, name: string, answers = [1]): { served: number } {
  const count = { served: 0 };
  const next = (): void => {
    world.start(world.operation(handle, READ, name, { answers }), undefined, () => {
      count.served++;
      next();
    });
  };
  next();
  return count;
}

function queueUp(handle: Handle, count: number): { served: number } {
  const done = { served: 0 };
  for (let i = 0; i < count; i++) {
    const reading = world.operation(handle, READ, 'r', { answers: i === 0 ? [EAGAIN, 1] : [1] });
    world.start(reading, undefined, () => {
      done.served++;
    });
  }
  return done;
}

describe('promise 12: a wake-up', () => {
  test('does the work of 256 messages, and leaves the rest to the next turn of the loop', () => {
    const a = world.handle('a');
    const done = queueUp(a, MESSAGES + 100);
    world.wake([a, READ]);
    expect(done.served).toBe(MESSAGES);
    world.loop.turn();
    expect(done.served).toBe(MESSAGES + 100);
  });

  test('loses nothing of what it leaves: it goes on without another event', () => {
    const a = world.handle('a');
    const done = queueUp(a, 3 * MESSAGES + 7);
    world.wake([a, READ]);
    for (const served of [2 * MESSAGES, 3 * MESSAGES, 3 * MESSAGES + 7]) {
      world.loop.turn();
      expect(done.served).toBe(served);
    }
  });

  test('lasts about a millisecond where calls are slow', () => {
    const a = world.handle('a');
    let served = 0;
    for (let i = 0; i < 100; i++) {
      const reading = world.operation(a, READ, 'r', { answers: i === 0 ? [EAGAIN, 1] : [1] });
      world.start(reading, undefined, () => {
        served++;
        world.loop.now += 0.3;
      });
    }
    world.wake([a, READ]);
    expect(served).toBeLessThanOrEqual(16);
    for (let turn = 0; turn < 20; turn++) world.loop.turn();
    expect(served).toBe(100);
  });

  test('counts what an operation has spent beyond its own call', () => {
    const a = world.handle('a');
    let served = 0;
    for (let i = 0; i < 20; i++) {
      const attempting = (): void => {
        world.reactor.spend(63);
      };
      const answers = i === 0 ? [EAGAIN, 64] : [64];
      world.start(
        world.operation(a, READ, 'r', { answers, attempting }),
        undefined,
        () => served++,
      );
    }
    world.wake([a, READ]);
    expect(served).toBeLessThanOrEqual(4);
  });

  test('of few events has one budget for all of them', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const done = [queueUp(a, 200), queueUp(b, 200)];
    world.wake([a, READ], [b, READ]);
    expect(done[0].served + done[1].served).toBe(MESSAGES);
    world.loop.turn();
    expect(done[0].served + done[1].served).toBe(400);
  });

  test('begins with a budget of its own', () => {
    const a = world.handle('a');
    const done = queueUp(a, 2 * MESSAGES);
    world.wake([a, READ]);
    world.wake([a, READ]);
    expect(done.served).toBe(2 * MESSAGES);
  });
});

describe('promise 12: when the budget is spent', () => {
  test('a call made then makes its system call after whoever was before it', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    flood(a, 'flood');
    world.log.length = 0;
    world.start(world.operation(b, WRITE, 'w'));
    expect(world.news).not.toContain('try w');
    world.loop.turn();
    world.loop.turn();
    expect(world.news).toContain('try w');
  });

  test('all calls of a socket that was put off get their turn together', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    flood(a, 'flood');
    for (let i = 0; i < 10; i++) world.start(world.operation(b, WRITE, 'w'));
    world.reactor.close(a);
    world.log.length = 0;
    world.loop.turn();
    expect(world.news.filter((what) => what === 'try w')).toHaveLength(10);
  });

  test('no flood takes the turn of another socket', () => {
    const [a, b, c] = [world.handle('a'), world.handle('b'), world.handle('c')];
    const others = [queueUp(b, 3), queueUp(c, 3)];
    const flooded = flood(a, 'flood');
    world.wake([a, READ], [b, READ], [c, READ]);
    for (let turn = 0; turn < 4; turn++) world.loop.turn();
    expect(others.map(({ served }) => served)).toEqual([3, 3]);
    expect(flooded.served).toBeGreaterThan(MESSAGES);
  });

  test('two floods get equal shares', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const counts = [flood(a, 'fa'), flood(b, 'fb')];
    for (let turn = 0; turn < 20; turn++) world.loop.turn();
    const [most, least] = counts.map(({ served }) => served).sort((x, y) => y - x);
    expect(most - least).toBeLessThanOrEqual(2 * MESSAGES);
  });

  test('a socket that was closed before its turn gets none', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    flood(a, 'flood');
    world.start(world.operation(b, WRITE, 'w'));
    world.reactor.close(b);
    world.reactor.close(a);
    world.log.length = 0;
    world.loop.turn();
    expect(world.news).toEqual([]);
  });

  test('a call that was put off and is refused in its turn waits for an event', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    flood(a, 'flood');
    world.start(world.operation(b, READ, 'r', { answers: [EAGAIN, 1] }));
    world.reactor.close(a);
    world.log.length = 0;
    world.loop.turn();
    expect(world.news).toEqual(['try r', 'arm b read']);
    world.wake([b, READ]);
    expect(world.news).toEqual(['try r', 'r = 1']);
  });

  test('a call that was put off waits for an event where somebody else drained the socket meanwhile', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    flood(a, 'flood');
    world.start(world.operation(b, READ, 'r', { answers: [1] }));
    world.reactor.close(a);
    b.drained();
    world.log.length = 0;
    world.loop.turn();
    expect(world.news).toEqual(['arm b read']);
    world.wake([b, READ]);
    expect(world.news).toEqual(['try r', 'r = 1']);
  });
});

describe('an operation that stops for fairness', () => {
  test('goes on in the next turn, without an event', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { unfinished: 2, answers: [0, 0, 5] }));
    expect(world.news).toEqual(['try r', 'reference 1']);
    world.loop.turn();
    expect(world.news).toEqual(['try r']);
    world.loop.turn();
    expect(world.news).toEqual(['try r', 'reference 0', 'r = 5']);
  });

  test('waits for an event as soon as the kernel refuses', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { unfinished: 1, answers: [0, EAGAIN, 5] }));
    world.log.length = 0;
    world.loop.turn();
    expect(world.news).toEqual(['try r', 'arm a read']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['try r', 'r = 5']);
  });

  test('keeps its place before those who came later', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, '1', { unfinished: 1, answers: [0, 1] }));
    world.start(world.operation(a, READ, '2'));
    world.log.length = 0;
    world.loop.turn();
    expect(world.news.filter((what) => !what.startsWith('reference'))).toEqual([
      'try 1',
      '1 = 1',
      'try 2',
      '2 = 1',
    ]);
  });
});

describe('the next turn', () => {
  test('keeps the process alive while a referenced call waits for it', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { unfinished: 1 }));
    expect(world.loop.immediates.some(({ referenced }) => referenced)).toBe(true);
  });

  // An immediate that is unref'd does not wake a loop that others keep alive: it would wait for their events.
  test('of an unreferenced call keeps no process alive, and still comes in a loop that others do', () => {
    const a = world.handle('a');
    world.reactor.reference(a, false);
    world.start(world.operation(a, READ, 'r', { unfinished: 1 }));
    expect(world.loop.immediates.some(({ referenced }) => referenced)).toBe(false);
    const comesByItself =
      world.loop.delays.length > 0 || world.log.some((what) => what.startsWith('arm'));
    expect(comesByItself).toBe(true);
    expect(world.loop.referencedTimers).toBe(0);
  });
});
