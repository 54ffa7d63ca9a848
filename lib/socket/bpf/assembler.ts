// An assembler for classic BPF: a table of mnemonics, and labels for jumps.

import { invalidType, invalidValue, outOfRange } from '../../core/errors';
import { constants as C } from '../constants';
import type { Instruction, Program } from './instruction';

const { BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_RET, BPF_MISC } = C;
const { BPF_W, BPF_H, BPF_B, BPF_ABS, BPF_IND, BPF_IMM, BPF_MEM, BPF_LEN, BPF_MSH } = C;
const { BPF_K, BPF_X, BPF_A } = C;

// A is the accumulator, X the index register, M the sixteen words of memory. `x` at a mnemonic's end: X instead of k.
const WITH_NUMBER = {
  ld: BPF_LD | BPF_W | BPF_ABS, //   A = the 4 bytes at k
  ldh: BPF_LD | BPF_H | BPF_ABS, //  A = the 2 bytes at k
  ldb: BPF_LD | BPF_B | BPF_ABS, //  A = the byte at k
  ldx: BPF_LD | BPF_W | BPF_IND, //  A = the 4 bytes at X + k
  ldhx: BPF_LD | BPF_H | BPF_IND, // A = the 2 bytes at X + k
  ldbx: BPF_LD | BPF_B | BPF_IND, // A = the byte at X + k
  ldi: BPF_LD | BPF_IMM, //          A = k
  ldm: BPF_LD | BPF_MEM, //          A = M[k]
  ldxi: BPF_LDX | BPF_IMM, //        X = k
  ldxm: BPF_LDX | BPF_MEM, //        X = M[k]
  ldxip: BPF_LDX | BPF_B | BPF_MSH, // X = 4 * (the byte at k & 15): an IPv4 header's length
  st: BPF_ST, //                     M[k] = A
  stx: BPF_STX, //                   M[k] = X
  add: BPF_ALU | C.BPF_ADD | BPF_K,
  sub: BPF_ALU | C.BPF_SUB | BPF_K,
  mul: BPF_ALU | C.BPF_MUL | BPF_K,
  div: BPF_ALU | C.BPF_DIV | BPF_K,
  mod: BPF_ALU | C.BPF_MOD | BPF_K,
  and: BPF_ALU | C.BPF_AND | BPF_K,
  or: BPF_ALU | C.BPF_OR | BPF_K,
  xor: BPF_ALU | C.BPF_XOR | BPF_K,
  lsh: BPF_ALU | C.BPF_LSH | BPF_K,
  rsh: BPF_ALU | C.BPF_RSH | BPF_K,
  ret: BPF_RET | BPF_K, //           keeps k bytes of the packet; 0: drops it
};

const ALONE = {
  ldlen: BPF_LD | BPF_W | BPF_LEN, //   A = the packet's length
  ldxlen: BPF_LDX | BPF_W | BPF_LEN, // X = the packet's length
  addx: BPF_ALU | C.BPF_ADD | BPF_X,
  subx: BPF_ALU | C.BPF_SUB | BPF_X,
  mulx: BPF_ALU | C.BPF_MUL | BPF_X,
  divx: BPF_ALU | C.BPF_DIV | BPF_X,
  modx: BPF_ALU | C.BPF_MOD | BPF_X,
  andx: BPF_ALU | C.BPF_AND | BPF_X,
  orx: BPF_ALU | C.BPF_OR | BPF_X,
  xorx: BPF_ALU | C.BPF_XOR | BPF_X,
  lshx: BPF_ALU | C.BPF_LSH | BPF_X,
  rshx: BPF_ALU | C.BPF_RSH | BPF_X,
  neg: BPF_ALU | C.BPF_NEG,
  tax: BPF_MISC | C.BPF_TAX, //         X = A
  txa: BPF_MISC | C.BPF_TXA, //         A = X
  reta: BPF_RET | BPF_A, //             keeps A bytes
};

const JUMPS = {
  jeq: BPF_JMP | C.BPF_JEQ | BPF_K, //  A == k ?
  jgt: BPF_JMP | C.BPF_JGT | BPF_K, //  A > k ?
  jge: BPF_JMP | C.BPF_JGE | BPF_K, //  A >= k ?
  jset: BPF_JMP | C.BPF_JSET | BPF_K, // A & k ?
};

