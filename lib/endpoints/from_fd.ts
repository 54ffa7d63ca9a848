// fromFd(): the endpoint that a descriptor is, as the kernel says.

import { invalidValue } from '../core/errors';
import type { Address, UnixAddress } from '../socket/address';
import { constants as C } from '../socket/constants';
import { Socket } from '../socket/socket';
import { DatagramSocket } from './datagram';
import { Listener } from './listener';
import { RawSocket } from './raw';
import { SeqpacketSocket } from './seqpacket';
import { StreamSocket } from './stream';

/** What `fromFd` may make of a descriptor: ask with `instanceof`. */
export type Endpoint =
  | StreamSocket
  | Listener<StreamSocket>
  | Listener<SeqpacketSocket, UnixAddress>
  | DatagramSocket
  | SeqpacketSocket
  | RawSocket;

// Of these, datagram sockets carry packets and netlink messages too.
const RAW_DOMAINS = [C.AF_PACKET, C.AF_NETLINK];

/**
 * Adopts a socket's descriptor (inherited, handed over by `detach`, received) as the endpoint that it is:
 * SO_ACCEPTCONN, SO_TYPE and SO_DOMAIN are asked of the kernel. It becomes nonblocking and close-on-exec, and
 * the endpoint's to close.
 * @throws SystemError EBADF, ENOTSOCK; EBUSY where another socket of this thread has it;
 * ERR_INVALID_ARG_VALUE for a type that no endpoint stands for, whose descriptor is left as it was
 */
export function fromFd(fd: number): Endpoint {
  const socket = Socket.fromFd(fd);
  const endpoint = endpointOf(socket);
  if (endpoint !== undefined) return endpoint;
  const { type } = socket;
  socket.detach();
  throw invalidValue('fd', 'a stream, datagram, seqpacket or raw socket', `one of type ${type}`);
}

function endpointOf(socket: Socket): Endpoint | undefined {
  switch (socket.type) {
    case C.SOCK_STREAM:
      if (isListening(socket)) {
        return new Listener(socket, (peer, remote) => new StreamSocket(peer, remote));
      }
      return new StreamSocket<Address>(socket);
    case C.SOCK_SEQPACKET:
      if (isListening(socket)) {
        return new Listener<SeqpacketSocket, UnixAddress>(
          socket,
          (peer) => new SeqpacketSocket(peer),
        );
      }
      return new SeqpacketSocket(socket);
    case C.SOCK_DGRAM:
      return RAW_DOMAINS.includes(socket.domain)
        ? new RawSocket(socket)
        : new DatagramSocket(socket);
    case C.SOCK_RAW:
      return new RawSocket(socket);
    default:
      return undefined;
  }
}

function isListening(socket: Socket): boolean {
  return socket.getsockopt(C.SOL_SOCKET, C.SO_ACCEPTCONN, 4).some((byte) => byte !== 0);
}
