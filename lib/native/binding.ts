// The wall, typed: what the compiled addon offers. Every call answers ≥ 0 or -errno and never throws;
// a token names an open socket, and -EBADF is the answer to every other number.

import type { Constants } from './constants';

/** Interest (asked) and readiness (got), as in addon/loop/readiness.h. */
export const READ = 1;
export const WRITE = 2;
export const PRIORITY = 4;
export const ERROR = 8;
export const HANGUP = 16;
export const PEER_CLOSED = 32;
export const DISARMED = 64;

/** Places in the shared Int32Array, as in addon/binding/shared.h. */
export const REFERENCED = 0;
export const IN_TURN = 1;
export const MESSAGE_FLAGS = 2;
export const NAME_LENGTH = 3;
export const CONTROL_LENGTH = 4;
export const FACTS = 8;
export const BATCH = 264;

/** Int32s per message among the facts, as in addon/sys/message_batch.h. */
export const FACTS_PER_MESSAGE = 4;

/** A token's place in the table of slots: addon/loop/slot_table.h. */
export const PLACE_MASK = 0xfffff;

export interface SharedMemory {
  readonly shared: Int32Array;
  /** One socket address, on its way in or out. */
  readonly scratch: Uint8Array;
}

export interface Slabs {
  readonly receive: Uint8Array;
  readonly send: Uint8Array;
}

/** Where things lie in the slabs, in bytes: addon/sys/message_batch.h. */
export interface BatchLayout {
  readonly capacity: number;
  readonly head: number;
  readonly headStride: number;
  readonly nameStride: number;
  readonly tailOffset: number;
  readonly tailSize: number;
  readonly namesOffset: number;
  readonly sendSize: number;
  readonly controlOffset: number;
  readonly controlStride: number;
  readonly controlSize: number;
}

/** The databases of `<netdb.h>`, as in addon/sys/netdb.h. */
export const HOSTS = 0;
export const NETWORKS = 1;
export const PROTOCOLS = 2;
export const SERVICES = 3;

/** How a look-up ends: 0 or an EAI_ number; the errno where that is EAI_SYSTEM; what was found, flat (addon/sys/fields.h). */
export type Done = (status: number, errno: number, fields: string) => void;

export interface Binding {
  start(dispatch: (begin: number, end: number) => void): SharedMemory;
  slabs(): Slabs;
  arm(token: number, interest: number): number;
  disarm(token: number): number;
  reference(alive: number): number;
  close(token: number): number;
  detach(token: number): number;

  open(domain: number, type: number, protocol: number): number;
  /** Leaves the two tokens at FACTS and FACTS + 1. */
  socketpair(domain: number, type: number, protocol: number): number;
  adopt(fd: number): number;
  duplicate(token: number): number;
  fd(token: number): number;
  /** Addresses go in and come out through the scratch; their length is the argument, or at NAME_LENGTH. */
  bind(token: number, addressLength: number): number;
  connect(token: number, addressLength: number): number;
  connectOutcome(token: number): number;
  listen(token: number, backlog: number): number;
  shutdown(token: number, how: number): number;
  accept(token: number): number;
  getsockname(token: number): number;
  getpeername(token: number): number;
  getsockopt(token: number, level: number, name: number, value: Uint8Array): number;
  setsockopt(token: number, level: number, name: number, value: Uint8Array): number;
  /** setsockopt(2) of an option whose value is a sock_fprog of these classic BPF instructions, 8 bytes each. */
  setProgram(token: number, level: number, name: number, instructions: Uint8Array): number;
  poll(token: number, events: number): number;

  send(token: number, data: Uint8Array, offset: number, length: number, flags: number): number;
  sendto(
    token: number,
    data: Uint8Array,
    offset: number,
    length: number,
    flags: number,
    addressLength: number,
  ): number;
  sendmsg(
    token: number,
    data: readonly Uint8Array[],
    flags: number,
    addressLength: number,
    control?: Uint8Array,
  ): number;
  recv(token: number, into: Uint8Array, offset: number, length: number, flags: number): number;
  /**
   * At most `control` bytes of control data, which comes at the slab's controlOffset. A token stands in the
   * place of every descriptor in it, if `wanted`; otherwise -1, and it is closed.
   */
  recvmsg(
    token: number,
    into: readonly Uint8Array[],
    flags: number,
    control?: number,
    wanted?: number,
  ): number;
  recvmmsg(
    token: number,
    max: number,
    size: number,
    flags: number,
    control?: number,
    wanted?: number,
  ): number;
  sendmmsg(token: number, count: number, flags: number): number;

  setOwner(token: number, group: number, id: number): number;
  /** The id, 0 for none; at FACTS whether it is a group's. */
  getOwner(token: number): number;
  setSignal(token: number, signal: number): number;
  getSignal(token: number): number;
  setAsync(token: number, on: number): number;
  getAsync(token: number): number;
  atMark(token: number): number;
  closeOnExec(fd: number): number;

  /** `offset` -1 is the file's own position. */
  sendfile(token: number, fd: number, offset: number, length: number): number;
  /** Leaves the tokens of its two ends, to read from and to write to, at FACTS and FACTS + 1. */
  pipe(): number;
  splice(from: number, to: number, length: number): number;
  read(token: number, into: Uint8Array, offset: number, length: number): number;

  pton(family: number, text: string, out: Uint8Array, offset: number): number;
  ntop(family: number, bytes: Uint8Array, offset: number): string | undefined;
  ifNameToIndex(name: string): number;
  ifIndexToName(index: number): string | undefined;

  /** Look-ups are begun (0, or -errno), done by another thread, and end in `done`. */
  getaddrinfo(
    done: Done,
    host: string | null,
    service: string | null,
    flags: number,
    family: number,
    type: number,
    protocol: number,
  ): number;
  getnameinfo(
    done: Done,
    family: number,
    address: string,
    port: number,
    scope: number,
    flags: number,
  ): number;
  entryByName(done: Done, database: number, name: string, protocol: string | null): number;
  entryByNumber(
    done: Done,
    database: number,
    number: number,
    family: number,
    protocol: string | null,
  ): number;
  entries(done: Done, database: number): number;
  /** How many of them run, of all threads of this process. */
  lookUps(): number;
  gaiStrerror(status: number): string | undefined;
  /** The fields, or -errno. */
  interfaces(): string | number;

  readonly constants: Constants;
  readonly layout: Readonly<Record<string, number>>;
  readonly batchLayout: BatchLayout;
}
