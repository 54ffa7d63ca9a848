// DatagramSocket: UDP and Unix datagrams for an application.

import { bind, connect, constants as C } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();
afterEach(() => {
  jest.restoreAllMocks();
});

const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

test('datagram: one socket talks to many', async () => {
  await using server = await bind({ host: '127.0.0.1' });
  const { port } = server.localAddress;
  const clients = await Promise.all(
    [0, 1, 2].map(() => connect({ type: 'dgram', host: '127.0.0.1', port })),
  );
  for (const [i, client] of clients.entries()) await client.send(`${i}`);
  for (const client of clients) {
    const { data, from } = await server.receive();
    expect(from).toEqual(client.localAddress);
    await server.send(`re ${data.toString()}`, from!);
  }
  for (const [i, client] of clients.entries()) {
    expect((await client.receive()).data.toString()).toBe(`re ${i}`);
    await client.close();
  }
});

ipv6('datagram: senders over a dual stack are given as what they are', async () => {
  await using server = await bind({});
  const { port } = server.localAddress;
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port });
  await client.send('x');
  const { from } = await server.receive();
  expect(from).toEqual({
    family: 'IPv4',
    address: '127.0.0.1',
    port: client.localAddress.port,
  });
  await server.sendBatch([{ data: Buffer.from('batch'), to: from! }]);
  expect((await client.receive()).data.toString()).toBe('batch');
});

test('datagram: sendBatch to many, and the error of the one that is refused', async () => {
  await using a = await bind({ host: '127.0.0.1' });
  await using b = await bind({ host: '127.0.0.1' });
  const data = Buffer.from('x');
  const refused = { family: 'IPv4', address: '255.255.255.255', port: 9 } as const;
  expect(
    await a.sendBatch([
      { data, to: b.localAddress },
      { data, to: a.localAddress },
      { data, to: refused },
      { data, to: b.localAddress },
    ]),
  ).toMatchObject({
    sent: 2,
    error: {
      code: 'EACCES',
      syscall: 'sendmmsg',
      address: '255.255.255.255',
      port: 9,
      message: 'sendmmsg EACCES 255.255.255.255:9',
    },
  });
  expect(await b.receiveBatch(9)).toHaveLength(1);
  expect(await a.receiveBatch(9)).toHaveLength(1);
});

test('datagram: messages that do not fit the send slab together go all the same', async () => {
  await using a = await bind({ path: abstractName() });
  await using b = await bind({ path: abstractName() });
  const to = b.localAddress;
  // The first two fill it, the third is larger than all of it.
  const sizes = [60_000, 70_000, 150_000, 3];
  const messages = sizes.map((size, i) => ({ data: Buffer.alloc(size, i + 1), to }));
  const sending = a.sendBatch(messages);
  const got = [];
  while (got.length < 4) got.push(...(await b.receiveBatch(4)));
  expect(await sending).toEqual({ sent: 4 });
  expect(got.map(({ length }) => length)).toEqual(sizes);
  expect(got.every(({ data }, i) => data.equals(messages[i].data))).toBe(true);
});

test('datagram: a full batch is as large as a system call takes', async () => {
  await using a = await bind({ host: '127.0.0.1' });
  await using b = await bind({ host: '127.0.0.1' });
  const calls = jest.spyOn(binding, 'sendmmsg');
  // Each longer than the one before: no two of them are a train.
  const messages = Array.from({ length: 130 }, (_, i) => ({
    data: Buffer.alloc(i),
    to: b.localAddress,
  }));
  expect(await a.sendBatch(messages)).toEqual({ sent: 130 });
  expect(calls.mock.results.map(({ value }) => value as number)).toEqual([64, 64, 2]);
  let got = 0;
  const receives = jest.spyOn(binding, 'recvmmsg');
  while (got < 130) got += (await b.receiveBatch(100)).length;
  expect(receives.mock.calls.length).toBeLessThanOrEqual(4);
});

test('promise 14: ENOBUFS in the middle of a batch is waited out', async () => {
  await using a = await bind({ host: '127.0.0.1' });
  await using b = await bind({ host: '127.0.0.1' });
  const real = binding.sendmmsg.bind(binding);
  let calls = 0;
  jest
    .spyOn(binding, 'sendmmsg')
    .mockImplementation((token, count, flags) =>
      ++calls === 2 ? -C.ENOBUFS : real(token, Math.min(count, 3), flags),
    );
  const messages = Array.from({ length: 10 }, (_, i) => ({
    data: Buffer.from(`${i}`),
    to: b.localAddress,
  }));
  expect(await a.sendBatch(messages)).toEqual({ sent: 10 });
  const got = await b.receiveBatch(20);
  expect(got.map(({ data }) => data.toString()).join('')).toBe('0123456789');
});

