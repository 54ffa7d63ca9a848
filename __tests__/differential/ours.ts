// The cases through this library: each step by its name, its outcome as theirs.py words it.

import { openSync, closeSync, readFileSync } from 'node:fs';
import {
  constants as C,
  Socket,
  socketpair,
  type Address,
  type AddressInput,
  type How,
} from '../../lib/index';
import { errnoName } from '../../lib/core/errors';
import type { Failure } from '../support/outcomes';
import type { Place, Step } from './cases';

const LIMIT = { timeout: 200 };
const HARDWARE: Readonly<Record<string, number>> = {
  host: 0,
  broadcast: 1,
  multicast: 2,
  otherhost: 3,
  outgoing: 4,
};

class Case {
  readonly sockets = new Map<string, Socket>();
  private readonly labels = new Map<string | number, string>();

  constructor(
    private readonly tag: string,
    private readonly file: string,
  ) {}

  get(name: string): Socket {
    const socket = this.sockets.get(name);
    if (socket === undefined) throw new Error('no such socket');
    return socket;
  }

  private keep(name: string, socket: Socket): void {
    this.sockets.get(name)?.close();
    this.sockets.set(name, socket);
  }

  private encode(place: Place): AddressInput {
    if ('of' in place) return this.get(place.of).getsockname();
    if (place.family !== 'unix') return place;
    return { ...place, path: String(place.path).replaceAll('%', this.tag) };
  }

  private decode(address: Address | null): unknown {
    if (address === null) return null;
    switch (address.family) {
      case 'unix':
        return ['unix', this.label(textOf(address.path).replaceAll(this.tag, '%'))];
      case 'IPv4':
        return ['IPv4', address.address, this.label(address.port)];
      case 'IPv6':
        return ['IPv6', address.address, this.label(address.port), address.scopeId ?? 0];
      case 'packet':
        return [
          'packet',
          address.interface,
          address.protocol,
          HARDWARE[address.packetType ?? 'host'],
          address.hardwareType,
          (address.hardwareAddress ?? '').replaceAll(':', ''),
        ];
      case 'netlink':
        return ['netlink', this.label(address.pid), address.groups];
      default:
        return ['other'];
    }
  }

  private label(value: string | number): string | number {
    return this.labels.get(value) ?? value;
  }

  learn(name: unknown): void {
    const socket = this.sockets.get(name as string);
    if (socket === undefined || socket.closed) return;
    const where = named(socket);
    const key = where === undefined ? undefined : chosen(where, socket, this.tag);
    if (key !== undefined && key !== 0 && key !== '' && !this.labels.has(key))
      this.labels.set(key, `of ${String(name)}`);
  }

  open(name: string, domain: number, type: number, protocol: number): void {
    this.keep(name, Socket.open(domain, type, domain === C.AF_PACKET ? swap(protocol) : protocol));
  }

  pair(one: string, two: string, type: number, protocol: number): void {
    const [a, b] = socketpair(type, protocol);
    this.keep(one, a);
    this.keep(two, b);
  }

  bind(name: string, place: Place): void {
    this.get(name).bind(this.encode(place));
  }

  listen(name: string, backlog: number): void {
    this.get(name).listen(backlog);
  }

  connect(name: string, place: Place): Promise<void> {
    return this.get(name).connect(this.encode(place), { timeout: 2000 });
  }

  async accept(name: string, made: string): Promise<void> {
    this.keep(made, await this.get(name).accept(LIMIT));
  }

  tryAccept(name: string, made: string): string | undefined {
    const socket = this.get(name).tryAccept();
    if (socket === null) return 'EAGAIN';
    this.keep(made, socket);
    return undefined;
  }

  dup(name: string, made: string): void {
    this.keep(made, this.get(name).dup());
  }

  send(name: string, data: string, flags: number): unknown {
    return this.get(name).trySend(hex(data), { flags }) ?? 'EAGAIN';
  }

  sendto(name: string, data: string, place: Place, flags: number): unknown {
    return this.get(name).trySendto(hex(data), this.encode(place), { flags }) ?? 'EAGAIN';
  }

  sendmsg(name: string, pieces: readonly string[], place: Place | null, flags: number): unknown {
    const to = place === null ? undefined : this.encode(place);
    return this.get(name).trySendmsg({ data: pieces.map(hex), to, flags }) ?? 'EAGAIN';
  }

  fill(name: string, size: number): string {
    const socket = this.get(name);
    const data = Buffer.alloc(size, 'x');
    for (let i = 0; i < 20_000; i++) if (socket.trySend(data) === null) return 'full';
    return 'never';
  }

  tryRecv(name: string, size: number, flags: number): string {
    const room = Buffer.alloc(size);
    const got = this.get(name).tryRecv(room, { flags });
    return got === null ? 'EAGAIN' : room.toString('hex', 0, got);
  }

