// Messages as they come out of the receive slab. How they go into the send slab: lay_out.ts.

import { Buffer } from 'node:buffer';
import { CONTROL_LENGTH, FACTS, FACTS_PER_MESSAGE } from '../native/binding';
import { controlTruncatedError } from '../core/errors';
import { binding } from '../native/load';
import { reactor } from '../core/runtime';
import type { Address, AddressInput, InetAddress } from './address';
import type { Bytes, IoVec } from './bytes';
import { constants as C } from './constants';
import {
  closeControl,
  decodeControl,
  type Control,
  type OutgoingControl,
  type PacketInfo,
  type TrafficClass,
} from './control';
import { decodeAddress } from './sockaddr';
import type { SocketState } from './state';

// Out of the table, which V8 keeps as a dictionary.
const { AF_UNIX, MSG_CTRUNC, MSG_TRUNC, SOCK_DGRAM } = C;

/** A message that was received: its bytes, where it came from, and what came beside it. */
export interface Message<A extends Address = Address> {
  /** What arrived, in memory of its own: at most `size` bytes. */
  data: Buffer;
  /**
   * Bytes on the wire; more than `data` has where the message was truncated, but where the kernel does not say: in the error
   * queue, of ping sockets and a few others.
   */
  length: number;
  truncated: boolean;
  /** Ancillary data was cut, for want of room or of anybody who takes it. */
  controlTruncated: boolean;
  /** The sender; null where the socket is connected and the kernel does not say. */
  from: A | null;
  /** msg_flags of recvmsg(2). */
  flags: number;
  /** What came beside the data, in the kernel's order; a frozen array where there was nothing. */
  control: readonly Control[];

  // The same once more, as plain fields: each where the socket was told to tell (options of `bind` and
  // `connect`), and absent where the kernel told nothing. Of several of a kind, the last.
  packetInfo?: PacketInfo;
  /** The time to live, or the hop limit, that was left when it came in. */
  ttl?: number;
  tos?: TrafficClass;
  /** When it came in, in ns since 1970. */
  timestamp?: bigint;
  /** How many messages this socket has lost so far for want of room in its queue, where any was. */
  drops?: number;
  /** Where it was sent to before it was redirected. */
  originalDestination?: InetAddress;
  /** UDP_GRO: the datagrams that `data` is made of, as views of it. */
  segments?: Buffer[];
}

/** A message to be sent; without `to` it goes to the peer that the socket is connected to. */
export interface OutgoingMessage<Data = Bytes | IoVec> {
  data: Data;
  to?: AddressInput | undefined;
  control?: readonly OutgoingControl[] | undefined;
}

export const BATCH_CAPACITY = binding.batchLayout.capacity;

const layout = binding.batchLayout;

/**
 * 66 KiB, the most that leaves room for a whole batch. An IP packet ends at 64 KiB, but a frame has a header before it:
 * the loopback's are as large as that.
 */
export const DEFAULT_SIZE = layout.head + Math.floor(layout.tailSize / BATCH_CAPACITY);

const { shared } = reactor.memory;

interface Memory {
  readonly receive: Buffer;
  readonly fields: DataView;
  readonly send: Uint8Array;
}

const CONTROL_LENGTH_FACT = 3;

/** Room for the control data of one message, 253 descriptors and all the rest, unless told otherwise. */
export const CONTROL_ROOM = layout.controlStride;
/** The most room that there is. */
export const MAX_CONTROL = layout.controlSize;

/** How a receive treats what comes beside the data. */
export interface ControlWanted {
  /** Bytes of control data of each message, at most. */
  readonly size: number;
  /** Descriptors are taken in; if not, they are closed. */
  readonly descriptors: boolean;
}

/** All but descriptors: nobody has said that they would close them. */
export const TOLD: ControlWanted = { size: CONTROL_ROOM, descriptors: false };

export const NOTHING_BESIDE: readonly Control[] = Object.freeze([]);

