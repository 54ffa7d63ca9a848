// No flood starves the loop: whatever comes, and however it is taken, timers, setImmediate and other sockets get
// their turn.

import type { DatagramSocket, Listener, StreamSocket } from '../../lib';
import { lateness, quantile, rate, TIMER, under, type Survived } from './flood';

/** The most that a 5 ms timer may be late, in ms, 99 times of 100. */
const LATE = 5;
// Where each item is garbage afterwards, 64 KiB of a stream or all that a connection consists of, its collection
// stops the thread for some ms, and counts. A loop that takes what comes for as long as it comes is late by 50 and more.
const LATE_WITH_GARBAGE = 10;
// Per second of processor time. A turn has about 1 ms for sockets, twice (what woke it, and what was left over), so
// there are some hundreds; a loop that takes what comes for as long as it comes has less than a hundred.
const TURNS = 200;
const TRIPS = 100;
// Enough for the 99th percentile to be more than the worst but one: that is a collection of garbage.
const SAMPLES = 400;

function expectAlive(survived: Survived, latest = LATE): void {
  const { samples, items, drops } = survived;
  const late = lateness(survived);
  const p99 = quantile(late, 0.99);
  const [turns, trips] = [rate(survived, 'turns'), rate(survived, 'trips')];
  const numbers = {
    'ms late, p50': quantile(late, 0.5),
    'ms late, p99': p99,
    'ms late by the clock, p99':
      quantile(
        samples.map(({ wall }) => wall),
        0.99,
      ) - TIMER,
    'turns per s': turns,
    'round trips of a quiet socket per s': trips,
    items,
    drops,
  };
  const verdict = p99 < latest && turns > TURNS && trips > TRIPS ? 'alive' : 'starved';
  expect({ ...numbers, verdict }).toEqual({ ...numbers, verdict: 'alive' });
}

describe('promise 12: a UDP flood', () => {
  type Take = (socket: DatagramSocket, item: () => void) => unknown;
  const forms: Record<string, Take> = {
    'a receive loop': async (socket, item) => {
      for (;;) {
        await socket.receive();
        item();
      }
    },
    'for await': async (socket, item) => {
      for await (const _message of socket) item();
    },
    observe: (socket, item) => socket.observe().subscribe(item),
    receiveBatch: async (socket, item) => {
      for (;;) (await socket.receiveBatch(64)).forEach(item);
    },
    'a recv loop of level 1': async ({ socket }, item) => {
      const into = Buffer.alloc(2048);
      for (;;) {
        await socket.recv(into);
        item();
      }
    },
  };
  test.each(Object.keys(forms))(
    '%s',
    async (form) => {
      const survived = await under('datagrams', forms[form]);
      expectAlive(survived);
      // It was a flood: more came than could be taken.
      expect(survived.items).toBeGreaterThan(1000);
      expect(survived.drops).toBeGreaterThan(survived.items / 10);
    },
    30_000,
  );
});

describe('promise 12: a TCP firehose', () => {
  type Take = (stream: StreamSocket, item: () => void) => unknown;
  const forms: Record<string, Take> = {
    'a read loop': async (stream, item) => {
      while ((await stream.read()) !== null) item();
    },
    'small reads': async (stream, item) => {
      while ((await stream.read({ size: 16 })) !== null) item();
    },
    'for await': async (stream, item) => {
      for await (const _chunk of stream) item();
    },
    observe: (stream, item) => stream.observe().subscribe(item),
    'a Duplex': (stream, item) => stream.toDuplex().on('data', item),
    'readExactly of 16 MiB': async (stream, item) => {
      for (;;) {
        await stream.readExactly(16 << 20);
        item();
      }
    },
  };
  test.each(Object.keys(forms))(
    '%s',
    async (form) => {
      const survived = await under('bytes', forms[form], { samples: SAMPLES });
      expectAlive(survived, LATE_WITH_GARBAGE);
      expect(survived.items).toBeGreaterThan(form.startsWith('readExactly') ? 5 : 500);
    },
    30_000,
  );
});

test('promise 12: a peer that takes all that is written', async () => {
  const survived = await under<StreamSocket>(
    'sink',
    async (stream, item) => {
      const data = Buffer.alloc(64 << 20);
      for (;;) {
        await stream.write(data);
        item();
      }
    },
    { samples: SAMPLES },
  );
  expectAlive(survived, LATE_WITH_GARBAGE);
  expect(survived.items).toBeGreaterThan(1);
}, 30_000);

test('promise 12: connections without end', async () => {
  const survived = await under<Listener<StreamSocket>>(
    'connections',
    async (listener, item) => {
      for await (const peer of listener) {
        peer.abort();
        item();
      }
    },
    { samples: SAMPLES },
  );
  expectAlive(survived, LATE_WITH_GARBAGE);
  expect(survived.items).toBeGreaterThan(1000);
}, 30_000);
