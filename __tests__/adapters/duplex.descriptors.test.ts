// Descriptors through a Duplex: writeWithFds() and 'fds', against a peer that makes the system calls itself.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import {
  constants as C,
  createConnection,
  listen,
  StreamSocket,
  type OwnedFd,
} from '../../lib/index';
import { binding } from '../../lib/native/load';
import type { SocketDuplex } from '../../lib/adapters/duplex';
import type { Socket } from '../../lib/socket/socket';
import { runInChild } from '../support/child';
import { leavesNoSockets, nameOf } from '../support/descriptors';
import { abstractName } from '../support/names';
import { thrown, type Failure } from '../support/outcomes';
import { fill, sockets, tcp4 } from '../support/streams';
import { turns, until } from '../support/turns';

leavesNoSockets();

const CONTROL = 2048;

// What is passed: this file, of which nobody else has descriptors.
let file = -1;
beforeAll(() => {
  file = openSync(__filename, 'r');
});
afterAll(() => closeSync(file));

/** How many descriptors of it this process has. */
const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => nameOf(fd) === __filename).length;

interface Ends extends Disposable {
  /** What is under the Duplex. */
  readonly socket: Socket;
  readonly duplex: SocketDuplex;
  readonly peer: Socket;
}

function ends(options?: object): Ends {
  const { a, b } = sockets();
  const duplex = new StreamSocket(a).toDuplex(options);
  return {
    socket: a,
    duplex,
    peer: b,
    [Symbol.dispose](): void {
      duplex.destroy();
      b.close();
    },
  };
}

/** Two files that fstat(2) can tell apart, open for the scope. */
function files(): Disposable & { readonly fds: [number, number] } {
  const fds: [number, number] = [openSync(__filename, 'r'), openSync('/', 'r')];
  return {
    fds,
    [Symbol.dispose](): void {
      fds.forEach((fd) => closeSync(fd));
    },
  };
}

const isSameFile = (one: number, other: number): boolean =>
  fstatSync(one).ino === fstatSync(other).ino && fstatSync(one).dev === fstatSync(other).dev;

/** What happens at `duplex`, in order: the bytes of 'data', and how many descriptors each 'fds' had, closed. */
function eventsOf(duplex: SocketDuplex): string[] {
  const events: string[] = [];
  duplex.on('fds', (fds: OwnedFd[]) => {
    events.push(`fds ${fds.length}`);
    fds.forEach((fd) => fd.close());
  });
  duplex.on('data', (chunk: Buffer) => events.push(`data ${chunk.toString()}`));
  duplex.on('end', () => events.push('end'));
  return events;
}

const passTo = (peer: Socket, data: string, fds: readonly (number | Socket)[]): Promise<number> =>
  peer.sendmsg({ data: Buffer.from(data), control: [{ kind: 'rights', fds }] });

/** One recvmsg(2) of at most `size` bytes: what came, and how many descriptors with it, which are closed. */
async function take(peer: Socket, size = 65536): Promise<[string, number]> {
  const { data, control } = await peer.recvmsg({ size, controlSize: CONTROL });
  const fds = control.flatMap((part) => (part.kind === 'rights' ? part.fds : []));
  fds.forEach((fd) => fd.close());
  return [data.toString(), fds.length];
}

