// Names to addresses, and services to ports, once, for connect, listen and bind. IP literals and numbers are taken
// as they are.

import { domainToASCII } from 'node:url';
import type { Wait } from '../core/validate';
import { checkService, name as checkName } from '../names/arguments';
import { familyOfLiteral } from '../names/inet';
import { netdb } from '../names/netdb';
import type { InetAddress } from '../socket/address';
import type { SocketType } from '../socket/constants';

export type InetFamily = InetAddress['family'];

/**
 * Every address that `host` has for sockets of `type`, in the order to try them in, with the port of `service`.
 * @throws SystemError with `code` EAI_…: EAI_SERVICE where `type` has no such service
 */
export async function resolve(
  host: string,
  service: number | string,
  family: InetFamily | undefined,
  wait: Wait,
  type: SocketType = 'stream',
): Promise<InetAddress[]> {
  checkName('options.host', host);
  const port = checkService('options.port', service);
  const literal = familyOfLiteral(host);
  if (literal !== undefined)
    return [{ family: literal, address: host, port: await resolvePort(port, wait, type) }];
  const { signal, timeout } = wait;
  const hints = { family: family ?? 0, socktype: type, signal, timeout };
  const found = await netdb.getaddrinfo(ascii(host), port, hints);
  return found.map(({ address }) => address);
}

/** The port of `service` for sockets of `type`. */
export async function resolvePort(
  service: number | string,
  { signal, timeout }: Wait,
  type: SocketType = 'stream',
): Promise<number> {
  const port = checkService('options.port', service);
  if (typeof port === 'number') return port;
  const [first] = await netdb.getaddrinfo(null, port, { socktype: type, signal, timeout });
  return first.address.port;
}

// Names of other alphabets as DNS has them (RFC 5891), whatever the locale. What is no name there may be one elsewhere.
function ascii(host: string): string {
  return /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host) || host;
}
