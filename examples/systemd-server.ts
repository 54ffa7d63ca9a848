// A server that listens on nothing by itself: a service manager has the sockets, and starts it with the first client.

import { constants, Listener, listenFds, type StreamSocket } from 'eagain';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });

if (values.help === true) {
  console.log(
    'systemd-server\nGreets whoever connects to the sockets of its unit. To try it without a unit:\n' +
      'systemd-socket-activate -l 7007 -l /tmp/greetings node dist-examples/systemd-server.js',
  );
} else {
  void serve();
}

// A unit may name datagram sockets, FIFOs and devices as well.
function isStreamListener(endpoint: unknown): endpoint is Listener<StreamSocket> {
  return endpoint instanceof Listener && endpoint.socket.type === constants.SOCK_STREAM;
}

async function serve(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const serving = listenFds().map(async ({ name, endpoint }) => {
    if (!isStreamListener(endpoint)) {
      console.error(`${name}: no stream socket that listens`);
      return;
    }
    const { address } = endpoint.socket.getsockname() as { address?: string };
    console.log(`${name}: ${address ?? 'a Unix socket'}`);
    await endpoint.serve((peer) => peer.write(`hello from ${name}\n`), {
      signal: stop.signal,
      drainTimeout: 5_000,
      onError: (error) => console.error(error.message),
    });
  });
  if (serving.length === 0) {
    console.error('No sockets were handed over (LISTEN_FDS): see --help');
    process.exitCode = 1;
  }
  await Promise.all(serving);
  console.log('done');
}
