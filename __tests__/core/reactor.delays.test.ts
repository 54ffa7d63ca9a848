import { READ, WRITE } from '../../lib/core/handle';
import { EAGAIN, ENOBUFS, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const forEver = { answers: [ENOBUFS], passing: [ENOBUFS] };

/** The delays between the next so many tries. */
function delays(count: number): number[] {
  return Array.from({ length: count }, () => {
    const [delay] = world.loop.delays;
    world.loop.pass(delay);
    return delay;
  });
}

describe('a refusal that no event will end', () => {
  test('is waited out: 1 ms, doubling to 100 ms, with a try after each', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', forEver));
    expect(delays(10)).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 100]);
    expect(world.log.filter((what) => what === 'try w')).toHaveLength(11);
  });

  test('is waited out at the pace of the operation', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'accept', { ...forEver, pace: [5, 1000] }));
    expect(delays(10)).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  });

  test('arms nothing, and ends when the kernel takes the call', () => {
    const a = world.handle('a');
    const script = { answers: [ENOBUFS, ENOBUFS, 9], passing: [ENOBUFS] };
    world.start(world.operation(a, WRITE, 'w', script));
    world.loop.pass(3);
    expect(world.news).toEqual(['try w', 'reference 1', 'try w', 'try w', 'reference 0', 'w = 9']);
    expect(world.loop.delays).toEqual([]);
  });

  test('may be EAGAIN itself, where the kernel has no event for it', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 9], passing: [EAGAIN] }));
    world.loop.pass(1);
    expect(world.news).toEqual(['try w', 'reference 1', 'try w', 'reference 0', 'w = 9']);
  });

  test('turns into a wait for an event when the kernel says EAGAIN', () => {
    const a = world.handle('a');
    world.start(
      world.operation(a, WRITE, 'w', { answers: [ENOBUFS, EAGAIN, 9], passing: [ENOBUFS] }),
    );
    world.log.length = 0;
    world.loop.pass(1);
    expect(world.news).toEqual(['try w', 'arm a write']);
    expect(world.loop.delays).toEqual([]);
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['try w', 'w = 9']);
  });

  test('holds those behind it: writes keep their order', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, '1', { answers: [ENOBUFS, 1], passing: [ENOBUFS] }));
    world.start(world.operation(a, WRITE, '2', { passing: [ENOBUFS] }));
    world.log.length = 0;
    world.wake([a, WRITE]);
    expect(world.news).toEqual([]);
    world.loop.pass(1);
    expect(world.news).toEqual(['try 1', '1 = 1', 'try 2', 'reference 0', '2 = 1']);
  });

  test('does not hold the other direction', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', forEver));
    world.log.length = 0;
    world.start(world.operation(a, READ, 'r'));
    expect(world.news).toEqual(['try r', 'r = 1']);
  });

  test('of EAGAIN is waited out by those behind, too, where the kernel has refused somebody else before', () => {
    const a = world.handle('a');
    a.refuse(WRITE);
    world.start(world.operation(a, WRITE, 'w', { answers: [9], passing: [EAGAIN] }));
    world.loop.pass(1000);
    if (world.log.includes('arm a write')) world.wake([a, WRITE]);
    expect(world.log).toContain('w = 9');
  });

  test('keeps the process alive like any other wait, and not for an unreferenced socket', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    world.reactor.reference(b, false);
    world.start(world.operation(b, WRITE, 'wb', forEver));
    expect(world.loop.referencedTimers).toBe(0);
    world.start(world.operation(a, WRITE, 'wa', forEver));
    expect(world.loop.referencedTimers).toBe(1);
  });

  test('ends with the deadline of the call', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', forEver), { timeout: 20 });
    world.log.length = 0;
    world.loop.pass(20);
    expect(world.news.at(-1)).toBe('w failed: ERR_SOCKET_TIMEOUT');
    expect(world.loop.delays).toEqual([]);
  });
});
