// Values of every sort, as recipes: what can be printed, and is made when its call comes.

import fc from 'fast-check';
import { closeAll, staleToken, token } from './sockets';
import { binding, C } from './wall';

export type Recipe =
  | { kind: 'plain'; value: unknown }
  | { kind: 'token'; i: number }
  | { kind: 'stale'; i: number }
  | { kind: 'beyond32Bits'; i: number }
  | { kind: 'bytes'; of: keyof typeof MEMORY; length: number }
  | { kind: 'odd'; what: keyof typeof ODD }
  | { kind: 'list'; items: Recipe[]; trap: keyof typeof TRAPS };

// ES2024, which the library's own sources do not use.
type Resizable<B> = new (
  length: number,
  options: { maxByteLength: number },
) => B & { resize(length: number): void };
const ResizableBuffer = ArrayBuffer as unknown as Resizable<ArrayBuffer>;
const GrowableBuffer = SharedArrayBuffer as unknown as Resizable<SharedArrayBuffer>;

function detach(bytes: unknown): void {
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return;
  try {
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  } catch {
    // Some memory is nobody's to give away.
  }
}

let huge: Uint8Array | undefined;
// More than 32 bits of length, none of it touched.
function makeHuge(): Uint8Array {
  try {
    return new Uint8Array(2 ** 32 + 5);
  } catch {
    return new Uint8Array(0);
  }
}

const MEMORY = {
  fresh: (length: number) => new Uint8Array(length),
  buffer: (length: number) => Buffer.alloc(length),
  window: (length: number) => new Uint8Array(new ArrayBuffer(length + 16), 8, length),
  detached: (length: number) => {
    const bytes = new Uint8Array(length);
    detach(bytes);
    return bytes;
  },
  shared: (length: number) => new Uint8Array(new SharedArrayBuffer(length)),
  growable: (length: number) =>
    new Uint8Array(new GrowableBuffer(length, { maxByteLength: length + 8 })),
  resizable: (length: number) =>
    new Uint8Array(new ResizableBuffer(length, { maxByteLength: length + 8 })),
  shrunk: (length: number) => {
    const buffer = new ResizableBuffer(length + 8, { maxByteLength: length + 8 });
    const bytes = new Uint8Array(buffer, 4, length);
    buffer.resize(2);
    return bytes;
  },
  huge: () => (huge ??= makeHuge()),
};

const thrower = (): never => {
  throw new Error('thrown by a getter');
};

const ODD = {
  words: () => new Uint16Array(8),
  floats: () => new Float64Array(8),
  clamped: () => new Uint8ClampedArray(8),
  view: () => new DataView(new ArrayBuffer(8)),
  arrayBuffer: () => new ArrayBuffer(8),
  proxiedBytes: () => new Proxy(new Uint8Array(8), {}),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  throwingProxy: () => new Proxy({}, { get: thrower, has: thrower, getPrototypeOf: thrower }),
  throwingValue: () => ({ valueOf: thrower, toString: thrower, [Symbol.toPrimitive]: thrower }),
  boxed: () => Object(1) as unknown,
  subclass: () => new (class Bytes extends Uint8Array {})(8),
  prototypeless: () => Object.setPrototypeOf(new Uint8Array(8), null) as unknown,
  fakeBytes: () => Object.create(Uint8Array.prototype) as unknown,
  long: () => 'x'.repeat(100_000),
  nul: () => '127.0.0.1\0.example',
  surrogate: () => '\ud800',
  sparse: () => new Array<unknown>(100),
  endless: () => new Array<unknown>(0xffffffff),
  many: () => Array.from({ length: C.IOV_MAX + 1 }, () => new Uint8Array(1)),
  function: () => thrower,
  symbol: () => Symbol('x'),
  date: () => new Date(NaN),
  promise: () => Promise.resolve(1),
} satisfies Record<string, () => unknown>;

const opened: number[] = [];

