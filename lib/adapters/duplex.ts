// A byte channel as a stream.Duplex with both pressures: nothing is read from the kernel that the stream does
// not want, and a write is done when the kernel has it. The only file that knows node:stream.

import { AsyncResource } from 'node:async_hooks';
import { Duplex, type DuplexOptions } from 'node:stream';
import { setImmediate } from 'node:timers';
import {
  isClosed,
  throwLater,
  type Channel,
  type ChannelAddress,
  type Descriptor,
  type Dialling,
  type Parcel,
  type Pull,
} from './contract';
import { checkMilliseconds, IdleTimer } from './idle_timer';

type Callback = (error?: Error | null) => void;

/** What `address()` gives: net's shape. */
export interface DuplexAddress {
  address?: string;
  family?: string;
  port?: number;
}

/**
 * A stream.Duplex over a stream socket with the surface of `net.Socket`; `destroy` closes it at once, `end`
 * half-closes. Events: those of a Duplex, 'close' with whether there was an error, 'timeout', and, where it was
 * still connecting when it was made, 'lookup', 'connect' and 'ready'. Over a Unix socket also 'fds', with an array
 * of `OwnedFd`s, ahead of the 'data' that they came with; those that come while nobody listens are closed.
 */
export class SocketDuplex extends Duplex {
  /** The idle time after which 'timeout' comes, in ms; undefined before `setTimeout`. */
  timeout: number | undefined;
  private channel: Channel | undefined;
  private readonly dialling: Dialling | undefined;
  private parcels: WeakMap<Uint8Array, Parcel> | undefined;
  private pulling: Pull | undefined;
  private waiting = false;
  private referenced = true;
  private idle: IdleTimer | undefined;
  // Promise 19: events are emitted in the context in which the Duplex was made.
  private readonly context = new AsyncResource('eagain.duplex');

  /** @internal Use `StreamSocket.toDuplex` or `createConnection`. */
  constructor(over: Channel | Dialling, options?: DuplexOptions) {
    super({
      ...options,
      objectMode: false,
      readableObjectMode: false,
      writableObjectMode: false,
      decodeStrings: true,
      // 'close' says whether there was an error: _destroy emits it.
      emitClose: false,
    });
    if (!this.allowHalfOpen) this.once('end', () => (this.write = writeAfterEnd));
    // The kernel hands descriptors out to those who have made room for them, and to nobody else.
    if (over.passesDescriptors) {
      this.on('newListener', (event) => {
        if (event === 'fds') this.pullAgain();
      });
    }
    if ('pull' in over) {
      this.channel = over;
    } else {
      this.dialling = over;
      void over.channel.then(
        (channel) => this.context.runInAsyncScope(() => this.connected(channel)),
        (error: unknown) => this.context.runInAsyncScope(() => this.notConnected(error as Error)),
      );
    }
  }

  /** Whether the connection is still being made. */
  get connecting(): boolean {
    return this.channel === undefined && !this.destroyed;
  }

  /** As net.Socket's: not connected yet, or not any more. */
  get pending(): boolean {
    return this.channel === undefined || this.destroyed;
  }

  /** As net.Socket's. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes that were written and that the kernel does not have yet. */
  get bufferSize(): number | undefined {
    return this.destroyed ? undefined : this.writableLength;
  }

  /** This side's IP address; undefined on a Unix socket and once closed. */
  get localAddress(): string | undefined {
    return this.local?.address;
  }

  /** This side's port. */
  get localPort(): number | undefined {
    return this.local?.port;
  }

  /** 'IPv4', 'IPv6' or 'unix'. */
  get localFamily(): string | undefined {
    return familyOf(this.local);
  }

  /** The peer's IP address; undefined on a Unix socket and before the connection. */
  get remoteAddress(): string | undefined {
    return this.remote?.address;
  }

  /** The peer's port. */
  get remotePort(): number | undefined {
    return this.remote?.port;
  }

  /** 'IPv4', 'IPv6' or 'unix'. */
  get remoteFamily(): string | undefined {
    return familyOf(this.remote);
  }

  /** The local address; an empty object where there is none, as of a closed or a Unix socket. */
  address(): DuplexAddress {
    const { local } = this;
    if (local?.address === undefined) return {};
    return { address: local.address, family: familyOf(local), port: local.port };
  }

  /** Bytes that came from the kernel. */
  get bytesRead(): number {
    return this.channel?.bytesRead ?? 0;
  }

  /** Bytes that the kernel has. */
  get bytesWritten(): number {
    return this.channel?.bytesWritten ?? 0;
  }

