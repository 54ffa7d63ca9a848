// A byte channel as Web streams: `readable` of type 'bytes', whose BYOB reads go straight into the reader's buffer,
// and `writable`. Nothing is read that nobody asked for, and a write is done when the kernel has it.

import type { ReadableStream, UnderlyingSource, WritableStream } from 'node:stream/web';
import { isClosed, type Channel, type Pull } from './contract';

/** A channel whose two halves are streams of their own: it closes when both are done. */
class Halves {
  private left = 2;

  constructor(private readonly channel: Channel) {}

  done(): void {
    if (--this.left === 0) this.channel.release();
  }
}

export interface WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What a reader that brings no buffer of its own gets at most in one chunk. */
const CHUNK = 65536;

class Source {
  readonly type = 'bytes';
  readonly autoAllocateChunkSize = CHUNK;
  private pulling: Pull | undefined;
  private over = false;

  constructor(
    private readonly channel: Channel,
    private readonly halves: Halves,
  ) {}

  // Always with a request: the reader's own buffer, or one of CHUNK bytes that was made for it.
  pull(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest!;
    const view = request.view as Uint8Array;
    return new Promise<void>((resolve) => {
      this.pulling = this.channel.pullInto(
        new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
        (length) => {
          if (this.over) return resolve();
          if (length === null) {
            this.end();
            controller.close();
            request.respond(0);
          } else {
            request.respond(length);
          }
          resolve();
        },
        (error) => {
          if (!this.over) this.fail(controller, request, error);
          resolve();
        },
      );
    });
  }

  /** Nobody wants any more: nothing more is read, and what comes is the kernel's to refuse. */
  cancel(): void {
    if (this.over) return;
    if (this.pulling !== undefined) this.channel.withdraw(this.pulling);
    this.channel.stopReading();
    this.end();
  }

  private fail(
    controller: ReadableByteStreamController,
    request: ReadableStreamBYOBRequest,
    error: Error,
  ): void {
    this.end();
    // This side closed it: an end.
    if (!isClosed(error)) return controller.error(error);
    controller.close();
    request.respond(0);
  }

  private end(): void {
    this.over = true;
    this.halves.done();
  }
}

class Sink {
  private over = false;

  constructor(
    private readonly channel: Channel,
    private readonly halves: Halves,
  ) {}

  // abort() below comes behind the write that is under way, which may wait for ever; the signal comes at once.
  start(controller: unknown): void {
    const { signal } = controller as { signal: AbortSignal };
    signal.addEventListener('abort', () => this.channel.abort(), { once: true });
  }

  async write(chunk: unknown): Promise<void> {
    const bytes = bytesOf(chunk);
    try {
      await new Promise<void>((resolve, reject) => this.channel.put([bytes], resolve, reject));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  async close(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => this.channel.finish(resolve, reject));
    } finally {
      this.end();
    }
  }

  /** What was written may be cut anywhere: the peer is not to take it for whole. */
  abort(): void {
    this.channel.abort();
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.halves.done();
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  // By its tag: one of another realm is no instance of this one's class.
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(chunk))) {
    return new Uint8Array(chunk as ArrayBuffer);
  }
  const error = new TypeError('The "chunk" argument must be bytes or of type string');
  throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

export function webStreams(channel: Channel): WebStreams {
  const halves = new Halves(channel);
  return {
    // The globals, which Node loads when they are first asked for. No chunk is read ahead: the kernel's buffer is the
    // queue.
    readable: new globalThis.ReadableStream<Uint8Array>(
      new Source(channel, halves) as unknown as UnderlyingSource<Uint8Array>,
      { highWaterMark: 0 },
    ),
    writable: new globalThis.WritableStream<Uint8Array>(new Sink(channel, halves), {
      highWaterMark: 1,
    }),
  };
}
