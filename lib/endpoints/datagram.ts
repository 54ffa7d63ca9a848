// DatagramSocket: UDP and Unix datagrams.

import type { Wait } from '../core/validate';
import type { Address } from '../socket/address';
import type { Message } from '../socket/message';
import { MessageSocket } from './message';

export class DatagramSocket<A extends Address = Address> extends MessageSocket<A> {
  /** The next message; at most `size` bytes of it, and `truncated` where there were more. */
  receive(options?: Wait & { size?: number }): Promise<Message> {
    return this.takeOne(options) as Promise<Message>;
  }
}
