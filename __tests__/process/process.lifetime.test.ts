// What keeps a process alive: a referenced call that waits, and nothing else of this library.

import { run, start } from './support/program';

// Whether the process stays is told by a timer that does not keep it: it fires if something else does.
const FORMS = [
  'accept',
  'accept of a Listener',
  'recv',
  'receive',
  'ready',
  'a write that nobody reads',
  'a connect to a full backlog',
  'an iterator',
  'a subscription',
  'a flowing Duplex',
  'a receive with a timeout',
  'referenced again',
] as const;

type Form = (typeof FORMS)[number];

interface Case {
  form: Form;
  unref: 'never' | 'before' | 'while it waits';
}

const waiting = ({ form, unref }: Case) =>
  start<Case>(
    async (inside, given) => {
      const { eagain, tell, name, turn } = inside;
      const path = name();
      const bytes = eagain.socketpair();
      const listening = eagain.socket('unix', 'stream');
      listening.bind({ path });
      listening.listen(0);
      const messages = await eagain.bind({ host: '127.0.0.1' });
      const stream = new eagain.StreamSocket(bytes[0]);
      const connecting = eagain.socket('unix', 'stream');
      const sockets = [...bytes, listening, messages.socket, connecting];
      const setReference = (alive: boolean): void => {
        for (const socket of sockets) {
          if (alive) socket.ref();
          else socket.unref();
        }
      };

      if (given.unref === 'before' || given.form === 'referenced again') setReference(false);
      const begin: Record<Form, () => unknown> = {
        accept: () => listening.accept(),
        'accept of a Listener': () =>
          new eagain.Listener(listening, (peer) => new eagain.StreamSocket(peer)).accept(),
        recv: () => bytes[0].recv(Buffer.alloc(1)),
        receive: () => messages.receive(),
        ready: () => bytes[0].ready({ read: true }),
        'a write that nobody reads': () => stream.write(Buffer.alloc(8 << 20)),
        'a connect to a full backlog': async () => {
          const others = [1, 2].map(() => eagain.socket('unix', 'stream').unref());
          for (const other of others) other.connect({ path }).catch(() => undefined);
          await connecting.connect({ path });
        },
        'an iterator': () => messages.iterate().next(),
        'a subscription': () => messages.observe().subscribe(),
        'a flowing Duplex': () => stream.toDuplex().resume(),
        'a receive with a timeout': () => messages.receive({ timeout: 60_000 }),
        'referenced again': () => bytes[0].recv(Buffer.alloc(1)),
      };
      void Promise.resolve(begin[given.form]()).catch(() => undefined);
      if (given.unref === 'while it waits') setReference(false);
      if (given.form === 'referenced again' && given.unref === 'never') setReference(true);
      setTimeout(() => {
        tell('stays');
        process.exit();
      }, 50).unref();
      await turn();
    },
    { form, unref },
  ).ended;

test.each(FORMS)('promise 17: a process stays for what waits: %s', async (form) => {
  expect(await waiting({ form, unref: 'never' })).toMatchObject({ told: ['stays'], code: 0 });
});

test.each(FORMS)('promise 17: with unref it ends: %s', async (form) => {
  const before = waiting({ form, unref: 'before' });
  const during = waiting({ form, unref: 'while it waits' });
  expect(await before).toMatchObject({ told: [], code: 0, signal: null });
  expect(await during).toMatchObject({ told: [], code: 0, signal: null });
});

test('promise 17: a process whose sockets are all idle ends', async () => {
  const { told, code, signal } = await start(async ({ eagain, tell, name }) => {
    const path = name();
    const listener = await eagain.listen({ path });
    const [a, b] = await Promise.all([eagain.connect({ path }), listener.accept()]);
    const inbox = await eagain.bind({ host: '127.0.0.1' });
    const outbox = await eagain.connect({
      type: 'dgram',
      host: '127.0.0.1',
      port: (inbox.localAddress as { port: number }).port,
    });
    const kept: unknown[] = [a, b, listener, outbox, eagain.socket('IPv4', 'stream')];

    // Each has waited, and none waits any more: answered, aborted, timed out, taken back.
    const receiving = inbox.receive();
    await outbox.send('one');
    await receiving;
    const controller = new AbortController();
    const aborted = inbox.receive({ signal: controller.signal }).catch(() => undefined);
    controller.abort();
    await aborted;
    await listener.accept({ timeout: 1 }).catch(() => undefined);
    const messages = inbox.iterate();
    const next = messages.next();
    await messages.return!();
    await next;
    inbox.observe().subscribe().unsubscribe();
    const reading = b.read();
    await a.write('read');
    await reading;
    // And there is something that nobody reads.
    await Promise.all([a.write('unread'), outbox.send('unread')]);
    tell(kept.length);
    setTimeout(() => tell('stays'), 5_000).unref();
  }).ended;
  expect({ told, code, signal }).toEqual({ told: [5], code: 0, signal: null });
});

test('promise 17: an unreferenced call goes on while something else keeps the process', async () => {
  const got = await run<string[]>(async ({ eagain, tell, turn }) => {
    const [a, b] = eagain.socketpair('dgram');
    const [c, d] = eagain.socketpair('dgram');
    const [quiet, loud] = [Buffer.alloc(8), Buffer.alloc(8)];
    const order: string[] = [];
    a.unref();
    void a.recv(quiet).then((length) => order.push(quiet.toString('utf8', 0, length)));
    const kept = c.recv(loud).then((length) => order.push(loud.toString('utf8', 0, length)));
    await turn();
    b.trySend(Buffer.from('quiet'));
    await turn();
    d.trySend(Buffer.from('loud'));
    await kept;
    tell(order);
  });
  expect(got).toEqual(['quiet', 'loud']);
});
