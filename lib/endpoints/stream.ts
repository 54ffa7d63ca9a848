// StreamSocket: a connected byte stream, TCP or Unix, as an application wants it.

import { Buffer } from 'node:buffer';
import type { DuplexOptions } from 'node:stream';
import type { OperatorFunction } from 'rxjs';
import type { Beside, Channel, Descriptor, Parcel, Pull, Puttable } from '../adapters/contract';
import { SocketDuplex } from '../adapters/duplex';
import { webStreams, type WebStreams } from '../adapters/web';
import { iterate } from '../adapters/iterate';
import { closedError, invalidType } from '../core/errors';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { DONE } from '../core/settlement';
import { duration, integer, record, type Wait } from '../core/validate';
import type { Address } from '../socket/address';
import { bytesOf, piecesOf, roomOf, type Bytes, type Data } from '../socket/bytes';
import { constants as C } from '../socket/constants';
import type { EncodedControl } from '../socket/control';
import {
  CHUNK,
  Drain,
  EndWriting,
  ReceiveBytes,
  ReceiveChunk,
  ReceiveExactly,
  SendBytes,
  sendAll,
  sendNow,
} from '../socket/stream';
import { pack, ReceiveWithDescriptors } from '../socket/stream_descriptors';
import { Send } from '../socket/send';
import type { Socket } from '../socket/socket';
import { closeAtOnce, closePolitely, reset, type CloseOptions } from './closing';
import { sendFile, type FileHandleLike, type SendFileOptions } from './send_file';
import { sink, type SinkOptions } from './sink';
import { checkIterate, OVER, PullSource, type IterateOptions } from './source';
import { exemptFromTimeouts, setTimeouts, type Timeouts } from './timeouts';
import { UrgentSource } from './urgent';

const MOST = 0x40000000;

/**
 * A connected byte stream, TCP or Unix, from `connect` or a `Listener`. Its chunks are an async iterator and, by
 * `observe()`, an Observable; `toDuplex()` makes a Node stream of it, `readable` and `writable` Web streams. The end of
 * the peer's stream closes nothing: `close()` does, politely.
 * @example
 * const conn = await connect({ host: 'localhost', port: 7007, timeout: 5_000 });
 * await conn.write('question\n');
 * await conn.end();
 * for await (const chunk of conn) process.stdout.write(chunk);
 * await conn.close();
 */
