// What a socket costs that nobody waits on, while its peers go on and on: at most one wake-up.

import { readFileSync } from 'node:fs';
import { connect } from '../../lib/endpoints/connect';
import { until } from '../support/turns';
import { start } from './support/program';

interface Ports {
  datagrams: number;
  stream: number;
  listener: string;
  control: number;
}

/** The main thread of process `pid`: proc_pid_status(5). */
function thread(pid: number): { asleep: boolean; sleeps: number } {
  const status = readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)![1];
  return { asleep: field('State') === 'S', sleeps: Number(field('voluntary_ctxt_switches')) };
}

// Every wake-up ends in one more sleep, and the thread sleeps for little else, so the kernel's count of sleeps is
// the count of wake-ups. It costs the process nothing, where tracing its system calls would change its pace.
const ROUNDS = 100;
// One edge for each of the three, and what Node does by itself (collecting garbage waits for other threads).
const ALLOWED = 10;

test('promise 17: a socket that nobody waits on wakes nothing, whatever comes to it', async () => {
  const child = start(async ({ eagain, tell, name }) => {
    const host = '127.0.0.1';
    const datagrams = await eagain.bind({ host });
    const control = await eagain.bind({ host });
    const streams = await eagain.listen({ host, port: 0 });
    // Over a Unix socket a connection is there at once, for the one who pokes.
    const path = name();
    const listener = await eagain.listen({ path });
    const port = (address: { port?: number }): number => address.port!;
    tell({
      datagrams: port(datagrams.localAddress),
      stream: port(streams.address),
      listener: path,
      control: port(control.localAddress),
    } satisfies Ports);
    const stream = await streams.accept();

    // Each is waited on, so that the poller knows it; from then on nobody does.
    for (const wait of [
      () => stream.read({ timeout: 0 }),
      () => datagrams.receive({ timeout: 0 }),
      () => listener.accept({ timeout: 0 }),
    ]) {
      await wait().catch(() => undefined);
    }
    tell('idle');
    await control.receive();
    tell([
      datagrams.socket.tryRecv(Buffer.alloc(1)) === 1,
      (await stream.read()) !== null,
      listener.socket.tryAccept() !== null,
    ]);
    process.exit();
  });

  const host = '127.0.0.1';
  const ports = await child.hears<Ports>(0);
  const stream = await connect({ host, port: ports.stream });
  const datagrams = await connect({ type: 'dgram', host, port: ports.datagrams });
  const pokes = [
    () => Promise.resolve(stream.socket.trySend(Buffer.from('x'))),
    () => Promise.resolve(datagrams.socket.trySend(Buffer.from('x'))),
    async () => (await connect({ path: ports.listener })).abort(),
  ];
  await child.hears(1);
  await until(() => thread(child.pid).asleep);

  const before = thread(child.pid).sleeps;
  for (let i = 0; i < ROUNDS; i++) {
    for (const poke of pokes) {
      await poke();
      // What the poke woke is awake by now: the kernel wakes it before the poke's system call returns.
      await until(() => thread(child.pid).asleep);
    }
  }
  const { sleeps } = thread(child.pid);

  const control = await connect({ type: 'dgram', host, port: ports.control });
  await control.send('look what has come');
  expect(await child.hears(2)).toEqual([true, true, true]);
  expect(sleeps - before).toBeLessThanOrEqual(ALLOWED);

  stream.abort();
  await Promise.all([datagrams.close(), control.close(), child.ended]);
});

// unix_write_space: each message that the peer takes is an edge for its sender, and for a reader no news.
test.each(['stream', 'seqpacket'] as const)(
  'promise 17: a %s reader is not woken by each message that its peer takes',
  async (type) => {
    const child = start(async ({ eagain, tell, name }, kind: 'stream' | 'seqpacket') => {
      const path = name();
      const listener = eagain.socket('unix', kind);
      listener.bind({ path });
      listener.listen();
      tell(path);
      const peer = await listener.accept();
      const answer = peer.recv(Buffer.alloc(8));
      for (let i = 0; i < 100; i++) await peer.send(Buffer.from('x'));
      tell('sent');
      tell(await answer);
      process.exit();
    }, type);
    const { socket: peer } = await connect({
      path: await child.hears<string>(0),
      type: type as 'stream',
    });
    await child.hears(1);
    await until(() => thread(child.pid).asleep);
    const before = thread(child.pid).sleeps;
    for (let i = 0; i < ROUNDS; i++) {
      expect(peer.tryRecv(Buffer.alloc(1))).toBe(1);
      await until(() => thread(child.pid).asleep);
    }
    expect(thread(child.pid).sleeps - before).toBeLessThanOrEqual(ALLOWED);
    await peer.send(Buffer.from('end'));
    expect(await child.hears(2)).toBe(3);
    peer.close();
    await child.ended;
  },
);
