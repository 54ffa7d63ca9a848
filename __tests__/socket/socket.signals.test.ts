// Promise 16: no SIGPIPE, ever. And ref, unref: who keeps the process alive.

import { runInChild } from '../support/child';

test('promise 16: no way of sending raises SIGPIPE', async () => {
  const report = (await runInChild(`
    let signals = 0;
    // A handler instead of the SIG_IGN that Node starts with: a signal would be counted.
    process.on('SIGPIPE', () => signals++);
    const { socketpair, Socket, StreamSocket, SeqpacketSocket } = eagain;
    const data = Buffer.from('x');
    const codes = [];
    for (const type of ['stream', 'seqpacket']) {
      for (const send of [
        (s) => s.send(data),
        (s) => s.send([data, data]),
        (s) => s.sendto(data, { path: '' }),
        (s) => s.sendmsg({ data: [data, data] }),
        (s) => s.sendmmsg([{ data }]),
        async (s) => s.trySend(data),
        (s) => type === 'stream' ? new StreamSocket(s).write(data) : new SeqpacketSocket(s).send(data),
        (s) => type === 'stream'
          ? new StreamSocket(s).write([data, data])
          : new SeqpacketSocket(s).sendBatch([{ data }]).then(({ error }) => { throw error; }),
      ]) {
        const [a, b] = socketpair(type);
        b.close();
        await send(a).catch(({ code }) => codes.push(code));
        a.close();
      }
    }
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await turn();
    const before = signals;
    // That one would have been seen.
    process.kill(process.pid, 'SIGPIPE');
    while (signals === before) await turn();
    report({ codes, before, after: signals });
  `)) as { codes: string[]; before: number; after: number };
  expect(report.codes.filter((code) => code !== 'EPIPE' && code !== 'EISCONN')).toEqual([]);
  expect(report.codes.filter((code) => code === 'EPIPE').length).toBeGreaterThanOrEqual(14);
  expect(report).toMatchObject({ before: 0, after: 1 });
});

describe('ref and unref', () => {
  // Each child ends by itself or is ended by the time limit of runInChild.
  test('a process ends where nobody waits', async () => {
    await runInChild(`
      const [a, b] = eagain.socketpair();
      globalThis.kept = [a, b, eagain.Socket.open('IPv4', 'stream')];
      report('idle');
    `);
  });

  test('a process ends where all who wait are unref’d', async () => {
    expect(
      await runInChild(`
        const [a, b] = eagain.socketpair();
        globalThis.kept = b;
        a.unref();
        a.recv(Buffer.alloc(1)).then(() => report('never'));
        const [c, d] = eagain.socketpair();
        c.ready({ read: true });
        globalThis.also = d;
        c.unref();
        report('waiting');
      `),
    ).toBe('waiting');
  });

  test('a process lives while one who waits is not', async () => {
    expect(
      await runInChild(`
        const [a, b] = eagain.socketpair();
        a.unref();
        a.ref();
        const waiting = a.recv(Buffer.alloc(1));
        setTimeout(() => b.send(Buffer.from('x')), 50).unref();
        await waiting;
        report('woken');
      `),
    ).toBe('woken');
  });

  test('and ends when that one is done', async () => {
    expect(
      await runInChild(`
        const [a, b] = eagain.socketpair();
        globalThis.kept = [a, b];
        const waiting = a.recv(Buffer.alloc(1));
        await b.send(Buffer.from('x'));
        report(await waiting);
      `),
    ).toBe(1);
  });
});
