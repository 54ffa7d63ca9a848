// Classic BPF: programs that say which packets a socket takes.

export { assemble, type Line, type Target } from './assembler';
export type { Instruction, Program } from './instruction';
export {
  dropAll,
  etherType,
  ipProtocol,
  keepAll,
  port,
  reusePortAtRandom,
  reusePortByCpu,
  type PortMatch,
} from './programs';
