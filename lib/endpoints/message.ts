// MessageSocket: what datagram, SEQPACKET and raw sockets have in common. A message is a message: empty ones
// are delivered, and cut ones say so.

import { Buffer } from 'node:buffer';
import type { OperatorFunction } from 'rxjs';
import type { Puttable } from '../adapters/contract';
import type { Operation } from '../core/operation';
import { integer, record, type Wait } from '../core/validate';
import type { Address, AddressInput } from '../socket/address';
import { bytesOf, piecesOf, type Data } from '../socket/bytes';
import { constants as C } from '../socket/constants';
import { Inbox, TakeMany, TakeOne } from '../socket/inbox';
import { DEFAULT_SIZE, type Message, type OutgoingMessage } from '../socket/message';
import { closeControl, type OutgoingControl } from '../socket/control';
import type { ErrorQueueEntry } from '../socket/error_queue';
import { Gatherer } from '../socket/gather';
import { outgoing, sendMessageNow, SendWhole } from '../socket/send';
import { SendEach, type BatchSent } from '../socket/send_many';
import { TakeError } from '../socket/sent_errors';
import type { Socket } from '../socket/socket';
import { closedError, invalidType } from '../core/errors';
import { reactor } from '../core/runtime';
import { DONE } from '../core/settlement';
import { sink, type SinkOptions } from './sink';
import { PullSource, type IterateOptions } from './source';

// IP datagrams end at 64 KiB; Unix and netlink messages are as large as the sender's buffer (212,992 bytes).
const LARGE = 1 << 18;

/** How one `send` goes: `signal` and `timeout` (it then goes in a system call of its own), and what goes beside. */
export interface SendOptions extends Wait {
  /** What goes beside the data: a source address, a TTL, descriptors … */
  control?: readonly OutgoingControl[] | undefined;
}

/** What the network says of messages that were sent. */
class SentErrorSource extends PullSource<ErrorQueueEntry> {
  constructor(private readonly socket: Socket) {
    super();
  }

  protected next(): TakeError {
    return new TakeError(this.socket.state);
  }
}

