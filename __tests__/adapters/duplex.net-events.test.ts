// What comes in which order from a Duplex of ours and from a socket of node:net in the same situation, against the
// same peer, on the same machine. Software that was written for net relies on it.

import { once } from 'node:events';
import {
  createConnection as netConnection,
  createServer,
  type Socket as NetSocket,
} from 'node:net';
import type { AddressInfo } from 'node:net';
import {
  createConnection,
  Socket,
  socketpair,
  StreamSocket,
  type InetAddress,
  type SocketDuplex,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { tcp4 } from '../support/streams';
import { turns, until } from '../support/turns';

leavesNoSockets();

type Either = SocketDuplex | NetSocket;

interface Scene {
  readonly socket: Either;
  /** The other end, when it is there. */
  readonly peer: Promise<NetSocket>;
  readonly log: string[];
  seen(event: string): Promise<void>;
}

interface Situation {
  name: string;
  halfOpen?: boolean;
  host?: string;
  port?: number | 'dead' | 'silent';
  act(scene: Scene): Promise<void> | void;
  /** The last event to wait for: 'close' unless told. */
  last?: string;
}

const BIG = Buffer.alloc(16 << 20);

const SITUATIONS: readonly Situation[] = [
  {
    name: 'the peer ends',
    act: async ({ socket, peer }) => {
      socket.resume();
      (await peer).end();
    },
  },
  {
    name: 'the peer ends, and half-open is allowed',
    halfOpen: true,
    act: async ({ socket, peer, seen }) => {
      socket.resume();
      (await peer).end();
      await seen('end');
      socket.end();
    },
  },
  {
    name: 'the peer says something and ends',
    act: async ({ peer }) => void (await peer).end('bye'),
  },
  {
    name: 'the peer resets',
    act: async ({ socket, peer, seen }) => {
      socket.resume();
      await seen('ready');
      (await peer).resetAndDestroy();
    },
  },
  {
    name: 'the peer resets while a write waits',
    act: async ({ socket, peer, seen }) => {
      await seen('ready');
      socket.write(BIG, (error) => socket.emit('written', error));
      await turns(3);
      (await peer).resetAndDestroy();
    },
  },
  {
    name: 'this end ends, and the peer behind it',
    act: async ({ socket, peer }) => {
      socket.resume().end('question');
      (await peer).resume();
    },
  },
  {
    name: 'this end ends with data queued',
    act: async ({ socket, peer }) => {
      socket.resume();
      for (let i = 0; i < 4; i++) socket.write(BIG);
      socket.end('last');
      (await peer).resume();
    },
  },
  {
    name: 'destroy at once',
    act: ({ socket }) => void socket.destroy(),
  },
  {
    name: 'destroy while connecting',
    port: 'silent',
    act: async ({ socket }) => {
      socket.write('never', (error) => socket.emit('written', error));
      await turns(3);
      socket.destroy();
    },
  },
  {
    name: 'destroy when connected',
    act: async ({ socket, peer, seen }) => {
      await seen('ready');
      await peer;
      socket.destroy();
    },
  },
  {
    name: 'destroy with an error',
    act: async ({ socket, peer, seen }) => {
      await seen('ready');
      await peer;
      socket.destroy(Object.assign(new Error('mine'), { code: 'MINE' }));
    },
  },
  {
    name: 'destroy while a write waits',
    act: async ({ socket, seen, peer }) => {
      await seen('ready');
      await peer;
      socket.write(BIG, (error) => socket.emit('written', error));
      await turns(3);
      socket.destroy();
    },
  },
  {
    name: 'nobody listens there',
    port: 'dead',
    act: () => undefined,
  },
  {
    name: 'a name is looked up',
    host: 'localhost',
    act: async ({ socket, seen, peer }) => {
      await seen('ready');
      await peer;
      socket.destroy();
    },
  },
  {
    name: 'timeout',
    act: async ({ socket, seen }) => {
      await seen('ready');
      socket.setTimeout(20);
    },
    last: 'timeout',
  },
  {
    name: 'destroySoon with data queued',
    act: async ({ socket, peer, seen }) => {
      await seen('ready');
      socket.write(BIG);
      socket.destroySoon();
      (await peer).on('error', () => undefined).resume();
    },
  },
  {
    name: 'resetAndDestroy',
    act: async ({ socket, peer, seen }) => {
      await seen('ready');
      (await peer).on('error', () => undefined);
      socket.resetAndDestroy();
    },
  },
  {
    name: 'a write after the peer has ended',
    act: async ({ socket, peer, seen }) => {
      socket.resume();
      (await peer).end();
      await seen('end');
      socket.write('late', (error) => socket.emit('written', error));
    },
  },
  {
    name: 'written before it is connected',
    act: async ({ socket, peer, seen }) => {
      socket.write('early', () => socket.emit('written'));
      await seen('written');
      (await peer).resume();
      socket.resume().end();
    },
  },
];

const EVENTS = [
  'lookup',
  'connect',
  'ready',
  'data',
  'end',
  'finish',
  'drain',
  'timeout',
  'written',
  'error',
  'close',
] as const;
const WITH_STATE = new Set(['connect', 'end', 'finish', 'timeout', 'close']);

/** What of an event's arguments is the same whoever emits it, and what the socket says of itself then. */
function entry(socket: Either, event: string, args: unknown[]): string {
  // A write that was cut off by destroy() is told so by ours; net calls it back with null.
  if (event === 'written') return event;
  const shown = args.map((arg) =>
    arg instanceof Uint8Array
      ? Buffer.from(arg).toString()
      : ((arg as { code?: string } | null)?.code ?? String(arg)),
  );
  if (!WITH_STATE.has(event)) return [event, ...shown].join(' ');
  const { connecting, pending, destroyed, readyState } = socket;
  const state = Object.entries({ connecting, pending, destroyed }).filter(([, value]) => value);
  return [event, ...shown, readyState, ...state.map(([key]) => key)].join(' ');
}

async function play(
  make: (port: number, host: string, allowHalfOpen: boolean) => Either,
  { act, host = '127.0.0.1', port, halfOpen = false, last = 'close' }: Situation,
): Promise<string[]> {
  const server = createServer({ allowHalfOpen: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const silent = await silentPort();
  let to = (server.address() as AddressInfo).port;
  if (port === 'silent') to = silent.port;
  if (port === 'dead') to = silent.deadPort;
  const peer = once(server, 'connection').then(([socket]) => socket as NetSocket);
  void peer.then((socket) => socket.on('error', () => undefined));
  const socket = make(to, host, halfOpen);
  const log: string[] = [];
  for (const event of EVENTS) {
    if (event === 'data') continue;
    socket.on(event, (...args: unknown[]) => void log.push(entry(socket, event, args)));
  }
  const seen = (event: string): Promise<void> =>
    until(() => log.some((line) => line.split(' ')[0] === event));
  if (act.length > 0) {
    await act({ socket, peer, log, seen });
    if (log.length === 0 && port === undefined) socket.on('data', () => undefined);
    socket.resume();
  }
  await seen(last);
  await turns(5);
  socket.destroy();
  (await Promise.race([peer, turns(2)]))?.destroy();
  server.close();
  silent.close();
  await once(server, 'close');
  return log.slice(0, log.findIndex((line) => line.startsWith(last)) + 1);
}

async function silentPort(): Promise<{ port: number; deadPort: number; close(): void }> {
  const listener = Socket.open('IPv4', 'stream');
  listener.bind({ address: '127.0.0.1', port: 0 });
  listener.listen(0);
  const address = listener.getsockname() as InetAddress;
  const filler = Socket.open('IPv4', 'stream');
  await filler.connect(address);
  // Bound, and not listening.
  const dead = Socket.open('IPv4', 'stream');
  dead.bind({ address: '127.0.0.1', port: 0 });
  return {
    port: address.port,
    deadPort: (dead.getsockname() as InetAddress).port,
    close: () => [listener, filler, dead].forEach((socket) => socket.close()),
  };
}

test.each(SITUATIONS)('events: $name', async (situation) => {
  const theirs = await play(
    (port, host, allowHalfOpen) => netConnection({ port, host, allowHalfOpen, family: 4 }),
    situation,
  );
  const ours = await play(
    (port, host, allowHalfOpen) => createConnection({ port, host, allowHalfOpen, family: 'IPv4' }),
    situation,
  );
  expect(theirs.length).toBeGreaterThan(0);
  expect(ours).toEqual(theirs);
});

test('net: of a closed one nothing is known, and no timeout comes', async () => {
  const [near, far] = socketpair();
  const duplex = new StreamSocket(Socket.fromFd(near.detach())).toDuplex();
  duplex.destroy();
  await once(duplex, 'close');
  expect([duplex.remoteAddress, duplex.remotePort, duplex.remoteFamily]).toEqual(Array(3));
  expect(duplex.setTimeout(1, () => expect(false).toBe(true))).toBe(duplex);
  expect(duplex.timeout).toBeUndefined();
  far.close();
});

test('net: setNoDelay and setKeepAlive take what is true', async () => {
  await using pair = await tcp4();
  const duplex = pair.client.toDuplex();
  for (const [value, set] of [
    ['x', true],
    [0, false],
  ] as const) {
    duplex.setNoDelay(value as never).setKeepAlive(value as never);
    expect(pair.client.socket.get('noDelay')).toBe(set);
    expect(pair.client.socket.get('keepAlive')).toBe(set);
  }
});
