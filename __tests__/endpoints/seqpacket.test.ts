// SeqpacketSocket: records, empty ones among them, and the end.

import { lastValueFrom, toArray } from 'rxjs';
import {
  connect,
  constants as C,
  listen,
  SeqpacketSocket,
  Socket,
  socketpair,
} from '../../lib/index';
import { leavesNoSockets, openSockets } from '../support/descriptors';
import { seqpacket } from '../support/messages';
import { abstractName } from '../support/names';
import { rejection } from '../support/outcomes';
import { turns } from '../support/turns';

leavesNoSockets();

async function texts(socket: SeqpacketSocket): Promise<string[]> {
  const got: string[] = [];
  for await (const { data } of socket) got.push(data.toString());
  return got;
}

async function pairOf(): Promise<AsyncDisposable & { a: SeqpacketSocket; b: SeqpacketSocket }> {
  const pair = await seqpacket();
  return pair as typeof pair & { a: SeqpacketSocket; b: SeqpacketSocket };
}

test('promise 7: an empty SEQPACKET record is not the end', async () => {
  await using pair = await pairOf();
  for (const text of ['', 'x', '', '']) await pair.a.send(text);
  await pair.a.end();
  expect(await pair.b.receive()).toMatchObject({ length: 0 });
  expect(await pair.b.receive()).toMatchObject({ length: 1 });
  expect(await pair.b.receive()).toMatchObject({ length: 0 });
  expect(await pair.b.receive()).toMatchObject({ length: 0 });
  expect(await pair.b.receive()).toBeNull();
  expect(await pair.b.receive()).toBeNull();
  expect(await pair.b.receiveBatch(5)).toEqual([]);
});

test('promise 7: also where it is the last one, and where it comes alone', async () => {
  await using pair = await pairOf();
  const receiving = pair.b.receive();
  await turns(2);
  await pair.a.send('');
  expect(await receiving).toMatchObject({ length: 0, truncated: false });
  const ending = pair.b.receive();
  await turns(2);
  await pair.a.end();
  expect(await ending).toBeNull();
});

test('promise 7: records that were sent before the connection was accepted', async () => {
  const path = abstractName();
  await using server = await listen({ type: 'seqpacket', path });
  const client = Socket.open('unix', 'seqpacket');
  await client.connect({ path });
  for (const text of ['', 'early', '']) await client.send(Buffer.from(text));
  client.close();
  const peer = await server.accept();
  expect(await texts(peer)).toEqual(['', 'early', '']);
  peer.socket.close();
});

test('promise 7: a hundred empty records, then the end, by every way', async () => {
  for (const receive of [
    texts,
    (socket: SeqpacketSocket) => lastValueFrom(socket.observe().pipe(toArray())),
    async (socket: SeqpacketSocket) => {
      const all = [];
      for (;;) {
        const some = await socket.receiveBatch(7);
        if (some.length === 0) return all;
        all.push(...some);
      }
    },
  ]) {
    await using pair = await pairOf();
    for (let i = 0; i < 100; i++) await pair.a.send('');
    await pair.a.end();
    expect(await receive(pair.b)).toHaveLength(100);
  }
});

test('promise 7: every record of every size keeps its edges', async () => {
  await using pair = await pairOf();
  const sizes = Array.from({ length: 500 }, (_, i) => (i * 97) % 3000);
  const sending = (async () => {
    for (const size of sizes) await pair.a.send(Buffer.alloc(size, size & 0xff));
    await pair.a.end();
  })();
  let i = 0;
  for await (const { data, length, truncated } of pair.b) {
    expect([length, truncated]).toEqual([sizes[i], false]);
    expect(data.equals(Buffer.alloc(sizes[i], sizes[i] & 0xff))).toBe(true);
    i++;
  }
  await sending;
  expect(i).toBe(sizes.length);
});

test('promise 7: a record that is cut says so, and the next one is whole', async () => {
  await using pair = await pairOf();
  await pair.a.send('0123456789');
  await pair.a.send('next');
  expect(await pair.b.receive({ size: 3 })).toMatchObject({ length: 10, truncated: true });
  expect((await pair.b.receive())?.data.toString()).toBe('next');
});

test('promise 5: the end of one direction leaves the other one open', async () => {
  await using pair = await pairOf();
  await pair.a.send('question');
  await pair.a.end();
  expect(await texts(pair.b)).toEqual(['question']);
  await pair.b.send('answer');
  expect((await pair.a.receive())?.data.toString()).toBe('answer');
  expect(await rejection(pair.a.send('more'))).toMatchObject({ code: 'EPIPE', syscall: 'send' });
});

test('promise 5: end goes behind all that was sent', async () => {
  await using pair = await pairOf();
  const sending = Array.from({ length: 400 }, (_, i) => pair.a.send(`${i}`));
  const ending = pair.a.end();
  expect(await texts(pair.b)).toEqual(sending.map((_, i) => `${i}`));
  await Promise.all([...sending, ending]);
});

test('promise 5: close does not turn unread records into a lost reply', async () => {
  await using pair = await pairOf();
  await pair.a.send('unread');
  await pair.b.send('reply');
  const closing = pair.b.close();
  expect(await texts(pair.a)).toEqual(['reply']);
  await pair.a.close();
  await closing;
  expect(pair.b.socket.closed).toBe(true);

  // Which close(2) alone would: what is unread makes the end a reset, which overtakes the reply.
  await using other = await pairOf();
  await other.a.send('unread');
  await other.b.send('reply');
  other.b.socket.close();
  expect(await rejection(other.a.receive())).toMatchObject({ code: 'ECONNRESET' });
});