/** Whether message `i` of a stamped socket is none, but the end: nothing came, not even a stamp. See SeqpacketSocket. */
export function isEnd(i: number): boolean {
  const fact = FACTS + i * FACTS_PER_MESSAGE;
  return shared[fact] === 0 && shared[fact + CONTROL_LENGTH_FACT] === 0;
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

/**
 * Message `i` of the batch that was just received with `size` and `wanted`, in memory of its own; an error
 * where descriptors of it were lost.
 */
export function messageAt(
  i: number,
  size: number,
  state: SocketState,
  wanted: ControlWanted,
): Message | Error {
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
  const controlLength = shared[fact + CONTROL_LENGTH_FACT];
  const message: Message = {
    data,
    length,
    truncated: isTruncated(flags, length, kept),
    controlTruncated: (flags & MSG_CTRUNC) !== 0,
    from: senderOf(
      decodeAddress(receive, fields, layout.namesOffset + i * layout.nameStride, nameLength),
      state,
    ),
    flags,
    control: NOTHING_BESIDE,
  };
  return controlLength === 0
    ? message
    : withControl(message, i * aligned(wanted.size), controlLength, state, wanted);
}

/**
 * `length` is that on the wire, since MSG_TRUNC is asked for; some take no notice of it, and msg_flags alone tell
 * (ip_recv_error, ping_recvmsg, raw_recvmsg of CAN).
 */
export function isTruncated(flags: number, length: number, kept: number): boolean {
  return (flags & MSG_TRUNC) !== 0 || length > kept;
}

/** `message`, which lies in the caller's memory, with the control data that the last recvmsg(2) left. */
export function withLastControl(
  message: Message,
  state: SocketState,
  wanted: ControlWanted,
): Message | Error {
  const length = shared[CONTROL_LENGTH];
  return length === 0 ? message : withControl(message, 0, length, state, wanted);
}

// Each place begins where a cmsghdr may: message_batch.cc.
const WORD = binding.layout['size_t'];
const aligned = (size: number): number => (size + WORD - 1) & ~(WORD - 1);

function withControl(
  message: Message,
  place: number,
  length: number,
  state: SocketState,
  wanted: ControlWanted,
): Message | Error {
  const { receive, fields } = slabs();
  const control = decodeControl(receive, fields, layout.controlOffset + place, length);
  if (message.controlTruncated && wanted.descriptors && control.some(hasDescriptors)) {
    closeControl(control);
    return controlTruncatedError(message.data.length);
  }
  message.control = state.hidesStamps ? withoutStamp(control) : control;
  for (const part of message.control) tell(message, part);
  return message;
}

const hasDescriptors = ({ kind }: Control): boolean => kind === 'rights' || kind === 'pidfd';

function withoutStamp(control: Control[]): readonly Control[] {
  const others = control.filter(({ kind }) => kind !== 'timestamp');
  return others.length === 0 ? NOTHING_BESIDE : others;
}

/** The plain field that says what `part` does, where there is one. */
function tell(message: Message, part: Control): void {
  const { kind } = part;
  if (kind === 'packetInfo') {
    const { interface: index, local, destination } = part;
    message.packetInfo = { interface: index, local, destination };
  } else if (kind === 'ttl') {
    message.ttl = part.value;
  } else if (kind === 'tos') {
    message.tos = { dscp: part.dscp, ecn: part.ecn };
  } else if (kind === 'timestamp') {
    message.timestamp = part.ns;
  } else if (kind === 'drops') {
    message.drops = part.value;
  } else if (kind === 'originalDestination') {
    message.originalDestination = part.address;
  } else if (kind === 'segmentSize') {
    message.segments = segmentsOf(message.data, part.value);
  }
}

function segmentsOf(data: Buffer, size: number): Buffer[] {
  const segments: Buffer[] = [];
  for (let i = 0; i < data.length; i += size) segments.push(data.subarray(i, i + size));
  return segments;
}

/** The first `size` bytes of a message, and everything else of it. */
export function cut(message: Message, size: number): Message {
  const short = { ...message, data: message.data.subarray(0, size), truncated: true };
  const [first] = message.segments ?? [];
  if (first !== undefined) short.segments = segmentsOf(short.data, first.length);
  return short;
}

// An unbound Unix datagram socket has no name, and the kernel gives no address at all for it.
export function senderOf(from: Address | null, state: SocketState): Address | null {
  if (from === null && state.domain === AF_UNIX && state.type === SOCK_DGRAM) {
    return { family: 'unix', path: '' };
  }
  return from;
}
