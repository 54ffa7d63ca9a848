// DogStatsD, both ends: a server that gathers metrics from UDP and from a Unix datagram socket and prints what they
// were in each interval, and a client that sends some.

import { bind, connect, type DatagramSocket } from 'eagain';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bufferTime, filter, map, merge, mergeMap } from 'rxjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '8125' },
    path: { type: 'string' },
    interval: { type: 'string', default: '10' },
    tag: { type: 'string', multiple: true, default: [] },
    times: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
});

const [command, name, value, type = 'c'] = positionals as (string | undefined)[];
const path = values.path;

if (values.help !== true && command === 'server') {
  void serve(Number(values.port), path, Number(values.interval) * 1000);
} else if (
  values.help !== true &&
  command === 'send' &&
  name !== undefined &&
  value !== undefined
) {
  const tags = values.tag.length === 0 ? '' : `|#${values.tag.join(',')}`;
  void send(`${name}:${value}|${type}${tags}`, Number(values.times));
} else {
  console.log(`dogstatsd server [--port 8125] [--path socket] [--interval seconds]
dogstatsd send [--port 8125 | --path socket] [--tag key:value]… [--times n] name value [c|g|s|h|ms|d]
Counters (c), gauges (g), sets (s), and distributions (h, ms, d).`);
  process.exitCode = values.help === true ? 0 : 1;
}

async function send(line: string, times: number): Promise<void> {
  const type = 'dgram' as const;
  await using socket: DatagramSocket =
    path === undefined
      ? // Metrics may get lost: that nobody listens there is to fail no send.
        await connect({ type, host: '127.0.0.1', port: Number(values.port), recvErr: true })
      : await connect({ type, path });
  // All of one tick go in one system call, or a few. Nobody waits for an answer: there is none.
  await Promise.all(Array.from({ length: times }, () => socket.send(line)));
}

async function serve(
  port: number,
  socketPath: string | undefined,
  interval: number,
): Promise<void> {
  await using udp = await bind({ host: '127.0.0.1', port, drops: true });
  const sockets: DatagramSocket[] = [udp];
  if (socketPath !== undefined) {
    rmSync(socketPath, { force: true });
    sockets.push(await bind({ path: socketPath }));
  }
  console.log(`listening on port ${udp.localAddress.port}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      for (const socket of sockets) void socket.close();
    });

  let lost = 0;
  await merge(...sockets.map((socket) => socket.observe()))
    .pipe(
      mergeMap(({ data, drops = lost }) => {
        lost = drops;
        return data.toString().split('\n').filter(Boolean);
      }),
      map(parse),
      // What the last interval had of it is printed when the sockets close.
      bufferTime(interval),
      filter((metrics) => metrics.length > 0),
    )
    .forEach((metrics) => print(metrics, lost));
  if (socketPath !== undefined) rmSync(socketPath, { force: true });
  console.log('done');
}

interface Metric {
  /** Its name and tags: what is of the same key is counted together. */
  key: string;
  type: string;
  values: string[];
  /** How many each stands for, where the sender sends only one in so many. */
  weight: number;
}

/** `name:value|type|@rate|#tags`, with several values perhaps; null for what is none. */
function parse(line: string): Metric | null {
  const [named, type, ...more] = line.split('|');
  const [metric, ...measured] = named.split(':');
  if (metric === '' || measured.length === 0 || !Object.hasOwn(SUMMARIES, type)) return null;
  const rate = Number(more.find((part) => part.startsWith('@'))?.slice(1) ?? 1);
  const tags = more
    .find((part) => part.startsWith('#'))
    ?.slice(1)
    .split(',')
    .sort();
  if (!(rate > 0 && rate <= 1)) return null;
  if (type !== 's' && measured.some((text) => text === '' || !Number.isFinite(Number(text))))
    return null;
  const key = tags === undefined ? metric : `${metric}{${tags.join(',')}}`;
  return { key, type, values: measured, weight: 1 / rate };
}

/** What is said of all of a key in an interval, by its type. */
const SUMMARIES: Record<string, (metrics: readonly Metric[]) => string> = {
  c: (metrics) => `${sum(metrics.map((m) => m.weight * sum(m.values.map(Number))))}`,
  g: (metrics) => String(metrics.at(-1)?.values.at(-1)),
  s: (metrics) => `${new Set(metrics.flatMap((m) => m.values)).size} different`,
  h: distribution,
  ms: distribution,
  d: distribution,
};

function distribution(metrics: readonly Metric[]): string {
  const all = metrics.flatMap((m) => m.values.map(Number)).sort((a, b) => a - b);
  const at = (part: number): number => all[Math.ceil(part * all.length) - 1] ?? all[0];
  const count = sum(metrics.map((m) => m.weight * m.values.length));
  return `${count} values, median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`;
}

function print(metrics: readonly (Metric | null)[], lost: number): void {
  const byKey = new Map<string, Metric[]>();
  for (const metric of metrics) {
    if (metric === null) continue;
    const key = `${metric.key} ${metric.type}`;
    byKey.set(key, [...(byKey.get(key) ?? []), metric]);
  }
  for (const [key, group] of [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${key} ${SUMMARIES[group[0].type](group)}`);
  const broken = metrics.filter((metric) => metric === null).length;
  if (broken > 0) console.log(`${broken} not understood`);
  if (lost > 0) console.log(`${lost} datagrams lost so far`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
