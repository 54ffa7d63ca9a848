// PostgreSQL, through pg on a Duplex of ours.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { createConnection } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { flat } from './support/memory';
import { find, folder, serves, userOf } from './support/programs';

const initdb = find('initdb');
const postgres = find('postgres');
// PostgreSQL does not run as root.
const root = process.getuid?.() === 0;
const user = userOf('postgres');
const here = initdb !== undefined && postgres !== undefined && (!root || user !== undefined);
const real = needs('PostgreSQL', here);

const data = join(folder(user), 'data');
const at = serves(
  here ? postgres : undefined,
  (port) => {
    execFileSync(initdb!, ['-D', data, '-A', 'trust', '-U', 'eagain', '--no-sync'], {
      ...user,
      stdio: 'ignore',
    });
    const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${data}`];
    return ['-D', data, '-p', String(port), ...settings.flatMap((text) => ['-c', text])];
  },
  {
    spawn: { ...user },
    // It takes connections before it takes queries, and says so (57P03).
    ready: async () => {
      for (let ready = false; !ready;) {
        ready = await enter().then(
          (client) => client.end().then(() => true),
          () => false,
        );
      }
    },
    // A fast shutdown: those who are connected are not waited for.
    stop: 'SIGINT',
  },
);

// Behind the above: the server's pipes are sockets too.
leavesNoSockets();

async function enter(path?: string): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port: at.port,
    user: 'eagain',
    database: 'postgres',
    stream: () =>
      createConnection(path === undefined ? { host: '127.0.0.1', port: at.port } : { path }),
  });
  await client.connect();
  return client;
}

real('postgresql: queries, many at a time, over TCP and a Unix socket', async () => {
  for (const path of [undefined, join(data, `.s.PGSQL.${at.port}`)]) {
    const client = await enter(path);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        client.query<{ n: number }>('SELECT $1::int * 2 AS n', [i]),
      ),
    );
    expect(answers.map(({ rows }) => rows[0].n)).toEqual(
      Array.from({ length: 1000 }, (_, i) => 2 * i),
    );
    await client.end();
  }
});

real(
  'postgresql: COPY of 100 MB there and back, with flat memory',
  async () => {
    const client = await enter();
    await client.query('CREATE TEMP TABLE t (line text)');
    const line = `${'x'.repeat(999)}\n`;
    const block = line.repeat(100);
    const into = client.query(copyFrom('COPY t FROM STDIN'));
    function* blocks(): Generator<string> {
      for (let i = 0; i < 1000; i++) yield block;
    }
    await flat(() => pipeline(Readable.from(blocks()), into));
    const count = await client.query<{ n: string }>('SELECT count(*) AS n FROM t');
    expect(count.rows[0].n).toBe('100000');
    let bytes = 0;
    const counting = new Writable({
      write(chunk: Buffer, _encoding, done): void {
        bytes += chunk.length;
        done();
      },
    });
    await flat(() => pipeline(client.query(copyTo('COPY t TO STDOUT')), counting));
    expect(bytes).toBe(100_000_000);
    await client.end();
  },
  120_000,
);

real('postgresql: LISTEN and NOTIFY', async () => {
  const [listener, speaker] = [await enter(), await enter()];
  await listener.query('LISTEN news');
  const heard = once(listener, 'notification') as Promise<[{ payload: string }]>;
  await speaker.query("NOTIFY news, 'it works'");
  expect((await heard)[0].payload).toBe('it works');
  await Promise.all([listener.end(), speaker.end()]);
});

real('postgresql: a query is cancelled, and the connection is good for more', async () => {
  const [client, other] = [await enter(), await enter()];
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const sleeping = client.query('SELECT pg_sleep(60)').catch((error: { code: string }) => error);
  for (let cancelled = false; !cancelled;) {
    const state = await other.query<{ state: string }>(
      'SELECT state FROM pg_stat_activity WHERE pid = $1',
      [rows[0].pid],
    );
    if (state.rows[0].state !== 'active') continue;
    await other.query('SELECT pg_cancel_backend($1)', [rows[0].pid]);
    cancelled = true;
  }
  expect(await sleeping).toMatchObject({ code: '57014' });
  expect((await client.query<{ n: number }>('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  await Promise.all([client.end(), other.end()]);
});

real('postgresql: a backend that is killed is an error, and an end', async () => {
  const [client, other] = [await enter(), await enter()];
  const failed = once(client, 'error');
  client.on('error', () => undefined);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await other.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
  await failed;
  await other.end();
});
