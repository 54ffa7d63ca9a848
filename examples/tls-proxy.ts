// Speaks TLS to clients and plain TCP to a server: tls.TLSSocket runs on toDuplex(), keys and all.

import { connect, listen, type StreamSocket } from 'eagain';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '8443' },
    key: { type: 'string', default: 'key.pem' },
    cert: { type: 'string', default: 'cert.pem' },
    help: { type: 'boolean', short: 'h' },
  },
});
const to = positionals.at(0);

if (values.help === true || to === undefined) {
  console.log(
    'tls-proxy [--port 8443] [--key key.pem] [--cert cert.pem] host:port\n' +
      'Takes TLS connections and forwards what they say, in plain, to host:port. A pair to try it with:\n' +
      'openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost',
  );
  process.exitCode = values.help === true ? 0 : 1;
} else {
  const [, host, port] = /^(.*):(\d+)$/.exec(to) ?? [];
  const context = createSecureContext({
    key: readFileSync(values.key),
    cert: readFileSync(values.cert),
  });
  void proxy(Number(values.port), context, host, Number(port));
}

async function proxy(
  listenPort: number,
  secureContext: SecureContext,
  host: string,
  port: number,
): Promise<void> {
  // The server first: without one there is nothing to shake hands for.
  async function forward(peer: StreamSocket): Promise<void> {
    const plain = (await connect({ host, port, timeout: 10_000 })).toDuplex();
    const secure = new TLSSocket(peer.toDuplex(), { isServer: true, secureContext });
    try {
      // An end of one direction goes through as an end; a failure of either ends both.
      await Promise.all([pipeline(secure, plain), pipeline(plain, secure)]);
    } finally {
      secure.destroy();
      plain.destroy();
    }
  }

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const server = await listen({ port: listenPort });
  console.log(`listening on port ${server.address.port}`);
  await server.serve(forward, {
    signal: stop.signal,
    drainTimeout: 2_000,
    onError: (error) => console.error(error.message),
  });
  console.log('done');
}
