// connect(): a name or an address to a connected endpoint.

import { performance } from 'node:perf_hooks';
import { invalidType, invalidValue, timeoutError } from '../core/errors';
import type { Wait } from '../core/validate';
import { port as checkPort } from '../core/validate';
import type { AddressInput, InetAddress, UnixAddress } from '../socket/address';
import { constants as C, type SocketType } from '../socket/constants';
import type { Socket } from '../socket/socket';
import { DatagramSocket } from './datagram';
import {
  checkMetadata,
  METADATA_KEYS,
  tellMetadata,
  type SocketMetadata,
  type UdpMetadata,
} from './metadata';
import {
  checkPlace,
  checkSetUp,
  setIfGiven,
  withSocket,
  type KeysOf,
  type SetUpWait,
} from './options';
import { resolve, type InetFamily } from './resolve';
import { SeqpacketSocket } from './seqpacket';
import { StreamSocket } from './stream';

interface InetPeer {
  /** A name or an IP literal: 'localhost' unless told. */
  host?: string | undefined;
  port: number;
  /** Only addresses of this family. */
  family?: InetFamily | undefined;
  /** The IP literal to connect from. */
  localAddress?: string | undefined;
  localPort?: number | undefined;
  path?: undefined;
}

interface UnixPeer {
  /** A path, or an abstract name behind '\0'. */
  path: string | Uint8Array;
  /** The name to bind to first, where the peer is to answer datagrams. */
  localPath?: string | Uint8Array | undefined;
  host?: undefined;
  port?: undefined;
}

export type ConnectTcpOptions = SetUpWait & { type?: 'stream' | undefined } & InetPeer & {
    protocol?: 'tcp' | 'mptcp' | 'sctp' | undefined;
  };
export type ConnectUnixOptions = SetUpWait & { type?: 'stream' | undefined } & UnixPeer;
export type ConnectUdpOptions = SetUpWait & {
  type: 'dgram';
  broadcast?: boolean | undefined;
} & InetPeer &
  UdpMetadata;
export type ConnectUnixDatagramOptions = SetUpWait & { type: 'dgram' } & UnixPeer &
  Pick<SocketMetadata, 'timestamps'>;
export type ConnectSeqpacketOptions = SetUpWait & { type: 'seqpacket' } & UnixPeer;
export type ConnectStreamOptions = ConnectTcpOptions | ConnectUnixOptions;
export type ConnectDatagramOptions = ConnectUdpOptions | ConnectUnixDatagramOptions;
export type ConnectOptions =
  ConnectStreamOptions | ConnectDatagramOptions | ConnectSeqpacketOptions;

const TYPES = ['stream', 'dgram', 'seqpacket'] as const;

const KEYS: KeysOf<ConnectOptions> = {
  host: true,
  port: true,
  family: true,
  localAddress: true,
  localPort: true,
  path: true,
  localPath: true,
  type: true,
  broadcast: true,
  protocol: true,
  options: true,
  configure: true,
  ...METADATA_KEYS,
  signal: true,
  timeout: true,
};

/**
 * Connects a stream (unless `type` says otherwise) to `{ host, port }` or `{ path }`. Names are resolved once;
 * their addresses are tried one after the other.
 * @throws SystemError of connect(2), or an AggregateError with one for each address; ABORT_ERR;
 * ERR_SOCKET_TIMEOUT
 */
