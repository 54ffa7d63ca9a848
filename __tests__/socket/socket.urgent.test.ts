// Out-of-band data on the streams that have it: TCP, and Unix streams (Linux ≥ 5.15).

import { constants as C, type Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { connectedSockets, receiveAll, sockets, type SocketPair } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const OOB = { flags: C.MSG_OOB };

async function text(socket: Socket, flags = 0): Promise<string> {
  const room = Buffer.alloc(100);
  return room.toString('latin1', 0, await socket.recv(room, { flags }));
}

/** 'ab', an urgent '!', 'cd': until all of it is there. */
async function say({ a, b }: SocketPair, behind = 'cd'): Promise<void> {
  await a.send(Buffer.from('ab'));
  await a.send(Buffer.from('!'), OOB);
  await a.send(Buffer.from(behind));
  await b.ready({ priority: true });
}

const KINDS: [name: string, make: () => SocketPair | Promise<SocketPair>, met: boolean][] = [
  ['TCP over IPv4', () => connectedSockets('IPv4'), true],
  ['TCP over IPv6', () => connectedSockets('IPv6'), HAS_IPV6],
  ['Unix', () => sockets('stream'), true],
];

describe.each(KINDS)('%s', (_name, make, met) => {
  const kind = needs('IPv6', met);

  kind('urgent: the byte comes past the others, and the mark is where it was', async () => {
    using pair = await make();
    const { b } = pair;
    await say(pair);
    expect(await b.ready({ priority: true })).toMatchObject({ priority: true });
    expect(b.sockatmark()).toBe(false);
    expect(await text(b, C.MSG_OOB)).toBe('!');
    // A read stops at the mark, whatever lies behind it.
    expect(await text(b)).toBe('ab');
    expect(b.sockatmark()).toBe(true);
    expect(await text(b)).toBe('cd');
    expect(b.sockatmark()).toBe(false);
  });

  kind('urgent: with SO_OOBINLINE it stays in the stream, at the mark', async () => {
    using pair = await make();
    const { b } = pair;
    b.setsockopt(C.SOL_SOCKET, C.SO_OOBINLINE, true);
    await say(pair);
    expect(await text(b)).toBe('ab');
    expect(b.sockatmark()).toBe(true);
    expect((await text(b)).startsWith('!')).toBe(true);
    expect(await rejection(b.recv(Buffer.alloc(1), OOB))).toMatchObject({ code: 'EINVAL' });
  });

  kind('urgent: after an EAGAIN for ordinary bytes, every form fetches it', async () => {
    using pair = await make();
    const { a, b } = pair;
    const forms = [
      async () => (await text(b, C.MSG_OOB)).charCodeAt(0),
      async () => {
        const room = Buffer.alloc(1);
        expect(await b.recvfrom(room, OOB)).toMatchObject({ bytes: 1 });
        return room[0];
      },
      async () => (await b.recvmsg({ ...OOB, size: 10 })).data[0],
      async () => (await b.recvmsg({ ...OOB, into: Buffer.alloc(2) })).data[0],
      () => Promise.resolve(b.tryRecvmsg({ ...OOB, size: 10 })?.data[0]),
    ];
    for (const [i, form] of forms.entries()) {
      expect((await rejection(b.recv(Buffer.alloc(1), { timeout: 0 }))).code).toBe(
        'ERR_SOCKET_TIMEOUT',
      );
      const priority = b.ready({ priority: true });
      await a.send(Buffer.from([i]), OOB);
      await priority;
      expect(await form()).toBe(i);
    }
  });

  kind(
    'urgent: no byte of the stream is lost around many marks, whoever waits for them',
    async () => {
      using pair = await make();
      const { a, b } = pair;
      const ROUNDS = 200;
      const ordinary = receiveAll(b, 2 * ROUNDS);
      for (let i = 0; i < ROUNDS; i++) {
        await a.send(Buffer.from([i & 0xff]));
        const priority = b.ready({ priority: true });
        await a.send(Buffer.from('!'), OOB);
        await priority;
        expect(await text(b, C.MSG_OOB)).toBe('!');
        await a.send(Buffer.from([i & 0xff]));
      }
      const expected = Array.from({ length: 2 * ROUNDS }, (_, i) => (i >> 1) & 0xff);
      expect([...(await ordinary)]).toEqual(expected);
    },
  );

  kind(
    'urgent: where there is none, recv with MSG_OOB says EINVAL, and does not wait',
    async () => {
      using pair = await make();
      const { b } = pair;
      expect(await rejection(b.recv(Buffer.alloc(1), OOB))).toMatchObject({
        code: 'EINVAL',
        syscall: 'recv',
      });
      expect(thrown(() => b.tryRecv(Buffer.alloc(1), OOB))).toMatchObject({ code: 'EINVAL' });
    },
  );
});

test('urgent: a reader that waits for ordinary bytes is no queue to stand in', async () => {
  using pair = await connectedSockets();
  const { a, b } = pair;
  const ordinary = text(b);
  await turns();
  const priority = b.ready({ priority: true });
  await a.send(Buffer.from('!'), OOB);
  expect(await priority).toMatchObject({ read: false, priority: true });
  expect(await text(b, C.MSG_OOB)).toBe('!');
  expect(await isPending(ordinary)).toBe(true);
  await a.send(Buffer.from('x'));
  expect(await ordinary).toBe('x');
});

// TCP alike, where a byte behind the mark lets the reader go on (tcp_recvmsg, unix_stream_read_generic).
test('urgent: an ordinary recv that finds nothing but the mark goes past it, and the byte is gone', async () => {
  using pair = sockets();
  const { a, b } = pair;
  await a.send(Buffer.from('!'), OOB);
  expect(await b.ready({ read: true, priority: true })).toMatchObject({ read: true });
  expect(b.tryRecv(Buffer.alloc(1))).toBeNull();
  expect(thrown(() => b.tryRecv(Buffer.alloc(1), OOB))).toMatchObject({ code: 'EINVAL' });
});

test('urgent: what has no mark says so', () => {
  using pair = sockets('dgram');
  const { a } = pair;
  expect(thrown(() => a.trySend(Buffer.from('!'), OOB))).toMatchObject({ code: 'EOPNOTSUPP' });
  a.close();
  expect(thrown(() => a.sockatmark())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});
