// Descriptors that nobody closes by hand: what becomes of them when a worker is terminated, a handler throws, a
// connect is aborted, or the program just forgets its socket.

import type { StreamSocket } from '../../lib';
import { run, textOf, type Program } from './support/program';

/** What is open, as the kernel names it, before and after. */
interface Open {
  before: string[];
  after: string[];
}

const withGc = { node: ['--expose-gc'] };

test('promise 8: a terminated worker leaves no descriptor, whatever its sockets were doing', async () => {
  const busy: Program = async ({ eagain, tell, name }) => {
    const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
    const { port } = listener.address as { port: number };
    const [peer, connection] = await Promise.all([
      listener.accept(),
      eagain.connect({ host: '127.0.0.1', port }),
    ]);
    const udp = await eagain.bind({ host: '127.0.0.1' });
    const [record] = eagain.socketpair('seqpacket');
    const full = await eagain.listen({ path: name(), backlog: 0 });
    const { path } = full.address as { path: string };
    // In every state that a call can be in: waiting, sending what nobody reads, connecting to a full backlog.
    const waits: Promise<unknown>[] = [
      listener.accept(),
      connection.read(),
      peer.write(Buffer.alloc(16 << 20)),
      udp.receive(),
      record.recv(Buffer.alloc(1)),
      record.ready({ priority: true }),
      ...[1, 2, 3].map(() => eagain.connect({ path })),
    ];
    udp.observe().subscribe();
    connection.toDuplex().resume();
    tell('busy');
    await Promise.all(waits);
  };
  const { before, after } = await run<Open, string>(
    async ({ workers, events, descriptors, tell, eagain }, text) => {
      // The first socket that waits brings this thread's poller.
      const [idle, other] = eagain.socketpair();
      await idle.recv(Buffer.alloc(1), { timeout: 0 }).catch(() => undefined);
      // The first worker brings what Node opens for all of them.
      await events.once(new workers.Worker('', { eval: true }), 'exit');
      const open = descriptors();
      for (let round = 0; round < 5; round++) {
        const running = [1, 2, 3, 4].map(() => new workers.Worker(text, { eval: true }));
        await Promise.all(running.map((worker) => events.once(worker, 'message')));
        await Promise.all(running.map((worker) => worker.terminate()));
      }
      tell({ before: open, after: descriptors() });
      // Both ends, or the other one would be collected, and closed, in between.
      for (const end of [idle, other]) end.close();
    },
    textOf(busy),
  );
  expect(after).toEqual(before);
}, 30_000);

test('promise 8: descriptors that a terminated worker, or nobody any more, has received are closed', async () => {
  const receiver: Program = async ({ eagain, tell }) => {
    const [a, b] = eagain.socketpair('seqpacket');
    const control = [{ kind: 'rights' as const, fds: [0, 1, 2] }];
    const kept: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      await a.sendmsg({ data: Buffer.from('x'), control });
      kept.push(await b.recvmsg({ controlSize: 2048 }));
    }
    tell('has them');
    // Held until the end, which is the thread's.
    await b.recvmsg().then(() => kept);
  };
  const { before, after } = await run<Open, string>(
    async ({ workers, events, descriptors, tell, eagain }, text) => {
      const [idle, other] = eagain.socketpair();
      await idle.recv(Buffer.alloc(1), { timeout: 0 }).catch(() => undefined);
      await events.once(new workers.Worker('', { eval: true }), 'exit');
      const open = descriptors();
      const running = [1, 2, 3].map(() => new workers.Worker(text, { eval: true }));
      await Promise.all(running.map((worker) => events.once(worker, 'message')));
      if (descriptors().length < open.length + 3 * 15) throw new Error('too few were received');
      await Promise.all(running.map((worker) => worker.terminate()));
      // In this thread they are forgotten.
      for (let i = 0; i < 5; i++) {
        await other.sendmsg({ data: Buffer.from('x'), control: [{ kind: 'rights', fds: [0] }] });
        await idle.recvmsg({ controlSize: 64 });
      }
      for (let i = 0; i < 50 && descriptors().length > open.length; i++) {
        (globalThis as { gc?: () => void }).gc!();
        await new Promise((resolve) => setImmediate(resolve));
      }
      tell({ before: open, after: descriptors() });
      idle.close();
      other.close();
    },
    textOf(receiver),
    withGc,
  );
  expect(after).toEqual(before);
}, 30_000);

test('promise 8: a configure that throws leaves no descriptor', async () => {
  const { before, after } = await run<Open>(async ({ eagain, descriptors, tell }) => {
    const open = descriptors();
    const configure = (): void => {
      throw new Error('planned');
    };
    const attempts = [
      () => eagain.connect({ host: '127.0.0.1', port: 1, configure }),
      () => eagain.listen({ port: 0, configure }),
      () => eagain.listen({ path: '\0eagain-configure', type: 'seqpacket', configure }),
      () => eagain.bind({ port: 0, configure }),
      () => eagain.bind({ type: 'raw', family: 'netlink', protocol: 'route', configure }),
    ];
    for (const attempt of attempts) {
      await attempt().catch((error: unknown) => {
        if ((error as Error).message !== 'planned') throw error;
      });
    }
    tell({ before: open, after: descriptors() });
  });
  expect(after).toEqual(before);
});

