// toDuplex(): a byte stream as a stream.Duplex with both pressures.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect as netConnect, createServer as createNetServer, type AddressInfo } from 'node:net';
import { Duplex, finished, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants as C, SocketDuplex, type InetAddress } from '../../lib/index';
import { runInChild } from '../support/child';
import { leavesNoSockets, nameOf, openSockets } from '../support/descriptors';
import { rejection, thrown, type Failure } from '../support/outcomes';
import { abstract, tcp4, type StreamPair } from '../support/streams';
import { isPending, turn, turns, until } from '../support/turns';

leavesNoSockets();

const MEGABYTES = 24 << 20;

interface Ends extends AsyncDisposable {
  readonly pair: StreamPair;
  readonly duplex: SocketDuplex;
}

/** The server's end as a Duplex, the client's as it is. */
async function ends(make: () => Promise<StreamPair>, options?: object): Promise<Ends> {
  const pair = await make();
  const duplex = pair.server.toDuplex(options);
  return {
    pair,
    duplex,
    async [Symbol.asyncDispose](): Promise<void> {
      duplex.on('error', () => undefined).destroy();
      await pair[Symbol.asyncDispose]();
    },
  };
}

function closeOf(duplex: Duplex): Promise<unknown> {
  return duplex.closed ? Promise.resolve() : once(duplex, 'close');
}

async function errorOf(duplex: Duplex): Promise<Failure> {
  const [error] = (await once(duplex, 'error')) as [Failure];
  return error;
}

describe('duplex: both pressures', () => {
  test('nothing is read from the kernel before somebody wants it', async () => {
    await using it = await ends(tcp4);
    await it.pair.client.write('unasked');
    await turns(20);
    expect(it.duplex.bytesRead).toBe(0);
    expect(it.duplex.readableLength).toBe(0);
    it.duplex.resume();
    await until(() => it.duplex.bytesRead === 7);
  });

  test('no more than the mark and one chunk is read while nobody takes it', async () => {
    const MARK = 100_000;
    await using it = await ends(tcp4, { readableHighWaterMark: MARK });
    const writing = it.pair.client.write(Buffer.alloc(MEGABYTES));
    it.duplex.read(0);
    await until(() => it.duplex.readableLength >= MARK);
    await turns(50);
    expect(it.duplex.readableLength).toBeLessThan(MARK + 65536);
    expect(it.duplex.bytesRead).toBe(it.duplex.readableLength);
    // The pressure has reached the other end's kernel.
    expect(await isPending(writing)).toBe(true);
    expect(it.pair.client.bytesWritten).toBeLessThan(MEGABYTES);
    it.duplex.resume();
    await writing;
    await until(() => it.duplex.bytesRead === MEGABYTES);
  });

  test('pause stops reading, and resume goes on', async () => {
    await using it = await ends(tcp4);
    const writing = it.pair.client.write(Buffer.alloc(MEGABYTES));
    it.duplex.resume();
    await until(() => it.duplex.bytesRead > 0);
    it.duplex.pause();
    await turns(5);
    const held = it.duplex.bytesRead;
    await turns(50);
    expect(it.duplex.bytesRead).toBe(held);
    expect(it.duplex.readableLength).toBeLessThan(it.duplex.readableHighWaterMark + 65536);
    it.duplex.resume();
    await writing;
    await until(() => it.duplex.bytesRead === MEGABYTES);
  });

  test('a write is done when the kernel has it, and not before', async () => {
    await using it = await ends(tcp4);
    const done: number[] = [];
    const chunk = Buffer.alloc(4 << 20);
    for (let i = 0; i < 5; i++) it.duplex.write(chunk, () => done.push(i));
    expect(it.duplex.writableNeedDrain).toBe(true);
    await turns(50);
    expect(done.length).toBeLessThan(5);
    expect(it.duplex.bytesWritten).toBeLessThan(5 * chunk.length);
    const drained = once(it.duplex, 'drain');
    const reading = it.pair.client.readExactly(5 * chunk.length);
    await drained;
    await until(() => done.length === 5);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(it.duplex.bytesWritten).toBe(5 * chunk.length);
    await reading;
  });

  test('a pipeline of megabytes arrives whole, through a slow reader', async () => {
    await using it = await ends(tcp4);
    const data = randomBytes(MEGABYTES);
    const hash = createHash('sha256');
    let most = 0;
    const client = it.pair.client.toDuplex();
    await Promise.all([
      pipeline(Readable.from(chunksOf(data)), client),
      pipeline(
        it.duplex,
        new Transform({
          transform(chunk: Buffer, _encoding, done): void {
            most = Math.max(most, it.duplex.readableLength);
            hash.update(chunk);
            setImmediate(done);
          },
        }),
      ),
    ]);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    expect(most).toBeLessThan(it.duplex.readableHighWaterMark + 65536);
    expect(it.duplex.bytesRead).toBe(MEGABYTES);
    expect(client.bytesWritten).toBe(MEGABYTES);
  });

  test('thousands of small writes go together', async () => {
    await using it = await ends(abstract);
    const texts = Array.from({ length: 5000 }, (_, i) => `${i};`);
    const sends = jest.spyOn(it.pair.server, 'put');
    it.duplex.cork();
    for (const text of texts) it.duplex.write(text);
    it.duplex.uncork();
    it.duplex.end();
    let received = '';
    for await (const chunk of it.pair.client) received += chunk.toString();
    expect(received).toBe(texts.join(''));
    expect(sends).toHaveBeenCalledTimes(1);
  });
});