export function connect(options: ConnectTcpOptions): Promise<StreamSocket<InetAddress>>;
export function connect(options: ConnectUnixOptions): Promise<StreamSocket<UnixAddress>>;
export function connect(options: ConnectUdpOptions): Promise<DatagramSocket<InetAddress>>;
export function connect(options: ConnectUnixDatagramOptions): Promise<DatagramSocket<UnixAddress>>;
export function connect(options: ConnectSeqpacketOptions): Promise<SeqpacketSocket>;
export function connect(options: ConnectStreamOptions): Promise<StreamSocket>;
export function connect(options: ConnectDatagramOptions): Promise<DatagramSocket>;
export function connect(
  options: ConnectOptions,
): Promise<StreamSocket | DatagramSocket | SeqpacketSocket>;
export function connect(
  options: ConnectOptions,
): Promise<StreamSocket | DatagramSocket | SeqpacketSocket> {
  checkSetUp(options, KEYS);
  const { type = 'stream' } = options;
  if (!TYPES.includes(type)) {
    throw invalidValue('options.type', "one of 'stream', 'dgram', 'seqpacket'", type);
  }
  if (type === 'seqpacket' && options.path === undefined) {
    throw invalidType('options.path', 'of type string or an instance of Uint8Array', options.path);
  }
  if (type === 'dgram') checkMetadata(options as UdpMetadata);
  checkPlace(options, true);
  return connectSocket(options, type).then((socket) => {
    if (type === 'dgram') return new DatagramSocket(socket);
    return type === 'seqpacket' ? new SeqpacketSocket(socket) : connected(socket);
  });
}

// The peer can be gone again, and its name with it.
function connected(socket: Socket): StreamSocket {
  try {
    return new StreamSocket(socket, socket.getpeername());
  } catch (error) {
    socket.close();
    throw error;
  }
}

async function connectSocket(
  options: ConnectOptions,
  type: (typeof TYPES)[number],
): Promise<Socket> {
  if (options.path !== undefined) {
    const { path, localPath } = options;
    const local: AddressInput | undefined =
      localPath === undefined ? undefined : { family: 'unix', path: localPath };
    return attempt({ family: 'unix', path }, local, type, options, options);
  }
  const inet = options as InetPeer & SetUpWait;
  const deadline = inet.timeout === undefined ? undefined : performance.now() + inet.timeout;
  const addresses = await resolve(inet.host ?? 'localhost', inet.port, inet.family, inet);
  return firstOf(addresses, (address) => {
    const left = deadline === undefined ? undefined : deadline - performance.now();
    if (left !== undefined && left < 0) throw timeoutError('connect', inet.timeout!);
    return attempt(address, localOf(inet, address), type, options, {
      signal: inet.signal,
      timeout: left,
    });
  });
}

function localOf(
  { localAddress, localPort }: InetPeer,
  peer: InetAddress,
): AddressInput | undefined {
  if (localAddress === undefined && localPort === undefined) return undefined;
  const any = peer.family === 'IPv6' ? '::' : '0.0.0.0';
  return { address: localAddress ?? any, port: checkPort('options.localPort', localPort ?? 0) };
}

function attempt(
  address: AddressInput & { family: 'IPv4' | 'IPv6' | 'unix' },
  local: AddressInput | undefined,
  type: SocketType,
  options: ConnectOptions,
  wait: Wait,
): Promise<Socket> {
  const protocol = (options as { protocol?: string }).protocol;
  return withSocket(address.family, type, protocol, options, async (socket) => {
    if (type === 'dgram') {
      const udp = options as ConnectUdpOptions;
      setIfGiven(socket, C.SOL_SOCKET, C.SO_BROADCAST, udp.broadcast);
      tellMetadata(socket, udp);
    }
    if (local !== undefined) socket.bind(local);
    await socket.connect(address, { signal: wait.signal, timeout: wait.timeout });
    return socket;
  });
}

async function firstOf<A, S>(
  candidates: readonly A[],
  attemptOne: (candidate: A) => Promise<S>,
): Promise<S> {
  const failures: Error[] = [];
  for (const candidate of candidates) {
    try {
      return await attemptOne(candidate);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ABORT_ERR' || code === 'ERR_SOCKET_TIMEOUT') throw error;
      failures.push(error as Error);
    }
  }
  const [first] = failures;
  if (failures.length === 1) throw first;
  const all = new AggregateError(failures, failures.map((error) => error.message).join('; '));
  throw Object.assign(all, { code: (first as { code?: string } | undefined)?.code });
}
