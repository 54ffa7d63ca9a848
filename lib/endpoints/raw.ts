// RawSocket: IP packets, link-level packets (AF_PACKET) and netlink messages.

import type { OperatorFunction } from 'rxjs';
import { invalidType } from '../core/errors';
import { record, type Wait } from '../core/validate';
import type {
  Address,
  AddressInput,
  InetAddress,
  NetlinkAddress,
  PacketAddress,
} from '../socket/address';
import { bytesOf, type Data } from '../socket/bytes';
import { constants as C } from '../socket/constants';
import type { Message } from '../socket/message';
import type { BatchSent } from '../socket/send_many';
import type { OutgoingControl } from '../socket/control';
import { setMembership, type Membership } from '../socket/multicast';
import type { PacketMembership } from '../socket/options/types';
import { joined } from './membership';
import { MessageSocket, type SendOptions } from './message';
import type { SinkOptions } from './sink';

/** Raw IP has no ports: here they may be left out. */
export type RawAddress =
  | AddressInput
  | (Omit<InetAddress, 'port' | 'family'> & { family?: InetAddress['family']; port?: undefined });

/** A message on its way out of a raw socket. */
export interface RawOutgoingMessage {
  data: Data;
  to?: RawAddress | undefined;
  control?: readonly OutgoingControl[] | undefined;
}

/** What a socket of packets takes in beside what it gets anyhow; of its own interface unless told. */
export type PacketGroup = Omit<PacketMembership, 'interface'> &
  Partial<Pick<PacketMembership, 'interface'>>;

/** What a raw socket joins: an IP group by its address, what an interface takes in, a netlink group by its number. */
export type RawGroup<A extends Address = Address> = A extends PacketAddress
  ? PacketGroup
  : A extends NetlinkAddress
    ? number
    : A extends InetAddress
      ? string
      : never;

/**
 * A raw IP, packet (link level) or netlink socket, from `bind({ type: 'raw', … })`. All but netlink need CAP_NET_RAW.
 * @example
 * const icmp = await bind({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
 * await icmp.send(request, { address: '127.0.0.1' });
 * const { data, from } = await icmp.receive();
 */
export class RawSocket<A extends Address = Address> extends MessageSocket<A> {
  /** The next message; IPv4's comes with its IP header, IPv6's without (raw(7), RFC 3542). */
  receive(options?: Wait & { size?: number }): Promise<Message<A>> {
    return this.takeOne(options) as Promise<Message<A>>;
  }

  override send(data: Data, to?: RawAddress, options?: SendOptions): Promise<void> {
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

  /**
   * Joins a group; disposing of what is returned leaves it again. Raw IP: a multicast group's address, with
   * `options` as of `DatagramSocket.join`. Packets: `{ type: 'promiscuous' }` and its like, packet(7), which the kernel
   * counts: the interface is promiscuous until the last who asked has left. Netlink: a group's number, from 1.
   * @throws SystemError EINVAL (no such netlink group), EPERM (netlink groups for the privileged), ENODEV …
   */
  join(group: RawGroup<A>, options: Membership = {}): Disposable {
    const { socket } = this;
    if (socket.domain === C.AF_NETLINK) {
      if (typeof group !== 'number') throw invalidType('group', "a netlink group's number", group);
      return joined(socket, (join) => {
        socket.set(join ? 'netlinkAddMembership' : 'netlinkDropMembership', group);
      });
    }
    if (socket.domain !== C.AF_PACKET) {
      const membership = { ...record('options', options) };
      return joined(socket, (join) => setMembership(socket, join, group as string, membership));
    }
    if (typeof group !== 'object' || group === null)
      throw invalidType('group', 'an object with a "type"', group);
    const own = (): string | number => (this.localAddress as PacketAddress).interface;
    const { type, address, interface: given = own() } = group;
    const copyOf = (bytes: Uint8Array): Uint8Array =>
      new Uint8Array(bytesOf(bytes, 'group.address'));
    const membership = { type, interface: given, address: address && copyOf(address) };
    return joined(socket, (join) => {
      socket.set(join ? 'packetAddMembership' : 'packetDropMembership', membership);
    });
  }

  protected override recipient(to: AddressInput | undefined): AddressInput | undefined {
    if (typeof to !== 'object' || to === null || !('address' in to)) return to;
    return (to as { port?: number }).port === undefined ? Object.assign({ port: 0 }, to) : to;
  }
}
