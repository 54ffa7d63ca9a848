import { LANE, READ, WRITE } from '../../lib/core/handle';
import { EAGAIN, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const full = (lane: string, ...answers: number[]) => ({ lane, answers, passing: [EAGAIN] });

describe('lanes', () => {
  test('promise 1: who waits for one thing does not hold those who want another', () => {
    const a = world.handle('a');
    world.start(world.operation(a, LANE, 'to full', full('full', EAGAIN, 1)));
    world.news.length = 0;
    world.start(world.operation(a, LANE, 'to other', full('other', 2)));
    world.start(world.operation(a, WRITE, 'w', { answers: [3] }));
    expect(world.news).toEqual(['try to other', 'to other = 2', 'try w', 'w = 3']);
  });

  test('those who want the same go one after the other', () => {
    const a = world.handle('a');
    world.start(world.operation(a, LANE, 'first', full('full', EAGAIN, 1)));
    world.start(world.operation(a, LANE, 'second', full('full', 2)));
    expect(world.news).toEqual(['try first', 'reference 1']);
    world.loop.pass(1);
    expect(world.news).toEqual([
      'try first',
      'first = 1',
      'try second',
      'reference 0',
      'second = 2',
    ]);
  });

  test('close rejects those who wait in them', () => {
    const a = world.handle('a');
    world.start(world.operation(a, LANE, 'x', full('x', EAGAIN)));
    world.start(world.operation(a, LANE, 'y', full('y', EAGAIN)));
    world.news.length = 0;
    world.reactor.close(a);
    expect(world.news).toEqual([
      'reference 0',
      'x failed: ERR_SOCKET_CLOSED',
      'y failed: ERR_SOCKET_CLOSED',
      'close a',
    ]);
    world.loop.pass(1000);
    expect(world.news).toEqual([]);
  });

  test('a delay keeps the process alive as its socket does, also when that changes meanwhile', () => {
    const a = world.handle('a');
    world.reactor.reference(a, false);
    world.start(world.operation(a, LANE, 'x', full('x', EAGAIN, 1)));
    expect(world.loop.referencedTimers).toBe(0);
    world.reactor.reference(a, true);
    expect(world.loop.referencedTimers).toBe(1);
    world.reactor.reference(a, false);
    expect(world.loop.referencedTimers).toBe(0);
  });
});

test('an EAGAIN that is about a queue of its own leaves the direction worth trying', () => {
  const a = world.handle('a');
  world.reactor.now(world.operation(a, READ, 'aside', { answers: [EAGAIN], conclusive: false }));
  expect(a.worthTrying(READ)).toBe(true);
  world.reactor.now(world.operation(a, READ, 'r', { answers: [EAGAIN] }));
  expect(a.worthTrying(READ)).toBe(false);
});

test('promise 6: a call that does not wait goes before nobody who does', () => {
  const a = world.handle('a');
  world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
  world.news.length = 0;
  expect(world.reactor.now(world.operation(a, WRITE, 'try', { answers: [5] }))).toBeNull();
  expect(world.news).toEqual([]);
  world.wake([a, WRITE]);
  expect(world.reactor.now(world.operation(a, WRITE, 'try', { answers: [5] }))).toBe(5);
});

test('an attempt that throws fails its caller alone: the rest of the batch is served', () => {
  const [a, b] = [world.handle('a'), world.handle('b')];
  let tries = 0;
  const attempting = (): void => {
    if (tries++ > 0) throw Object.assign(new Error('impossible'), { code: 'IMPOSSIBLE' });
  };
  world.start(world.operation(a, READ, 'broken', { answers: [EAGAIN], attempting }));
  world.start(world.operation(a, READ, 'behind', { answers: [1] }));
  world.start(world.operation(b, READ, 'other', { answers: [EAGAIN, 2] }));
  world.news.length = 0;
  world.wake([a, READ], [b, READ]);
  expect(world.news).toEqual([
    'try broken',
    'broken failed: IMPOSSIBLE',
    'try behind',
    'behind = 1',
    'try other',
    'other = 2',
  ]);
});

test('the value is taken before the signal hears that the call is over', () => {
  const a = world.handle('a');
  const signal = Object.assign(new EventTarget(), {
    aborted: false,
    removeEventListener: () => void world.log.push('left'),
  });
  const valuing = (): void => void world.log.push('value');
  world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1], valuing }), {
    signal: signal as never,
  });
  world.news.length = 0;
  world.wake([a, READ]);
  expect(world.news).toEqual(['try r', 'value', 'left', 'r = 1']);
});
