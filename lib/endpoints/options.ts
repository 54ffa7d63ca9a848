// What connect, listen and bind have in common: options for a socket before it has an address, and a socket
// that is closed again when anything fails on the way.

import { invalidType, invalidValue } from '../core/errors';
import {
  known,
  port as checkPort,
  text,
  wait as checkWait,
  type KeysOf,
  type Wait,
} from '../core/validate';
import {
  byName,
  constants as C,
  FAMILIES,
  protocolNumber,
  TYPES,
  type Family,
  type SocketType,
} from '../socket/constants';
import { checkService } from '../names/arguments';
import { familyOfLiteral } from '../names/inet';
import { checkOptions, type SettableOption, type SettableOptions } from '../socket/options';
import { encodeAddress } from '../socket/sockaddr';
import { Socket } from '../socket/socket';
import { METADATA_KEYS } from './metadata';

export interface SetUp {
  /** Options by their names, docs/options.md, set in their order before `configure` is called. */
  options?: SettableOptions | undefined;
  /** Called with the new socket before it is bound or connected: the place for setsockopt. */
  configure?: ((socket: Socket) => void) | undefined;
}

/** How long the whole of it may take. */
export type SetUpWait = SetUp & Wait;

/** What is yes or no, in whichever verb has it. */
const FLAGS: readonly string[] = [
  'broadcast',
  'cooked',
  'ipv6Only',
  'reusePort',
  'unlink',
  ...Object.keys(METADATA_KEYS),
];

/** What every verb checks first. */
export function checkSetUp<Options extends SetUpWait>(
  options: Options,
  keys: KeysOf<Options>,
): void {
  known('options', options, keys);
  for (const [key, value] of Object.entries(options)) {
    if (FLAGS.includes(key) && value !== undefined && typeof value !== 'boolean')
      throw invalidType(`options.${key}`, 'of type boolean', value);
  }
  checkWait(options);
  if (options.options !== undefined) checkOptions('options.options', options.options);
  if (options.configure !== undefined && typeof options.configure !== 'function') {
    throw invalidType('options.configure', 'of type function', options.configure);
  }
}

/**
 * Opens a socket and lets `prepare` make something of it; closed again where that fails. What the verb itself
 * sets (`first`) can be set otherwise by the caller's options, and those by `configure`.
 */
export async function withSocket<T>(
  domain: Family,
  type: SocketType,
  protocol: number | string | undefined,
  setUp: SetUp,
  prepare: (socket: Socket) => T | Promise<T>,
  first?: (socket: Socket) => void,
): Promise<T> {
  const socket = Socket.open(
    byName('family', domain, FAMILIES),
    byName('type', type, TYPES),
    protocol,
  );
  try {
    first?.(socket);
    for (const [key, value] of Object.entries(setUp.options ?? {})) {
      if (value !== undefined) socket.set(key as SettableOption, value);
    }
    setUp.configure?.(socket);
    return await prepare(socket);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Sets an int option where the caller has chosen a value. */
export function setIfGiven(
  socket: Socket,
  level: number,
  name: number,
  value: boolean | number | undefined,
): void {
  if (value !== undefined) socket.setsockopt(level, name, value);
}

export function reusePort(socket: Socket, value: boolean | undefined): void {
  setIfGiven(socket, C.SOL_SOCKET, C.SO_REUSEPORT, value);
}

/** What of a place is given, whatever the verb. */
export interface Place {
  host?: unknown;
  port?: unknown;
  localPort?: unknown;
  path?: unknown;
  family?: unknown;
  protocol?: unknown;
}

/** Misuse throws at once, before anything is awaited: the parts of an address on IPv4, IPv6 or in the file system. */
export function checkPlace(place: Place, needsPort: boolean): void {
  const { host, port, localPort, path, family, protocol } = place;
  if (path !== undefined) {
    encodeAddress({ family: 'unix', path: path as string }, C.AF_UNIX, 'options');
    return;
  }
  if (needsPort || port !== undefined) checkService('options.port', port);
  if (localPort !== undefined) checkPort('options.localPort', localPort);
  const literal = host === undefined ? undefined : familyOfLiteral(text('options.host', host));
  if (family !== undefined && family !== 'IPv4' && family !== 'IPv6') {
    throw invalidValue('options.family', "one of 'IPv4', 'IPv6'", family);
  }
  if (family !== undefined && literal !== undefined && literal !== family)
    throw invalidValue('options.host', `an ${family} address, as options.family says`, host);
  if (protocol !== undefined) protocolNumber(C.AF_INET, protocol as string);
}
