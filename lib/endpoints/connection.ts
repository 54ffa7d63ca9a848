// createConnection(): a Duplex that is still connecting, for software that wants one at once, as net's.

import type { DuplexOptions } from 'node:stream';
import { SocketDuplex } from '../adapters/duplex';
import { record } from '../core/validate';
import { familyOfLiteral } from '../names/inet';
import { pack } from '../socket/stream_descriptors';
import { connect, CONNECT_KEYS, type ConnectStreamOptions } from './connect';

/** `createConnection`: those of `connect` to a stream, and net's own of a connection. */
export type CreateConnectionOptions = ConnectStreamOptions & {
  /** Whether it is left open when the peer has ended. */
  allowHalfOpen?: boolean | undefined;
  /** As `setNoDelay` and `setKeepAlive` of the Duplex, once it is connected. */
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
};

/**
 * A Duplex that is being connected, as `net.createConnection` gives one: what is written meanwhile waits, 'connect'
 * and 'ready' come, or 'error' and 'close'; `destroy` ends the attempt. Unlike `toDuplex`, and like `net`, it ends
 * when the peer does: `allowHalfOpen` is false unless told. Options that `connect` does not have are the caller's
 * own: an `http.Agent` hands over all of a request's.
 * @throws nothing of connect(2)'s: it comes as 'error'
 */
export function createConnection(
  options: CreateConnectionOptions,
  duplexOptions?: DuplexOptions,
): SocketDuplex {
  const {
    allowHalfOpen = false,
    noDelay,
    keepAlive,
    keepAliveInitialDelay,
  } = record('options', options);
  const connectOptions = ours(options);
  const { signal, host, path } = connectOptions;
  const passesDescriptors = path !== undefined;
  const cancelling = new AbortController();
  const any = signal === undefined ? [] : [signal];
  const channel = connect({
    ...connectOptions,
    signal: AbortSignal.any([cancelling.signal, ...any]),
  });
  const duplex = new SocketDuplex(
    {
      host: typeof host === 'string' && familyOfLiteral(host) === undefined ? host : undefined,
      channel,
      passesDescriptors,
      pack: (bytes, fds) => pack(bytes, fds, passesDescriptors),
      cancel: () => cancelling.abort(),
    },
    { allowHalfOpen, ...duplexOptions },
  );
  if (noDelay === true) duplex.setNoDelay();
  if (keepAlive === true) duplex.setKeepAlive(true, keepAliveInitialDelay);
  return duplex;
}

const FAMILIES: Readonly<Record<number, unknown>> = { 4: 'IPv4', 6: 'IPv6' };

// http's `path: null` is none, its `protocol` a URL's ('http:'), and net's families are numbers, 0 for any.
function ours(options: CreateConnectionOptions): ConnectStreamOptions {
  const isOurs = ([key, value]: [string, unknown]): boolean =>
    Object.hasOwn(CONNECT_KEYS, key) &&
    value !== null &&
    !(key === 'protocol' && typeof value === 'string' && value.endsWith(':'));
  const known: Record<string, unknown> = Object.fromEntries(Object.entries(options).filter(isOurs));
  if (typeof known['family'] === 'number') known['family'] = FAMILIES[known['family']];
  return known as unknown as ConnectStreamOptions;
}
