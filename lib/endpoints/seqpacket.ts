// SeqpacketSocket: a connection that keeps the edges of its records.

import type { Wait } from '../core/validate';
import { constants as C } from '../socket/constants';
import type { Message } from '../socket/message';
import { EndWriting } from '../socket/stream';
import type { Socket } from '../socket/socket';
import { MessageSocket } from './message';

export class SeqpacketSocket extends MessageSocket {
  // An empty record and the end of the stream are both 0 bytes to recvmsg(2). With SO_TIMESTAMP the kernel
  // stamps records, and has nothing to stamp at the end; a Unix socket's timestamps cost nobody else a thing.
  // Test: "promise 7: an empty SEQPACKET record is not the end".
  /** @internal Use `connect` or a `Listener`. */
  constructor(socket: Socket) {
    super(socket);
    if (socket.domain === C.AF_UNIX) socket.setsockopt(C.SOL_SOCKET, C.SO_TIMESTAMP, true);
  }

  /** The next record; null at the end of the stream. An empty record is a Message of 0 bytes. */
  receive(options?: Wait & { size?: number }): Promise<Message | null> {
    return this.takeOne(options);
  }

  /** Ends the writing side behind all sends (SHUT_WR). Receiving goes on. */
  end(options?: Wait): Promise<void> {
    return this.perform(new EndWriting(this.socket.state), options);
  }
}
