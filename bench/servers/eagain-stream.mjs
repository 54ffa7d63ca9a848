// Level 2 over connections: async iterator, promises, the caller's buffer, Observable, Duplex, Web streams.
import { listen } from 'eagain';
import { asked, BACKLOG, BLOCK, HOST, ready } from './protocol.mjs';

const BUFFER_BYTES = 65536;

async function open() {
  const where = asked.path ? { path: asked.path } : { host: HOST, port: 0 };
  const server = await listen({ ...where, backlog: BACKLOG });
  ready(asked.path ?? server.address.port);
  return server;
}

/**
 * One handler per peer; a peer that goes away ends its own handler only.
 * @param {(peer: import('eagain').StreamSocket) => Promise<unknown>} handler
 */
async function each(handler) {
  for await (const peer of await open()) {
    handler(peer)
      .catch(() => {})
      .finally(() => peer.close());
  }
}

/** @param {import('eagain').StreamSocket} peer */
async function echo(peer) {
  for await (const chunk of peer) await peer.write(chunk);
}

async function echoWithRead(peer) {
  for (let chunk; (chunk = await peer.read()) !== null;) await peer.write(chunk);
}

async function echoInto(peer) {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  for (let n; (n = await peer.read(buffer)) !== null;) await peer.write(buffer.subarray(0, n));
}

async function echoWeb(peer) {
  await peer.readable.pipeTo(peer.writable);
}

async function echoServed() {
  const server = await open();
  await server.serve(echo, { onError: () => {} });
}

async function echoObserved() {
  const { concatMap, mergeMap, catchError, EMPTY } = await import('rxjs');
  const server = await open();
  server
    .observe()
    .pipe(
      mergeMap((peer) =>
        peer.observe().pipe(
          concatMap((chunk) => peer.write(chunk)),
          catchError(() => EMPTY),
        ),
      ),
    )
    .subscribe();
}

async function echoDuplex() {
  for await (const peer of await open()) {
    const duplex = peer.toDuplex();
    duplex.on('error', () => {});
    duplex.on('data', (chunk) => duplex.write(chunk));
  }
}

async function drain(peer) {
  for await (const chunk of peer) void chunk;
}

async function drainInto(peer) {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  while ((await peer.read(buffer)) !== null);
}

async function drainDuplex() {
  for await (const peer of await open())
    peer
      .toDuplex()
      .on('error', () => {})
      .on('data', () => {});
}

async function pour(peer) {
  for (;;) await peer.write(BLOCK);
}

export const servers = {
  echo: () => each(echo),
  'echo read': () => each(echoWithRead),
  'echo into': () => each(echoInto),
  'echo web': () => each(echoWeb),
  'echo serve': echoServed,
  'echo observe': echoObserved,
  'echo duplex': echoDuplex,
  close: () => each(async () => {}),
  drain: () => each(drain),
  'drain into': () => each(drainInto),
  'drain duplex': drainDuplex,
  pour: () => each(pour),
};
