// listen(): places, modes, files left behind.

import { existsSync, lstatSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import {
  connect,
  constants as C,
  listen,
  Listener,
  SeqpacketSocket,
  Socket,
  StreamSocket,
} from '../../lib/index';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName, temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';

leavesNoSockets();
const place = temporaryFolder();
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

function option(socket: Socket, level: number, name: number): number {
  return socket.getsockopt(level, name).readInt32LE();
}

test('listen: the type picks what is accepted', async () => {
  await using streams = await listen({ port: 0 });
  expect(streams).toBeInstanceOf(Listener);
  const client = await connect({ host: '127.0.0.1', port: streams.address.port });
  const peer = await streams.accept();
  expect(peer).toBeInstanceOf(StreamSocket);
  peer.abort();
  client.abort();
  const path = abstractName();
  await using records = await listen({ type: 'seqpacket', path });
  const sender = await connect({ type: 'seqpacket', path });
  const receiver = await records.accept();
  expect(receiver).toBeInstanceOf(SeqpacketSocket);
  expect(sender.remoteAddress).toEqual({ family: 'unix', path });
  sender.socket.close();
  receiver.socket.close();
});

ipv6('listen: a port alone is both families', async () => {
  await using server = await listen({ port: 0 });
  const { port } = server.address;
  expect(server.address).toEqual({ family: 'IPv6', address: '::', port });
  for (const host of ['127.0.0.1', '::1']) {
    const client = await connect({ host, port });
    const peer = await server.accept();
    expect(peer.remoteAddress).toEqual(client.localAddress);
    expect(peer.localAddress).toMatchObject({ address: host });
    client.abort();
    peer.abort();
  }
});

ipv6('listen: ipv6Only leaves IPv4 out', async () => {
  await using server = await listen({ port: 0, ipv6Only: true });
  const { port } = server.address;
  expect(option(server.socket, C.IPPROTO_IPV6, C.IPV6_V6ONLY)).toBe(1);
  expect(await rejection(connect({ host: '127.0.0.1', port }))).toMatchObject({
    code: 'ECONNREFUSED',
  });
});

test('listen: on one address, by literal or name', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address;
  expect(server.address).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
  expect(await rejection(connect({ host: '127.0.0.2', port }))).toMatchObject({
    code: 'ECONNREFUSED',
  });
  await using named = await listen({ host: 'localhost', port: 0 });
  expect(['127.0.0.1', '::1']).toContain(named.address.address);
});

test('listen: a port that is taken is EADDRINUSE, and nothing stays open', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address;
  const before = openSockets();
  expect(await rejection(listen({ host: '127.0.0.1', port }))).toMatchObject({
    code: 'EADDRINUSE',
    syscall: 'bind',
    address: '127.0.0.1',
    port,
    message: `bind EADDRINUSE 127.0.0.1:${port}`,
  });
  expect(await rejection(listen({ port }))).toMatchObject({ code: 'EADDRINUSE' });
  expect(socketsSince(before)).toEqual([]);
});

test('listen: a port is free again at once, whatever its connections do', async () => {
  const first = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = first.address;
  const client = await connect({ host: '127.0.0.1', port });
  const peer = await first.accept();
  // Who closes first is left in TIME_WAIT: the listener's side.
  const closing = peer.close();
  expect(await client.read()).toBeNull();
  await client.close();
  await closing;
  await first.close();
  await using second = await listen({ host: '127.0.0.1', port });
  expect(second.address).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
});

test('listen: reusePort lets several share a port', async () => {
  await using first = await listen({ host: '127.0.0.1', port: 0, reusePort: true });
  const { port } = first.address;
  await using second = await listen({ host: '127.0.0.1', port, reusePort: true });
  expect(second.address).toEqual(first.address);
});

test('listen: the backlog is the kernel’s', async () => {
  const path = abstractName();
  await using server = await listen({ path, backlog: 0 });
  const first = await connect({ path });
  expect(await rejection(connect({ path, timeout: 2 }))).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
  });
  first.abort();
  expect(server.address).toEqual({ family: 'unix', path });
});

