// A listener on the caller's signal lives as long as the call: a server passes one signal to all its calls.

import { run } from './support/program';

interface Counts {
  /** Most listeners that the signal had after a call was over. */
  left: number;
  /** Listeners that it had while a call waited. */
  waiting: number[];
  /** Bytes of heap in use: at the beginning, half way, at the end. */
  heap: number[];
}

const MIB = 1 << 20;

test('promise 3: a million calls with one signal leave no listener and no memory', async () => {
  const { left, waiting, heap } = await run<Counts, number>(
    async ({ eagain, events, tell, collect }, calls) => {
      const { signal } = new AbortController();
      const listeners = (): number => events.getEventListeners(signal, 'abort').length;
      const [a, b] = eagain.socketpair('dgram');
      const [message, into] = [Buffer.from('m'), Buffer.alloc(8)];
      const during = new Set<number>();
      let most = 0;

      async function atOnce(): Promise<void> {
        await a.send(message, { signal });
        most = Math.max(most, listeners());
        await b.recv(into, { signal });
        most = Math.max(most, listeners());
      }
      async function later(): Promise<void> {
        const receiving = b.recv(into, { signal });
        during.add(listeners());
        a.trySend(message);
        await receiving;
        most = Math.max(most, listeners());
      }
      // As many that are done at once as such that wait.
      async function mix(count: number): Promise<void> {
        for (let i = 0; i < count && most === 0; i += 4) await atOnce();
        for (let i = 0; i < count && most === 0; i += 2) await later();
      }
      async function heapUsed(): Promise<number> {
        await collect(() => false);
        return process.memoryUsage().heapUsed;
      }

      await mix(20_000);
      const used = [await heapUsed()];
      for (let half = 0; half < 2; half++) {
        await mix(calls / 2);
        used.push(await heapUsed());
      }
      tell({ left: most, waiting: [...during], heap: used });
    },
    1_000_000,
    { node: ['--expose-gc'] },
  );
  expect({ left, waiting }).toEqual({ left: 0, waiting: [1] });
  // Of half a million calls each: a listener apiece would be fifty times as much. (V8's own tables come and go by up to
  // 300 KiB.)
  expect(heap[1] - heap[0]).toBeLessThan(MIB);
  expect(heap[2] - heap[1]).toBeLessThan(MIB);
}, 90_000);

test('promise 3: endpoints, iterators and Observables leave no listener either', async () => {
  const left = await run<Record<string, number>, number>(
    async ({ eagain, events, tell, name }, calls) => {
      const { signal } = new AbortController();
      const most: Record<string, number> = {};
      const look = (form: string): void => {
        const { length } = events.getEventListeners(signal, 'abort');
        most[form] = Math.max(most[form] ?? 0, length);
      };
      const path = name();
      const listener = await eagain.listen({ path, signal });
      const [a, b] = await Promise.all([eagain.connect({ path, signal }), listener.accept()]);
      const inbox = await eagain.bind({ host: '127.0.0.1', signal });
      const { port } = inbox.localAddress as { port: number };
      const outbox = await eagain.connect({ type: 'dgram', host: '127.0.0.1', port, signal });
      const messages = inbox.iterate({ signal });

      for (let i = 0; i < calls; i++) {
        const reading = b.readExactly(2, { signal });
        await a.write('ab', { signal });
        await reading;
        look('stream');
        const receiving = inbox.receive({ signal });
        await outbox.send('m', undefined, { signal });
        await receiving;
        look('receive');
        const next = messages.next();
        await outbox.send('m', undefined, { signal });
        await next;
        look('iterate');
        const accepting = listener.accept({ signal });
        const peer = await eagain.connect({ path, signal });
        (await accepting).abort();
        peer.abort();
        look('connect, accept');
        await b.read({ signal, timeout: 0 }).catch(() => undefined);
        look('timeout');
      }
      await new Promise<void>((resolve) => {
        let count = 0;
        const subscription = inbox.observe({ signal }).subscribe(() => {
          if (++count === calls) {
            subscription.unsubscribe();
            resolve();
          } else void outbox.send('m');
        });
        void outbox.send('m');
      });
      look('observe');
      tell(most);
      process.exit();
    },
    2_000,
  );
  const none = { stream: 0, receive: 0, iterate: 0, 'connect, accept': 0, timeout: 0, observe: 0 };
  expect(left).toEqual(none);
}, 30_000);

test('promise 3: a hundred calls that wait with one signal are no leak, and are not reported as one', async () => {
  const { warnings, aborted } = await run<{ warnings: string[]; aborted: number }>(
    async ({ eagain, tell, turn }) => {
      const told: string[] = [];
      process.on('warning', ({ message }) => told.push(message));
      const controller = new AbortController();
      const { signal } = controller;
      const peers = Array.from({ length: 100 }, () => eagain.socketpair());
      const reads = peers.map(([a]) => a.recv(Buffer.alloc(1), { signal }));
      await turn();
      controller.abort();
      const outcomes = await Promise.allSettled(reads);
      tell({
        warnings: told,
        aborted: outcomes.filter(({ status }) => status === 'rejected').length,
      });
    },
  );
  expect(aborted).toBe(100);
  expect(warnings).toEqual([]);
});
