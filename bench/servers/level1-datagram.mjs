// Level 1 over UDP: tryRecv into one buffer, or recvmmsg and sendmmsg.
import { constants, Socket } from 'eagain';
import { BURST, HOST, MESSAGE, portOf, ready, REQUEST } from './protocol.mjs';

const BATCH = 256;
const BUFFER_BYTES = 65536;
// Tries between two turns of the event loop: a flood must leave room for timers and other sockets.
const TRIES = 256;

function open() {
  const socket = Socket.open('IPv4', 'dgram');
  socket.bind({ family: 'IPv4', address: HOST, port: 0 });
  ready(socket.getsockname().port);
  return socket;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Trains are told by their length: all messages are as long as the first. */
async function countTried(gro = false) {
  const socket = open();
  if (gro) socket.setsockopt(constants.IPPROTO_UDP, constants.UDP_GRO, true);
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let count = 0;
  for (;;) {
    let n = 0;
    for (let tries = 0; tries < TRIES && n !== null; tries++) {
      n = socket.tryRecv(buffer);
      if (n === REQUEST)
        await socket.sendto(Buffer.from(String(count)), {
          family: 'IPv4',
          address: HOST,
          port: portOf(buffer),
        });
      else if (n !== null) count += n / MESSAGE.length;
    }
    if (n === null) await socket.ready({ read: true });
    else await turn();
  }
}

async function countMany() {
  const socket = open();
  let count = 0;
  for (;;) {
    for (const message of await socket.recvmmsg(BATCH)) {
      if (message.data.length === REQUEST)
        await socket.sendto(Buffer.from(String(count)), message.from);
      else count++;
    }
  }
}

async function echoMany() {
  const socket = open();
  for (;;) {
    const messages = await socket.recvmmsg(BATCH);
    await socket.sendmmsg(messages.map((message) => ({ data: message.data, to: message.from })));
  }
}

/** @param {(socket: Socket, to: import('eagain').Address) => Promise<unknown>} send */
async function burst(send) {
  const socket = open();
  for (;;) await send(socket, (await socket.recvmsg({ size: BUFFER_BYTES })).from);
}

async function sendSingly(socket, to) {
  for (let i = 0; i < BURST; i++) await socket.sendto(MESSAGE, to);
}

export const servers = {
  'count level1': () => countTried(),
  'count level1-gro': () => countTried(true),
  'count level1-recvmmsg': countMany,
  'echo level1': echoMany,
  'burst level1': () => burst(sendSingly),
};
