// The values of an option ⇄ the kernel's bytes: what most options are made of. Structures are in structs.ts.

import { invalidType, invalidValue, outOfRange } from '../../core/errors';
import { integer, text as checkText } from '../../core/validate';
import { bytesOf } from '../bytes';
import { LITTLE } from '../../native/words';

/** How an option's value is written and read. */
export interface Codec<T> {
  /** The most bytes that the kernel has of it. */
  readonly size: number;
  /** The bytes for setsockopt(2). Throws a TypeError or RangeError that names `name`. */
  encode(value: T, name: string): Uint8Array;
  /** The value in what getsockopt(2) gave. */
  decode(bytes: Buffer): T;
}

const impossible = (): never => {
  throw new Error('this option has no such direction');
};

/** The value of an option that can only be asked for. */
export const decodeOnly = <T>(size: number, decode: (bytes: Buffer) => T): Codec<T> => ({
  size,
  encode: impossible,
  decode,
});

/** The value of an option that can only be set. */
export const encodeOnly = <T>(encode: (value: T, name: string) => Uint8Array): Codec<T> => ({
  size: 0,
  encode,
  decode: impossible,
});

const INT_MAX = 0x7fffffff;
const UINT32 = 0xffffffff;
const UINT64 = 0xffffffffffffffffn;

const word = (value: number): Uint8Array => new Uint8Array(new Int32Array([value]).buffer);

// Where one byte holds the value, some options give one byte (IP_MULTICAST_TTL …).
function toInt(bytes: Buffer): number {
  if (bytes.length < 4) return bytes.length === 0 ? 0 : bytes[LITTLE ? 0 : bytes.length - 1];
  return LITTLE ? bytes.readInt32LE(0) : bytes.readInt32BE(0);
}

/** An int that is a switch. */
export const flag: Codec<boolean> = {
  size: 4,
  encode(value, name) {
    if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
    return word(Number(value));
  },
  decode: (bytes) => toInt(bytes) !== 0,
};

/** An int within limits. */
export const int = (min = 0, max = INT_MAX): Codec<number> => ({
  size: 4,
  encode: (value, name) => word(integer(name, value, min, max)),
  decode: toInt,
});

/** 32 bits without a sign. */
export const uint32: Codec<number> = {
  size: 4,
  encode: (value, name) => word(integer(name, value, 0, UINT32)),
  decode: (bytes) => toInt(bytes) >>> 0,
};

/** 64 bits without a sign. */
export const uint64: Codec<bigint> = {
  size: 8,
  encode(value, name) {
    if (typeof value !== 'bigint') throw invalidType(name, 'of type bigint', value);
    if (value < 0n || value > UINT64) throw outOfRange(name, `>= 0 and <= ${UINT64}`, value);
    return new Uint8Array(new BigUint64Array([value]).buffer);
  },
  decode: (bytes) => (LITTLE ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0)),
};

/** A name of at most `most` bytes. The kernel's may end with a NUL, ours need none. */
export const text = (most: number): Codec<string> => ({
  size: most + 1,
  encode(value, name) {
    const bytes = Buffer.from(checkText(name, value));
    if (bytes.includes(0)) throw invalidValue(name, 'without NUL', value);
    if (bytes.length > most) throw outOfRange(`${name}.length`, `<= ${most} bytes`, bytes.length);
    return bytes;
  },
  decode(bytes) {
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  },
});

/** Bytes that are the kernel's own format. */
export const raw = (most: number): Codec<Uint8Array> => ({
  size: most,
  encode(value, name) {
    const bytes = bytesOf(value, name);
    if (bytes.length > most) throw outOfRange(`${name}.byteLength`, `<= ${most}`, bytes.length);
    return bytes;
  },
  decode: (bytes) => bytes,
});

/** One of some words, each of which stands for an int. A number that has no word comes as it is. */
export function choice<W extends string>(words: Readonly<Record<W, number>>): Codec<W> {
  const names = Object.keys(words) as W[];
  return {
    size: 4,
    encode(value, name) {
      if (typeof value === 'string' && Object.hasOwn(words, value)) return word(words[value]);
      const expected = `one of ${names.map((known) => `'${known}'`).join(', ')}`;
      throw typeof value === 'string'
        ? invalidValue(name, expected, value)
        : invalidType(name, expected, value);
    },
    decode(bytes) {
      const value = toInt(bytes);
      return names.find((known) => words[known] === value) ?? (String(value) as W);
    },
  };
}

/** Any of some words, each of which stands for a bit. */
export function bits<W extends string>(words: Readonly<Record<W, number>>): Codec<readonly W[]> {
  const names = Object.keys(words) as W[];
  return {
    size: 4,
    encode: (value, name) => word(bitsOf(words, value, name)),
    decode(bytes) {
      const value = toInt(bytes);
      return names.filter((known) => (value & words[known]) !== 0);
    },
  };
}

/** The or of the bits that an array of words stands for. */
export function bitsOf<W extends string>(
  words: Readonly<Record<W, number>>,
  value: readonly W[],
  name: string,
): number {
  if (!Array.isArray(value)) throw invalidType(name, 'an Array', value);
  let sum = 0;
  for (const [i, given] of (value as readonly W[]).entries()) {
    if (typeof given !== 'string' || !Object.hasOwn(words, given)) {
      const known = Object.keys(words).map((each) => `'${each}'`);
      throw invalidValue(`${name}[${i}]`, `one of ${known.join(', ')}`, given);
    }
    sum |= words[given];
  }
  return sum;
}

/** A list of 32-bit numbers that only the kernel writes. */
export const uint32List = (most: number): Codec<number[]> =>
  decodeOnly(4 * most, (bytes) => {
    const numbers: number[] = [];
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      numbers.push(LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
    }
    return numbers;
  });

/** An option that does something and has no value: it is set to `true`. */
export const action = encodeOnly<true>((value, name) => {
  if ((value as unknown) !== true) throw invalidValue(name, 'true', value);
  return word(0);
});
