// The one place where -errno becomes an Error, and where this library's own errors are made.
// In JavaScript, because an Error made natively fails `instanceof` in another realm (Jest, vm).

import { inspect } from 'node:util';
import { binding } from '../native/load';

/** A failed system call, in the shape of Node's own errors. */
export interface SystemError extends Error {
  /** The errno's name: 'ECONNREFUSED'; `E<number>` where this platform has none. */
  code: string;
  /** The negative errno. */
  errno: number;
  syscall: string;
  address?: string;
  port?: number;
  path?: string;
  /** The name that was looked up. */
  hostname?: string;
  /** How far a partial operation came, in bytes. */
  bytesTransferred?: number;
  /** How many messages of a batch the kernel took. */
  messagesSent?: number;
}

/** What an error says of the peer or the local end it was about. */
export interface ErrorSubject {
  address?: string;
  port?: number;
  path?: string;
}

// Where two names share a number, the one that the man pages of the socket calls use.
const PREFERRED = new Set(['EAGAIN', 'EOPNOTSUPP', 'EDEADLK']);

let names: Map<number, string> | undefined;

// Made when the first error is: the table is long, and an import costs every program.
function errnoNames(): Map<number, string> {
  const found = new Map<number, string>();
  for (const [name, number] of Object.entries(binding.constants) as [string, number][]) {
    if (/^E(?!AI_|TH_)[A-Z0-9]+$/.test(name) && (PREFERRED.has(name) || !found.has(number))) {
      found.set(number, name);
    }
  }
  return found;
}

export const { EAGAIN, EINPROGRESS, ENOBUFS } = binding.constants;

export function errnoName(errno: number): string {
  names ??= errnoNames();
  return names.get(Math.abs(errno)) ?? `E${Math.abs(errno)}`;
}

/** An Error for a call that answered `result` (negative), as `node:net` words it. */
export function systemError(result: number, syscall: string, subject?: ErrorSubject): SystemError {
  const code = errnoName(result);
  const { address, port, path } = subject ?? {};
  const where =
    address !== undefined
      ? ` ${address}${port !== undefined ? `:${port}` : ''}`
      : path
        ? ` ${path}`
        : '';
  const error = new Error(`${syscall} ${code}${where}`) as SystemError;
  error.errno = result;
  error.code = code;
  error.syscall = syscall;
  if (address !== undefined) error.address = address;
  if (port !== undefined) error.port = port;
  if (path !== undefined) error.path = path;
  return error;
}

let lookUpNames: Map<number, string> | undefined;

function lookUpNamesNow(): Map<number, string> {
  const entries = Object.entries(binding.constants) as [string, number][];
  return new Map(entries.filter(([name]) => name.startsWith('EAI_')).map(([name, n]) => [n, name]));
}

/**
 * An Error for a look-up that answered `status`, an EAI_ number: with gai_strerror's words, and the errno of the
 * system call behind it where the status says no more than that there is one.
 */
export function lookUpError(
  status: number,
  errno: number,
  syscall: string,
  hostname: string | undefined,
  subject = hostname,
): SystemError {
  const where = subject ? ` ${subject}` : '';
  const system = status === binding.constants.EAI_SYSTEM;
  const code = system
    ? errnoName(errno)
    : ((lookUpNames ??= lookUpNamesNow()).get(status) ?? `EAI_${-status}`);
  const words = system ? '' : `: ${binding.gaiStrerror(status)}`;
  const error = new Error(`${syscall} ${code}${where}${words}`) as SystemError;
  error.errno = system ? -errno : status;
  error.code = code;
  error.syscall = syscall;
  if (hostname !== undefined) error.hostname = hostname;
  return error;
}

type Coded<E extends Error> = E & { code: string };

function coded<E extends Error>(error: E, code: string): Coded<E> {
  return Object.assign(error, { code });
}

/** The caller's signal was aborted: Node's AbortError, with the signal's reason as its cause. */
export function abortError(signal: AbortSignal): Error {
  const error = coded(
    new Error('The operation was aborted', { cause: signal.reason }),
    'ABORT_ERR',
  );
  error.name = 'AbortError';
  return error;
}

/** A deadline of ours passed; never the kernel's ETIMEDOUT. */
export function timeoutError(syscall: string, timeout: number): Error {
  return coded(new Error(`${syscall} was not done within ${timeout} ms`), 'ERR_SOCKET_TIMEOUT');
}

/** This side has closed the socket, before or during the operation. */
export function closedError(syscall: string): Error {
  return coded(new Error(`${syscall}: the socket is closed`), 'ERR_SOCKET_CLOSED');
}

/** The peer ended its stream before all the bytes that were asked for had come. */
export function endedError(asked: number, received: number): Error {
  return coded(
    new Error(`The stream ended after ${received} of ${asked} bytes`),
    'ERR_STREAM_PREMATURE_CLOSE',
  );
}

/** Ancillary data was cut, and descriptors were lost; those that came are closed. The message is gone. */
export function controlTruncatedError(bytesTransferred: number): Error {
  const error = new Error('The control data of a message was cut, and descriptors were lost');
  return Object.assign(coded(error, 'ERR_CONTROL_TRUNCATED'), { bytesTransferred });
}

function got(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name}`;
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') {
    const maker = (value as { constructor?: { name?: string } }).constructor?.name;
    return maker ? `an instance of ${maker}` : inspect(value, { depth: -1 });
  }
  const shown = inspect(value, { colors: false });
  return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}

export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const kind = name.includes('.') ? 'property' : 'argument';
  return coded(
    new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${got(value)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

export function invalidValue(name: string, expected: string, value: unknown): TypeError {
  const kind = name.includes('.') ? 'property' : 'argument';
  return coded(
    new TypeError(
      `The "${name}" ${kind} must be ${expected}. Received ${inspect(value, { depth: 0 })}`,
    ),
    'ERR_INVALID_ARG_VALUE',
  );
}

export function outOfRange(name: string, range: string, value: unknown): RangeError {
  return coded(
    new RangeError(
      `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`,
    ),
    'ERR_OUT_OF_RANGE',
  );
}

/** What was received ahead of its reader would be lost with the descriptor. */
export function unreadError(messages: number): Error {
  const words = `${messages} received message${messages === 1 ? ' was' : 's were'} not taken yet`;
  return coded(new Error(`detach: ${words}: receiveBatch() takes them`), 'ERR_INVALID_STATE');
}

/** The buffer's memory was transferred away: there is nothing to read from or to write into. */
export function detachedBuffer(name: string): TypeError {
  return coded(new TypeError(`The memory of "${name}" is detached`), 'ERR_INVALID_STATE');
}
