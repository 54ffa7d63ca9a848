// A descriptor of node:net for this library, and one of ours for node:net: what docs/streams.md says is safe.

import { once } from 'node:events';
import {
  connect as netConnect,
  createServer,
  Socket as NetSocket,
  type AddressInfo,
} from 'node:net';
import { connect, listen, Socket, StreamSocket } from '../../lib/index';
import { leavesNoSockets, nameOf } from '../support/descriptors';
import { turns } from '../support/turns';

leavesNoSockets();

/** The descriptor that Node keeps. */
function descriptorOf(socket: NetSocket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** A duplicate of Node's descriptor; Node keeps and closes its own. */
function adopt(socket: NetSocket): StreamSocket {
  const theirs = Socket.fromFd(descriptorOf(socket));
  const ours = theirs.dup();
  theirs.detach();
  socket.destroy();
  return new StreamSocket(ours);
}

test('adoption: a paused connection of net.Server, of which nothing was read', async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = once(server, 'connection') as Promise<[NetSocket]>;
  const client = await connect({ host: '127.0.0.1', port });
  await client.write('said before');
  const [accepted] = await connection;
  await turns(3);
  const name = nameOf(descriptorOf(accepted));
  const stream = adopt(accepted);
  await once(accepted, 'close');
  // Node has closed its descriptor, and the connection lives on in ours.
  expect(nameOf(stream.socket.fd)).toBe(name);
  expect((await stream.readExactly(11)).toString()).toBe('said before');
  await stream.write('answered after');
  expect((await client.readExactly(14)).toString()).toBe('answered after');
  expect(stream.remoteAddress).toEqual(client.localAddress);
  await Promise.all([client.close(), stream.close()]);
  server.close();
  await once(server, 'close');
});

test('adoption: a descriptor of ours becomes net’s', async () => {
  await using server = await listen({ host: '127.0.0.1', port: 0 });
  const client = await connect({ host: '127.0.0.1', port: server.address.port });
  const peer = await server.accept();
  await peer.write('said before');
  const socket = new NetSocket({ fd: client.socket.detach() });
  expect(client.socket.closed).toBe(true);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('said before');
  socket.end('bye');
  expect((await peer.readExactly(3)).toString()).toBe('bye');
  expect(await peer.read()).toBeNull();
  const closed = once(socket, 'close');
  await Promise.all([peer.close(), closed]);
});

test('adoption: a listening descriptor of ours becomes net’s server', async () => {
  const ours = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = ours.address;
  const server = createServer((socket) => socket.end('net')).listen({ fd: ours.socket.detach() });
  await once(server, 'listening');
  const client = netConnect(port, '127.0.0.1');
  const [chunk] = (await once(client, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('net');
  client.destroy();
  server.close();
  await once(server, 'close');
});
