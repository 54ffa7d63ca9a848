// The ways in which a program sends and receives over a StreamSocket: chaos meets each of them.

import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { SocketDuplex, StreamSocket } from '../../../lib/index';

export interface Form {
  /** All of it, and the end. */
  send(pieces: Iterable<Buffer>): Promise<void>;
  /** All that comes until the end. */
  receive(take: (chunk: Uint8Array) => void): Promise<void>;
}

type Take = (chunk: Uint8Array) => void;
type Receive = (stream: StreamSocket, take: Take) => Promise<void>;

async function send(stream: StreamSocket, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) await stream.write(piece);
  await stream.end();
}

const RECEIVE: Readonly<Record<string, Receive>> = {
  'a read loop': async (stream, take) => {
    for (let chunk; (chunk = await stream.read()) !== null;) take(chunk);
  },
  'memory of the caller': async (stream, take) => {
    const into = Buffer.alloc(5000);
    for (let length; (length = await stream.read(into)) !== null;) take(into.subarray(0, length));
  },
  // Promise 2: what timed out has taken nothing.
  impatience: async (stream, take) => {
    for (;;) {
      const chunk = await stream.read({ timeout: 2 }).catch((error: { code?: string }) => {
        if (error.code !== 'ERR_SOCKET_TIMEOUT') throw error;
        return undefined;
      });
      if (chunk === null) return;
      if (chunk !== undefined) take(chunk);
    }
  },
  'for await': async (stream, take) => {
    for await (const chunk of stream) take(chunk);
  },
  observe: (stream, take) =>
    new Promise((resolve, reject) => {
      stream.observe().subscribe({ next: take, error: reject, complete: resolve });
    }),
};

// Not by pipeline() and `for await`: of a Duplex these destroy both directions when one has ended.
function duplexForm(duplex: SocketDuplex): Form {
  return {
    async send(pieces): Promise<void> {
      for (const piece of pieces) {
        await new Promise<void>((resolve, reject) => {
          duplex.write(piece, (error) => (error ? reject(error) : resolve()));
        });
      }
      duplex.end();
      await finished(duplex, { readable: false });
    },
    async receive(take): Promise<void> {
      duplex.on('data', take);
      await finished(duplex, { writable: false });
    },
  };
}

// A file that grows by the pieces, which leave it by sendfile(2): the kernel sends the file's own pages, and what is
// still in a queue would change with them.
async function sendFiles(stream: StreamSocket, pieces: Iterable<Buffer>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'eagain-chaos-'));
  const file = await open(join(folder, 'piece'), 'w+');
  try {
    await rm(folder, { recursive: true });
    let offset = 0;
    for (const piece of pieces) {
      await file.write(piece, 0, piece.length, offset);
      offset += await stream.sendFile(file, { offset, length: piece.length });
    }
    await stream.end();
  } finally {
    await file.close();
  }
}

function webForm(stream: StreamSocket): Form {
  return {
    async send(pieces): Promise<void> {
      const writer = stream.writable.getWriter();
      for (const piece of pieces) await writer.write(piece);
      await writer.close();
    },
    async receive(take): Promise<void> {
      const reader = stream.readable.getReader();
      for (let next; !(next = await reader.read()).done;) take(next.value);
    },
  };
}

export const FORMS: readonly (readonly [name: string, of: (stream: StreamSocket) => Form])[] = [
  ...Object.entries(RECEIVE).map(
    ([name, receive]) =>
      [
        name,
        (stream: StreamSocket): Form => ({
          send: (pieces) => send(stream, pieces),
          receive: (take) => receive(stream, take),
        }),
      ] as const,
  ),
  [
    'files',
    (stream) => ({
      send: (pieces) => sendFiles(stream, pieces),
      receive: (take) => RECEIVE['a read loop'](stream, take),
    }),
  ],
  ['a Duplex', (stream) => duplexForm(stream.toDuplex())],
  ['Web streams', webForm],
];
