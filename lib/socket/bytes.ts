// The memory that callers hand in: one piece or several, always looked at as Uint8Arrays, never copied.

import { types } from 'node:util';
import { detachedBuffer, invalidType, invalidValue, outOfRange } from '../core/errors';
import { binding } from '../native/load';

/** Memory: a Buffer, any other view of an ArrayBuffer, or the ArrayBuffer. It is not copied. */
export type Bytes = ArrayBufferView | ArrayBuffer;
/** Several pieces of memory as one: writev(2), readv(2). */
export type IoVec = readonly Bytes[];
/** What an endpoint sends: memory, or a string, as its UTF-8. */
export type Data = Bytes | IoVec | string;

const EXPECTED = 'an ArrayBuffer or a view of one (Buffer, TypedArray, DataView)';

/** What a call answers whose memory was transferred away or shrunk while it waited: the kernel's own word for it. */
export const MEMORY_GONE = -binding.constants.EFAULT;

/** The bytes of one piece. Throws where there are none to be had: a wrong type, or memory transferred away. */
export function bytesOf(value: unknown, name: string): Uint8Array {
  const view = value instanceof Uint8Array ? value : anyView(value, name);
  if (view.byteLength === 0) assertAttached(view.buffer, name);
  return view;
}

function anyView(value: unknown, name: string): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    if (value.byteLength === 0) assertAttached(value.buffer, name);
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (types.isAnyArrayBuffer(value)) {
    assertAttached(value, name);
    return new Uint8Array(value);
  }
  throw invalidType(name, EXPECTED, value);
}

// A detached buffer looks like an empty one, but no view of it can be made.
function assertAttached(buffer: ArrayBufferLike, name: string): void {
  try {
    new Uint8Array(buffer);
  } catch {
    throw detachedBuffer(name);
  }
}

/** The pieces of what may be one piece or an array of them: at most as many as one call may take, unless told. */
export function piecesOf(
  value: Bytes | IoVec,
  name: string,
  most: number = binding.constants.IOV_MAX,
): Uint8Array[] {
  if (!Array.isArray(value)) return [bytesOf(value, name)];
  if (value.length > most) throw outOfRange(`${name}.length`, `<= ${most}`, value.length);
  // Not map(): it passes over holes.
  return Array.from(value as IoVec, (piece, i) => bytesOf(piece, `${name}[${i}]`));
}

/** Memory to receive into, which must have room: 0 bytes received would read as the end of a stream. */
export function roomOf(value: unknown, name: string): Uint8Array {
  const room = bytesOf(value, name);
  if (room.byteLength === 0) throw invalidValue(name, 'at least one byte long', value);
  return room;
}

export function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.byteLength;
  return length;
}
