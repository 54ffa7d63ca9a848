// Listener: accepting, and what it survives. Promise 10.

import type { StreamSocket } from '../../lib/index';
import { connect, constants as C, listen, SeqpacketSocket } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { runInChild } from '../support/child';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection } from '../support/outcomes';
import { loopback } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();
beforeEach(() => {
  // Shortages are reported.
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
});

test('listener: accepts in the order in which they came, to those who asked first', async () => {
  const [server, join] = await loopback();
  await using _ = server;
  const accepting = [server.accept(), server.accept(), server.accept()];
  const clients = [await join(), await join(), await join()];
  const peers = await Promise.all(accepting);
  for (const [i, peer] of peers.entries()) {
    expect(peer.remoteAddress).toEqual(clients[i].localAddress);
    expect(peer.localAddress).toEqual(server.address);
    peer.abort();
    clients[i].abort();
  }
});

test('listener: is iterated, and left without losing those who wait', async () => {
  const [server, join] = await loopback();
  await using _ = server;
  const clients = [await join(), await join(), await join()];
  const met: StreamSocket[] = [];
  for await (const peer of server) {
    met.push(peer);
    if (met.length === 2) break;
  }
  met.push(await server.accept());
  expect(met.map((peer) => peer.remoteAddress)).toEqual(
    clients.map((client) => client.localAddress),
  );
  for (const end of [...met, ...clients]) end.abort();
});

