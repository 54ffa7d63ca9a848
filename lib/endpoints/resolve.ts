// Names to addresses, once, for connect, listen and bind. IP literals are taken as they are.

import { lookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { abortError, invalidValue, timeoutError } from '../core/errors';
import { port as checkPort, text, type Wait } from '../core/validate';
import type { InetAddress } from '../socket/address';

export type InetFamily = 'IPv4' | 'IPv6';

/** Every address that `host` has, in the resolver's order. `error.code` is EAI_* or ENOTFOUND, as `node:dns` gives it. */
export async function resolve(
  host: string,
  service: number | string,
  family: InetFamily | undefined,
  wait: Wait,
): Promise<InetAddress[]> {
  text('options.host', host);
  const port = checkPort('options.port', service);
  const literal = isIP(host.split('%', 1)[0]);
  if (literal !== 0) return [{ family: literal === 4 ? 'IPv4' : 'IPv6', address: host, port }];
  const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : 0;
  const found = await limited(lookupAll(host, wanted), wait);
  if (found.length === 0) throw invalidValue('options.host', 'a name with an address', host);
  return found.map((entry) => ({
    family: entry.family === 6 ? 'IPv6' : 'IPv4',
    address: entry.address,
    port,
  }));
}

function lookupAll(host: string, family: number): Promise<LookupAddress[]> {
  return new Promise((resolved, rejected) => {
    lookup(host, { all: true, family, verbatim: true }, (error, addresses) => {
      if (error === null) resolved(addresses);
      else rejected(error);
    });
  });
}

// Node's timers would take a longer one for 1 ms.
const LONGEST_TIMEOUT = 0x7fffffff;

// A look-up cannot be stopped, but nobody needs to wait for it.
function limited<T>(work: Promise<T>, { signal, timeout }: Wait): Promise<T> {
  return new Promise<T>((resolved, rejected) => {
    const onAbort = (): void => rejected(abortError(signal!));
    if (signal?.aborted === true) {
      work.catch(() => {});
      return onAbort();
    }
    signal?.addEventListener('abort', onAbort);
    const timer =
      timeout === undefined || timeout > LONGEST_TIMEOUT
        ? undefined
        : setTimeout(() => rejected(timeoutError('getaddrinfo', timeout)), timeout);
    void work.then(resolved, rejected).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
  });
}
