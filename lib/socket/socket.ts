// Level 1: the system calls of <sys/socket.h> by their own names, one call per method; awaitable where the
// kernel could block, synchronous where it cannot. Nothing is hidden, nothing is added.

import { FACTS } from '../native/binding';
import { invalidType, systemError } from '../core/errors';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { integer, wait as checkWait, type Wait } from '../core/validate';
import { binding } from '../native/load';
import type { AddressInput } from './address';
import type { Bytes, IoVec } from './bytes';
import { Accept, Connect } from './connection';
import {
  byName,
  constants as C,
  FAMILIES,
  protocolNumber,
  TYPES,
  type Family,
  type SocketType,
} from './constants';
import type { Message, OutgoingMessage } from './message';
import type { ErrorQueueEntry } from './error_queue';
import { SendFile, splice } from './file_transfer';
import { heedAll } from './heed';
import { Ready, type Interest, type Readiness } from './ready';
import type { Received } from './receive';
import { SocketDescriptor } from './descriptor';
import {
  isEmpty,
  large,
  lengthOr,
  type FileRange,
  type Flags,
  type ReceiveMessage,
  type ReceiveMessages,
  type Transfer,
} from './transfer_options';
import {
  receiving,
  receivingAll,
  receivingAllFrom,
  receivingAllMessage,
  receivingFrom,
  receivingMessage,
  receivingMessages,
  sending,
  sendingMessage,
  sendingMessages,
  sendingTo,
} from './transfers';
import { askOption, SocketState } from './state';

const { shared } = reactor.memory;

/**
 * Level 1: a socket and its system calls by their own names, one call per method. Those that could block are
 * promises with a `signal` and a `timeout`; their `try…` twins make the call once and give null for EAGAIN. It is to
 * be closed.
 * @example
 * using client = socket('IPv4', 'stream');
 * await client.connect({ address: '127.0.0.1', port: 7007 });
 * await client.send(Buffer.from('hello'));
 * const room = Buffer.alloc(1024);
 * const length = await client.recv(room);
 */
export class Socket extends SocketDescriptor {
  /**
   * socket(2). `protocol` is a number or a name ('icmp', 'mptcp', 'arp', 'route' …), 0 unless told.
   * @throws SystemError EACCES or EPERM (raw and packet sockets need CAP_NET_RAW), EAFNOSUPPORT, EMFILE …
   */
  static open(
    domain: number | Family,
    type: number | SocketType,
    protocol: number | string = 0,
  ): Socket {
    const family = byName('domain', domain, FAMILIES);
    const kind = byName('type', type, TYPES) & ~(C.SOCK_CLOEXEC | C.SOCK_NONBLOCK);
    const number = protocolNumber(family, protocol);
    const token = binding.open(family, kind, number);
    if (token < 0) throw explain(systemError(token, 'socket'), family, kind);
    return new Socket(new SocketState(token, family, kind, number));
  }

  /**
   * Adopts a descriptor: it becomes nonblocking and close-on-exec, and this socket's to close. Domain, type
   * and protocol are asked of the kernel.
   * @throws SystemError EBADF, ENOTSOCK; EBUSY where another Socket of this thread owns it
   */
  static fromFd(fd: number): Socket {
    const token = binding.adopt(integer('fd', fd, 0));
    if (token < 0) throw systemError(token, 'adopt');
    const state = new SocketState(
      token,
      askOption(token, C.SO_DOMAIN),
      askOption(token, C.SO_TYPE),
      askOption(token, C.SO_PROTOCOL),
    );
    // Whoever had it may have set anything.
    state.lingers = true;
    heedAll(state);
    return new Socket(state);
  }

  /**
   * connect(2). A Unix listener's full backlog is waited out. An aborted or timed-out attempt closes the socket.
   */
  connect(address: AddressInput, options?: Wait): Promise<void> {
    return this.wait(new Connect(this.state, address), options);
  }

  /** accept(2), as accept4 with SOCK_CLOEXEC and SOCK_NONBLOCK. Every error of the kernel's comes through. */
  accept(options?: Wait): Promise<Socket> {
    return this.wait(this.accepting(), options);
  }

  /** `accept`, made once: null where the kernel says EAGAIN. */
  tryAccept(): Socket | null {
    return this.now(this.accepting());
  }

  /** One send(2): bytes sent, fewer than given where a stream's buffer is nearly full. */
  send(data: Bytes | IoVec, options?: Transfer): Promise<number> {
    return this.wait(sending(this.state, data, options), options);
  }

