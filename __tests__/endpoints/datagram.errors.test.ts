// errors(): what the network says of messages that were sent, and that it fails nobody else's send.

import {
  bind,
  connect,
  constants as C,
  type DatagramSocket,
  type ErrorQueueEntry,
  fromFd,
  type InetAddress,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

const inNamespaces = needs('network namespaces', CAN_MAKE_NAMESPACES);
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

/** A port where nobody listens. */
async function deadPort(host: string): Promise<InetAddress> {
  await using gone = await bind({ host });
  return gone.localAddress;
}

describe.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['127.0.0.1', '::'],
])('%s from %s', (host, from) => {
  ipv6('promise 13: a dead destination fails no send to another one', async () => {
    await using socket = await bind({ ...(from !== '::' && { host: from }), recvErr: true });
    await using alive = await bind({ host });
    const dead = await deadPort(host);
    const errors = socket.errors();
    for (let i = 0; i < 20; i++) {
      await socket.send(`lost ${i}`, dead);
      await socket.send(`kept ${i}`, alive.localAddress);
    }
    const got = [];
    while (got.length < 20) got.push(...(await alive.receiveBatch(64)));
    expect(got.map(({ data }) => data.toString())).toEqual(
      Array.from({ length: 20 }, (_, i) => `kept ${i}`),
    );
    const told: ErrorQueueEntry[] = [];
    while (told.length < 20) told.push((await errors.next()).value!);
    expect(told.map(({ data }) => data.toString())).toEqual(
      Array.from({ length: 20 }, (_, i) => `lost ${i}`),
    );
    for (const entry of told)
      expect(entry).toMatchObject({
        code: 'ECONNREFUSED',
        destination: dead,
        offender: { address: host },
      });
  });

  ipv6(
    'promise 13: nor one of a batch, nor of those that are gathered, nor a receive',
    async () => {
      await using socket = await bind({ ...(from !== '::' && { host: from }), recvErr: true });
      await using alive = await bind({ host });
      const dead = await deadPort(host);
      const to = alive.localAddress;
      const messages = Array.from({ length: 40 }, (_, i) => ({
        data: Buffer.from(String(i)),
        to: i % 2 === 0 ? dead : to,
      }));
      expect(await socket.sendBatch(messages)).toEqual({ sent: 40 });
      await Promise.all(messages.map(({ data, to }) => socket.send(data, to)));
      const got = [];
      while (got.length < 40) got.push(...(await alive.receiveBatch(64)));
      expect(new Set(got.map(({ data }) => Number(data) % 2))).toEqual(new Set([1]));
      await socket.send('lost', dead);
      const receiving = socket.receive();
      await turns();
      expect(await isPending(receiving)).toBe(true);
      const { port } = socket.localAddress;
      await alive.send('answer', { address: host, port });
      expect((await receiving).data.toString()).toBe('answer');
    },
  );
});

test('promise 13: without recvErr an unconnected socket hears of nothing', async () => {
  await using socket = await bind({ host: '127.0.0.1' });
  const dead = await deadPort('127.0.0.1');
  for (let i = 0; i < 5; i++) await socket.send('lost', dead);
  expect(socket.socket.readErrorQueue()).toEqual([]);
});

// The kernel has no room for the error's entry then (sock_queue_err_skb), and sets it for the next call all the same.
describe('promise 13: while the receive queue is full', () => {
  async function flooded(): Promise<DatagramSocket<InetAddress>> {
    const options = { receiveBufferSize: 4096 };
    const socket = await bind({ host: '127.0.0.1', recvErr: true, options });
    await using flooder = await bind({ host: '127.0.0.1' });
    for (let i = 0; i < 50; i++) await flooder.send(Buffer.alloc(500), socket.localAddress);
    return socket;
  }

  test('a dead destination fails no send to another one', async () => {
    await using socket = await flooded();
    await using alive = await bind({ host: '127.0.0.1' });
    await socket.send('lost', await deadPort('127.0.0.1'));
    await socket.send('kept', alive.localAddress);
    expect((await alive.receive()).data.toString()).toBe('kept');
    expect(socket.socket.readErrorQueue()).toEqual([]);
  });

  test('nor a receive', async () => {
    await using socket = await flooded();
    await socket.send('lost', await deadPort('127.0.0.1'));
    expect(await socket.receive()).toMatchObject({ length: 500 });
  });
});

test('what a send has taken off the error queue is in readErrorQueue() all the same', async () => {
  await using alive = await bind({ host: '127.0.0.1' });
  const options = { timestamping: ['txSoftware', 'software', 'id'] as const };
  await using socket = await bind({ host: '127.0.0.1', recvErr: true, options });
  await socket.send('kept', alive.localAddress);
  await socket.send('lost', await deadPort('127.0.0.1'));
  await socket.send('kept', alive.localAddress);
  const origins = socket.socket.readErrorQueue().map(({ origin }) => origin);
  expect(origins.filter((origin) => origin === 'timestamp')).toHaveLength(3);
  expect(origins.filter((origin) => origin === 'icmp')).toHaveLength(1);
});

test('errors() waits, and is woken by the error', async () => {
  await using socket = await bind({ host: '127.0.0.1', recvErr: true });
  const next = socket.errors().next();
  await turns();
  expect(await isPending(next)).toBe(true);
  await socket.send('lost', await deadPort('127.0.0.1'));
  expect(await next).toMatchObject({
    done: false,
    value: { code: 'ECONNREFUSED', origin: 'icmp' },
  });
});