describe('received', () => {
  test("'fds' comes ahead of the 'data' that they came with, with the sender's own files", async () => {
    using it = ends();
    using sent = files();
    const before = descriptors();
    const events: string[] = [];
    it.duplex.on('fds', (fds: OwnedFd[]) => {
      events.push('fds');
      expect(fds.map(({ fd }, i) => isSameFile(fd, sent.fds[i]))).toEqual([true, true]);
      fds.forEach((fd) => fd.close());
    });
    it.duplex.on('data', (chunk: Buffer) => events.push(chunk.toString()));
    await passTo(it.peer, 'two files', sent.fds);
    await until(() => events.length === 2);
    expect(events).toEqual(['fds', 'two files']);
    expect(it.duplex.bytesRead).toBe(9);
    expect(descriptors()).toBe(before);
  });

  test('each message has its own, plain bytes have none, and the end is the end', async () => {
    using it = ends();
    const before = descriptors();
    for (const [data, count] of [
      ['a', 1],
      ['b', 2],
      ['c', 253],
    ] as const)
      await passTo(it.peer, data, Array<number>(count).fill(file));
    await it.peer.send(Buffer.from('d'));
    it.peer.shutdown('write');
    const events = eventsOf(it.duplex);
    await once(it.duplex, 'end');
    // What is read in one go comes as one: a message's descriptors may be ahead of older bytes, never behind its own.
    const kinds = (kind: string): string[] => events.filter((event) => event.startsWith(kind));
    expect(kinds('fds')).toEqual(['fds 1', 'fds 2', 'fds 253']);
    expect(kinds('data')).toEqual(['data a', 'data b', 'data c', 'data d']);
    for (const [i, data] of ['data a', 'data b', 'data c'].entries())
      expect(events.indexOf(kinds('fds')[i])).toBeLessThan(events.indexOf(data));
    expect(events.at(-1)).toBe('end');
    expect(descriptors()).toBe(before);
  });

  test('promise 8: those that come while nobody listens are closed, and their bytes are read', async () => {
    using it = ends();
    const before = descriptors();
    const chunks: string[] = [];
    it.duplex.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await passTo(it.peer, 'nobody', [file, file]);
    await until(() => chunks.length === 1);
    expect(chunks).toEqual(['nobody']);
    expect(descriptors()).toBe(before);
  });

  test('a listener hears of what comes after it, though a read was waiting', async () => {
    using it = ends();
    it.duplex.resume();
    await turns();
    const events = eventsOf(it.duplex);
    await passTo(it.peer, 'x', [file]);
    await until(() => events.length === 2);
    expect(events).toEqual(['fds 1', 'data x']);
  });

  test.each(['once', 'prependListener', 'prependOnceListener', 'addListener'] as const)(
    '%s is listening, too',
    async (method) => {
      using it = ends();
      it.duplex.resume();
      await turns();
      const heard = new Promise<OwnedFd[]>((resolve) => it.duplex[method]('fds', resolve));
      await passTo(it.peer, 'x', [file]);
      (await heard).forEach((fd) => fd.close());
    },
  );

  test('promise 8: a listener that has gone leaves nothing open, and later reads are plain ones', async () => {
    using it = ends();
    const before = descriptors();
    const heard: unknown[] = [];
    const listener = (fds: OwnedFd[]): unknown => heard.push(fds);
    it.duplex.on('fds', listener).resume();
    await turns();
    // The read that waits has room for them.
    it.duplex.off('fds', listener);
    await passTo(it.peer, 'x', [file, file]);
    await until(() => it.duplex.bytesRead === 1);
    await passTo(it.peer, 'y', [file, file]);
    await until(() => it.duplex.bytesRead === 2);
    expect(heard).toEqual([]);
    expect(descriptors()).toBe(before);
  });

  test("destroyed by its listener: no 'data', and what the listener has is its own", async () => {
    using it = ends();
    const before = descriptors();
    const events = eventsOf(it.duplex);
    it.duplex.prependListener('fds', () => it.duplex.destroy());
    // A read that waits: what it brings would go straight to 'data'.
    await turns();
    await passTo(it.peer, 'x', [file]);
    await once(it.duplex, 'close');
    expect(events).toEqual(['fds 1']);
    expect(descriptors()).toBe(before);
  });

  test('promise 8: destroyed before they were read, they are closed with the socket', async () => {
    using it = ends();
    const before = descriptors();
    it.duplex.on('fds', () => undefined).pause();
    await passTo(it.peer, 'x', [file, file]);
    it.duplex.destroy();
    await once(it.duplex, 'close');
    expect(descriptors()).toBe(before);
  });

  test('no more is read than is wanted, listener or not', async () => {
    using it = ends({ readableHighWaterMark: 1 });
    const heard: number[] = [];
    it.duplex.on('fds', (fds: OwnedFd[]) => {
      heard.push(fds.length);
      fds.forEach((fd) => fd.close());
    });
    for (const data of ['a', 'b', 'c']) await passTo(it.peer, data, [file]);
    await turns();
    expect(heard).toEqual([]);
    it.duplex.read(0);
    await turns();
    expect(heard).toEqual([1]);
    it.duplex.resume();
    await until(() => heard.length === 3);
  });

  test('promise 8: a listener that throws: what it has not taken is closed, and the bytes go on', async () => {
    const program = `
      const { readdirSync, closeSync } = require('node:fs');
      const [a, b] = eagain.socketpair();
      const duplex = new eagain.StreamSocket(a).toDuplex();
      const thrown = [];
      process.on('uncaughtException', (error) => thrown.push(error.message));
      let taken;
      duplex.on('fds', ([first]) => {
        taken = first.take();
        throw new Error('a listener');
      });
      const data = new Promise((resolve) => duplex.on('data', resolve));
      await b.recv(Buffer.alloc(1), { timeout: 0 }).catch(() => {});
      const before = readdirSync('/proc/self/fd').length;
      await b.sendmsg({ data: Buffer.from('x'), control: [{ kind: 'rights', fds: [0, 1, 2] }] });
      const chunk = String(await data);
      await new Promise(setImmediate);
      const more = readdirSync('/proc/self/fd').length - before;
      closeSync(taken);
      report({ thrown, chunk, more });
      duplex.destroy();
      b.close();`;
    expect(await runInChild(program)).toEqual({ thrown: ['a listener'], chunk: 'x', more: 1 });
  });

  test('promise 8: no room in the table of descriptors is an error, and none is left', async () => {
    const program = `
      const { openSync, closeSync, readdirSync } = require('node:fs');
      const [a, b] = eagain.socketpair();
      const duplex = new eagain.StreamSocket(a).toDuplex();
      await b.recv(Buffer.alloc(1), { timeout: 0 }).catch(() => {});
      duplex.on('fds', () => report('descriptors')).resume();
      await new Promise(setImmediate);
      const list = () => readdirSync('/proc/self/fd').length;
      const before = list();
      const fillers = [];
      for (;;) try { fillers.push(openSync('/', 'r')); } catch { break; }
      for (let i = 0; i < ROOM; i++) closeSync(fillers.pop());
      await b.sendmsg({ data: Buffer.from('x'), control: [{ kind: 'rights', fds: [0, 1, 2] }] });
      const error = await new Promise((resolve) => duplex.once('error', resolve));
      await new Promise((resolve) => duplex.once('close', resolve));
      fillers.forEach((fd) => closeSync(fd));
      report({ code: error.code, more: list() - before });
      b.close();`;
    for (const room of ['0', '2']) {
      const seen = await runInChild(program.replace('ROOM', room), { descriptors: 64 });
      expect(seen).toEqual({ code: 'ERR_CONTROL_TRUNCATED', more: -1 });
    }
  });

  test('only with a listener is there a recvmsg, and on TCP there is none with one', async () => {
    const calls = jest.spyOn(binding, 'recvmmsg');
    try {
      using it = ends();
      it.duplex.resume();
      await it.peer.send(Buffer.from('x'));
      await until(() => it.duplex.bytesRead === 1);
      await using tcp = await tcp4();
      const duplex = tcp.server.toDuplex().on('fds', () => undefined);
      duplex.resume();
      await tcp.client.write('x');
      await until(() => duplex.bytesRead === 1);
      expect(calls).not.toHaveBeenCalled();
      it.duplex.on('fds', () => undefined);
      await it.peer.send(Buffer.from('y'));
      await until(() => it.duplex.bytesRead === 2);
      expect(calls).toHaveBeenCalled();
      duplex.destroy();
    } finally {
      calls.mockRestore();
    }
  });
});

