// What the network said of messages that were sent, read out of the error queue and kept until somebody asks.
//
// With IP_RECVERR an ICMP error about one destination is also the socket's pending error, and fails the next
// call, whomever that is for (ip(7); sock_error in sock_alloc_send_pskb and __skb_recv_udp). And what is left in
// the error queue takes room from the receive queue (sock_queue_err_skb). So such a call empties the queue into
// here and is made again.

import { EAGAIN, ENOBUFS } from '../core/errors';
import { WATCH } from '../core/handle';
import { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { READ } from '../native/binding';
import { errorQueueOf, type ErrorQueueEntry } from './error_queue';
import type { SocketState } from './state';

/** Entries that are kept for want of anybody who takes them: the latest. */
const MOST = 256;
/** How often a call is made again: another error may have come in between. */
const TRIES = 8;

export class SentErrors {
  /** Errors of earlier messages are told here, and fail no call. */
  reported = false;
  /** Entries that nobody took in time. */
  dropped = 0;
  private readonly entries: ErrorQueueEntry[] = [];

  constructor(private readonly state: SocketState) {}

  get length(): number {
    return this.entries.length;
  }

  shift(): ErrorQueueEntry {
    return this.entries.shift()!;
  }

  /** Takes all there is: what was read ahead, and what is in the kernel's queue. */
  all(): ErrorQueueEntry[] {
    return [...this.entries.splice(0), ...errorQueueOf(this.state)];
  }

  /** Empties the kernel's queue; what was in it. */
  collect(): readonly ErrorQueueEntry[] {
    const fresh = errorQueueOf(this.state);
    this.entries.push(...fresh);
    this.dropped += this.entries.splice(0, this.entries.length - MOST).length;
    return fresh;
  }

  /** The outcome of a call that has answered `first`: made again where that was another message's error. */
  past(first: number, again: () => number): number {
    let result = first;
    if (!this.reported) return result;
    for (let i = 0; i < TRIES && isError(result); i++) {
      const fresh = this.collect();
      // An error whose entry found no room in a full receive queue is the next call's all the same (ip_icmp_error): where
      // nothing is told, it is tried once more. What the kernel finds wrong with a message of its own has an entry.
      const untold = i === 0 && fresh.length === 0;
      if (!untold && !fresh.some(isOfNetwork)) break;
      result = again();
    }
    // What this call has taken off the kernel's queue is no event for those who wait for it.
    if (this.length > 0) reactor.alert(this.state);
    return result;
  }
}

function isOfNetwork({ origin }: ErrorQueueEntry): boolean {
  return origin === 'icmp' || origin === 'icmp6';
}

function isError(result: number): boolean {
  return result < 0 && result !== -EAGAIN && result !== -ENOBUFS;
}

/** The next entry, beside those who read messages. */
export class TakeError extends Operation<ErrorQueueEntry> {
  constructor(readonly handle: SocketState) {
    super();
  }

  get direction(): typeof WATCH {
    return WATCH;
  }

  // Errors are told whatever the interest is.
  override get interest(): number {
    return READ;
  }

  get syscall(): string {
    return 'errors';
  }

  attempt(): number {
    const { sentErrors } = this.handle;
    if (sentErrors.length === 0) sentErrors.collect();
    return sentErrors.length > 0 ? 1 : -EAGAIN;
  }

  value(): ErrorQueueEntry {
    return this.handle.sentErrors.shift();
  }
}
