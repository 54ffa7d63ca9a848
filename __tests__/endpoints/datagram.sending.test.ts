// Sends of one tick go together; trains (UDP_SEGMENT) and what happens where the path refuses them.

import {
  bind,
  connect,
  constants as C,
  DatagramSocket,
  fromFd,
  type InetAddress,
} from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { abstractName } from '../support/names';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { soon } from '../support/turns';

leavesNoSockets();
afterEach(() => {
  jest.restoreAllMocks();
});

const inNamespaces = needs('network namespaces, iproute2 and Python 3', CAN_MAKE_NAMESPACES);

interface Pair extends AsyncDisposable {
  readonly a: DatagramSocket<InetAddress>;
  readonly b: DatagramSocket<InetAddress>;
  readonly to: InetAddress;
}

async function udp(): Promise<Pair> {
  const [a, b] = [await bind({ host: '127.0.0.1' }), await bind({ host: '127.0.0.1' })];
  return {
    a,
    b,
    to: b.localAddress,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([a.close(), b.close()]);
    },
  };
}

async function texts(socket: DatagramSocket, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count)
    got.push(...(await socket.receiveBatch(64)).map(({ data }) => data.toString()));
  return got;
}

test('promise 6: sends of one tick go in one call, in their order', async () => {
  await using pair = await udp();
  const calls = jest.spyOn(binding, 'sendmmsg');
  const sent = Array.from({ length: 50 }, (_, i) => `${'x'.repeat(i)}${i}`);
  await Promise.all(sent.map((text) => pair.a.send(text, pair.to)));
  expect(calls).toHaveBeenCalledTimes(1);
  expect(await texts(pair.b, 50)).toEqual(sent);
});

test('await send() in a loop goes at once, each by itself', async () => {
  await using pair = await udp();
  const calls = jest.spyOn(binding, 'sendto');
  for (let i = 0; i < 10; i++) {
    await pair.a.send(`${i}`, pair.to);
    expect(soon(() => pair.b.socket.tryRecvmsg()).data.toString()).toBe(`${i}`);
  }
  expect(calls).toHaveBeenCalledTimes(10);
});

test('each is settled by itself: one that is refused fails no other', async () => {
  await using pair = await udp();
  const refused = { family: 'IPv4', address: '255.255.255.255', port: 9 } as const;
  const sends = [
    pair.a.send('1', pair.to),
    pair.a.send('2', refused),
    pair.a.send('3', pair.to),
    pair.a.send(Buffer.alloc(70_000), pair.to),
    pair.a.send('5', pair.to),
  ];
  const outcomes = await Promise.allSettled(sends);
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
  expect(outcomes[1]).toMatchObject({
    reason: { code: 'EACCES', syscall: 'send', address: '255.255.255.255', port: 9 },
  });
  expect(outcomes[3]).toMatchObject({ reason: { code: 'EMSGSIZE' } });
  expect(await texts(pair.b, 3)).toEqual(['1', '3', '5']);
});

