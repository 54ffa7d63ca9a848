import { READ, WATCH, WRITE } from '../../lib/core/handle';
import { ERROR, HANGUP, PEER_CLOSED, PRIORITY } from '../../lib/native/binding';
import { EAGAIN, ECONNRESET, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('promise 1: try first', () => {
  test('a call that can be done at once is one system call and nothing else', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [5] }));
    expect(world.news).toEqual(['try r', 'r = 5']);
  });

  test('a promise is settled by a system call made before perform() returns', async () => {
    const a = world.handle('a');
    const promise = world.reactor.perform(world.operation(a, READ, 'r', { answers: [5] }));
    expect(world.news).toEqual(['try r']);
    await expect(promise).resolves.toBe(5);
  });

  test('a call that fails at once fails with its error, and waits for nothing', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', { answers: [ECONNRESET] }));
    expect(world.news).toEqual(['try w', 'w failed: ECONNRESET']);
  });

  test('try → EAGAIN → wait → try: in this order, once each', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 7] }));
    expect(world.news).toEqual(['try r', 'reference 1', 'arm a read']);
    world.wake([a, READ]);
    // Within a wake-up the core looks at the count itself.
    expect(world.news).toEqual(['try r', 'r = 7']);
    expect(world.binding.keepsAlive).toBe(false);
  });

  test('readiness is a hint: a call that the kernel refuses again waits again, without arming again', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, EAGAIN, EAGAIN, 7] }));
    world.wake([a, READ]);
    world.wake([a, READ]);
    world.wake([a, READ]);
    expect(world.news).toEqual([
      'try r',
      'reference 1',
      'arm a read',
      'try r',
      'try r',
      'try r',
      'r = 7',
    ]);
  });

  test('a direction that the kernel has refused is spared the blind try until an event', () => {
    const a = world.handle('a');
    const first = world.start(world.operation(a, READ, 'r1', { answers: [EAGAIN] }))!;
    world.reactor.cancel(first, new Error('enough'));
    world.log.length = 0;
    world.start(world.operation(a, READ, 'r2'));
    expect(world.news).toEqual(['reference 1']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['try r2', 'r2 = 1']);
  });

  test('a direction that was refused says nothing about the other one', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }));
    world.log.length = 0;
    world.start(world.operation(a, WRITE, 'w'));
    expect(world.news).toEqual(['try w', 'w = 1']);
  });

  test('one registration serves both directions where the poller reports on both', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    expect(world.news).toEqual(['try r', 'reference 1', 'arm a read', 'try w']);
  });

  test('a poller that reports only on what was asked is asked for the rest', () => {
    const a = world.handle('a');
    world.binding.armed = [READ, READ | WRITE];
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    const news = ['try r', 'reference 1', 'arm a read', 'try w', 'arm a read|write'];
    expect(world.news).toEqual(news);
  });

  test('an operation may wait for other readiness than its direction', () => {
    const a = world.handle('a');
    world.start(
      world.operation(a, WATCH, 'p', { answers: [EAGAIN, 4], interest: READ | PRIORITY }),
    );
    expect(world.news).toEqual(['try p', 'reference 1', 'arm a read|priority']);
    world.wake([a, PRIORITY]);
    expect(world.news).toEqual(['try p', 'p = 4']);
  });

  test('holds for a call made long after the last event: its turn is a new one', () => {
    const a = world.handle('a');
    for (let i = 0; i < 20; i++) {
      world.start(world.operation(a, WRITE, 'w'));
      expect(world.news).toEqual(['try w', 'w = 1']);
      world.loop.turn();
      world.loop.pass(1000);
    }
  });

  test('holds for the 257th call as for the first, where each is made in a turn of its own', () => {
    const a = world.handle('a');
    for (let i = 0; i < 600; i++) {
      world.start(world.operation(a, WRITE, 'w'));
      expect(world.news).toEqual(['try w', 'w = 1']);
      world.loop.turn();
    }
  });

  test('holds for the fifth batch as for the first, where each is sent in a turn of its own', () => {
    const a = world.handle('a');
    const attempting = (): void => {
      world.reactor.spend(63);
    };
    for (let i = 0; i < 20; i++) {
      world.start(world.operation(a, WRITE, 'w', { attempting }));
      expect(world.news).toEqual(['try w', 'w = 1']);
      world.loop.turn();
    }
  });
});

