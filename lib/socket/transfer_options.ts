// What callers of level 1 may say of a transfer beside its data, and the checks of it.

import { invalidType } from '../core/errors';
import { integer, type Wait } from '../core/validate';
import type { Bytes, IoVec } from './bytes';
import {
  DEFAULT_SIZE,
  MAX_CONTROL,
  MAX_SIZE,
  TOLD,
  type ControlWanted,
  type OutgoingMessage,
} from './message';

/** `MSG_*` constants or'ed; NOSIGNAL, DONTWAIT and CMSG_CLOEXEC are always added. */
export type Flags = number;

/** What level 1's transfers take beside their data. */
export interface Transfer extends Wait {
  flags?: Flags | undefined;
}

/** How `recvmsg` receives a message. */
export interface ReceiveMessage extends Transfer {
  /** The caller's memory; without it the message comes in memory of its own. */
  into?: Bytes | IoVec | undefined;
  /** Most bytes to receive without `into`: 67,584 unless told. */
  size?: number | undefined;
  /**
   * Most bytes of control data. Given, descriptors that come are the caller's; without it there is room for all
   * kinds but those, which are closed and told of as `controlTruncated`.
   */
  controlSize?: number | undefined;
}

/** How `recvmmsg` receives messages. */
export interface ReceiveMessages extends Transfer {
  /** Most bytes of each message: 67,584 unless told. */
  size?: number | undefined;
  /** As for `recvmsg`, of each message. */
  controlSize?: number | undefined;
}

/** Which part of a file. */
export interface FileRange {
  /** Where to begin, in bytes; the descriptor's own position unless told. */
  offset?: number | undefined;
  /** How many bytes at most; up to the end unless told. */
  length?: number | undefined;
}

/** Whether there is nothing to send. */
export function isEmpty(messages: readonly OutgoingMessage[]): boolean {
  if (!Array.isArray(messages)) throw invalidType('messages', 'an Array', messages);
  return messages.length === 0;
}

export function flagsOf(options: { flags?: Flags | undefined } | undefined): number {
  const flags = options?.flags;
  return flags === undefined ? 0 : integer('options.flags', flags);
}

export const large = (name: string, value: number): number =>
  integer(name, value, 0, Number.MAX_SAFE_INTEGER);

export function lengthOr(length: number | undefined): number {
  return length === undefined ? Infinity : large('options.length', length);
}

export function sizeOf(options: { size?: number | undefined } | undefined): number {
  const size = options?.size;
  return size === undefined ? DEFAULT_SIZE : integer('options.size', size, 1, MAX_SIZE);
}

export function controlOf(
  options: { controlSize?: number | undefined } | undefined,
): ControlWanted {
  const size = options?.controlSize;
  if (size === undefined) return TOLD;
  return { size: integer('options.controlSize', size, 0, MAX_CONTROL), descriptors: size > 0 };
}
