// Listener.serve(): a handler for every connection, and the graceful end.

import { connect, constants as C, listen, type StreamSocket } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets, openSockets, socketsSince } from '../support/descriptors';
import { abstractName } from '../support/names';
import { rejection, thrown, type Failure } from '../support/outcomes';
import { loopback } from '../support/streams';
import { isPending, turns, until } from '../support/turns';

leavesNoSockets();
afterEach(() => {
  jest.restoreAllMocks();
});

async function echo(peer: StreamSocket): Promise<void> {
  for await (const chunk of peer) await peer.write(chunk);
}

test('serve: each connection has its handler, and is closed behind it', async () => {
  const [server, join] = await loopback();
  const controller = new AbortController();
  const serving = server.serve(echo, { signal: controller.signal });
  const clients = await Promise.all([join(), join(), join()]);
  for (const [i, client] of clients.entries()) {
    await client.write(`to ${i}`);
    expect((await client.readExactly(4)).toString()).toBe(`to ${i}`);
    await client.end();
    expect(await client.read()).toBeNull();
    await client.close();
  }
  controller.abort();
  await serving;
  expect(server.socket.closed).toBe(true);
});

test('serve: SEQPACKET too', async () => {
  const path = abstractName();
  const server = await listen({ type: 'seqpacket', path });
  const controller = new AbortController();
  const serving = server.serve(
    async (peer) => {
      for await (const { data } of peer) await peer.send(data);
    },
    { signal: controller.signal },
  );
  const client = await connect({ type: 'seqpacket', path });
  await client.send('record');
  expect((await client.receive())?.data.toString()).toBe('record');
  controller.abort();
  await client.end();
  await serving;
  client.socket.close();
});

describe('serve: the end', () => {
  test('accepts nobody more at once, and lets those who are there finish', async () => {
    const [server, join] = await loopback();
    const controller = new AbortController();
    let ended = false;
    const serving = server.serve(echo, { signal: controller.signal }).then(() => (ended = true));
    const client = await join();
    await client.write('1');
    await client.readExactly(1);
    controller.abort();
    expect(await rejection(join())).toMatchObject({ code: 'ECONNREFUSED' });
    await client.write('2');
    expect((await client.readExactly(1)).toString()).toBe('2');
    expect(ended).toBe(false);
    await client.close();
    await serving;
  });

  test('comes by force when the time is over: the signal is aborted, the connection reset', async () => {
    const [server, join] = await loopback();
    const controller = new AbortController();
    const onError = jest.fn();
    const reasons: string[] = [];
    const { signal: begin } = controller;
    const serving = server.serve(
      async (peer, signal) => {
        expect(signal.aborted).toBe(false);
        reasons.push((await rejection(peer.read({ signal }))).code!);
        throw new Error('forced');
      },
      { signal: begin, drainTimeout: 1, onError },
    );
    const client = await join();
    await turns(3);
    controller.abort();
    await serving;
    expect(reasons).toEqual(['ABORT_ERR']);
    expect(await rejection(client.read())).toMatchObject({ code: 'ECONNRESET' });
    await turns(3);
    expect(onError).not.toHaveBeenCalled();
    client.abort();
  });

  test('does not wait for a handler that never ends', async () => {
    const [server, join] = await loopback();
    const serving = server.serve(() => new Promise<void>(() => undefined), { drainTimeout: 1 });
    const client = await join();
    await turns(3);
    await server.close();
    await serving;
    expect(await rejection(client.read())).toMatchObject({ code: 'ECONNRESET' });
    client.abort();
  });

  test('waits for a handler that works on behind the close of its peer', async () => {
    const [server, join] = await loopback();
    let finish!: () => void;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const serving = server.serve(async (peer) => {
      peer.socket.close();
      await work;
    });
    const client = await join();
    expect(await client.read()).toBeNull();
    await server.close();
    await turns(5);
    expect(await isPending(serving)).toBe(true);
    finish();
    await serving;
    client.abort();
  });

  test('aborts the signal of a handler whose peer is closed, too', async () => {
    const [server, join] = await loopback();
    let aborted = false;
    const serving = server.serve(
      (peer, signal) => {
        peer.socket.close();
        signal.addEventListener('abort', () => (aborted = true));
        return new Promise<void>(() => undefined);
      },
      { drainTimeout: 1 },
    );
    const client = await join();
    expect(await client.read()).toBeNull();
    await server.close();
    await serving;
    expect(aborted).toBe(true);
    client.abort();
  });

  test('closing the listener is the same end', async () => {
    const [server] = await loopback();
    const serving = server.serve(echo);
    await turns(2);
    await server.close();
    await serving;
  });

  test('a signal that is aborted already serves nobody', async () => {
    const [server] = await loopback();
    await server.serve(echo, { signal: AbortSignal.abort() });
    expect(server.socket.closed).toBe(true);
  });

  test('a listener that has failed is an error, behind the handlers', async () => {
    const [server, join] = await loopback();
    const serving = rejection(server.serve(echo));
    const client = await join();
    await client.write('x');
    await client.readExactly(1);
    server.socket.shutdown('both');
    await turns(5);
    expect(await isPending(serving)).toBe(true);
    await client.close();
    expect(await serving).toMatchObject({ code: 'EINVAL', syscall: 'accept' });
  });
});

