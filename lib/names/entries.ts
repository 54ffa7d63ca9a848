// The databases of <netdb.h>, entry by entry: hosts, networks, protocols, services. Where they are kept
// (/etc/hosts and its like, a directory server) is nsswitch.conf(5)'s to say.

import { integer, port as checkPort, wait as checkWait, type Wait } from '../core/validate';
import { HOSTS, NETWORKS, PROTOCOLS, SERVICES } from '../native/binding';
import { binding } from '../native/load';
import { INET_FAMILIES, wordOf, type InetFamily } from '../native/words';
import { name as checkName, optionalName } from './arguments';
import type { Fields } from './fields';
import { lookUp } from './lookup';

/** Of hosts(5): one line's names and its address. */
export interface HostEntry {
  name: string;
  aliases: string[];
  family: InetFamily;
  addresses: string[];
}

/** Of networks(5). */
export interface NetworkEntry {
  name: string;
  aliases: string[];
  family: InetFamily;
  /** In host order: 127.0.0.0 is 0x7f000000. */
  network: number;
}

/** Of protocols(5). */
export interface ProtocolEntry {
  name: string;
  aliases: string[];
  /** `IPPROTO_…` */
  protocol: number;
}

/** Of services(5). */
export interface ServiceEntry {
  name: string;
  aliases: string[];
  /** In host order. */
  port: number;
  /** The protocol's name: 'tcp', 'udp' … */
  protocol: string;
}

const UINT32 = 0xffffffff;

interface Database<T> {
  readonly number: number;
  /** Enumerated by. */
  readonly syscall: string;
  readonly read: (fields: Fields) => T;
}

const family = (fields: Fields): InetFamily => wordOf(fields.number(), INET_FAMILIES) as InetFamily;

// The properties of a literal are evaluated in their order, which is that of the fields.
const hostsDatabase: Database<HostEntry> = {
  number: HOSTS,
  syscall: 'gethostent',
  read: (fields) => ({
    name: fields.text(),
    aliases: fields.texts(),
    family: family(fields),
    addresses: fields.texts(),
  }),
};

const networksDatabase: Database<NetworkEntry> = {
  number: NETWORKS,
  syscall: 'getnetent',
  read: (fields) => ({
    name: fields.text(),
    aliases: fields.texts(),
    family: family(fields),
    network: fields.number(),
  }),
};

const protocolsDatabase: Database<ProtocolEntry> = {
  number: PROTOCOLS,
  syscall: 'getprotoent',
  read: (fields) => ({
    name: fields.text(),
    aliases: fields.texts(),
    protocol: fields.number(),
  }),
};

const servicesDatabase: Database<ServiceEntry> = {
  number: SERVICES,
  syscall: 'getservent',
  read: (fields) => ({
    name: fields.text(),
    aliases: fields.texts(),
    port: fields.number(),
    protocol: fields.text(),
  }),
};

/** One for each enumeration, so that it can be iterated again, and says then what there is then. */
function all<T>(database: Database<T>, options: Wait | undefined): AsyncIterable<T> {
  const wait = checkWait(options);
  const { number, syscall, read } = database;
  const question = {
    syscall,
    ask: (done: Parameters<typeof binding.entries>[0]) => binding.entries(done, number),
  };
  return {
    async *[Symbol.asyncIterator]() {
      const fields = await lookUp(question, wait, (answer) => answer);
      while (fields.more) yield read(fields);
    },
  };
}

function byName<T>(
  { number, read }: Database<T>,
  syscall: string,
  name: string,
  protocol: string | null,
  options: Wait | undefined,
): Promise<T | null> {
  const given = checkName('name', name);
  return lookUp(
    {
      syscall,
      subject: given,
      ask: (done) => binding.entryByName(done, number, given, protocol),
    },
    checkWait(options),
    (fields) => (fields.more ? read(fields) : null),
  );
}

function byNumber<T>(
  { number, read }: Database<T>,
  syscall: string,
  key: number,
  protocol: string | null,
  options: Wait | undefined,
): Promise<T | null> {
  return lookUp(
    {
      syscall,
      subject: String(key),
      ask: (done) => binding.entryByNumber(done, number, key | 0, INET_FAMILIES.IPv4, protocol),
    },
    checkWait(options),
    (fields) => (fields.more ? read(fields) : null),
  );
}

/** All hosts that the machine knows without asking (hosts(5)). gethostent(3) */
export function hosts(options?: Wait): AsyncIterable<HostEntry> {
  return all(hostsDatabase, options);
}

/** All networks that have a name. getnetent(3) */
export function networks(options?: Wait): AsyncIterable<NetworkEntry> {
  return all(networksDatabase, options);
}

/** All protocols that have a name. getprotoent(3) */
export function protocols(options?: Wait): AsyncIterable<ProtocolEntry> {
  return all(protocolsDatabase, options);
}

/** All services that have a port. getservent(3) */
export function services(options?: Wait): AsyncIterable<ServiceEntry> {
  return all(servicesDatabase, options);
}

/** The network of this name or alias; null where there is none. getnetbyname(3) */
export function getnetbyname(name: string, options?: Wait): Promise<NetworkEntry | null> {
  return byName(networksDatabase, 'getnetbyname', name, null, options);
}

/** The IPv4 network of this number, in host order; null where there is none. getnetbyaddr(3) */
export function getnetbyaddr(network: number, options?: Wait): Promise<NetworkEntry | null> {
  integer('network', network, 0, UINT32);
  return byNumber(networksDatabase, 'getnetbyaddr', network, null, options);
}

/** The protocol of this name or alias; null where there is none. getprotobyname(3) */
export function getprotobyname(name: string, options?: Wait): Promise<ProtocolEntry | null> {
  return byName(protocolsDatabase, 'getprotobyname', name, null, options);
}

/** The protocol of this number; null where there is none. getprotobynumber(3) */
export function getprotobynumber(protocol: number, options?: Wait): Promise<ProtocolEntry | null> {
  integer('protocol', protocol);
  return byNumber(protocolsDatabase, 'getprotobynumber', protocol, null, options);
}

/** The service of this name or alias, of any protocol unless told; null where there is none. getservbyname(3) */
export function getservbyname(
  name: string,
  protocol?: string | null,
  options?: Wait,
): Promise<ServiceEntry | null> {
  const over = optionalName('protocol', protocol);
  return byName(servicesDatabase, 'getservbyname', name, over, options);
}

/** The service at this port, in host order, of any protocol unless told; null where there is none. getservbyport(3) */
export function getservbyport(
  port: number,
  protocol?: string | null,
  options?: Wait,
): Promise<ServiceEntry | null> {
  checkPort('port', port);
  const over = optionalName('protocol', protocol);
  return byNumber(servicesDatabase, 'getservbyport', port, over, options);
}
