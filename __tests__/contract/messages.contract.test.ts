// Every pair of connected message sockets behaves alike, whatever it is made of and whoever made it.

import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { constants as C, type Message } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import {
  adoptedDatagrams,
  adoptedSeqpackets,
  seqpacket,
  udp4,
  udp6,
  unixDatagram,
  type MessagePair,
} from '../support/messages';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { arrived } from '../support/streams';
import { isPending, turns } from '../support/turns';

leavesNoSockets();

interface Maker {
  readonly kind: string;
  readonly make: () => Promise<MessagePair>;
  readonly possible?: boolean;
  /** What finds no room with the receiver is lost, and the sender is not told. */
  readonly lossy?: boolean;
  readonly records?: boolean;
}

const MAKERS: readonly Maker[] = [
  { kind: 'UDP over IPv4', make: udp4, lossy: true },
  { kind: 'UDP over IPv6', make: udp6, possible: HAS_IPV6, lossy: true },
  { kind: 'Unix datagrams', make: unixDatagram },
  { kind: 'Unix datagrams, adopted', make: adoptedDatagrams },
  { kind: 'SEQPACKET', make: seqpacket, records: true },
  { kind: 'SEQPACKET, adopted', make: adoptedSeqpackets, records: true },
];

function texts(messages: readonly (Message | null)[]): string[] {
  return messages.map((message) => String(message?.data));
}