describe('serve: errors', () => {
  test.each(['rejects', 'throws'])(
    'a handler that %s is reported and ends nothing',
    async (how) => {
      const [server, join] = await loopback();
      const failures: [Error, StreamSocket | undefined][] = [];
      const mistake = new Error('mine');
      let first = true;
      const serving = server.serve(
        (peer) => {
          if (!first) return echo(peer);
          first = false;
          if (how === 'throws') throw mistake;
          return Promise.reject(mistake);
        },
        { onError: (error, peer) => void failures.push([error, peer]) },
      );
      // A reset in the turn in which the connection is made is connect's own error.
      const unlucky = await join().catch((error: Failure) => String(error.code));
      if (typeof unlucky === 'string') expect(unlucky).toBe('ECONNRESET');
      else expect(await rejection(unlucky.read())).toMatchObject({ code: 'ECONNRESET' });
      expect(failures).toEqual([[mistake, expect.anything()]]);
      expect(failures[0][1]?.remoteAddress).toMatchObject({ address: '127.0.0.1' });
      const client = await join();
      await client.write('x');
      expect((await client.readExactly(1)).toString()).toBe('x');
      await client.close();
      await server.close();
      await serving;
      if (typeof unlucky !== 'string') unlucky.abort();
    },
  );

  test('without onError they are warnings of the process', async () => {
    const [server, join] = await loopback();
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const mistake = new Error('mine');
    const serving = server.serve(async (peer) => {
      await peer.read();
      throw mistake;
    });
    const client = await join();
    await client.write('x');
    await until(() => warn.mock.calls.length > 0);
    expect(warn).toHaveBeenCalledWith('mine', expect.objectContaining({ type: 'Error' }));
    await server.close();
    await serving;
    client.abort();
  });

  test('promise 10: a shortage is reported once, and survived', async () => {
    const [server, join] = await loopback();
    const accept = jest.spyOn(binding, 'accept');
    accept.mockReturnValueOnce(-C.EMFILE).mockReturnValueOnce(-C.EMFILE);
    const errors: Failure[] = [];
    const serving = server.serve(echo, { onError: (error) => void errors.push(error) });
    const client = await join();
    await client.write('x');
    expect((await client.readExactly(1)).toString()).toBe('x');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'EMFILE', syscall: 'accept' });
    await client.close();
    await server.close();
    await serving;
  });
});

