// Workers come and go by the thousand, each with sockets of its own, half of them ended from outside in the middle
// of whatever they do.

import { run, textOf, type Program } from './support/program';

interface Census {
  before: string[];
  after: string[];
  /** How the workers ended, by exit code. */
  codes: Record<string, number>;
  /** What they said on their way. */
  echoes: number;
  errors: string[];
}

const WORKERS = 1000;
const AT_ONCE = 8;

const echo: Program = async ({ eagain, tell, workers }) => {
  const { host, kind } = workers.workerData as { host: string; kind: number };
  if (kind % 2 === 0) {
    const inbox = await eagain.bind({ host });
    const { port } = inbox.localAddress as { port: number };
    const outbox = await eagain.connect({ type: 'dgram', host, port });
    const receiving = inbox.receive();
    tell('waits');
    await outbox.send('echo');
    tell((await receiving).data.toString());
  } else {
    const listener = await eagain.listen({ host, port: 0 });
    const { port } = listener.address as { port: number };
    const [server, client] = await Promise.all([listener.accept(), eagain.connect({ host, port })]);
    const reading = client.readExactly(4);
    tell('waits');
    await server.write('echo');
    tell((await reading).toString());
  }
  // None is closed: a worker's end does that.
};

test('a thousand workers, half of them terminated in the middle, leave nothing', async () => {
  const { before, after, codes, echoes, errors } = await run<Census, [string, number, number]>(
    async ({ workers, events, descriptors, tell }, [text, count, atOnce]) => {
      const census: Record<string, number> = {};
      const failures: string[] = [];
      let heard = 0;
      async function one(kind: number): Promise<void> {
        const worker = new workers.Worker(text, {
          eval: true,
          workerData: { host: '127.0.0.1', kind },
        });
        worker.on('error', (error) => failures.push(String(error.stack)));
        worker.on('message', (message) => {
          if (message === 'echo') heard++;
          // The middle: sockets are open and a call waits, or the echo is under way, or nothing has begun.
          if (kind % 4 >= 2 && kind % 3 > 0) void worker.terminate();
        });
        const ended = events.once(worker, 'exit');
        if (kind % 4 >= 2 && kind % 3 === 0) {
          await events.once(worker, 'online');
          void worker.terminate();
        }
        const [code] = (await ended) as [number];
        census[code] = (census[code] ?? 0) + 1;
      }
      await one(0);
      const open = descriptors();
      let next = 1;
      const lane = async (): Promise<void> => {
        while (next < count) await one(next++);
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      const left = descriptors();
      tell({ before: open, after: left, codes: census, echoes: heard, errors: failures });
    },
    [textOf(echo), WORKERS, AT_ONCE],
    { limit: 110_000 },
  );
  expect(errors).toEqual([]);
  // terminate() gives exit code 1; one that was done already ends with 0.
  expect((codes['0'] ?? 0) + (codes['1'] ?? 0)).toBe(WORKERS);
  expect(codes['0']).toBeGreaterThanOrEqual(WORKERS / 2);
  expect(codes['1']).toBeGreaterThan(WORKERS / 4);
  expect(echoes).toBeGreaterThanOrEqual(WORKERS / 2);
  expect(after).toEqual(before);
}, 120_000);