test('errors() ends when the socket is closed, or its signal is aborted', async () => {
  const socket = await bind({ host: '127.0.0.1', recvErr: true });
  const controller = new AbortController();
  const aborted = rejection(socket.errors({ signal: controller.signal }).next());
  const ended = socket.errors().next();
  await turns(2);
  controller.abort();
  expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
  await socket.close();
  expect(await ended).toEqual({ value: undefined, done: true });
});

test('each error is told once, in order, to whoever asks', async () => {
  await using socket = await bind({ host: '127.0.0.1', recvErr: true });
  const dead = await deadPort('127.0.0.1');
  const [one, two] = [socket.errors().next(), socket.errors().next()];
  await socket.send('1', dead);
  await socket.send('2', dead);
  const told = (await Promise.all([one, two])).map(({ value }) => value?.data.toString());
  expect(told).toEqual(['1', '2']);
});

test('a storm of errors that nobody reads costs no message', async () => {
  await using socket = await bind({ host: '127.0.0.1', recvErr: true });
  await using alive = await bind({ host: '127.0.0.1' });
  const dead = await deadPort('127.0.0.1');
  for (let i = 0; i < 2000; i++) await socket.send(Buffer.alloc(1000), dead);
  for (let i = 0; i < 50; i++) await alive.send(`${i}`, socket.localAddress);
  let got = 0;
  while (got < 50) got += (await socket.receiveBatch(64)).length;
  const told = [];
  for await (const entry of socket.errors({ signal: AbortSignal.timeout(50) })) {
    told.push(entry);
    if (told.length >= 200) break;
  }
  expect(told.length).toBeGreaterThanOrEqual(200);
});

// Over the loopback the error is there when sendto(2) returns; each send takes its predecessor's off the kernel.
test('errors beyond those that are kept are counted', async () => {
  await using socket = await bind({ host: '127.0.0.1', recvErr: true });
  const dead = await deadPort('127.0.0.1');
  expect(socket.droppedErrors).toBe(0);
  for (let i = 0; i < 1000; i++) await socket.send(String(i), dead);
  const told = [];
  for await (const { data } of socket.errors()) {
    told.push(Number(data));
    if (told.at(-1) === 999) break;
  }
  const { droppedErrors } = socket;
  expect(droppedErrors).toBeGreaterThan(700);
  expect(told).toEqual(Array.from({ length: 1000 - droppedErrors }, (_, i) => droppedErrors + i));
});

test('a connected socket with recvErr: its peer’s absence comes out of errors() as well', async () => {
  const { port } = await deadPort('127.0.0.1');
  await using socket = await connect({ type: 'dgram', host: '127.0.0.1', port, recvErr: true });
  for (let i = 0; i < 5; i++) await socket.send('lost');
  expect((await socket.errors().next()).value).toMatchObject({ code: 'ECONNREFUSED' });
  await using plain = await connect({ type: 'dgram', host: '127.0.0.1', port });
  await plain.send('lost');
  expect(await rejection(plain.send('told'))).toMatchObject({
    code: 'ECONNREFUSED',
    syscall: 'send',
  });
});

test("an error of a message's own is its sender's", async () => {
  await using socket = await bind({ host: '127.0.0.1', recvErr: true });
  await using alive = await bind({ host: '127.0.0.1' });
  const to = alive.localAddress;
  expect(await rejection(socket.send(Buffer.alloc(70_000), to))).toMatchObject({
    code: 'EMSGSIZE',
  });
  const refused = { family: 'IPv4', address: '255.255.255.255', port: 9 } as const;
  expect(await rejection(socket.send('x', refused))).toMatchObject({ code: 'EACCES' });
  await socket.send('x', to);
  expect((await alive.receive()).length).toBe(1);
  expect(socket.socket.getsockopt(C.SOL_SOCKET, C.SO_ERROR).readInt32LE()).toBe(0);
});

// The send empties the kernel's queue for its own sake, so that poll(2) has nothing to tell.
inNamespaces('what a send itself has heard is told to those who wait for errors()', async () => {
  using place = new Namespace();
  place.ip('link', 'set', 'lo', 'mtu', '1500');
  const plain = await place.socket(C.AF_INET, C.SOCK_DGRAM);
  plain.set('receiveErrors', true).set('mtuDiscover', 'probe');
  await using socket = fromFd(plain.detach()) as DatagramSocket<InetAddress>;
  const entry = socket.errors().next();
  await turns(3);
  const sending = socket.send(Buffer.alloc(2000), { address: '127.0.0.1', port: 9 });
  expect(await rejection(sending)).toMatchObject({ code: 'EMSGSIZE' });
  expect((await entry).value).toMatchObject({ code: 'EMSGSIZE', origin: 'local', info: 1500 });
});

describe('the option by its own name is recvErr', () => {
  async function isDeaf(socket: DatagramSocket<InetAddress>): Promise<void> {
    await using alive = await bind({ host: '127.0.0.1' });
    await socket.send('lost', await deadPort('127.0.0.1'));
    await socket.send('kept', alive.localAddress);
    expect((await socket.errors().next()).value).toMatchObject({ code: 'ECONNREFUSED' });
  }

  test('in options', async () => {
    const options = { receiveErrors: true };
    await using socket = await bind({ host: '127.0.0.1', options });
    await isDeaf(socket);
  });

  test('of a socket that is adopted', async () => {
    const options = { receiveErrors: true };
    const socket = await bind({ host: '127.0.0.1', options });
    await using adopted = fromFd(socket.socket.detach()) as DatagramSocket<InetAddress>;
    await isDeaf(adopted);
    adopted.socket.set('receiveErrors', false);
    expect(adopted.socket.state.sentErrors.reported).toBe(false);
  });
});
