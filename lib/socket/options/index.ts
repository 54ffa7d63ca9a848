// Socket options by name: get, set, and everything behind them.

export { checkOptions, getOption, setOption, type Optioned } from './access';
export type { Codec } from './codec';
export { defineOption, type OptionDefinition } from './registry';
export type * from './types';