function* chunksOf(data: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7) % 200_003 || 1)
    yield data.subarray(at, at + size);
}

describe('duplex: ends', () => {
  test('promise 5: the peer’s end is an end, and writing goes on', async () => {
    await using it = await ends(tcp4);
    const ended = once(it.duplex, 'end');
    it.duplex.resume();
    await it.pair.client.end();
    await ended;
    expect(it.duplex).toMatchObject({ readableEnded: true, destroyed: false, writable: true });
    it.duplex.end('still here');
    expect((await it.pair.client.readExactly(10)).toString()).toBe('still here');
    expect(await it.pair.client.read()).toBeNull();
    // Both have ended: it is closed by itself.
    await closeOf(it.duplex);
    expect(it.pair.server.socket.closed).toBe(true);
  });

  test('promise 5: end half-closes, and reading goes on', async () => {
    await using it = await ends(tcp4);
    it.duplex.end('question');
    await once(it.duplex, 'finish');
    expect((await it.pair.client.readExactly(8)).toString()).toBe('question');
    expect(await it.pair.client.read()).toBeNull();
    expect(it.duplex.destroyed).toBe(false);
    await it.pair.client.write('answer');
    await it.pair.client.end();
    let answer = '';
    for await (const chunk of it.duplex) answer += String(chunk);
    expect(answer).toBe('answer');
    await closeOf(it.duplex);
  });

  test('finish comes when the peer can see the end', async () => {
    await using it = await ends(tcp4);
    const data = Buffer.alloc(MEGABYTES, 1);
    let finish = false;
    it.duplex.once('finish', () => {
      finish = true;
    });
    it.duplex.end(data);
    await turns(20);
    expect(finish).toBe(false);
    let bytes = 0;
    for await (const chunk of it.pair.client) bytes += chunk.length;
    expect(bytes).toBe(data.length);
    await until(() => finish);
  });

  test('allowHalfOpen: false ends with the peer', async () => {
    await using it = await ends(tcp4, { allowHalfOpen: false });
    it.duplex.resume();
    await it.pair.client.end();
    await closeOf(it.duplex);
    expect(await it.pair.client.read()).toBeNull();
  });

  test('stream.finished sees the end of both', async () => {
    await using it = await ends(tcp4);
    const done = new Promise((resolve) => finished(it.duplex, resolve));
    it.duplex.resume().end();
    await it.pair.client.end();
    expect(await done).toBeUndefined();
  });

  test('close of the endpoint closes it without an error', async () => {
    await using it = await ends(tcp4);
    it.duplex.resume();
    await turns(2);
    const closing = it.pair.server.close();
    await closeOf(it.duplex);
    expect(it.duplex.errored).toBeNull();
    await it.pair.client.close();
    await closing;
  });
});

