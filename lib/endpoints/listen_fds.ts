// listenFds(): the descriptors that a service manager has opened for this process, sd_listen_fds(3).

import { record } from '../core/validate';
import { setCloseOnExec } from '../socket/descriptor';
import { fromFd, type Endpoint } from './from_fd';
import { invalidType, invalidValue } from '../core/errors';

/** SD_LISTEN_FDS_START. */
const FIRST = 3;

const PID = 'LISTEN_PID';
const COUNT = 'LISTEN_FDS';
const NAMES = 'LISTEN_FDNAMES';

/** A descriptor of a service manager, and what it is. */
export interface InheritedEndpoint {
  /** FileDescriptorName= of the unit, or the unit's own name; 'unknown' where the manager tells none. */
  name: string;
  fd: number;
  /** null where the descriptor is no socket (a FIFO, a device): then it is the caller's to use and to close. */
  endpoint: Endpoint | null;
}

/**
 * What a service manager (systemd's socket units, systemd-socket-activate) has handed to this process, in the
 * unit's order: LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say what. Nothing where they are not set or meant for
 * another process. All of them become close-on-exec. The variables are unset, so that a second call, and
 * children, find none, unless `unset` is false.
 * @throws ERR_INVALID_ARG_VALUE where the variables contradict each other; SystemError EBADF where a
 * descriptor is not open. Then nothing is adopted, and the variables are unset all the same.
 */
export function listenFds(options?: { unset?: boolean }): InheritedEndpoint[] {
  const unset = options === undefined ? undefined : record('options', options).unset;
  if (unset !== undefined && typeof unset !== 'boolean')
    throw invalidType('options.unset', 'of type boolean', unset);
  const { [PID]: pid, [COUNT]: count, [NAMES]: list } = process.env;
  if (unset !== false)
    for (const name of [PID, COUNT, NAMES]) Reflect.deleteProperty(process.env, name);
  if (pid === undefined || count === undefined || number(PID, pid) !== process.pid) return [];
  const names = list === undefined ? undefined : list.split(':');
  const fds = Array.from({ length: number(COUNT, count) }, (_, i) => FIRST + i);
  if (names !== undefined && names.length !== fds.length)
    throw invalidValue(NAMES, `${fds.length} names`, list);
  // First of all, so that none is adopted where one is not there.
  fds.forEach(setCloseOnExec);
  return fds.map((fd, i) => ({ name: names?.[i] ?? 'unknown', fd, endpoint: endpointOf(fd) }));
}

function number(name: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw invalidValue(name, 'a number', text);
  return Number(text);
}

function endpointOf(fd: number): Endpoint | null {
  try {
    return fromFd(fd);
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOTSOCK') return null;
    throw error;
  }
}
