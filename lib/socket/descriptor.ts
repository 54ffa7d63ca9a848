// The part of a socket that never waits: its descriptor's life, its names and its options.

import { NAME_LENGTH } from '../native/binding';
import { closedError, invalidType, systemError, unreadError } from '../core/errors';
import { reactor } from '../core/runtime';
import { integer } from '../core/validate';
import { binding } from '../native/load';
import type { Address, AddressInput } from './address';
import { bytesOf, type Bytes } from './bytes';
import { byName, constants as C, HOWS, type How } from './constants';
import {
  getOption,
  setOption,
  type GettableOption,
  type Optioned,
  type OptionValue,
  type SettableOption,
  type SocketOptions,
} from './options';
import { heed } from './heed';
import { getOwner, setOwner, type Owner } from './owner';
import { decodeScratch, encodeAddress, subjectOf } from './sockaddr';
import { handStampsBack, keepStamped, STAMPS } from './stamps';
import { SocketState } from './state';

const { shared } = reactor.memory;

// A socket that the program has lost leaves no descriptor behind. What waits on a socket keeps it.
const lost = new FinalizationRegistry<SocketState>((state) => {
  reactor.close(state);
});

export abstract class SocketDescriptor {
  /** @internal What level 2 works on. */
  readonly state: SocketState;

  /** @internal Use `Socket.open`, `Socket.fromFd`, `socketpair` or `accept`. */
  constructor(state: SocketState) {
    if (!(state instanceof SocketState)) {
      throw invalidType('state', 'made by Socket.open or Socket.fromFd', state);
    }
    this.state = state;
    lost.register(this, state);
  }

  /** The descriptor's number; -1 once closed. It stays this socket's: `detach` hands it over. */
  get fd(): number {
    return this.closed ? -1 : binding.fd(this.state.token);
  }

  /** `AF_*`. */
  get domain(): number {
    return this.state.domain;
  }

  /** `SOCK_*`. */
  get type(): number {
    return this.state.type;
  }

  /** `IPPROTO_*`, `ETH_P_*` or `NETLINK_*`, by the domain; 0 where the kernel has chosen. */
  get protocol(): number {
    return this.state.protocol;
  }

  /** Whether it was closed or detached on this side. */
  get closed(): boolean {
    return this.state.closed;
  }

  /** bind(2). */
  bind(address: AddressInput): void {
    const length = encodeAddress(address, this.domain);
    this.check('bind', binding.bind(this.token('bind'), length), address);
  }

  /** listen(2): `backlog` is SOMAXCONN unless told, and the kernel's net.core.somaxconn at most. */
  listen(backlog: number = C.SOMAXCONN): void {
    this.check('listen', binding.listen(this.token('listen'), integer('backlog', backlog)));
  }

  /** shutdown(2). */
  shutdown(how: How): void {
    this.check('shutdown', binding.shutdown(this.token('shutdown'), byName('how', how, HOWS)));
  }

  /** getsockname(2). */
  getsockname(): Address {
    this.check('getsockname', binding.getsockname(this.token('getsockname')));
    return this.named();
  }

  /** getpeername(2). */
  getpeername(): Address {
    this.check('getpeername', binding.getpeername(this.token('getpeername')));
    return this.named();
  }

  /** Dissolves a datagram socket's association, connect(2) with AF_UNSPEC. */
  disconnect(): void {
    const length = encodeAddress({ family: C.AF_UNSPEC, data: new Uint8Array(14) }, this.domain);
    this.check('connect', binding.connect(this.token('connect'), length));
  }

  /**
   * getsockopt(2): the value's raw bytes. `length` is the most to fetch (256 unless told), or the bytes
   * that an option reads as its input.
   */
  getsockopt(level: number, name: number, length: number | Bytes = 256): Buffer {
    const value =
      typeof length === 'number'
        ? Buffer.alloc(integer('length', length, 0, 1 << 20))
        : Buffer.from(bytesOf(length, 'length'));
    const token = this.token('getsockopt');
    const size = this.check(
      'getsockopt',
      binding.getsockopt(token, integer('level', level), integer('name', name), value),
    );
    return value.subarray(0, size);
  }

  /** setsockopt(2): numbers and booleans go as an int, anything else as its bytes. */
  setsockopt(level: number, name: number, value: number | boolean | Bytes): void {
    const bytes =
      typeof value === 'number' || typeof value === 'boolean'
        ? intBytes(Number(value))
        : bytesOf(value, 'value');
    const token = this.token('setsockopt');
    this.check(
      'setsockopt',
      binding.setsockopt(token, integer('level', level), integer('name', name), bytes),
    );
    this.changed(level, name);
  }

