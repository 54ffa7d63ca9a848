// RawSocket: IP packets, link-level packets (AF_PACKET) and netlink messages.

import type { OperatorFunction } from 'rxjs';
import type { Wait } from '../core/validate';
import type { Address, AddressInput, InetAddress } from '../socket/address';
import type { Bytes, IoVec } from '../socket/bytes';
import type { Message } from '../socket/message';
import type { BatchSent } from '../socket/send_many';
import type { OutgoingControl } from '../socket/control';
import { MessageSocket, type SendOptions } from './message';
import type { SinkOptions } from './sink';

/** Raw IP has no ports: here they may be left out. */
export type RawAddress =
  | AddressInput
  | (Omit<InetAddress, 'port' | 'family'> & { family?: InetAddress['family']; port?: undefined });

/** A message on its way out of a raw socket. */
export interface RawOutgoingMessage {
  data: Bytes | IoVec;
  to?: RawAddress;
  control?: readonly OutgoingControl[] | undefined;
}

export class RawSocket<A extends Address = Address> extends MessageSocket<A> {
  /** The next message; IPv4's comes with its IP header, IPv6's without (raw(7), RFC 3542). */
  receive(options?: Wait & { size?: number }): Promise<Message> {
    return this.takeOne(options) as Promise<Message>;
  }

  override send(
    data: Bytes | IoVec | string,
    to?: RawAddress,
    options?: SendOptions,
  ): Promise<void> {
    return super.send(data, to as AddressInput | undefined, options);
  }

  override sendBatch(messages: readonly RawOutgoingMessage[], options?: Wait): Promise<BatchSent> {
    return super.sendBatch(messages as never, options);
  }

  override sink(
    options?: SinkOptions<RawOutgoingMessage>,
  ): OperatorFunction<RawOutgoingMessage, never> {
    return super.sink(options) as OperatorFunction<RawOutgoingMessage, never>;
  }

  protected override recipient(to: AddressInput | undefined): AddressInput | undefined {
    if (typeof to !== 'object' || to === null || !('address' in to)) return to;
    return (to as { port?: number }).port === undefined ? { ...to, port: 0 } : to;
  }
}