// An arrow's value slips out of it easily: `(peer) => peer.toDuplex().pipe(…)`.
test.each([undefined, null, 5, {}])(
  'serve: a handler that returns %p keeps its peer',
  async (it) => {
    const [server, join] = await loopback();
    const peers: StreamSocket[] = [];
    const serving = server.serve((peer) => {
      peers.push(peer);
      return it as undefined;
    });
    const client = await join();
    await until(() => peers.length === 1);
    await turns(5);
    expect(peers[0].socket.closed).toBe(false);
    await server.close();
    await turns(5);
    expect(await isPending(serving)).toBe(true);
    peers[0].abort();
    await serving;
    client.abort();
  },
);

test('serve: maxConnections leaves the others in the backlog', async () => {
  const [server, join] = await loopback();
  const controller = new AbortController();
  let most = 0;
  let now = 0;
  const serving = server.serve(
    async (peer) => {
      most = Math.max(most, ++now);
      await echo(peer);
      now--;
    },
    { maxConnections: 2, signal: controller.signal },
  );
  const clients = await Promise.all(Array.from({ length: 6 }, join));
  await Promise.all(
    clients.map(async (client) => {
      await client.write('x');
      await client.readExactly(1);
      await client.close();
    }),
  );
  expect(most).toBe(2);
  controller.abort();
  await serving;
});

test('serve: maxConnections that are all taken do not hold up the end', async () => {
  const [server, join] = await loopback();
  const serving = server.serve(echo, { maxConnections: 1 });
  const client = await join();
  await client.write('x');
  await client.readExactly(1);
  await server.close();
  await turns(3);
  expect(await isPending(serving)).toBe(true);
  await client.close();
  await serving;
});

test('serve: misuse', async () => {
  const [server] = await loopback();
  await using _ = server;
  const serve = server.serve.bind(server) as (...args: unknown[]) => Promise<void>;
  for (const [args, code] of [
    [[], 'ERR_INVALID_ARG_TYPE'],
    [[echo, { maxConnections: 0 }], 'ERR_OUT_OF_RANGE'],
    [[echo, { drainTimeout: NaN }], 'ERR_OUT_OF_RANGE'],
    [[echo, { drainTimeout: '1' }], 'ERR_INVALID_ARG_TYPE'],
    [[echo, { onError: 1 }], 'ERR_INVALID_ARG_TYPE'],
    [[echo, { signal: {} }], 'ERR_INVALID_ARG_TYPE'],
    [[echo, { maxConections: 1 }], 'ERR_INVALID_ARG_VALUE'],
  ] as const)
    expect(thrown(() => serve(...args))).toMatchObject({ code });
});

describe('promise 8: connections that an Observable drops are closed', () => {
  test.each(['dropOldest', 'dropNewest'] as const)('by %s', async (overflow) => {
    const [server, join] = await loopback();
    await using _ = server;
    const clients = await Promise.all([join(), join(), join(), join(), join()]);
    const before = openSockets();
    const got: StreamSocket[] = [];
    let busy = true;
    const subscription = server.observe({ overflow, highWaterMark: 2 }).subscribe((peer) => {
      got.push(peer);
      // Slow: the rest is read meanwhile, and waits, or does not.
      const end = performance.now() + (busy ? 5 : 0);
      busy = false;
      while (performance.now() < end);
    });
    await until(() => got.length === 3);
    expect(socketsSince(before)).toHaveLength(3);
    const lost = overflow === 'dropOldest' ? [1, 2] : [3, 4];
    for (const i of lost)
      expect(await rejection(clients[i].read())).toMatchObject({ code: 'ECONNRESET' });
    subscription.unsubscribe();
    for (const end of [...got, ...clients]) end.abort();
  });

  test('by unsubscribing with some in the queue', async () => {
    const [server, join] = await loopback();
    await using _ = server;
    const clients = await Promise.all([join(), join(), join()]);
    const before = openSockets();
    const got: StreamSocket[] = [];
    const subscription = server.observe({ overflow: 'dropOldest' }).subscribe((peer) => {
      got.push(peer);
      const end = performance.now() + 5;
      while (performance.now() < end);
    });
    expect(got).toHaveLength(1);
    subscription.unsubscribe();
    expect(socketsSince(before)).toHaveLength(1);
    for (const end of [...got, ...clients]) end.abort();
  });
});
