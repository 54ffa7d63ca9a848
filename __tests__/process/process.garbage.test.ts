// What a call leaves behind is gone with the next collection of the young: nothing that is over keeps what came after
// it. Otherwise all of it waits for a full collection, which stops the thread for milliseconds at a time.

import { run } from './support/program';

const FORMS = [
  'datagrams sent in one tick',
  'a batch of datagrams',
  'datagrams one by one',
  'datagrams with all their metadata',
  'writes in one tick',
  'reads that wait',
] as const;
type Form = (typeof FORMS)[number];

test.each(FORMS)('%s: no full collection', async (given) => {
  const full = await run<number, Form>(async (inside, form) => {
    const { eagain, tell, turn, load } = inside;
    const { constants, PerformanceObserver } = load('perf_hooks') as typeof import('perf_hooks');
    const metadata = { packetInfo: true, ttl: true, tos: true, timestamps: true, drops: true };
    const receiver = await eagain.bind({ host: '127.0.0.1', ...metadata });
    const sender = await eagain.bind({ host: '127.0.0.1' });
    const [one, other] = eagain.socketpair('stream').map((end) => new eagain.StreamSocket(end));
    const data = Buffer.alloc(64);
    const to = receiver.localAddress;
    const times = <T>(make: () => T): T[] => Array.from({ length: 64 }, make);

    const forms: Record<Form, () => Promise<unknown>> = {
      'datagrams sent in one tick': () => Promise.all(times(() => sender.send(data, to))),
      'a batch of datagrams': () => sender.sendBatch(times(() => ({ data, to }))),
      'datagrams one by one': async () => {
        for (let i = 0; i < 64; i++) await sender.send(data, to);
      },
      'datagrams with all their metadata': async () => {
        await sender.sendBatch(times(() => ({ data, to })));
        await receiver.receiveBatch(64);
      },
      'writes in one tick': async () => {
        await Promise.all(times(() => one.write(data)));
        await other.readExactly(64 * data.length);
      },
      'reads that wait': async () => {
        for (let i = 0; i < 64; i++) {
          const reading = other.read();
          await one.write(data);
          await reading;
        }
      },
    };

    const rounds = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await forms[form]();
        await turn();
      }
    };
    await rounds(500);
    let collections = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
        if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
      }
    }).observe({ entryTypes: ['gc'] });
    await rounds(2000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    tell(collections);
    process.exit();
  }, given);
  // V8 may have a reason of its own for one. With a closure made for each there were six.
  expect(full).toBeLessThan(2);
});
