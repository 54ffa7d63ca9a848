// Every connected byte stream behaves alike, whatever it is made of and whoever made it.

import { createHash, randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Readable, Writable } from 'node:stream';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { temporaryFolder } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import {
  abstract,
  adopted,
  dualStack,
  tcp4,
  tcp6,
  unixPath,
  type StreamPair,
} from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();
const path = temporaryFolder();

interface Maker {
  readonly kind: string;
  readonly make: () => Promise<StreamPair>;
  readonly family: string;
  readonly possible?: boolean;
}

const MAKERS: readonly Maker[] = [
  { kind: 'TCP over IPv4', make: tcp4, family: 'IPv4' },
  { kind: 'TCP over IPv6', make: tcp6, family: 'IPv6', possible: HAS_IPV6 },
  { kind: 'IPv4 on a dual stack', make: dualStack, family: 'IPv4' },
  { kind: 'Unix, by path', make: () => unixPath(path()), family: 'unix' },
  { kind: 'Unix, abstract', make: abstract, family: 'unix' },
  { kind: 'socketpair, adopted', make: adopted, family: 'unix' },
];

const MEGABYTES = 4 << 20;

describe.each(MAKERS)('stream: $kind', ({ make, family, possible = true }) => {
  const test = needs('IPv6 on the loopback', possible);

  test('what is written is read, in both directions', async () => {
    await using pair = await make();
    await pair.client.write('ping');
    expect((await pair.server.readExactly(4)).toString()).toBe('ping');
    await pair.server.write(Buffer.from('pong'));
    expect((await pair.client.readExactly(4)).toString()).toBe('pong');
  });

  test('read gives what is there, at most its size, in memory of its own', async () => {
    await using pair = await make();
    await pair.client.write('abcdef');
    const first = await pair.server.read({ size: 4 });
    const second = await pair.server.read();
    expect(first?.toString()).toBe('abcd');
    expect(second?.toString()).toBe('ef');
    expect(first!.buffer === second!.buffer && first!.byteOffset === second!.byteOffset).toBe(
      false,
    );
  });

  test("read into the caller's memory says how much", async () => {
    await using pair = await make();
    await pair.client.write('abcdef');
    const memory = new Uint8Array(8).fill(0x2e);
    expect(await pair.server.read(memory.subarray(1, 5))).toBe(4);
    expect(Buffer.from(memory).toString()).toBe('.abcd...');
    expect(await pair.server.read(new DataView(memory.buffer))).toBe(2);
    expect(Buffer.from(memory).toString()).toBe('efbcd...');
  });

  test('read waits for bytes that come later', async () => {
    await using pair = await make();
    const reading = pair.server.read();
    await turns();
    expect(await isPending(reading)).toBe(true);
    await pair.client.write('late');
    expect((await reading)?.toString()).toBe('late');
  });

  test('readers get the bytes in the order in which they asked', async () => {
    await using pair = await make();
    const readings = Array.from({ length: 5 }, () => pair.server.readExactly(2));
    await pair.client.write('0011223344');
    expect((await Promise.all(readings)).map(String)).toEqual(['00', '11', '22', '33', '44']);
  });

  test('readExactly puts together what comes in pieces', async () => {
    await using pair = await make();
    const whole = pair.server.readExactly(6);
    for (const piece of ['ab', 'cd', 'ef']) {
      await pair.client.write(piece);
      await turns(2);
    }
    expect((await whole).toString()).toBe('abcdef');
    expect(await pair.server.readExactly(0)).toHaveLength(0);
  });

  test('promise 5: the end of one direction leaves the other one open', async () => {
    await using pair = await make();
    await pair.client.write('question');
    await pair.client.end();
    expect((await pair.server.readExactly(8)).toString()).toBe('question');
    expect(await pair.server.read()).toBeNull();
    expect(await pair.server.read(new Uint8Array(1))).toBeNull();
    await pair.server.write('answer');
    expect((await pair.client.readExactly(6)).toString()).toBe('answer');
    expect(pair.server.socket.closed).toBe(false);
    const error = await rejection(pair.client.write('more'));
    expect(error).toMatchObject({ code: 'EPIPE', syscall: 'write', bytesTransferred: 0 });
  });

  test('readExactly says what had come when the stream ended too early', async () => {
    await using pair = await make();
    const whole = pair.server.readExactly(10);
    await pair.client.write('abc');
    await pair.client.end();
    const error = await rejection(whole);
    expect(error).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE', bytesTransferred: 3 });
    expect(error.data?.toString()).toBe('abc');
  });

  test('megabytes arrive whole, and the counters count them', async () => {
    await using pair = await make();
    const data = randomBytes(MEGABYTES);
    const hash = createHash('sha256');
    const sending = pair.client.write(data).then(() => pair.client.end());
    for await (const chunk of pair.server) hash.update(chunk);
    await sending;
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    expect(pair.client.bytesWritten).toBe(MEGABYTES);
    expect(pair.server.bytesRead).toBe(MEGABYTES);
    expect(pair.server.bytesWritten).toBe(0);
    expect(pair.client.bytesRead).toBe(0);
  });

  test('megabytes go both ways at once through two Duplexes', async () => {
    await using pair = await make();
    const data = randomBytes(MEGABYTES);
    const echo = pair.server.toDuplex();
    const echoing = pipeline(echo, echo);
    const hash = createHash('sha256');
    const client = pair.client.toDuplex();
    await Promise.all([
      pipeline(Readable.from(pieces(data)), client),
      pipeline(
        client,
        new Writable({
          write(chunk: Buffer, _encoding, done): void {
            hash.update(chunk);
            done();
          },
        }),
      ),
      echoing,
    ]);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  });

  test('promise 6: concurrent writes arrive one after the other', async () => {
    await using pair = await make();
    const parts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));
    const sending = Promise.all(parts.map((part) => pair.client.write(part)));
    const received = await pair.server.readExactly(400_000);
    await sending;
    expect(received.toString() === parts.join('')).toBe(true);
  });

  test('promise 2: an aborted read has taken nothing', async () => {
    await using pair = await make();
    const controller = new AbortController();
    const reading = pair.server.read({ signal: controller.signal });
    await turns(2);
    controller.abort();
    await pair.client.write('kept');
    expect(await rejection(reading)).toMatchObject({ code: 'ABORT_ERR', name: 'AbortError' });
    expect((await pair.server.readExactly(4)).toString()).toBe('kept');
  });

  test('promise 4: close rejects what waits and ends the peer', async () => {
    await using pair = await make();
    const reading = rejection(pair.server.read());
    const closing = pair.server.close();
    expect(await reading).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(await pair.client.read()).toBeNull();
    await pair.client.close();
    await closing;
    expect(pair.server.socket.closed).toBe(true);
    expect(await rejection(pair.server.read())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await pair.server.close();
  });

  test('the iterator ends with the stream, and loses nothing when it is left early', async () => {
    await using pair = await make();
    await pair.client.write('one');
    for await (const chunk of pair.server) {
      expect(chunk.toString()).toBe('one');
      break;
    }
    await pair.client.write('two');
    await pair.client.end();
    const rest: string[] = [];
    for await (const chunk of pair.server) rest.push(chunk.toString());
    expect(rest.join('')).toBe('two');
  });

  test('both ends know both addresses', async () => {
    await using pair = await make();
    const { client, server } = pair;
    expect(client.remoteAddress).toEqual(server.localAddress);
    expect(server.remoteAddress).toEqual(client.localAddress);
    expect(client.remoteAddress.family).toBe(family);
  });
});

function* pieces(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 50_000) yield data.subarray(at, at + 50_000);
}
