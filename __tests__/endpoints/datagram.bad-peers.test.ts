// Peers, and networks, that misbehave: what they lose, double, reorder, cut short or never finish is theirs; nothing of
// the others' is lost without a count, and nobody starves.

import {
  bind,
  connect,
  constants as C,
  inet,
  Socket,
  type DatagramSocket,
  type InetAddress,
  type Message,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW } from '../support/machine';
import { abstractName } from '../support/names';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { until } from '../support/turns';

leavesNoSockets();

const HOST = '127.0.0.1';
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function numbered(i: number, length = 100): Buffer {
  const data = Buffer.alloc(length, i & 0xff);
  data.writeUInt32BE(i);
  return data;
}

const numberOf = ({ data }: Message): number => data.readUInt32BE(0);

/** Gives back what comes, until it is closed. */
async function echo(socket: DatagramSocket): Promise<void> {
  for await (const { data, from } of socket) await socket.send(data, from!);
}

describe('a burst that nobody is ready for', () => {
  test.each([
    ['datagram by datagram', 'single'],
    ['in trains', 'trains'],
    ['from two at once', 'two'],
  ])('%s: what came and what was dropped are all that was sent', async (_, way) => {
    const count = 3000;
    await using receiver = await bind({
      host: HOST,
      drops: true,
      options: { receiveBufferSize: 20_000 },
    });
    const to = receiver.localAddress;
    await using one = await bind({ host: HOST });
    await using other = await bind({ host: HOST });
    const messages = range(count).map((i) => ({ data: numbered(i), to }));
    if (way === 'trains') expect(await one.sendBatch(messages)).toEqual({ sent: count });
    else {
      for (const [i, { data }] of messages.entries())
        await (way === 'two' && i % 3 === 0 ? other : one).send(data, to);
    }
    // The count comes with what comes behind those that were dropped, and is an option as well.
    const last = numbered(count);
    const got: Message[] = [];
    const { drops } = receiver.socket.get('memoryInfo');
    while (got.length < count - drops) got.push(...(await receiver.receiveBatch(64)));
    await one.send(last, to);
    const told = await receiver.receive();
    expect(numberOf(told)).toBe(count);
    expect(drops).toBeGreaterThan(0);
    expect(got.length).toBeGreaterThan(0);
    expect(told.drops).toBe(drops);
    expect(got.length + drops).toBe(count);
    // What is left is in order, and each came once.
    const numbers = got.map(numberOf);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    for (const message of got) expect(message.data).toEqual(numbered(numberOf(message)));
  });

  test('with GRO a train that finds no room is one drop, however many datagrams it was', async () => {
    await using receiver = await bind({
      host: HOST,
      gro: true,
      drops: true,
      options: { receiveBufferSize: 20_000 },
    });
    const to = receiver.localAddress;
    await using sender = await bind({ host: HOST });
    const messages = range(640).map((i) => ({ data: numbered(i), to }));
    expect(await sender.sendBatch(messages)).toEqual({ sent: 640 });
    const { drops } = receiver.socket.get('memoryInfo');
    let got = 0;
    let trains = 0;
    while (trains + drops < 10) {
      const { segments } = await receiver.receive();
      expect(segments).toHaveLength(64);
      got += segments!.length;
      trains++;
    }
    expect(drops).toBeGreaterThan(0);
    expect(got + 64 * drops).toBe(640);
  });
});

interface Faults {
  lose?: (i: number) => boolean;
  double?: (i: number) => boolean;
  /** Held back until so many others have passed. */
  delay?: (i: number) => number;
}

/** A network of one relay, to `to` and back, that does to the datagrams on their way there what it is told. */
class Relay implements AsyncDisposable {
  passed = 0;
  private readonly held: { data: Buffer; left: number }[] = [];

  private constructor(
    private readonly near: DatagramSocket<InetAddress>,
    private readonly far: DatagramSocket,
    private readonly faults: Faults,
  ) {}

  static async to(target: InetAddress, faults: Faults): Promise<Relay> {
    const far = await connect({ type: 'dgram', host: HOST, port: target.port });
    const relay = new Relay(await bind({ host: HOST }), far, faults);
    void relay.there();
    return relay;
  }

  get address(): InetAddress {
    return this.near.localAddress;
  }

  private async there(): Promise<void> {
    let back: Promise<void> | undefined;
    for await (const { data, from } of this.near) {
      back ??= this.back(from!);
      const { lose, double, delay } = this.faults;
      const i = this.passed;
      const left = delay?.(i) ?? 0;
      if (left > 0) this.held.push({ data, left });
      else if (lose?.(i) !== true) await this.far.send(data);
      if (double?.(i) === true) await this.far.send(data);
      for (const each of this.held) if (each.left-- === 0) await this.far.send(each.data);
      this.passed++;
    }
    await back;
  }