describe('duplex: destroy', () => {
  type State = [string, (it: Ends) => void | Promise<void>];

  const STATES: readonly State[] = [
    ['that nobody has used', () => undefined],
    [
      'that waits for input',
      async ({ duplex }) => {
        duplex.resume();
        await turns(2);
      },
    ],
    [
      'that has input nobody takes',
      async ({ pair, duplex }) => {
        await pair.client.write('unread');
        duplex.read(0);
        await until(() => duplex.readableLength > 0);
      },
    ],
    [
      'with a write that waits',
      async ({ duplex }) => {
        duplex.write(Buffer.alloc(MEGABYTES), () => undefined);
        await turns(2);
      },
    ],
    [
      'with writes that wait for their turn',
      ({ duplex }) => {
        for (let i = 0; i < 5; i++) duplex.write(Buffer.alloc(MEGABYTES), () => undefined);
      },
    ],
    [
      'with an end that waits',
      async ({ duplex }) => {
        duplex.end(Buffer.alloc(MEGABYTES), () => undefined);
        await turns(2);
      },
    ],
    ['that is corked', ({ duplex }) => (duplex.cork(), void duplex.write('never'))],
    [
      'whose peer has ended',
      async ({ pair, duplex }) => {
        duplex.resume();
        await pair.client.end();
        await once(duplex, 'end');
      },
    ],
    [
      'that has ended',
      async ({ duplex }) => {
        duplex.end();
        await once(duplex, 'finish');
      },
    ],
    [
      'whose peer has gone',
      async ({ pair }) => {
        pair.client.abort();
        await pair.server.socket.ready({ read: true });
      },
    ],
    ['whose endpoint is closed', ({ pair }) => pair.server.socket.close()],
  ];

  describe.each(STATES)('one %s', (_what, prepare) => {
    test('closes its socket, says so once, and without an error', async () => {
      await using it = await ends(tcp4);
      const name = nameOf(it.pair.server.socket.fd);
      await prepare(it);
      const events: string[] = [];
      it.duplex.on('close', () => events.push('close'));
      it.duplex.on('error', ({ code }: Failure) => events.push(`error ${String(code)}`));
      expect(it.duplex.destroy()).toBe(it.duplex);
      it.duplex.destroy();
      expect(it.pair.server.socket.closed).toBe(true);
      expect(openSockets().some((entry) => entry.endsWith(name))).toBe(false);
      await until(() => events.length > 0);
      await turns(5);
      expect(events).toEqual(['close']);
      expect([it.duplex.destroyed, it.duplex.closed]).toEqual([true, true]);
    });

    test('with an error says that, and then closes', async () => {
      await using it = await ends(tcp4);
      await prepare(it);
      const events: string[] = [];
      it.duplex.on('close', () => events.push('close'));
      it.duplex.on('error', ({ message }) => events.push(`error ${message}`));
      it.duplex.destroy(new Error('mine'));
      await until(() => events.length > 1);
      await turns(5);
      expect(events).toEqual(['error mine', 'close']);
      expect(it.pair.server.socket.closed).toBe(true);
    });
  });

  test('the callbacks of writes that waited are called, with an error', async () => {
    await using it = await ends(tcp4);
    const outcomes: (Failure | null | undefined)[] = [];
    for (let i = 0; i < 3; i++)
      it.duplex.write(Buffer.alloc(MEGABYTES), (error) => outcomes.push(error));
    await turns(2);
    it.duplex.destroy();
    await until(() => outcomes.length === 3);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(Error);
  });

  test('promise 4: it leaves a reused descriptor’s number alone', async () => {
    await using it = await ends(tcp4);
    it.duplex.resume();
    await turns(2);
    const { fd } = it.pair.server.socket;
    it.duplex.destroy();
    await using other = await tcp4();
    expect([other.client.socket.fd, other.server.socket.fd]).toContain(fd);
    it.duplex.destroy();
    it.duplex.resetAndDestroy();
    await turns();
    await other.client.write('alive');
    expect((await other.server.readExactly(5)).toString()).toBe('alive');
  });

  test('resetAndDestroy: the peer’s read is ECONNRESET', async () => {
    await using it = await ends(tcp4);
    const reading = rejection(it.pair.client.read());
    expect(it.duplex.resetAndDestroy()).toBe(it.duplex);
    await closeOf(it.duplex);
    expect(await reading).toMatchObject({ code: 'ECONNRESET' });
    expect(it.duplex.errored).toBeNull();
  });

  test('a pipeline that fails destroys it', async () => {
    await using it = await ends(tcp4);
    const mistake = new Error('mine');
    const piping = rejection(
      pipeline(
        it.duplex,
        new Writable({
          write(_chunk, _encoding, done): void {
            done(mistake);
          },
        }),
      ),
    );
    await it.pair.client.write('x');
    expect(await piping).toBe(mistake);
    await closeOf(it.duplex);
    expect(it.pair.server.socket.closed).toBe(true);
  });

  test('leaving an iteration destroys it, as with every Readable', async () => {
    await using it = await ends(tcp4);
    await it.pair.client.write('x');
    for await (const chunk of it.duplex) {
      expect(String(chunk)).toBe('x');
      break;
    }
    await closeOf(it.duplex);
    expect(it.pair.server.socket.closed).toBe(true);
  });
});

