// Servers on our listener, and other people's clients on them: HTTP under load, TLS in both roles, HTTP/2,
// WebSockets, and what comes from the shell.

import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import {
  connect,
  createConnection,
  listen,
  type InetAddress,
  type Listener,
  type StreamSocket,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { HAS_PYTHON } from '../support/machine';
import { needs } from '../support/needs';
import { find, folder } from './support/programs';

const run = promisify(execFile);
const data = folder();
const withCurl = needs('curl', find('curl') !== undefined);
const withLoad = needs('ab (apache2-utils)', find('ab') !== undefined);
const withWrk = needs('wrk', find('wrk') !== undefined);
const withOpenssl = needs('openssl', find('openssl') !== undefined);
const withSocat = needs('socat', find('socat') !== undefined);
const withNcat = needs('ncat', find('ncat') !== undefined);
const withPython = needs('Python 3', HAS_PYTHON);
const withGo = needs('Go', find('go') !== undefined);
const withCompiler = needs('a C compiler', find('cc') !== undefined);

leavesNoSockets();

type Server = Listener<StreamSocket, InetAddress>;

async function serving(handler: (peer: StreamSocket) => void | Promise<void>): Promise<
  AsyncDisposable & {
    port: number;
    url: string;
  }
> {
  const server: Server = await listen({ host: '127.0.0.1', port: 0 });
  const done = server.serve(handler, { drainTimeout: 500, onError: () => undefined });
  const { port } = server.address;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose](): Promise<void> {
      await server.close();
      await done;
    },
  };
}

async function echo(peer: StreamSocket): Promise<void> {
  for await (const chunk of peer) await peer.write(chunk);
}

function web(): http.Server {
  return http.createServer((request, response) => {
    if (request.method === 'POST') return void request.pipe(response);
    response.end(`hello ${request.url} from ${request.socket.remoteAddress}\n`);
  });
}

withCurl('http: curl is answered, and heard to the last byte', async () => {
  const server = web();
  await using at = await serving((peer) => void server.emit('connection', peer.toDuplex()));
  const { stdout } = await run('curl', ['-sS', `${at.url}a`, `${at.url}b`]);
  expect(stdout).toBe('hello /a from 127.0.0.1\nhello /b from 127.0.0.1\n');
  const file = join(data, 'upload');
  writeFileSync(file, Buffer.alloc(20 << 20, 'u'));
  const out = join(data, 'download');
  await run('curl', ['-sS', '--data-binary', `@${file}`, '-o', out, at.url]);
  expect(readFileSync(out).equals(readFileSync(file))).toBe(true);
});

withLoad(
  'http: under load, with and without keep-alive, no request fails',
  async () => {
    const server = web();
    await using at = await serving((peer) => void server.emit('connection', peer.toDuplex()));
    for (const flags of [['-k'], []]) {
      const { stdout } = await run('ab', [...flags, '-q', '-n', '5000', '-c', '50', at.url]);
      expect(stdout).toMatch(/Complete requests:\s+5000\n/);
      expect(stdout).toMatch(/Failed requests:\s+0\n/);
    }
  },
  60_000,
);

withWrk(
  'http: wrk, fifty connections for three seconds, sees no error',
  async () => {
    const server = web();
    await using at = await serving((peer) => void server.emit('connection', peer.toDuplex()));
    const { stdout } = await run('wrk', ['-t', '1', '-c', '50', '-d', '3s', at.url]);
    expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(500);
    // It says so where there are any.
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
  },
  30_000,
);

function certificate(): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(data, 'key.pem'), join(data, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    ['req', ...kind, '-keyout', key, '-out', cert, '-days', '1', ...subject],
    {
      stdio: 'ignore',
    },
  );
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

withOpenssl('tls: both roles run on sockets of ours', async () => {
  const { key, cert } = certificate();
  await using at = await serving((peer) => {
    const secure = new tls.TLSSocket(peer.toDuplex(), { isServer: true, key, cert });
    secure.on('error', () => undefined).pipe(secure);
  });
  const socket = createConnection({ host: '127.0.0.1', port: at.port });
  const client = tls.connect({ socket, ca: cert, servername: 'localhost' });
  await once(client, 'secureConnect');
  expect(client.authorized).toBe(true);
  const sent = Buffer.alloc(5 << 20, 's');
  client.end(sent);
  let got = 0;
  for await (const chunk of client as AsyncIterable<Buffer>) got += chunk.length;
  expect(got).toBe(sent.length);
});

withOpenssl('tls: openssl’s own client is served', async () => {
  const { key, cert } = certificate();
  await using at = await serving((peer) => {
    const secure = new tls.TLSSocket(peer.toDuplex(), { isServer: true, key, cert });
    secure.on('error', () => undefined).end('hello from inside\n');
  });
  const { stdout } = await run('sh', [
    '-c',
    `openssl s_client -quiet -connect 127.0.0.1:${at.port} </dev/null 2>/dev/null || true`,
  ]);
  expect(stdout).toContain('hello from inside');
});

