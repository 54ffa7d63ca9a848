// Runs in a process of its own (arguments.property.test.ts) and throws arguments at the functions of the
// binding; reports what came of it.

import fc from 'fast-check';
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { answers, call, calls, NAMES, problems } from './call';
import { anyCall, shown } from './plausible';
import { closeAll, lay, PLACES, refresh } from './sockets';
import { anyArguments, clearTraps, made, printed } from './values';
import { binding, dispatch, mode, runs, seed } from './wall';

const parameters = { numRuns: Number(runs), seed: Number(seed) };

function arbitrary(): void {
  for (const name of NAMES) {
    const property = fc.property(anyArguments, fc.constantFrom(...PLACES), (recipes, place) => {
      refresh();
      const args = recipes.map(made);
      lay(place);
      call(name, args, () => printed(recipes));
      clearTraps();
    });
    fc.assert(property, parameters);
  }
}

async function plausible(): Promise<void> {
  const sequence = fc.array(anyCall, { minLength: 20, maxLength: 60 });
  const property = fc.asyncProperty(sequence, async (makes) => {
    closeAll();
    for (const make of makes) {
      refresh();
      const [name, args] = make();
      call(name, args, () => shown(args));
    }
    // The events of what was armed come in, too.
    await setImmediate();
  });
  await fc.assert(property, parameters);
}

function openSockets(): number {
  const names = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return names.filter((name) => name.startsWith('socket:')).length;
}

async function main(): Promise<void> {
  const before = openSockets();
  if (mode === 'arbitrary') arbitrary();
  else await plausible();
  await setImmediate();
  closeAll();
  binding.reference(0);
  const left = openSockets() - before;
  const report = { calls, answers, problems: problems.slice(0, 50), left };
  process.stdout.write(JSON.stringify(report), dispatch);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
