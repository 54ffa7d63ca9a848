// AF_PACKET on the loopback: frames as they are on the wire, and where they came from.

import { constants as C, Socket, type InetAddress, type PacketAddress } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW } from '../support/machine';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { turn } from '../support/turns';

leavesNoSockets();
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);

const LOOPBACK = 1;
const MARK = 'eagain: a frame of our own';
// RFC 5342: an EtherType for experiments, so that nobody else's frames come in between.
const EXPERIMENTAL = 0x88b5;
const HEADER = Buffer.from('00000000000000000000000088b5', 'hex');

function bound(protocol: number, type: 'raw' | 'dgram' = 'raw'): Socket {
  const open = Socket.open('packet', type, 0);
  open.bind({ family: 'packet', interface: LOOPBACK, protocol });
  return open;
}

raw(
  'packet: a UDP datagram is seen with its headers, on the way out and on the way in',
  async () => {
    using sniffer = bound(C.ETH_P_ALL);
    using receiver = Socket.open('IPv4', 'dgram');
    receiver.bind({ address: '127.0.0.1', port: 0 });
    using sender = Socket.open('IPv4', 'dgram');
    const { port } = receiver.getsockname() as InetAddress;
    const seen = new Map<string | undefined, PacketAddress>();
    while (seen.size < 2) {
      // Again until it is seen: what else goes over the loopback may leave no room for it.
      await sender.sendto(Buffer.from(MARK), receiver.getsockname());
      for (const { data, from } of sniffer.tryRecvmmsg(64) ?? []) {
        if (!data.includes(MARK) || data.readUInt16BE(14 + 20 + 2) !== port) continue;
        expect(data.readUInt16BE(12)).toBe(C.ETH_P_IP);
        const address = from as PacketAddress;
        seen.set(address.packetType, address);
      }
      await turn();
    }
    const common = {
      family: 'packet',
      interface: LOOPBACK,
      protocol: C.ETH_P_IP,
      hardwareType: C.ARPHRD_LOOPBACK,
      hardwareAddress: '00:00:00:00:00:00',
    };
    expect(seen.get('outgoing')).toEqual({ ...common, packetType: 'outgoing' });
    expect(seen.get('host')).toEqual({ ...common, packetType: 'host' });
  },
);

raw('packet: a frame that is sent arrives as it was', async () => {
  using receiver = bound(EXPERIMENTAL);
  using sender = bound(EXPERIMENTAL);
  const frame = Buffer.concat([HEADER, Buffer.from(MARK)]);
  const to = { family: 'packet', interface: 'lo', protocol: EXPERIMENTAL } as const;
  expect(await sender.sendto(frame, to)).toBe(frame.length);
  const { data, from } = await receiver.recvmsg();
  expect(data).toEqual(frame);
  expect(from).toMatchObject({ family: 'packet', protocol: EXPERIMENTAL });
});

raw('packet: SOCK_DGRAM leaves the link header to the kernel', async () => {
  using receiver = bound(EXPERIMENTAL, 'dgram');
  using sender = bound(EXPERIMENTAL, 'dgram');
  await sender.sendto(Buffer.from(MARK), {
    family: 'packet',
    interface: 'lo',
    protocol: EXPERIMENTAL,
    hardwareAddress: '00:00:00:00:00:00',
  });
  const { data } = await receiver.recvmsg();
  expect(data.toString()).toBe(MARK);
});

raw('promise 7: a frame that is cut says so, and how long it was', async () => {
  using receiver = bound(EXPERIMENTAL);
  using sender = bound(EXPERIMENTAL);
  const frame = Buffer.concat([HEADER, Buffer.alloc(100)]);
  await sender.sendto(frame, { family: 'packet', interface: 'lo', protocol: EXPERIMENTAL });
  expect(await receiver.recvmsg({ size: 20 })).toMatchObject({ length: 114, truncated: true });
});

raw('packet: what the interface cannot take is an error', async () => {
  using sender = bound(EXPERIMENTAL);
  const to = { family: 'packet', interface: 'lo', protocol: EXPERIMENTAL } as const;
  expect(await rejection(sender.sendto(Buffer.alloc(70_000), to))).toMatchObject({
    code: 'EMSGSIZE',
  });
  const nowhere = { family: 'packet', interface: 0x7ffffff0, protocol: EXPERIMENTAL } as const;
  expect((await rejection(sender.sendto(Buffer.alloc(64), nowhere))).code).toMatch(
    /^ENXIO|ENODEV$/,
  );
});