  private get local(): ChannelAddress | undefined {
    return unlessGone(() => this.channel?.localAddress);
  }

  private get remote(): ChannelAddress | undefined {
    return unlessGone(() => this.channel?.remoteAddress);
  }

  /**
   * For software that insists on connecting what it is given: it is connected to where it was made for, or will
   * be, and 'connect' comes in either case. Of the arguments only a listener counts.
   */
  connect(...args: unknown[]): this {
    const listener = args.at(-1);
    if (typeof listener === 'function') this.once('connect', listener as () => void);
    if (this.channel !== undefined) {
      process.nextTick(() => {
        if (!this.destroyed) this.emit('connect');
      });
    }
    return this;
  }

  /** TCP_NODELAY; nothing where there is no TCP. */
  setNoDelay(enable = true): this {
    return this.whenConnected((channel) => channel.setNoDelay(Boolean(enable as unknown)));
  }

  /** TCP's keep-alive; the first probe after `initialDelay` ms of silence, rounded down to seconds. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    const seconds = Math.floor(initialDelay / 1000);
    return this.whenConnected((channel) =>
      channel.setKeepAlive(Boolean(enable as unknown), seconds),
    );
  }

  /** 'timeout' after `milliseconds` in which nothing was read or written; 0 for never. Closes nothing. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = checkMilliseconds(milliseconds);
    this.idle?.stop();
    this.idle = undefined;
    if (milliseconds === 0) {
      if (listener !== undefined) this.removeListener('timeout', listener);
      return this;
    }
    this.idle = new IdleTimer(
      milliseconds,
      () => this.bytesWritten,
      () => this.context.runInAsyncScope(() => this.emit('timeout')),
    );
    if (listener !== undefined) this.once('timeout', listener);
    return this;
  }

  /** What waits on it keeps the process alive, as it does unless told otherwise. */
  ref(): this {
    this.referenced = true;
    this.channel?.keepAlive(true);
    return this;
  }

  /** What waits on it keeps the process alive no more. */
  unref(): this {
    this.referenced = false;
    this.channel?.keepAlive(false);
    return this;
  }

  /** Ends the writing side, and closes when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes with a reset: the peer's reads fail with ECONNRESET. */
  resetAndDestroy(): this {
    this.channel?.abort();
    return this.destroy();
  }

  private connected(channel: Channel): void {
    if (this.destroyed) return channel.release();
    this.channel = channel;
    if (!this.referenced) channel.keepAlive(false);
    const host = this.dialling?.host;
    if (host !== undefined) {
      const { address, family } = channel.remoteAddress;
      this.emit('lookup', null, address, family === 'IPv6' ? 6 : 4, host);
    }
    this.idle?.refresh();
    this.emit('connect');
    this.emit('ready');
  }

  private notConnected(error: Error): void {
    if (this.destroyed) return;
    const { syscall } = error as { syscall?: string };
    if (syscall === 'getaddrinfo')
      this.emit('lookup', error, undefined, undefined, this.dialling?.host);
    this.destroy(error);
  }

  private whenConnected(act: (channel: Channel) => void): this {
    if (this.channel !== undefined) act(this.channel);
    else this.once('connect', () => act(this.channel!));
    return this;
  }

  override _read(): void {
    if (this.channel === undefined) this.once('connect', () => this._read());
    else if (!this.waiting) this.pull(this.channel);
  }

  // What waits has no room for descriptors; in the next tick the listener is there.
  private pullAgain(): void {
    const { channel, pulling } = this;
    if (!this.waiting || pulling === undefined || channel === undefined) return;
    channel.withdraw(pulling);
    this.waiting = false;
    process.nextTick(() => {
      if (!this.waiting) this.context.runInAsyncScope(() => this.pull(channel));
    });
  }

  // Pulls until one has to wait or the stream has enough: _read() comes again when it wants more.
  private pull(channel: Channel): void {
    let more = true;
    let inLoop = true;
    const next = (act: () => boolean): void => {
      this.waiting = false;
      if (inLoop) {
        more = act();
      } else {
        this.context.runInAsyncScope(() => {
          if (act() && !this.waiting) this.pull(channel);
        });
      }
    };
    while (more && !this.waiting && !this.destroyed) {
      this.waiting = true;
      const failed = (error: Error): void => next(() => this.failed(error));
      this.pulling = this.wantsDescriptors(channel)
        ? channel.pullWithDescriptors((chunk, fds) => next(() => this.deliver(chunk, fds)), failed)
        : channel.pull((chunk) => next(() => this.deliver(chunk)), failed);
    }
    inLoop = false;
  }

