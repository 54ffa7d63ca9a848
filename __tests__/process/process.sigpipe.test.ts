// SIGPIPE. Node ignores it from its start, but a program that has listened for it and stops leaves it at its
// default action: the process dies.

import { start, type Program } from './support/program';

const fates: Program<boolean> = async ({ eagain, fs, tell, turn }, writeItself) => {
  const listener = (): void => undefined;
  process.on('SIGPIPE', listener).off('SIGPIPE', listener);

  // SigIgn and SigCgt of proc_pid_status(5): bit 12 is signal 13.
  const masks = fs
    .readFileSync('/proc/self/status', 'utf8')
    .matchAll(/^Sig(?:Ign|Cgt):\s*(\w+)$/gm);
  tell([...masks].every(([, mask]) => (parseInt(mask.slice(-4), 16) & 0x1000) === 0));

  const widowed = (type: 'stream' | 'dgram' | 'seqpacket' = 'stream') => {
    const [a, b] = eagain.socketpair(type);
    b.close();
    return a;
  };
  if (writeItself) fs.writeSync(widowed().detach(), 'x');

  const data = Buffer.alloc(10);
  const reset = async () => {
    const listening = await eagain.listen({ host: '127.0.0.1', port: 0 });
    const { port } = listening.address as { port: number };
    const [peer, connection] = await Promise.all([
      listening.accept(),
      eagain.connect({ host: '127.0.0.1', port }),
    ]);
    peer.abort();
    // Takes the ECONNRESET; from then on it is EPIPE.
    await connection.read().catch(() => null);
    await listening.close();
    return connection;
  };
  const stream = (socket: InstanceType<typeof eagain.Socket>) => new eagain.StreamSocket(socket);
  const duplex = async (): Promise<void> => {
    const end = stream(widowed()).toDuplex();
    await new Promise((_, reject) => end.on('error', reject).write(data));
  };
  const attempts: Record<string, () => unknown> = {
    trySend: () => widowed().trySend(data),
    send: () => widowed().send(data),
    'send of pieces': () => widowed().send([data, data]),
    'send with flags': () => widowed().send(data, { flags: eagain.constants.MSG_MORE }),
    sendmsg: () => widowed().sendmsg({ data: [data, data] }),
    sendmmsg: () => widowed().sendmmsg([{ data }, { data }]),
    'sendmmsg of records': () => widowed('seqpacket').sendmmsg([{ data }, { data }]),
    'send behind one that waits': async () => {
      const [a, b] = eagain.socketpair();
      const waiting = stream(a).write(Buffer.alloc(8 << 20));
      await turn();
      b.close();
      await waiting;
    },
    write: () => stream(widowed()).write(data),
    'write of pieces': () => stream(widowed()).write([data, data]),
    duplex,
    'record endpoint': () => new eagain.SeqpacketSocket(widowed('seqpacket')).send(data),
    'record batch': async () => {
      const batch = [{ data }, { data }];
      const { error } = await new eagain.SeqpacketSocket(widowed('seqpacket')).sendBatch(batch);
      throw error ?? new Error('it was sent');
    },
    'after shutdown': () => {
      const [a] = eagain.socketpair();
      a.shutdown('write');
      return a.send(data);
    },
    sendfile: () => widowed().sendfile(fs.openSync(process.execPath, 'r')),
    'sendfile to TCP': async () =>
      (await reset()).socket.sendfile(fs.openSync(process.execPath, 'r')),
    splice: () => {
      const [a, b] = eagain.socketpair();
      a.trySend(data);
      return b.splice(widowed());
    },
    'TCP after a reset': async () => (await reset()).write(data),
    'TCP sendmsg after a reset': async () => (await reset()).socket.send([data, data]),
  };
  const codes: Record<string, string> = {};
  for (const [form, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      codes[form] = 'it was sent';
    } catch (error) {
      codes[form] = (error as { code?: string }).code ?? String(error);
    }
  }
  tell(codes);
};

test('promise 16: no way of sending raises SIGPIPE, where it has its default action', async () => {
  const { told, signal, code, stderr } = await start(fates, false, { before: 'trap - PIPE' }).ended;
  expect({ signal, code, stderr }).toEqual({ signal: null, code: 0, stderr: '' });
  const [atDefault, codes] = told as [boolean, Record<string, string>];
  expect(atDefault).toBe(true);
  expect(Object.keys(codes)).toHaveLength(19);
  // An AF_UNIX datagram socket would say ECONNREFUSED: it has no pipe to break.
  expect(new Set(Object.values(codes))).toEqual(new Set(['EPIPE']));
});

test('promise 16: in the same process a plain write(2) dies of it', async () => {
  const { signal, told } = await start(fates, true, { before: 'trap - PIPE' }).ended;
  expect(told).toEqual([true]);
  expect(signal).toBe('SIGPIPE');
});
