// For the compiler alone (`npm run typecheck`): what the tests of this folder are written with.
/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- they are what is compared */

/** Whether two types are the same, and not only assignable to each other. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where `T` is true: `sure<Same<typeof x, string>>()`. */
export declare function sure<_T extends true>(): void;
