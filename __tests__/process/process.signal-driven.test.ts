// Signal-driven I/O: signals go to a whole process, so that each of these has one of its own.

import { execFileSync } from 'node:child_process';
import { Socket, socketpair } from '../../lib/index';
import { HAS_PYTHON } from '../support/machine';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';
import { start, type Program } from './support/program';

async function heard<A>(program: Program<A>, argument: A, before = ':'): Promise<unknown[]> {
  const { code, signal, stderr, told } = await start(program, argument, { before }).ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return told;
}

const readable: Program = async ({ eagain, tell, turn }) => {
  const heard = new Set<string>();
  for (const name of ['SIGIO', 'SIGUSR2'] as const) process.on(name, () => heard.add(name));
  const hears = async (name: string): Promise<void> => {
    while (!heard.has(name)) await turn();
    heard.clear();
  };
  const quiet = async (): Promise<string[]> => {
    for (let i = 0; i < 20; i++) await turn();
    return [...heard];
  };
  const [a, b] = eagain.socketpair();
  const room = Buffer.alloc(1 << 20);
  a.setOwner({ pid: process.pid, async: true });
  tell(a.getOwner());
  b.trySend(Buffer.from('x'));
  await hears('SIGIO');
  while (a.trySend(Buffer.alloc(1 << 16)) !== null);
  await quiet();
  heard.clear();
  while (b.tryRecv(room) !== null);
  await hears('SIGIO');
  // F_SETSIG: another one instead.
  a.setOwner({ signal: 'SIGUSR2' });
  tell(a.getOwner());
  b.trySend(Buffer.from('y'));
  await hears('SIGUSR2');
  a.setOwner({ async: false });
  b.trySend(Buffer.from('z'));
  tell(await quiet());
  // The reactor has gone its own way all the while.
  tell(await a.recv(room));
  process.exit();
};

test('signal-driven: SIGIO when a socket becomes readable, and writable; F_SETSIG changes it', async () => {
  const [owner, changed, silent, received] = await heard(readable, undefined);
  expect(owner).toEqual({ pid: expect.any(Number) as number, async: true });
  expect(changed).toEqual({ ...(owner as object), signal: 'SIGUSR2' });
  expect(silent).toEqual([]);
  expect(received).toBe(3);
});

const waiting: Program = async ({ eagain, tell }) => {
  let count = 0;
  process.on('SIGIO', () => count++);
  const [a, b] = eagain.socketpair();
  a.setOwner({ pid: process.pid, async: true });
  const room = Buffer.alloc(10);
  for (let i = 0; i < 50; i++) {
    const received = a.recv(room);
    b.trySend(Buffer.from([i]));
    if ((await received) !== 1 || room[0] !== i) throw new Error(`round ${i}`);
  }
  while (count === 0) await new Promise(setImmediate);
  tell('served');
  process.exit();
};

test('signal-driven: waiting works as without it', async () => {
  expect(await heard(waiting, undefined)).toEqual(['served']);
});

const urgent: Program<'pid' | 'pgrp'> = async ({ eagain, fs, tell, turn }, who) => {
  let count = 0;
  process.on('SIGURG', () => count++);
  const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const [{ socket: server }, { socket: client }] = await Promise.all([
    listener.accept(),
    eagain.connect({ host: '127.0.0.1', port }),
  ]);
  // proc_pid_stat(5): pid (comm) state ppid pgrp.
  const group = Number(fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[2]);
  const id = who === 'pid' ? process.pid : group;
  server.setOwner({ [who]: id });
  tell([server.getOwner(), { [who]: id }]);
  const flags = eagain.constants.MSG_OOB;
  await client.send(Buffer.from('!'), { flags });
  while (count === 0) await turn();
  const room = Buffer.alloc(1);
  await server.recv(room, { flags });
  tell(room.toString());
  // Nobody, again.
  server.setOwner({ pid: 0 });
  tell(server.getOwner());
  process.exit();
};

test.each(['pid', 'pgrp'] as const)(
  'signal-driven: SIGURG for urgent data, to a %s',
  async (who) => {
    // In a session of its own a group has no other members; others ignore SIGURG anyway.
    const [[got, set], byte, nobody] = (await heard(urgent, who)) as [
      [object, object],
      string,
      object,
    ];
    expect(got).toEqual(set);
    expect(byte).toBe('!');
    expect(nobody).toEqual({});
  },
);

// The owner belongs to the open socket: another process sees it through its own descriptor of it.
const SEES = `
import fcntl, struct, json, os
fd = 0
ask = lambda request: struct.unpack('i', fcntl.ioctl(fd, request, b'\\0' * 4))[0]
FIOGETOWN, SIOCGPGRP, FIOSETOWN, SIOCSPGRP, FIOASYNC = 0x8903, 0x8904, 0x8901, 0x8902, 0x5452
seen = [fcntl.fcntl(fd, fcntl.F_GETOWN), ask(FIOGETOWN), ask(SIOCGPGRP)]
seen.append(fcntl.fcntl(fd, 11))
seen.append(bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ASYNC))
fcntl.ioctl(fd, SIOCSPGRP, struct.pack('i', -os.getpgrp()))
fcntl.ioctl(fd, FIOASYNC, struct.pack('i', 0))
print(json.dumps([seen, os.getpgrp()]))
`;

needs('Python', HAS_PYTHON)(
  'signal-driven: F_GETOWN, FIOGETOWN and SIOCGPGRP see it, and SIOCSPGRP and FIOASYNC are seen',
  () => {
    const [a, b] = socketpair();
    a.setOwner({ pid: process.pid, signal: 'SIGWINCH', async: true });
    const told = execFileSync('python3', ['-c', SEES], {
      stdio: [a.fd, 'pipe', 'inherit'],
      encoding: 'utf8',
    });
    const [seen, group] = JSON.parse(told) as [unknown[], number];
    const { pid } = process;
    // SIGWINCH is 28: ignored unless listened for.
    expect(seen).toEqual([pid, pid, pid, 28, true]);
    expect(a.getOwner()).toEqual({ pgrp: group, signal: 'SIGWINCH' });
    a.close();
    b.close();
  },
);

test('signal-driven: misuse, and what the kernel refuses', () => {
  using socket = Socket.open('unix', 'stream');
  const message = (owner: unknown): string => thrown(() => socket.setOwner(owner as never)).message;
  expect(message(undefined)).toContain('"owner"');
  expect(message({ pid: 1, pgrp: 1 })).toContain('"owner"');
  expect(message({ pid: -1 })).toContain('"owner.pid"');
  expect(message({ pgrp: 1.5 })).toContain('"owner.pgrp"');
  expect(message({ signal: 'SIGNAL' })).toContain('"owner.signal"');
  expect(message({ signal: 29 })).toContain('"owner.signal"');
  expect(message({ async: 1 })).toContain('"owner.async"');
  expect(thrown(() => socket.setOwner({ pid: 0x7fffffff }))).toMatchObject({
    code: 'ESRCH',
    syscall: 'fcntl',
  });
  expect(socket.getOwner()).toEqual({});
  socket.close();
  expect(thrown(() => socket.getOwner())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
});
