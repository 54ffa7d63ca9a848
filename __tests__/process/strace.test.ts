// What can only be seen from outside: the system calls themselves, as strace(1) tells them of a program.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from '../support/needs';
import { start, type Program } from './support/program';

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const traced = needs('strace, and to be allowed ptrace(2)', canTrace());
const folder = mkdtempSync(join(tmpdir(), 'eagain-strace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CALLS =
  'trace=network,splice,sendfile,pipe2,fcntl,epoll_create1,epoll_ctl,epoll_wait,epoll_pwait,dup,dup3,access,faccessat2,poll';
// A call that nobody else makes: it stands in the trace where the program says so.
const MARK = '/eagain-mark-';

/** The calls of a program between its marks, by the mark that came before. */
async function callsOf(program: Program): Promise<Map<string, string[]>> {
  const output = join(folder, String(Math.random()));
  const under = ['strace', '-f', '-qq', '-s', '20', '-e', CALLS, '-e', 'signal=none', '-o', output];
  const { code, stderr } = await start(program, undefined, { under, bare: true }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const parts = new Map<string, string[]>();
  let part: string[] = [];
  for (const line of readFileSync(output, 'utf8').split('\n')) {
    const mark = line.split(MARK)[1]?.split('"')[0];
    if (mark !== undefined) parts.set(mark, (part = []));
    else part.push(line.replace(/^\d+ +/, ''));
  }
  return parts;
}

const named = (calls: readonly string[] | undefined, ...names: string[]): string[] =>
  (calls ?? []).filter((call) => names.includes(call.split('(')[0]));

const everything: Program = async ({ eagain, fs }) => {
  const mark = (name: string): boolean => fs.existsSync(`/eagain-mark-${name}`);
  const data = Buffer.from('data');
  mark('begin');
  const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address as { port: number };
  const [peer, connection] = await Promise.all([
    listener.accept(),
    eagain.connect({ host: '127.0.0.1', port }),
  ]);
  await connection.write(data);
  await connection.write([data, data]);
  await peer.read();
  const [a, b] = eagain.socketpair('dgram');
  const room = Buffer.alloc(10);
  await a.send(data);
  await a.sendmsg({ data: [data, data] });
  await a.sendmmsg([{ data }, { data }]);
  a.trySend(data);
  await b.recv(room);
  await b.recvfrom(room);
  await b.recvmsg();
  await b.recvmmsg(10);
  const udp = await eagain.bind({ host: '127.0.0.1' });
  await udp.send('x', udp.localAddress);
  await udp.sendBatch([{ data, to: udp.localAddress }]);
  await udp.receive();
  const copy = a.dup();
  eagain.Socket.fromFd(copy.detach()).close();
  const file = fs.openSync(process.execPath, 'r');
  await connection.socket.sendfile(file, { length: 100 });
  await peer.socket.splice(connection.socket, { length: 10 });
  const record = await eagain.listen({ type: 'seqpacket', path: '\0eagain-strace' });
  await eagain.connect({ type: 'seqpacket', path: '\0eagain-strace' });
  await record.accept();
  mark('end');
  process.exit();
};

traced(
  'promise 8, strace: every descriptor is close-on-exec and nonblocking from its first instant',
  async () => {
    const calls = (await callsOf(everything)).get('begin');
    const opened = named(calls, 'socket', 'socketpair', 'accept', 'accept4', 'pipe2');
    expect(new Set(opened.map((call) => call.split('(')[0]))).toEqual(
      new Set(['socket', 'socketpair', 'accept4', 'pipe2']),
    );
    expect(opened.filter((call) => !/(SOCK|O)_CLOEXEC/.test(call))).toEqual([]);
    expect(opened.filter((call) => !/(SOCK|O)_NONBLOCK/.test(call))).toEqual([]);
    expect(named(calls, 'epoll_create1')).toEqual([expect.stringContaining('EPOLL_CLOEXEC')]);
    expect(named(calls, 'dup', 'dup2', 'dup3')).toEqual([]);
    const copies = named(calls, 'fcntl').filter((call) => call.includes('F_DUPFD'));
    expect(copies).toEqual([expect.stringContaining('F_DUPFD_CLOEXEC')]);
  },
);

traced('promise 16, strace: every send is NOSIGNAL, every send and receive DONTWAIT', async () => {
  const calls = (await callsOf(everything)).get('begin');
  // glibc's send and recv are sendto and recvfrom to the kernel.
  const sends = named(calls, 'sendto', 'sendmsg', 'sendmmsg');
  const receives = named(calls, 'recvfrom', 'recvmsg', 'recvmmsg');
  expect(sends.length).toBeGreaterThan(7);
  expect(receives.length).toBeGreaterThan(5);
  expect(sends.filter((call) => !call.includes('MSG_NOSIGNAL'))).toEqual([]);
  expect([...sends, ...receives].filter((call) => !call.includes('MSG_DONTWAIT'))).toEqual([]);
  expect(named(calls, 'splice').filter((call) => !call.includes('SPLICE_F_NONBLOCK'))).toEqual([]);
});

const batches: Program = async ({ eagain, fs }) => {
  const mark = (name: string): boolean => fs.existsSync(`/eagain-mark-${name}`);
  const receiver = await eagain.bind({ host: '127.0.0.1' });
  const sender = await eagain.connect({
    type: 'dgram',
    host: '127.0.0.1',
    port: receiver.localAddress.port,
  });
  const data = Buffer.from('x');
  const messages = Array.from({ length: 50 }, () => ({ data }));
  mark('send');
  await sender.sendBatch(messages);
  mark('receive');
  const batch = await receiver.receiveBatch(50);
  mark('end');
  if (batch.length !== 50) throw new Error(`${batch.length} of 50`);
  process.exit();
};

traced(
  'strace: a batch of 50 messages is one sendmmsg and one recvmmsg, and nothing else',
  async () => {
    const calls = await callsOf(batches);
    // Slow as it is under strace, its budget may be spent: then the loop turns once before the call.
    const own = (name: string): string[] =>
      calls.get(name)!.filter((call) => !call.startsWith('epoll_'));
    // In one train, which the kernel cuts up (UDP_SEGMENT).
    expect(own('send')).toEqual([
      expect.stringMatching(/^sendmmsg\(.*iov_len=50\}.*SOL_UDP.*\) = 1$/),
    ]);
    expect(own('receive')).toEqual([expect.stringMatching(/^recvmmsg\(.*\) = 50$/)]);
  },
);

const idle: Program = async ({ eagain, fs, turn }) => {
  const mark = (name: string): boolean => fs.existsSync(`/eagain-mark-${name}`);
  const receiver = await eagain.bind({ host: '127.0.0.1' });
  await receiver.receive({ timeout: 0 }).catch(() => undefined);
  const sender = await eagain.connect({
    type: 'dgram',
    host: '127.0.0.1',
    port: receiver.localAddress.port,
  });
  mark('flood');
  for (let i = 0; i < 100; i++) {
    sender.socket.trySend(Buffer.from('x'));
    await turn();
  }
  mark('end');
  process.exit();
};

traced(
  'promise 17, strace: a socket that nobody waits on is silenced at its first event',
  async () => {
    const calls = (await callsOf(idle)).get('flood');
    expect(named(calls, 'sendto')).toHaveLength(100);
    expect(named(calls, 'recvfrom', 'recvmsg', 'recvmmsg')).toEqual([]);
    // The reactor's own epoll is asked without a wait; what waits is libuv's.
    const own = named(calls, 'epoll_wait', 'epoll_pwait').filter(
      (call) => /, 256, 0(,|\))/.test(call) && call.includes('EPOLLIN'),
    );
    expect(own.length).toBeLessThanOrEqual(1);
    const changes = named(calls, 'epoll_ctl').filter((call) => call.includes('EPOLL_CTL_MOD'));
    expect(changes).toEqual([expect.stringContaining('{events=EPOLLET,')]);
  },
);
