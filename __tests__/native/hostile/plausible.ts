// Calls that a program could well make, right or wrong: open sockets, buffers that are there, flags and options
// that exist, addresses of this machine.

import fc from 'fast-check';
import { lay, listener, PLACES, stream, token, type Place } from './sockets';
import { binding, C, FACTS, FILE, shared } from './wall';

type Argument = number | string | null | Uint8Array | readonly Uint8Array[] | (() => void);
export type Call = readonly [name: string, args: readonly Argument[]];

const FLAGS = Object.entries(C)
  .filter(([name]) => name.startsWith('MSG_'))
  .map(([, flag]) => flag as number);
const LEVELS = [C.SOL_SOCKET, C.IPPROTO_IP, C.IPPROTO_IPV6, C.IPPROTO_TCP, C.IPPROTO_UDP, -1];
const BATCH = 64;
const PER_MESSAGE = 4;
/** sockaddr_in. */
const INET = 16;

const socket = fc.nat(40);
const flags = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(...FLAGS) },
  fc.integer(),
);
const length = fc.oneof(fc.nat(64), fc.nat(70_000));
const lengths = fc.array(length, { maxLength: 8 });
const place = fc.constantFrom(...PLACES);
const level = fc.constantFrom(...LEVELS);
const option = fc.oneof(fc.nat(90), fc.integer());

const control = fc.oneof(fc.nat(64), fc.nat(4096), fc.integer({ min: -1, max: 200_000 }));

/** Control data: junk, or a descriptor of this process in a frame that is right. */
const beside = fc.oneof(
  fc.uint8Array({ maxLength: 128 }).map((bytes) => (): Uint8Array => bytes),
  fc.nat(2).map((fd) => (): Uint8Array => {
    const words = [20, 0, C.SOL_SOCKET, C.SCM_RIGHTS, fd, 0];
    return new Uint8Array(new Int32Array(words).buffer);
  }),
);
const done = (): void => undefined;
const word = fc.oneof(
  fc.constantFrom('', '127.0.0.1', '::1', 'fe80::1%lo', '80', 'http', 'tcp', 'x'.repeat(1024)),
  fc.string(),
);
const optionalWord = fc.option(word);
const small = fc.integer({ min: -1, max: 12 });

const fresh = (size: number): Uint8Array => new Uint8Array(size);
const addressed = (where: Place | undefined): number => (where === undefined ? 0 : lay(where));

// Names lie in the slab, which is all zeros: AF_UNSPEC and port 0.
function batch(facts: readonly number[], sane: boolean): void {
  binding.slabs();
  const laid = facts.map((fact, i) => {
    if (!sane) return fact;
    const field = i % PER_MESSAGE;
    return field === 0 ? fact % 60_000 : field === 1 ? fact % 1500 : 0;
  });
  shared.set(laid, FACTS);
}

const ON_A_SOCKET = [
  'accept',
  'atMark',
  'close',
  'connectOutcome',
  'detach',
  'disarm',
  'duplicate',
  'fd',
  'getAsync',
  'getOwner',
  'getSignal',
  'getpeername',
  'getsockname',
];