/** What `DatagramSocket`, `SeqpacketSocket` and `RawSocket` have in common; to be asked for with `instanceof`. */
export abstract class MessageSocket<A extends Address = Address>
  extends PullSource<Message<A>>
  implements AsyncDisposable
{
  protected readonly inbox: Inbox;
  private readonly gatherer: Gatherer;
  private sentErrors: SentErrorSource | undefined;

  /** @internal Use `bind` or `connect`. */
  constructor(readonly socket: Socket) {
    super();
    const { state } = socket;
    const large = state.domain === C.AF_UNIX || state.domain === C.AF_NETLINK;
    const stamped = state.domain === C.AF_UNIX && state.type === C.SOCK_SEQPACKET;
    this.inbox = new Inbox(state, large ? LARGE : DEFAULT_SIZE, stamped);
    this.gatherer = new Gatherer(state, this);
  }

  /**
   * This side's address, asked of the kernel each time: connecting may change it.
   * @throws ERR_SOCKET_CLOSED
   */
  get localAddress(): A {
    return this.socket.getsockname() as A;
  }

  /**
   * The peer that this socket is connected to, if any; asked of the kernel each time.
   * @throws ERR_SOCKET_CLOSED
   */
  get remoteAddress(): A | null {
    try {
      return this.socket.getpeername() as A;
    } catch (error) {
      if (this.socket.closed) throw error;
      return null;
    }
  }

  /**
   * Messages that are there, as soon as there is one: at most `max`, and at most one recvmmsg(2), which is 64, or what
   * an earlier call has read ahead. None only at the end of a SEQPACKET stream.
   */
  receiveBatch(max: number, options?: Wait): Promise<Message<A>[]> {
    const taking = new TakeMany(this.inbox, integer('max', max, 1));
    return this.perform(ofDomain<Message<A>[]>(taking), options);
  }

  /**
   * Sends one message, whole: to `to`, or to the peer that this socket is connected to. A full queue (EAGAIN,
   * ENOBUFS) is waited out. Messages that are sent in the same tick without a signal or a timeout go in one system
   * call when it ends, or this socket is closed; their memory is to stay as it is until then.
   */
  send(data: Data, to?: AddressInput, options?: SendOptions): Promise<void> {
    const pieces = piecesToSend(data, 'data');
    const recipient = this.recipient(to);
    const { state } = this.socket;
    const limited = options?.signal !== undefined || options?.timeout !== undefined;
    // Each Unix address has a queue of its own to wait for: nothing is gathered for several of them.
    const alone = recipient !== undefined && state.domain === C.AF_UNIX;
    if (!limited && !alone && !this.gatherer.isFirst()) {
      const message = outgoing(pieces, recipient, options?.control, state.domain, 'options', 'to');
      if (this.closing !== undefined || state.closed) return Promise.reject(closedError('send'));
      return this.gatherer.send(message, recipient);
    }
    const control = options?.control;
    if (!limited && !alone && control === undefined && pieces.length === 1)
      return this.sendAlone(pieces[0], recipient);
    const sending = new SendWhole(state, pieces, recipient, 0, 'send', control, 'options.control');
    this.flush();
    return this.perform(sending, options);
  }

  // Most messages are alone, go whole at once, and need no operation for it.
  private sendAlone(data: Uint8Array, to: AddressInput | undefined): Promise<void> {
    const { state } = this.socket;
    this.flush();
    const sent = this.closing === undefined ? sendMessageNow(state, data, to) : undefined;
    if (sent !== undefined && sent >= 0) return DONE;
    const sending = new SendWhole(state, [data], to, 0, 'send');
    if (sent === undefined) return this.perform(sending, undefined);
    return reactor.promise(sending, sending.after(sent), undefined, this);
  }

  /** Sends messages in their order, many per system call; stops at the first that the kernel refuses. */
  sendBatch(messages: readonly OutgoingMessage<Data>[], options?: Wait): Promise<BatchSent> {
    if (!Array.isArray(messages)) throw invalidType('messages', 'an Array', messages);
    if (messages.length === 0) return Promise.resolve({ sent: 0 });
    return this.perform(this.batch(messages), options);
  }

  /**
   * The end of an rxjs pipe: `messages.pipe(socket.sink())` sends what comes, completes when the kernel has all of it,
   * and fails where a send does. Nobody can be asked to wait: what comes while the kernel's queue is full is in one of
   * `highWaterMark` messages, and `overflow` says what happens beyond it.
   */
  sink(
    options?: SinkOptions<OutgoingMessage<Data>>,
  ): OperatorFunction<OutgoingMessage<Data>, never> {
    const put: Puttable<OutgoingMessage<Data>>['put'] = (messages, done, failed) => {
      const sending = this.batch(messages);
      if (this.closing !== undefined) return failed(closedError(sending.syscall));
      sending.resolve = ({ error }): void => {
        if (error === undefined) done();
        else failed(error);
      };
      sending.reject = failed;
      reactor.submit(sending, undefined, this);
    };
    return sink({ put }, options);
  }

  /**
   * What the network says of messages that this socket has sent, while `recvErr` is on: that nobody listens
   * there, that the path is narrower. Each is yielded once; the latest 256 are kept for whoever comes later, and
   * `droppedErrors` counts the others.
   */
  errors(options?: IterateOptions): AsyncIterableIterator<ErrorQueueEntry, undefined> {
    this.sentErrors ??= new SentErrorSource(this.socket);
    return this.sentErrors.iterate(options);
  }

  /**
   * How many of what `errors()` would have yielded were dropped, because nobody took them in time. Of what the kernel
   * itself drops, where its queue (SO_RCVBUF) is full of errors, it keeps no count.
   */
  get droppedErrors(): number {
    return this.socket.state.sentErrors.dropped;
  }

  /**
   * Descriptors that come with messages are the caller's from now on, as `control` of kind 'rights': until then,
   * and for those who never ask, they are closed. Unix sockets only.
   */
  takeDescriptors(take = true): this {
    this.inbox.wanted = { ...this.inbox.wanted, descriptors: take };
    return this;
  }

  /** Closes at once, behind what was sent in this tick; what waits rejects with ERR_SOCKET_CLOSED. */
  close(): Promise<void> {
    this.gatherer.flushNow();
    this.socket.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal A message that was received for nobody (promise 8). */
  discard({ control }: Message): void {
    closeControl(control);
  }

  // Behind what was sent in this tick.
  private batch(messages: readonly OutgoingMessage<Data>[]): SendEach {
    const recipients = messages.map((message: OutgoingMessage<Data>, i) =>
      this.recipient(record(`messages[${i}]`, message).to),
    );
    const batch = messages.map((message: OutgoingMessage<Data>, i) =>
      outgoing(
        piecesToSend(message.data, `messages[${i}].data`),
        recipients[i],
        message.control,
        this.socket.domain,
        `messages[${i}]`,
      ),
    );
    this.flush();
    return new SendEach(this.socket.state, batch, recipients);
  }

  /** Lets what was sent in this tick go before anything else. */
  protected flush(): void {
    this.gatherer.flush();
  }

  protected takeOne(options: (Wait & { size?: number }) | undefined): Promise<Message<A> | null> {
    const size =
      options?.size === undefined ? undefined : integer('options.size', options.size, 1, LARGE);
    return this.perform(ofDomain<Message<A> | null>(new TakeOne(this.inbox, size)), options);
  }

  protected next(): Operation<Message<A> | null> {
    return ofDomain(new TakeOne(this.inbox));
  }

  protected recipient(to: AddressInput | undefined): AddressInput | undefined {
    return to;
  }
}

// Where messages come from is of the socket's own family.
function ofDomain<T>(taking: Operation<unknown>): Operation<T> {
  return taking as Operation<T>;
}

function piecesToSend(data: Data, name: string): Uint8Array[] {
  if (typeof data === 'string') return [Buffer.from(data)];
  return Array.isArray(data) ? piecesOf(data, name) : [bytesOf(data, name)];
}
