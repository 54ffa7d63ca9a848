// Level 1 over connections: the system calls by their names. `level1` tries and waits for readiness, `level1-await`
// awaits recv and send into a buffer of the connection's own.
import { Socket } from 'eagain';
import { asked, BACKLOG, BLOCK, HOST, ready } from './protocol.mjs';

const BUFFER_BYTES = 65536;
const USUAL_BYTES = 64;
const READ = { read: true };

/** @param {(peer: Socket) => Promise<void>} handler */
async function each(handler) {
  const listener = Socket.open(
    asked.path ? 'unix' : 'IPv4',
    asked.transport === 'seqpacket' ? 'seqpacket' : 'stream',
  );
  listener.bind(
    asked.path ? { family: 'unix', path: asked.path } : { family: 'IPv4', address: HOST, port: 0 },
  );
  listener.listen(BACKLOG);
  ready(asked.path ?? listener.getsockname().port);
  for (;;) {
    const peer = await listener.accept();
    handler(peer)
      .catch(() => {})
      .finally(() => peer.close());
  }
}

// One buffer for all: between a recv that was tried and its send nobody else runs.
const shared = Buffer.allocUnsafe(BUFFER_BYTES);
const usual = shared.subarray(0, USUAL_BYTES);

/** @param {Socket} peer */
async function echo(peer) {
  for (;;) {
    await peer.ready(READ);
    const n = peer.tryRecv(shared);
    if (n === 0) return;
    if (n === null) continue;
    const reply = n === USUAL_BYTES ? usual : shared.subarray(0, n);
    const sent = peer.trySend(reply);
    if (sent !== n) await sendRest(peer, Buffer.from(reply.subarray(sent ?? 0)));
  }
}

/** @param {Socket} peer @param {Buffer} rest */
async function sendRest(peer, rest) {
  for (let left = rest; left.length > 0;) left = left.subarray(await peer.send(left));
}

/** @param {Socket} peer */
async function echoAwaited(peer) {
  const buffer = Buffer.allocUnsafe(4096);
  for (let n; (n = await peer.recv(buffer)) > 0;) await sendRest(peer, buffer.subarray(0, n));
}

/** @param {Socket} peer */
async function drain(peer) {
  for (let n; n !== 0;) {
    n = peer.tryRecv(shared);
    if (n === null) await peer.ready({ read: true });
  }
}

/** @param {Socket} peer */
async function drainAwaited(peer) {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  while ((await peer.recv(buffer)) > 0);
}

/** @param {Socket} peer */
async function pour(peer) {
  for (;;) await peer.send(BLOCK);
}

export const servers = {
  'echo level1': () => each(echo),
  'echo level1-await': () => each(echoAwaited),
  'drain level1': () => each(drain),
  'drain level1-await': () => each(drainAwaited),
  'pour level1': () => each(pour),
  'close level1': () => each(async () => {}),
};
