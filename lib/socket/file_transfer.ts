// sendfile(2) and splice(2): bytes that reach a socket from a file or from another socket without passing
// through JavaScript, all of them, with their places in both queues held, so that nothing comes in between.

import { FACTS, READ, WRITE } from '../native/binding';
import { EAGAIN, systemError } from '../core/errors';
import { Operation, UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import type { Wait } from '../core/validate';
import type { Waiting } from '../core/waiting';
import { binding } from '../native/load';
import { constants as C } from './constants';
import type { SocketState } from './state';

// The most that one of them moves in a turn, in bytes: see stream.ts. It is also the most that a cold file
// can make the thread wait for the disk between two timers.
const PER_TURN = 1 << 20;

const { shared } = reactor.memory;

/** Of a file from `offset` on, or from its own position: `length` bytes, or up to its end. How many went. */
export class SendFile extends Operation<number> {
  private sent = 0;
  private readonly cuts: number;
  private readonly fd: number;

  /** Whoever owns the descriptor is `file`: kept until the end, since a FileHandle that is collected closes its own. */
  constructor(
    readonly handle: SocketState,
    private readonly file: { readonly fd: number },
    private readonly offset: number | undefined,
    private readonly length: number,
  ) {
    super();
    this.cuts = handle.cuts;
    this.fd = file.fd;
  }

  get direction(): typeof WRITE {
    return WRITE;
  }

  get syscall(): string {
    return 'sendfile';
  }

  attempt(): number {
    const { handle, fd, offset, length } = this;
    if (this.cuts !== handle.cuts) return -C.ECANCELED;
    // Closed meanwhile (-1): the number may be a stranger's by now.
    if (this.file.fd !== fd) return -C.EBADF;
    for (const turn = this.sent + PER_TURN; this.sent < length;) {
      const room = turn - this.sent;
      if (room <= 0) return UNFINISHED;
      const from = offset === undefined ? -1 : offset + this.sent;
      const result = binding.sendfile(handle.token, fd, from, Math.min(room, length - this.sent));
      if (result < 0) return handle.heard(result);
      if (result === 0) break;
      this.sent += result;
      handle.bytesWritten += result;
    }
    if (this.sent > 0) handle.cut = false;
    return 0;
  }

  value(): number {
    return this.sent;
  }

  override annotate(error: Error): Error {
    return this.handle.cutOff(error, this.sent);
  }
}

/**
 * A place in a socket's queue. When its turn has come it makes `go` the call, again with each event, and nobody
 * behind it gets a turn until that is over.
 */
class Place extends Operation<number> {
  constructor(
    readonly handle: SocketState,
    readonly direction: typeof READ | typeof WRITE,
    private readonly go: (place: Place) => number,
  ) {
    super();
  }

  get syscall(): string {
    return 'splice';
  }

  // An EAGAIN may have been the other socket's: it says nothing about this one.
  override get promising(): boolean {
    return true;
  }

  attempt(): number {
    return this.go(this);
  }

  value(result: number): number {
    return result;
  }
}

/**
 * Up to `length` bytes of one stream into another one, through a pipe. It takes from `from` only when the pipe
 * is empty, so that no more than a pipe holds is ever under way; when it fails, that is on the error.
 */
class Splice {
  private taken = 0;
  private delivered = 0;
  private over = false;
  private readonly come = new Set<Place>();
  private readonly places: readonly [Place, Place];
  private readonly waits: (Waiting | undefined)[] = [];

  constructor(
    private readonly from: SocketState,
    private readonly to: SocketState,
    private readonly length: number,
    private readonly pipe: { readonly out: number; readonly into: number },
    private readonly resolve: (delivered: number) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const go = (place: Place): number => this.go(place);
    this.places = [new Place(from, READ, go), new Place(to, WRITE, go)];
  }

  /** The first place bears the caller's limits; whichever ends first ends both. */
  start(wait: Wait | undefined, owners: readonly [object, object]): void {
    for (const [i, place] of this.places.entries()) {
      place.resolve = () => this.end(null);
      place.reject = (error) => this.end(error);
      const waiting = reactor.submit(place, i === 0 ? wait : undefined, owners[i]);
      if (this.over) return;
      this.waits[i] = waiting;
    }
  }

  // Until one of both sockets has really said EAGAIN, and so has an event to come.
  private go(place: Place): number {
    this.come.add(place);
    if (this.come.size < 2) return -EAGAIN;
    for (let moved = 0; moved < PER_TURN;) {
      const under = this.taken - this.delivered;
      if (under === 0 && this.taken >= this.length) return 0;
      const result = under > 0 ? this.deliver(under) : this.take();
      if (result <= 0) return under > 0 && result === 0 ? -C.EIO : result;
      if (under > 0) moved += result;
    }
    return UNFINISHED;
  }

  private take(): number {
    const asked = Math.min(this.length - this.taken, PER_TURN);
    const result = binding.splice(this.from.token, this.pipe.into, asked);
    if (result <= 0) {
      const heard = this.from.heard(result);
      if (heard === 0) this.from.ended = true;
      return heard;
    }
    this.taken += result;
    this.from.bytesRead += result;
    return result;
  }

  private deliver(length: number): number {
    const result = binding.splice(this.pipe.out, this.to.token, length);
    if (result < 0) return this.to.heard(result);
    this.delivered += result;
    this.to.bytesWritten += result;
    return result;
  }

  private end(error: Error | null): void {
    if (this.over) return;
    this.over = true;
    if (error === null) this.resolve(this.delivered);
    else this.reject(Object.assign(error, { bytesTransferred: this.delivered, data: this.rest() }));
    binding.close(this.pipe.into);
    binding.close(this.pipe.out);
    this.leave();
  }

  // Those behind it have their turn now. EAGAINs of a place were not its own socket's alone, so all that its
  // handle believes is in doubt. Test: "promise 6: writes and reads of others stand behind it".
  private leave(): void {
    for (const [i, { handle }] of this.places.entries()) {
      const waiting = this.waits[i];
      handle.doubt();
      if (waiting !== undefined) reactor.abandon(waiting, systemError(-EAGAIN, 'splice'));
    }
  }

  /** What was taken and not delivered. */
  private rest(): Buffer {
    const rest = Buffer.alloc(this.taken - this.delivered);
    for (let got = 0; got < rest.length;) {
      const result = binding.read(this.pipe.out, rest, got, rest.length - got);
      if (result <= 0) break;
      got += result;
    }
    return rest;
  }
}

/** How many bytes went from the one to the other. */
export function splice(
  from: SocketState,
  to: SocketState,
  length: number,
  wait: Wait | undefined,
  owners: readonly [object, object],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const result = binding.pipe();
    if (result < 0) {
      reject(systemError(result, 'pipe2'));
      return;
    }
    const pipe = { out: shared[FACTS], into: shared[FACTS + 1] };
    new Splice(from, to, length, pipe, resolve, reject).start(wait, owners);
  });
}
