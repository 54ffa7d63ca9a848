// MSG_ZEROCOPY: the kernel reads the caller's memory for as long as the bytes are under way, whichever call sent them.

import { constants as C, type Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { connectedSockets, receiveAll } from '../support/streams';
import { turns } from '../support/turns';

leavesNoSockets();

const SIZE = 20_000;
const flags = C.MSG_ZEROCOPY;

type Send = (socket: Socket, data: Buffer) => Promise<number>;
const CALLS: readonly (readonly [name: string, send: Send])[] = [
  ['send', (socket, data) => socket.send(data, { flags })],
  ['sendmsg', (socket, data) => socket.sendmsg({ data, flags })],
  ['sendmmsg', (socket, data) => socket.sendmmsg([{ data }], { flags })],
];

test.each(CALLS)(
  '%s: what is sent later does not change what waits to be sent',
  async (_, send) => {
    using pair = await connectedSockets();
    const { a, b } = pair;
    a.setsockopt(C.SOL_SOCKET, C.SO_ZEROCOPY, true);
    // Room in the sender's buffer, and none at the receiver: so the kernel keeps the bytes where they are.
    a.setsockopt(C.SOL_SOCKET, C.SO_SNDBUF, 1 << 22);
    b.setsockopt(C.SOL_SOCKET, C.SO_RCVBUF, 100_000);
    const before = Buffer.alloc(500_000, '.');
    expect(await a.send(before)).toBe(before.length);
    await turns();
    const all = Buffer.concat([1, 2, 3].map((i) => Buffer.alloc(SIZE, i)));
    const memory = [0, 1, 2].map((i) => all.subarray(i * SIZE, (i + 1) * SIZE));
    for (const data of memory) await send(a, data);
    // What goes with a copy may use the memory of this library again.
    await a.sendmmsg([{ data: Buffer.alloc(SIZE, 4) }]);
    const received = await receiveAll(b, before.length + 4 * SIZE);
    const values = [0, 1, 2, 3].map((i) => received[before.length + (i + 0.5) * SIZE]);
    expect(values).toEqual([1, 2, 3, 4]);
    expect(received.subarray(before.length, -SIZE).equals(all)).toBe(true);
    // The kernel tells of each, by numbers from the first to the last.
    let told = 0;
    while (told < memory.length) {
      await a.ready({ priority: true });
      for (const { origin, info, extra } of a.readErrorQueue()) {
        expect([origin, info]).toEqual(['zerocopy', told]);
        told = extra + 1;
      }
    }
  },
);
