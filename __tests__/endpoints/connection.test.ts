// createConnection() in the place of net's: what software hands over, and what it gets.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createConnection, listen, type StreamSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { thrown } from '../support/outcomes';

leavesNoSockets();

/** A server of node:http for the time of `use`. */
async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = http.createServer((request, response) => {
    response.end(`${request.url} by ${request.socket.remotePort}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

function get(agent: http.Agent, options: http.RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ agent, host: 'localhost', ...options }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve(body)).on('error', reject);
      })
      .on('error', reject);
  });
}

test.each([undefined, 0, 4] as const)(
  'it is an Agent’s own, whatever it is told: family %p',
  async (family) => {
    await withServer(async (port) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      agent.createConnection = createConnection as unknown as typeof agent.createConnection;
      const first = await get(agent, {
        port,
        path: '/one',
        ...(family !== undefined && { family }),
      });
      const second = await get(agent, {
        port,
        path: '/two',
        ...(family !== undefined && { family }),
      });
      expect(first).toMatch(/^\/one by \d+$/);
      expect(second).toBe(first.replace('one', 'two'));
      agent.destroy();
    });
  },
);

test('noDelay and keepAlive are set once it is connected', async () => {
  await using listener = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = listener.address;
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 7000 };
  const duplex = createConnection({ host: '127.0.0.1', port, ...options });
  await using peer = await listener.accept();
  await once(duplex, 'connect');
  const { socket } = (duplex as unknown as { channel: StreamSocket }).channel;
  expect([socket.get('noDelay'), socket.get('keepAlive'), socket.get('keepIdle')]).toEqual([
    true,
    true,
    7,
  ]);
  duplex.destroy();
  await peer.read();
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a port alone, as net has it', 80],
])('misuse: %s', (_, given) => {
  expect(thrown(() => createConnection(given as never))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringContaining('"options"') as string,
  });
});
