// MessageSocket: what datagram, SEQPACKET and raw sockets have in common. A message is a message: empty ones
// are delivered, and cut ones say so.

import type { Operation } from '../core/operation';
import { integer, record, type Wait } from '../core/validate';
import type { Address, AddressInput } from '../socket/address';
import { bytesOf, piecesOf, type Bytes, type IoVec } from '../socket/bytes';
import { constants as C } from '../socket/constants';
import { Inbox, TakeMany, TakeOne } from '../socket/inbox';
import { DEFAULT_SIZE, type Message, type OutgoingMessage } from '../socket/message';
import { outgoing, SendEach, SendWhole, type BatchSent } from '../socket/send';
import type { Socket } from '../socket/socket';
import { invalidType } from '../core/errors';
import { PullSource } from './source';

// IP datagrams end at 64 KiB; Unix and netlink messages are as large as the sender's buffer (212,992 bytes).
const LARGE = 1 << 18;

export abstract class MessageSocket<A extends Address = Address>
  extends PullSource<Message>
  implements AsyncDisposable
{
  protected readonly inbox: Inbox;

  /** @internal Use `bind` or `connect`. */
  constructor(readonly socket: Socket) {
    super();
    const { state } = socket;
    const large = state.domain === C.AF_UNIX || state.domain === C.AF_NETLINK;
    const stamped = state.domain === C.AF_UNIX && state.type === C.SOCK_SEQPACKET;
    this.inbox = new Inbox(state, large ? LARGE : DEFAULT_SIZE, stamped);
  }

  get localAddress(): A {
    return this.socket.getsockname() as A;
  }

  /** The peer that this socket is connected to, if any. */
  get remoteAddress(): A | null {
    try {
      return this.socket.getpeername() as A;
    } catch (error) {
      if (this.socket.closed) throw error;
      return null;
    }
  }

  /**
   * All the messages that are there, at most `max`, as soon as there is one; none only at the end of a
   * SEQPACKET stream.
   */
  receiveBatch(max: number, options?: Wait): Promise<Message[]> {
    return this.perform(new TakeMany(this.inbox, integer('max', max, 1)), options);
  }

  /**
   * Sends one message, whole: to `to`, or to the peer that this socket is connected to. A full queue (EAGAIN,
   * ENOBUFS) is waited out.
   */
  send(data: Bytes | IoVec | string, to?: AddressInput, options?: Wait): Promise<void> {
    const sending = new SendWhole(
      this.socket.state,
      piecesToSend(data, 'data'),
      this.recipient(to),
      0,
      'send',
    );
    return this.perform(sending, options);
  }

  /** Sends messages in their order, many per system call; stops at the first that the kernel refuses. */
  sendBatch(messages: readonly OutgoingMessage[], options?: Wait): Promise<BatchSent> {
    if (!Array.isArray(messages)) throw invalidType('messages', 'an Array', messages);
    if (messages.length === 0) return Promise.resolve({ sent: 0 });
    const recipients = messages.map((message: OutgoingMessage, i) =>
      this.recipient(record(`messages[${i}]`, message).to),
    );
    const batch = messages.map((message: OutgoingMessage, i) =>
      outgoing(
        piecesToSend(message.data, `messages[${i}].data`),
        recipients[i],
        message.control,
        this.socket.domain,
        `messages[${i}]`,
      ),
    );
    return this.perform(new SendEach(this.socket.state, batch, recipients), options);
  }

  /** Closes at once; what waits rejects with ERR_SOCKET_CLOSED. */
  close(): Promise<void> {
    this.socket.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected takeOne(options: (Wait & { size?: number }) | undefined): Promise<Message | null> {
    const size =
      options?.size === undefined ? undefined : integer('options.size', options.size, 1, LARGE);
    return this.perform(new TakeOne(this.inbox, size), options);
  }

  protected next(): Operation<Message | null> {
    return new TakeOne(this.inbox);
  }

  protected recipient(to: AddressInput | undefined): AddressInput | undefined {
    return to;
  }
}

function piecesToSend(data: Bytes | IoVec | string, name: string): Uint8Array[] {
  if (typeof data === 'string') return [Buffer.from(data)];
  return Array.isArray(data) ? piecesOf(data, name) : [bytesOf(data, name)];
}
