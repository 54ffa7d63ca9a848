// A chat: every connection is an Observable of lines, and what anybody says goes to everybody.

import { listen, type StreamSocket } from 'eagain';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { catchError, concat, defer, EMPTY, from, map, mergeMap, of } from 'rxjs';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '7777' }, help: { type: 'boolean', short: 'h' } },
});

if (values.help === true) {
  console.log('chat-server [--port 7777]\nA line from one goes to all: try `nc localhost 7777`.');
} else {
  void chat(Number(values.port));
}

async function chat(port: number): Promise<void> {
  const server = await listen({ port });
  console.log(`listening on port ${server.address.port}`);
  const present = new Set<StreamSocket>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void server.close();
      for (const peer of present) void peer.close({ linger: 100 });
    });

  const said = server.observe().pipe(
    mergeMap((peer) => {
      present.add(peer);
      const name = String(peer.remoteAddress.port);
      // One that goes with a reset has left like any other.
      const input = peer.toDuplex({ allowHalfOpen: false }).on('error', () => undefined);
      const lines = from(createInterface({ input }));
      return concat(
        of(`${name} is here`),
        lines.pipe(
          map((line) => `${name}: ${line}`),
          catchError(() => EMPTY),
        ),
        defer(() => {
          present.delete(peer);
          return of(`${name} has left`);
        }),
      );
    }),
  );
  said.subscribe({
    next: (line) => {
      console.log(line);
      for (const peer of present) peer.write(`${line}\n`).catch(() => present.delete(peer));
    },
    complete: () => console.log('done'),
  });
}
