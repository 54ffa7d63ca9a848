// Messages that one recvmmsg(2) brought and nobody has taken yet: at most one batch, owned by the socket and
// not by whoever asked, so that giving up loses none of them.

import { UNFINISHED } from '../core/operation';
import { closeControl } from './control';
import {
  BATCH_CAPACITY,
  cut,
  isEnd,
  messageAt,
  slabs,
  TOLD,
  type ControlWanted,
  type Message,
} from './message';
import { Reading, receiveMany } from './receive';
import type { SocketState } from './state';

export class Inbox {
  // An error stands where a message was that lost its descriptors.
  private messages: (Message | Error)[] = [];
  private first = 0;
  /** The peer's end of a SEQPACKET stream was met. */
  ended = false;
  /** What is wanted beside the data. */
  wanted: ControlWanted = TOLD;

  constructor(
    readonly state: SocketState,
    /** Most bytes of one message. */
    readonly size: number,
    /** Records and the end of the stream are told apart by the kernel's stamp. */
    readonly stamped: boolean,
  ) {
    state.leftovers = this;
  }

  get length(): number {
    return this.messages.length - this.first;
  }

  /** One recvmmsg(2): how many messages came (an end counts as one), or -errno. */
  fill(max: number): number {
    slabs();
    const { state, size, wanted } = this;
    let received = receiveMany(state, max, size, 0, wanted);
    if (received < 0) {
      const again = (): number => receiveMany(state, max, size, 0, wanted);
      received = state.sentErrors.past(received, again);
    }
    if (received <= 0) return received;
    this.messages = [];
    this.first = 0;
    for (let i = 0; i < received; i++) {
      // After the end recvmmsg(2) repeats it until the batch is full.
      this.ended = this.stamped && isEnd(i);
      if (this.ended) break;
      this.messages.push(messageAt(i, size, state, wanted));
    }
    return received;
  }

  /** Throws where the message that is next has lost its descriptors. */
  shift(): Message {
    const next = this.messages[this.first++];
    if (next instanceof Error) throw next;
    return next;
  }

  /** At most `max`, and none beyond one that has lost its descriptors; throws where that is the first. */
  splice(max: number): Message[] {
    const taken: Message[] = [];
    while (taken.length < max && this.length > 0) {
      if (taken.length > 0 && this.messages[this.first] instanceof Error) break;
      taken.push(this.shift());
    }
    return taken;
  }

  /** Nobody will take what is left: its descriptors are closed. */
  discard(): void {
    for (const message of this.messages.splice(this.first)) {
      if (!(message instanceof Error)) closeControl(message.control);
    }
  }
}

abstract class Taking<T> extends Reading<T> {
  abstract readonly inbox: Inbox;
  abstract readonly max: number;

  get handle(): SocketState {
    return this.inbox.state;
  }

  get syscall(): string {
    return 'receive';
  }

  override get promising(): boolean {
    return this.inbox.length > 0 || this.inbox.ended || super.promising;
  }

  attempt(): number {
    const { inbox } = this;
    return inbox.length > 0 || inbox.ended ? 1 : inbox.fill(this.max);
  }
}

/** The next message; null at the end of a SEQPACKET stream. */
export class TakeOne extends Taking<Message | null> {
  constructor(
    readonly inbox: Inbox,
    private readonly size?: number,
  ) {
    super();
  }

  get max(): number {
    return BATCH_CAPACITY;
  }

  value(): Message | null {
    if (this.inbox.length === 0) return null;
    const message = this.inbox.shift();
    return this.size !== undefined && this.size < message.data.length
      ? cut(message, this.size)
      : message;
  }
}

/** What is there of messages, at most `max`; none at the end of a SEQPACKET stream. */
export class TakeMany extends Taking<Message[]> {
  constructor(
    readonly inbox: Inbox,
    readonly max: number,
  ) {
    super();
  }

  value(): Message[] {
    return this.inbox.splice(this.max);
  }
}

/** Receives a SEQPACKET stream's records to its end and throws them away. */
export class DrainRecords extends Taking<void> {
  constructor(readonly inbox: Inbox) {
    super();
  }

  get max(): number {
    return BATCH_CAPACITY;
  }

  override attempt(): number {
    const { inbox } = this;
    if (inbox.ended) return 0;
    inbox.discard();
    const result = inbox.fill(this.max);
    if (result < 0) return result;
    inbox.discard();
    return inbox.ended ? 0 : UNFINISHED;
  }

  value(): void {}
}
