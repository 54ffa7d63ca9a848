import { READ, WRITE } from '../../lib/core/handle';
import { EAGAIN, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const once = { answers: [EAGAIN, 1] };

/** The reference calls since the last look. */
const references = (): string[] => world.news.filter((what) => what.startsWith('reference'));

describe('promise 17: the process is kept alive', () => {
  test('by the first wait, until the last one ends: one call for each', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const waits = [a, b].flatMap((handle) =>
      ([READ, WRITE] as const).map((direction) =>
        world.start(world.operation(handle, direction, 'x', once))!,
      ),
    );
    expect(references()).toEqual(['reference 1']);
    for (const [i, waiting] of waits.entries()) {
      expect(references()).toEqual([]);
      expect(world.binding.keepsAlive).toBe(true);
      world.reactor.cancel(waiting, new Error('taken back'));
      if (i < waits.length - 1) expect(references()).toEqual([]);
    }
    expect(references()).toEqual(['reference 0']);
    expect(world.binding.keepsAlive).toBe(false);
  });

  test('by no call that is done at once', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r'));
    expect(references()).toEqual([]);
    expect(world.binding.keepsAlive).toBe(false);
  });

  test('by no wait of an unreferenced socket', () => {
    const a = world.handle('a');
    world.reactor.reference(a, false);
    world.start(world.operation(a, READ, 'r', once));
    expect(references()).toEqual([]);
    world.wake([a, READ]);
    expect(references()).toEqual([]);
    expect(world.binding.keepsAlive).toBe(false);
  });

  test('no longer when a socket that waits is unreferenced, and again when it is referenced', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', once));
    world.start(world.operation(a, WRITE, 'w', once));
    expect(references()).toEqual(['reference 1']);
    world.reactor.reference(a, false);
    world.reactor.reference(a, false);
    expect(references()).toEqual(['reference 0']);
    world.reactor.reference(a, true);
    world.reactor.reference(a, true);
    expect(references()).toEqual(['reference 1']);
    world.wake([a, READ | WRITE]);
    expect(world.binding.keepsAlive).toBe(false);
  });

  test('within a wake-up by what is in the shared memory at its end, with no call', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r1', once), undefined, () => {
      expect(world.binding.keepsAlive).toBe(false);
      world.start(world.operation(a, READ, 'r2', once));
    });
    expect(references()).toEqual(['reference 1']);
    world.wake([a, READ]);
    expect(references()).toEqual([]);
    expect(world.binding.keepsAlive).toBe(true);
  });

  test('no longer by a socket that is closed', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    world.start(world.operation(a, READ, 'r', once));
    world.start(world.operation(a, WRITE, 'w', once));
    world.start(world.operation(b, READ, 'r', once));
    references();
    world.reactor.close(a);
    expect(references()).toEqual([]);
    world.reactor.close(b);
    expect(references()).toEqual(['reference 0']);
    world.reactor.reference(b, false);
    world.reactor.reference(b, true);
    expect(references()).toEqual([]);
  });

  test('no longer by an unreferenced socket that is closed: it was not counted', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    world.start(world.operation(b, READ, 'r', once));
    world.reactor.reference(a, false);
    world.start(world.operation(a, READ, 'r', once));
    world.reactor.close(a);
    expect(world.binding.keepsAlive).toBe(true);
  });
});
