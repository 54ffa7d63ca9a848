// A port forwarder: each connection is one to somewhere else, and a line says what goes through, once a second.

import { connect, listen, type StreamSocket } from 'eagain';
import { parseArgs } from 'node:util';
import { interval, map, pairwise, startWith, takeUntil, fromEvent, merge } from 'rxjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '7070' }, help: { type: 'boolean', short: 'h' } },
});
const to = positionals.at(0);

if (values.help === true || to === undefined) {
  console.log('port-forwarder [--port 7070] host:port\nForwards connections, both halves apart.');
  process.exitCode = values.help === true ? 0 : 1;
} else {
  const [, host, port] = /^(.*):(\d+)$/.exec(to) ?? [];
  void forward(Number(values.port), host, Number(port));
}

async function forward(listenPort: number, host: string, port: number): Promise<void> {
  let bytes = 0;
  let connections = 0;
  // One direction: an end goes through as an end, and the other direction goes on.
  async function pump(from: StreamSocket, into: StreamSocket, signal: AbortSignal): Promise<void> {
    for await (const chunk of from.iterate({ signal })) {
      await into.write(chunk, { signal });
      bytes += chunk.length;
    }
    await into.end();
  }

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const server = await listen({ port: listenPort });
  console.log(`listening on port ${server.address.port}`);
  const ended = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  interval(1000)
    .pipe(
      map(() => bytes),
      startWith(0),
      pairwise(),
      map(([before, now]) => ((now - before) / 1e6).toFixed(1)),
      takeUntil(ended),
    )
    .subscribe((rate) => console.log(`${connections} connections, ${rate} MB/s`));
  await server.serve(
    async (near, signal) => {
      connections++;
      try {
        const far = await connect({ host, port, timeout: 10_000, signal });
        try {
          await Promise.all([pump(near, far, signal), pump(far, near, signal)]);
          await far.close();
        } catch (error) {
          // An end would tell them that they have everything. Both at once: to the pump that goes on, the one that
          // is closed here has ended, and it would end the other.
          near.abort();
          far.abort();
          throw error;
        }
      } finally {
        connections--;
      }
    },
    {
      signal: stop.signal,
      drainTimeout: 2_000,
      onError: (error) => console.error(error.message),
    },
  );
  console.log(`done: ${bytes} bytes`);
}