describe('duplex: errors are those of net', () => {
  const ALIKE = ['code', 'errno', 'syscall', 'message', 'name'] as const;

  /** The same with node:net, over a connection whose peer is one of ours. */
  async function ofNet(
    act: (socket: ReturnType<typeof netConnect>, reset: () => void) => void,
  ): Promise<Failure> {
    const server = createNetServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = netConnect(port, '127.0.0.1');
    const connected = once(socket, 'connect');
    const [peer] = (await once(server, 'connection')) as [ReturnType<typeof netConnect>];
    await connected;
    const failing = errorOf(socket);
    act(socket, () => peer.resetAndDestroy());
    const error = await failing;
    await closeOf(socket);
    server.close();
    await once(server, 'close');
    return error;
  }

  function pick(error: Failure): Record<string, unknown> {
    return Object.fromEntries(ALIKE.map((key) => [key, error[key]]));
  }

  test('a reset while it reads', async () => {
    await using it = await ends(tcp4);
    const failing = errorOf(it.duplex);
    it.duplex.resume();
    it.pair.client.abort();
    const error = await failing;
    const theirs = await ofNet((socket, reset) => {
      socket.resume();
      reset();
    });
    expect(pick(error)).toEqual(pick(theirs));
    expect(pick(error)).toEqual({
      code: 'ECONNRESET',
      errno: -C.ECONNRESET,
      syscall: 'read',
      message: 'read ECONNRESET',
      name: 'Error',
    });
    await closeOf(it.duplex);
    expect(it.pair.server.socket.closed).toBe(true);
  });

  test('a write that the peer’s reset cuts short', async () => {
    await using it = await ends(tcp4);
    const failing = errorOf(it.duplex);
    let called: Failure | null | undefined;
    it.duplex.write(Buffer.alloc(MEGABYTES), (error) => {
      called = error;
    });
    await turn();
    it.pair.client.abort();
    const error = await failing;
    expect(called).toBe(error);
    expect(error).toMatchObject({ syscall: 'write' });
    expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
    await closeOf(it.duplex);
  });

  test('addresses are in net’s shape, before and after', async () => {
    await using it = await ends(tcp4);
    const local = it.pair.server.localAddress as InetAddress;
    const remote = it.pair.client.localAddress as InetAddress;
    const expected = {
      localAddress: '127.0.0.1',
      localPort: local.port,
      localFamily: 'IPv4',
      remoteAddress: '127.0.0.1',
      remotePort: remote.port,
      remoteFamily: 'IPv4',
    };
    expect(it.duplex).toMatchObject(expected);
    it.duplex.destroy();
    expect(it.duplex).toMatchObject(expected);
  });

  test('addresses that nobody asked for in time are undefined, not an error', async () => {
    for (const end of ['client', 'server'] as const) {
      await using pair = await tcp4();
      const duplex = pair[end].toDuplex();
      duplex.destroy();
      await closeOf(duplex);
      expect([undefined, '127.0.0.1']).toContain(duplex.localAddress);
      expect([undefined, '127.0.0.1']).toContain(duplex.remoteAddress);
      expect([undefined, 'IPv4']).toContain(duplex.localFamily);
      expect(() => [duplex.localPort, duplex.remotePort, duplex.remoteFamily]).not.toThrow();
    }
  });

  test('a Unix stream has no address and no port', async () => {
    await using it = await ends(abstract);
    expect(it.duplex.remoteAddress).toBeUndefined();
    expect(it.duplex.localPort).toBeUndefined();
  });
});

