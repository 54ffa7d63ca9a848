import { READ, WATCH, WRITE } from '../../lib/core/handle';
import { DISARMED, PRIORITY } from '../../lib/native/binding';
import { EAGAIN, ECONNRESET, World, token } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('an event', () => {
  test('of a token that nobody has is dropped', () => {
    world.wake([token(700), READ], [-1, READ], [0, READ]);
    expect(world.news).toEqual([]);
  });

  test("of an earlier generation of a socket's place is dropped", () => {
    const a = world.handle('a', token(3, 2));
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([token(3, 1), READ], [token(3, 3), READ]);
    expect(world.news).toEqual([]);
    world.wake([token(3, 2), READ]);
    expect(world.news).toEqual(['try r', 'r = 1']);
  });

  test('of a closed socket is dropped', () => {
    const a = world.handle('a');
    const stale = a.token;
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }));
    world.reactor.close(a);
    world.log.length = 0;
    world.wake([stale, READ], [-1, READ]);
    expect(world.news).toEqual([]);
  });

  test('of a socket that a handler of the same batch closed is dropped', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    world.start(world.operation(b, READ, 'rb', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, READ, 'ra', { answers: [EAGAIN, 1] }), undefined, () => {
      world.reactor.close(b);
    });
    world.log.length = 0;
    world.wake([a, READ], [b, READ]);
    expect(world.news).toEqual(['try ra', 'ra = 1', 'rb failed: ERR_SOCKET_CLOSED', 'close b']);
  });

  test('of a place with a new tenant, adopted in the same batch, reaches no old one', () => {
    const a = world.handle('a', token(5, 1));
    world.start(world.operation(a, READ, 'old', { answers: [EAGAIN, 1] }));
    world.reactor.close(a);
    const b = world.handle('b', token(5, 2));
    world.start(world.operation(b, READ, 'new', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([token(5, 1), READ]);
    expect(world.news).toEqual([]);
  });
});

describe('a batch', () => {
  test('of few events lets each handler send before the next one reads', () => {
    const handles = ['a', 'b', 'c'].map((name) => world.handle(name));
    for (const [i, handle] of handles.entries()) {
      const reading = world.operation(handle, READ, `r${i}`, { answers: [EAGAIN, 1] });
      world.start(reading, undefined, () => {
        world.start(world.operation(handle, WRITE, `w${i}`));
      });
    }
    world.log.length = 0;
    world.wake(...handles.map((handle) => [handle, READ] as const));
    const each = (i: number): string[] => [`try r${i}`, `r${i} = 1`, `try w${i}`, `w${i} = 1`];
    expect(world.news).toEqual([...each(0), ...each(1), ...each(2)]);
  });

  test('of many events serves each of them, in their order', () => {
    const handles = Array.from({ length: 40 }, (_, i) => world.handle(String(i)));
    for (const [i, handle] of handles.entries()) {
      world.start(world.operation(handle, READ, `r${i}`, { answers: [EAGAIN, 1] }));
    }
    world.log.length = 0;
    world.wake(...handles.map((handle) => [handle, READ] as const));
    expect(world.news).toEqual(handles.flatMap((_, i) => [`try r${i}`, `r${i} = 1`]));
  });
});

describe('promise 17: an edge that nobody waits for', () => {
  test('is the last one: it disarms, once', () => {
    const a = world.handle('a');
    const waiting = world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }))!;
    world.reactor.cancel(waiting, new Error('enough'));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['disarm a']);
    world.wake([a, READ]);
    expect(world.news).toEqual([]);
  });

  test('is remembered: the next call is tried, and arms again when it has to wait', () => {
    const a = world.handle('a');
    const waiting = world.start(world.operation(a, READ, 'r1', { answers: [EAGAIN] }))!;
    world.reactor.cancel(waiting, new Error('enough'));
    world.wake([a, READ]);
    world.log.length = 0;
    world.start(world.operation(a, READ, 'r2'));
    world.start(world.operation(a, READ, 'r3', { answers: [EAGAIN, 1] }));
    expect(world.news).toEqual(['try r2', 'r2 = 1', 'try r3', 'reference 1', 'arm a read']);
  });

  test('does not disarm what somebody waits for in the other direction', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual([]);
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['try w', 'w = 1']);
  });

  test('of room to write is the last one of its kind beside a reader', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.binding.armed = [READ];
    world.log.length = 0;
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['arm a read|priority']);
    world.wake([a, WRITE]);
    expect(world.news).toEqual([]);
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    expect(world.news).toEqual(['try w', 'arm a read|write']);
  });

  test('of room to write is kept for a watcher of it, and where it costs a registration only', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const watch = { answers: [EAGAIN, EAGAIN], interest: WRITE };
    world.start(world.operation(a, WATCH, 'p', watch));
    b.company = READ | WRITE;
    world.start(world.operation(b, READ, 'r', { answers: [EAGAIN] }));
    world.log.length = 0;
    world.wake([a, WRITE], [b, WRITE]);
    expect(world.news).toEqual(['try p']);
  });

  test('of a socket that never waited makes no call at all', () => {
    const a = world.handle('a');
    world.wake([a, READ]);
    expect(world.news).toEqual([]);
  });

  test('that the poller has disarmed by itself is not disarmed again', () => {
    const a = world.handle('a');
    const waiting = world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }))!;
    world.reactor.cancel(waiting, new Error('enough'));
    world.log.length = 0;
    world.wake([a, READ | DISARMED]);
    expect(world.news).toEqual([]);
  });
});

