// Descriptors that come to endpoints: who asks takes them, and nobody's are left open, whatever happens.

import { closeSync, readdirSync } from 'node:fs';
import {
  bind,
  connect,
  socketpair,
  DatagramSocket,
  SeqpacketSocket,
  type Message,
} from '../../lib/index';
import { leavesNoSockets, nameOf } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { abstractName } from '../support/names';

leavesNoSockets();

const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => !nameOf(fd).includes('eventpoll')).length;

const MAKERS = {
  dgram: () => {
    const [a, b] = socketpair('dgram');
    return [new DatagramSocket(a), new DatagramSocket(b)] as const;
  },
  seqpacket: () => {
    const [a, b] = socketpair('seqpacket');
    return [new SeqpacketSocket(a), new SeqpacketSocket(b)] as const;
  },
};

function closeAll(message: Message): void {
  for (const part of message.control)
    if (part.kind === 'rights') part.fds.forEach((fd) => fd.close());
}

describe.each(Object.entries(MAKERS))('%s', (_, make) => {
  const control = [{ kind: 'rights', fds: [0, 1] }] as const;

  test('promise 8: taken where they are asked for, closed where they are not', async () => {
    const [a, b] = make();
    const before = descriptors();
    await a.send('x', undefined, { control });
    expect(await b.receive()).toMatchObject({ control: [], controlTruncated: true });
    expect(descriptors()).toBe(before);
    b.takeDescriptors();
    await a.send('x', undefined, { control });
    const message = (await b.receive())!;
    expect(message.controlTruncated).toBe(false);
    expect(descriptors()).toBe(before + 2);
    closeAll(message);
    expect(descriptors()).toBe(before);
    a.socket.close();
    b.socket.close();
  });

  test('promise 8: those of messages that nobody has taken are closed with the socket', async () => {
    for (const end of ['close', 'socket.close', 'detach'] as const) {
      const [a, b] = make();
      b.takeDescriptors();
      const before = descriptors();
      await Promise.all([1, 2, 3, 4].map((i) => a.send(`${i}`, undefined, { control })));
      closeAll((await b.receive())!);
      // Three were received with it and wait to be taken.
      expect(descriptors()).toBe(before + 6);
      a.socket.close();
      if (end === 'close') await b.close();
      else if (end === 'socket.close') b.socket.close();
      else {
        (await b.receiveBatch(64)).forEach(closeAll);
        closeSync(b.socket.detach());
      }
      expect(descriptors()).toBe(before - 2);
    }
  });

  test('promise 8: a message that has lost its descriptors rejects by itself', async () => {
    const [a, b] = make();
    b.takeDescriptors();
    const before = descriptors();
    (b as unknown as { inbox: { wanted: object } }).inbox.wanted = { size: 56, descriptors: true };
    await Promise.all([
      a.send('1'),
      a.send('2', undefined, { control: [{ kind: 'rights', fds: Array(20).fill(0) as number[] }] }),
      a.send('3'),
    ]);
    expect((await b.receiveBatch(9)).map(({ data }) => data.toString())).toEqual(['1']);
    expect(await rejection(b.receive())).toMatchObject({ code: 'ERR_CONTROL_TRUNCATED' });
    expect((await b.receive())?.data.toString()).toBe('3');
    expect(descriptors()).toBe(before);
    a.socket.close();
    b.socket.close();
  });
});

test('sendBatch takes control for each message', async () => {
  const path = abstractName();
  await using server = (await bind({ path })).takeDescriptors();
  await using client = await connect({ type: 'dgram', path });
  const control = [{ kind: 'rights', fds: [client.socket] }] as const;
  await client.sendBatch([{ data: Buffer.from('1') }, { data: Buffer.from('2'), control }]);
  const [one, two] = await server.receiveBatch(2);
  expect([one.control, two.control]).toMatchObject([[], [{ kind: 'rights' }]]);
  closeAll(two);
});