test('promise 4: close ends what iterates and rejects what receives', async () => {
  await using pair = await pairOf();
  const receiving = rejection(pair.b.receive());
  const iterating = texts(pair.b);
  await turns(2);
  const closing = pair.b.close({ linger: 60_000 });
  expect(await receiving).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  expect(await iterating).toEqual([]);
  expect(await rejection(pair.b.send('x'))).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  expect(await rejection(pair.b.end())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  await pair.a.close();
  await closing;
});

test('seqpacket: a peer that is gone is the end, and sending to it an error', async () => {
  await using pair = await pairOf();
  pair.a.socket.close();
  expect(await pair.b.receive()).toBeNull();
  expect(await rejection(pair.b.send('x'))).toMatchObject({ code: 'EPIPE' });
  await pair.b.end();
});

test('seqpacket: descriptors that come along are closed, and the record says that they are gone', async () => {
  const [a, b] = socketpair('seqpacket');
  using sender = a;
  using receiver = b;
  const records = new SeqpacketSocket(receiver);
  const before = openSockets().length;
  const control = [{ kind: 'rights', fds: [sender, sender] }] as const;
  await sender.sendmsg({ data: Buffer.from('x'), control });
  await sender.sendmsg({ data: Buffer.alloc(0), control });
  const told = { controlTruncated: true, control: [] };
  expect(await records.receive()).toMatchObject({ length: 1, ...told });
  expect(await records.receive()).toMatchObject({ length: 0, ...told });
  expect(openSockets()).toHaveLength(before);
  sender.shutdown('write');
  expect(await records.receive()).toBeNull();
});

test("seqpacket: the kernel's stamps are seen by those who have asked for them", async () => {
  for (const option of [undefined, C.SO_TIMESTAMP, C.SO_TIMESTAMPNS]) {
    for (const when of ['before', 'after']) {
      const [a, b] = socketpair('seqpacket');
      using sender = a;
      using receiver = b;
      const ask = (): void => {
        if (option !== undefined) receiver.setsockopt(C.SOL_SOCKET, option, true);
      };
      if (when === 'before') ask();
      const records = new SeqpacketSocket(receiver);
      if (when === 'after') ask();
      await sender.send(Buffer.alloc(0));
      const record = (await records.receive())!;
      expect(record.control.map(({ kind }) => kind)).toEqual(option ? ['timestamp'] : []);
      expect(typeof record.timestamp).toBe(option ? 'bigint' : 'undefined');
      expect(record.controlTruncated).toBe(false);
      sender.shutdown('write');
      expect(await records.receive()).toBeNull();
    }
  }
});

test('promise 7: whoever switches stamps on and off, an empty record is not the end', async () => {
  const [a, b] = socketpair('seqpacket');
  using sender = a;
  using receiver = b;
  const records = new SeqpacketSocket(receiver);
  for (const option of [
    C.SO_TIMESTAMP,
    C.SO_TIMESTAMPNS,
    C.SO_TIMESTAMP_NEW,
    C.SO_TIMESTAMPNS_NEW,
    C.SO_TIMESTAMPING,
  ]) {
    // SOF_TIMESTAMPING_SOFTWARE, where it is flags; just on for the others.
    receiver.setsockopt(C.SOL_SOCKET, option, 0x10);
    for (const data of ['', 'x']) {
      // One of them before the option, one behind it.
      await sender.send(Buffer.from(data));
      receiver.setsockopt(C.SOL_SOCKET, option, false);
      await sender.send(Buffer.from(data));
      for (let i = 0; i < 2; i++) {
        const record = (await records.receive())!;
        expect([record.data.toString(), record.control]).toEqual([data, []]);
      }
    }
  }
  receiver.set('timestamps', false);
  await sender.send(Buffer.alloc(0));
  expect(await records.receive()).toMatchObject({ length: 0, control: [] });
  // Behind this library's back: what has bytes is no end.
  using other = receiver.dup();
  other.setsockopt(C.SOL_SOCKET, C.SO_TIMESTAMP, false);
  await sender.send(Buffer.from('x'));
  expect(await records.receive()).toMatchObject({ length: 1 });
  sender.shutdown('write');
  expect(await records.receive()).toBeNull();
});

test('seqpacket: a client that connects in the same breath', async () => {
  const path = abstractName();
  await using server = await listen({ type: 'seqpacket', path });
  const [client, peer] = await Promise.all([connect({ type: 'seqpacket', path }), server.accept()]);
  await Promise.all([client.send('a'), peer.send('b')]);
  const got = await Promise.all([client.receive(), peer.receive()]);
  expect(got.map((message) => message?.data.toString())).toEqual(['b', 'a']);
  client.socket.close();
  peer.socket.close();
});

test('detach hands the socket over without stamps that only this library wanted', () => {
  const [a, b] = socketpair('seqpacket');
  using _other = a;
  const on = (socket: Socket): number =>
    socket.getsockopt(C.SOL_SOCKET, C.SO_TIMESTAMP).readInt32LE();
  new SeqpacketSocket(b);
  expect(on(b)).toBe(1);
  const later = Socket.fromFd(b.detach());
  expect(on(later)).toBe(0);
  new SeqpacketSocket(later);
  later.set('timestamps', true);
  using last = Socket.fromFd(later.detach());
  expect(last.get('timestamps')).toBe(true);
});
