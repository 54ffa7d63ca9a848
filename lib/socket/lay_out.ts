// Messages on their way out: laid into the send slab, as many as fit. Datagrams of one size for one place go as
// a train where the kernel may cut it up itself (UDP_SEGMENT, udp(7)): one pass through its layers for all.

import { FACTS } from '../native/binding';
import { reactor } from '../core/runtime';
import { binding } from '../native/load';
import { lengthOf } from './bytes';
import { constants as C } from './constants';
import { EncodedControl } from './control';
import { slabs } from './message';

// Out of the table, which V8 keeps as a dictionary.
const { AF_INET, EFAULT } = C;

const layout = binding.batchLayout;
const { shared } = reactor.memory;

const OUTGOING = 4;
// UDP_MAX_SEGMENTS of older kernels, and what IPv6 leaves of 64 KiB for the data of all.
const MOST_SEGMENTS = 64;
const LONGEST_TRAIN = 65_535 - 40 - 8;

/** A message on its way out, checked: its pieces and its address as the kernel takes them. */
export interface Outgoing {
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
  readonly name: Uint8Array | null;
  readonly control: EncodedControl | null;
}

// How many messages each entry of the kernel's batch stands for.
const messagesOf = new Uint8Array(layout.capacity);

/** Its memory is all there: none was transferred away since it was handed over. */
export function isWhole({ pieces, length }: Outgoing): boolean {
  return lengthOf(pieces) === length;
}

/**
 * Lays as many of `messages` from `first` on into the send slab as fit, in trains of datagrams of at most
 * `segment` bytes, 0 for none: how many entries there are, or -EFAULT where the first one's memory is gone.
 */
export function layOut(messages: readonly Outgoing[], first: number, segment: number): number {
  let offset = 0;
  let count = 0;
  for (let i = first; i < messages.length && count < layout.capacity; count++) {
    if (!isWhole(messages[i])) return count === 0 ? -EFAULT : count;
    const end = segment > 0 ? endOfTrain(messages, i, segment) : i + 1;
    const { name, length } = messages[i];
    const control = end - i > 1 ? cutInto(length) : messages[i].control;
    const next = layEntry(messages, i, end, name, control, offset, count);
    if (next < 0) break;
    offset = next;
    messagesOf[count] = end - i;
    i = end;
  }
  return count;
}

/** Lays one entry at `offset`; where the next one may lie, -1 where it does not fit. */
function layEntry(
  messages: readonly Outgoing[],
  begin: number,
  end: number,
  name: Uint8Array | null,
  control: EncodedControl | null,
  offset: number,
  entry: number,
): number {
  const { send } = slabs();
  const beside = control === null ? null : control.bytes;
  const nameLength = name === null ? 0 : name.byteLength;
  const controlLength = beside === null ? 0 : beside.byteLength;
  let length = 0;
  for (let i = begin; i < end; i++) length += messages[i].length;
  if (length + nameLength + controlLength > layout.sendSize - offset) return -1;
  const fact = FACTS + entry * OUTGOING;
  shared[fact] = offset;
  shared[fact + 1] = length;
  shared[fact + 2] = nameLength;
  shared[fact + 3] = controlLength;
  let at = offset;
  for (let i = begin; i < end; i++) {
    for (const piece of messages[i].pieces) {
      send.set(piece, at);
      at += piece.byteLength;
    }
  }
  if (name !== null) send.set(name, at);
  at += nameLength;
  if (beside !== null) send.set(beside, at);
  return at + controlLength;
}

// All as long as the first, but the last, which may be shorter. One whose memory is gone ends it: its turn comes, and
// fails nobody else's.
function endOfTrain(messages: readonly Outgoing[], begin: number, segment: number): number {
  const { length, name, control } = messages[begin];
  if (length === 0 || length > segment || control !== null) return begin + 1;
  const most = Math.min(MOST_SEGMENTS, Math.floor(LONGEST_TRAIN / length));
  let end = begin + 1;
  for (; end < messages.length && end - begin < most; end++) {
    const next = messages[end];
    if (next.length === 0 || next.length > length || next.control !== null) break;
    if (!isSame(next.name, name) || !isWhole(next)) break;
    if (next.length < length) return end + 1;
  }
  return end;
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === b) return true;
  if (a === null || b?.byteLength !== a.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

let cutter: EncodedControl | null = null;
let cutterOf = 0;

/** The control data that cuts a train into datagrams of `length` bytes. */
function cutInto(length: number): EncodedControl | null {
  if (cutterOf !== length) {
    const control = [{ kind: 'segmentSize', value: length } as const];
    cutter = EncodedControl.of(control, AF_INET, undefined, 'control');
    cutterOf = length;
  }
  return cutter;
}

/** How many messages the first `entries` of the batch were. */
export function messagesIn(entries: number): number {
  let messages = 0;
  for (let i = 0; i < entries; i++) messages += messagesOf[i];
  return messages;
}
