// Connected byte streams of every kind, made in every way.

import { connect, type ConnectStreamOptions } from '../../lib/endpoints/connect';
import { listen, type ListenStreamOptions } from '../../lib/endpoints/listen';
import type { Listener } from '../../lib/endpoints/listener';
import { StreamSocket } from '../../lib/endpoints/stream';
import type { InetAddress } from '../../lib/socket/address';
import { constants as C } from '../../lib/socket/constants';
import { Socket, socketpair } from '../../lib/socket/socket';
import { abstractName } from './names';
import { turn, turns } from './turns';

/** Both ends of a connection, closed at the end of the scope. */
export interface StreamPair extends AsyncDisposable {
  readonly client: StreamSocket;
  readonly server: StreamSocket;
}

function pair(client: StreamSocket, server: StreamSocket): StreamPair {
  return {
    client,
    server,
    [Symbol.asyncDispose](): Promise<void> {
      client.abort();
      server.abort();
      return Promise.resolve();
    },
  };
}

async function meet(at: ListenStreamOptions, to?: ConnectStreamOptions): Promise<StreamPair> {
  await using listener = await listen(at);
  const { address, port } = listener.address as InetAddress;
  const [client, server] = await Promise.all([
    connect(to ?? { host: address, port }),
    listener.accept(),
  ]);
  return pair(client, server);
}

/** A listener of TCP, and who connects to it. */
export async function loopback(): Promise<
  [server: Listener<StreamSocket, InetAddress>, join: () => Promise<StreamSocket>]
> {
  const server = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address;
  return [server, () => connect({ host: '127.0.0.1', port })];
}

export const tcp4 = (): Promise<StreamPair> => meet({ host: '127.0.0.1', port: 0 });

export const tcp6 = (): Promise<StreamPair> => meet({ host: '::1', port: 0 });

/** One family's client on the other one's listener: mapped addresses at one end. */
export async function dualStack(): Promise<StreamPair> {
  await using listener = await listen({ port: 0 });
  const { port } = listener.address;
  const [client, server] = await Promise.all([
    connect({ host: '127.0.0.1', port }),
    listener.accept(),
  ]);
  return pair(client, server);
}

export const unixPath = (path: string): Promise<StreamPair> => meet({ path }, { path });

export function abstract(): Promise<StreamPair> {
  const path = abstractName();
  return meet({ path }, { path });
}

/** Descriptors that came from elsewhere, as from a parent process: each end given away and adopted. */
export function adopted(): Promise<StreamPair> {
  const [client, server] = socketpair().map(
    (end) => new StreamSocket(Socket.fromFd(end.detach())),
  ) as [StreamSocket, StreamSocket];
  return Promise.resolve(pair(client, server));
}

/** Two ends of level 1. */
export interface SocketPair extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
}

export function sockets(type?: Parameters<typeof socketpair>[0]): SocketPair {
  const [a, b] = socketpair(type);
  return {
    a,
    b,
    [Symbol.dispose](): void {
      a.close();
      b.close();
    },
  };
}

/** A TCP connection of level 1, over IPv4. */
export async function connectedSockets(family: 'IPv4' | 'IPv6' = 'IPv4'): Promise<SocketPair> {
  using listener = Socket.open(family, 'stream');
  listener.bind({ family, address: family === 'IPv4' ? '127.0.0.1' : '::1', port: 0 });
  listener.listen();
  const a = Socket.open(family, 'stream');
  const [b] = await Promise.all([listener.accept(), a.connect(listener.getsockname())]);
  return {
    a,
    b,
    [Symbol.dispose](): void {
      a.close();
      b.close();
    },
  };
}

// tcp(7), struct tcp_info: what is sent and not acknowledged, in packets, and what is not sent, in bytes.
const UNACKED = 24;
const NOT_SENT = 144;

/** Nothing is under way any more: what has not been sent waits for the peer to read. */
function isAtRest(socket: Socket): boolean {
  if (socket.domain === C.AF_UNIX) return true;
  const info = socket.getsockopt(C.IPPROTO_TCP, C.TCP_INFO);
  return info.readUInt32LE(UNACKED) === 0 && info.readUInt32LE(NOT_SENT) > 0;
}

/**
 * Sends until the kernel takes no more, and will not before the peer reads; how much it has taken. TCP says
 * EAGAIN with bytes still on their way, whose acknowledgment makes room, up to 40 ms later.
 */
export async function fill(socket: Socket): Promise<number> {
  const piece = Buffer.alloc(65536);
  let total = 0;
  for (;;) {
    const resting = isAtRest(socket);
    const sent = socket.trySend(piece);
    if (sent !== null) total += sent;
    else if (resting) return total;
    else await turn();
  }
}

/**
 * Something to read is there, and its event has been dispatched. Until then a call after an EAGAIN waits for the
 * event, and on a busy machine a timeout of a few ms is over before the loop asks the kernel.
 */
export async function arrived(socket: Socket): Promise<void> {
  await socket.ready({ read: true });
  await turns(2); // so that one of them has polled
}

/** Receives exactly `length` bytes of a stream of level 1. */
export async function receiveAll(socket: Socket, length: number): Promise<Buffer> {
  const room = Buffer.alloc(length);
  for (let got = 0; got < length;) {
    const bytes = await socket.recv(room.subarray(got));
    if (bytes === 0) throw new Error(`the stream ended after ${got} of ${length} bytes`);
    got += bytes;
  }
  return room;
}