describe('sent', () => {
  test('numbers, Sockets and what was received, beside a string or bytes of any kind', async () => {
    using it = ends();
    using sent = files();
    const before = descriptors();
    it.duplex.writeWithFds('a string', [sent.fds[0], it.peer]);
    const first = await it.peer.recvmsg({ controlSize: CONTROL });
    const [part] = first.control;
    if (part.kind !== 'rights') throw new Error(part.kind);
    expect(isSameFile(part.fds[0].fd, sent.fds[0])).toBe(true);
    expect(nameOf(part.fds[1].fd)).toBe(nameOf(it.peer.fd));
    it.duplex.writeWithFds(new Uint16Array([0x4241]), part.fds);
    expect(await take(it.peer)).toEqual(['AB', 2]);
    it.duplex.writeWithFds(new Uint8Array([0x43]).buffer, [file]);
    expect(await take(it.peer)).toEqual(['C', 1]);
    part.fds.forEach((fd) => fd.close());
    expect(descriptors()).toBe(before);
  });

  test('in their turn among the writes, each with its own first byte', async () => {
    using it = ends();
    const before = descriptors();
    const done: string[] = [];
    it.duplex.cork();
    it.duplex.write('ab', () => done.push('ab'));
    it.duplex.writeWithFds('cd', [file], () => done.push('cd'));
    it.duplex.writeWithFds('ef', [file, file], () => done.push('ef'));
    it.duplex.write('gh', () => done.push('gh'));
    it.duplex.uncork();
    const seen: [string, number][] = [];
    for (let i = 0; i < 8; i++) seen.push(await take(it.peer, 1));
    expect(seen.map(([data, count]) => `${data}${count}`).join(' ')).toBe(
      'a0 b0 c1 d0 e2 f0 g0 h0',
    );
    await until(() => done.length === 4);
    expect(done).toEqual(['ab', 'cd', 'ef', 'gh']);
    expect(descriptors()).toBe(before);
  });

  test('behind writes that wait, and once, however many calls the bytes take', async () => {
    using it = ends();
    const before = descriptors();
    const ahead = await fill(it.socket);
    const bytes = randomBytes(5 << 20);
    it.duplex.write('ahead');
    const returned = it.duplex.writeWithFds(bytes, [file, file]);
    expect(returned).toBe(false);
    const drained = once(it.duplex, 'drain');
    const digest = createHash('sha256');
    let [received, count] = [0, 0];
    let where = -1;
    while (received < ahead + 5 + bytes.length) {
      const { data, control } = await it.peer.recvmsg({ controlSize: CONTROL });
      for (const part of control) {
        if (part.kind !== 'rights') continue;
        count += part.fds.length;
        where = received + data.length;
        part.fds.forEach((fd) => fd.close());
      }
      const from = Math.max(0, ahead + 5 - received);
      digest.update(data.subarray(from));
      received += data.length;
    }
    await drained;
    expect(count).toBe(2);
    expect(where).toBeGreaterThan(ahead + 5);
    expect(digest.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(descriptors()).toBe(before);
  });

  test('the same bytes twice are two writes with descriptors of their own', async () => {
    using it = ends();
    const bytes = Buffer.from('x');
    it.duplex.cork();
    it.duplex.writeWithFds(bytes, [file]);
    it.duplex.write(bytes);
    it.duplex.writeWithFds(bytes, [file, file, file]);
    it.duplex.uncork();
    const seen = [await take(it.peer, 1), await take(it.peer, 1), await take(it.peer, 1)];
    expect(seen.map(([, count]) => count)).toEqual([1, 0, 3]);
  });

  test('without descriptors it is a write, on any socket', async () => {
    await using tcp = await tcp4();
    const duplex = tcp.server.toDuplex();
    await new Promise((resolve) => duplex.writeWithFds('plain', [], resolve));
    expect((await tcp.client.readExactly(5)).toString()).toBe('plain');
    duplex.destroy();
  });

  test('from one Duplex to the other, thousands, none lost and none left', async () => {
    const { a, b } = sockets();
    const [one, other] = [new StreamSocket(a).toDuplex(), new StreamSocket(b).toDuplex()];
    const before = descriptors();
    const MANY = 2000;
    let [bytes, count] = [0, 0];
    other.on('fds', (fds: OwnedFd[]) => {
      count += fds.length;
      fds.forEach((fd) => fd.close());
    });
    other.on('data', (chunk: Buffer) => (bytes += chunk.length));
    for (let i = 0; i < MANY; i++) {
      if (!one.writeWithFds(Buffer.alloc(i + 1), [file, file])) await once(one, 'drain');
    }
    one.end();
    await once(other, 'end');
    expect([bytes, count]).toEqual([(MANY * (MANY + 1)) / 2, 2 * MANY]);
    expect(descriptors()).toBe(before);
    one.destroy();
    other.destroy();
  });

  test('written while it is being connected', async () => {
    const path = abstractName();
    await using listener = await listen({ path });
    const duplex = createConnection({ path });
    duplex.writeWithFds('early', [file]);
    duplex.write('later');
    const heard = new Promise<OwnedFd[]>((resolve) => duplex.once('fds', resolve));
    duplex.resume();
    const peer = await listener.accept();
    expect(await take(peer.socket, 5)).toEqual(['early', 1]);
    expect(await take(peer.socket)).toEqual(['later', 0]);
    await passTo(peer.socket, 'x', [file]);
    (await heard).forEach((fd) => fd.close());
    duplex.destroy();
    peer.abort();
  });

  test('destroyed while they wait: the callback hears, and the descriptors are still the caller’s', async () => {
    using it = ends();
    using sent = files();
    await fill(it.socket);
    const before = descriptors();
    const errors = [1, 2].map(
      () =>
        new Promise<Failure>((resolve) =>
          it.duplex.writeWithFds('x', sent.fds, (error) => resolve(error as Failure)),
        ),
    );
    it.duplex.destroy();
    const codes = (await Promise.all(errors)).map(({ code }) => code);
    expect(codes).toEqual(['ERR_SOCKET_CLOSED', 'ERR_SOCKET_CLOSED']);
    await until(() => it.duplex.closed);
    expect(descriptors()).toBe(before);
    sent.fds.forEach((fd) => fstatSync(fd));
  });

  test('one that was closed before its turn: EBADF, and the stream has failed', async () => {
    using it = ends();
    const { a, b } = sockets();
    it.duplex.cork();
    it.duplex.write('sound');
    const told = new Promise((resolve) => it.duplex.writeWithFds('x', [a], resolve));
    it.duplex.write('never');
    a.close();
    b.close();
    const failed = once(it.duplex, 'error');
    it.duplex.uncork();
    expect(await failed).toMatchObject([{ code: 'EBADF', syscall: 'write', bytesTransferred: 5 }]);
    expect(await told).toMatchObject({ code: 'EBADF' });
    expect(await take(it.peer)).toEqual(['sound', 0]);
    expect(await take(it.peer)).toEqual(['', 0]);
  });
});

describe('misuse is told at once', () => {
  test.each([
    ['fds', 'x', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['fds', 'x', 3, 'ERR_INVALID_ARG_TYPE'],
    ['fds[1]', 'x', [0, 'one'], 'ERR_INVALID_ARG_TYPE'],
    // eslint-disable-next-line no-sparse-arrays -- a hole is no descriptor
    ['fds[0]', 'x', [, 0], 'ERR_INVALID_ARG_TYPE'],
    ['fds[0]', 'x', [-1], 'ERR_OUT_OF_RANGE'],
    ['fds[0]', 'x', [0.5], 'ERR_OUT_OF_RANGE'],
    ['fds.length', 'x', Array(254).fill(0), 'ERR_OUT_OF_RANGE'],
    ['bytes', '', [0], 'ERR_INVALID_ARG_VALUE'],
    ['bytes', new Uint8Array(0), [0], 'ERR_INVALID_ARG_VALUE'],
    ['bytes', undefined, [0], 'ERR_INVALID_ARG_TYPE'],
    ['bytes', 5, [], 'ERR_INVALID_ARG_TYPE'],
  ])('%s, %#', (name, bytes, fds, code) => {
    using it = ends();
    const error = thrown(() => it.duplex.writeWithFds(bytes as string, fds as number[]));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`"${name}"`);
  });

  test('on TCP, connected and connecting', async () => {
    await using tcp = await tcp4();
    await using listener = await listen({ host: '127.0.0.1', port: 0 });
    const connecting = createConnection({ host: '127.0.0.1', port: listener.address.port });
    for (const duplex of [tcp.server.toDuplex(), connecting]) {
      const error = thrown(() => duplex.writeWithFds('x', [file]));
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
      expect(error.message).toContain('"fds" argument must be empty where');
      duplex.destroy();
    }
    await once(connecting, 'close');
  });

  test('behind the end: as write', async () => {
    using it = ends();
    it.duplex.on('error', () => undefined).end();
    const error = await new Promise((resolve) => it.duplex.writeWithFds('x', [file], resolve));
    expect(error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });
});

// The kernel's part, on which the above rests.
test('unix(7): a read stops behind the bytes that descriptors came with', async () => {
  using pair = sockets();
  await pair.a.send(Buffer.from('before '));
  await passTo(pair.a, 'with', [file]);
  await pair.a.send(Buffer.from(' after'));
  expect(await take(pair.b)).toEqual(['before with', 1]);
  expect(await take(pair.b)).toEqual([' after', 0]);
  expect(C.SCM_RIGHTS).toBe(1);
});
