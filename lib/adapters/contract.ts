// What adapters know of the things that they adapt, and all that they know.

/** Something that yields items one at a time, on demand: a stream's chunks, messages, connections. */
export interface Pullable<T> {
  /**
   * Asks for the next item. Exactly one of the callbacks is called, now or later: `got` with the item or, at
   * the end, null; `failed` with the reason. Pulls are served in their order.
   */
  pull(got: (item: T | null) => void, failed: (error: Error) => void, signal?: AbortSignal): Pull;
  /** Takes a pull back: none of its callbacks is called, and nothing that it could have had is lost. */
  withdraw(pull: Pull): void;
  /** Disposes of an item that was had and that nobody will get: a connection is closed (promise 8). */
  discard?(item: T): void;
}

/** A pull that is under way, opaque to whoever made it. */
export type Pull = object;

/** Something that takes items. */
export interface Puttable<T> {
  /** All of `items`, in order, after what was put before: `done` is the back-pressure. */
  put(items: readonly T[], done: () => void, failed: (error: Error) => void): void;
}

export interface ChannelAddress {
  readonly family: string | number;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string | Uint8Array;
}

/** A descriptor that came in: it is closed by whoever takes it, or by `close`. */
export interface Descriptor extends Disposable {
  readonly fd: number;
  take(): number;
  close(): void;
}

/** Bytes with what is to travel beside them, checked; how it travels is the channel's business. */
export interface Parcel {
  readonly bytes: Buffer;
  readonly beside: Beside;
}

/** What travels beside one piece of bytes, opaque; undefined for nothing. */
export type Beside = object | undefined;

/** What has, or will have, bytes beside which descriptors travel; or has not, and says so. */
export interface Packer {
  readonly passesDescriptors: boolean;
  /** Throws where the arguments are wrong, and where there are descriptors and they are not passed. */
  pack(bytes: unknown, fds: unknown): Parcel;
}

/** A byte stream in both directions. */
export interface Channel extends Pullable<Buffer>, Puttable<Uint8Array>, Packer {
  /** Asks for the next bytes in the caller's memory: `got` with how many, or null at the end. */
  pullInto(
    into: Uint8Array,
    got: (length: number | null) => void,
    failed: (error: Error) => void,
  ): Pull;
  /** As `pull`, with the descriptors that came with the bytes: the puller's to close. */
  pullWithDescriptors(
    got: (chunk: Buffer | null, fds: readonly Descriptor[]) => void,
    failed: (error: Error) => void,
  ): Pull;
  /** Reads no more, and tells the peer where there are words for it. */
  stopReading(): void;
  /**
   * As Puttable's; `beside` is what was packed with each of `pieces`.
   */
  put(
    pieces: readonly Uint8Array[],
    done: () => void,
    failed: (error: Error) => void,
    beside?: readonly Beside[],
  ): void;
  /** Ends the writing side behind all that was put. */
  finish(done: () => void, failed: (error: Error) => void): void;
  /** Closes at once, without ceremony: input that nobody has read makes a reset of it. */
  release(): void;
  /** Closes when the peer has ended, or after a while; what it sends until then is thrown away. */
  part(): void;
  /** Closes at once; the peer sees a reset. */
  abort(): void;
  /** Whether waiting on it keeps the process alive. */
  keepAlive(alive: boolean): void;
  /** TCP_NODELAY; nothing where there is no TCP. */
  setNoDelay(on: boolean): void;
  /** SO_KEEPALIVE, the first probe after `delay` seconds of silence (0: as it was); nothing where there is no TCP. */
  setKeepAlive(on: boolean, delay: number): void;
  readonly localAddress: ChannelAddress;
  readonly remoteAddress: ChannelAddress;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A channel that is being connected. */
export interface Dialling extends Packer {
  /** The name that is looked up first, where it is a name. */
  readonly host?: string | undefined;
  readonly channel: Promise<Channel>;
  /** Ends it: `channel` rejects, and nothing stays open. */
  cancel(): void;
}

/** A listener that throws stops nothing, and its error is not lost. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** This side closed the source: an end for those who iterate or observe, not a failure. */
export function isClosed(error: Error): boolean {
  return (error as { code?: unknown }).code === 'ERR_SOCKET_CLOSED';
}