/** What happens when a call looks at the last element of an array. */
const TRAPS = {
  none: undefined,
  throws: thrower,
  closes: closeAll,
  // So many that the table of slots has to grow.
  opens: () => {
    for (let i = 0; i < 300; i++) opened.push(binding.open(C.AF_UNIX, C.SOCK_DGRAM, 0));
  },
  detaches: detach,
} satisfies Record<string, ((first: unknown) => void) | undefined>;

/** Closes what the traps have opened. */
export function clearTraps(): void {
  for (const each of opened.splice(0)) binding.close(each);
}

function listOf(items: readonly Recipe[], trap: keyof typeof TRAPS): unknown[] {
  const list = items.map(made);
  const spring = TRAPS[trap];
  if (spring === undefined) return list;
  const [first] = list;
  const get = (): Uint8Array => {
    spring(first);
    return new Uint8Array(4);
  };
  return Object.defineProperty(list, list.length, { get });
}

export function made(recipe: Recipe): unknown {
  switch (recipe.kind) {
    case 'plain':
      return recipe.value;
    case 'token':
      return token(recipe.i);
    case 'stale':
      return staleToken(recipe.i);
    case 'beyond32Bits':
      return token(recipe.i) + 2 ** 32;
    case 'bytes':
      return MEMORY[recipe.of](recipe.length);
    case 'odd':
      return ODD[recipe.what]();
    case 'list':
      return listOf(recipe.items, recipe.trap);
  }
}

export const printed = (recipes: readonly Recipe[]): string =>
  recipes
    .map((recipe) => (recipe.kind === 'plain' ? fc.stringify(recipe.value) : fc.stringify(recipe)))
    .join(', ');

const keysOf = <T extends object>(table: T): fc.Arbitrary<keyof T> =>
  fc.constantFrom(...(Object.keys(table) as (keyof T)[]));

const plain = (value: unknown): Recipe => ({ kind: 'plain', value });
const place = fc.nat(40);

const edges = fc.constantFrom(
  ...[0, 1, -1, 2, 64, 65, 128, 129, 256, 0x7fffffff, -0x80000000, 2 ** 31, 2 ** 32, 2 ** 53],
  ...[0.5, -0, NaN, Infinity, -Infinity],
);
const numbers = fc.oneof(edges, fc.integer(), fc.nat(300), fc.double()).map(plain);
const bytes = fc.record({
  kind: fc.constant('bytes' as const),
  of: keysOf(MEMORY),
  length: fc.nat(300),
});
const odd = fc.record({ kind: fc.constant('odd' as const), what: keysOf(ODD) });
const anything = fc
  .anything({
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  .map(plain);
const list = fc.record({
  kind: fc.constant('list' as const),
  items: fc.array(fc.oneof({ weight: 8, arbitrary: bytes }, odd, anything), { maxLength: 4 }),
  trap: keysOf(TRAPS),
});

const value: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 3, arbitrary: numbers },
  { weight: 3, arbitrary: bytes },
  { weight: 3, arbitrary: list },
  odd,
  anything,
  fc.string({ unit: 'binary' }).map(plain),
  place.map((i): Recipe => ({ kind: 'stale', i })),
  place.map((i): Recipe => ({ kind: 'beyond32Bits', i })),
);

const live = place.map((i): Recipe => ({ kind: 'token', i }));
const small = fc.constantFrom(0, 1, 16).map(plain);

/** Too few, too many, of the wrong sort; mostly behind an open socket, without which nothing is looked at. */
export const anyArguments: fc.Arbitrary<Recipe[]> = fc.oneof(
  fc.array(value, { maxLength: 9 }),
  fc.tuple(live, fc.array(value, { maxLength: 8 })).map(([first, rest]) => [first, ...rest]),
  // As the functions that take memory or several pieces of it want them, but for one thing.
  fc.tuple(live, fc.oneof(bytes, list), small, small, small, value),
  fc.tuple(live, small, small, fc.oneof(bytes, list), value),
);
