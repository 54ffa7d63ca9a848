// connect(): Happy Eyeballs (RFC 8305). The addresses of a name are put into the resolver's mouth; the rest is
// the kernel's: 127.0.0.0/8 has as many addresses as one likes, and a listener whose backlog is full says nothing.

import type { InetAddress } from '../../lib/index';
import { connect, listen, Socket } from '../../lib/index';
import { interleave } from '../../lib/endpoints/eyeballs';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { isPending, turns, until } from '../support/turns';

let mockAddresses: InetAddress[] = [];
jest.mock('../../lib/endpoints/resolve', () => ({ resolve: () => Promise.resolve(mockAddresses) }));

leavesNoSockets();
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

/** One port on several addresses, of which each is alive, silent or dead. */
async function name(
  places: Readonly<Record<string, 'alive' | 'silent' | 'dead'>>,
): Promise<AsyncDisposable & { port: number; listeners: Map<string, Socket> }> {
  const listeners = new Map<string, Socket>();
  const fillers: Socket[] = [];
  let port = 0;
  mockAddresses = [];
  for (const [address, how] of Object.entries(places)) {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    const socket = Socket.open(family, 'stream');
    socket.bind({ address, port });
    port ||= (socket.getsockname() as InetAddress).port;
    mockAddresses.push({ family, address, port });
    listeners.set(address, socket);
    if (how !== 'dead') socket.listen(0);
    if (how === 'silent') {
      // A backlog of 0 has room for one; for those behind it the kernel drops the SYN.
      const filler = Socket.open(family, 'stream');
      await filler.connect({ address, port });
      fillers.push(filler);
    }
  }
  return {
    port,
    listeners,
    [Symbol.asyncDispose](): Promise<void> {
      for (const socket of [...fillers, ...listeners.values()]) socket.close();
      return Promise.resolve();
    },
  };
}

test('eyeballs: the families take turns, the resolver’s first choice first', () => {
  const of = (...families: string[]): { family: string; i: number }[] =>
    families.map((family, i) => ({ family, i }));
  const order = (...families: string[]): number[] => interleave(of(...families)).map(({ i }) => i);
  expect(order('6', '6', '6', '4', '4')).toEqual([0, 3, 1, 4, 2]);
  expect(order('4', '6', '6')).toEqual([0, 1, 2]);
  expect(order('4', '4')).toEqual([0, 1]);
  expect(order('4', '4', '4', '6')).toEqual([0, 3, 1, 2]);
});

test('eyeballs: an address that says nothing is given 250 ms, and closed when the next one answers', async () => {
  await using at = await name({ '127.0.0.1': 'silent', '127.0.0.2': 'alive' });
  const before = openSockets();
  const began = performance.now();
  const connecting = connect({ host: 'both', port: at.port });
  await turns(5);
  expect(socketsSince(before)).toHaveLength(1);
  const client = await connecting;
  expect(performance.now() - began).toBeGreaterThan(249);
  expect(client.remoteAddress).toMatchObject({ address: '127.0.0.2' });
  expect(socketsSince(before)).toHaveLength(1);
  client.abort();
});

test('eyeballs: the first one may still win after the second has begun', async () => {
  await using at = await name({ '127.0.0.1': 'silent', '127.0.0.2': 'silent' });
  const before = openSockets();
  const connecting = connect({ host: 'both', port: at.port });
  await until(() => socketsSince(before).length === 2);
  // The SYN is sent again after a second, when there is room.
  at.listeners.get('127.0.0.1')!.tryAccept()!.close();
  const client = await connecting;
  expect(client.remoteAddress).toMatchObject({ address: '127.0.0.1' });
  expect(socketsSince(before)).toHaveLength(1);
  client.abort();
});

test('eyeballs: one that is refused is not waited for', async () => {
  await using at = await name({ '127.0.0.1': 'dead', '127.0.0.2': 'alive' });
  const began = performance.now();
  const client = await connect({ host: 'both', port: at.port });
  expect(performance.now() - began).toBeLessThan(200);
  expect(client.remoteAddress).toMatchObject({ address: '127.0.0.2' });
  client.abort();
});

ipv6('eyeballs: the other family comes second, however many the first one has', async () => {
  await using at = await name({ '127.0.0.1': 'dead', '127.0.0.2': 'alive', '::1': 'alive' });
  const client = await connect({ host: 'all', port: at.port });
  expect(client.remoteAddress).toMatchObject({ address: '::1' });
  client.abort();
});

test('eyeballs: where all fail, every failure is there, in the order in which they were tried', async () => {
  await using at = await name({ '127.0.0.1': 'dead', '127.0.0.2': 'dead', '127.0.0.3': 'dead' });
  const before = openSockets();
  const error = await rejection(connect({ host: 'all', port: at.port }));
  expect(error).toBeInstanceOf(AggregateError);
  expect(error.code).toBe('ECONNREFUSED');
  expect((error as unknown as AggregateError).errors.map(String)).toEqual(
    [1, 2, 3].map((i) => `Error: connect ECONNREFUSED 127.0.0.${i}:${at.port}`),
  );
  expect(socketsSince(before)).toEqual([]);
});

test('promise 8: a signal or a timeout ends all attempts at once', async () => {
  await using at = await name({ '127.0.0.1': 'silent', '127.0.0.2': 'silent' });
  const before = openSockets();
  const controller = new AbortController();
  const connecting = connect({ host: 'both', port: at.port, signal: controller.signal });
  await until(() => socketsSince(before).length === 2);
  expect(await isPending(connecting)).toBe(true);
  controller.abort('why');
  expect(await rejection(connecting)).toMatchObject({ code: 'ABORT_ERR', cause: 'why' });
  expect(socketsSince(before)).toEqual([]);
  expect(await rejection(connect({ host: 'both', port: at.port, timeout: 5 }))).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
    message: 'connect was not done within 5 ms',
  });
  expect(socketsSince(before)).toEqual([]);
});

test('eyeballs: attempts that race share a local port', async () => {
  await using at = await name({ '127.0.0.1': 'silent', '127.0.0.2': 'alive' });
  const probe = Socket.open('IPv4', 'stream');
  probe.bind({ address: '127.0.0.9', port: 0 });
  const { port: localPort } = probe.getsockname() as InetAddress;
  probe.close();
  const local = { localAddress: '127.0.0.9', localPort };
  const client = await connect({ host: 'both', port: at.port, ...local });
  expect(client.localAddress).toMatchObject({ address: '127.0.0.9', port: localPort });
  client.abort();
});

test('promise 3: a race leaves no listener on the signal', async () => {
  await using at = await name({ '127.0.0.1': 'dead', '127.0.0.2': 'alive' });
  const { signal } = new AbortController();
  const added = jest.spyOn(signal, 'addEventListener');
  const removed = jest.spyOn(signal, 'removeEventListener');
  (await connect({ host: 'both', port: at.port, signal })).abort();
  expect(added.mock.calls.length).toBeGreaterThan(0);
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
});

test('connect: an aborted signal opens nothing, not even for configure', async () => {
  await using at = await name({ '127.0.0.1': 'alive' });
  const configure = jest.fn();
  const signal = AbortSignal.abort('why');
  for (const place of [{ host: 'x', port: at.port }, { path: '\0nobody' }])
    expect(await rejection(connect({ ...place, signal, configure }))).toMatchObject({
      code: 'ABORT_ERR',
      cause: 'why',
    });
  expect(await rejection(listen({ port: 0, signal, configure }))).toMatchObject({
    code: 'ABORT_ERR',
  });
  expect(configure).not.toHaveBeenCalled();
});
