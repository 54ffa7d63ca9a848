// What bind and connect make a datagram socket tell of each message, as fields and in `control`.

import { bind, connect, constants as C, type Message } from '../../lib/index';
import { binding } from '../../lib/native/load';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';

leavesNoSockets();

const LOOPBACK = binding.ifNameToIndex('lo');
const ipv6 = needs('IPv6 on the loopback', HAS_IPV6);

const ALL = {
  packetInfo: true,
  ttl: true,
  tos: true,
  timestamps: true,
  drops: true,
  originalDestination: true,
  gro: true,
} as const;

async function oneOf(host: string, options: object, bound = host): Promise<Message> {
  await using server = await bind({ ...(bound !== '' && { host: bound }), ...options });
  const { port } = server.localAddress;
  await using client = await connect({ type: 'dgram', host, port });
  const control = [
    { kind: 'ttl', value: 9 },
    { kind: 'tos', dscp: 8, ecn: 2 },
  ] as const;
  await client.send('x', undefined, { control });
  return await server.receive();
}

describe.each([
  ['IPv4', '127.0.0.1', '127.0.0.1'],
  ['IPv6', '::1', '::1'],
  ['IPv4 at a dual stack', '127.0.0.1', ''],
  ['IPv6 at a dual stack', '::1', ''],
])('%s', (_, host, bound) => {
  ipv6('all at once', async () => {
    const message = await oneOf(host, ALL, bound);
    expect(message).toMatchObject({
      packetInfo: { interface: LOOPBACK, local: host, destination: host },
      ttl: 9,
      tos: { dscp: 8, ecn: 2 },
      originalDestination: { address: host },
    });
    expect(typeof message.timestamp).toBe('bigint');
    expect(message.drops).toBeUndefined();
    expect(message.segments).toBeUndefined();
    expect(message.controlTruncated).toBe(false);
    const kinds = new Set(message.control.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(
      ['originalDestination', 'packetInfo', 'timestamp', 'tos', 'ttl'].sort(),
    );
  });

  ipv6('none unless it is asked for', async () => {
    const message = await oneOf(host, { packetInfo: false }, bound);
    expect(message.control).toEqual([]);
    expect(message.packetInfo).toBeUndefined();
  });
});

test('gro: datagrams that came together are one message with segments', async () => {
  await using server = await bind({ host: '127.0.0.1', gro: true });
  await using client = await bind({ host: '127.0.0.1' });
  const to = server.localAddress;
  const messages = [200, 200, 200, 50].map((size, i) => ({ data: Buffer.alloc(size, i), to }));
  expect(await client.sendBatch(messages)).toEqual({ sent: 4 });
  const message = await server.receive();
  expect(message).toMatchObject({ length: 650, truncated: false, from: client.localAddress });
  expect(message.segments).toEqual(messages.map(({ data }) => data));
  await client.sendBatch(messages);
  const cut = await server.receive({ size: 250 });
  expect(cut).toMatchObject({ length: 650, truncated: true });
  expect(cut.segments!.map(({ length }) => length)).toEqual([200, 50]);
});

test('drops: how many were lost', async () => {
  const configure = (socket: {
    setsockopt(level: number, name: number, value: number): void;
  }): void => socket.setsockopt(C.SOL_SOCKET, C.SO_RCVBUF, 4096);
  await using server = await bind({ host: '127.0.0.1', drops: true, configure });
  await using client = await bind({ host: '127.0.0.1' });
  const data = Buffer.alloc(500);
  for (let i = 0; i < 50; i++) await client.send(data, server.localAddress);
  const got = (await server.receiveBatch(64)).length;
  await client.send(data, server.localAddress);
  expect((await server.receive()).drops).toBe(50 - got);
});

test('connect takes them as well', async () => {
  await using server = await bind({ host: '127.0.0.1' });
  const { port } = server.localAddress;
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port, ttl: true });
  await server.send('x', client.localAddress);
  expect((await client.receive()).ttl).toBe(64);
});

test.each([
  'packetInfo',
  'ttl',
  'tos',
  'timestamps',
  'gro',
  'recvErr',
  'drops',
  'originalDestination',
])('%s is a boolean', (word) => {
  const code = 'ERR_INVALID_ARG_TYPE';
  expect(thrown(() => bind({ [word]: 1 }))).toMatchObject({ code });
  const message = expect.stringContaining(`options.${word}`) as string;
  expect(thrown(() => connect({ type: 'dgram', port: 1, [word]: 'yes' }))).toMatchObject({
    code,
    message,
  });
});

test('broadcast is asked for', async () => {
  await using plain = await bind({ host: '127.0.0.1' });
  await using allowed = await bind({ host: '127.0.0.1', broadcast: true });
  await using connected = await connect({
    type: 'dgram',
    host: '127.0.0.1',
    port: 9,
    broadcast: true,
  });
  const asked = (endpoint: {
    socket: { getsockopt(level: number, name: number): Buffer };
  }): number => endpoint.socket.getsockopt(C.SOL_SOCKET, C.SO_BROADCAST).readInt32LE();
  expect([asked(plain), asked(allowed), asked(connected)]).toEqual([0, 1, 1]);
});

ipv6('packet info without a source goes beside a mapped literal, too', async () => {
  await using server = await bind({ host: '127.0.0.1' });
  await using client = await bind({});
  const { port } = server.localAddress;
  const control = [{ kind: 'packetInfo', interface: LOOPBACK }] as const;
  await client.send('x', { address: '::ffff:127.0.0.1', port }, { control });
  expect((await server.receive()).data.toString()).toBe('x');
});