test('the order is that of the calls, whatever they are', async () => {
  await using pair = await udp();
  const { signal } = new AbortController();
  await Promise.all([
    pair.a.send('1', pair.to),
    pair.a.send('2', pair.to, { signal }),
    pair.a.send('3', pair.to),
    pair.a.sendBatch([{ data: Buffer.from('4'), to: pair.to }]),
    pair.a.send('5', pair.to, { control: [{ kind: 'ttl', value: 3 }] }),
    pair.a.send('6', pair.to, { timeout: 1000 }),
  ]);
  expect(await texts(pair.b, 6)).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('close lets go what was sent in its tick', async () => {
  await using pair = await udp();
  const sending = [pair.a.send('last', pair.to), pair.a.send('words', pair.to)];
  await pair.a.close();
  await Promise.all(sending);
  expect(await texts(pair.b, 2)).toEqual(['last', 'words']);
  expect(await rejection(pair.a.send('too late', pair.to))).toMatchObject({
    code: 'ERR_SOCKET_CLOSED',
  });
});

test('promise 4: what waits rejects when the socket is closed', async () => {
  const path = abstractName();
  await using receiver = await bind({ path });
  const sender = await bind({ path: abstractName() });
  const sends = Array.from({ length: 1000 }, () => sender.send('x', receiver.localAddress));
  const outcomes = Promise.allSettled(sends);
  await sends[0];
  await sender.close();
  const results = await outcomes;
  const first = results.findIndex(({ status }) => status === 'rejected');
  expect(first).toBeGreaterThan(0);
  expect(results.slice(first).every((result) => result.status === 'rejected')).toBe(true);
  expect(results.at(-1)).toMatchObject({ reason: { code: 'ERR_SOCKET_CLOSED' } });
  expect(await receiver.receiveBatch(64)).toHaveLength(Math.min(first, 64));
});

test('datagrams of one size for one place go as trains', async () => {
  await using pair = await udp();
  await using other = await bind({ host: '127.0.0.1' });
  const calls = jest.spyOn(binding, 'sendmmsg');
  const sizes = [100, 100, 100, 40, 40, 40, 0, 0, 7];
  const messages = sizes.map((size, i) => ({ data: Buffer.alloc(size, i), to: pair.to }));
  messages.splice(2, 0, { data: Buffer.alloc(100, 99), to: other.localAddress });
  expect(await pair.a.sendBatch(messages)).toEqual({ sent: 10 });
  // 100 100 | other | 100 40 | 40 40 | 0 | 0 | 7
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([7]);
  const got = [];
  while (got.length < 9) got.push(...(await pair.b.receiveBatch(64)));
  expect(got.map(({ length }) => length)).toEqual(sizes);
  expect(got.every(({ data }, i) => data.equals(Buffer.alloc(sizes[i], data[0])))).toBe(true);
  expect((await other.receive()).data).toEqual(Buffer.alloc(100, 99));
});

test('promise 15: a kernel that refuses trains gets plain datagrams', async () => {
  // Without a checksum there is nothing to compute per segment: udp_send_skb says EINVAL.
  const configure = (socket: {
    setsockopt(level: number, name: number, value: number): void;
  }): void => socket.setsockopt(C.SOL_SOCKET, C.SO_NO_CHECK, 1);
  await using a = await bind({ host: '127.0.0.1', configure });
  await using b = await bind({ host: '127.0.0.1' });
  const to = b.localAddress;
  const calls = jest.spyOn(binding, 'sendmmsg');
  const messages = Array.from({ length: 30 }, (_, i) => ({ data: Buffer.alloc(100, i), to }));
  expect(await a.sendBatch(messages)).toEqual({ sent: 30 });
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([-C.EINVAL, 30]);
  const got = [];
  while (got.length < 30) got.push(...(await b.receiveBatch(64)));
  expect(got.map(({ data }) => data)).toEqual(messages.map(({ data }) => data));
  // It is remembered.
  await a.sendBatch(messages);
  expect(calls.mock.results.at(-1)?.value).toBe(30);
});

inNamespaces('promise 15: segments beyond the MTU go as datagrams in fragments', async () => {
  using one = new Namespace();
  using two = new Namespace();
  one.link(two, ['v1', '10.9.8.1/24'], ['v2', '10.9.8.2/24']);
  const a = new DatagramSocket<InetAddress>(await one.socket(C.AF_INET, C.SOCK_DGRAM));
  const b = new DatagramSocket<InetAddress>(await two.socket(C.AF_INET, C.SOCK_DGRAM));
  b.socket.bind({ address: '10.9.8.2', port: 5000 });
  const to = b.localAddress;
  const calls = jest.spyOn(binding, 'sendmmsg');
  const messages = [2000, 2000, 2000, 500, 500].map((size, i) => ({
    data: Buffer.alloc(size, i),
    to,
  }));
  expect(await a.sendBatch(messages)).toEqual({ sent: 5 });
  const [refused, plain] = calls.mock.results.map(({ value }) => value as number);
  expect([-C.EINVAL, -C.EMSGSIZE]).toContain(refused);
  // The small ones are a train all the same: 2000, 2000, 2000, 500 500.
  expect(plain).toBe(4);
  const got = [];
  while (got.length < 5) got.push(...(await b.receiveBatch(64)));
  expect(got.map(({ data }) => data)).toEqual(messages.map(({ data }) => data));
  await Promise.all([a.close(), b.close()]);
});

test('an address that the kernel does not like is its own error, trains or not', async () => {
  await using pair = await udp();
  const nowhere = { ...pair.to, port: 0 };
  const data = Buffer.alloc(10);
  const bad = [
    { data, to: nowhere },
    { data, to: nowhere },
  ];
  expect(await pair.a.sendBatch(bad)).toMatchObject({ sent: 0, error: { code: 'EINVAL' } });
  const calls = jest.spyOn(binding, 'sendmmsg');
  await pair.a.sendBatch([
    { data, to: pair.to },
    { data, to: pair.to },
  ]);
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([1]);
});

test('a connected socket sends trains as well', async () => {
  await using pair = await udp();
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port: pair.to.port });
  const calls = jest.spyOn(binding, 'sendmmsg');
  await Promise.all(Array.from({ length: 200 }, () => client.send('four')));
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([4]);
  expect(await texts(pair.b, 200)).toEqual(Array(200).fill('four'));
});