  async recv(name: string, size: number, flags: number): Promise<string> {
    const room = Buffer.alloc(size);
    return room.toString('hex', 0, await this.get(name).recv(room, { flags, ...LIMIT }));
  }

  async recvExactly(name: string, size: number): Promise<string> {
    let data = '';
    while (data.length < 2 * size) {
      const more = await this.recv(name, size - data.length / 2, 0);
      if (more === '') break;
      data += more;
    }
    return data;
  }

  async recvmsg(name: string, sizes: readonly number[], flags: number): Promise<unknown> {
    const into = sizes.map((size) => Buffer.alloc(size));
    const message = await this.get(name).recvmsg({ into, flags, ...LIMIT });
    const seen = message.flags & ~C.MSG_CMSG_CLOEXEC;
    return [message.data.toString('hex'), message.length, seen, this.decode(message.from)];
  }

  async wait(name: string): Promise<void> {
    await this.get(name).ready({ read: true, priority: true }, { timeout: 2000 });
  }

  async ready(name: string, events: string): Promise<string> {
    const [read, write, priority] = ['r', 'w', 'p'].map((letter) => events.includes(letter));
    const asked = this.get(name).ready({ read, write, priority }, { timeout: 0 });
    const got = await asked.catch((error: Failure) => {
      if (error.code === 'ERR_SOCKET_TIMEOUT') return undefined;
      throw error;
    });
    if (got === undefined) return '';
    const letters: [string, boolean][] = [
      ['r', got.read],
      ['w', got.write],
      ['p', got.priority],
      ['e', got.error],
      ['h', got.hangup],
    ];
    return letters.map(([letter, is]) => (is ? letter : '')).join('');
  }

  shutdown(name: string, how: How): void {
    this.get(name).shutdown(how);
  }

  getsockname(name: string): unknown {
    return this.decode(this.get(name).getsockname());
  }

  getpeername(name: string): unknown {
    return this.decode(this.get(name).getpeername());
  }

  getsockopt(name: string, level: number, option: number, length: number): string {
    return this.get(name).getsockopt(level, option, length).toString('hex');
  }

  setsockopt(name: string, level: number, option: number, value: number | string): void {
    this.get(name).setsockopt(level, option, typeof value === 'string' ? hex(value) : value);
  }

  sockatmark(name: string): boolean {
    return this.get(name).sockatmark();
  }

  owner(name: string, kind: 'pid' | 'pgrp', me: boolean): unknown {
    const socket = this.get(name);
    const target = me ? (kind === 'pid' ? process.pid : group()) : 0;
    socket.setOwner({ [kind]: target });
    return Object.entries(socket.getOwner()).map(([got, who]) => [got, who === target])[0] ?? [];
  }

  async sendfile(name: string, offset: number, length: number): Promise<number> {
    const file = openSync(this.file, 'r');
    try {
      return await this.get(name).sendfile(file, { offset, length, ...LIMIT });
    } finally {
      closeSync(file);
    }
  }

  close(name: string): void {
    this.get(name).close();
  }
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const swap = (value: number): number => ((value & 0xff) << 8) | (value >> 8);
const textOf = (path: string | Uint8Array): string =>
  typeof path === 'string' ? path : Buffer.from(path).toString('latin1');
const group = (): number =>
  Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[2]);

function named(socket: Socket): Address | undefined {
  try {
    return socket.getsockname();
  } catch {
    return undefined;
  }
}

// What the kernel chose: a port, a netlink port, an abstract name.
function chosen(where: Address, socket: Socket, tag: string): string | number | undefined {
  if (where.family === 'IPv4' || where.family === 'IPv6')
    return socket.type === C.SOCK_RAW ? undefined : where.port;
  if (where.family === 'netlink') return where.pid;
  if (where.family !== 'unix') return undefined;
  const path = textOf(where.path);
  return path.startsWith('\0') && !path.includes(tag) ? path : undefined;
}

function failureOf(error: Failure): string {
  const { code, errno, message } = error;
  if (errno !== undefined) return errnoName(errno);
  if (code === 'ERR_SOCKET_TIMEOUT') return 'timeout';
  // Python asks a closed socket of its own, and the kernel says EBADF.
  if (code === 'ERR_SOCKET_CLOSED') return 'EBADF';
  if (code?.startsWith('ERR_') === true) return 'misuse';
  return message === 'no such socket' ? message : `unexpected: ${String(error.stack)}`;
}

/** What becomes of each step. */
export async function run(steps: readonly Step[], tag: string, file: string): Promise<unknown[]> {
  const subject = new Case(tag, file);
  const outcomes: unknown[] = [];
  for (const [name, ...args] of steps) {
    const method = subject[name] as (...values: unknown[]) => unknown;
    try {
      outcomes.push((await method.apply(subject, args)) ?? 'ok');
      for (const argument of args.slice(0, 2)) subject.learn(argument);
    } catch (error) {
      outcomes.push(failureOf(error as Failure));
    }
  }
  for (const socket of subject.sockets.values()) socket.close();
  return outcomes;
}
