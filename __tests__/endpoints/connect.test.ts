// connect(): every type, every place, every way to fail.

import {
  bind,
  connect,
  constants as C,
  DatagramSocket,
  listen,
  SeqpacketSocket,
  Socket,
  StreamSocket,
  type InetAddress,
} from '../../lib/index';
import { runInChild } from '../support/child';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName, temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { isPending, turns } from '../support/turns';

leavesNoSockets();
const place = temporaryFolder();
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

function deadPort(): number {
  using probe = Socket.open('IPv4', 'stream');
  probe.bind({ address: '127.0.0.1', port: 0 });
  return (probe.getsockname() as InetAddress).port;
}

function portOf(endpoint: { address: unknown }): number {
  return (endpoint.address as InetAddress).port;
}

test('connect: the type picks the class', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(server);
  await using stream = await connect({ host: '127.0.0.1', port });
  expect(stream).toBeInstanceOf(StreamSocket);
  await using datagram = await connect({ type: 'dgram', host: '127.0.0.1', port });
  expect(datagram).toBeInstanceOf(DatagramSocket);
  const path = abstractName();
  await using records = await listen({ type: 'seqpacket', path });
  const seqpacket = await connect({ type: 'seqpacket', path });
  expect(seqpacket).toBeInstanceOf(SeqpacketSocket);
  seqpacket.socket.close();
  expect(records.address).toEqual({ family: 'unix', path });
  stream.abort();
});

test('connect: a name is resolved, and its addresses are tried one after the other', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(server);
  const client = await connect({ host: 'localhost', port });
  expect(client.remoteAddress).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
  client.abort();
  const byDefault = await connect({ port, family: 'IPv4' });
  expect(byDefault.remoteAddress).toMatchObject({ address: '127.0.0.1', port });
  byDefault.abort();
});

test('connect: a timeout may be as long as one likes', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  for (const timeout of [2 ** 31, Number.MAX_SAFE_INTEGER, Infinity]) {
    const client = await connect({ host: 'localhost', port: portOf(server), timeout });
    client.abort();
  }
});

test('connect: a name that is nobody’s is the resolver’s error', async () => {
  // No name at all, with its space: the C library refuses it and asks no server.
  const error = await rejection(connect({ host: 'no body', port: 1 }));
  expect(error).toMatchObject({ code: 'EAI_NONAME', syscall: 'getaddrinfo', hostname: 'no body' });
});

test('connect: where every address fails there is one error for each', async () => {
  const port = deadPort();
  const error = await rejection(connect({ host: 'localhost', port }));
  expect(error.code).toBe('ECONNREFUSED');
  const all = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  for (const one of all)
    expect(one.message).toMatch(new RegExp(`^connect ECONNREFUSED (127\\.0\\.0\\.1|::1):${port}$`));
});