test('promise 8: a handler that throws leaves no connection behind', async () => {
  const { before, after, thrown } = await run<Open & { thrown: number }>(
    async ({ eagain, descriptors, collect, tell, turn, name }) => {
      let count = 0;
      process.on('uncaughtException', ({ message }) => {
        if (message !== 'planned') throw new Error(message);
        count++;
      });
      const handler = (peer: unknown): void => {
        throw new Error(peer === undefined ? 'nobody' : 'planned');
      };
      const path = name();
      const listener = await eagain.listen({ path });
      // Waits, so that this thread's poller is among those that are open.
      await listener.accept({ timeout: 0 }).catch(() => undefined);
      const open = descriptors();
      // In functions of their own, so that no frame keeps either end.
      const connection = async (): Promise<void> => (await eagain.connect({ path })).abort();

      const loop = async (): Promise<void> => {
        for await (const peer of listener) handler(peer);
      };

      // rxjs reports what a subscriber throws, and goes on.
      const subscription = listener.observe().subscribe(handler);
      for (let i = 0; i < 20; i++) await connection();
      while (count < 20) await turn();
      subscription.unsubscribe();

      for (let i = 0; i < 20; i++) {
        await connection();
        await loop().catch(() => count++);
      }
      await collect(() => descriptors().length <= open.length);
      tell({ before: open, after: descriptors(), thrown: count });
      process.exit();
    },
    undefined,
    withGc,
  );
  expect(thrown).toBe(40);
  expect(after).toEqual(before);
}, 30_000);

test('promise 8: aborted connects leave no descriptor, at whatever moment it comes', async () => {
  const { before, after, aborted } = await run<Open & { aborted: number }>(
    async ({ eagain, descriptors, tell, turn, name }) => {
      // Backlogs that take no more: what connects to them waits for as long as it is let.
      const path = name();
      const unix = await eagain.listen({ path, backlog: 0 });
      const tcp = await eagain.listen({ host: '127.0.0.1', port: 0, backlog: 0 });
      const { port } = tcp.address as { port: number };
      const filling = [1, 2].map(() => [
        eagain.connect({ path }),
        eagain.connect({ host: '127.0.0.1', port }),
      ]);
      await turn();
      let count = 0;
      const open = descriptors();
      for (let i = 0; i < 200; i++) {
        const controller = new AbortController();
        const { signal } = controller;
        if (i % 4 === 0) controller.abort();
        const attempt =
          i % 2 === 0
            ? eagain.connect({ path, signal })
            : eagain.connect({ host: '127.0.0.1', port, signal });
        if (i % 4 === 2) await turn();
        controller.abort();
        await attempt.then(
          (connection) => connection.abort(),
          ({ name: kind }: Error) => (count += kind === 'AbortError' ? 1 : 0),
        );
      }
      const left = descriptors();
      await Promise.all([unix.close(), tcp.close()]);
      void Promise.allSettled(filling.flat());
      tell({ before: open, after: left, aborted: count });
      process.exit();
    },
  );
  // Those to TCP may be done before the abort comes, as long as its queue has room.
  expect(aborted).toBeGreaterThan(150);
  expect(after).toEqual(before);
});

test('promise 8: what the program forgets is closed when it is collected', async () => {
  const { before, after, most } = await run<Open & { most: number }>(
    async ({ eagain, descriptors, collect, tell, name }) => {
      const path = name();
      const listener = await eagain.listen({ path });
      await listener.accept({ timeout: 0 }).catch(() => undefined);
      const open = descriptors();
      const forget = async (): Promise<void> => {
        for (const type of ['stream', 'dgram', 'seqpacket'] as const) {
          const [a, b] = eagain.socketpair(type);
          a.dup();
          eagain.Socket.fromFd(b.detach());
          await a.send(Buffer.from('x'));
        }
        eagain.socket('IPv4', 'dgram');
        await eagain.bind({ host: '127.0.0.1' });
        await eagain.listen({ host: '127.0.0.1', port: 0 });
        const [, peer] = await Promise.all([eagain.connect({ path }), listener.accept()]);
        peer.toDuplex();
        // A wait that is over keeps nothing.
        await peer.read({ timeout: 0 }).catch(() => undefined);
        peer.iterate();
        peer.observe();
      };
      for (let i = 0; i < 25; i++) await forget();
      const { length } = descriptors();
      await collect(() => descriptors().length <= open.length);
      tell({ before: open, after: descriptors(), most: length });
      await listener.close();
    },
    undefined,
    withGc,
  );
  expect(most).toBeGreaterThan(before.length);
  expect(after).toEqual(before);
});

