// createConnection(): a Duplex that is still connecting, for software that wants one at once, as net's.

import type { DuplexOptions } from 'node:stream';
import { SocketDuplex } from '../adapters/duplex';
import { familyOfLiteral } from '../names/inet';
import { pack } from '../socket/stream_descriptors';
import { connect, type ConnectStreamOptions } from './connect';

/**
 * A Duplex that is being connected, as `net.createConnection` gives one: what is written meanwhile waits, 'connect'
 * and 'ready' come, or 'error' and 'close'; `destroy` ends the attempt. Unlike `toDuplex`, and like `net`, it ends
 * when the peer does: `allowHalfOpen` is false unless told.
 * @throws nothing of connect(2)'s: it comes as 'error'
 */
export function createConnection(
  options: ConnectStreamOptions & { allowHalfOpen?: boolean | undefined },
  duplexOptions?: DuplexOptions,
): SocketDuplex {
  const { allowHalfOpen = false, ...connectOptions } = options;
  const { signal, host, path } = connectOptions;
  const passesDescriptors = path !== undefined;
  const cancelling = new AbortController();
  const any = signal === undefined ? [] : [signal];
  const channel = connect({
    ...connectOptions,
    signal: AbortSignal.any([cancelling.signal, ...any]),
  });
  return new SocketDuplex(
    {
      host: typeof host === 'string' && familyOfLiteral(host) === undefined ? host : undefined,
      channel,
      passesDescriptors,
      pack: (bytes, fds) => pack(bytes, fds, passesDescriptors),
      cancel: () => cancelling.abort(),
    },
    { allowHalfOpen, ...duplexOptions },
  );
}