describe('a poller that reports once per arming', () => {
  test('is armed again by whoever has to wait on', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([a, READ | DISARMED]);
    expect(world.news).toEqual(['try r', 'arm a read']);
  });

  test('is armed again for a writer after it has reported to a reader', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([a, READ | DISARMED]);
    expect(world.news).toContain('arm a write');
    world.wake([a, WRITE | DISARMED]);
    expect(world.news).toEqual(['try w', 'w = 1']);
  });
});

describe('arming that fails', () => {
  const EPERM = -1;

  test('fails the operation that has to wait, with what epoll_ctl(2) said', async () => {
    const a = world.handle('a');
    world.binding.armed = [EPERM];
    const promise = world.reactor.perform(world.operation(a, READ, 'r', { answers: [EAGAIN] }));
    await expect(promise).rejects.toMatchObject({ code: 'EPERM', syscall: 'epoll_ctl' });
    expect(world.news).toEqual(['try r', 'reference 1', 'arm a read', 'reference 0']);
    expect(a.waiting).toBe(0);
  });

  test('once leaves the next operation its own try', () => {
    const a = world.handle('a');
    world.binding.armed = [EPERM];
    world.start(world.operation(a, READ, 'r1', { answers: [EAGAIN] }));
    world.log.length = 0;
    world.start(world.operation(a, READ, 'r2', { answers: [1] }));
    expect(world.news).toEqual(['reference 1', 'arm a read']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['try r2', 'r2 = 1']);
  });

  test('in a wake-up costs the rest of the batch nothing, even if the handler throws', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const oops = new Error('oops');
    world.start(world.operation(a, READ, 'ra', { answers: [EAGAIN] }), undefined, () => {
      throw oops;
    });
    world.start(world.operation(b, READ, 'rb', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.binding.armed = [EPERM];
    world.wake(
      [a, READ | DISARMED],
      [b, READ],
      ...Array.from({ length: 8 }, () => [token(900), READ] as const),
    );
    expect(world.news).toEqual(['try ra', 'arm a read', 'ra failed: EPERM', 'try rb', 'rb = 1']);
    expect(world.uncaught).toEqual([oops]);
  });
});

describe('a handler that throws', () => {
  test('loses neither the rest of its batch nor its error', () => {
    const handles = Array.from({ length: 12 }, (_, i) => world.handle(String(i)));
    const errors = [new Error('first'), new Error('second')];
    for (const [i, handle] of handles.entries()) {
      const reading = world.operation(handle, READ, `r${i}`, { answers: [EAGAIN, 1] });
      world.start(reading, undefined, () => {
        if (i < errors.length) throw errors[i];
      });
    }
    world.log.length = 0;
    world.wake(...handles.map((handle) => [handle, READ] as const));
    expect(world.news).toEqual(handles.flatMap((_, i) => [`try r${i}`, `r${i} = 1`]));
    expect(world.uncaught).toEqual(errors);
  });

  test('leaves those who wait behind it on the same socket their turn', () => {
    const a = world.handle('a');
    world.start(
      world.operation(a, READ, 'r1', { answers: [EAGAIN, ECONNRESET] }),
      undefined,
      () => {
        throw new Error('oops');
      },
    );
    world.start(world.operation(a, READ, 'r2'));
    world.start(world.operation(a, WATCH, 'p', { answers: [EAGAIN, 1], interest: PRIORITY }));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual([
      'try p',
      'p = 1',
      'try r1',
      'r1 failed: ECONNRESET',
      'try r2',
      'r2 = 1',
    ]);
    expect(world.uncaught).toHaveLength(1);
  });
});

describe('a value that cannot be made', () => {
  const oops = new Error('oops');

  test.each([
    ['at once', [1]],
    ['after a wait', [EAGAIN, 1]],
  ])('rejects its call, which was done %s', async (_when, answers) => {
    const a = world.handle('a');
    const reading = world.operation(a, READ, 'r', { answers });
    jest.spyOn(reading, 'value').mockImplementation(() => {
      throw oops;
    });
    let outcome: unknown;
    world.reactor.perform(reading).catch((error: unknown) => {
      outcome = error;
    });
    world.wake([a, READ]);
    await Promise.resolve();
    await Promise.resolve();
    expect(outcome).toBe(oops);
    expect(world.uncaught).toEqual([]);
  });
});
