// connect(): a name or an address to a connected endpoint.

import { performance } from 'node:perf_hooks';
import { abortError, invalidType, invalidValue } from '../core/errors';
import { port as checkPort, text, type KeysOf, type Wait } from '../core/validate';
import { familyOfLiteral } from '../names/inet';
import type { Address, AddressInput, InetAddress, UnixAddress } from '../socket/address';
import { constants as C, type SocketType } from '../socket/constants';
import type { Socket } from '../socket/socket';
import { DatagramSocket } from './datagram';
import { interleave, race } from './eyeballs';
import { METADATA_KEYS, tellMetadata, type SocketMetadata, type UdpMetadata } from './metadata';
import { checkPlace, checkSetUp, setIfGiven, withSocket, type SetUpWait } from './options';
import { resolve, type InetFamily } from './resolve';
import { SeqpacketSocket } from './seqpacket';
import { StreamSocket } from './stream';

interface InetPeer {
  /** A name or an IP literal: 'localhost' unless told. */
  host?: string | undefined;
  /** A number, or a service's name: 'https'. */
  port: number | string;
  /** Only addresses of this family. */
  family?: InetFamily | undefined;
  /** The IP literal to connect from; only addresses of its family are tried. */
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
/** `connect` to a SEQPACKET listener: `{ type: 'seqpacket', path }`. */
export type ConnectSeqpacketOptions = SetUpWait & { type: 'seqpacket' } & UnixPeer;
/** `connect` to a stream: `{ port, host? }` over TCP, `{ path }` of a Unix listener. */
export type ConnectStreamOptions = ConnectTcpOptions | ConnectUnixOptions;
/** `connect` with one peer for datagrams: `{ type: 'dgram', port, host? }`, or `path`. */
export type ConnectDatagramOptions = ConnectUdpOptions | ConnectUnixDatagramOptions;
/** All that `connect` takes; `type` says which: a stream unless told. */
export type ConnectOptions =
  ConnectStreamOptions | ConnectDatagramOptions | ConnectSeqpacketOptions;

const TYPES = ['stream', 'dgram', 'seqpacket'] as const;

export const CONNECT_KEYS: KeysOf<ConnectOptions> = {
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
 * Connects a stream (unless `type` says otherwise) to `{ host, port }` or `{ path }`. A name is resolved once;
 * of its addresses the families take turns, the next one is tried 250 ms after the last or as soon as that has
 * failed, and the first that answers is it (Happy Eyeballs, RFC 8305). `timeout` and `signal` are for all of it.
 * @throws SystemError of connect(2), or an AggregateError with one for each address, in the order in which they
 * were tried; EAI_*; ABORT_ERR; ERR_SOCKET_TIMEOUT
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
  checkSetUp(options, CONNECT_KEYS);
  const { type = 'stream' } = options;
  if (!TYPES.includes(type)) {
    throw invalidValue('options.type', "one of 'stream', 'dgram', 'seqpacket'", type);
  }
  if (type === 'seqpacket' && options.path === undefined) {
    throw invalidType('options.path', 'of type string or an instance of Uint8Array', options.path);
  }
  checkPlace(options, true);
  if (options.signal?.aborted === true) return Promise.reject(abortError(options.signal));
  return connectSocket(options, type).then(({ socket, address }) => {
    if (type === 'dgram') return new DatagramSocket(socket);
    return type === 'seqpacket'
      ? new SeqpacketSocket(socket)
      : new StreamSocket(socket, peerOf(socket, address));
  });
}

/** A socket, and where it was connected to. */
class Connected {
  constructor(
    readonly socket: Socket,
    readonly address: Address,
  ) {}

  close(): void {
    this.socket.close();
  }
}

// The kernel names no peer that has gone again, and none before the first write where TCP_FASTOPEN_CONNECT puts
// the connecting off until then. Test: "fast open: the first write travels in the SYN".
function peerOf(socket: Socket, address: Address): Address {
  try {
    return socket.getpeername();
  } catch {
    return address;
  }
}

async function connectSocket(
  options: ConnectOptions,
  type: (typeof TYPES)[number],
): Promise<Connected> {
  if (options.path !== undefined) {
    const { path, localPath } = options;
    const local: AddressInput | undefined =
      localPath === undefined ? undefined : { family: 'unix', path: localPath };
    return attempt({ family: 'unix', path }, local, type, options, options);
  }
  const inet = options as InetPeer & SetUpWait;
  const { signal, timeout } = inet;
  const began = performance.now();
  const addresses = await resolve(inet.host ?? 'localhost', inet.port, familyOf(inet), inet, type);
  const attemptOne = (address: InetAddress, wait: Wait): Promise<Connected> =>
    attempt(address, localOf(inet, address), type, options, wait);
  if (addresses.length === 1 && timeout === undefined) return attemptOne(addresses[0], { signal });
  const left = timeout === undefined ? undefined : timeout - (performance.now() - began);
  return race(
    interleave(addresses),
    (address, others) => attemptOne(address, { signal: others }),
    { signal, timeout: left },
    timeout,
  );
}

// An address of the other family could not be connected to from `localAddress`.
function familyOf({ family, localAddress }: InetPeer): InetFamily | undefined {
  if (family !== undefined || localAddress === undefined) return family;
  return familyOfLiteral(text('options.localAddress', localAddress));
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
  address: InetAddress | UnixAddress,
  local: AddressInput | undefined,
  type: SocketType,
  options: ConnectOptions,
  wait: Wait,
): Promise<Connected> {
  const protocol = (options as { protocol?: string }).protocol;
  return withSocket(address.family, type, protocol, options, async (socket) => {
    if (type === 'dgram') {
      const udp = options as ConnectUdpOptions;
      setIfGiven(socket, C.SOL_SOCKET, C.SO_BROADCAST, udp.broadcast);
      tellMetadata(socket, udp);
    }
    if (local !== undefined) bindLocal(socket, local, type);
    await socket.connect(address, { signal: wait.signal, timeout: wait.timeout });
    return new Connected(socket, address);
  });
}

// Attempts that race share the port, and so does a connection of before in TIME_WAIT: only the four numbers
// of a connection together have to be its own (tcp(7)).
function bindLocal(socket: Socket, local: AddressInput, type: SocketType): void {
  if (type === 'stream' && (local as { port?: number }).port! > 0) {
    socket.setsockopt(C.SOL_SOCKET, C.SO_REUSEADDR, true);
  }
  socket.bind(local);
}
