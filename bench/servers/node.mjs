// The built-in: node:net and node:dgram as their documentation has it.
import dgram from 'node:dgram';
import net from 'node:net';
import { asked, BACKLOG, BLOCK, BURST, HOST, MESSAGE, ready, REQUEST, serve } from './protocol.mjs';

const ignore = () => {};

/** @param {(peer: net.Socket) => void} handle */
function listen(handle) {
  const server = net.createServer((peer) => {
    peer.on('error', ignore);
    handle(peer);
  });
  const where = asked.path ? { path: asked.path } : { host: HOST, port: 0 };
  server.listen({ ...where, backlog: BACKLOG }, () => ready(asked.path ?? server.address().port));
}

/** @param {net.Socket} peer */
function pour(peer) {
  const more = () => {
    while (peer.write(BLOCK));
  };
  peer.on('drain', more);
  more();
}

/** @param {(socket: dgram.Socket, message: Buffer, from: dgram.RemoteInfo) => void} handle */
function bind(handle) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, from) => handle(socket, message, from));
  socket.bind(0, HOST, () => ready(socket.address().port));
}

let count = 0;

const udp = asked.transport === 'udp';

serve({
  echo: () =>
    udp
      ? bind((socket, message, from) => socket.send(message, from.port, from.address))
      : listen((peer) => peer.on('data', (chunk) => peer.write(chunk))),
  close: () => listen((peer) => peer.destroy()),
  drain: () => listen((peer) => peer.on('data', ignore)),
  pour: () => listen(pour),
  count: () =>
    bind((socket, message, from) => {
      if (message.length === REQUEST) socket.send(String(count), from.port, from.address);
      else count++;
    }),
  burst: () =>
    bind((socket, _request, from) => {
      for (let i = 0; i < BURST; i++) socket.send(MESSAGE, from.port, from.address);
    }),
});
