// Connected message sockets of every kind: what one sends, the other receives.

import { bind } from '../../lib/endpoints/bind';
import { connect } from '../../lib/endpoints/connect';
import { DatagramSocket } from '../../lib/endpoints/datagram';
import { listen } from '../../lib/endpoints/listen';
import type { MessageSocket } from '../../lib/endpoints/message';
import { SeqpacketSocket } from '../../lib/endpoints/seqpacket';
import type { Message } from '../../lib/socket/message';
import { Socket, socketpair } from '../../lib/socket/socket';
import { abstractName } from './names';

/** What datagram and SEQPACKET sockets have in common, as far as these tests go. */
export type Endpoint = MessageSocket & {
  receive(options?: {
    signal?: AbortSignal;
    timeout?: number;
    size?: number;
  }): Promise<Message | null>;
};

export interface MessagePair extends AsyncDisposable {
  readonly a: Endpoint;
  readonly b: Endpoint;
}

function pair(a: Endpoint, b: Endpoint): MessagePair {
  return {
    a,
    b,
    [Symbol.asyncDispose](): Promise<void> {
      // At once: a polite close would wait for the other end, which waits for this one.
      a.socket.close();
      b.socket.close();
      return Promise.resolve();
    },
  };
}

async function udp(host: string): Promise<MessagePair> {
  // Two sockets that are each other's peers: the first learns the second's port after both are bound.
  const a = await bind({ host });
  const { port } = a.localAddress;
  const b = await connect({ type: 'dgram', host, port });
  await a.socket.connect(b.localAddress);
  return pair(a, b);
}

export const udp4 = (): Promise<MessagePair> => udp('127.0.0.1');
export const udp6 = (): Promise<MessagePair> => udp('::1');

export async function unixDatagram(): Promise<MessagePair> {
  const path = abstractName();
  const a = await bind({ path });
  const b = await connect({ type: 'dgram', path, localPath: abstractName() });
  await a.socket.connect(b.localAddress);
  return pair(a, b);
}

export async function seqpacket(): Promise<MessagePair> {
  const path = abstractName();
  await using listener = await listen({ type: 'seqpacket', path });
  const [a, b] = await Promise.all([connect({ type: 'seqpacket', path }), listener.accept()]);
  return pair(a, b);
}

export function adoptedDatagrams(): Promise<MessagePair> {
  const [a, b] = socketpair('dgram').map(
    (end) => new DatagramSocket(Socket.fromFd(end.detach())),
  ) as [DatagramSocket, DatagramSocket];
  return Promise.resolve(pair(a, b));
}

export function adoptedSeqpackets(): Promise<MessagePair> {
  const [a, b] = socketpair('seqpacket').map(
    (end) => new SeqpacketSocket(Socket.fromFd(end.detach())),
  ) as [SeqpacketSocket, SeqpacketSocket];
  return Promise.resolve(pair(a, b));
}