test('promise 8: what waits on a socket keeps it, though the program has forgotten it', async () => {
  const outcomes = await run<Record<string, unknown>>(
    async ({ eagain, collect, tell }) => {
      const gone = (): boolean => false;
      const outcome = (work: Promise<unknown>): Promise<unknown> =>
        work.then(
          () => 'done',
          ({ code }: { code: string }) => code,
        );
      // In each, the only one that knows the socket by then is the call that waits on it.
      const level1 = (): [Promise<unknown>, () => void] => {
        const [a, b] = eagain.socketpair();
        return [outcome(a.recv(Buffer.alloc(1))), () => b.trySend(Buffer.from('x'))];
      };
      const accept = (): [Promise<unknown>, () => void] => {
        const listener = eagain.socket('unix', 'stream');
        listener.bind({ path: '\0eagain-keeps' });
        listener.listen();
        const client = eagain.socket('unix', 'stream');
        return [
          outcome(listener.accept()),
          () => void client.connect({ path: '\0eagain-keeps' }).catch(() => undefined),
        ];
      };
      const receive = async (): Promise<[Promise<unknown>, () => void]> => {
        const inbox = await eagain.bind({ host: '127.0.0.1' });
        const { port } = inbox.localAddress as { port: number };
        const outbox = await eagain.connect({ type: 'dgram', host: '127.0.0.1', port });
        return [outcome(inbox.receive()), () => void outbox.send('x').catch(() => undefined)];
      };
      // A reply that is written and forgotten still arrives, whole.
      const write = async (): Promise<[Promise<unknown>, () => Promise<number>]> => {
        const path = '\0eagain-writes';
        const listener = await eagain.listen({ path });
        const [client, server] = await Promise.all([eagain.connect({ path }), listener.accept()]);
        return [
          outcome(server.write(Buffer.alloc(8 << 20))),
          async () => (await client.readExactly(8 << 20)).length,
        ];
      };
      const told: Record<string, unknown> = {};
      for (const [form, begin] of Object.entries({ level1, accept, receive, write })) {
        const [waiting, end] = await begin();
        await collect(gone);
        try {
          await end();
          told[form] = await waiting;
        } catch (error) {
          told[form] = `${String(await waiting)}; the other side: ${(error as Error).message}`;
        }
      }
      tell(told);
      process.exit();
    },
    undefined,
    withGc,
  );
  expect(outcomes).toEqual({ level1: 'done', accept: 'done', receive: 'done', write: 'done' });
});

// In a small heap of its own: in a Jest worker twenty full collections take from one second to many.
test('promise 8: a listener that the program has lost is closed, but not while somebody accepts', async () => {
  const outcome = await run<{ first: string; late: string }>(
    async ({ eagain, collect, tell, name }) => {
      const path = name();
      // In a function of its own, so that no frame keeps the listener: only the accept does.
      const begin = async (): Promise<[Promise<StreamSocket>]> => [
        (await eagain.listen({ path })).accept(),
      ];
      const [accepting] = await begin();
      await collect(() => false);
      const client = await eagain.connect({ path });
      const peer = await accepting;
      await client.write('x');
      const first = (await peer.readExactly(1)).toString();
      client.abort();
      peer.abort();
      let late = 'accepted';
      for (let i = 0; i < 20 && late === 'accepted'; i++) {
        let rounds = 0;
        await collect(() => rounds++ > 0);
        await eagain.connect({ path }).then(
          (connection) => connection.abort(),
          ({ code }: { code: string }) => (late = code),
        );
      }
      tell({ first, late });
      process.exit();
    },
    undefined,
    withGc,
  );
  expect(outcome).toEqual({ first: 'x', late: 'ECONNREFUSED' });
});

test('promise 8: copies of the library that nobody holds any more leave no poller and no socket', async () => {
  const { before, during, after } = await run<Open & { during: string[] }>(
    async ({ descriptors, collect, library, load, tell }) => {
      const { Module } = load('node:module') as {
        Module: new (path: string) => { load(path: string): void; exports: unknown };
      };
      // A copy of its own, as each file of Jest's has: the addon is loaded once, and makes a binding for each. Not by
      // require(), which remembers whom it has loaded for whom.
      const copy = async (): Promise<unknown> => {
        const path = load.resolve(library);
        const module = new Module(path);
        module.load(path);
        const { socketpair } = module.exports as typeof import('../../lib');
        const pair = socketpair();
        await pair[0].recv(Buffer.alloc(1), { timeout: 0 }).catch(() => undefined);
        return [module, pair];
      };
      // The first one's is remembered by what it has loaded.
      await copy();
      await collect(() => !descriptors().some((name) => name.startsWith('socket:')));
      const open = descriptors();
      const copies = [];
      for (let i = 0; i < 10; i++) copies.push(await copy());
      const all = descriptors();
      copies.length = 0;
      await collect(() => descriptors().length <= open.length);
      tell({ before: open, during: all, after: descriptors() });
    },
    undefined,
    withGc,
  );
  // A poller and both ends each.
  expect(during.length).toBe(before.length + 10 * 3);
  expect(after).toEqual(before);
});