/** What makes the next call, when it comes: sockets and the scratch are of that moment. */
export const anyCall: fc.Arbitrary<() => Call> = fc.oneof(
  fc
    .tuple(socket, length, flags)
    .map(([i, n, f]) => (): Call => ['send', [token(i), fresh(n), 0, n, f]]),
  fc
    .tuple(socket, length, flags, fc.option(place, { nil: undefined }))
    .map(([i, n, f, to]) => (): Call => ['sendto', [token(i), fresh(n), 0, n, f, addressed(to)]]),
  fc
    .tuple(socket, lengths, flags, fc.option(place, { nil: undefined }), beside)
    .map(([i, ns, f, to, c]) => (): Call => [
      'sendmsg',
      [token(i), ns.map(fresh), f, addressed(to), c()],
    ]),
  fc
    .tuple(socket, length, flags)
    .map(([i, n, f]) => (): Call => ['recv', [token(i), fresh(n), 0, n, f]]),
  fc
    .tuple(socket, lengths, flags, control, fc.nat(1))
    .map(([i, ns, f, c, w]) => (): Call => ['recvmsg', [token(i), ns.map(fresh), f, c, w]]),
  fc
    .tuple(socket, fc.nat(80), fc.oneof(fc.nat(5000), fc.nat(5_000_000)), flags, control, fc.nat(1))
    .map(([i, max, size, f, c, w]) => (): Call => ['recvmmsg', [token(i), max, size, f, c, w]]),
  fc
    .tuple(
      socket,
      fc.integer({ min: -1, max: BATCH + 1 }),
      fc.array(fc.nat(200_000), { minLength: BATCH * PER_MESSAGE, maxLength: BATCH * PER_MESSAGE }),
      fc.boolean(),
      flags,
    )
    .map(([i, count, facts, sane, f]) => (): Call => {
      batch(facts, sane);
      return ['sendmmsg', [token(i), count, f]];
    }),
  fc
    .tuple(socket, level, option, fc.nat(300))
    .map(([i, l, name, n]) => (): Call => ['getsockopt', [token(i), l, name, fresh(n)]]),
  fc
    .tuple(socket, level, option, fc.uint8Array({ maxLength: 64 }))
    .map(([i, l, name, value]) => (): Call => ['setsockopt', [token(i), l, name, value]]),
  fc.tuple(socket, place).map(([i, to]) => (): Call => ['connect', [token(i), lay(to)]]),
  fc.constant((): Call => {
    // Leaves its address in the scratch.
    binding.getsockname(listener());
    return ['connect', [stream(), INET]];
  }),
  fc.constant((): Call => ['accept', [listener()]]),
  fc.tuple(socket, place).map(([i, to]) => (): Call => ['bind', [token(i), lay(to)]]),
  fc
    .tuple(fc.constantFrom(...ON_A_SOCKET), socket)
    .map(([name, i]) => (): Call => [name, [token(i)]]),
  fc.tuple(socket, fc.nat(8)).map(([i, interest]) => (): Call => ['arm', [token(i), interest]]),
  fc
    .tuple(socket, fc.integer({ min: -1, max: 4 }))
    .map(([i, how]) => (): Call => ['shutdown', [token(i), how]]),
  fc.tuple(socket, fc.nat(0xffff)).map(([i, events]) => (): Call => ['poll', [token(i), events]]),
  fc.tuple(socket, socket, length).map(([i, j, n]) => (): Call => {
    return ['splice', [token(i), token(j), n]];
  }),
  fc.tuple(socket, length).map(([i, n]) => (): Call => ['read', [token(i), fresh(n), 0, n]]),
  fc
    .tuple(socket, fc.integer({ min: -1, max: 100_000 }), length)
    .map(([i, at, n]) => (): Call => ['sendfile', [token(i), FILE, at, n]]),
  fc.constant((): Call => ['pipe', []]),
  fc.tuple(socket, fc.nat(1)).map(([i, on]) => (): Call => ['setAsync', [token(i), on]]),
  fc.tuple(socket, fc.nat(70)).map(([i, signal]) => (): Call => ['setSignal', [token(i), signal]]),
  fc
    .tuple(optionalWord, optionalWord, fc.oneof(fc.constant(0), flags), small, small, small)
    .map((rest) => (): Call => ['getaddrinfo', [done, ...rest]]),
  fc
    .tuple(small, word, fc.integer(), fc.integer(), fc.oneof(fc.constant(0), flags))
    .map((rest) => (): Call => ['getnameinfo', [done, ...rest]]),
  fc.tuple(small, word, optionalWord).map((rest) => (): Call => ['entryByName', [done, ...rest]]),
  fc
    .tuple(small, fc.integer(), small, optionalWord)
    .map((rest) => (): Call => ['entryByNumber', [done, ...rest]]),
  small.map((database) => (): Call => ['entries', [done, database]]),
  fc.integer().map((status) => (): Call => ['gaiStrerror', [status]]),
  fc.constant((): Call => ['lookUps', []]),
  fc.nat(1).map((alive) => (): Call => ['reference', [alive]]),
);

const print = (arg: Argument): string =>
  typeof arg === 'string' ? JSON.stringify(arg) : typeof arg === 'function' ? 'done' : String(arg);

export const shown = (args: readonly Argument[]): string =>
  args
    .map((arg) => (ArrayBuffer.isView(arg) || Array.isArray(arg) ? `[${arg.length}]` : print(arg)))
    .join(', ');
