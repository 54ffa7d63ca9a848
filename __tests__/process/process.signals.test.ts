// Signals to the process: they interrupt system calls, and neither they nor their handlers disturb what waits.

import { spawnSync } from 'node:child_process';
import { needs } from '../support/needs';
import { ALL_FORMS, OUTCOMES } from './support/forms';
import { run, start, type Program } from './support/program';

test('SIGTERM ends a process in the middle of its waits, by its default action', async () => {
  const child = start(async ({ eagain, tell, name }) => {
    const path = name();
    const full = await eagain.listen({ path, backlog: 0 });
    const [a, b] = eagain.socketpair();
    const waits = [
      a.recv(Buffer.alloc(1)),
      new eagain.StreamSocket(b).write(Buffer.alloc(8 << 20)),
      eagain.connect({ path }),
      eagain.connect({ path }),
      (await eagain.bind({ host: '127.0.0.1' })).receive(),
    ];
    tell('waits');
    await Promise.all(waits);
    await full.close();
  });
  await child.hears(0);
  child.kill('SIGTERM');
  const { code, signal, stderr } = await child.ended;
  expect({ code, signal, stderr }).toEqual({ code: null, signal: 'SIGTERM', stderr: '' });
});

const SIGNALS = 200;

test.each(['SIGUSR1', 'SIGUSR2', 'SIGURG'] as const)(
  'a flurry of %s breaks no wait and no transfer',
  async (name) => {
    const child = start<NodeJS.Signals>(async ({ eagain, tell, name: abstractName }, signal) => {
      let caught = 0;
      process.on(signal, () => caught++);
      const path = abstractName();
      const listener = await eagain.listen({ path });
      const [client, server] = await Promise.all([eagain.connect({ path }), listener.accept()]);
      const [[c, d], [e, f]] = [eagain.socketpair('dgram'), eagain.socketpair('dgram')];
      const control = eagain.socketpair('dgram');
      const waits = {
        recv: c.recv(Buffer.alloc(8)),
        ready: e.ready({ read: true }).then(({ read }) => read),
        accept: listener.accept().then((peer) => peer.remoteAddress.family),
        read: client.read().then(String),
      };
      tell('waits');
      // Meanwhile bytes run, many times the buffers' size, until signals have come.
      const data = Buffer.alloc(1 << 20, 'x');
      let whole = true;
      while (caught === 0) {
        const writing = client.write(data);
        whole &&= (await server.readExactly(data.length)).equals(data);
        await writing;
      }
      // The one who sends the signals is done when this comes.
      process.stdin.once('data', () => void control[1].send(Buffer.from('done')));
      await control[0].recv(Buffer.alloc(4));
      process.stdin.destroy();

      await Promise.all([d.send(Buffer.from('late')), f.send(Buffer.from('late'))]);
      await server.write('late');
      const peer = await eagain.connect({ path });
      const outcomes: Record<string, unknown> = { whole, caught: caught > 0 };
      for (const [form, wait] of Object.entries(waits)) outcomes[form] = await wait;
      tell(outcomes);
      peer.abort();
      process.exit();
    }, name);
    await child.hears(0);
    for (let i = 0; i < SIGNALS; i++) child.kill(name);
    child.say('done');
    const outcomes = await child.hears(1);
    expect(outcomes).toEqual({
      whole: true,
      caught: true,
      recv: 4,
      ready: true,
      accept: 'unix',
      read: 'late',
    });
    expect(await child.ended).toMatchObject({ code: 0, signal: null });
  },
);

// A signal seldom hits a call that does not wait, so the kernel is made to say so: every third call of each kind
// answers EINTR, without having done anything. (connect(2) is not among them: it goes on by itself, connect(2).)
const CALLS = 'recvfrom,recvmsg,recvmmsg,sendto,sendmsg,sendmmsg,accept4,bind,listen,shutdown';
const filter = `inject=${CALLS}:error=EINTR:when=1+3`;
const inject = ['strace', '-qq', '-o', '/dev/null', '-e', filter];

const canInject = spawnSync(inject[0], [...inject.slice(1), 'true']).status === 0;

needs('strace, and to be allowed to trace', canInject)(
  'a system call that a signal interrupts is made again: every form works as ever',
  async () => {
    const all = { toString: () => ALL_FORMS } as unknown as Program;
    const before = `set -- ${inject.join(' ')} "$@"`;
    expect(await run(all, undefined, { before })).toEqual(OUTCOMES);
  },
);
