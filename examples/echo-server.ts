// An echo server that ends well: Ctrl-C stops accepting, lets conversations finish, and is gone.

import { listen } from 'eagain';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '7007' }, help: { type: 'boolean', short: 'h' } },
});

if (values.help === true) {
  console.log('echo-server [--port 7007]\nSends back what it receives, on IPv6 and IPv4.');
} else {
  void serve(Number(values.port));
}

async function serve(port: number): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const server = await listen({ port });
  console.log(`listening on port ${server.address.port}`);
  await server.serve(
    async (peer) => {
      for await (const chunk of peer) await peer.write(chunk);
    },
    {
      signal: stop.signal,
      drainTimeout: 5_000,
      onError: (error) => console.error(error.message),
    },
  );
  console.log('done');
}
