// Signal-driven I/O: whom the kernel signals about a socket, and with what (socket(7), fcntl(2)).

import { constants as system } from 'node:os';
import { FACTS } from '../native/binding';
import { invalidType, invalidValue, systemError } from '../core/errors';
import { reactor } from '../core/runtime';
import { integer, record } from '../core/validate';
import { binding } from '../native/load';

const { shared } = reactor.memory;

/** Who is signalled, and how; in `setOwner` what is left out stays as it is. */
export interface Owner {
  /** A process; 0 is nobody. */
  pid?: number | undefined;
  /** A process group; 0 is nobody. One of `pid` and `pgrp`. */
  pgrp?: number | undefined;
  /** Instead of SIGIO: F_SETSIG. Urgent data is SIGURG all the same. */
  signal?: NodeJS.Signals | undefined;
  /** Whether news of the socket is signalled: O_ASYNC. Urgent data (SIGURG) is, with or without it. */
  async?: boolean | undefined;
}

const names = new Map(
  (Object.entries(system.signals) as [NodeJS.Signals, number][])
    .reverse()
    .map(([name, number]) => [number, name]),
);

function checked(syscall: string, result: number): number {
  if (result < 0) throw systemError(result, syscall);
  return result;
}

export function setOwner(token: number, owner: Owner): void {
  const { pid, pgrp, signal, async } = record('owner', owner);
  if (pid !== undefined && pgrp !== undefined)
    throw invalidValue('owner', 'of either a pid or a pgrp', owner);
  const id = pid ?? pgrp;
  if (id !== undefined) integer(pid === undefined ? 'owner.pgrp' : 'owner.pid', id, 0);
  const number = signal === undefined ? undefined : signalNumber(signal);
  if (async !== undefined && typeof async !== 'boolean')
    throw invalidType('owner.async', 'of type boolean', async);
  // The owner before the signals: those of O_ASYNC would find nobody.
  if (id !== undefined) checked('fcntl', binding.setOwner(token, pid === undefined ? 1 : 0, id));
  if (number !== undefined) checked('fcntl', binding.setSignal(token, number));
  if (async !== undefined) checked('fcntl', binding.setAsync(token, async ? 1 : 0));
}

function signalNumber(signal: unknown): number {
  if (typeof signal !== 'string') throw invalidType('owner.signal', 'of type string', signal);
  if (!Object.hasOwn(system.signals, signal))
    throw invalidValue('owner.signal', "the name of a signal, as 'SIGIO'", signal);
  return system.signals[signal as NodeJS.Signals];
}

/** What was set; what was not is absent. */
export function getOwner(token: number): Owner {
  const owner: Owner = {};
  const id = checked('fcntl', binding.getOwner(token));
  if (id !== 0) owner[shared[FACTS] === 1 ? 'pgrp' : 'pid'] = id;
  const signal = names.get(checked('fcntl', binding.getSignal(token)));
  if (signal !== undefined) owner.signal = signal;
  if (checked('fcntl', binding.getAsync(token)) === 1) owner.async = true;
  return owner;
}
