// SeqpacketSocket: a connection that keeps the edges of its records.

import type { Wait } from '../core/validate';
import type { UnixAddress } from '../socket/address';
import { constants as C } from '../socket/constants';
import { DrainRecords } from '../socket/inbox';
import type { Message } from '../socket/message';
import { keepStamped } from '../socket/stamps';
import { EndWriting } from '../socket/stream';
import type { Socket } from '../socket/socket';
import { closePolitely, type CloseOptions } from './closing';
import { MessageSocket } from './message';

/**
 * A connection whose records keep their edges, over Unix sockets, from `connect` or a `Listener`: `receive()` is null
 * at the end, and a message of 0 bytes for an empty record.
 * @example
 * const client = await connect({ type: 'seqpacket', path: '/run/app.sock' });
 * await client.send('one record');
 * const reply = await client.receive();
 */
export class SeqpacketSocket extends MessageSocket<UnixAddress> {
  // An empty record and the end of the stream are both 0 bytes to recvmsg(2). With SO_TIMESTAMP the kernel
  // stamps records, and has nothing to stamp at the end; a Unix socket's timestamps cost nobody else a thing.
  // The user sees them only where he has set the option himself, and may switch it off again: the stamps go on.
  // Tests: "promise 7: an empty SEQPACKET record is not the end", "… whoever switches stamps on and off".
  /** @internal Use `connect` or a `Listener`. */
  constructor(socket: Socket) {
    super(socket);
    if (socket.domain !== C.AF_UNIX) return;
    socket.state.needsStamp = true;
    keepStamped(socket.state);
  }

  /** The next record; null at the end of the stream. An empty record is a Message of 0 bytes. */
  receive(options?: Wait & { size?: number }): Promise<Message<UnixAddress> | null> {
    return this.takeOne(options);
  }

  /**
   * Ends the writing side behind all sends, receives on until the peer has ended too, for at most `linger` ms,
   * and closes: closed on unread records, the kernel would reset the connection. What waits for a record
   * rejects with ERR_SOCKET_CLOSED at once.
   */
  override close(options?: CloseOptions): Promise<void> {
    if (this.closing !== undefined) return this.closing;
    this.flush();
    const drain = new DrainRecords(this.inbox);
    return closePolitely(this.socket, drain, options, (closing) => void (this.closing = closing));
  }

  /** Ends the writing side behind all sends (SHUT_WR). Receiving goes on. */
  end(options?: Wait): Promise<void> {
    this.flush();
    return this.perform(new EndWriting(this.socket.state), options);
  }
}