  /** `send`, made once: null where the kernel says EAGAIN. */
  trySend(data: Bytes | IoVec, options?: Transfer): number | null {
    return this.now(sending(this.state, data, options));
  }

  /** One sendto(2). */
  sendto(data: Bytes | IoVec, to: AddressInput, options?: Transfer): Promise<number> {
    return this.wait(sendingTo(this.state, data, to, options), options);
  }

  /** `sendto`, made once: null where the kernel says EAGAIN. */
  trySendto(data: Bytes | IoVec, to: AddressInput, options?: Transfer): number | null {
    return this.now(sendingTo(this.state, data, to, options));
  }

  /** One sendmsg(2). */
  sendmsg(message: OutgoingMessage & { flags?: Flags }, options?: Wait): Promise<number> {
    return this.wait(sendingMessage(this.state, message), options);
  }

  /** `sendmsg`, made once: null where the kernel says EAGAIN. */
  trySendmsg(message: OutgoingMessage & { flags?: Flags }): number | null {
    return this.now(sendingMessage(this.state, message));
  }

  /**
   * One sendmmsg(2): how many of the messages went, from the first on; at most 64 go at once. With MSG_ZEROCOPY one
   * sendmsg(2) each, out of the caller's memory, which has to stay as it is until `readErrorQueue` tells of them.
   */
  sendmmsg(messages: readonly OutgoingMessage[], options?: Transfer): Promise<number> {
    if (isEmpty(messages)) return Promise.resolve(0);
    return this.wait(sendingMessages(this.state, messages, options), options);
  }

  /** `sendmmsg`, made once: null where the kernel says EAGAIN. */
  trySendmmsg(messages: readonly OutgoingMessage[], options?: Transfer): number | null {
    return isEmpty(messages) ? 0 : this.now(sendingMessages(this.state, messages, options));
  }

  /**
   * One recv(2) into the caller's memory: bytes received, 0 at the end of a stream (or an empty message). With
   * MSG_WAITALL, on a stream, as many calls as it takes to fill it; the error of one that fails before, or is
   * aborted, has `bytesTransferred`.
   */
  recv(into: Bytes, options?: Transfer): Promise<number> {
    return this.wait(receivingAll(this.state, into, options), options);
  }

  /** `recv`, made once: null where the kernel says EAGAIN. */
  tryRecv(into: Bytes, options?: Transfer): number | null {
    return this.now(receiving(this.state, into, options));
  }

  /** One recvfrom(2) into the caller's memory, and who sent it. MSG_WAITALL as for `recv`. */
  recvfrom(into: Bytes, options?: Transfer): Promise<Received> {
    return this.wait(receivingAllFrom(this.state, into, options), options);
  }

  /** `recvfrom`, made once: null where the kernel says EAGAIN. */
  tryRecvfrom(into: Bytes, options?: Transfer): Received | null {
    return this.now(receivingFrom(this.state, into, options));
  }

  /**
   * One recvmsg(2). With `into` the message's data is the caller's memory (one piece) or a copy of it (several).
   * MSG_WAITALL as for `recv`: it fills `into`, or `size` bytes, and stops at descriptors that came.
   * @throws ERR_CONTROL_TRUNCATED where some of a message's descriptors found no room in `controlSize`; where none did,
   * `controlTruncated` alone tells that something was lost
   */
  recvmsg(options?: ReceiveMessage): Promise<Message> {
    return this.wait(receivingAllMessage(this.state, options), options);
  }

  /** `recvmsg`, made once: null where the kernel says EAGAIN. */
  tryRecvmsg(options?: ReceiveMessage): Message | null {
    return this.now(receivingMessage(this.state, options));
  }

  /**
   * One recvmmsg(2): at least one message and at most `max`, which is cut to what fits 4 MiB and to 64.
   * @throws ERR_CONTROL_TRUNCATED as `recvmsg`; the error's `messages` are the others of the batch
   */
  recvmmsg(max: number, options?: ReceiveMessages): Promise<Message[]> {
    return this.wait(receivingMessages(this.state, max, options), options);
  }

  /** `recvmmsg`, made once: null where the kernel says EAGAIN. */
  tryRecvmmsg(max: number, options?: ReceiveMessages): Message[] | null {
    return this.now(receivingMessages(this.state, max, options));
  }

