// A byte channel as a stream.Duplex with both pressures: nothing is read from the kernel that the stream does
// not want, and a write is done when the kernel has it. The only file that knows node:stream.

import { AsyncResource } from 'node:async_hooks';
import { Duplex, type DuplexOptions } from 'node:stream';
import { setImmediate } from 'node:timers';
import { isClosed, type Channel, type ChannelAddress, type Pull } from './contract';

type Callback = (error?: Error | null) => void;

/** A stream.Duplex over a connected socket; `destroy` closes it at once, `end` half-closes. */
export class SocketDuplex extends Duplex {
  private readonly channel: Channel;
  private pulling: Pull | undefined;
  private waiting = false;
  // Promise 19: events are emitted in the context in which the Duplex was made.
  private readonly context = new AsyncResource('eagain.duplex');

  /** @internal Use `StreamSocket.toDuplex`. */
  constructor(channel: Channel, options?: DuplexOptions) {
    super({
      ...options,
      objectMode: false,
      readableObjectMode: false,
      writableObjectMode: false,
      decodeStrings: true,
    });
    this.channel = channel;
  }

  get localAddress(): string | undefined {
    return this.local?.address;
  }

  get localPort(): number | undefined {
    return this.local?.port;
  }

  get localFamily(): string | undefined {
    return familyOf(this.local);
  }

  get remoteAddress(): string | undefined {
    return this.channel.remoteAddress.address;
  }

  get remotePort(): number | undefined {
    return this.channel.remoteAddress.port;
  }

  get remoteFamily(): string | undefined {
    return familyOf(this.channel.remoteAddress);
  }

  get bytesRead(): number {
    return this.channel.bytesRead;
  }

  get bytesWritten(): number {
    return this.channel.bytesWritten;
  }

  // As net.Socket's: undefined where the socket is closed.
  private get local(): ChannelAddress | undefined {
    try {
      return this.channel.localAddress;
    } catch {
      return undefined;
    }
  }

  ref(): this {
    this.channel.keepAlive(true);
    return this;
  }

  unref(): this {
    this.channel.keepAlive(false);
    return this;
  }

  /** Closes with a reset: the peer's reads fail with ECONNRESET. */
  resetAndDestroy(): this {
    this.channel.abort();
    return this.destroy();
  }

  override _read(): void {
    if (!this.waiting) this.pull();
  }

  // Pulls until one has to wait or the stream has enough: _read() comes again when it wants more.
  private pull(): void {
    let more = true;
    let inLoop = true;
    const next = (act: () => boolean): void => {
      this.waiting = false;
      if (inLoop) {
        more = act();
      } else {
        this.context.runInAsyncScope(() => {
          if (act() && !this.waiting) this.pull();
        });
      }
    };
    while (more && !this.waiting && !this.destroyed) {
      this.waiting = true;
      this.pulling = this.channel.pull(
        (chunk) => next(() => this.deliver(chunk)),
        (error) => next(() => this.failed(error)),
      );
    }
    inLoop = false;
  }

  /** Hands a chunk on; whether the stream wants more. A listener that throws stops neither. */
  private deliver(chunk: Buffer | null): boolean {
    try {
      return this.push(chunk) && chunk !== null;
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
      return this.readableFlowing === true;
    }
  }

  private failed(error: Error): false {
    if (isClosed(error)) this.destroy();
    else this.destroy(error);
    return false;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.put([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.put(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  private put(pieces: readonly Uint8Array[], callback: Callback): void {
    this.settle(callback, (done, failed) => this.channel.put(pieces, done, failed));
  }

  override _final(callback: Callback): void {
    this.settle(callback, (done, failed) => this.channel.finish(done, failed));
  }

  // Done at once: in the caller's context already. Done later: in the Duplex's.
  private settle(
    callback: Callback,
    act: (done: () => void, failed: (error: Error) => void) => void,
  ): void {
    let later = false;
    const settled = (failure?: Error): void => {
      // destroy() closes under a write that waits: its caller is told, but the stream has not failed.
      if (failure !== undefined && this.destroyed && isClosed(failure)) {
        return void setImmediate(() => this.context.runInAsyncScope(callback, null, failure));
      }
      if (later) this.context.runInAsyncScope(callback, null, failure);
      else callback(failure);
    };
    act(() => settled(), settled);
    later = true;
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (this.waiting && this.pulling !== undefined) this.channel.withdraw(this.pulling);
    this.waiting = false;
    this.channel.release();
    this.context.emitDestroy();
    callback(error);
  }
}

function familyOf(address: ChannelAddress | undefined): string | undefined {
  return typeof address?.family === 'string' ? address.family : undefined;
}
