import { READ, WATCH, WRITE } from '../../lib/core/handle';
import { EAGAIN, ENOBUFS, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const waits = { answers: [EAGAIN] };
const watches = { answers: [EAGAIN], interest: READ };

describe('promise 4: close', () => {
  test('rejects all who wait with ERR_SOCKET_CLOSED before the descriptor is released', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WATCH, 'p', watches));
    world.start(world.operation(a, WRITE, 'w1', waits));
    world.start(world.operation(a, READ, 'r1', waits));
    world.start(world.operation(a, READ, 'r2', waits));
    world.start(world.operation(a, WRITE, 'w2', waits));
    world.log.length = 0;
    world.reactor.close(a);
    expect(world.news).toEqual([
      'reference 0',
      'r1 failed: ERR_SOCKET_CLOSED',
      'r2 failed: ERR_SOCKET_CLOSED',
      'w1 failed: ERR_SOCKET_CLOSED',
      'w2 failed: ERR_SOCKET_CLOSED',
      'p failed: ERR_SOCKET_CLOSED',
      'close a',
    ]);
    expect(a.closed).toBe(true);
  });

  test('does so even if every handler throws, and loses none of their errors', () => {
    const a = world.handle('a');
    const errors = [new Error('first'), new Error('second'), new Error('third')];
    for (const [i, direction] of ([READ, READ, WRITE] as const).entries()) {
      world.start(world.operation(a, direction, `x${i}`, waits), undefined, () => {
        throw errors[i];
      });
    }
    world.log.length = 0;
    world.reactor.close(a);
    expect(world.news).toEqual([
      'reference 0',
      'x0 failed: ERR_SOCKET_CLOSED',
      'x1 failed: ERR_SOCKET_CLOSED',
      'x2 failed: ERR_SOCKET_CLOSED',
      'close a',
    ]);
    expect(world.uncaught).toEqual(errors);
  });

  test('takes the token away: nothing later can touch a descriptor that has the number anew', () => {
    const a = world.handle('a');
    world.reactor.close(a);
    expect(a.token).toBe(-1);
    world.log.length = 0;
    world.start(world.operation(a, READ, 'r'));
    world.start(world.operation(a, WATCH, 'p'));
    expect(world.news).toEqual(['r failed: ERR_SOCKET_CLOSED', 'p failed: ERR_SOCKET_CLOSED']);
  });

  test('again does nothing, also from a handler that the first one calls', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits), undefined, () => {
      world.reactor.close(a);
    });
    world.log.length = 0;
    world.reactor.close(a);
    world.reactor.close(a);
    expect(world.news).toEqual(['reference 0', 'r failed: ERR_SOCKET_CLOSED', 'close a']);
  });

  test('rejects a call that a handler makes while it closes', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits), undefined, () => {
      world.start(world.operation(a, READ, 'late'));
    });
    world.log.length = 0;
    world.reactor.close(a);
    expect(world.news).toEqual([
      'reference 0',
      'r failed: ERR_SOCKET_CLOSED',
      'late failed: ERR_SOCKET_CLOSED',
      'close a',
    ]);
  });

  test('settles a call once that the handler of another one takes back', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    world.start(world.operation(a, READ, 'r1', waits), undefined, () => {
      world.reactor.cancel(second, new Error('taken back'));
    });
    const second = world.start(world.operation(a, READ, 'r2', waits))!;
    world.log.length = 0;
    world.reactor.close(a);
    expect(world.news.filter((what) => what.startsWith('r2'))).toHaveLength(1);
    expect(a.waiting).toBe(0);
    // Who is counted wrong here keeps the process alive for ever, or not at all.
    expect(world.binding.keepsAlive).toBe(false);
    world.start(world.operation(b, READ, 'r', waits));
    expect(world.binding.keepsAlive).toBe(true);
    expect(world.news).toContain('reference 1');
  });

  test('of a socket in the middle of its own batch ends it there', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r1', { answers: [EAGAIN, 1] }), undefined, () => {
      world.reactor.close(a);
    });
    world.start(world.operation(a, READ, 'r2'));
    world.start(world.operation(a, WRITE, 'w', waits));
    world.log.length = 0;
    world.wake([a, READ | WRITE]);
    expect(world.news).toEqual([
      'try r1',
      'r1 = 1',
      'r2 failed: ERR_SOCKET_CLOSED',
      'w failed: ERR_SOCKET_CLOSED',
      'close a',
    ]);
  });

  test('ends delays and deadlines', () => {
    const a = world.handle('a');
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    const passing = { answers: [ENOBUFS], passing: [ENOBUFS] };
    world.start(world.operation(a, WRITE, 'w', passing), { signal, timeout: 50 });
    expect(world.loop.delays).toHaveLength(2);
    world.reactor.close(a);
    expect(world.loop.delays).toEqual([]);
    expect(remove).toHaveBeenCalledTimes(1);
  });
});

describe('detach', () => {
  test('rejects those who wait, too, and gives what the binding gave', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits));
    world.log.length = 0;
    world.binding.released = 33;
    expect(world.reactor.detach(a)).toBe(33);
    expect(world.news).toEqual(['reference 0', 'r failed: ERR_SOCKET_CLOSED', 'detach a']);
    expect(a.closed).toBe(true);
    expect(a.token).toBe(-1);
  });
});

describe('expel', () => {
  test('ends one direction, in its order, with the errors it is given', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r1', waits));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, READ, 'r2', waits));
    world.log.length = 0;
    world.reactor.expel(a.readers, ({ syscall }) => Object.assign(new Error(), { code: syscall }));
    expect(world.news).toEqual(['r1 failed: r1', 'r2 failed: r2']);
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['try w', 'w = 1']);
  });
});
