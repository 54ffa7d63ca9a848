// nginx, through node:http and undici on connections of ours.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Agent as UndiciAgent, request } from 'undici';
import { createConnection } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { until } from '../support/turns';
import { flat } from './support/memory';
import { find, folder, serves } from './support/programs';

const path = find('nginx');
const real = needs('nginx', path !== undefined);
const GIGABYTE = 2 ** 30;

const root = folder();
const at = serves(path, (port) => {
  mkdirSync(join(root, 'files'));
  writeFileSync(join(root, 'files/small.txt'), 'small');
  writeFileSync(join(root, 'files/big.bin'), '');
  // A hole: nothing is written, and all of it is read.
  truncateSync(join(root, 'files/big.bin'), GIGABYTE);
  writeFileSync(
    join(root, 'nginx.conf'),
    `daemon off; master_process off; pid ${root}/pid; error_log ${root}/error.log;
    events { worker_connections 64; }
    http {
      access_log off; client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy;
      fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
      server {
        listen 127.0.0.1:${port}; root ${root}/files; keepalive_requests 100000;
        location /chunked { ssi on; ssi_types *; alias ${root}/files; }
      }
    }`,
  );
  return ['-c', join(root, 'nginx.conf'), '-p', root];
});

// Behind the above: the server's pipes are sockets too.
leavesNoSockets();

function agent(): Agent & { made: number } {
  const made = Object.assign(new Agent({ keepAlive: true, maxSockets: 4 }), { made: 0 });
  made.createConnection = (): Duplex => {
    made.made++;
    return createConnection({ host: '127.0.0.1', port: at.port });
  };
  return made;
}

async function fetchText(through: Agent, name: string): Promise<string> {
  const [response] = (await once(
    get({ host: '127.0.0.1', port: at.port, path: name, agent: through }),
    'response',
  )) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

real('nginx: node:http keeps connections alive', async () => {
  const through = agent();
  for (let i = 0; i < 50; i++)
    expect(
      await Promise.all(Array.from({ length: 4 }, () => fetchText(through, '/small.txt'))),
    ).toEqual(Array(4).fill('small'));
  expect(through.made).toBe(4);
  through.destroy();
});

real('nginx: chunked answers', async () => {
  const through = agent();
  // What SSI has looked through has no length.
  const [response] = (await once(
    get({ host: '127.0.0.1', port: at.port, path: '/chunked/small.txt', agent: through }),
    'response',
  )) as [IncomingMessage];
  expect(response.headers['transfer-encoding']).toBe('chunked');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(text).toBe('small');
  through.destroy();
});

real(
  'nginx: 1 GB to a hash, with flat memory',
  async () => {
    const through = agent();
    const [response] = (await once(
      get({ host: '127.0.0.1', port: at.port, path: '/big.bin', agent: through }),
      'response',
    )) as [IncomingMessage];
    const hash = createHash('md5');
    let bytes = 0;
    await flat(async () => {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    });
    expect(bytes).toBe(GIGABYTE);
    // Of so many zeros.
    expect(hash.digest('hex')).toBe('cd573cfaace07e7949bc0c46028904ff');
    through.destroy();
  },
  120_000,
);

real('nginx: undici, pipelined', async () => {
  const dispatcher = new UndiciAgent({
    connections: 2,
    pipelining: 8,
    connect: (_options, callback) => {
      const socket = createConnection({ host: '127.0.0.1', port: at.port });
      socket.once('connect', () => callback(null, socket as never));
      socket.once('error', (error) => callback(error, null));
    },
  });
  const texts = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const { body } = await request(`http://127.0.0.1:${at.port}/small.txt`, { dispatcher });
      return body.text();
    }),
  );
  expect(new Set(texts)).toEqual(new Set(['small']));
  await dispatcher.close();
});

real('nginx: a request that is given up closes its connection', async () => {
  const through = agent();
  const asked = get({ host: '127.0.0.1', port: at.port, path: '/big.bin', agent: through });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await once(response, 'data');
  asked.destroy();
  let closed = false;
  response.once('close', () => (closed = true)).on('error', () => undefined);
  await until(() => closed);
  through.destroy();
});