test('listener: close ends what iterates and rejects what accepts; who was accepted lives on', async () => {
  const [server, join] = await loopback();
  const client = await join();
  const peer = await server.accept();
  const accepting = rejection(server.accept());
  const iterating = (async () => {
    for await (const _ of server) throw new Error('nobody came');
  })();
  await turns(2);
  await server.close();
  expect(await accepting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  await iterating;
  expect(await rejection(server.accept())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  await server.close();
  await client.write('still here');
  expect((await peer.readExactly(10)).toString()).toBe('still here');
  client.abort();
  peer.abort();
});

test('listener: its address is known after it is closed', async () => {
  const [server] = await loopback();
  const { address } = server;
  await server.close();
  expect(server.address).toEqual(address);
});

test('listener: SEQPACKET connections', async () => {
  const path = abstractName();
  await using server = await listen({ type: 'seqpacket', path });
  const client = await connect({ type: 'seqpacket', path });
  const peer = await server.accept();
  expect(peer).toBeInstanceOf(SeqpacketSocket);
  await peer.send('record');
  expect((await client.receive())?.data.toString()).toBe('record');
  client.socket.close();
  peer.socket.close();
});

test('promise 2: an aborted or timed-out accept has taken no connection', async () => {
  const [server, join] = await loopback();
  await using _ = server;
  const controller = new AbortController();
  const aborted = rejection(server.accept({ signal: controller.signal }));
  expect(await rejection(server.accept({ timeout: 1 }))).toMatchObject({
    code: 'ERR_SOCKET_TIMEOUT',
  });
  controller.abort();
  const client = await join();
  expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
  const peer = await server.accept();
  expect(peer.remoteAddress).toEqual(client.localAddress);
  client.abort();
  peer.abort();
});

test('promise 8: a connection that was accepted for nobody is nobody’s descriptor', async () => {
  const [server, join] = await loopback();
  await using _ = server;
  const iterator = server.iterate();
  const step = iterator.next();
  await turns(2);
  const before = openSockets();
  await iterator.return!();
  expect(await step).toEqual({ value: undefined, done: true });
  const client = await join();
  await turns();
  expect(socketsSince(before)).toHaveLength(1);
  (await server.accept()).abort();
  client.abort();
});

describe('promise 10: accepting survives', () => {
  // The kernel of this machine says these to nobody who can be asked, so they are put into its mouth.
  const PEERS_OWN = [
    'ECONNABORTED',
    'EPROTO',
    'ENETDOWN',
    'ENOPROTOOPT',
    'EHOSTDOWN',
    'ENONET',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPERM',
  ] as const;

  test.each(PEERS_OWN)(
    '%s is the error of a connection that is gone: the next one is taken',
    async (code) => {
      const [server, join] = await loopback();
      await using _ = server;
      const client = await join();
      const accept = jest.spyOn(binding, 'accept');
      accept.mockReturnValueOnce(-C[code]).mockReturnValueOnce(-C[code]);
      const peer = await server.accept();
      expect(accept).toHaveBeenCalledTimes(3);
      expect(peer.remoteAddress).toEqual(client.localAddress);
      peer.abort();
      client.abort();
    },
  );

  test('a connection that was reset while it waited is accepted, and says so itself', async () => {
    const [server, join] = await loopback();
    await using _ = server;
    (await join()).abort();
    const client = await join();
    // Linux gives both (accept(2) and tcp(7) know of no ECONNABORTED for them).
    const first = await server.accept();
    expect(await rejection(first.read())).toMatchObject({ code: 'ECONNRESET' });
    first.abort();
    const second = await server.accept();
    expect(second.remoteAddress).toEqual(client.localAddress);
    second.abort();
    client.abort();
  });

  test('a flood of such connections lets the loop turn', async () => {
    const [server] = await loopback();
    await using _ = server;
    const accept = jest.spyOn(binding, 'accept').mockReturnValue(-C.ECONNABORTED);
    const accepting = rejection(server.accept());
    await turns(20);
    expect(accept.mock.calls.length).toBeGreaterThan(100);
    await server.close();
    expect(await accepting).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'] as const)(
    '%s backs off and goes on, without spinning',
    async (code) => {
      const [server, join] = await loopback();
      await using _ = server;
      const client = await join();
      const times: number[] = [];
      const real = binding.accept.bind(binding);
      jest.spyOn(binding, 'accept').mockImplementation((token) => {
        times.push(performance.now());
        return times.length <= 4 ? -C[code] : real(token);
      });
      const peer = await server.accept();
      expect(peer.remoteAddress).toEqual(client.localAddress);
      const pauses = times.slice(1).map((time, i) => time - times[i]);
      expect(pauses).toHaveLength(4);
      // 5, 10, 20, 40 ms: timers may be late, and at most a millisecond early.
      for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThan(5 * 2 ** i - 1);
      peer.abort();
      client.abort();
    },
  );

  test('each shortage that an iterator meets is reported', async () => {
    const [server, join] = await loopback();
    await using _ = server;
    const accept = jest.spyOn(binding, 'accept');
    const iterator = server.iterate();
    for (const count of [1, 2]) {
      accept.mockReturnValueOnce(-C.EMFILE).mockReturnValueOnce(-C.EMFILE);
      const client = await join();
      const { value } = await iterator.next();
      expect(process.emitWarning).toHaveBeenCalledTimes(count);
      for (const end of [client, value!]) end.abort();
    }
  });

  test('while it backs off it can be aborted, timed out and closed', async () => {
    const [server] = await loopback();
    jest.spyOn(binding, 'accept').mockReturnValue(-C.EMFILE);
    const controller = new AbortController();
    const aborted = rejection(server.accept({ signal: controller.signal }));
    const closed = rejection(server.accept());
    expect(await rejection(server.accept({ timeout: 1 }))).toMatchObject({
      code: 'ERR_SOCKET_TIMEOUT',
    });
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
    await turns(2);
    await server.close();
    expect(await closed).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('who waited behind one that backed off and was left is served', async () => {
    const [server, join] = await loopback();
    await using _ = server;
    const client = await join();
    const shortage = jest.spyOn(binding, 'accept').mockReturnValue(-C.EMFILE);
    const iterator = server.iterate();
    const step = iterator.next();
    const behind = server.accept({ timeout: 2000 });
    await until(() => shortage.mock.calls.length > 1);
    await iterator.return!();
    expect(await step).toMatchObject({ done: true });
    shortage.mockRestore();
    const peer = await behind;
    expect(peer.remoteAddress).toEqual(client.localAddress);
    peer.abort();
    client.abort();
  });

  test('an error of the listener’s own is one', async () => {
    const [server] = await loopback();
    await using _ = server;
    server.socket.shutdown('both');
    expect(await rejection(server.accept())).toMatchObject({ code: 'EINVAL', syscall: 'accept' });
  });

  test('a process that has run out of descriptors accepts again when there are some', async () => {
    const report = (await runInChild(
      `
      const { openSync, closeSync } = require('node:fs');
      const server = await eagain.listen({ host: '127.0.0.1', port: 0 });
      const { port } = server.address;
      const clients = [];
      for (let i = 0; i < 3; i++) clients.push(await eagain.connect({ host: '127.0.0.1', port }));
      const fillers = [];
      try {
        for (;;) fillers.push(openSync('/dev/null'));
      } catch ({ code }) {
        if (code !== 'EMFILE') throw new Error(code);
      }
      const results = [];
      const accept = binding.accept;
      binding.accept = (token) => {
        const result = accept(token);
        results.push(result >= 0 ? 0 : result);
        // At the third refusal there is room for one, and after each that came for one more.
        if (results.filter((r) => r < 0).length === 3 || result >= 0) closeSync(fillers.pop());
        return result;
      };
      const peers = [];
      for await (const peer of server) {
        peers.push(peer);
        if (peers.length === 3) break;
      }
      const same = peers.every((peer, i) =>
        peer.remoteAddress.port === clients[i].localAddress.port);
      for (const end of [...peers, ...clients]) end.abort();
      await server.close();
      report({ results, same, limit: fillers.length < 64 });
    `,
      { descriptors: 64 },
    )) as { results: number[]; same: boolean; limit: boolean };
    expect(report.same).toBe(true);
    expect(report.limit).toBe(true);
    expect(report.results.slice(0, 3)).toEqual(Array(3).fill(-C.EMFILE));
    expect(report.results.filter((result) => result === 0)).toHaveLength(3);
    expect(report.results.length).toBeLessThan(12);
  });

  test('promise 4: closing in the middle of a shortage ends the loop', async () => {
    const [server] = await loopback();
    jest.spyOn(binding, 'accept').mockReturnValue(-C.EMFILE);
    const looping = (async () => {
      for await (const _ of server) throw new Error('nobody came');
      return 'ended';
    })();
    await turns(3);
    expect(await isPending(looping)).toBe(true);
    await server.close();
    expect(await looping).toBe('ended');
  });
});
