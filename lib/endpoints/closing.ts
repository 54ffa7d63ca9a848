// The polite end of a connection: end the writing side, read on until the peer has ended too, close.

import { clearInterval as stopTimer, setInterval as startTimer } from 'node:timers';
import { isClosed } from '../adapters/contract';
import { abortError, closedError } from '../core/errors';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { integer, wait as checkWait, type Wait } from '../core/validate';
import { constants as C } from '../socket/constants';
import type { Socket } from '../socket/socket';
import { EndWriting } from '../socket/stream';
import { exemptFromTimeouts } from './timeouts';

/** How long to wait for the peer's end unless told, in ms. */
const LINGER = 1000;

/** How a polite `close` goes: whom it waits for, and how long. `signal` and `timeout` limit the writing. */
export interface CloseOptions extends Wait {
  /**
   * How long the writes before it may take, in ms: then it closes at once, and rejects with ERR_SOCKET_TIMEOUT. The
   * wait for the peer's end has `linger` alone.
   */
  timeout?: number | undefined;
  /**
   * How long to wait for the peer, in ms: for it to take anything of what is being written, and, after the
   * writing side was ended, for its own end, while what it sends is thrown away. 1,000 unless told.
   */
  linger?: number | undefined;
}

/**
 * Ends the writing side behind all writes, lets `drain` read on for at most `linger` ms, and closes. Input that
 * nobody read would turn the close into a reset, which overtakes the last reply (RFC 1122, 4.2.2.13). `begun` is called
 * first, unless the options are wrong.
 */
export function closePolitely(
  socket: Socket,
  drain: Operation<void>,
  options: CloseOptions | undefined,
  begun: (closing: Promise<void>) => void,
): Promise<void> {
  const wait = checkWait(options);
  const { linger = LINGER } = options ?? {};
  integer('options.linger', linger, 0);
  let settle!: (closed: Promise<void>) => void;
  const closing = new Promise<void>((resolve) => (settle = resolve));
  // Before anybody's wait is ended: whoever hears of it may call again at once.
  begun(closing);
  settle(close(socket, drain, wait, linger));
  return closing;
}

async function close(
  socket: Socket,
  drain: Operation<void>,
  wait: Wait | undefined,
  linger: number,
): Promise<void> {
  const { state } = socket;
  // Nothing is on its way to the peer, and it has ended, or is to have no end: there is nothing to wait for.
  if (state.closed || (state.waiting === 0 && (state.ended || state.cut))) {
    closeAtOnce(socket);
    return;
  }
  // Its limits are `linger` and the caller's.
  exemptFromTimeouts(drain);
  reactor.expel(state.readers, (operation) => closedError(operation.syscall));
  try {
    if (await endWriting(socket, wait, linger)) {
      // However the peer goes, by its end, a reset or not at all: the close goes through.
      const limits = { signal: wait?.signal, timeout: linger };
      await reactor.perform(drain, limits, socket).catch(() => {});
    }
  } catch (error) {
    if (!isClosed(error as Error) && !state.cut) throw error;
  } finally {
    // What it was not waited for is no whole either.
    if (state.writers.head !== null) reset(socket);
    closeAtOnce(socket);
  }
  if (wait?.signal?.aborted === true) throw abortError(wait.signal);
}

/**
 * False where the writes before it had made no progress for `linger` ms: the connection was reset then, since
 * an end would tell the peer that it has everything.
 */
async function endWriting(
  socket: Socket,
  wait: Wait | undefined,
  linger: number,
): Promise<boolean> {
  const { state } = socket;
  const ending = new EndWriting(state);
  exemptFromTimeouts(ending);
  // Nothing to go behind: done in this call.
  if (state.writers.head === null) return reactor.perform(ending, wait, socket).then(() => true);
  let before = progress(socket);
  const watch = startTimer(() => {
    const now = progress(socket);
    if (now === before) reset(socket);
    before = now;
  }, linger).unref();
  try {
    await reactor.perform(ending, wait, socket);
    return true;
  } finally {
    stopTimer(watch);
  }
}

// tcpi_bytes_acked, a u64 of struct tcp_info. The kernel takes more only when a third of its buffer is free, which
// a slow peer may need seconds for: what the peer has taken tells sooner.
const BYTES_ACKED = 120;
const INET = new Set([C.AF_INET, C.AF_INET6]);
const TCP = new Set([0, C.IPPROTO_TCP, C.IPPROTO_MPTCP]);

function progress(socket: Socket): number {
  const taken = socket.state.bytesWritten;
  if (!INET.has(socket.domain) || !TCP.has(socket.protocol)) return taken;
  const info = socket.getsockopt(C.IPPROTO_TCP, C.TCP_INFO);
  return taken + (info.length >= BYTES_ACKED + 8 ? info.readUInt32LE(BYTES_ACKED) : 0);
}

/** Closes at once, with a reset: SO_LINGER of 0. */
export function reset(socket: Socket): void {
  if (socket.closed) return;
  if (socket.domain !== C.AF_UNIX) setLinger(socket, 1, 0);
  socket.close();
}

/**
 * close(2), which never waits: with an SO_LINGER that a listener's `configure` or the caller has set, Linux holds
 * the thread for up to so many seconds, O_NONBLOCK or not (inet_release; of 2 s with unsent bytes it took 2.015).
 * Test: "close: SO_LINGER does not hold the thread". Behind a write that was cut it is a reset: an end would tell the
 * peer that it has everything.
 */
export function closeAtOnce(socket: Socket): void {
  if (socket.closed) return;
  if (socket.state.cut) return reset(socket);
  if (socket.state.lingers && socket.domain !== C.AF_UNIX && socket.type === C.SOCK_STREAM) {
    const [on, seconds] = new Int32Array(
      Uint8Array.from(socket.getsockopt(C.SOL_SOCKET, C.SO_LINGER, 8)).buffer,
    );
    if (on !== 0 && seconds > 0) setLinger(socket, 0, 0);
  }
  socket.close();
}

// struct linger: l_onoff, l_linger in seconds.
function setLinger(socket: Socket, on: number, seconds: number): void {
  socket.setsockopt(C.SOL_SOCKET, C.SO_LINGER, new Int32Array([on, seconds]));
}
