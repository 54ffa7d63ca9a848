// SOCK_STREAM: a client pipes a file into a socket, and the server answers with the digest of what it got.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { connect, listen, type Listener, type SocketDuplex, type StreamSocket } from 'eagain';
import { portOf, show } from './address';
import { mebibytes, type Report } from './report';

const SIZE = 64 << 20;
const PIECE = 1 << 20;

export async function tcp(report: Report): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'eagain-tour-'));
  try {
    const file = join(directory, 'file');
    const sent = await makeFile(file);
    report.fact('file', `${mebibytes(SIZE)} of random bytes`);

    await using server = await listen({ host: '127.0.0.1', port: 0 });
    report.fact('listening', show(server.address));
    const [received] = await Promise.all([
      upload(file, portOf(server.address), report).finally(() => server.close()),
      serve(server), // until the server is closed
    ]);

    report.fact('sha256 here', short(sent));
    report.fact('sha256 there', short(received));
    report.check('the server got the file, byte for byte', received === sent);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function makeFile(path: string): Promise<string> {
  await using file = await open(path, 'w');
  const hash = createHash('sha256');
  for (let size = 0; size < SIZE; size += PIECE) {
    const piece = randomBytes(PIECE);
    hash.update(piece);
    await file.write(piece);
  }
  return hash.digest('hex');
}

async function serve(server: Listener<StreamSocket>): Promise<void> {
  for await (const peer of server) await answer(peer);
}

async function answer(peer: StreamSocket): Promise<void> {
  await using conversation = peer;
  const hash = createHash('sha256');
  for await (const chunk of conversation) hash.update(chunk); // until the client has ended its side
  await conversation.write(hash.digest('hex'));
}

async function upload(file: string, port: number, report: Report): Promise<string> {
  const conn = await connect({ host: '127.0.0.1', port });
  const duplex = conn.toDuplex();
  const progress = follow(duplex, report);
  try {
    // The end of the file half-closes the connection, and the answer comes back through the other half.
    return await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), duplex, text);
  } finally {
    progress();
  }
}

/** Draws how far `duplex` has come, until the function that it returns is called. */
function follow(duplex: SocketDuplex, report: Report): () => void {
  const began = performance.now();
  const draw = (last: boolean): void => {
    const sent = duplex.bytesWritten;
    const rate = (sent / (performance.now() - began)) * 1000;
    report.progress('piped', sent / SIZE, `${mebibytes(sent)}  ${mebibytes(rate)}/s`, last);
  };
  const timer = setInterval(() => draw(false), 40);
  return () => {
    clearInterval(timer);
    draw(true);
  };
}

function short(digest: string): string {
  return `${digest.slice(0, 20)}…${digest.slice(-20)}`;
}
