// Promise 8: no descriptor leaks: not into children, not out of arrivals that nobody takes, not by being forgotten.

import { execFileSync, spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bind, connect, constants as C, listen, Socket, socketpair } from '../../lib/index';
import { runInChild } from '../support/child';
import {
  flagsOf,
  leavesNoSockets,
  nameOf,
  openSockets,
  socketsSince,
} from '../support/descriptors';
import { HAS_PYTHON } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { connectedSockets } from '../support/streams';
import { turn } from '../support/turns';

leavesNoSockets();

// fcntl(2), Linux.
const O_CLOEXEC = 0o2000000;

function closesOnExec(fd: number): boolean {
  return (flagsOf(fd) & O_CLOEXEC) !== 0;
}

test('promise 8: every descriptor is close-on-exec, whoever made it', async () => {
  const sockets: Socket[] = [Socket.open('IPv4', 'stream'), ...socketpair()];
  sockets.push(sockets[1].dup());
  const pair = await connectedSockets();
  sockets.push(pair.a, pair.b);
  const path = abstractName();
  const listener = await listen({ type: 'seqpacket', path });
  const client = await connect({ type: 'seqpacket', path });
  const server = await listener.accept();
  const udp = await bind({ host: '127.0.0.1' });
  sockets.push(listener.socket, client.socket, server.socket, udp.socket);
  expect(sockets.map(({ fd }) => closesOnExec(fd))).toEqual(sockets.map(() => true));
  for (const socket of sockets) socket.close();
});

test('promise 8: an adopted descriptor becomes close-on-exec', () => {
  // Node makes the first descriptors of a process close-on-exec as it starts, up to a gap among them.
  const FAR = 40;
  const { output } = spawnSync(
    process.execPath,
    [
      '-e',
      `const { Socket } = require(${JSON.stringify(require.resolve('../../dist/index.js'))});
       const { readFileSync } = require('node:fs');
       const flags = () =>
         /^flags:\\s*(\\d+)/m.exec(readFileSync('/proc/self/fdinfo/${FAR}', 'utf8'))[1];
       const before = flags();
       Socket.fromFd(${FAR});
       console.log(JSON.stringify([before, flags()]));`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(FAR - 3).fill('ignore'), 'pipe'] },
  );
  const [before, after] = JSON.parse(String(output[1])) as [string, string];
  expect(parseInt(before, 8) & O_CLOEXEC).toBe(0);
  expect(parseInt(after, 8) & O_CLOEXEC).toBe(O_CLOEXEC);
});

test('promise 8: a child of this process inherits no socket', async () => {
  using pair = await connectedSockets();
  await pair.a.send(Buffer.from('x'));
  await pair.b.ready({ read: true });
  const names = [pair.a.fd, pair.b.fd].map((fd) => nameOf(fd));
  const inherited = execFileSync('sh', ['-c', 'ls -l /proc/$$/fd'], { encoding: 'utf8' });
  expect(inherited).toContain(' 1 -> ');
  for (const name of names) expect(inherited).not.toContain(name);
});

// The reactor's own descriptors are made when somebody first waits.
test("promise 8: the library's own descriptors are close-on-exec", async () => {
  const kinds = (await runInChild(`
    const { readdirSync, readlinkSync, readFileSync } = require('node:fs');
    const list = () => readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [fd + ' ' + readlinkSync('/proc/self/fd/' + fd)];
      } catch {
        return []; // the folder's own, which is closed again
      }
    });
    const before = list();
    const [a, b] = eagain.socketpair();
    const waiting = a.recv(Buffer.alloc(1));
    const made = list().filter((entry) => !before.includes(entry)).map((entry) => {
      const [fd, name] = entry.split(' ');
      const flags = /^flags:\\s*(\\d+)/m.exec(readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1];
      return [name.replace(/[0-9]+/, ''), parseInt(flags, 8)];
    });
    await b.send(Buffer.from('x'));
    await waiting;
    a.close();
    b.close();
    report(made);
  `)) as [string, number][];
  expect(kinds.map(([name]) => name).sort()).toEqual([
    'anon_inode:[eventpoll]',
    'socket:[]',
    'socket:[]',
  ]);
  expect(kinds.filter(([, flags]) => (flags & O_CLOEXEC) === 0)).toEqual([]);
});

describe('promise 8: a socket that the program has lost is closed', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  /** Collects until `count` of the sockets since `before` are left. */
  async function collectTo(before: readonly string[], count: number): Promise<void> {
    for (let i = 0; i < 200 && socketsSince(before).length > count; i++) {
      collect();
      await turn();
    }
    expect(socketsSince(before)).toHaveLength(count);
  }

  test('when it is collected', async () => {
    const before = openSockets();
    const kept = ((): Socket => socketpair()[0])();
    expect(socketsSince(before)).toHaveLength(2);
    await collectTo(before, 1);
    expect(await kept.recv(Buffer.alloc(1))).toBe(0);
    kept.close();
  });

  test('but not while somebody waits on it', async () => {
    const before = openSockets();
    const [a, b] = socketpair();
    const waiting = ((socket: Socket) => socket.recv(Buffer.alloc(4)))(b.dup());
    b.close();
    for (let i = 0; i < 20; i++) {
      collect();
      await turn();
    }
    await a.send(Buffer.from('held'));
    expect(await waiting).toBe(4);
    a.close();
    await collectTo(before, 0);
  });
});

needs('python3', HAS_PYTHON)(
  'promise 8: descriptors that arrive and that nobody takes are closed',
  async () => {
    // Python can send what this version cannot: SCM_RIGHTS.
    const path = abstractName();
    const names = `"\\0" + ${JSON.stringify(path.slice(1))}`;
    for (const type of ['dgram', 'seqpacket', 'stream'] as const) {
      using receiver = Socket.open('unix', type);
      receiver.bind({ path });
      if (type !== 'dgram') receiver.listen();
      execFileSync('python3', [
        '-c',
        [
          'import socket, os',
          `s = socket.socket(socket.AF_UNIX, socket.SOCK_${type.toUpperCase()})`,
          `s.connect(${names})`,
          'fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]',
          'socket.send_fds(s, [b"take these"], fds)',
        ].join('\n'),
      ]);
      using peer = type === 'dgram' ? receiver.dup() : await receiver.accept();
      const before = descriptors();
      const message = await peer.recvmsg();
      expect(message.data.toString()).toBe('take these');
      expect(message.controlTruncated).toBe(true);
      expect(message.flags & C.MSG_CTRUNC).toBe(C.MSG_CTRUNC);
      expect(descriptors()).toEqual(before);
    }
  },
);

/** How often /dev/null is open: what Python sends. */
function descriptors(): string[] {
  return Array.from({ length: 256 }, (_, fd) => nameOf(fd)).filter((name) => name === '/dev/null');
}

test('promise 8: a listener that closes leaves none of those who waited in its queue', async () => {
  const before = openSockets();
  const listener = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const clients = await Promise.all(
    Array.from({ length: 5 }, () => connect({ host: '127.0.0.1', port })),
  );
  expect(socketsSince(before)).toHaveLength(6);
  await listener.close();
  expect(socketsSince(before)).toHaveLength(5);
  // The kernel has reset the connections that nobody accepted.
  for (const client of clients) {
    expect(await rejection(client.read())).toMatchObject({ code: 'ECONNRESET' });
    client.abort();
  }
  expect(socketsSince(before)).toHaveLength(0);
});
