// Promises that were made and are still waited for: none is to be left when a test has ended.
//
// How they are counted. Every promise that is made while the watch is on is remembered (async_hooks: `init`), weakly,
// until it is resolved or rejected (`promiseResolve`). At the end garbage is collected: what is still there and still
// pending is held by somebody, a table of the library or a listener, although nobody has anything to wait for any
// more. That is a leak. What is pending and was collected is none: `await` makes one such promise each time in some
// versions of V8. A call whose promise is dropped unsettled is not seen here: whoever awaits it waits for ever, and
// the test has to notice that.

/** Whole in itself: its text goes into other processes, too. */
export function watchPromises(load: (name: string) => unknown): PromiseWatch {
  const hooks = load('node:async_hooks') as typeof import('node:async_hooks');
  const { setFlagsFromString } = load('node:v8') as typeof import('node:v8');
  const { runInNewContext } = load('node:vm') as typeof import('node:vm');
  const { inspect } = load('node:util') as typeof import('node:util');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const SWEEP = 200_000;
  let sweepAt = SWEEP;
  const made = new Map<number, WeakRef<object>>();
  const hook = hooks.createHook({
    init(id, type, _trigger, promise): void {
      if (type !== 'PROMISE') return;
      made.set(id, new WeakRef(promise));
      if (made.size < sweepAt) return;
      for (const [old, reference] of made) if (reference.deref() === undefined) made.delete(old);
      sweepAt = made.size + SWEEP;
    },
    promiseResolve(id): void {
      made.delete(id);
    },
  });
  hook.enable();
  // What this makes itself is not counted: the watch is off meanwhile. A promise that was resolved then is not pending,
  // whatever stands in the table.
  async function pending(): Promise<number> {
    for (let i = 0; i < 5; i++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const promises = [...made.values()].map((reference) => reference.deref());
    return promises.filter((it) => it !== undefined && inspect(it).includes('<pending>')).length;
  }
  return {
    left(): Promise<number> {
      hook.disable();
      return pending().finally(() => hook.enable());
    },
    stop: () => void hook.disable(),
  };
}

export interface PromiseWatch {
  /** How many are pending and held by somebody. */
  left(): Promise<number>;
  stop(): void;
}

/** An option of node's that has a process with an IPC channel tell its `left()` to whoever sends it a message. */
export const WATCHED = `--import=data:text/javascript,${encodeURIComponent(`
  const watch = (${watchPromises.toString()})(process.getBuiltinModule);
  process.on('message', () => void watch.left().then((left) => process.send(left)));
  process.channel.unref();`)}`;