test('connect: the error of the one address is its own', async () => {
  const port = deadPort();
  expect(await rejection(connect({ host: '127.0.0.1', port }))).toMatchObject({
    code: 'ECONNREFUSED',
    address: '127.0.0.1',
    port,
    message: `connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  const path = place();
  expect(await rejection(connect({ path }))).toMatchObject({
    code: 'ENOENT',
    path,
    message: `connect ENOENT ${path}`,
  });
});

test('connect: from an address and a port of our own', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const localPort = deadPort();
  const client = await connect({
    host: '127.0.0.1',
    port: portOf(server),
    localAddress: '127.0.0.2',
    localPort,
  });
  expect(client.localAddress).toEqual({ family: 'IPv4', address: '127.0.0.2', port: localPort });
  const peer = await server.accept();
  expect(peer.remoteAddress).toEqual(client.localAddress);
  client.abort();
  peer.abort();
});

test('connect: a local port alone', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const localPort = deadPort();
  const client = await connect({ host: '127.0.0.1', port: portOf(server), localPort });
  expect(client.localAddress).toMatchObject({ port: localPort });
  client.abort();
});

ipv6('connect: an IPv6 literal, and one with a zone', async () => {
  await using server = await listen({ host: '::1', port: 0 });
  const client = await connect({ host: '::1', port: portOf(server) });
  expect(client.remoteAddress).toEqual(server.address);
  client.abort();
  const error = await rejection(connect({ host: 'fe80::1%lo', port: portOf(server) }));
  expect(error).toMatchObject({ syscall: 'connect', address: 'fe80::1%lo' });
});

test('connect: Unix datagrams with a name of our own to be answered at', async () => {
  const path = abstractName();
  const localPath = abstractName();
  await using server = await bind({ path });
  await using client = await connect({ type: 'dgram', path, localPath });
  await client.send('ping');
  const { from } = await server.receive();
  expect(from).toEqual({ family: 'unix', path: localPath });
  await server.send('pong', from!);
  expect((await client.receive()).data.toString()).toBe('pong');
});

test('connect: configure sees the socket before it is connected', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  let unconnected = false;
  const client = await connect({
    host: '127.0.0.1',
    port: portOf(server),
    configure: (socket) => {
      expect(() => socket.getpeername()).toThrow(expect.objectContaining({ code: 'ENOTCONN' }));
      unconnected = true;
      socket.setsockopt(C.IPPROTO_TCP, C.TCP_MAXSEG, 1000);
    },
  });
  expect(unconnected).toBe(true);
  client.abort();
});

test('promise 8: a configure that throws leaves no socket behind', async () => {
  const before = openSockets();
  const mistake = new Error('a mistake of the caller’s');
  const configure = (): never => {
    throw mistake;
  };
  for (const made of [
    () => connect({ host: '127.0.0.1', port: 1, configure }),
    () => connect({ path: abstractName(), configure }),
    () => listen({ port: 0, configure }),
  ])
    expect(await rejection(made())).toBe(mistake);
  expect(socketsSince(before)).toEqual([]);
});

test('promise 8: a connect that fails leaves no socket behind', async () => {
  const before = openSockets();
  await rejection(connect({ host: 'localhost', port: deadPort() }));
  await rejection(connect({ path: place() }));
  await rejection(connect({ host: '127.0.0.1', port: deadPort(), localAddress: '192.0.2.1' }));
  expect(socketsSince(before)).toEqual([]);
});

describe('promise 2: cancelled means it did not happen', () => {
  async function full(): Promise<[AsyncDisposable, string, () => Socket | null]> {
    const path = abstractName();
    const listener = Socket.open('unix', 'stream');
    listener.bind({ path });
    listener.listen(0);
    const first = await connect({ path });
    const scope = {
      [Symbol.asyncDispose](): Promise<void> {
        first.abort();
        listener.close();
        return Promise.resolve();
      },
    };
    return [scope, path, () => listener.tryAccept()];
  }

  test('an aborted connect has closed its socket', async () => {
    const [scope, path, accept] = await full();
    await using _ = scope;
    const before = openSockets();
    const controller = new AbortController();
    const connecting = connect({ path, signal: controller.signal });
    await turns();
    expect(await isPending(connecting)).toBe(true);
    expect(socketsSince(before)).toHaveLength(1);
    controller.abort('why');
    expect(await rejection(connecting)).toMatchObject({ code: 'ABORT_ERR', cause: 'why' });
    expect(socketsSince(before)).toEqual([]);
    accept()!.close();
    await turns();
    expect(accept()).toBeNull();
  });

  test('a timed-out connect has closed its socket', async () => {
    const [scope, path] = await full();
    await using _ = scope;
    const before = openSockets();
    expect(await rejection(connect({ path, timeout: 5 }))).toMatchObject({
      code: 'ERR_SOCKET_TIMEOUT',
    });
    expect(socketsSince(before)).toEqual([]);
  });

  test('a signal that was aborted before', async () => {
    await using server = await listen({ host: '127.0.0.1', port: 0 });
    const signal = AbortSignal.abort();
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await rejection(connect({ host, port: portOf(server), signal }))).toMatchObject({
        code: 'ABORT_ERR',
      });
    await turns();
    expect(server.socket.tryAccept()).toBeNull();
  });

  test('a look-up that nobody waits for any more fails for nobody', async () => {
    const codes = await runInChild(`
      const { lookup } = require('node:dns');
      const options = { host: 'no body', port: 1 };
      const controller = new AbortController();
      const outcomes = [
        eagain.connect({ ...options, signal: AbortSignal.abort() }),
        eagain.connect({ ...options, signal: controller.signal }),
      ].map((made) => made.catch(({ code }) => code));
      controller.abort();
      const codes = await Promise.all(outcomes);
      // Look-ups of one name are done in their order: when this one is, so are those.
      for (let i = 0; i < 3; i++)
        await new Promise((resolve) => lookup(options.host, () => setImmediate(resolve)));
      report(codes);
    `);
    expect(codes).toEqual(['ABORT_ERR', 'ABORT_ERR']);
  });

  test('promise 11: a full backlog is waited out', async () => {
    const [scope, path, accept] = await full();
    await using _ = scope;
    const connecting = connect({ path });
    await turns(20);
    expect(await isPending(connecting)).toBe(true);
    accept()!.close();
    (await connecting).abort();
    accept()!.close();
  });
});