test('http2: a hundred streams over one connection of ours, at both ends', async () => {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(`you asked for ${String(headers[':path'])}`);
  });
  await using at = await serving((peer) => void server.emit('connection', peer.toDuplex()));
  const session = http2.connect(`http://127.0.0.1:${at.port}`, {
    createConnection: () => createConnection({ host: '127.0.0.1', port: at.port }),
  });
  const texts = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const stream = session.request({ ':path': `/${i}` });
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return text;
    }),
  );
  expect(texts[99]).toBe('you asked for /99');
  const closed = once(session, 'close');
  session.close();
  await closed;
});

test('ws: both ends on sockets of ours, text, megabytes and a close', async () => {
  const server = web();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (message, binary) => socket.send(message, { binary }));
  });
  await using at = await serving((peer) => void server.emit('connection', peer.toDuplex()));
  const client = new WebSocket(`ws://127.0.0.1:${at.port}`, {
    createConnection: (() => createConnection({ host: '127.0.0.1', port: at.port })) as never,
  });
  await once(client, 'open');
  for (const message of ['text', Buffer.alloc(4 << 20, 'b')]) {
    client.send(message);
    const [back] = (await once(client, 'message')) as [Buffer];
    expect(back.equals(Buffer.from(message))).toBe(true);
  }
  client.close(1000, 'bye');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
  sockets.close();
});

/** What a program gets back for `input`, from an echo of ours. */
async function echoed(command: (port: number) => string, input: string): Promise<string> {
  await using at = await serving(echo);
  const file = join(data, 'input');
  writeFileSync(file, input);
  const { stdout } = await run('sh', ['-c', `${command(at.port)} < ${file}`], {
    maxBuffer: 64 << 20,
    timeout: 15_000,
  });
  return stdout;
}

const LONG = 'a line of some length\n'.repeat(100_000);

withSocat('socat: half-closes, and gets all of it back', async () => {
  expect(await echoed((port) => `socat -t 10 - TCP4:127.0.0.1:${port}`, LONG)).toBe(LONG);
});

withNcat('ncat: half-closes, and gets all of it back', async () => {
  expect(await echoed((port) => `ncat 127.0.0.1 ${port}`, LONG)).toBe(LONG);
});

withSocat('socat: as a server on a Unix path, our client', async () => {
  const path = join(data, 'socat.sock');
  const ours = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = ours.address;
  // socat listens there, and connects to us: all of it goes through it once in each direction.
  const child = execFile('socat', [`UNIX-LISTEN:${path}`, `TCP4:127.0.0.1:${port}`]);
  let client: StreamSocket | undefined;
  while (client === undefined) client = await connect({ path }).catch(() => undefined);
  const peer = await ours.accept();
  await Promise.all([client.write('there').then(() => client.end()), peer.end()]);
  expect((await peer.readExactly(5)).toString()).toBe('there');
  expect(await peer.read()).toBeNull();
  await Promise.all([client.close(), peer.close()]);
  await ours.close();
  if (child.exitCode === null) await once(child, 'exit');
});

withPython('python: asyncio, a hundred connections at a time', async () => {
  await using at = await serving(echo);
  const program = `
import asyncio
async def one(i):
    reader, writer = await asyncio.open_connection('127.0.0.1', ${at.port})
    data = bytes([i]) * 100_000
    writer.write(data)
    await writer.drain()
    writer.write_eof()
    back = await reader.read()
    writer.close()
    await writer.wait_closed()
    return back == data
async def main():
    print(all(await asyncio.gather(*(one(i) for i in range(100)))))
asyncio.run(main())`;
  const { stdout } = await run('python3', ['-c', program]);
  expect(stdout).toBe('True\n');
});

withGo(
  'go: fifty goroutines, both directions at once, a half-close and deadlines',
  async () => {
    const program = join(data, 'goclient');
    // Nothing but its standard library, and nothing from the network.
    const env = {
      ...process.env,
      GO111MODULE: 'off',
      GOPROXY: 'off',
      GOCACHE: join(data, 'cache'),
    };
    await run('go', ['build', '-o', program, join(__dirname, 'support/client.go')], { env });
    await using at = await serving(echo);
    const { stdout } = await run(program, [`127.0.0.1:${at.port}`]);
    expect(stdout).toBe('50 echoes, 50 MB\n');
  },
  180_000,
);

withCompiler('c: blocking calls, byte by byte, and a reset at the end', async () => {
  const failures: (string | undefined)[] = [];
  const server = await listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.address;
  const done = server.serve(echo, {
    onError: (error) => void failures.push((error as { code?: string }).code),
  });
  const [source, program] = [join(data, 'client.c'), join(data, 'client')];
  writeFileSync(
    source,
    `#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (argc < 2 || connect(fd, (struct sockaddr *)&to, sizeof to)) return 1;
  for (int i = 0; i < 2000; i++) {
    unsigned char out = (unsigned char)i, in;
    if (write(fd, &out, 1) != 1 || read(fd, &in, 1) != 1 || in != out) return 2;
  }
  struct linger reset = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  return close(fd);
}`,
  );
  await run('cc', ['-O1', '-o', program, source]);
  await run(program, [String(port)]);
  await server.close();
  await done;
  expect(failures).toEqual(['ECONNRESET']);
});