describe('promise 14: Unix datagrams to a full queue', () => {
  test('send waits, connected or not', async () => {
    const path = abstractName();
    await using server = await bind({ path });
    await using connected = await connect({ type: 'dgram', path });
    await using unconnected = await bind({ path: '' });
    const to = { path };
    for (const send of [
      () => connected.send('x'),
      () => unconnected.send('x', to),
      () => unconnected.sendBatch([{ data: Buffer.from('x'), to }]),
    ]) {
      // Filled by somebody else: no event will tell the one who is not connected.
      await using stranger = await bind({ path: '' });
      let sent = 0;
      while (stranger.socket.trySendto(Buffer.from('x'), to) !== null) sent++;
      expect(sent).toBeGreaterThan(0);
      const waiting = send();
      await turns(20);
      expect(await isPending(waiting)).toBe(true);
      for (let i = 0; i <= sent; i++) await server.receive();
      await waiting;
    }
  });

  test('promise 2: sendBatch that gives up says how many went', async () => {
    const path = abstractName();
    await using server = await bind({ path });
    await using client = await connect({ type: 'dgram', path });
    const controller = new AbortController();
    const messages = Array.from({ length: 100 }, (_, i) => ({ data: Buffer.from(`${i}`) }));
    const sending = rejection(client.sendBatch(messages, { signal: controller.signal }));
    await turns();
    controller.abort();
    const error = await sending;
    expect(error).toMatchObject({ code: 'ABORT_ERR' });
    expect(error.messagesSent).toBeGreaterThan(0);
    expect(error.messagesSent).toBeLessThan(100);
    const got = await server.receiveBatch(64);
    expect(got).toHaveLength(error.messagesSent!);
    expect(got.map(({ data }) => data.toString())).toEqual(got.map((_, i) => `${i}`));
  });

  test('a receiver that goes away is the error of those who wait', async () => {
    const path = abstractName();
    const server = await bind({ path });
    await using client = await bind({ path: '' });
    const messages = Array.from({ length: 100 }, () => ({ data: Buffer.from('x'), to: { path } }));
    const sending = client.sendBatch(messages);
    await turns();
    await server.close();
    const { sent, error } = await sending;
    expect(sent).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', path: `@${path.slice(1)}` });
  });
});

// unix(7) does not say it: when the peer is closed, the next call hears of it and the connection is dissolved.
test('unix: a server that comes back is there for whoever names it, not for whoever is connected', async () => {
  const path = abstractName();
  const server = await bind({ path });
  await using connected = await connect({ type: 'dgram', path });
  await using free = await bind({ path: '' });
  await server.close();
  const refusals = [() => connected.send('x'), () => free.send('x', { path })];
  for (const send of refusals)
    expect(await rejection(send())).toMatchObject({ code: 'ECONNREFUSED' });

  await using back = await bind({ path });
  await free.send('named', { path });
  for (let i = 0; i < 3; i++)
    expect(await rejection(connected.send('x'))).toMatchObject({ code: 'ENOTCONN' });
  await connected.socket.connect({ path });
  await connected.send('connected again');
  const heard = [await back.receive(), await back.receive()];
  expect(heard.map(({ data }) => String(data))).toEqual(['named', 'connected again']);
});

test('promise 9: a refusal reaches who receives, and the socket goes on', async () => {
  const gone = await bind({ host: '127.0.0.1' });
  const { port } = gone.localAddress;
  await gone.close();
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port });
  const receiving = rejection(client.receive());
  await turns(2);
  await client.send('anybody?');
  expect(await receiving).toMatchObject({
    code: 'ECONNREFUSED',
    syscall: 'receive',
    message: 'receive ECONNREFUSED',
  });
  await using back = await bind({ host: '127.0.0.1', port });
  await client.send('hello');
  expect((await back.receive()).data.toString()).toBe('hello');
});

test('promise 9: a refusal ends an iteration with its error, and the next one goes on', async () => {
  const gone = await bind({ host: '127.0.0.1' });
  const { port } = gone.localAddress;
  await gone.close();
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port });
  const iterating = rejection(
    (async () => {
      for await (const _ of client) throw new Error('nothing came');
    })(),
  );
  await turns(2);
  await client.send('anybody?');
  expect(await iterating).toMatchObject({ code: 'ECONNREFUSED' });
  await using back = await bind({ host: '127.0.0.1', port });
  await back.send('hello', client.localAddress);
  for await (const { data } of client) {
    expect(data.toString()).toBe('hello');
    break;
  }
});

test('datagram: what waits to be received does not hold up what is sent', async () => {
  await using a = await bind({ host: '127.0.0.1' });
  const receiving = a.receive();
  let echoed = false;
  void receiving.then(() => {
    echoed = true;
  });
  await turns(2);
  await a.send('to myself', a.localAddress);
  await until(() => echoed);
  expect((await receiving).from).toEqual(a.localAddress);
});

test('datagram: send resolves with nothing', async () => {
  await using a = await bind({ host: '127.0.0.1' });
  const sent: unknown = await a.send('four', a.localAddress);
  expect(sent).toBeUndefined();
});
