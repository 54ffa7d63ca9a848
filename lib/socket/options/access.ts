// get and set: from a name and a value to one system call and back.

import { invalidValue, systemError } from '../../core/errors';
import { record } from '../../core/validate';
import { binding } from '../../native/load';
import { bytesOf } from '../bytes';
import { constants as C } from '../constants';
import { optionFor, optionsBehind } from './registry';
import type { Option } from './table';

/** A socket, as far as its options go: its family, and its token at the moment when the call is made. */
export interface Optioned {
  readonly domain: number;
  token(syscall: string): number;
  /** Told of each option that was set, by level and name. */
  changed(level: number, name: number): void;
}

/** The value of an option by its name. */
export function getOption(socket: Optioned, key: string): unknown {
  const option = optionFor(key, socket.domain);
  if (option.access === 'set') throw invalidValue('key', 'an option that can be asked for', key);
  const bytes = Buffer.alloc(option.codec.size);
  const token = socket.token('getsockopt');
  const result = isKnown(option)
    ? binding.getsockopt(token, option.level, option.name, bytes)
    : -C.ENOPROTOOPT;
  if (result < 0) throw refusal(result, 'getsockopt', key);
  return option.codec.decode(bytes.subarray(0, result));
}

/** Sets an option by its name. */
export function setOption(socket: Optioned, key: string, value: unknown): void {
  const option = optionFor(key, socket.domain);
  if (option.access === 'get') throw invalidValue('key', 'an option that can be set', key);
  const bytes = bytesOf(option.codec.encode(value, key), key);
  const token = socket.token('setsockopt');
  const result = isKnown(option) ? write(token, option, bytes) : -C.ENOPROTOOPT;
  if (result < 0) throw refusal(result, 'setsockopt', key);
  socket.changed(option.level, option.name);
}

function write(token: number, option: Option<unknown>, bytes: Uint8Array): number {
  const { level, name } = option;
  return option.program === true
    ? binding.setProgram(token, level, name, bytes)
    : binding.setsockopt(token, level, name, bytes);
}

/**
 * Throws unless `options` has only names that can be set, with values that some family takes: what can be said
 * before there is a socket.
 */
export function checkOptions(name: string, options: object): void {
  record(name, options);
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    const behind = optionsBehind(key, name).filter(({ access }) => access !== 'get');
    if (behind.length === 0) throw invalidValue(name, 'options that can be set', key);
    if (value === undefined) continue;
    const failures = behind.map((option) => failureOf(option, value, `${name}.${key}`));
    if (!failures.includes(undefined)) throw failures[0];
  }
}

// An interface that is not there may be there when the socket is: only misuse counts.
function failureOf(option: Option<unknown>, value: unknown, name: string): unknown {
  try {
    option.codec.encode(value, name);
    return undefined;
  } catch (error) {
    return (error as { syscall?: string }).syscall === undefined ? error : undefined;
  }
}

// The headers that the addon was compiled with may lack the constant.
function isKnown(option: Option<unknown>): boolean {
  return typeof (option.name as unknown) === 'number';
}

function refusal(result: number, syscall: string, key: string): Error {
  const error = systemError(result, syscall);
  error.message += ` (${key})`;
  return error;
}