describe.each(MAKERS)('messages: $kind', (maker) => {
  const { make, possible = true, lossy = false, records = false } = maker;
  const test = needs('IPv6 on the loopback', possible);

  test('messages keep their edges, in both directions', async () => {
    await using pair = await make();
    for (const text of ['one', 'two', 'three']) await pair.a.send(text);
    await pair.b.send(Buffer.from('back'));
    const got = [await pair.b.receive(), await pair.b.receive(), await pair.b.receive()];
    expect(texts(got)).toEqual(['one', 'two', 'three']);
    expect(got[0]).toMatchObject({
      length: 3,
      truncated: false,
      controlTruncated: false,
      control: [],
    });
    expect(texts([await pair.a.receive()])).toEqual(['back']);
  });

  test('receive waits for a message that comes later', async () => {
    await using pair = await make();
    const receiving = pair.b.receive();
    await turns();
    expect(await isPending(receiving)).toBe(true);
    await pair.a.send('late');
    expect(texts([await receiving])).toEqual(['late']);
  });

  test('those who receive are served in the order in which they asked', async () => {
    await using pair = await make();
    const receiving = Array.from({ length: 6 }, () => pair.b.receive());
    for (let i = 0; i < 6; i++) await pair.a.send(String(i));
    expect(texts(await Promise.all(receiving))).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('promise 7: empty messages are messages', async () => {
    await using pair = await make();
    for (const data of ['', 'x', '', '']) await pair.a.send(data);
    expect(await pair.b.receive()).toMatchObject({ length: 0, truncated: false });
    expect((await pair.b.receiveBatch(2)).map(({ length }) => length)).toEqual([1, 0]);
    const iterator = pair.b.iterate();
    expect(await iterator.next()).toMatchObject({ done: false, value: { length: 0 } });
    const next = pair.b.receive();
    await pair.a.send('');
    expect(await next).toMatchObject({ length: 0 });
  });

  test('promise 7: what is cut says so, and how long it was', async () => {
    await using pair = await make();
    await pair.a.send('0123456789');
    await pair.a.send('next');
    const cut = (await pair.b.receive({ size: 4 }))!;
    expect(cut).toMatchObject({ length: 10, truncated: true });
    expect(cut.data.toString()).toBe('0123');
    const whole = (await pair.b.receive({ size: 4 }))!;
    expect(whole).toMatchObject({ length: 4, truncated: false });
    expect(whole.flags & C.MSG_TRUNC).toBe(0);
  });

  test('a size that is longer than the message is its own length', async () => {
    await using pair = await make();
    await pair.a.send('abc');
    expect((await pair.b.receive({ size: 1000 }))!.data).toEqual(Buffer.from('abc'));
  });

  test('data in pieces is one message', async () => {
    await using pair = await make();
    await pair.a.send([Buffer.from('ab'), new Uint8Array(0), Buffer.from('cd')]);
    await pair.a.send(new Uint16Array([0x6565]));
    expect(texts(await pair.b.receiveBatch(5))).toEqual(['abcd', 'ee']);
  });

  test('messages as long as they get arrive whole', async () => {
    await using pair = await make();
    // UDP's most is 65,535 less the headers; Unix' is the sender's buffer.
    for (const length of [1, 2048, 2049, 20_000, 65_000]) {
      const data = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length) & 0xff));
      await pair.a.send(data);
      const message = (await pair.b.receive())!;
      expect(message).toMatchObject({ length, truncated: false });
      expect(message.data.equals(data)).toBe(true);
    }
  });

  test('messages that are kept stay as they were', async () => {
    await using pair = await make();
    const kept: Message[] = [];
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 5; i++) await pair.a.send(Buffer.alloc(100, round * 5 + i));
      kept.push(...(await pair.b.receiveBatch(5)));
    }
    expect(kept).toHaveLength(200);
    expect(kept.every(({ data }, i) => data.equals(Buffer.alloc(100, i)))).toBe(true);
  });

  test('receiveBatch gives what is there, at most what it is asked for', async () => {
    await using pair = await make();
    for (let i = 0; i < 5; i++) await pair.a.send(String(i));
    expect(texts(await pair.b.receiveBatch(2))).toEqual(['0', '1']);
    expect(texts(await pair.b.receiveBatch(64))).toEqual(['2', '3', '4']);
    const waiting = pair.b.receiveBatch(10);
    await turns();
    expect(await isPending(waiting)).toBe(true);
    await pair.a.send('5');
    expect(texts(await waiting)).toEqual(['5']);
  });

  test('every way of receiving gets the next one, and none gets it twice', async () => {
    await using pair = await make();
    for (let i = 0; i < 8; i++) await pair.a.send(String(i));
    const iterator = pair.b.iterate();
    const got: string[] = [
      ...texts([await pair.b.receive()]),
      ...texts([(await iterator.next()).value ?? null]),
      ...texts(await pair.b.receiveBatch(2)),
      ...texts([await firstValueFrom(pair.b.observe())]),
      ...texts([(await iterator.next()).value ?? null]),
      ...texts(await pair.b.receiveBatch(9)),
    ];
    expect(got).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('sendBatch sends all in order, many per system call', async () => {
    await using pair = await make();
    const COUNT = lossy ? 150 : 700;
    const messages = Array.from({ length: COUNT }, (_, i) => ({ data: Buffer.from(String(i)) }));
    const sending = pair.a.sendBatch(messages);
    const got: string[] = [];
    while (got.length < COUNT) got.push(...texts(await pair.b.receiveBatch(50)));
    expect(await sending).toEqual({ sent: COUNT });
    expect(got).toEqual(messages.map(({ data }) => data.toString()));
  });

  test('sendBatch takes every kind of data', async () => {
    await using pair = await make();
    const sent = await pair.a.sendBatch([
      { data: Buffer.from('one') },
      { data: [Buffer.from('t'), Buffer.from('wo')] },
      { data: new Uint8Array(0) },
    ]);
    expect(sent).toEqual({ sent: 3 });
    expect(texts(await pair.b.receiveBatch(9))).toEqual(['one', 'two', '']);
    expect(await pair.a.sendBatch([])).toEqual({ sent: 0 });
  });

  test('sendBatch stops at the first that the kernel refuses, and says which', async () => {
    await using pair = await make();
    const data = Buffer.from('x');
    const result = await pair.a.sendBatch([{ data }, { data: Buffer.alloc(1 << 20) }, { data }]);
    expect(result).toMatchObject({ sent: 1, error: { code: 'EMSGSIZE' } });
    expect(await pair.b.receiveBatch(9)).toHaveLength(1);
  });

  test('messages can be subscribed to', async () => {
    await using pair = await make();
    const receiving = lastValueFrom(pair.b.observe().pipe(take(3), toArray()));
    for (const text of ['a', 'b', 'c', 'd']) await pair.a.send(text);
    expect(texts(await receiving)).toEqual(['a', 'b', 'c']);
    expect(texts([await pair.b.receive()])).toEqual(['d']);
  });

  test('promise 2: an aborted or timed-out receive has consumed no message', async () => {
    await using pair = await make();
    const controller = new AbortController();
    const aborted = rejection(pair.b.receive({ signal: controller.signal }));
    const batch = rejection(pair.b.receiveBatch(5, { signal: controller.signal }));
    expect(await rejection(pair.b.receive({ timeout: 1 }))).toMatchObject({
      code: 'ERR_SOCKET_TIMEOUT',
    });
    await pair.a.send('kept');
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR' });
    expect(await batch).toMatchObject({ code: 'ABORT_ERR' });
    await arrived(pair.b.socket);
    expect(texts([await pair.b.receive({ timeout: 0 })])).toEqual(['kept']);
    const signal = AbortSignal.abort();
    await pair.a.send('kept too');
    expect(await rejection(pair.b.receive({ signal }))).toMatchObject({ code: 'ABORT_ERR' });
    expect(texts([await pair.b.receive()])).toEqual(['kept too']);
  });

  test('promise 4: close wakes all who wait, and what comes after it is closed', async () => {
    await using pair = await make();
    const waiting = [pair.b.receive(), pair.b.receiveBatch(3), pair.b.receive()].map(rejection);
    const iterating = pair.b.iterate().next();
    await turns(2);
    const closing = pair.b.close();
    expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(
      Array(3).fill('ERR_SOCKET_CLOSED'),
    );
    expect(await iterating).toEqual({ value: undefined, done: true });
    await pair.a.close();
    await closing;
    expect(pair.b.socket.closed).toBe(true);
    for (const call of [
      () => pair.b.receive(),
      () => pair.b.receiveBatch(1),
      () => pair.b.send('x'),
      () => pair.b.sendBatch([{ data: Buffer.from('x') }]),
    ])
      expect(await rejection(call())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await pair.b.close();
  });

  test('promise 4: messages that nobody has taken go with the socket', async () => {
    await using pair = await make();
    for (let i = 0; i < 5; i++) await pair.a.send(String(i));
    const iterator = pair.b.iterate();
    expect((await iterator.next()).value?.data.toString()).toBe('0');
    const closing = pair.b.close();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(await rejection(pair.b.receive())).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await pair.a.close();
    await closing;
  });

  const ifLossless = lossy ? (): void => undefined : test;
  ifLossless('promise 14: a full queue is waited out', async () => {
    await using pair = await make();
    let sent = 0;
    const sending = (async () => {
      for (; sent < 400; sent++) await pair.a.send(Buffer.from(String(sent)));
    })();
    await turns();
    for (let i = 0; i < 400; i++) expect(String((await pair.b.receive())!.data)).toBe(String(i));
    await sending;
  });

  test('both ends know their peer', async () => {
    await using pair = await make();
    expect(pair.a.remoteAddress).toEqual(pair.b.localAddress);
    expect(pair.b.remoteAddress).toEqual(pair.a.localAddress);
    await pair.a.send('x');
    const { from } = (await pair.b.receive())!;
    expect(from).toEqual(records ? null : pair.a.localAddress);
  });
});
