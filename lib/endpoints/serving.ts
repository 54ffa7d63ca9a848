// Serving: a handler for every connection of a listener, and the graceful end of it all.

import { clearTimeout as stopTimer, setTimeout as startTimer } from 'node:timers';
import { isClosed } from '../adapters/contract';
import { invalidType } from '../core/errors';
import { throwLater } from '../core/settlement';
import { onceAborted } from '../core/signals';
import { duration, integer, known, wait as checkWait, type KeysOf } from '../core/validate';
import type { Socket } from '../socket/socket';

/** How long handlers may go on after the end has begun unless told, in ms. */
const DRAIN = 10_000;
// Node's timers would take a longer one for 1 ms.
const LONGEST_TIMEOUT = 0x7fffffff;

/** What a listener accepts: a StreamSocket or a SeqpacketSocket. */
export interface Peer {
  readonly socket: Socket;
  close(): Promise<void>;
  abort?(): void;
}

/** `signal` is aborted when the time to end in is over. */
export type Handler<S> = (peer: S, signal: AbortSignal) => void | Promise<void>;

/** How `Listener.serve` runs and ends. */
export interface ServeOptions<S> {
  /** Aborted: the end begins. */
  signal?: AbortSignal | undefined;
  /**
   * Connections at a time, each until it is closed and its handler is done; those beyond it wait in the kernel's
   * backlog. Without it there is no limit.
   */
  maxConnections?: number | undefined;
  /** How long handlers may go on after the end has begun, in ms: 10,000 unless told. */
  drainTimeout?: number | undefined;
  /**
   * Hears what goes wrong: with `peer` the error of its handler, without it a shortage (EMFILE, ENFILE, ENOBUFS,
   * ENOMEM) that keeps the listener from accepting for a while. Unless told, they become process warnings.
   */
  onError?: ((error: Error, peer?: S) => void) | undefined;
}

const KEYS: KeysOf<ServeOptions<unknown>> = {
  signal: true,
  maxConnections: true,
  drainTimeout: true,
  onError: true,
};

interface Source<S> {
  accept(): Promise<S>;
  close(): Promise<void>;
}

export class Serving<S extends Peer> {
  // Whose connection is open, or whose handler is at work.
  private readonly active = new Set<S>();
  private readonly hardStop = new AbortController();
  private readonly most: number;
  private readonly drainTimeout: number;
  private ending = false;
  // Called when a connection has gone and its handler is done, or the end begins.
  private news: () => void = () => {};

  constructor(
    private readonly listener: Source<S>,
    private readonly handler: Handler<S>,
    private readonly options: ServeOptions<S> = {},
  ) {
    if (typeof handler !== 'function') throw invalidType('handler', 'of type function', handler);
    known('options', options, KEYS);
    checkWait({ signal: options.signal });
    const { maxConnections, drainTimeout, onError } = options;
    this.most =
      maxConnections === undefined
        ? Infinity
        : integer('options.maxConnections', maxConnections, 1);
    this.drainTimeout =
      drainTimeout === undefined ? DRAIN : duration('options.drainTimeout', drainTimeout);
    if (onError !== undefined && typeof onError !== 'function') {
      throw invalidType('options.onError', 'of type function', onError);
    }
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const forget = signal === undefined ? undefined : onceAborted(signal, () => this.end());
    if (signal?.aborted === true) this.end();
    try {
      await this.acceptAll();
    } finally {
      forget?.();
      this.end();
      await this.drain();
    }
  }

  /** What goes wrong goes to `onError`, and no further. */
  report(error: Error, peer?: S): void {
    const { onError } = this.options;
    if (onError === undefined) warn(error);
    else onError(error, peer);
  }

  private end(): void {
    if (this.ending) return;
    this.ending = true;
    void this.listener.close();
    this.news();
  }

  private async acceptAll(): Promise<void> {
    try {
      while (!this.ending) {
        if (this.active.size < this.most) this.take(await this.listener.accept());
        else await new Promise<void>((resolve) => (this.news = resolve));
      }
    } catch (error) {
      if (!isClosed(error as Error)) throw error;
    }
  }

  // Over when both are: a handler may work on behind the close, and a peer may outlive its handler.
  private take(peer: S): void {
    this.active.add(peer);
    let left = 2;
    const over = (): void => {
      if (--left > 0) return;
      this.active.delete(peer);
      this.news();
    };
    peer.socket.state.whenClosed(over);
    void this.handle(peer).catch(throwLater).then(over);
  }

  /** Rejects where `onError` throws. */
  private async handle(peer: S): Promise<void> {
    try {
      const outcome = this.handler(peer, this.hardStop.signal) as PromiseLike<void> | undefined;
      if (typeof outcome?.then !== 'function') return;
      await outcome;
      await peer.close();
    } catch (error) {
      drop(peer);
      // Its end was forced upon it.
      if (!this.hardStop.signal.aborted) this.report(error as Error, peer);
    }
  }

  private async drain(): Promise<void> {
    if (this.active.size === 0) return;
    await new Promise<void>((resolve) => {
      const late =
        this.drainTimeout > LONGEST_TIMEOUT ? undefined : startTimer(resolve, this.drainTimeout);
      this.news = (): void => {
        if (this.active.size > 0) return;
        stopTimer(late);
        resolve();
      };
    });
    this.hardStop.abort();
    for (const peer of this.active) drop(peer);
  }
}

/** Says what nobody asked to hear: on stderr, unless the process listens to its warnings. */
export function warn(error: Error): void {
  const { name, message, stack, code } = error as Error & { code?: string };
  // Where in this library a system call failed is of no interest.
  const detail = code === undefined ? stack : undefined;
  process.emitWarning(message, { type: name, code, detail });
}

/** Closes at once, with a reset where there is one. */
export function drop(peer: Peer): void {
  if (peer.abort === undefined) peer.socket.close();
  else peer.abort();
}