  private wantsDescriptors(channel: Channel): boolean {
    return channel.passesDescriptors && this.listenerCount('fds') > 0;
  }

  /** Promise 8: what nobody hears of, or a listener that throws has not taken, is closed. */
  private handOver(fds: readonly Descriptor[]): void {
    try {
      if (this.emit('fds', fds)) return;
    } catch (error) {
      throwLater(error);
    }
    for (const fd of fds) fd.close();
  }

  /** Hands a chunk on; whether the stream wants more. A listener that throws stops neither. */
  private deliver(chunk: Buffer | null, fds?: readonly Descriptor[]): boolean {
    this.idle?.refresh();
    if (fds !== undefined && fds.length > 0) this.handOver(fds);
    try {
      return this.push(chunk) && chunk !== null;
    } catch (error) {
      throwLater(error);
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

  /**
   * As `write`, with descriptors beside the bytes (at least one, at most 253 descriptors), in its turn among the
   * writes: SCM_RIGHTS of unix(7). The descriptors stay the caller's, to be closed when the write is done.
   * @throws ERR_INVALID_ARG_VALUE where this is no Unix socket
   */
  writeWithFds(
    bytes: ArrayBufferView | ArrayBuffer | string,
    fds: readonly (number | { readonly fd: number })[],
    callback?: Callback,
  ): boolean {
    const parcel = (this.channel ?? this.dialling!).pack(bytes, fds);
    (this.parcels ??= new WeakMap()).set(parcel.bytes, parcel);
    return this.write(parcel.bytes, callback);
  }

  private put(pieces: readonly Uint8Array[], callback: Callback): void {
    const { parcels } = this;
    const beside = parcels && pieces.map((piece) => parcels.get(piece)?.beside);
    this.settle(callback, (channel, done, failed) => channel.put(pieces, done, failed, beside));
  }

  override _final(callback: Callback): void {
    this.settle(callback, (channel, done, failed) => channel.finish(done, failed));
  }

  // Done at once: in the caller's context already. Done later: in the Duplex's.
  private settle(
    callback: Callback,
    act: (channel: Channel, done: () => void, failed: (error: Error) => void) => void,
  ): void {
    const { channel } = this;
    if (channel === undefined) return this.settleLater(callback, act);
    this.idle?.refresh();
    let later = false;
    const settled = (failure?: Error): void => {
      this.idle?.refresh();
      // destroy() closes under a write that waits: its caller is told, but the stream has not failed.
      if (failure !== undefined && this.destroyed && isClosed(failure)) {
        return void setImmediate(() => this.context.runInAsyncScope(callback, null, failure));
      }
      if (later) this.context.runInAsyncScope(callback, null, failure);
      else callback(failure);
    };
    act(channel, () => settled(), settled);
    later = true;
  }

  // What is written before there is a connection waits for it, or for its end.
  private settleLater(callback: Callback, act: Parameters<SocketDuplex['settle']>[1]): void {
    const go = (): void => {
      this.removeListener('close', stop);
      this.settle(callback, act);
    };
    const stop = (): void => {
      this.removeListener('connect', go);
      const error = new Error('Socket closed before the connection was established');
      callback(Object.assign(error, { code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION' }));
    };
    this.once('connect', go).once('close', stop);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const { channel, pulling } = this;
    if (this.waiting && pulling !== undefined) channel?.withdraw(pulling);
    this.waiting = false;
    this.idle?.stop();
    this.idle = undefined;
    if (channel === undefined) this.dialling?.cancel();
    else channel.release();
    callback(error);
    // Behind 'error', which comes in the next tick.
    setImmediate(() => {
      this.context.runInAsyncScope(() => this.emit('close', error !== null));
      this.context.emitDestroy();
    });
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- applied to a Duplex below
const { write } = Duplex.prototype;

// The peer's end has ended this side too: net's words for a write that comes behind it.
function writeAfterEnd(this: SocketDuplex, ...args: unknown[]): boolean {
  if (!this.writableEnded) return write.apply(this, args as Parameters<typeof write>);
  const error = new Error('This socket has been ended by the other party');
  Object.assign(error, { code: 'EPIPE' });
  const callback = args.at(-1);
  if (typeof callback === 'function') process.nextTick(callback, error);
  this.destroy(error);
  return false;
}

// As net.Socket's: undefined where the socket is closed, or the peer has gone.
function unlessGone<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function familyOf(address: ChannelAddress | undefined): string | undefined {
  return typeof address?.family === 'string' ? address.family : undefined;
}
