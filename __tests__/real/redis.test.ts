// Redis, through ioredis with a connector of ours.

import { AbstractConnector, Redis } from 'ioredis';
import type { Socket as NetSocket } from 'node:net';
import { createConnection } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { find, folder, serves } from './support/programs';

const path = find('redis-server');
const real = needs('redis-server', path !== undefined);

const data = folder();
const at = serves(path, (port) => [
  ...['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', data],
]);

// Behind the above: the server's pipes are sockets too.
leavesNoSockets();

class Connector extends AbstractConnector {
  constructor() {
    super(1000);
  }

  connect(): Promise<NetSocket> {
    this.connecting = true;
    const stream = createConnection({ host: '127.0.0.1', port: at.port }) as unknown as NetSocket;
    this.stream = stream;
    return Promise.resolve(stream);
  }
}

async function client(): Promise<Redis> {
  const redis = new Redis({ lazyConnect: true, Connector });
  await redis.connect();
  return redis;
}

async function leave(...clients: Redis[]): Promise<void> {
  await Promise.all(clients.map((redis) => redis.quit()));
}

real('redis: pipelines of 10,000', async () => {
  const redis = await client();
  for (let round = 0; round < 3; round++) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 10_000; i++) pipeline.incr('count');
    const answers = (await pipeline.exec())!;
    expect(answers).toHaveLength(10_000);
    expect(answers.at(-1)).toEqual([null, 10_000 * (round + 1)]);
  }
  const big = Buffer.alloc(8 << 20, 'b');
  await redis.set('big', big);
  expect((await redis.getBuffer('big'))!.equals(big)).toBe(true);
  await leave(redis);
});

real('redis: publish and subscribe', async () => {
  const [listener, speaker] = [await client(), await client()];
  await listener.subscribe('news');
  const heard: string[] = [];
  const all = new Promise<void>((resolve) => {
    listener.on('message', (_channel, text) => {
      if (heard.push(text) === 1000) resolve();
    });
  });
  for (let i = 0; i < 1000; i++) void speaker.publish('news', String(i));
  await all;
  expect(heard).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  await leave(listener, speaker);
});

real('redis: a pop that blocks is woken', async () => {
  const [waiting, pushing] = [await client(), await client()];
  const popped = waiting.blpop('queue', 10);
  await pushing.rpush('queue', 'item');
  expect(await popped).toEqual(['queue', 'item']);
  await leave(waiting, pushing);
});

real('redis: a connection that is killed is made again', async () => {
  const [victim, killer] = [await client(), await client()];
  const id = await victim.client('ID');
  const again = new Promise((resolve) => victim.once('ready', resolve));
  await killer.client('KILL', 'ID', id);
  await again;
  expect(await victim.ping()).toBe('PONG');
  await leave(victim, killer);
});