  /**
   * The value of an option by its name: docs/options.md has the list. Where IPv4 and IPv6 share a name, the
   * socket's domain chooses.
   * @throws TypeError ERR_INVALID_ARG_VALUE: no such option, or one that can only be set; SystemError
   */
  get<K extends GettableOption>(key: K): OptionValue<K> {
    return getOption(this.optioned, key) as OptionValue<K>;
  }

  /**
   * Sets an option by its name.
   * @throws TypeError ERR_INVALID_ARG_VALUE: no such option, or a read-only one; TypeError or RangeError for a
   * value that is not the option's; SystemError of setsockopt(2)
   */
  set<K extends SettableOption>(key: K, value: SocketOptions[K]): this {
    setOption(this.optioned, key, value);
    return this;
  }

  /** sockatmark(3): whether the next byte to read is the one behind (or, with SO_OOBINLINE, at) the urgent mark. */
  sockatmark(): boolean {
    return this.check('sockatmark', binding.atMark(this.token('sockatmark'))) === 1;
  }

  /**
   * Whom the kernel signals about this socket, and how: F_SETOWN (as FIOSETOWN and SIOCSPGRP), F_SETSIG,
   * O_ASYNC (as FIOASYNC). Waiting needs none of it: these signals are for whoever else listens. All of it
   * belongs to the open socket, which duplicates share and which `detach` hands over as it is.
   * @throws SystemError ESRCH no such process, EINVAL
   */
  setOwner(owner: Owner): void {
    setOwner(this.token('fcntl'), owner);
  }

  /** F_GETOWN, F_GETSIG, O_ASYNC: what was set; what was not is absent. */
  getOwner(): Owner {
    return getOwner(this.token('fcntl'));
  }

  /**
   * Hands the descriptor over and is closed from then on: blocking again, or as it was when adopted (after
   * `dup` it stays nonblocking, since both share the flag). Whoever takes it closes it.
   * @throws ERR_INVALID_STATE where an endpoint has received messages ahead that nobody has taken: they would be lost.
   * `receiveBatch(64)` takes them; SystemError
   */
  detach(): number {
    this.token('detach');
    const unread = this.state.leftovers?.length ?? 0;
    if (unread > 0) throw unreadError(unread);
    handStampsBack(this.state);
    return this.check('detach', reactor.detach(this.state));
  }

  /** Waiting on this socket keeps the process alive: so it is from the start. */
  ref(): this {
    reactor.reference(this.state, true);
    return this;
  }

  /** What waits on this socket keeps the process alive no more. */
  unref(): this {
    reactor.reference(this.state, false);
    return this;
  }

  /** close(2). What waits rejects with ERR_SOCKET_CLOSED before the descriptor is released. Again: nothing. */
  close(): void {
    reactor.close(this.state);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private get optioned(): Optioned {
    return {
      domain: this.domain,
      token: (syscall) => this.token(syscall),
      changed: (level, name) => this.changed(level, name),
    };
  }

  // What is known of the socket beside the kernel's word for it.
  private changed(level: number, name: number): void {
    const { state } = this;
    // SO_RCVLOWAT and others change readiness with no event.
    state.forget();
    if (level === C.SOL_SOCKET && STAMPS.has(name)) keepStamped(state, name);
    if (level === C.SOL_SOCKET && name === C.SO_LINGER) state.lingers = true;
    heed(state, level, name);
    // With TLS in the kernel a read ends with its record, not with the queue (tls(7), TCP_ULP).
    if (level === C.IPPROTO_TCP && name === C.TCP_ULP) state.stream = false;
  }

  protected token(syscall: string): number {
    if (this.state.closed) throw closedError(syscall);
    return this.state.token;
  }

  protected check(syscall: string, result: number, subject?: AddressInput): number {
    if (result < 0) throw systemError(result, syscall, subjectOf(subject));
    return result;
  }

  private named(): Address {
    return (
      decodeScratch(shared[NAME_LENGTH]) ?? {
        family: this.domain,
        data: new Uint8Array(0),
      }
    );
  }
}

// Memory of its own each time: setsockopt(2) copies it, but a getsockopt buffer may be the caller's.
function intBytes(value: number): Uint8Array {
  integer('value', value, -0x80000000, 0xffffffff);
  return new Uint8Array(new Int32Array([value]).buffer);
}

/** FD_CLOEXEC of a descriptor that is no socket of ours. */
export function setCloseOnExec(fd: number): void {
  const result = binding.closeOnExec(fd);
  if (result < 0) throw systemError(result, 'fcntl');
}
