// Handlers that throw, in a process that outlives it: neither the rest of the batch is lost nor the error.

import { run } from './support/program';

interface Fallout {
  /** What was thrown, as the process saw it. */
  uncaught: string[];
  /** Which of the sockets that were ready together had their handlers called. */
  served: number[];
}

const SOCKETS = 12;
const everyone = Array.from({ length: SOCKETS }, (_, i) => i);
const FORMS = ['a promise', 'an Observable', 'an iterator', 'a Duplex', 'a watch'] as const;

// With up to 8 events each is delivered by itself; with more they come in one call.
describe.each([4, SOCKETS])('%i sockets ready at once', (count) => {
  test.each(FORMS)('the first handler throws: %s', async (form) => {
    const { uncaught, served } = await run<Fallout, [number, (typeof FORMS)[number]]>(
      async ({ eagain, tell, turn }, [sockets, how]) => {
        const thrown: string[] = [];
        const called: number[] = [];
        process.on('uncaughtException', ({ message }) => thrown.push(message));
        const handler = (i: number): void => {
          called.push(i);
          if (i === 0) throw new Error('planned');
        };
        const pairs = Array.from({ length: sockets }, () => eagain.socketpair());
        for (const [i, [a]] of pairs.entries()) {
          const stream = new eagain.StreamSocket(a);
          if (how === 'a promise') void stream.read().then(() => handler(i));
          if (how === 'an Observable') stream.observe().subscribe(() => handler(i));
          if (how === 'an iterator') {
            void (async () => {
              for await (const _chunk of stream) handler(i);
            })();
          }
          if (how === 'a Duplex') stream.toDuplex().on('data', () => handler(i));
          if (how === 'a watch') void a.ready({ read: true }).then(() => handler(i));
        }
        await turn();
        for (const [, b] of pairs) b.trySend(Buffer.from('x'));
        while (called.length < sockets || thrown.length === 0) await turn();
        tell({ uncaught: thrown, served: called.sort((a, b) => a - b) });
        process.exit();
      },
      [count, form],
      { limit: 10_000 },
    );
    expect(uncaught).toEqual(['planned']);
    expect(served).toEqual(everyone.slice(0, count));
  });
});

// As with node:net, where the socket goes on reading whatever its listeners did.
test.each(['data', 'readable'] as const)(
  'a Duplex goes on after its %s listener threw',
  async (event) => {
    const { uncaught, got } = await run<{ uncaught: number; got: string }, 'data' | 'readable'>(
      async ({ eagain, tell, turn }, listened) => {
        let thrown = 0;
        process.on('uncaughtException', () => thrown++);
        const [a, b] = eagain.socketpair();
        const duplex = new eagain.StreamSocket(a).toDuplex();
        let text = '';
        duplex.on(listened, (chunk?: Buffer) => {
          text += String(chunk ?? duplex.read() ?? '');
          throw new Error('planned');
        });
        for (const word of ['one ', 'two ', 'three ', 'four ']) {
          b.trySend(Buffer.from(word));
          const length = text.length;
          // A timer, as it fails by waiting for ever.
          const late = setTimeout(() => {
            tell({ uncaught: thrown, got: text });
            process.exit();
          }, 2_000);
          while (text.length === length) await turn();
          clearTimeout(late);
        }
        tell({ uncaught: thrown, got: text });
        process.exit();
      },
      event,
    );
    expect(got).toBe('one two three four ');
    expect(uncaught).toBeGreaterThanOrEqual(4);
  },
);

test('an error thrown in a handler of a worker ends that worker, and leaves no descriptor', async () => {
  const { errors, left } = await run<{ errors: string[]; left: number }>(
    async ({ workers, events, descriptors, tell, library }) => {
      const text = `
        const { socketpair, StreamSocket } = require(${JSON.stringify(library)});
        const pairs = Array.from({ length: 12 }, () => socketpair());
        for (const [a] of pairs) {
          new StreamSocket(a).observe().subscribe(() => { throw new Error('planned'); });
        }
        setImmediate(() => { for (const [, b] of pairs) b.trySend(Buffer.from('x')); });`;
      await events.once(new workers.Worker('', { eval: true }), 'exit');
      const before = descriptors().length;
      const errors: string[] = [];
      for (let i = 0; i < 5; i++) {
        const worker = new workers.Worker(text, { eval: true });
        worker.on('error', ({ message }) => errors.push(message));
        await new Promise((resolve) => worker.on('exit', resolve));
      }
      tell({ errors, left: descriptors().length - before });
    },
  );
  expect(errors).toEqual(Array(5).fill('planned'));
  expect(left).toBe(0);
});