  /**
   * What the network said of messages sent before (IP_RECVERR), and what became of timestamps and zero-copy
   * sends: all of the error queue, recvmsg(2) with MSG_ERRQUEUE, and what an endpoint has taken off it for its
   * `errors()`. Empty where there is nothing, as always of Unix and netlink sockets, which have no such queue.
   */
  readErrorQueue(): ErrorQueueEntry[] {
    this.token('recvmsg');
    return this.state.sentErrors.all();
  }

  /** poll(2) on this socket: resolves when one of `events` is there. A hint; errors and hang-ups count too. */
  ready(events: Interest, options?: Wait): Promise<Readiness> {
    return this.wait(new Ready(this.state, events), options);
  }

  /**
   * sendfile(2) until `length` bytes of the file, or all up to its end, are sent; how many went. From `offset`
   * on, or else from the descriptor's own position, which then moves. Nothing that is written meanwhile comes
   * in between. What is not in the page cache yet is read from the disk by this thread, which waits for it, at
   * most 1 MiB a turn; a file that grows for ever is sent for ever.
   * @throws SystemError with `bytesTransferred`, as an abort has: EINVAL for what is no file
   */
  sendfile(file: number, options?: Wait & FileRange): Promise<number> {
    const { offset, length } = options ?? {};
    const from = offset === undefined ? undefined : large('options.offset', offset);
    const sending = new SendFile(
      this.state,
      { fd: integer('file', file, 0) },
      from,
      lengthOr(length),
    );
    return this.wait(sending, options);
  }

  /**
   * splice(2), through a pipe of its own: moves what this stream receives to `to`, `length` bytes or all up to
   * the end of the stream, without a copy into this process; how many went. `to` is not ended. Until it is
   * done, reads of this socket and writes of `to` stand behind it.
   * @throws SystemError, or AbortError or ERR_SOCKET_TIMEOUT; with `bytesTransferred`, what `to` has taken, and
   * `data`, what was taken from this stream and not delivered (at most what a pipe holds): no byte is lost.
   */
  splice(to: Socket, options?: Wait & { length?: number | undefined }): Promise<number> {
    if (!(to instanceof Socket)) throw invalidType('to', 'an instance of Socket', to);
    const length = lengthOr(options?.length);
    return splice(this.state, to.state, length, checkWait(options), [this, to]);
  }

  /** A second descriptor for the same open socket, F_DUPFD_CLOEXEC. */
  dup(): Socket {
    const token = this.check('dup', binding.duplicate(this.token('dup')));
    const state = new SocketState(token, this.domain, this.type, this.protocol);
    heedAll(state);
    return new Socket(state.like(this.state));
  }

  private accepting(): Accept<Socket> {
    const { domain, type, protocol } = this.state;
    return new Accept(
      this.state,
      (token) => new Socket(new SocketState(token, domain, type, protocol).like(this.state)),
    );
  }

  private wait<T>(operation: Operation<T>, options: Wait | undefined): Promise<T> {
    return reactor.perform(operation, checkWait(options), this);
  }

  private now<T>(operation: Operation<T>): T | null {
    this.token(operation.syscall);
    return reactor.now(operation);
  }
}

/** socketpair(2): two connected Unix sockets. */
export function socketpair(type: SocketType | number = 'stream', protocol = 0): [Socket, Socket] {
  const kind = byName('type', type, TYPES) & ~(C.SOCK_CLOEXEC | C.SOCK_NONBLOCK);
  const result = binding.socketpair(C.AF_UNIX, kind, integer('protocol', protocol, 0));
  if (result < 0) throw systemError(result, 'socketpair');
  const pair = (i: number): Socket =>
    new Socket(new SocketState(shared[FACTS + i], C.AF_UNIX, kind, protocol));
  return [pair(0), pair(1)];
}

/** Adds to a refusal what is missing and how to grant it. */
function explain<E extends Error & { code: string }>(error: E, domain: number, type: number): E {
  if (error.code !== 'EPERM' && error.code !== 'EACCES') return error;
  if (domain === C.AF_PACKET || type === C.SOCK_RAW) {
    error.message +=
      ': raw and packet sockets need CAP_NET_RAW. Run as root, or grant it to the program: ' +
      'sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"';
  } else if (type === C.SOCK_DGRAM) {
    error.message +=
      ': ICMP datagram sockets need a group within the sysctl net.ipv4.ping_group_range';
  }
  return error;
}

/** socket(2), as `Socket.open`. */
export const socket = (
  domain: number | Family,
  type: number | SocketType,
  protocol?: number | string,
): Socket => Socket.open(domain, type, protocol);