const JUMPS_X = {
  jeqx: BPF_JMP | C.BPF_JEQ | BPF_X,
  jgtx: BPF_JMP | C.BPF_JGT | BPF_X,
  jgex: BPF_JMP | C.BPF_JGE | BPF_X,
  jsetx: BPF_JMP | C.BPF_JSET | BPF_X,
};

/** Where a jump goes on: a label further down. '' is the next instruction. */
export type Target = string;

/**
 * A line of a program: a label that ends with ':', or a mnemonic with what it works on. Jumps name the label for
 * yes and, unless it is the next line, the label for no.
 */
export type Line =
  | `${string}:`
  | readonly [keyof typeof WITH_NUMBER, k: number]
  | readonly [keyof typeof ALONE]
  | readonly ['ja', to: Target]
  | readonly [keyof typeof JUMPS, k: number, yes: Target, no?: Target]
  | readonly [keyof typeof JUMPS_X, yes: Target, no?: Target];

/**
 * Makes a program of lines, for `set('attachFilter', …)` and its like.
 *
 *     bpf.assemble([
 *       ['ldh', 12],
 *       ['jeq', constants.ETH_P_ARP, 'keep'],
 *       ['ret', 0],
 *       'keep:',
 *       ['ret', 0xffffffff],
 *     ]);
 *
 * @throws TypeError, RangeError that name the line: an unknown mnemonic or label, a jump backwards or over more
 * than 255 instructions, a number that has no 32 bits
 */
export function assemble(lines: readonly Line[]): Program {
  if (!Array.isArray(lines)) throw invalidType('lines', 'an Array', lines);
  const labels = new Map<string, number>();
  const rest: { line: readonly unknown[]; name: string }[] = [];
  for (const [i, line] of (lines as readonly unknown[]).entries()) {
    if (Array.isArray(line)) rest.push({ line: line as unknown[], name: `lines[${i}]` });
    else labels.set(labelOf(line, i, labels), rest.length);
  }
  return rest.map(({ line, name }, at) => instruction(line, name, at, labels));
}

function labelOf(line: unknown, i: number, labels: ReadonlyMap<string, number>): string {
  const name = `lines[${i}]`;
  if (typeof line !== 'string') throw invalidType(name, 'an Array, or a label', line);
  const label = line.slice(0, -1);
  if (!line.endsWith(':') || label === '')
    throw invalidValue(name, "a label that ends with ':'", line);
  if (labels.has(label)) throw invalidValue(name, 'a label of its own', line);
  return label;
}

function instruction(
  [mnemonic, first, second, third]: readonly unknown[],
  name: string,
  at: number,
  labels: ReadonlyMap<string, number>,
): Instruction {
  const jump = (to: unknown, place: number, most = 0xff): number =>
    distance(to, `${name}[${place}]`, at, labels, most);
  if (has(WITH_NUMBER, mnemonic)) return line(WITH_NUMBER[mnemonic], word(first, `${name}[1]`));
  if (has(ALONE, mnemonic)) return line(ALONE[mnemonic], 0);
  if (mnemonic === 'ja') return line(BPF_JMP | C.BPF_JA, jump(first, 1, C.BPF_MAXINSNS));
  if (has(JUMPS, mnemonic)) {
    const k = word(first, `${name}[1]`);
    return line(JUMPS[mnemonic], k, jump(second, 2), jump(third ?? '', 3));
  }
  if (has(JUMPS_X, mnemonic)) {
    return line(JUMPS_X[mnemonic], 0, jump(first, 1), jump(second ?? '', 2));
  }
  throw invalidValue(`${name}[0]`, 'a mnemonic', mnemonic);
}

const has = <T extends object>(table: T, key: unknown): key is keyof T & string =>
  typeof key === 'string' && Object.hasOwn(table, key);

const line = (code: number, k: number, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k });

// Negative numbers are the kernel's extensions (SKF_AD_OFF, SKF_NET_OFF).
function word(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
    throw outOfRange(name, '>= -2147483648 and <= 4294967295', value);
  }
  return value >>> 0;
}

function distance(
  to: unknown,
  name: string,
  at: number,
  labels: ReadonlyMap<string, number>,
  most: number,
): number {
  if (to === '') return 0;
  if (typeof to !== 'string') throw invalidType(name, 'a label', to);
  const target = labels.get(to);
  if (target === undefined) throw invalidValue(name, 'the label of a line', to);
  const skipped = target - at - 1;
  if (skipped < 0) throw invalidValue(name, 'a label further down', to);
  if (skipped > most) throw outOfRange(name, `a jump over at most ${most} instructions`, skipped);
  return skipped;
}
