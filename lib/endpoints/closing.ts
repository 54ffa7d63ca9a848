// The polite end of a connection: end the writing side, read on until the peer has ended too, close.

import { isClosed } from '../adapters/contract';
import { abortError, closedError } from '../core/errors';
import type { Operation } from '../core/operation';
import { reactor } from '../core/runtime';
import { integer, wait as checkWait, type Wait } from '../core/validate';
import type { Socket } from '../socket/socket';
import { EndWriting } from '../socket/stream';

/** How long to wait for the peer's end unless told, in ms. */
const LINGER = 1000;

export interface CloseOptions extends Wait {
  /** How long to go on reading (and throwing away) after the writing side was ended, in ms: 1,000 unless told. */
  linger?: number | undefined;
}

/**
 * Ends the writing side behind all writes, lets `drain` read on for at most `linger` ms, and closes. Input that
 * nobody read would turn the close into a reset, which overtakes the last reply (RFC 1122, 4.2.2.13).
 */
export function closePolitely(
  socket: Socket,
  drain: Operation<void>,
  options: CloseOptions | undefined,
): Promise<void> {
  const wait = checkWait(options);
  const linger = options?.linger;
  return close(
    socket,
    drain,
    wait,
    linger === undefined ? LINGER : integer('options.linger', linger, 0),
  );
}

async function close(
  socket: Socket,
  drain: Operation<void>,
  wait: Wait | undefined,
  linger: number,
): Promise<void> {
  const { state } = socket;
  // The peer has ended and nothing is on its way to it: there is nothing to wait for.
  if (state.closed || (state.ended && state.waiting === 0)) {
    socket.close();
    return;
  }
  reactor.expel(state.readers, (operation) => closedError(operation.syscall));
  try {
    await reactor.perform(new EndWriting(state), wait, socket);
    // However the peer goes, by its end, a reset or not at all: the close goes through.
    const limits = { signal: wait?.signal, timeout: linger };
    await reactor.perform(drain, limits, socket).catch(() => {});
  } catch (error) {
    if (!isClosed(error as Error)) throw error;
  } finally {
    socket.close();
  }
  if (wait?.signal?.aborted === true) throw abortError(wait.signal);
}
