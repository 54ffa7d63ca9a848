// Socket.connect and disconnect.

import { constants as C, Socket, type InetAddress } from '../../lib/index';
import { leavesNoSockets, nameOf, openSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName, temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();
const place = temporaryFolder();
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

/** A port that was just free, and on which nobody listens. */
function deadPort(family: 'IPv4' | 'IPv6' = 'IPv4'): number {
  using probe = Socket.open(family, 'stream');
  probe.bind({ address: family === 'IPv4' ? '127.0.0.1' : '::1', port: 0 });
  return (probe.getsockname() as InetAddress).port;
}

function listening(path: string, backlog: number): Socket {
  const listener = Socket.open('unix', 'stream');
  listener.bind({ path });
  listener.listen(backlog);
  return listener;
}

test("connect: a refused port is an error in net's shape, and the socket lives", async () => {
  using open = Socket.open('IPv4', 'stream');
  const port = deadPort();
  const error = await rejection(open.connect({ address: '127.0.0.1', port }));
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toEqual({
    code: 'ECONNREFUSED',
    errno: -C.ECONNREFUSED,
    syscall: 'connect',
    address: '127.0.0.1',
    port,
    message: `connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  expect(open.closed).toBe(false);
});

ipv6('connect: a refused IPv6 port', async () => {
  using open = Socket.open('IPv6', 'stream');
  const port = deadPort('IPv6');
  const error = await rejection(open.connect({ address: '::1', port }));
  expect(error.message).toBe(`connect ECONNREFUSED ::1:${port}`);
});

test('connect: Unix paths that are not there, or that nobody listens on', async () => {
  using open = Socket.open('unix', 'stream');
  const absent = place();
  expect(await rejection(open.connect({ path: absent }))).toMatchObject({
    code: 'ENOENT',
    syscall: 'connect',
    path: absent,
    message: `connect ENOENT ${absent}`,
  });
  using deaf = Socket.open('unix', 'stream');
  const path = place();
  deaf.bind({ path });
  expect(await rejection(open.connect({ path }))).toMatchObject({
    message: `connect ECONNREFUSED ${path}`,
  });
  const name = abstractName();
  expect(await rejection(open.connect({ path: name }))).toMatchObject({
    message: `connect ECONNREFUSED @${name.slice(1)}`,
  });
});

test('connect: to a socket of another type is EPROTOTYPE by path, nobody by abstract name', async () => {
  using open = Socket.open('unix', 'dgram');
  using file = listening(place(), 1);
  expect(await rejection(open.connect(file.getsockname()))).toMatchObject({ code: 'EPROTOTYPE' });
  // Linux keeps a table of abstract names for each type.
  using abstract = listening(abstractName(), 1);
  expect(await rejection(open.connect(abstract.getsockname()))).toMatchObject({
    code: 'ECONNREFUSED',
  });
});

test('connect: twice is EISCONN', async () => {
  using listener = listening(abstractName(), 4);
  using open = Socket.open('unix', 'stream');
  await open.connect(listener.getsockname());
  expect(await rejection(open.connect(listener.getsockname()))).toMatchObject({ code: 'EISCONN' });
});

test('connect: a listener that leaves during the handshake is ECONNREFUSED or ECONNRESET', async () => {
  const listener = listening(abstractName(), 0);
  const address = listener.getsockname();
  using first = Socket.open('unix', 'stream');
  await first.connect(address);
  using second = Socket.open('unix', 'stream');
  const waiting = second.connect(address);
  await turns(2);
  listener.close();
  expect(['ECONNREFUSED', 'ECONNRESET']).toContain((await rejection(waiting)).code);
});

test('connect: datagram sockets choose a peer, and disconnect forgets it', async () => {
  using receiver = Socket.open('IPv4', 'dgram');
  receiver.bind({ address: '127.0.0.1', port: 0 });
  using sender = Socket.open('IPv4', 'dgram');
  await sender.connect(receiver.getsockname());
  expect(sender.getpeername()).toEqual(receiver.getsockname());
  await sender.send(Buffer.from('x'));
  const { from } = await receiver.recvfrom(Buffer.alloc(4));
  expect(from).toEqual(sender.getsockname());
  sender.disconnect();
  expect(thrown(() => sender.getpeername())).toMatchObject({ code: 'ENOTCONN' });
  expect(await rejection(sender.send(Buffer.from('x')))).toMatchObject({ code: 'EDESTADDRREQ' });
});

ipv6('disconnect: IPv6 and Unix datagram sockets too', async () => {
  using inet = Socket.open('IPv6', 'dgram');
  inet.bind({ address: '::1', port: 0 });
  await inet.connect(inet.getsockname());
  inet.disconnect();
  expect(thrown(() => inet.getpeername())).toMatchObject({ code: 'ENOTCONN' });
  using unix = Socket.open('unix', 'dgram');
  using peer = Socket.open('unix', 'dgram');
  peer.bind({ path: abstractName() });
  await unix.connect(peer.getsockname());
  unix.disconnect();
  expect(thrown(() => unix.getpeername())).toMatchObject({ code: 'ENOTCONN' });
});

test('connect: IPv4 from an IPv6 socket is mapped', async () => {
  using receiver = Socket.open('IPv4', 'dgram');
  receiver.bind({ address: '127.0.0.1', port: 0 });
  using sender = Socket.open('IPv6', 'dgram');
  sender.setsockopt(C.IPPROTO_IPV6, C.IPV6_V6ONLY, false);
  await sender.connect(receiver.getsockname());
  expect(sender.getpeername()).toEqual(receiver.getsockname());
});

describe('promise 2: cancelled means it did not happen', () => {
  // A full backlog of a Unix listener is the one handshake of this machine that stays under way.
  async function stuck(): Promise<[Disposable, Socket, ReturnType<Socket['getsockname']>]> {
    const listener = listening(abstractName(), 0);
    const first = Socket.open('unix', 'stream');
    await first.connect(listener.getsockname());
    const both = {
      [Symbol.dispose](): void {
        first.close();
        listener.close();
      },
    };
    return [both, listener, listener.getsockname()];
  }

  test('an aborted connect closes its socket', async () => {
    const [scope, listener, address] = await stuck();
    using _ = scope;
    const open = Socket.open('unix', 'stream');
    const name = nameOf(open.fd);
    const controller = new AbortController();
    const connecting = open.connect(address, { signal: controller.signal });
    await turns(3);
    expect(await isPending(connecting)).toBe(true);
    const why = new Error('enough');
    controller.abort(why);
    expect(await rejection(connecting)).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: why,
    });
    expect(open.closed).toBe(true);
    expect(openSockets().some((entry) => entry.endsWith(name))).toBe(false);
    (await listener.accept()).close();
    await turns(3);
    expect(listener.tryAccept()).toBeNull();
  });

  test('a timed-out connect closes its socket', async () => {
    const [scope, , address] = await stuck();
    using _ = scope;
    const open = Socket.open('unix', 'stream');
    const error = await rejection(open.connect(address, { timeout: 5 }));
    expect(error).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
    expect(open.closed).toBe(true);
  });

  test('a signal that was aborted before connects nothing', async () => {
    using listener = listening(abstractName(), 4);
    const open = Socket.open('unix', 'stream');
    const signal = AbortSignal.abort();
    expect(await rejection(open.connect(listener.getsockname(), { signal }))).toMatchObject({
      code: 'ABORT_ERR',
    });
    expect(open.closed).toBe(true);
    expect(listener.tryAccept()).toBeNull();
  });
});

describe('promise 11: connect to a full backlog of a Unix listener waits', () => {
  test.each(['stream', 'seqpacket'] as const)('%s, until there is room', async (type) => {
    const path = abstractName();
    using listener = Socket.open('unix', type);
    listener.bind({ path });
    listener.listen(0);
    using first = Socket.open('unix', type);
    await first.connect({ path });
    // The kernel's own answer, by which this test is about a full backlog at all.
    using second = Socket.open('unix', type);
    const waiting = second.connect({ path });
    await turns(20);
    expect(await isPending(waiting)).toBe(true);
    using accepted = await listener.accept();
    await waiting;
    using other = await listener.accept();
    await second.send(Buffer.from('second'));
    const room = Buffer.alloc(6);
    await other.recv(room);
    expect(room.toString()).toBe('second');
    expect(accepted.closed).toBe(false);
  });

  test('several wait, and each gets in', async () => {
    const path = abstractName();
    using listener = listening(path, 0);
    const clients = Array.from({ length: 4 }, () => Socket.open('unix', 'stream'));
    let connected = 0;
    const all = clients.map((client) =>
      client.connect({ path }).then(() => {
        connected++;
      }),
    );
    await until(() => connected === 1);
    await turns(5);
    expect(connected).toBe(1);
    for (const client of clients) {
      (await listener.accept()).close();
      expect(client.closed).toBe(false);
    }
    await Promise.all(all);
    for (const client of clients) client.close();
  });
});

test('promise 4: close rejects a connect that waits', async () => {
  using listener = listening(abstractName(), 0);
  using first = Socket.open('unix', 'stream');
  await first.connect(listener.getsockname());
  const open = Socket.open('unix', 'stream');
  const waiting = rejection(open.connect(listener.getsockname()));
  await turns(2);
  open.close();
  expect(await waiting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});

test('promise 9: connect takes its own error, and leaves none for later calls', async () => {
  using open = Socket.open('IPv4', 'stream');
  const error = await rejection(open.connect({ address: '127.0.0.1', port: deadPort() }));
  expect(error.code).toBe('ECONNREFUSED');
  expect(open.getsockopt(C.SOL_SOCKET, C.SO_ERROR).readInt32LE()).toBe(0);
});