describe('readers and writers', () => {
  test.each([
    ['readers', READ],
    ['writers', WRITE],
  ] as const)(
    '%s are served first come, first served, as far as one event goes',
    (_who, direction) => {
      const a = world.handle('a');
      world.start(world.operation(a, direction, '1', { answers: [EAGAIN, 1] }));
      world.start(world.operation(a, direction, '2', { answers: [2] }));
      world.start(world.operation(a, direction, '3', { answers: [EAGAIN, 3] }));
      world.start(world.operation(a, direction, '4', { answers: [4] }));
      world.log.length = 0;
      world.wake([a, direction]);
      expect(world.news).toEqual(['try 1', '1 = 1', 'try 2', '2 = 2', 'try 3']);
      world.wake([a, direction]);
      expect(world.news).toEqual(['try 3', '3 = 3', 'try 4', '4 = 4']);
    },
  );

  test('one that comes while others wait makes no call before them', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, '1', { answers: [EAGAIN, 1] }));
    a.forget();
    world.log.length = 0;
    world.start(world.operation(a, READ, '2'));
    expect(world.news).toEqual([]);
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 = 1', 'try 2', '2 = 1']);
  });

  test('one that fails leaves the next one its turn', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, '1', { answers: [EAGAIN, ECONNRESET] }));
    world.start(world.operation(a, READ, '2', { answers: [0] }));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 failed: ECONNRESET', 'try 2', '2 = 0']);
  });

  test('one that was started by the handler of the one before goes behind those who wait', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, '1', { answers: [EAGAIN, 1] }), undefined, () => {
      world.start(world.operation(a, READ, '3'));
    });
    world.start(world.operation(a, READ, '2'));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 = 1', 'try 2', '2 = 1', 'try 3', '3 = 1']);
  });

  test('readers go before writers, and both after one event for both', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([a, READ | WRITE]);
    expect(world.news).toEqual(['try r', 'r = 1', 'try w', 'w = 1']);
  });

  test('an event for one direction makes no call of the other', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, 1] }));
    world.log.length = 0;
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['try w', 'w = 1']);
  });
});

describe('watchers', () => {
  test('look for themselves, one beside the other, at every event', () => {
    const a = world.handle('a');
    world.start(world.operation(a, WATCH, '1', { answers: [EAGAIN, EAGAIN, 1], interest: READ }));
    world.start(world.operation(a, WATCH, '2', { answers: [EAGAIN, 4], interest: WRITE }));
    expect(world.news).toEqual(['try 1', 'reference 1', 'arm a read', 'try 2']);
    world.wake([a, WRITE]);
    expect(world.news).toEqual(['try 1', 'try 2', '2 = 4']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 = 1']);
  });

  test('look before readers, who take along what there is to see', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 5] }));
    world.start(world.operation(a, WATCH, 'p', { answers: [EAGAIN, 1], interest: READ }));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['try p', 'p = 1', 'try r', 'r = 5']);
  });

  test('of which one takes back another leave the third its turn', () => {
    const a = world.handle('a');
    const script = { answers: [EAGAIN, 1], interest: READ };
    world.start(world.operation(a, WATCH, '1', script), undefined, () => {
      world.reactor.cancel(second, new Error('enough'));
    });
    const second = world.start(world.operation(a, WATCH, '2', script))!;
    world.start(world.operation(a, WATCH, '3', script));
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 = 1', '2 failed: no code', 'try 3', '3 = 1']);
  });
});

describe('promise 9: errors reach both directions', () => {
  test.each([
    ['an error', ERROR],
    ['a hang-up', HANGUP],
  ])('%s lets a reader and a writer find out by their own calls', (_what, readiness) => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, ECONNRESET] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN, -32] }));
    world.log.length = 0;
    world.wake([a, readiness]);
    expect(world.news).toEqual(['try r', 'r failed: ECONNRESET', 'try w', 'w failed: EPIPE']);
  });

  test('an error that nobody waits for is not lost: later calls are tried', () => {
    const a = world.handle('a');
    const [r, w] = [
      world.start(world.operation(a, READ, 'r', { answers: [EAGAIN] }))!,
      world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN] }))!,
    ];
    for (const each of [r, w]) world.reactor.cancel(each, new Error('enough'));
    world.wake([a, ERROR]);
    world.log.length = 0;
    world.start(world.operation(a, WRITE, 'w2', { answers: [ECONNRESET] }));
    world.start(world.operation(a, READ, 'r2', { answers: [0] }));
    expect(world.news).toEqual(['try w2', 'w2 failed: ECONNRESET', 'try r2', 'r2 = 0']);
  });

  test("the peer's end wakes readers alone", () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 0] }));
    world.start(world.operation(a, WRITE, 'w', { answers: [EAGAIN] }));
    world.log.length = 0;
    world.wake([a, PEER_CLOSED]);
    expect(world.news).toEqual(['try r', 'r = 0']);
  });
});
