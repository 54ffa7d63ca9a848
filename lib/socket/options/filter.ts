// Classic BPF programs as the values of options: struct sock_fprog, of which the addon makes the pointer.

import { outOfRange } from '../../core/errors';
import type { Constants } from '../../native/constants';
import { constants as C } from '../constants';
import { decodeProgram, encodeProgram, INSTRUCTION_SIZE, type Program } from '../bpf/instruction';
import type { Codec } from './codec';
import { option, setter, type Option } from './table';

const instructions: Codec<Program> = {
  size: C.BPF_MAXINSNS * INSTRUCTION_SIZE,
  encode(value, name) {
    const bytes = encodeProgram(value, name);
    if (bytes.length === 0) throw outOfRange(`${name}.length`, '>= 1', 0);
    return bytes;
  },
  decode: decodeProgram,
};

/** A row whose value is a program. */
export const program = (
  level: 'SOL_SOCKET' | 'SOL_PACKET',
  name: keyof Constants,
): Option<Program, 'both'> => ({ ...option(level, name, instructions), program: true });

/** The same for one that cannot be asked for. */
export const programSetter = (
  level: 'SOL_SOCKET' | 'SOL_PACKET',
  name: keyof Constants,
): Option<Program, 'set'> => ({ ...setter(level, name, instructions), program: true });
