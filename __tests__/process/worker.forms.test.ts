// The same in the main thread and in worker threads, one beside the other: every form that there is.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ALL_FORMS, OUTCOMES } from './support/forms';
import { run, textOf, type Program } from './support/program';

type Told = Readonly<Record<string, unknown>>;

const all = { toString: () => ALL_FORMS } as unknown as Program;

async function inWorker(text: string): Promise<Told> {
  const worker = new Worker(text, { eval: true });
  const [[told]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return told as Told;
}

describe.each([
  ['the main thread', () => [run<Told>(all)]],
  ['a worker', () => [inWorker(textOf(all))]],
  ['three workers at once', () => [1, 2, 3].map(() => inWorker(textOf(all)))],
  ['workers of a worker', () => [inWorker(nested())]],
])('in %s', (_where, begin) => {
  let places: Told[] = [];
  beforeAll(async () => {
    places = await Promise.all(begin());
  }, 20_000);

  test.each(Object.keys(OUTCOMES))('promise 18: %s', (form) => {
    expect(places.length).toBeGreaterThan(0);
    for (const told of places) expect(told[form]).toEqual(OUTCOMES[form]);
  });
});

// A worker that runs two more, and tells what both agree on.
function nested(): string {
  const outer = async (
    { workers, events, load, tell }: Parameters<Program>[0],
    text: string,
  ): Promise<void> => {
    const { isDeepStrictEqual } = load('node:util') as typeof import('node:util');
    const others = [1, 2].map(() => new workers.Worker(text, { eval: true }));
    const told = await Promise.all(others.map((worker) => events.once(worker, 'message')));
    const [[first], [second]] = told as [[object], [object]];
    tell(isDeepStrictEqual(first, second) ? first : { first, second });
  };
  const inner = textOf(all);
  return textOf({
    toString: () => `(inside) => (${outer.toString()})(inside, ${JSON.stringify(inner)})`,
  } as unknown as Program);
}