export class StreamSocket<A extends Address = Address>
  extends PullSource<Buffer>
  implements Channel, AsyncDisposable
{
  private local: A | undefined;
  private written: SendBytes | undefined;
  private streams: WebStreams | undefined;

  /** @internal Use `connect` or a `Listener`. */
  constructor(
    readonly socket: Socket,
    private remote?: A,
  ) {
    super();
  }

  /** The peer, as it was named when the connection was made. */
  get remoteAddress(): A {
    return (this.remote ??= this.socket.getpeername() as A);
  }

  /**
   * This side's address. Once asked for it is remembered; asked for the first time when the socket is closed it throws
   * ERR_SOCKET_CLOSED, for the kernel has forgotten it: who wants it in an error's message asks before.
   */
  get localAddress(): A {
    return (this.local ??= this.socket.getsockname() as A);
  }

  /** Bytes that came from the kernel through this endpoint. */
  get bytesRead(): number {
    return this.socket.state.bytesRead;
  }

  /** Bytes that the kernel has taken through this endpoint. */
  get bytesWritten(): number {
    return this.socket.state.bytesWritten;
  }

  /** The next bytes, at most `size` (65,536 unless told), as soon as there are any; null at the end. */
  read(options?: Wait & { size?: number }): Promise<Buffer | null>;
  /** The next bytes into the caller's memory: how many; null at the end. */
  read(into: Bytes, options?: Wait): Promise<number | null>;
  read(first?: (Wait & { size?: number }) | Bytes, second?: Wait): Promise<Buffer | number | null> {
    if (first === undefined) return this.perform(this.step(), undefined);
    if (ArrayBuffer.isView(first) || !isOptions(first)) {
      return this.perform(new ReceiveBytes(this.socket.state, roomOf(first, 'into')), second);
    }
    const size = first.size === undefined ? CHUNK : integer('options.size', first.size, 1, MOST);
    return this.perform(new ReceiveChunk(this.socket.state, size), first);
  }

  /**
   * Exactly `length` bytes.
   * @throws ERR_STREAM_PREMATURE_CLOSE where the stream ends before; with it, as after a signal or a timeout,
   * `bytesTransferred` and `data` say what had come.
   */
  readExactly(length: number, options?: Wait): Promise<Buffer> {
    return this.perform(
      new ReceiveExactly(this.socket.state, integer('length', length, 0, MOST)),
      options,
    );
  }

  /**
   * All of `data`, behind what was written before: resolves when the kernel has it. Awaiting it is the
   * back-pressure; there is no queue but the calls that wait.
   * @throws SystemError, with `bytesTransferred`, as after a signal or a timeout. Behind a write that was cut short so,
   * those in the queue reject with ECANCELED: go on with the rest of that one, or close, which is a reset then.
   */
  write(data: Data, options?: Wait): Promise<void> {
    if (options === undefined && data instanceof Uint8Array) return this.writeBytes(data);
    return this.perform(sendAll(this.socket.state, piecesToWrite(data)), options);
  }

  // Most writes go whole at once, and need no operation for it.
  private writeBytes(data: Uint8Array): Promise<void> {
    const { state } = this.socket;
    const bytes = bytesOf(data, 'data');
    if (this.closing !== undefined || bytes.byteLength === 0)
      return this.perform(this.writing().of(bytes), undefined);
    const sent = sendNow(state, bytes);
    if (sent === bytes.byteLength) return DONE;
    const writing = this.writing().of(bytes);
    if (sent === undefined) return this.perform(writing, undefined);
    return reactor.promise(writing, writing.after(sent), undefined, this);
  }

  // One write after the other is the rule: they share an operation.
  private writing(): SendBytes {
    const { written } = this;
    return written?.isOver === true ? written : (this.written = new SendBytes(this.socket.state));
  }

  /** Ends the writing side behind all writes (SHUT_WR). Reading goes on. */
  end(options?: Wait): Promise<void> {
    return this.perform(new EndWriting(this.socket.state), options);
  }

  /**
   * Ends the writing side behind all writes, reads on until the peer has ended too, for at most `linger` ms,
   * and closes. Without the reading on, input that nobody read would turn into a reset that overtakes the
   * last reply. What waits for input rejects with ERR_SOCKET_CLOSED at once.
   */
  close(options?: CloseOptions): Promise<void> {
    if (this.closing !== undefined) return this.closing;
    const drain = new Drain(this.socket.state);
    return closePolitely(this.socket, drain, options, (closing) => void (this.closing = closing));
  }

  /** Closes at once and resets the connection: SO_LINGER of 0. */
  abort(): void {
    reset(this.socket);
  }

  /**
   * Sends one urgent byte, in its turn behind the writes (MSG_OOB). TCP keeps one at a time: what the peer has
   * not taken when the next one comes, it loses.
   * @throws SystemError EOPNOTSUPP on a Unix socket of a kernel without CONFIG_AF_UNIX_OOB
   */
  sendUrgent(byte: number, options?: Wait): Promise<void> {
    const data = Uint8Array.of(integer('byte', byte, 0, 255));
    return this.perform(new Send(this.socket.state, data, C.MSG_OOB), options).then(() => {});
  }

  /**
   * The peer's urgent bytes, ahead of the stream, in which they leave no trace but a mark
   * (`socket.sockatmark()`). Ends when the connection is down in both directions or closed on this side.
   */
  urgent(options?: IterateOptions): AsyncIterableIterator<number, undefined> {
    return iterate(new UrgentSource(this), checkIterate(options));
  }

  /**
   * Sends a file, or `length` bytes of it from `offset` on, in its turn among the writes: sendfile(2). A descriptor
   * or FileHandle stays open and keeps its position; a path is opened and closed again, and takes its turn when
   * it is open. How many bytes went: fewer where the file was cut meanwhile. What is written over a part that the
   * peer does not have yet changes what it gets: the kernel sends the file's own pages.
   * @throws SystemError of open(2) and sendfile(2), with `bytesTransferred`
   */
  sendFile(file: number | FileHandleLike | string, options: SendFileOptions = {}): Promise<number> {
    return sendFile(this.socket.state, file, options, (operation) =>
      this.perform(operation, options),
    );
  }

  /**
   * Deadlines for every later call that has no `timeout` of its own, in ms, Infinity for none: ERR_SOCKET_TIMEOUT.
   * They cost calls nothing: a sweep that all sockets share looks for who waits too long, so that it may come
   * late by a quarter.
   */
  setTimeouts(timeouts: Timeouts): this {
    record('timeouts', timeouts);
    const { read, write } = timeouts;
    if (read !== undefined) duration('timeouts.read', read);
    if (write !== undefined) duration('timeouts.write', write);
    if (!this.socket.closed) setTimeouts(this.socket.state, { read, write });
    return this;
  }

  /** A stream.Duplex over this socket. Use one or the other: both read from the same stream. */
  toDuplex(options?: DuplexOptions): SocketDuplex {
    return new SocketDuplex(this, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * A Web stream of bytes. BYOB reads go straight into the reader's buffer; `cancel` ends the reading side. When
   * this and `writable` are both done the socket is closed, behind a `cancel` as `close` does it.
   */
  get readable(): WebStreams['readable'] {
    return this.web().readable;
  }

  /** A Web stream to write to: `close` ends the writing side, `abort` resets the connection. */
  get writable(): WebStreams['writable'] {
    return this.web().writable;
  }

  private web(): WebStreams {
    return (this.streams ??= webStreams(this));
  }

  /** @internal The contract with the adapters. */
  pullInto(
    into: Uint8Array,
    got: (length: number | null) => void,
    failed: (error: Error) => void,
  ): Pull {
    return this.pullBy(new ReceiveBytes(this.socket.state, into), got, failed);
  }

  /** @internal */
  pullWithDescriptors(
    got: (chunk: Buffer | null, fds: readonly Descriptor[]) => void,
    failed: (error: Error) => void,
  ): Pull {
    const operation = new ReceiveWithDescriptors(this.socket.state);
    return this.pullBy(operation, ({ chunk, fds }) => got(chunk, fds), failed);
  }

  private pullBy<T>(
    operation: Operation<T>,
    got: (value: T) => void,
    failed: (error: Error) => void,
  ): Pull {
    if (this.closing === undefined) return this.submit(operation, got, failed);
    failed(closedError(operation.syscall));
    return OVER;
  }

  /** @internal */
  get passesDescriptors(): boolean {
    return this.socket.domain === C.AF_UNIX;
  }

  /** @internal */
  pack(bytes: unknown, fds: unknown): Parcel {
    return pack(bytes, fds, this.passesDescriptors);
  }

  // SHUT_RD tells a Unix peer, whose writes fail from then on (unix_shutdown). TCP has no words for it, and keeps what
  // comes until there is no room: but behind our end Linux would answer it with a reset, which destroys what the peer
  // has not read of ours yet (tcp_rcv_state_process). Test: "promise 5: a reply outlives the cancelling of its request".
  /** @internal */
  stopReading(): void {
    if (!this.passesDescriptors) return;
    try {
      this.socket.shutdown('read');
    } catch {
      // It is closed, or the peer has gone: nothing comes any more.
    }
  }

  /** @internal */
  put(
    pieces: readonly Uint8Array[],
    done: () => void,
    failed: (error: Error) => void,
    beside?: readonly Beside[],
  ): void {
    if (this.closing !== undefined) return failed(closedError('write'));
    const packed = beside as readonly (EncodedControl | undefined)[] | undefined;
    this.submit(sendAll(this.socket.state, pieces, packed), done, failed);
  }

  /**
   * The end of an rxjs pipe: `lines.pipe(conn.sink())` writes what comes, each item whole, completes when the kernel
   * has all of it (the writing side stays open), and fails where a write does. Nobody can be asked to wait: what comes
   * while the peer takes nothing is in a queue of `highWaterMark` items, and `overflow` says what happens beyond it.
   */
  sink(options?: SinkOptions<Data>): OperatorFunction<Data, never> {
    const put: Puttable<Data>['put'] = (items, done, failed) => {
      this.put(items.flatMap(piecesToWrite), done, failed);
    };
    return sink({ put }, options);
  }

  /** @internal */
  finish(done: () => void, failed: (error: Error) => void): void {
    this.submit(new EndWriting(this.socket.state), done, failed);
  }

  /** @internal */
  release(): void {
    closeAtOnce(this.socket);
  }

  /** @internal */
  part(): void {
    this.close().catch(() => {
      // Nobody is left who would hear of it.
    });
  }

  /** @internal */
  keepAlive(alive: boolean): void {
    if (alive) this.socket.ref();
    else this.socket.unref();
  }

  /** @internal */
  setNoDelay(on: boolean): void {
    this.tune(() => this.socket.setsockopt(C.IPPROTO_TCP, C.TCP_NODELAY, on));
  }

  /** @internal */
  setKeepAlive(on: boolean, delay: number): void {
    this.tune(() => {
      this.socket.setsockopt(C.SOL_SOCKET, C.SO_KEEPALIVE, on);
      if (on && delay > 0) this.socket.setsockopt(C.IPPROTO_TCP, C.TCP_KEEPIDLE, delay);
    });
  }

  // As with net.Socket: nothing where it is closed or no TCP, and a refusal is nobody's business.
  private tune(set: () => void): void {
    if (this.socket.closed || this.socket.domain === C.AF_UNIX) return;
    try {
      set();
    } catch {
      // EINVAL: the connection is down already.
    }
  }

  protected override perform<R>(operation: Operation<R>, options: Wait | undefined): Promise<R> {
    if (options?.timeout !== undefined) exemptFromTimeouts(operation);
    return super.perform(operation, options);
  }

  protected next(): Operation<Buffer | null> {
    return new ReceiveChunk(this.socket.state, CHUNK);
  }

  private submit<T>(
    operation: Operation<T>,
    done: (value: T) => void,
    failed: (error: Error) => void,
  ): Pull {
    operation.resolve = done;
    operation.reject = failed;
    return reactor.submit(operation, undefined, this) ?? OVER;
  }
}

function isOptions(value: object): value is Wait & { size?: number } {
  return (
    value !== null &&
    typeof value === 'object' &&
    Object.prototype.toString.call(value) === '[object Object]'
  );
}

function piecesToWrite(data: Data): Uint8Array[] {
  if (typeof data === 'string') return [Buffer.from(data)];
  if (!Array.isArray(data)) return [bytesOf(data, 'data')];
  if (data.some((piece) => typeof piece === 'string'))
    throw invalidType('data', 'bytes, an array of bytes, or a string', data);
  return piecesOf(data, 'data', Infinity);
}