  private async back(to: InetAddress): Promise<void> {
    for await (const { data } of this.far) await this.near.send(data, to);
  }

  /** What is still held back goes. */
  async finish(): Promise<void> {
    for (const { data, left } of this.held) if (left >= 0) await this.far.send(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.near.close(), this.far.close()]);
  }
}

test('a network that loses, doubles and reorders: what comes is what it let through, as it did', async () => {
  const count = 1000;
  const faults = {
    lose: (i: number) => i % 7 === 3,
    double: (i: number) => i % 11 === 5,
    delay: (i: number) => (i % 5 === 1 ? 1 + (i % 9) : 0),
  };
  await using receiver = await bind({ host: HOST, drops: true });
  await using relay = await Relay.to(receiver.localAddress, faults);
  await using sender = await bind({ host: HOST });

  const copies = range(count).map((i) => {
    const first = faults.delay(i) > 0 || !faults.lose(i) ? 1 : 0;
    return first + (faults.double(i) ? 1 : 0);
  });
  const expected = copies.reduce((sum, each) => sum + each, 0);
  const got: Message[] = [];
  const receiving = (async (): Promise<void> => {
    // Each way to receive, in turns: one takes up where the other has left off.
    while (got.length < expected) {
      got.push(await receiver.receive());
      if (got.length < expected) got.push(...(await receiver.receiveBatch(5)));
      if (got.length >= expected) return;
      for await (const message of receiver)
        if (got.push(message) % 3 === 0 || got.length === expected) break;
    }
  })();
  for (let i = 0; i < count; i += 50) {
    const some = range(50).map((k) => ({ data: numbered(i + k), to: relay.address }));
    await sender.sendBatch(some);
    await until(() => relay.passed === i + 50);
  }
  await relay.finish();
  await receiving;

  expect(receiver.socket.get('memoryInfo').drops).toBe(0);
  const seen = range(count).map(() => 0);
  for (const message of got) {
    expect(message.data).toEqual(numbered(numberOf(message)));
    seen[numberOf(message)]++;
  }
  expect(seen).toEqual(copies);
  const numbers = got.map(numberOf);
  expect(numbers).not.toEqual([...numbers].sort((a, b) => a - b));
});

test('promise 2: questions that are asked again until they are answered, over a network that loses every other', async () => {
  await using server = await bind({ host: HOST });
  void echo(server);
  await using relay = await Relay.to(server.localAddress, { lose: (i) => i % 2 === 0 });
  await using client = await connect({ type: 'dgram', host: HOST, port: relay.address.port });
  let asked = 0;
  for (const i of range(50)) {
    for (;;) {
      asked++;
      await client.send(numbered(i));
      const answer = await client.receive({ timeout: 30 }).catch((error: NodeJS.ErrnoException) => {
        expect(error.code).toBe('ERR_SOCKET_TIMEOUT');
        return null;
      });
      // An answer that was late is of a question before.
      if (answer === null || numberOf(answer) !== i) continue;
      expect(answer.data).toEqual(numbered(i));
      break;
    }
  }
  expect(asked).toBeGreaterThanOrEqual(100);
});

/** An IPv4 packet with a UDP header of our own making. */
function packet(
  from: InetAddress,
  to: InetAddress,
  data: Buffer,
  change: { length?: number; checksum?: number; fragment?: number; cut?: number } = {},
): Buffer {
  const addresses = [from, to].map(({ address }) => inet.pton('IPv4', address)!);
  const udp = Buffer.alloc(8 + data.length);
  udp.writeUInt16BE(from.port, 0);
  udp.writeUInt16BE(to.port, 2);
  udp.writeUInt16BE(change.length ?? udp.length, 4);
  data.copy(udp, 8);
  const pseudo = Buffer.from([0, C.IPPROTO_UDP, udp.length >> 8, udp.length & 255]);
  udp.writeUInt16BE(change.checksum ?? inet.checksum([...addresses, pseudo, udp]), 6);
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(change.fragment ?? 0, 6);
  header[8] = 64;
  header[9] = C.IPPROTO_UDP;
  header.set(addresses[0], 12);
  header.set(addresses[1], 16);
  return Buffer.concat([header, udp.subarray(0, change.cut)]);
}

raw('packets that are malformed are nobody’s messages, and those of others go on', async () => {
  await using receiver = await bind({ host: HOST, drops: true });
  await using healthy = await connect({
    type: 'dgram',
    host: HOST,
    port: receiver.localAddress.port,
  });
  using forge = Socket.open('IPv4', 'raw', 'raw');
  const [from, to] = [healthy.localAddress, receiver.localAddress];
  const data = Buffer.from('forged');
  const bad = [
    { checksum: 0x1234 },
    { length: 7 },
    { length: 4000 },
    { length: 0 },
    { cut: 7 },
    { cut: 0 },
    // The first fragment of one that never goes on, and one of its middle.
    { fragment: 0x2000 },
    { fragment: 0x2001 },
  ];
  for (const i of range(50)) {
    for (const change of bad)
      await forge.sendto(packet(from, to, data, change), { address: HOST, port: 0 });
    await healthy.send(numbered(i));
    expect(numberOf(await receiver.receive())).toBe(i);
  }
  // They were refused for what is wrong with them: without it, it is a datagram like any other.
  await forge.sendto(packet(from, to, data), { address: HOST, port: 0 });
  expect(await receiver.receive()).toMatchObject({ data, from, truncated: false });
  expect(receiver.socket.tryRecv(Buffer.alloc(1))).toBeNull();
});