test('listen: configure sees the socket before it is bound', async () => {
  let name: unknown;
  await using server = await listen({
    path: abstractName(),
    configure: (socket) => {
      name = socket.getsockname();
      socket.setsockopt(C.SOL_SOCKET, C.SO_PASSCRED, true);
    },
  });
  expect(name).toEqual({ family: 'unix', path: '' });
  expect(option(server.socket, C.SOL_SOCKET, C.SO_PASSCRED)).toBe(1);
});

describe('listen: the file of a Unix path', () => {
  test('has the mode that was asked for', async () => {
    for (const mode of [0o600, 0o666, 0]) {
      const path = place();
      await using server = await listen({ path, mode });
      expect(statSync(path).mode & 0o7777).toBe(mode);
      expect(server.address).toEqual({ family: 'unix', path });
    }
  });

  test('has the umask’s mode where none was', async () => {
    const path = place();
    const before = process.umask();
    await using _ = await listen({ path });
    expect(statSync(path).mode & 0o777).toBe(0o777 & ~before);
  });

  test('is gone after close, unless it was to stay', async () => {
    const path = place();
    const server = await listen({ path });
    expect(lstatSync(path).isSocket()).toBe(true);
    await server.close();
    expect(existsSync(path)).toBe(false);
    const kept = await listen({ path, unlink: false });
    await kept.close();
    expect(existsSync(path)).toBe(true);
    expect(await rejection(listen({ path, unlink: false }))).toMatchObject({
      code: 'EADDRINUSE',
      path,
    });
  });

  test('is not removed where another one has taken its place', async () => {
    const path = place();
    const server = await listen({ path });
    unlinkSync(path);
    await using other = await listen({ path });
    await server.close();
    expect(existsSync(path)).toBe(true);
    const client = await connect({ path });
    (await other.accept()).abort();
    client.abort();
  });

  test.each(['stream', 'seqpacket'] as const)(
    'that a dead %s listener has left is taken over',
    async (type) => {
      const path = place();
      {
        using dead = Socket.open('unix', type);
        dead.bind({ path });
        dead.listen();
      }
      expect(lstatSync(path).isSocket()).toBe(true);
      await using server = await listen({ type, path });
      expect(server.address).toEqual({ family: 'unix', path });
    },
  );

  test.each(['stream', 'seqpacket'] as const)(
    'of a live %s listener is never taken',
    async (type) => {
      const path = place();
      await using live = await listen({ type, path });
      expect(await rejection(listen({ type, path }))).toMatchObject({ code: 'EADDRINUSE', path });
      expect(lstatSync(path).isSocket()).toBe(true);
      const client = await connect({ type: 'seqpacket', path }).catch(() => null);
      expect(client === null).toBe(type === 'stream');
      client?.socket.close();
      expect(live.socket.closed).toBe(false);
    },
  );

  test('of a live listener is not taken while its backlog is full', async () => {
    const path = place();
    await using _live = await listen({ path, backlog: 0 });
    const client = await connect({ path });
    expect(await rejection(listen({ path }))).toMatchObject({ code: 'EADDRINUSE' });
    client.abort();
  });

  test('of a socket of another type is not taken', async () => {
    const path = place();
    using datagrams = Socket.open('unix', 'dgram');
    datagrams.bind({ path });
    expect(await rejection(listen({ path }))).toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
  });

  test('that is no socket is not taken, and neither is what a link points to', async () => {
    const path = place();
    writeFileSync(path, 'precious');
    expect(await rejection(listen({ path }))).toMatchObject({ code: 'EADDRINUSE' });
    const link = place();
    symlinkSync(path, link);
    expect(await rejection(listen({ path: link }))).toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test('in a folder that is not there is the kernel’s error', async () => {
    const path = place('absent/deeper');
    expect(await rejection(listen({ path }))).toMatchObject({
      code: 'ENOENT',
      message: `bind ENOENT ${path}`,
    });
  });
});

test('listen: an abstract name has no file', async () => {
  const path = abstractName();
  await using server = await listen({ path, mode: 0o600 });
  expect(server.address).toEqual({ family: 'unix', path });
  expect(await rejection(listen({ path }))).toMatchObject({ code: 'EADDRINUSE' });
});

test('listen: a signal that was aborted before opens nothing', async () => {
  const before = openSockets();
  const signal = AbortSignal.abort();
  expect(await rejection(listen({ host: 'localhost', port: 0, signal }))).toMatchObject({
    code: 'ABORT_ERR',
  });
  expect(socketsSince(before)).toEqual([]);
});
