// One call: made harmless, noted, its answer judged, and what it has made undone.

import { closeSync } from 'node:fs';
import { harmless } from './limits';
import { closeReceived } from './rights';
import { binding, FACTS, note, shared } from './wall';

const functions = new Map(
  Object.entries(binding).filter(([, value]) => typeof value === 'function'),
) as unknown as ReadonlyMap<string, (...args: unknown[]) => unknown>;

export const NAMES = [...functions.keys()];

/** How often each was called, and how often it answered with something but an -errno. */
export const calls: Record<string, number> = {};
export const answers: Record<string, number> = {};
/** Calls that threw, or answered what is no answer. */
export const problems: string[] = [];

// What answers with no int, by design.
const OTHERS = new Map<string, (result: unknown) => boolean>([
  ['start', (result) => result === undefined],
  ['slabs', (result) => typeof result === 'object'],
  ['ntop', (result) => result === undefined || typeof result === 'string'],
  ['ifIndexToName', (result) => result === undefined || typeof result === 'string'],
  ['gaiStrerror', (result) => result === undefined || typeof result === 'string'],
  ['interfaces', (result) => typeof result === 'string'],
]);

export function call(name: string, given: readonly unknown[], print: () => string): void {
  const args = harmless(name, given);
  note(`${name}(${print()})`);
  calls[name] = (calls[name] ?? 0) + 1;
  try {
    const result = functions.get(name)!(...args);
    if (!(OTHERS.get(name) ?? Number.isInteger)(result)) {
      problems.push(`${name}(${print()}) answered ${String(result)}`);
    }
    if (typeof result !== 'number' || result >= 0) answers[name] = (answers[name] ?? 0) + 1;
    tidy(name, args, result);
  } catch (error) {
    problems.push(`${name}(${print()}) threw ${String(error)}`);
  }
}

const MAKE_TOKENS = ['open', 'adopt', 'duplicate', 'accept'];

function tidy(name: string, args: readonly unknown[], result: unknown): void {
  if (typeof result !== 'number' || result < 0) return;
  if (MAKE_TOKENS.includes(name)) binding.close(result);
  if (name === 'detach') closeSync(result);
  if (name === 'socketpair' || name === 'pipe')
    for (const i of [0, 1]) binding.close(shared[FACTS + i]);
  closeReceived(name, args, result);
}
