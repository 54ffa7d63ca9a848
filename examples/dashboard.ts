// A live dashboard: datagrams per second, drops and round-trip times, out of Observables, on a page that node:http
// serves over our own listener. What it watches is a load that it makes itself, on 127.0.0.1 and for a limited time.

import { bind, connect, listen, type DatagramSocket, type Message } from 'eagain';
import { createServer, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import {
  BehaviorSubject,
  bufferTime,
  concatMap,
  filter,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  scan,
  share,
  startWith,
  takeUntil,
  tap,
  timer,
  withLatestFrom,
  type Observable,
} from 'rxjs';
import { PAGE } from './dashboard/page';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8081' },
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '300' },
    help: { type: 'boolean', short: 'h' },
  },
});

/** What a quarter of a second was like. */
interface Sample {
  /** Datagrams per second. */
  rate: number;
  /** Datagrams lost so far in the kernel's queue, and in the Observable's. */
  lost: number;
  dropped: number;
  /** Median round-trip time in microseconds; 0 where nothing came back. */
  rtt: number;
}

// ms between samples, and between the load's ticks.
const INTERVAL = 250;
const TICK = 10;
// Once a second: more than a queue of this size (bytes) holds.
const BURST = 1000;
const QUEUE = 64 * 1024;

if (values.help === true) {
  console.log(
    'dashboard [--port 8081] [--rate 2000] [--seconds 300]\n' +
      'Plots a UDP load on the loopback: `rate` datagrams per second, and a burst every second that is too much.\n' +
      'The load runs while somebody looks, for at most `seconds`.',
  );
} else {
  void serve(Number(values.port), Number(values.rate), Number(values.seconds));
}

/** The load, what comes of it, and what that says: all of it begins with a subscription and ends with it. */
function watchLoad(
  sender: DatagramSocket,
  receiver: DatagramSocket,
  rate: number,
  seconds: number,
): Observable<Sample> {
  // Each datagram is its kind and when it was sent.
  const stamped = (kind: string) => ({ data: Buffer.from(`${kind}${process.hrtime.bigint()}`) });
  const load = interval(TICK).pipe(
    concatMap((tick) => {
      const burst = tick % (1000 / TICK) === 0 ? BURST : 0;
      const count = Math.round((rate * TICK) / 1000) + burst;
      return sender.sendBatch(Array.from({ length: count }, () => stamped('x')));
    }),
  );
  const pings = interval(TICK).pipe(map(() => stamped('p')));

  const dropped = new BehaviorSubject(0);
  const arrivals = receiver
    .observe({ overflow: 'dropOldest', onDrop: (_message, count) => dropped.next(count) })
    .pipe(share());
  const received = arrivals.pipe(scan((count) => count + 1, 0));
  // The kernel tells it with the messages that come after a loss.
  const lost = arrivals.pipe(scan((before, message) => message.drops ?? before, 0));
  const echoes = arrivals.pipe(
    filter(({ data }) => data[0] === 0x70),
    map(({ data, from }) => ({ data, to: from ?? undefined })),
    receiver.sink({ overflow: 'dropOldest' }),
  );
  const trips = sender.observe().pipe(map(tripOf));

  let before = 0;
  const samples = trips.pipe(
    bufferTime(INTERVAL),
    withLatestFrom(received.pipe(startWith(0)), lost.pipe(startWith(0)), dropped),
    map(([times, count, inKernel, inQueue]) => {
      const rated = ((count - before) * 1000) / INTERVAL;
      before = count;
      return { rate: rated, lost: inKernel, dropped: inQueue, rtt: median(times) };
    }),
  );
  const traffic = merge(load, pings.pipe(sender.sink({ overflow: 'dropOldest' }))).pipe(
    takeUntil(timer(seconds * 1000)),
    ignoreElements(),
  );
  return merge(samples, echoes, traffic).pipe(tap({ subscribe: () => (before = 0) }), share());
}

/** Microseconds since the datagram was sent. */
function tripOf({ data }: Message): number {
  return Number(process.hrtime.bigint() - BigInt(String(data.subarray(1)))) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b).at(values.length >> 1) ?? 0;
}

async function serve(port: number, rate: number, seconds: number): Promise<void> {
  const options = { receiveBufferSize: QUEUE };
  await using receiver = await bind({ host: '127.0.0.1', drops: true, options });
  const to = { host: '127.0.0.1', port: receiver.localAddress.port };
  await using sender = await connect({ type: 'dgram', ...to });
  const samples = watchLoad(sender, receiver, rate, seconds);
  const http = createServer((request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (request.url === '/samples') stream(samples, response);
    else response.writeHead(404).end();
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const server = await listen({ host: '127.0.0.1', port });
  console.log(`listening on port ${server.address.port}: http://127.0.0.1:${server.address.port}/`);
  await server.serve((peer) => void http.emit('connection', peer.toDuplex()), {
    signal: stop.signal,
    drainTimeout: 200,
  });
  console.log('done');
}

/** Server-sent events: one for each sample, until the page is left. */
function stream(samples: Observable<Sample>, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const subscription = samples.pipe(finalize(() => response.end())).subscribe({
    next: (sample) => response.write(`data: ${JSON.stringify(sample)}\n\n`),
    error: (error: Error) => console.error(error.message),
  });
  response.once('close', () => subscription.unsubscribe());
}
