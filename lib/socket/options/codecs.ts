// The codecs that a program may use for options of its own.

export { bits, choice, flag, int, raw, text, uint32, uint64 } from './codec';
