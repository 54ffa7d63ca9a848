// Deno's own sockets: Deno.listen and Deno.listenDatagram.
import { asked, BLOCK, BURST, HOST, MESSAGE, ready, REQUEST, serve } from './protocol.mjs';

const BUFFER_BYTES = 65536;

async function each(handler) {
  const server = asked.path
    ? Deno.listen({ transport: 'unix', path: asked.path })
    : Deno.listen({ hostname: HOST, port: 0, tcpBacklog: 4096 });
  ready(asked.path ?? server.addr.port);
  for await (const peer of server) {
    handler(peer)
      .catch(() => {})
      .finally(() => {
        try {
          peer.close();
        } catch {
          // closed already
        }
      });
  }
}

async function writeAll(peer, data) {
  for (let done = 0; done < data.length;)
    done += await peer.write(done ? data.subarray(done) : data);
}

async function echo(peer) {
  const buffer = new Uint8Array(4096);
  for (let n; (n = await peer.read(buffer)) !== null;) await writeAll(peer, buffer.subarray(0, n));
}

async function drain(peer) {
  const buffer = new Uint8Array(BUFFER_BYTES);
  while ((await peer.read(buffer)) !== null);
}

async function pour(peer) {
  for (;;) await writeAll(peer, BLOCK);
}

async function bind(handle) {
  const socket = Deno.listenDatagram({ transport: 'udp', hostname: HOST, port: 0 });
  ready(socket.addr.port);
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const [data, from] = await socket.receive(buffer);
    await handle(socket, data, from);
  }
}

let count = 0;

serve({
  echo: () =>
    asked.transport === 'udp' ? bind((socket, data, from) => socket.send(data, from)) : each(echo),
  close: () => each(async () => {}),
  drain: () => each(drain),
  pour: () => each(pour),
  count: () =>
    bind((socket, data, from) => {
      if (data.length === REQUEST)
        return socket.send(new TextEncoder().encode(String(count)), from);
      count++;
      return undefined;
    }),
  burst: () =>
    bind(async (socket, _request, from) => {
      for (let i = 0; i < BURST; i++) await socket.send(MESSAGE, from);
    }),
});
