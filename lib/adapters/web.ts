// A byte channel as Web streams: `readable` of type 'bytes', whose BYOB reads go straight into the reader's buffer,
// and `writable`. Nothing is read that nobody asked for, and a write is done when the kernel has it.

import type { ReadableStream, UnderlyingSource, WritableStream } from 'node:stream/web';
import { isClosed, type Channel, type Pull } from './contract';

/** A channel whose two halves are streams of their own: it closes when both are done. */
class Halves {
  private left = 2;
  private unread = false;
  private whole = false;

  constructor(private readonly channel: Channel) {}

  /** `unread`: there may be input that nobody has wanted. */
  readingDone(unread: boolean): void {
    this.unread = unread;
    this.done();
  }

  /** `whole`: the end was put behind all that was written. */
  writingDone(whole: boolean): void {
    this.whole = whole;
    this.done();
  }

  // Promise 5: unread input would make a reset of the close, which overtakes what was written last.
  private done(): void {
    if (--this.left > 0) return;
    if (this.unread && this.whole) this.channel.part();
    else this.channel.release();
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
          if (length === null) this.close(controller, request);
          else request.respond(length);
          resolve();
        },
        (error) => {
          if (!this.over) this.fail(controller, request, error);
          resolve();
        },
      );
    });
  }

  /** Nobody wants any more: nothing more is read, and what comes is the kernel's to hold up, or to refuse. */
  cancel(): void {
    if (this.over) return;
    if (this.pulling !== undefined) this.channel.withdraw(this.pulling);
    this.channel.stopReading();
    this.end(true);
  }

  private fail(
    controller: ReadableByteStreamController,
    request: ReadableStreamBYOBRequest,
    error: Error,
  ): void {
    // This side closed it: an end.
    if (isClosed(error)) return this.close(controller, request);
    this.end(false);
    controller.error(error);
  }

  // Where the end comes inside an element of the reader's array, close() throws, and has failed the stream by then:
  // that is what the reader hears.
  private close(
    controller: ReadableByteStreamController,
    request: ReadableStreamBYOBRequest,
  ): void {
    this.end(false);
    try {
      controller.close();
      request.respond(0);
    } catch {
      // The peer's doing, and nothing for anybody but the reader.
    }
  }

  private end(unread: boolean): void {
    this.over = true;
    this.halves.readingDone(unread);
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
    try {
      const bytes = bytesOf(chunk);
      await new Promise<void>((resolve, reject) => this.channel.put([bytes], resolve, reject));
    } catch (error) {
      this.end(false);
      throw error;
    }
  }

  async close(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => this.channel.finish(resolve, reject));
    } catch (error) {
      this.end(false);
      throw error;
    }
    this.end(true);
  }

  /** What was written may be cut anywhere: the peer is not to take it for whole. */
  abort(): void {
    this.channel.abort();
    this.end(false);
  }

  private end(whole: boolean): void {
    if (this.over) return;
    this.over = true;
    this.halves.writingDone(whole);
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
