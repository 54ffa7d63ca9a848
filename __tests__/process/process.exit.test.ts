// Ends: process.exit() in the middle of a batch, environments torn down around calls that wait, and the order in
// which threads load and leave the library. Nothing crashes, and nothing is left.

import { run, start, textOf, type Program } from './support/program';

const PLACES = ['a promise', 'an Observable', 'a Duplex', 'an abort', 'a close'] as const;
type Place = (typeof PLACES)[number];

/** Ends its process or its worker, with code 7, from within a handler, while more of the batch is to come. */
const exits: Program<Place> = async ({ eagain, turn, name }, place) => {
  const pairs = Array.from({ length: 10 }, () => eagain.socketpair());
  const controller = new AbortController();
  const { signal } = controller;
  const exit = (): void => process.exit(7);

  // Waits of every kind, to be ended by the end of everything; connects among them that nobody answers.
  const path = name();
  const unix = await eagain.listen({ path, backlog: 0 });
  const tcp = await eagain.listen({ host: '127.0.0.1', port: 0, backlog: 0 });
  const { port } = tcp.address as { port: number };
  const waits: Promise<unknown>[] = [1, 2, 3].flatMap(() => [
    eagain.connect({ path }),
    eagain.connect({ host: '127.0.0.1', port }),
  ]);
  waits.push(new eagain.StreamSocket(pairs[0][0]).write(Buffer.alloc(8 << 20)));

  for (const [a] of pairs.slice(1)) {
    const stream = new eagain.StreamSocket(a);
    if (place === 'a promise') void stream.read().then(exit);
    if (place === 'an Observable') stream.observe().subscribe(exit);
    if (place === 'a Duplex') stream.toDuplex().on('data', exit);
    if (place === 'an abort') stream.read({ signal }).catch(exit);
    if (place === 'a close') stream.read().catch(exit);
  }
  await turn();
  if (place === 'an abort') controller.abort();
  else if (place === 'a close') for (const [a] of pairs.slice(1)) a.close();
  else for (const [, b] of pairs) b.trySend(Buffer.from('all in one batch'));
  await Promise.all(waits);
  // Not reached: it keeps the listeners, which would be closed where they are forgotten.
  await Promise.all([unix.close(), tcp.close()]);
};

test.each(PLACES)('process.exit() in %s ends the process with its code', async (place) => {
  const { code, signal, stderr } = await start(exits, place).ended;
  expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' });
});

test.each(PLACES)('process.exit() in %s ends a worker, and leaves no descriptor', async (place) => {
  const { codes, left } = await run<{ codes: number[]; left: number }, [string, Place]>(
    async ({ workers, events, descriptors, tell }, [text, where]) => {
      await events.once(new workers.Worker('', { eval: true }), 'exit');
      const before = descriptors().length;
      const ended: number[] = [];
      for (let i = 0; i < 5; i++) {
        const worker = new workers.Worker(text, { eval: true, workerData: where });
        ended.push(((await events.once(worker, 'exit')) as [number])[0]);
      }
      tell({ codes: ended, left: descriptors().length - before });
    },
    [textOf(exits), place],
  );
  expect(codes).toEqual([7, 7, 7, 7, 7]);
  expect(left).toBe(0);
});

test('a main thread that returns ends with calls that wait unreferenced', async () => {
  const { code, signal, stderr } = await start(async ({ eagain, name }) => {
    const sockets = Array.from({ length: 50 }, () => eagain.socketpair()[0].unref());
    for (const socket of sockets) socket.recv(Buffer.alloc(1)).catch(() => undefined);
    const path = name();
    await eagain.listen({ path, backlog: 0 });
    const tcp = await eagain.listen({ host: '127.0.0.1', port: 0, backlog: 0 });
    const { port } = tcp.address as { port: number };
    for (const address of [{ path }, { address: '127.0.0.1', port }]) {
      for (let i = 0; i < 3; i++) {
        const socket = eagain.socket('path' in address ? 'unix' : 'IPv4', 'stream').unref();
        socket.connect(address).catch(() => undefined);
      }
    }
    tcp.socket
      .unref()
      .accept()
      .catch(() => undefined);
  }).ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
});

/** Loads the library, waits on a socket, and ends when it is told to, or by itself. */
const visits: Program = async ({ eagain, tell, workers }) => {
  const [a, b] = eagain.socketpair();
  const reading = a.recv(Buffer.alloc(4));
  b.trySend(Buffer.from('x'));
  await reading;
  tell('been here');
  if (workers.workerData === 'stays') await a.recv(Buffer.alloc(1));
};

test('threads load and leave the library in any order', async () => {
  const { count, left } = await run<{ count: number; left: number }, string>(
    async (inside, text) => {
      const { workers, events, descriptors, load, library, tell } = inside;
      let heard = 0;
      const visit = async (workerData?: string): Promise<InstanceType<typeof workers.Worker>> => {
        const worker = new workers.Worker(text, { eval: true, workerData });
        await events.once(worker, 'message');
        heard++;
        return worker;
      };
      const leave = async (workerData?: string): Promise<void> => {
        const worker = await visit(workerData);
        if (workerData === 'stays') await worker.terminate();
        else await events.once(worker, 'exit');
      };
      const here = async (): Promise<void> => {
        const { eagain } = inside;
        const [a, b] = eagain.socketpair();
        const reading = a.recv(Buffer.alloc(4));
        b.trySend(Buffer.from('x'));
        await reading;
        a.close();
        b.close();
        heard++;
      };

      // Workers alone: the addon is unloaded with the last one, and loaded again.
      await leave();
      await leave('stays');
      // One after the other, the first to come the first to go, and the last.
      const [first, second] = [await visit('stays'), await visit('stays')];
      await first.terminate();
      await leave();
      await second.terminate();
      const before = descriptors().length;
      // Between two visits, this thread loads it too; then twice more, as if it were another library.
      const guest = await visit('stays');
      await here();
      await guest.terminate();
      await here();
      for (let i = 0; i < 2; i++) {
        for (const file of Object.keys(load.cache)) {
          if (file.startsWith(library)) Reflect.deleteProperty(load.cache, file);
        }
        await here();
        await leave('stays');
      }
      tell({ count: heard, left: descriptors().length - before });
    },
    textOf(visits),
  );
  expect(count).toBe(12);
  // The pollers of this thread's three loadings, as long as those live.
  expect(left).toBeLessThanOrEqual(3);
});
