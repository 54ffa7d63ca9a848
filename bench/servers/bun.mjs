// Bun's own sockets: Bun.listen and Bun.udpSocket.
import { asked, BLOCK, BURST, HOST, MESSAGE, ready, REQUEST, serve } from './protocol.mjs';

const ignore = () => {};

function listen(handlers) {
  const where = asked.path ? { unix: asked.path } : { hostname: HOST, port: 0 };
  const server = Bun.listen({
    ...where,
    socket: {
      open: ignore,
      data: ignore,
      close: ignore,
      error: ignore,
      drain: ignore,
      ...handlers,
    },
  });
  ready(asked.path ?? server.port);
}

// write() takes what fits; `drain` says when there is room again.
function pour(socket) {
  while (socket.write(BLOCK) === BLOCK.length);
}

async function bind(handle) {
  const socket = await Bun.udpSocket({ hostname: HOST, port: 0, socket: { data: handle } });
  ready(socket.port);
}

let count = 0;
const udp = asked.transport === 'udp';

serve({
  echo: () =>
    udp
      ? bind((socket, data, port, address) => socket.send(data, port, address))
      : listen({ data: (socket, chunk) => socket.write(chunk) }),
  close: () => listen({ open: (socket) => socket.end() }),
  drain: () => listen({}),
  pour: () => listen({ open: pour, drain: pour }),
  count: () =>
    bind((socket, data, port, address) => {
      if (data.length === REQUEST) socket.send(String(count), port, address);
      else count++;
    }),
  burst: () =>
    bind((socket, _request, port, address) => {
      for (let i = 0; i < BURST; i++) socket.send(MESSAGE, port, address);
    }),
  'burst batch': () =>
    bind((socket, _request, port, address) => {
      socket.sendMany(Array.from({ length: BURST }, () => [MESSAGE, port, address]).flat());
    }),
});
