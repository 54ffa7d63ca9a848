// What a program has at hand that runs in a process or a worker of its own: see program.ts, which sends the text
// of these functions there. So each is whole in itself: nothing outside of its braces exists where it runs.

export interface Inside {
  /** The compiled library. */
  readonly eagain: typeof import('../../../lib');
  readonly fs: typeof import('node:fs');
  readonly events: typeof import('node:events');
  readonly childProcess: typeof import('node:child_process');
  readonly workers: typeof import('node:worker_threads');
  /** Where the compiled library is. */
  readonly library: string;
  /** Loads a module: by its name, or by its path. */
  readonly load: NodeJS.Require;
  /** Tells the test something, which arrives even if the process ends in the next moment. */
  tell(value: unknown): void;
  /** One turn of the event loop. */
  turn(): Promise<void>;
  /** What stands behind the descriptors of this process: 'socket:[123]', 'anon_inode:[eventpoll]' … sorted. */
  descriptors(): string[];
  /** Collects garbage, finalizers included, until `condition` holds or nothing more will come of it. */
  collect(condition: () => boolean): Promise<void>;
  /** Keeps the thread busy for so many µs. */
  work(microseconds: number): void;
  /** A name in the abstract namespace that nobody else has. */
  name(): string;
}

export function makeInside(load: NodeJS.Require, library: string): Inside {
  const fs = load('node:fs') as typeof import('node:fs');
  const workers = load('node:worker_threads') as typeof import('node:worker_threads');
  const { randomUUID } = load('node:crypto') as typeof import('node:crypto');
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  function nameOf(fd: string): string {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one through which the folder was read
    }
  }

  return {
    // A getter, so that a program can decide which thread loads the library first.
    get eagain() {
      return load(library) as typeof import('../../../lib');
    },
    fs,
    events: load('node:events') as typeof import('node:events'),
    childProcess: load('node:child_process') as typeof import('node:child_process'),
    workers,
    library,
    load,
    turn,
    tell(value) {
      if (workers.isMainThread) fs.writeSync(1, `${JSON.stringify(value)}\n`);
      else workers.parentPort!.postMessage(value);
    },
    descriptors: () => fs.readdirSync('/proc/self/fd').map(nameOf).filter(Boolean).sort(),
    async collect(condition) {
      for (let i = 0; i < 100 && !condition(); i++) {
        (globalThis as { gc?: () => void }).gc!();
        await turn();
      }
    },
    work(microseconds) {
      const end = performance.now() + microseconds / 1000;
      while (performance.now() < end);
    },
    name: () => `\0eagain-${randomUUID()}`,
  };
}
