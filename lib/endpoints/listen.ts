// listen(): a listening endpoint.

import { abortError, invalidType, invalidValue } from '../core/errors';
import { integer, type KeysOf } from '../core/validate';
import type { InetAddress, UnixAddress } from '../socket/address';
import { constants as C } from '../socket/constants';
import type { Socket } from '../socket/socket';
import { Listener } from './listener';
import {
  checkPlace,
  checkSetUp,
  reusePort,
  setIfGiven,
  withSocket,
  type SetUpWait,
} from './options';
import { resolve } from './resolve';
import { SeqpacketSocket } from './seqpacket';
import { StreamSocket } from './stream';
import { removeStale, remover, setMode } from './unix_path';

interface Common extends SetUpWait {
  /** Connections that may wait to be accepted: SOMAXCONN unless told, net.core.somaxconn at most. */
  backlog?: number | undefined;
}

interface InetPlace {
  /** A name or an IP literal; without it every address, IPv6 and IPv4 alike. */
  host?: string | undefined;
  /** A number, or a service's name; 0: the kernel chooses one. */
  port: number | string;
  reusePort?: boolean | undefined;
  /** Without `host`: IPv6 alone. */
  ipv6Only?: boolean | undefined;
  protocol?: 'tcp' | 'mptcp' | 'sctp' | undefined;
  path?: undefined;
}

interface UnixPlace {
  /** A path, or an abstract name behind '\0'. */
  path: string;
  /** The file's mode; without it what the umask leaves. */
  mode?: number | undefined;
  /**
   * Whether a file left behind by a dead listener is taken over, and this one's removed at close: true unless
   * told. A live listener's path is never taken.
   */
  unlink?: boolean | undefined;
  host?: undefined;
  port?: undefined;
}

export type ListenTcpOptions = Common & { type?: 'stream' | undefined } & InetPlace;
export type ListenUnixOptions = Common & { type?: 'stream' | undefined } & UnixPlace;
/** `listen` for SEQPACKET connections: `{ type: 'seqpacket', path }`. */
export type ListenSeqpacketOptions = Common & { type: 'seqpacket' } & UnixPlace;
/** `listen` for streams: `{ port, host? }` over TCP, `{ path }` of Unix sockets. */
export type ListenStreamOptions = ListenTcpOptions | ListenUnixOptions;
/** All that `listen` takes; `type` says which: streams unless told. */
export type ListenOptions = ListenStreamOptions | ListenSeqpacketOptions;

type TcpListener = Listener<StreamSocket<InetAddress>, InetAddress>;
type UnixListener = Listener<StreamSocket<UnixAddress>, UnixAddress>;
type SeqpacketListener = Listener<SeqpacketSocket, UnixAddress>;

const KEYS: KeysOf<ListenOptions> = {
  host: true,
  port: true,
  reusePort: true,
  ipv6Only: true,
  protocol: true,
  path: true,
  mode: true,
  unlink: true,
  type: true,
  backlog: true,
  options: true,
  configure: true,
  signal: true,
  timeout: true,
};

/**
 * Listens for streams (unless `type` says otherwise) on `{ port, host? }` or `{ path }`.
 * @throws SystemError of bind(2) and listen(2)
 */
export function listen(options: ListenTcpOptions): Promise<TcpListener>;
export function listen(options: ListenUnixOptions): Promise<UnixListener>;
export function listen(options: ListenSeqpacketOptions): Promise<SeqpacketListener>;
export function listen(options: ListenStreamOptions): Promise<TcpListener | UnixListener>;
export function listen(
  options: ListenOptions,
): Promise<TcpListener | UnixListener | SeqpacketListener>;
export function listen(
  options: ListenOptions,
): Promise<TcpListener | UnixListener | SeqpacketListener> {
  checkSetUp(options, KEYS);
  const { type = 'stream', backlog = C.SOMAXCONN } = options;
  integer('options.backlog', backlog, 0);
  if (type !== 'stream' && type !== 'seqpacket') {
    throw invalidValue('options.type', "one of 'stream', 'seqpacket'", type);
  }
  if (type === 'seqpacket' && options.path === undefined) {
    throw invalidType('options.path', 'of type string', options.path);
  }
  checkPlace(options, true);
  if (options.signal?.aborted === true) return Promise.reject(abortError(options.signal));
  return options.path !== undefined
    ? listenUnix(options, type, backlog)
    : listenInet(options, backlog);
}

function endpoint(socket: Socket, onClose?: () => void): UnixListener | SeqpacketListener {
  return socket.type === C.SOCK_STREAM
    ? new Listener(socket, (peer, remote) => new StreamSocket(peer, remote as UnixAddress), onClose)
    : new Listener(socket, (peer) => new SeqpacketSocket(peer), onClose);
}

async function listenInet(options: InetPlace & Common, backlog: number): Promise<TcpListener> {
  const { host, port } = options;
  const places = await resolve(host ?? '::', port, undefined, options);
  // Where there is no IPv6, every address is every IPv4 address.
  if (host === undefined && options.ipv6Only !== true) {
    places.push({ family: 'IPv4', address: '0.0.0.0', port: places[0].port });
  }
  for (const place of places.slice(0, -1)) {
    try {
      return await listenAt(place, options, backlog);
    } catch (error) {
      // Of a name's addresses the first one that this machine has.
      const { code } = error as { code?: string };
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    }
  }
  return listenAt(places[places.length - 1], options, backlog);
}

function listenAt(
  place: InetAddress,
  options: InetPlace & Common,
  backlog: number,
): Promise<TcpListener> {
  const first = (socket: Socket): void => {
    // TIME_WAIT of the last run would forbid the port for a minute (tcp(7)).
    socket.setsockopt(C.SOL_SOCKET, C.SO_REUSEADDR, true);
    reusePort(socket, options.reusePort);
    if (place.family === 'IPv6') {
      const dual = options.host === undefined ? false : undefined;
      setIfGiven(socket, C.IPPROTO_IPV6, C.IPV6_V6ONLY, options.ipv6Only ?? dual);
    }
  };
  const prepare = (socket: Socket): TcpListener => {
    socket.bind(place);
    socket.listen(backlog);
    return new Listener(socket, (peer, remote) => new StreamSocket(peer, remote as InetAddress));
  };
  return withSocket(place.family, 'stream', options.protocol, options, prepare, first);
}

function listenUnix(
  options: UnixPlace & Common,
  type: 'stream' | 'seqpacket',
  backlog: number,
): Promise<UnixListener | SeqpacketListener> {
  const { path, mode, unlink = true } = options;
  const isFile = typeof path === 'string' && path !== '' && !path.startsWith('\0');
  if (mode !== undefined) integer('options.mode', mode, 0, 0o7777);
  return withSocket('unix', type, undefined, options, async (socket) => {
    try {
      socket.bind({ family: 'unix', path });
    } catch (error) {
      const taken = (error as { code?: string }).code === 'EADDRINUSE';
      if (!taken || !isFile || !unlink || !(await removeStale(path, type))) throw error;
      socket.bind({ family: 'unix', path });
    }
    if (isFile && mode !== undefined) setMode(path, mode);
    socket.listen(backlog);
    return endpoint(socket, isFile && unlink ? remover(path) : undefined);
  });
}