describe('duplex: as a stream among streams', () => {
  test('it is a Duplex, of bytes, whatever its options say', async () => {
    await using it = await ends(tcp4, { objectMode: true, decodeStrings: false });
    expect(it.duplex).toBeInstanceOf(Duplex);
    expect(it.duplex).toBeInstanceOf(SocketDuplex);
    expect(it.duplex.readableObjectMode).toBe(false);
    it.duplex.write('ünïcode');
    expect((await it.pair.client.readExactly(9)).toString()).toBe('ünïcode');
    it.duplex.write('6869', 'hex');
    expect((await it.pair.client.readExactly(2)).toString()).toBe('hi');
  });

  test('setEncoding gives strings', async () => {
    await using it = await ends(tcp4);
    it.duplex.setEncoding('utf8');
    const data = once(it.duplex, 'data');
    await it.pair.client.write('ü');
    expect(await data).toEqual(['ü']);
  });

  test('readable and read()', async () => {
    await using it = await ends(tcp4);
    const readable = once(it.duplex, 'readable');
    await it.pair.client.write('abcdef');
    await readable;
    expect(String(it.duplex.read(4))).toBe('abcd');
    expect(String(it.duplex.read())).toBe('ef');
    expect(it.duplex.read()).toBeNull();
  });

  test('piped into itself it is an echo', async () => {
    await using it = await ends(abstract);
    it.duplex.pipe(new PassThrough()).pipe(it.duplex);
    const data = randomBytes(1 << 20);
    const [, echo] = await Promise.all([
      it.pair.client.write(data),
      it.pair.client.readExactly(data.length),
    ]);
    expect(echo.equals(data)).toBe(true);
  });

  test('HTTP runs over it, on both sides', async () => {
    await using pair = await tcp4();
    const server = createServer((asked, answer) => {
      answer.end(`you asked for ${asked.url!}`);
    });
    server.emit('connection', pair.server.toDuplex());
    const asking = request({ path: '/this', createConnection: () => pair.client.toDuplex() });
    const answering = once(asking, 'response');
    asking.end();
    const [answer] = (await answering) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect(text).toBe('you asked for /this');
  });

  test('a timeout is counted from when it was set, whatever went before', async () => {
    await using made = await ends(tcp4);
    const { duplex } = made;
    await new Promise((written) => duplex.write('before', written));
    const came: string[] = [];
    // Timers of one thread ring in the order of their times, however late it is.
    duplex.setTimeout(20, () => came.push('timeout'));
    await new Promise((later) => setTimeout(later, 35));
    expect(came).toEqual(['timeout']);
  });

  test('a timeout that is none leaves the one that was set', async () => {
    await using made = await ends(tcp4);
    made.duplex.setTimeout(1);
    for (const [wrong, code] of [
      ['1', 'ERR_INVALID_ARG_TYPE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [Infinity, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      const error = thrown(() => made.duplex.setTimeout(wrong as number));
      expect(error).toMatchObject({ code });
    }
    expect(made.duplex.timeout).toBe(1);
    await once(made.duplex, 'timeout');
  });

  test('unref lets the process end, ref keeps it', async () => {
    expect(
      await runInChild(`
        const listener = await eagain.listen({ host: '127.0.0.1', port: 0 });
        const client = await eagain.connect({ host: '127.0.0.1', port: listener.address.port });
        const peer = await listener.accept();
        globalThis.kept = [listener, peer];
        const duplex = client.toDuplex();
        duplex.ref().unref();
        duplex.resume();
        report('reading');
      `),
    ).toBe('reading');
  });
});
