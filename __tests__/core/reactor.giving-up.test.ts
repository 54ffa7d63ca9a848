import { getEventListeners } from 'node:events';
import { READ, WRITE } from '../../lib/core/handle';
import { EAGAIN, ECONNRESET, World } from './world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const waits = { answers: [EAGAIN] };

describe('promise 2: cancelled means it did not happen', () => {
  test('a call with a signal that is aborted already makes no system call', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r'), { signal: AbortSignal.abort() });
    expect(world.news).toEqual(['r failed: ABORT_ERR']);
  });

  test('an aborted wait makes no system call any more, and keeps nothing alive', () => {
    const a = world.handle('a');
    const controller = new AbortController();
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 1] }), {
      signal: controller.signal,
    });
    world.log.length = 0;
    controller.abort();
    expect(world.news).toEqual(['reference 0', 'r failed: ABORT_ERR']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['disarm a']);
    expect(a.waiting).toBe(0);
  });

  test("an abort's error has the signal's reason as its cause", async () => {
    const a = world.handle('a');
    const controller = new AbortController();
    const { signal } = controller;
    const promise = world.reactor.perform(world.operation(a, READ, 'r', waits), { signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(promise).rejects.toMatchObject({ name: 'AbortError', cause: reason });
  });

  test('a wait that timed out makes no system call any more', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, EAGAIN, 1] }), { timeout: 50 });
    world.log.length = 0;
    world.loop.pass(49);
    expect(world.news).toEqual([]);
    world.loop.pass(1);
    expect(world.news).toEqual(['try r', 'reference 0', 'r failed: ERR_SOCKET_TIMEOUT']);
    world.wake([a, READ]);
    expect(world.news).toEqual(['disarm a']);
  });

  test('what came in time is had, though the loop was too late to tell of it', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', { answers: [EAGAIN, 7] }), { timeout: 50 });
    world.log.length = 0;
    world.loop.pass(50);
    expect(world.news).toEqual(['try r', 'reference 0', 'r = 7']);
  });

  test('a timeout of 0 tries once', () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits), { timeout: 0 });
    expect(world.news[0]).toBe('try r');
    world.loop.pass(1);
    expect(world.news.at(-1)).toBe('r failed: ERR_SOCKET_TIMEOUT');
  });

  test.each([Infinity, 0x7fffffff, 1e12])('a timeout of %d is none', (timeout) => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits), { timeout });
    expect(world.loop.delays).toEqual([]);
  });

  test("a deadline keeps no process alive: that is the wait's to say", () => {
    const a = world.handle('a');
    world.start(world.operation(a, READ, 'r', waits), { timeout: 50 });
    expect(world.loop.delays).toEqual([50]);
    expect(world.loop.referencedTimers).toBe(0);
  });

  test('of many who wait the one that gives up leaves the others their places', () => {
    const a = world.handle('a');
    const controller = new AbortController();
    world.start(world.operation(a, READ, '1', { answers: [EAGAIN, 1] }));
    world.start(world.operation(a, READ, '2'), { signal: controller.signal });
    world.start(world.operation(a, READ, '3'));
    controller.abort();
    world.log.length = 0;
    world.wake([a, READ]);
    expect(world.news).toEqual(['try 1', '1 = 1', 'try 3', '3 = 1']);
  });

  test('the one behind takes its turn when the first gives up, if the kernel may have something', () => {
    const a = world.handle('a');
    const controller = new AbortController();
    const { signal } = controller;
    const passing = { answers: [ECONNRESET], passing: [ECONNRESET] };
    world.start(world.operation(a, WRITE, '1', passing), { signal });
    world.start(world.operation(a, WRITE, '2'));
    world.log.length = 0;
    controller.abort();
    expect(world.news).toEqual(['1 failed: ABORT_ERR', 'try 2', 'reference 0', '2 = 1']);
  });

  test('an error says how far a partial call came', async () => {
    const a = world.handle('a');
    const { reactor } = world;
    const script = { ...waits, annotation: { bytesTransferred: 3 } };
    const aborted = new AbortController();
    const { signal } = aborted;
    const promises = [
      reactor.perform(world.operation(a, WRITE, 'w1', script), { signal }),
      reactor.perform(world.operation(a, WRITE, 'w2', script), { timeout: 5 }),
      reactor.perform(world.operation(a, WRITE, 'w3', script)),
    ];
    const settled = Promise.allSettled(promises);
    aborted.abort();
    world.loop.pass(5);
    reactor.close(a);
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { bytesTransferred: 3 } });
    }
  });

  test.each([
    ['aborted', (controller: AbortController) => controller.abort()],
    ['timed-out', () => world.loop.pass(5)],
  ])('an %s call is told that it was abandoned, after its caller', (_how, giveUp) => {
    const a = world.handle('a');
    const controller = new AbortController();
    const connecting = world.operation(a, WRITE, 'connect', {
      ...waits,
      abandoned: () => {
        world.reactor.close(a);
      },
    });
    world.start(connecting, { signal: controller.signal, timeout: 5 });
    world.start(world.operation(a, READ, 'r', waits));
    world.log.length = 0;
    giveUp(controller);
    const failed = world.news;
    expect(failed.slice(-3)).toEqual(['reference 0', 'r failed: ERR_SOCKET_CLOSED', 'close a']);
    expect(failed.find((news) => /^(connect failed|close)/.test(news))).toMatch(/^connect failed/);
  });

  test('a call whose signal was aborted before is abandoned, too', () => {
    const a = world.handle('a');
    const abandoned = (): void => {
      world.reactor.close(a);
    };
    const signal = AbortSignal.abort();
    world.start(world.operation(a, WRITE, 'connect', { abandoned }), { signal });
    expect(world.news).toEqual(['close a', 'connect failed: ABORT_ERR']);
  });

  test('a call that was done, failed or taken back is not abandoned', () => {
    const a = world.handle('a');
    const abandoned = jest.fn();
    const { signal } = new AbortController();
    world.start(world.operation(a, WRITE, '1', { answers: [1], abandoned }), { signal });
    world.start(world.operation(a, WRITE, '2', { answers: [ECONNRESET], abandoned }), { signal });
    const third = world.operation(a, WRITE, '3', { ...waits, abandoned });
    world.reactor.cancel(world.start(third, { signal })!, new Error('taken back'));
    world.start(world.operation(a, READ, '4', { ...waits, abandoned }), { signal });
    world.reactor.close(a);
    expect(abandoned).not.toHaveBeenCalled();
  });

  test('cancel says whether there was anything to take back', () => {
    const a = world.handle('a');
    const waiting = world.start(world.operation(a, READ, 'r', waits))!;
    expect(world.reactor.cancel(waiting, new Error('taken back'))).toBe(true);
    expect(world.reactor.cancel(waiting, new Error('again'))).toBe(false);
    expect(world.log.filter((what) => what.startsWith('r failed'))).toHaveLength(1);
  });

  test('an abort from a handler of the same batch is in time', () => {
    const [a, b] = [world.handle('a'), world.handle('b')];
    const controller = new AbortController();
    world.start(world.operation(a, READ, 'ra', { answers: [EAGAIN, 1] }), undefined, () => {
      controller.abort();
    });
    world.start(world.operation(b, READ, 'rb', { answers: [EAGAIN, 1] }), {
      signal: controller.signal,
    });
    world.log.length = 0;
    world.wake([a, READ], [b, READ]);
    expect(world.news).toEqual(['try ra', 'ra = 1', 'rb failed: ABORT_ERR', 'disarm b']);
  });
});

describe('promise 3: a listener on a signal', () => {
  test('is never added by a call that does not wait', () => {
    const a = world.handle('a');
    const { signal } = new AbortController();
    const add = jest.spyOn(signal, 'addEventListener');
    world.start(world.operation(a, READ, 'r'), { signal, timeout: 5 });
    expect(add).not.toHaveBeenCalled();
    expect(world.loop.delays).toEqual([]);
  });

  const endings: [string, (controller: AbortController) => void][] = [
    ['done', () => world.wake([handleOf('a'), READ])],
    ['aborted', (controller) => controller.abort()],
    ['timed out', () => world.loop.pass(5)],
    ['closed', () => world.reactor.close(handleOf('a'))],
  ];
  let handleOf: (name: string) => ReturnType<typeof world.handle>;
  beforeEach(() => {
    const a = world.handle('a');
    handleOf = () => a;
  });

  test.each(endings)('and the timer are gone when the call is %s', (_how, end) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reading = world.operation(handleOf('a'), READ, 'r', { answers: [EAGAIN, 1] });
    world.start(reading, { signal, timeout: 5 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    end(controller);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(world.loop.delays).toEqual([]);
  });
});
