// One instruction of classic BPF, and programs of them as the kernel's bytes. bpf(4); <linux/filter.h>.
//
//   struct sock_filter   | code 16 | jt 8 | jf 8 | k 32 |

import { invalidType, outOfRange } from '../../core/errors';
import { integer, record } from '../../core/validate';
import { constants as C } from '../constants';
import { LITTLE } from '../../native/words';

/** struct sock_filter: `jt` and `jf` are how many instructions a jump leaves out. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** A program of classic BPF, as `attachFilter` and its like take it. */
export type Program = readonly Instruction[];

export const INSTRUCTION_SIZE = 8;

export function encodeProgram(program: Program, name: string): Uint8Array {
  if (!Array.isArray(program)) throw invalidType(name, 'an Array of instructions', program);
  const { length } = program as Program;
  if (length > C.BPF_MAXINSNS) throw outOfRange(`${name}.length`, `<= ${C.BPF_MAXINSNS}`, length);
  const bytes = new Uint8Array(length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, instruction] of (program as Program).entries()) {
    const { code, jt, jf, k } = record(`${name}[${i}]`, instruction);
    const at = i * INSTRUCTION_SIZE;
    view.setUint16(at, integer(`${name}[${i}].code`, code, 0, 0xffff), LITTLE);
    view.setUint8(at + 2, integer(`${name}[${i}].jt`, jt, 0, 0xff));
    view.setUint8(at + 3, integer(`${name}[${i}].jf`, jf, 0, 0xff));
    view.setUint32(at + 4, integer(`${name}[${i}].k`, k, 0, 0xffffffff), LITTLE);
  }
  return bytes;
}

export function decodeProgram(bytes: Uint8Array): Program {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, i) => {
    const at = i * INSTRUCTION_SIZE;
    return {
      code: view.getUint16(at, LITTLE),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, LITTLE),
    };
  });
}
