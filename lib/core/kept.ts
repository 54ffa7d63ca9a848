// What must not be collected, however little of the program is left: reactors whose promises somebody waits for.
//
// Whoever only awaits holds nothing: the promise is held by what settles it, and that by the reactor, which the module
// that made it holds. In a bundle no module cache holds the modules, and the whole ring was collected in mid-wait: its
// sockets closed, the process at its end, without a word. The global object is the realm's: where one is thrown away
// as a whole (Jest, one per test file), what waits there goes with it.

const KEPT = Symbol.for('eagain.kept');

type Holder = typeof globalThis & { [KEPT]?: (object | undefined)[] };

const kept = ((globalThis as Holder)[KEPT] ??= []);

/** A place to keep one object in. */
export function placeToKeep(): number {
  return kept.push(undefined) - 1;
}

/** Keeps `object`, in the place of what was kept there. */
export function keep(place: number, object: object | undefined): void {
  kept[place] = object;
}
