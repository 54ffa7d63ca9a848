// Connected byte streams of every kind, made in every way.

import { connect, type ConnectStreamOptions } from '../../lib/endpoints/connect';
import { listen, type ListenStreamOptions } from '../../lib/endpoints/listen';
import { StreamSocket } from '../../lib/endpoints/stream';
import type { InetAddress } from '../../lib/socket/address';
import { Socket, socketpair } from '../../lib/socket/socket';
import { abstractName } from './names';

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
