// Socket.listen, accept and tryAccept.

import { constants as C, Socket, type Address } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { rejection, thrown } from '../support/outcomes';
import { isPending, turn, turns } from '../support/turns';

leavesNoSockets();

const KINDS = [
  ['IPv4', 'stream', true, (): Address => ({ family: 'IPv4', address: '127.0.0.1', port: 0 })],
  ['IPv6', 'stream', HAS_IPV6, (): Address => ({ family: 'IPv6', address: '::1', port: 0 })],
  ['unix', 'stream', true, (): Address => ({ family: 'unix', path: abstractName() })],
  ['unix', 'seqpacket', true, (): Address => ({ family: 'unix', path: abstractName() })],
] as const;

describe.each(KINDS)('accept: %s %s', (family, type, possible, address) => {
  const test = needs('IPv6 on the loopback', possible);

  function listening(): Socket {
    const listener = Socket.open(family, type);
    listener.bind(address());
    listener.listen();
    return listener;
  }

  async function connected(listener: Socket): Promise<Socket> {
    const client = Socket.open(family, type);
    await client.connect(listener.getsockname());
    return client;
  }

  test('gives a socket of the same kind, connected to who connected', async () => {
    using listener = listening();
    const accepting = listener.accept();
    using client = await connected(listener);
    using peer = await accepting;
    expect(peer).toBeInstanceOf(Socket);
    expect(peer).toMatchObject({ domain: listener.domain, type: listener.type });
    expect(peer.getpeername()).toEqual(client.getsockname());
    await client.send(Buffer.from('hi'));
    expect(await peer.recv(Buffer.alloc(4))).toBe(2);
  });

  test('promise 1: one that is there is taken at once', async () => {
    using listener = listening();
    using client = await connected(listener);
    await turn();
    const accepting = listener.accept();
    expect(listener.tryAccept()).toBeNull();
    using peer = await accepting;
    expect(peer.getpeername()).toEqual(client.getsockname());
  });

  test('tryAccept does not wait', async () => {
    using listener = listening();
    expect(listener.tryAccept()).toBeNull();
    using client = await connected(listener);
    using peer = listener.tryAccept()!;
    expect(peer.getpeername()).toEqual(client.getsockname());
    expect(listener.tryAccept()).toBeNull();
  });

  test('those who wait are served in their order', async () => {
    using listener = listening();
    const order: number[] = [];
    const accepting = [0, 1, 2].map(async (i) => {
      const peer = await listener.accept();
      order.push(i);
      return peer;
    });
    for (let i = 0; i < 3; i++) (await connected(listener)).close();
    for (const peer of await Promise.all(accepting)) peer.close();
    expect(order).toEqual([0, 1, 2]);
  });

  test('promise 2: an aborted or timed-out accept has taken no connection', async () => {
    using listener = listening();
    const controller = new AbortController();
    const aborted = rejection(listener.accept({ signal: controller.signal }));
    const late = rejection(listener.accept({ timeout: 1 }));
    expect(await late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
    controller.abort();
    // It is in the listener's queue before the loop turns.
    using client = await connected(listener);
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
    using peer = listener.tryAccept()!;
    expect(peer.getpeername()).toEqual(client.getsockname());
  });

  test('promise 4: close rejects all who wait', async () => {
    const listener = listening();
    const waiting = [listener.accept(), listener.accept(), listener.ready({ read: true })].map(
      rejection,
    );
    await turns(2);
    listener.close();
    const errors = await Promise.all(waiting);
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('ERR_SOCKET_CLOSED'));
    expect(await rejection(listener.accept())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });
});

test('accept: a socket that does not listen says so', async () => {
  using open = Socket.open('IPv4', 'stream');
  expect(await rejection(open.accept())).toMatchObject({ code: 'EINVAL', syscall: 'accept' });
  expect(thrown(() => open.tryAccept())).toMatchObject({ code: 'EINVAL', syscall: 'accept' });
  using udp = Socket.open('IPv4', 'dgram');
  expect(await rejection(udp.accept())).toMatchObject({ code: 'EOPNOTSUPP' });
  expect(thrown(() => udp.listen())).toMatchObject({ code: 'EOPNOTSUPP', syscall: 'listen' });
});

test('listen: the backlog is the most that wait', async () => {
  using listener = Socket.open('unix', 'stream');
  listener.bind({ path: abstractName() });
  listener.listen(2);
  const clients = Array.from({ length: 4 }, () => Socket.open('unix', 'stream'));
  const connecting = clients.map((client) => client.connect(listener.getsockname()));
  await Promise.all(connecting.slice(0, 3));
  await turns();
  expect(await isPending(connecting[3])).toBe(true);
  expect(listener.getsockopt(C.SOL_SOCKET, C.SO_ACCEPTCONN).readInt32LE()).toBe(1);
  // Again, and larger: those who wait for room find it.
  listener.listen(8);
  await connecting[3];
  for (const client of clients) client.close();
});