describe('giants, and nothing at all', () => {
  test('UDP: whole, cut with its length told, and empty, in their order', async () => {
    await using receiver = await bind({ host: HOST });
    await using sender = await connect({
      type: 'dgram',
      host: HOST,
      port: receiver.localAddress.port,
    });
    for (const _ of range(20)) {
      for (const length of [65_507, 0, 65_507, 1]) await sender.send(Buffer.alloc(length, 7));
      expect(await rejection(sender.send(Buffer.alloc(65_508)))).toMatchObject({
        code: 'EMSGSIZE',
      });
      const whole = await receiver.receive();
      expect([whole.data.length, whole.length, whole.truncated]).toEqual([65_507, 65_507, false]);
      const empty = await receiver.receive({ size: 100 });
      expect([empty.data.length, empty.length, empty.truncated]).toEqual([0, 0, false]);
      const cut = await receiver.receive({ size: 100 });
      expect([cut.data.length, cut.length, cut.truncated]).toEqual([100, 65_507, true]);
      expect((await receiver.receive()).length).toBe(1);
    }
  });

  test('Unix: as large as a buffer takes', async () => {
    const path = abstractName();
    await using receiver = await bind({ path });
    await using sender = await connect({ type: 'dgram', path });
    const giant = Buffer.alloc(200_000, 'giant');
    const sending = (async (): Promise<void> => {
      for (const _ of range(10)) await sender.send(giant);
      await sender.send('');
    })();
    for (const _ of range(10)) {
      const { data, truncated } = await receiver.receive();
      expect([data.equals(giant), truncated]).toEqual([true, false]);
    }
    expect((await receiver.receive()).length).toBe(0);
    await sending;
  });
});

describe('promise 13: a storm of unreachable peers', () => {
  const PEERS = 200;

  /** Where nobody listens, whatever ports other programs are given meanwhile: tcpmux's, of as many addresses. */
  const dead = range(PEERS).map((i) => ({ address: `127.66.0.${i + 1}`, port: 1 }));

  test('a healthy peer is answered throughout, and each error is told once', async () => {
    await using server = await bind({ host: HOST });
    void echo(server);
    await using socket = await bind({ host: HOST, recvErr: true, drops: true });
    const told = new Map(dead.map(({ address }) => [address, 0]));
    let errors = 0;
    const listening = (async (): Promise<void> => {
      for await (const { code, destination } of socket.errors()) {
        expect(code).toBe('ECONNREFUSED');
        const { address } = destination as InetAddress;
        told.set(address, told.get(address)! + 1);
        errors++;
      }
    })();
    const ROUNDS = 10;
    for (const round of range(ROUNDS)) {
      for (const [i, to] of dead.entries()) {
        await socket.send(`nobody ${i}`, to);
        if (i % 10 > 0) continue;
        const number = round * PEERS + i;
        await socket.send(numbered(number), server.localAddress);
        expect(numberOf(await socket.receive())).toBe(number);
      }
      await until(() => errors === (round + 1) * PEERS);
    }
    expect([...told.values()]).toEqual(dead.map(() => ROUNDS));
    await socket.close();
    await listening;
  });

  test('nobody who listens to errors: the healthy peer and the timers have their turn', async () => {
    await using server = await bind({ host: HOST });
    void echo(server);
    await using socket = await bind({ host: HOST, recvErr: true });
    await using client = await connect({
      type: 'dgram',
      host: HOST,
      port: server.localAddress.port,
    });
    let over = false;
    const batch = range(4000).map((i) => ({ data: numbered(i), to: dead[i % PEERS] }));
    const storm = socket.sendBatch(batch).finally(() => (over = true));
    let timers = 0;
    const timer = setInterval(() => {
      timers++;
    }, 0);
    let trips = 0;
    while (!over) {
      await client.send(numbered(trips));
      expect(numberOf(await client.receive())).toBe(trips);
      trips++;
    }
    clearInterval(timer);
    expect(await storm).toEqual({ sent: batch.length });
    // A wake-up sends 256 of them at the most: there are 15 turns for others.
    expect(timers).toBeGreaterThan(3);
    expect(trips).toBeGreaterThan(3);
    await socket.send(numbered(7), server.localAddress);
    expect(numberOf(await socket.receive())).toBe(7);
  });
});
