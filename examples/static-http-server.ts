// A static HTTP server: node:http on sockets of ours, one Duplex for each connection.

import { listen } from 'eagain';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '8080' }, help: { type: 'boolean', short: 'h' } },
});
const root = positionals[0] ?? '.';

if (values.help === true) {
  console.log('static-http-server [--port 8080] [folder]\nServes the files below a folder.');
} else {
  void serve(Number(values.port));
}

async function serve(port: number): Promise<void> {
  const http = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://x').pathname, response).catch(() => {
      if (!response.headersSent) response.writeHead(404);
      response.end();
    });
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const server = await listen({ port });
  console.log(`listening on port ${server.address.port}`);
  // The handler returns nothing: from here on the connection is node:http's.
  await server.serve((peer) => void http.emit('connection', peer.toDuplex()), {
    signal: stop.signal,
    drainTimeout: 1_000,
  });
  console.log('done');
}

async function answer(path: string, response: ServerResponse): Promise<void> {
  // normalize() of an absolute path cannot climb above it.
  const file = join(root, normalize(join('/', decodeURIComponent(path))));
  const found = await stat(file);
  if (!found.isFile()) throw new Error('no file');
  response.writeHead(200, { 'content-length': found.size });
  await pipeline(createReadStream(file), response);
}
