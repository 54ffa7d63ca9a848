// Messages as they come out of the receive slab and go into the send slab.

import { FACTS, FACTS_PER_MESSAGE } from '../native/binding';
import { binding } from '../native/load';
import { reactor } from '../core/runtime';
import type { Address, AddressInput } from './address';
import type { Bytes, IoVec } from './bytes';
import { constants as C } from './constants';
import { decodeAddress } from './sockaddr';
import type { SocketState } from './state';

/** Ancillary data. This version receives and sends none yet: `control` is always empty. */
export type Control = never;

export interface Message {
  /** What arrived, in memory of its own: at most `size` bytes. */
  data: Buffer;
  /** Bytes on the wire; more than `data` has where the message was truncated. */
  length: number;
  truncated: boolean;
  /** Ancillary data was cut, for want of room or of anybody who takes it. */
  controlTruncated: boolean;
  /** The sender; null where the socket is connected and the kernel does not say. */
  from: Address | null;
  /** msg_flags of recvmsg(2). */
  flags: number;
  control: Control[];
}

export interface OutgoingMessage {
  data: Bytes | IoVec;
  to?: AddressInput | undefined;
}

export const DEFAULT_SIZE = 65536;
export const BATCH_CAPACITY = binding.batchLayout.capacity;

const layout = binding.batchLayout;
const { shared } = reactor.memory;

interface Memory {
  readonly receive: Buffer;
  readonly fields: DataView;
  readonly send: Uint8Array;
}

const CONTROL_LENGTH = 3;

/** Whether the kernel stamped message `i`: see SeqpacketSocket. */
export function isStamped(i: number): boolean {
  return shared[FACTS + i * FACTS_PER_MESSAGE + CONTROL_LENGTH] !== 0;
}

let memory: Memory | undefined;

// 4 MiB of address space, touched only as far as messages reach; made when the first message is.
export function slabs(): Memory {
  if (memory === undefined) {
    const { receive, send } = binding.slabs();
    memory = {
      receive: Buffer.from(receive.buffer, receive.byteOffset, receive.byteLength),
      fields: new DataView(receive.buffer, receive.byteOffset, receive.byteLength),
      send,
    };
  }
  return memory;
}

/** The largest `size` a message may be received with. */
export const MAX_SIZE = layout.head + layout.tailSize;

/** Message `i` of the batch that was just received with `size`, in memory of its own. */
export function messageAt(i: number, size: number, state: SocketState): Message {
  const { receive, fields } = slabs();
  const fact = FACTS + i * FACTS_PER_MESSAGE;
  const length = shared[fact];
  const flags = shared[fact + 1];
  const kept = length < size ? length : size;
  const data = Buffer.allocUnsafe(kept);
  const start = i * layout.headStride;
  if (kept <= layout.head) {
    receive.copy(data, 0, start, start + kept);
  } else {
    receive.copy(data, 0, start, start + layout.head);
    const tail = layout.tailOffset + i * (size - layout.head);
    receive.copy(data, layout.head, tail, tail + kept - layout.head);
  }
  const nameLength = shared[fact + 2];
  return {
    data,
    length,
    truncated: (flags & C.MSG_TRUNC) !== 0 && length > kept,
    controlTruncated: (flags & C.MSG_CTRUNC) !== 0,
    from: senderOf(
      decodeAddress(receive, fields, layout.namesOffset + i * layout.nameStride, nameLength),
      state,
    ),
    flags,
    control: [],
  };
}

// An unbound Unix datagram socket has no name, and the kernel gives no address at all for it.
export function senderOf(from: Address | null, state: SocketState): Address | null {
  if (from === null && state.domain === C.AF_UNIX && state.type === C.SOCK_DGRAM) {
    return { family: 'unix', path: '' };
  }
  return from;
}

/** A message on its way out, checked: its pieces and its address as the kernel takes them. */
export interface Outgoing {
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
  readonly name: Uint8Array | null;
}

const OUTGOING = 4;

/** Lays as many of `messages` from `first` on into the send slab as fit; how many did. */
export function layOut(messages: readonly Outgoing[], first: number): number {
  const { send } = slabs();
  let offset = 0;
  let count = 0;
  for (let i = first; i < messages.length && count < layout.capacity; i++) {
    const { pieces, length, name } = messages[i];
    const nameLength = name === null ? 0 : name.byteLength;
    if (length + nameLength > layout.sendSize - offset) break;
    const fact = FACTS + count * OUTGOING;
    shared[fact] = offset;
    shared[fact + 1] = length;
    for (const piece of pieces) {
      send.set(piece, offset);
      offset += piece.byteLength;
    }
    shared[fact + 2] = offset;
    shared[fact + 3] = nameLength;
    if (name !== null) send.set(name, offset);
    offset += nameLength;
    count++;
  }
  return count;
}