test('memory that was transferred away before its turn is EFAULT, and fails no other', async () => {
  await using pair = await udp();
  const gone = [Buffer.from(new ArrayBuffer(8)), Buffer.from(new ArrayBuffer(8))];
  const sends = [
    pair.a.send('1', pair.to),
    pair.a.send(gone[0], pair.to),
    pair.a.send('3', pair.to),
    pair.a.send(gone[1], pair.to),
  ];
  for (const { buffer } of gone) structuredClone(buffer, { transfer: [buffer] });
  const outcomes = await Promise.allSettled(sends);
  expect(
    outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : '',
    ),
  ).toEqual(['', 'EFAULT', '', 'EFAULT']);
  expect(await texts(pair.b, 2)).toEqual(['1', '3']);
});

test('memory that was transferred away in the middle of a train is EFAULT, and fails no other', async () => {
  await using pair = await udp();
  const buffers = ['1', '2', '3', '4'].map((text) => {
    const bytes = new Uint8Array(1);
    bytes[0] = text.charCodeAt(0);
    return bytes;
  });
  const sends = buffers.map((buffer) => pair.a.send(buffer, pair.to));
  structuredClone(buffers[2].buffer, { transfer: [buffers[2].buffer] });
  const outcomes = await Promise.allSettled(sends);
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(await texts(pair.b, 3)).toEqual(['1', '2', '4']);
});

// To each of them a train would be one message.
describe.each(['set', 'adopted'])(
  'options of the user’s that a train would change the meaning of, %s',
  (how) => {
    async function withOption(set: (socket: DatagramSocket) => void): Promise<Pair> {
      const pair = await udp();
      set(pair.a);
      if (how === 'set') return pair;
      const a = fromFd(pair.a.socket.detach()) as DatagramSocket<InetAddress>;
      return {
        ...pair,
        a,
        [Symbol.asyncDispose]: async () => {
          await Promise.all([a.close(), pair.b.close()]);
        },
      };
    }

    const three = (pair: Pair): Promise<unknown> =>
      pair.a.sendBatch([1, 2, 3].map(() => ({ data: Buffer.alloc(30), to: pair.to })));

    async function lengths(socket: DatagramSocket<InetAddress>, bytes: number): Promise<number[]> {
      const got: number[] = [];
      for (let sum = 0; sum < bytes; sum += got[got.length - 1])
        got.push((await socket.receive({ timeout: 5000 })).length);
      return got;
    }

    test('UDP_SEGMENT', async () => {
      await using pair = await withOption(({ socket }) => socket.set('segment', 10));
      await three(pair);
      expect(await lengths(pair.b, 90)).toEqual(Array(9).fill(10));
    });

    test('UDP_CORK', async () => {
      await using pair = await withOption(({ socket }) => socket.set('udpCork', true));
      await three(pair);
      pair.a.socket.set('udpCork', false);
      expect(await lengths(pair.b, 90)).toEqual([90]);
    });

    test('SO_TIMESTAMPING', async () => {
      await using pair = await withOption(({ socket }) =>
        socket.set('timestamping', ['txSoftware', 'software', 'id', 'timestampOnly']),
      );
      await three(pair);
      await lengths(pair.b, 90);
      expect(pair.a.socket.readErrorQueue().map(({ extra }) => extra)).toEqual([0, 1, 2]);
    });
  },
);

test('once they are off, trains go again', async () => {
  await using pair = await udp();
  pair.a.socket.set('segment', 10).set('segment', 0);
  const calls = jest.spyOn(binding, 'sendmmsg');
  await pair.a.sendBatch([1, 2, 3].map(() => ({ data: Buffer.alloc(30), to: pair.to })));
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([1]);
});

test('a Unix datagram to an address given by its bytes', async () => {
  await using a = await bind({ path: '' });
  await using b = await bind({ path: '' });
  const to = { family: C.AF_UNIX, data: Buffer.from(b.localAddress.path) };
  // More than its queue holds (net.unix.max_dgram_qlen): they wait in its lane.
  const sends = Array.from({ length: 600 }, (_, i) => a.send(String(i), to));
  const got = await texts(b, 600);
  expect(got).toEqual(Array.from({ length: 600 }, (_, i) => String(i)));
  await Promise.all(sends);
  const foreign = { family: 'IPv4', address: '127.0.0.1', port: 9 } as const;
  expect(await rejection(a.send('nowhere', foreign))).toMatchObject({ code: 'EINVAL' });
});
