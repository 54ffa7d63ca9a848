// Descriptors that change hands: to a worker, to a child process, and from a service manager.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { connect, listen, socketpair, StreamSocket } from '../../lib/index';
import { needs } from '../support/needs';
import { Running, start, textOf, type Program } from './support/program';

function works(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const HAS_ACTIVATOR = works('systemd-socket-activate');

const parent: Program<string> = async ({ eagain, workers, tell }, worker) => {
  const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const [client, accepted] = await Promise.all([
    eagain.connect({ host: '127.0.0.1', port }),
    listener.accept(),
  ]);
  await listener.close();
  await client.write('before, ');
  const thread = new workers.Worker(worker, { eval: true });
  thread.postMessage(accepted.socket.detach());
  await client.write('and after');
  await client.end();
  let reply = '';
  for await (const chunk of client) reply += String(chunk);
  tell([reply, accepted.socket.closed]);
};

const worker: Program = async ({ eagain, workers, events }) => {
  const [fd] = (await events.once(workers.parentPort!, 'message')) as [number];
  const stream = eagain.fromFd(fd) as InstanceType<typeof eagain.StreamSocket>;
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  await stream.write(all.toUpperCase());
  await stream.close();
};

test('hand-over: a connection goes on in a worker, no byte is lost', async () => {
  const { code, stderr, told } = await start(parent, textOf(worker)).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(told).toEqual([['BEFORE, AND AFTER', true]]);
});

const child: Program = async ({ eagain }) => {
  const stream = eagain.fromFd(3) as InstanceType<typeof eagain.StreamSocket>;
  const read = await stream.read();
  await stream.write(`${stream.constructor.name} ${String(read)}`);
  await stream.close();
};

test('hand-over: a child process adopts what it has inherited', async () => {
  const [a, b] = socketpair();
  await using own = new StreamSocket(a);
  await own.write('from the parent');
  const fd = b.detach();
  const running = start(child, undefined, { descriptors: [fd] });
  closeSync(fd);
  expect(String(await own.read())).toBe('StreamSocket from the parent');
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
});

/** Tells what it was handed, serves one connection of the first listener, and looks a second time. */
const activated: Program = async ({ eagain, fs, tell }) => {
  const closesOnExec = (fd: number): boolean => {
    const [, flags] = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))!;
    return (parseInt(flags, 8) & 0o2000000) !== 0;
  };
  const handed = eagain.listenFds();
  tell(handed.map(({ name, fd, endpoint }) => [name, fd, endpoint?.constructor.name ?? null]));
  const names = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];
  tell([
    handed.every(({ fd }) => closesOnExec(fd)),
    names.filter((name) => name in process.env),
    eagain.listenFds(),
  ]);
  const [first] = handed;
  if (first?.endpoint instanceof eagain.Listener) {
    const peer = (await first.endpoint.accept()) as InstanceType<typeof eagain.StreamSocket>;
    await peer.write('hello from the activated one');
    await peer.close();
  }
  for (const { endpoint } of handed) endpoint?.socket.close();
};

const GONE = [true, [], []];

needs('systemd-socket-activate', HAS_ACTIVATOR)(
  'listenFds: a real activator: two listeners with names, and the connection that started it',
  async () => {
    const path = `@eagain-${randomUUID()}`;
    const [name, other] = [path, `${path}-2`].map((text) => `\0${text.slice(1)}`);
    const under = ['systemd-socket-activate', '-l', path, '-l', `${path}-2`, '--fdname=web:admin'];
    // It execs what it activates without a shell between: the manager's pid is the program's.
    const running = new Running(textOf(activated), { under, bare: true });
    await running.complains(new RegExp(`Listening on ${path}-2`));
    await using client = await connect({ path: name });
    expect(String(await client.read())).toBe('hello from the activated one');
    const { code, told } = await running.ended;
    expect(code).toBe(0);
    expect(told).toEqual([
      [
        ['web', 3, 'Listener'],
        ['admin', 4, 'Listener'],
      ],
      GONE,
    ]);
    expect(other).toContain('-2');
  },
);

needs('systemd-socket-activate', HAS_ACTIVATOR)(
  'listenFds: a real activator of records, and of datagrams',
  async () => {
    for (const [option, kind] of [
      ['--seqpacket', 'Listener'],
      ['--datagram', 'DatagramSocket'],
    ] as const) {
      const path = `eagain-${randomUUID()}`;
      const under = ['systemd-socket-activate', option, '-l', `@${path}`];
      const running = new Running(textOf(activated), { under, bare: true });
      await running.complains(/Listening on/);
      if (kind === 'Listener') {
        const client = await connect({ type: 'seqpacket', path: `\0${path}` });
        await running.hears(0);
        client.socket.close();
      } else {
        const client = await connect({ type: 'dgram', path: `\0${path}` });
        await client.send('wake up');
        await client.close();
      }
      const { told } = await running.ended;
      expect(told[0]).toEqual([['unknown', 3, kind]]);
    }
  },
);

/** An activator of the test's own, for what a real one never does. */
async function handed(variables: string, descriptors: readonly number[] = []): Promise<unknown> {
  const tells: Program = ({ eagain, tell }) => {
    try {
      tell(eagain.listenFds().map(({ name, fd, endpoint }) => [name, fd, endpoint !== null]));
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      tell(`${code} ${/LISTEN_\w+/.exec(message)?.[0] ?? ''} ${'LISTEN_FDS' in process.env}`);
    }
    process.exit();
  };
  const { told, stderr } = await start(tells, undefined, {
    before: `export ${variables}`,
    descriptors,
  }).ended;
  expect(stderr).toBe('');
  return told[0];
}

test('listenFds: nothing where nothing is meant for this process', async () => {
  expect(await handed('A=1')).toEqual([]);
  expect(await handed('LISTEN_FDS=1')).toEqual([]);
  expect(await handed('LISTEN_PID=$$')).toEqual([]);
  expect(await handed('LISTEN_PID=1 LISTEN_FDS=1')).toEqual([]);
  expect(await handed('LISTEN_PID=$$ LISTEN_FDS=0')).toEqual([]);
});

test('listenFds: what is no socket is handed over as it is', async () => {
  const listener = await listen({ host: '127.0.0.1', port: 0 });
  const file = openSync(process.execPath, 'r');
  const descriptors = [file, listener.socket.fd];
  expect(await handed('LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=fifo:web', descriptors)).toEqual([
    ['fifo', 3, false],
    ['web', 4, true],
  ]);
  closeSync(file);
  await listener.close();
});

test('listenFds: variables that contradict each other, and descriptors that are not there', async () => {
  const [a, b] = socketpair();
  const failures = [
    await handed('LISTEN_PID=x LISTEN_FDS=1'),
    await handed('LISTEN_PID=$$ LISTEN_FDS=-1'),
    await handed('LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a:b', [a.fd]),
    await handed('LISTEN_PID=$$ LISTEN_FDS=999999', [a.fd]),
  ];
  expect(failures).toEqual([
    'ERR_INVALID_ARG_VALUE LISTEN_PID false',
    'ERR_INVALID_ARG_VALUE LISTEN_FDS false',
    'ERR_INVALID_ARG_VALUE LISTEN_FDNAMES false',
    'EBADF  false',
  ]);
  a.close();
  b.close();
});
