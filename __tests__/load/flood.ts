// A process under a flood that comes from another one, and what is left of its event loop: how late a timer is,
// how many turns setImmediate gets, how often a quiet socket is served beside the loud one.
//
// Machines where tests run are busy with other things, and a thread that waits for a processor is late whatever it
// does. So lateness is also counted in the thread's own processor time: from when the timer was set to when it
// fired, less what it was set to. The loop never sleeps here (setImmediate keeps it turning), so on a machine with
// nothing else to do both are the same, and on a busy one the second is what this library is answerable for.

import { run, textOf, type Program } from '../process/support/program';

export const TIMER = 5;

export interface Sample {
  /** ms by the clock that a timer of TIMER ms took. */
  wall: number;
  /** ms of processor time that the thread had meanwhile; as `wall` where the kernel does not say. */
  cpu: number;
  /** What happened meanwhile. */
  turns: number;
  trips: number;
}

export interface Survived {
  samples: Sample[];
  /** Items (messages, chunks, connections) that the handler took. */
  items: number;
  /** Datagrams that the kernel threw away, since nobody took them in time. */
  drops: number;
}

interface Flood {
  kind: 'datagrams' | 'bytes' | 'connections' | 'sink';
  /** A UDP port, a TCP port, or a Unix path. */
  to: number | string;
}

/** Sends as fast as it can, for as long as there is somebody to send to. */
const flood: Program<Flood> = async ({ eagain }, { kind, to }) => {
  const host = '127.0.0.1';
  const gone = (): void => process.exit();
  try {
    if (kind === 'datagrams') {
      const socket = eagain.socket('IPv4', 'dgram');
      await socket.connect({ address: host, port: to as number });
      const batch = Array.from({ length: 64 }, () => ({ data: Buffer.alloc(64) }));
      for (;;) if (socket.trySendmmsg(batch) === null) await socket.ready({ write: true });
    }
    if (kind === 'connections') {
      for (;;) {
        const socket = eagain.socket('unix', 'stream');
        await socket.connect({ path: to as string });
        socket.close();
      }
    }
    const { socket } = await eagain.connect({ host, port: to });
    const data = Buffer.alloc(1 << 18);
    for (;;) {
      const moved = kind === 'bytes' ? socket.trySend(data) : socket.tryRecv(data);
      if (moved === 0) gone();
      if (moved === null) await socket.ready(kind === 'bytes' ? { write: true } : { read: true });
    }
  } catch {
    gone();
  }
};

/** How the flood is taken. Each calls `item` for each message, chunk or connection. */
export type Take<S> = (source: S, item: () => void) => unknown;

interface Under {
  kind: Flood['kind'];
  /** The text of a Take. */
  take: string;
  flood: string;
  samples: number;
  timer: number;
  /** What the handler does with each item, in µs. */
  work: number;
}

const survive: Program<Under> = async (inside, given) => {
  const { eagain, fs, childProcess, tell, work, name } = inside;
  const { kind, samples: wanted, timer } = given;
  const host = '127.0.0.1';
  let items = 0;

  const loud = await (async () => {
    if (kind === 'datagrams') {
      const socket = await eagain.bind({ host });
      return { socket, to: (socket.localAddress as { port: number }).port };
    }
    if (kind === 'connections') {
      const to = name();
      return { socket: await eagain.listen({ path: to }), to };
    }
    const listener = await eagain.listen({ host, port: 0 });
    return { listener, to: (listener.address as { port: number }).port };
  })();
  const flooding = childProcess.spawn(
    process.execPath,
    ['-e', given.flood.replace('"given here"', JSON.stringify({ kind, to: loud.to }))],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const source = loud.socket ?? (await loud.listener.accept());

  // The thread's own processor time, ms. getrusage(2) brings the kernel's count up to date, which
  // /proc/thread-self/schedstat then shows (sched_info: sum_exec_runtime).
  const cpuTime = (): number => {
    process.cpuUsage();
    try {
      return Number(fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
    } catch {
      return performance.now();
    }
  };

  let turns = 0;
  let trips = 0;
  const spin = (): void => {
    turns++;
    setImmediate(spin);
  };
  const [ping, pong] = eagain.socketpair('dgram');
  const quiet = async (): Promise<void> => {
    const ball = Buffer.from('x');
    for (;;) {
      const caught = pong.recv(ball);
      ping.trySend(ball);
      await caught;
      trips++;
    }
  };

  const take = new Function(`return ${given.take}`)() as Take<unknown>;
  void take(source, () => {
    work(given.work);
    items++;
  });
  spin();
  void quiet();

  const samples: Sample[] = [];
  const sample = (): void => {
    const [wall, cpu, turned, tripped] = [performance.now(), cpuTime(), turns, trips];
    setTimeout(() => {
      samples.push({
        cpu: cpuTime() - cpu,
        wall: performance.now() - wall,
        turns: turns - turned,
        trips: trips - tripped,
      });
      if (samples.length < wanted) return sample();
      flooding.kill('SIGKILL');
      tell({ samples, items, drops: kind === 'datagrams' ? dropped() : 0 } satisfies Survived);
      process.exit();
    }, timer);
  };
  // The first timers see modules being loaded and code being compiled: rxjs alone takes 40 ms.
  const warm = setInterval(() => {
    if (items < 100 && kind !== 'sink') return;
    clearInterval(warm);
    sample();
  }, 50);

  // The last column of our line of /proc/net/udp, whose second is the local address in hex.
  function dropped(): number {
    const port = (loud.to as number).toString(16).toUpperCase().padStart(4, '0');
    const lines = fs.readFileSync('/proc/net/udp', 'utf8').split('\n');
    const ours = lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local]) => local?.endsWith(`:${port}`));
    return Number(ours[0]?.at(-1));
  }
};

/** Takes a flood in a process of its own, and tells what became of its loop. */
export function under<S>(
  kind: Flood['kind'],
  take: Take<S>,
  { samples = 200, work = 10 } = {},
): Promise<Survived> {
  const text = textOf(flood, 'given here' as unknown as Flood);
  const given: Under = { kind, take: take.toString(), flood: text, samples, timer: TIMER, work };
  return run(survive, given, { limit: 30_000 });
}

/** The value below which `share` of `values` lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** How late each timer was, in ms of which this thread was the cause. */
export const lateness = ({ samples }: Survived): number[] =>
  samples.map(({ wall, cpu }) => Math.min(wall, cpu) - TIMER);

/** Turns, or round trips, per second of processor time, in the middle one of windows of 20 samples. */
export function rate({ samples }: Survived, of: 'turns' | 'trips'): number {
  const rates: number[] = [];
  for (let i = 0; i + 20 <= samples.length; i += 20) {
    const window = samples.slice(i, i + 20);
    const sum = (key: keyof Sample): number => window.reduce((total, one) => total + one[key], 0);
    rates.push((1000 * sum(of)) / Math.min(sum('cpu'), sum('wall')));
  }
  return quantile(rates, 0.5);
}
