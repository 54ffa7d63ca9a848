// Two hundred connections at a time, each through a bad network, our port forwarder and a bad network again:
//
//   client ─ relay ─ examples/port-forwarder ─ relay ─ target
//   (here)   (here)   (a process of its own)  (here)   (here)

import { performance } from 'node:perf_hooks';
import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers';
import { once } from 'node:events';
import { connect, listen, type StreamSocket } from '../../../lib/index';
import { openSockets, socketsSince } from '../../support/descriptors';
import { startServer, type Running } from '../../support/examples';
import { watchPromises, WATCHED } from '../../support/promises';
import { turn, until } from '../../support/turns';
import { exchange, type Report } from './exchange';
import { planOf, type Harm, type Plan } from './plan';
import { DRAIN, HEADER, relay, type Relay } from './relay';
import { misshapen, wrongWith } from './verdict';

const CONNECTIONS = 200;
/** How long those who are under way when the time is over may take, in ms. */
const PATIENCE = 30_000;

class Run {
  readonly clients = new Map<number, Report>();
  readonly targets = new Map<number, Report>();
  /** Those who are under way. */
  readonly open = new Map<number, Plan>();
  /** Those who were when patience was over. */
  stuck: Plan[] = [];
  /** Of connections to the target that were cut before they said which one they are. */
  readonly failures: unknown[] = [];
  private last = 0;

  constructor(private readonly seed: number) {}

  readonly planOf = (id: number): Plan => planOf(this.seed, id);

  /** Connections one after the other, until the time is over. */
  async converse(port: number, end: number): Promise<void> {
    while (performance.now() < end) {
      const plan = this.planOf(this.last++);
      this.open.set(plan.id, plan);
      const stream = await connect({ host: '127.0.0.1', port });
      const header = Buffer.alloc(HEADER);
      header.writeUInt32LE(plan.id);
      await stream.write(header);
      this.clients.set(plan.id, await exchange(stream, 'client', plan));
      this.open.delete(plan.id);
    }
  }

  /** The target's part. */
  async answer(peer: StreamSocket): Promise<void> {
    const id = (await peer.readExactly(HEADER)).readUInt32LE();
    this.targets.set(id, await exchange(peer, 'target', this.planOf(id)));
  }

  wrong(): string[] {
    const ends = [...this.clients].flatMap(([id, client]) =>
      wrongWith(this.planOf(id), client, this.targets.get(id)),
    );
    return [...ends, ...this.failures.flatMap((error) => misshapen(error) ?? [])];
  }

  /** Of errors, V8 keeps whom the calls on their stacks were made on: sockets, streams and their promises. */
  forget(): void {
    this.clients.clear();
    this.targets.clear();
    this.failures.length = 0;
  }

  /** How many connections had each harm. */
  count(): Record<Harm, number> {
    const counts = { none: 0, 'half-close': 0, abort: 0, reset: 0, silence: 0 };
    for (const id of this.clients.keys()) counts[this.planOf(id).harm]++;
    return counts;
  }
}

interface Left {
  sockets: string[];
  promises: number;
}

export interface Survived {
  readonly counts: Record<Harm, number>;
  readonly wrong: string[];
  /** Plans of connections that never came to an end. */
  readonly stuck: Plan[];
  /** Sockets that are open and promises that are pending, beyond those before the run. */
  readonly left: Left;
  readonly proxy: Left;
  /** What the proxy has printed. */
  readonly output: string;
}

export async function surviveChaos(seed: number, milliseconds: number): Promise<Survived> {
  const run = new Run(seed);
  await turn(); // so that Jest has made the promises of its own, of this test
  const watch = watchPromises(require);
  const before = openSockets();
  let proxied: Pick<Survived, 'proxy' | 'output'>;
  try {
    const target = await listen({ host: '127.0.0.1', port: 0 });
    const serving = target.serve((peer) => run.answer(peer), {
      drainTimeout: DRAIN,
      onError: (error) => void run.failures.push(error),
    });
    const far = await relay('far', target.address.port, run.planOf);
    try {
      proxied = await throughProxy(run, far, milliseconds);
    } finally {
      // Who is served to the end reports by then.
      await Promise.all([far.close(), target.close()]);
      await serving;
    }
    const [counts, wrong, { stuck }] = [run.count(), run.wrong(), run];
    run.forget();
    const left = { sockets: await gone(() => socketsSince(before)), promises: await watch.left() };
    return { ...proxied, counts, wrong, stuck, left };
  } finally {
    watch.stop();
  }
}

/** All of the conversations; what is left in the proxy behind them, and what it has printed. */
async function throughProxy(
  run: Run,
  far: Relay,
  milliseconds: number,
): Promise<Pick<Survived, 'proxy' | 'output'>> {
  await using proxy = await startServer('port-forwarder', [`127.0.0.1:${far.port}`], [WATCHED]);
  const { pid } = proxy.child;
  const near = await relay('near', proxy.port, run.planOf);
  try {
    const [sockets, promises] = [openSockets(pid), await pendingIn(proxy)];
    await conversations(run, near.port, milliseconds);
    const left = {
      sockets: await gone(() => openSockets(pid).filter((socket) => !sockets.includes(socket))),
      promises: (await pendingIn(proxy)) - promises,
    };
    return { proxy: left, output: await proxy.end() };
  } finally {
    await near.close();
  }
}

/** All of them to their end, or as long as there is patience. */
async function conversations(run: Run, port: number, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  const all = Promise.all(Array.from({ length: CONNECTIONS }, () => run.converse(port, end)));
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    late = startTimer(resolve, milliseconds + PATIENCE);
  });
  await Promise.race([all, patience]);
  stopTimer(late);
  run.stuck = [...run.open.values()];
}

/** What is still there after a few seconds in which it should have gone. */
async function gone(rest: () => string[]): Promise<string[]> {
  const end = performance.now() + 5000;
  await until(() => rest().length === 0 || performance.now() > end);
  return rest();
}

/** How many promises are pending in the proxy. */
async function pendingIn(proxy: Running): Promise<number> {
  const answer = once(proxy.child, 'message') as Promise<[number]>;
  proxy.child.send('left');
  return (await answer)[0];
}
