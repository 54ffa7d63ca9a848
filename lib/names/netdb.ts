// <netdb.h>: names to addresses and back.

import { invalidValue, systemError } from '../core/errors';
import {
  byName,
  integer,
  port as checkPort,
  record,
  text,
  wait as checkWait,
  type Wait,
} from '../core/validate';
import { binding } from '../native/load';
import {
  INET_FAMILIES,
  TYPES,
  wordOf,
  type InetAddress,
  type InetFamily,
  type SocketType,
} from '../native/words';
import { optionalName } from './arguments';
import {
  getnetbyaddr,
  getnetbyname,
  getprotobyname,
  getprotobynumber,
  getservbyname,
  getservbyport,
  hosts,
  networks,
  protocols,
  services,
} from './entries';
import type { Fields } from './fields';
import { inet } from './inet';
import { interfaces } from './interfaces';
import { lookUp } from './lookup';

/** What is wanted of the addresses: addrinfo's members, each any unless told. */
export interface AddressHints {
  /** `AI_…` or'ed: none unless told. */
  flags?: number | undefined;
  family?: InetFamily | number | undefined;
  socktype?: SocketType | number | undefined;
  /** `IPPROTO_…` */
  protocol?: number | undefined;
}

/** One addrinfo: what `socket()` takes, and the address to connect or to bind to. */
export interface AddressInfo {
  family: InetFamily;
  /** A type without a word (DCCP's) is its number. */
  socktype: SocketType | number;
  protocol: number;
  address: InetAddress;
  /** The host's official name, with the first one where AI_CANONNAME asked for it. */
  canonname?: string;
}

/** What an address is called. */
export interface NameInfo {
  host: string;
  service: string;
}

function readAddressInfo(fields: Fields): AddressInfo {
  const family = wordOf(fields.number(), INET_FAMILIES) as InetFamily;
  const socktype = wordOf(fields.number(), TYPES);
  const protocol = fields.number();
  const address: InetAddress = { family, address: fields.text(), port: fields.number() };
  const scopeId = fields.number();
  const canonname = fields.text();
  if (scopeId !== 0) address.scopeId = scopeId;
  return { family, socktype, protocol, address, ...(canonname !== '' && { canonname }) };
}

function readAll(fields: Fields): AddressInfo[] {
  const found: AddressInfo[] = [];
  while (fields.more) found.push(readAddressInfo(fields));
  return found;
}

function serviceOf(service: unknown): string | null {
  return typeof service === 'number'
    ? String(checkPort('service', service))
    : optionalName('service', service);
}

/**
 * Every address of a host and a service, for every type of socket unless told: in the order of RFC 6724, which is
 * the order to try them in. `host` is a name or an IP literal, or null for the loopback addresses (with
 * AI_PASSIVE: the wildcards); `service` a name or a port. One of them must be given. getaddrinfo(3)
 *
 * The look-up is done by another thread. Aborted or timed out it is not waited for any longer; what is under
 * way goes on there until the C library gives up, too.
 * @throws SystemError with `code` EAI_…, `hostname`, and gai_strerror's words; ABORT_ERR; ERR_SOCKET_TIMEOUT
 */
function getaddrinfo(
  host: string | null,
  service?: string | number | null,
  options: AddressHints & Wait = {},
): Promise<AddressInfo[]> {
  const hostname = optionalName('host', host);
  const serviceName = serviceOf(service);
  const { flags = 0, family = 0, socktype = 0, protocol = 0 } = record('options', options);
  integer('options.flags', flags);
  integer('options.protocol', protocol, 0);
  const familyNumber = byName('options.family', family, INET_FAMILIES);
  const type = byName('options.socktype', socktype, TYPES);
  const named = typeof service === 'string' ? `${hostname ?? ''}:${service}` : undefined;
  return lookUp(
    {
      syscall: 'getaddrinfo',
      hostname: hostname ?? undefined,
      subject: named,
      ask: (done) =>
        binding.getaddrinfo(done, hostname, serviceName, flags, familyNumber, type, protocol),
    },
    checkWait(options),
    readAll,
  );
}

/** Where an address is, for the C library: a link-local one's interface may stand behind a '%'. */
function scopeOf({ address, scopeId }: Partial<InetAddress>): [literal: string, scope: number] {
  const [literal, zone] = address!.split('%', 2);
  if (zone === undefined || scopeId !== undefined) {
    return [literal, integer('address.scopeId', scopeId ?? 0, 0, 0xffffffff)];
  }
  const index = /^\d+$/.test(zone) ? Number(zone) : interfaces.nameToIndex(zone);
  if (index === null) throw systemError(-binding.constants.ENODEV, 'if_nametoindex', { address });
  return [literal, integer('address.address', index, 0, 0xffffffff)];
}

/**
 * The names of an address and its port, or both as text where they have none. `flags`: `NI_…` or'ed, so that
 * NI_NUMERICHOST asks nobody, NI_NAMEREQD fails where there is no name, and NI_DGRAM means UDP's services.
 * getnameinfo(3); giving up is as with `getaddrinfo`.
 * @throws SystemError with `code` EAI_…; ABORT_ERR; ERR_SOCKET_TIMEOUT
 */
function getnameinfo(
  address: Omit<InetAddress, 'family'> & { family?: InetFamily | undefined },
  options: { flags?: number | undefined } & Wait = {},
): Promise<NameInfo> {
  const given = text('address.address', record('address', address).address);
  const family = address.family ?? (given.includes(':') ? 'IPv6' : 'IPv4');
  if (!Object.hasOwn(INET_FAMILIES, family)) {
    throw invalidValue('address.family', "one of 'IPv4', 'IPv6'", family);
  }
  const port = checkPort('address.port', address.port);
  const [literal, scope] = scopeOf(address);
  if (inet.pton(family, literal) === null) {
    throw invalidValue('address.address', `an ${family} literal`, given);
  }
  const { flags = 0 } = record('options', options);
  integer('options.flags', flags);
  return lookUp(
    {
      syscall: 'getnameinfo',
      hostname: given,
      ask: (done) =>
        binding.getnameinfo(done, INET_FAMILIES[family], literal, port, scope | 0, flags),
    },
    checkWait(options),
    (fields) => ({ host: fields.text(), service: fields.text() }),
  );
}

/** What an `EAI_…` number means, in English. gai_strerror(3) */
function gai_strerror(status: number): string {
  return binding.gaiStrerror(integer('status', status))!;
}

/** `<netdb.h>`: names of hosts, services, protocols and networks. Nothing here blocks the event loop. */
export const netdb = Object.freeze({
  getaddrinfo,
  getnameinfo,
  gai_strerror,
  hosts,
  networks,
  protocols,
  services,
  getnetbyname,
  getnetbyaddr,
  getprotobyname,
  getprotobynumber,
  getservbyname,
  getservbyport,
});
