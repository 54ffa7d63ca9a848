// A scripted world for core/: a binding that only takes notes, operations that answer what the script says,
// and a loop whose timers and turns the test runs by hand. No socket, no kernel, no time.

import timers from 'node:timers';
import { constants as numbers } from 'node:os';
import { Budget } from '../../lib/core/budget';
import { Handle, type Direction } from '../../lib/core/handle';
import { Operation, UNFINISHED } from '../../lib/core/operation';
import { Reactor, type ReactorBinding } from '../../lib/core/reactor';
import type { Wait } from '../../lib/core/validate';
import type { Waiting } from '../../lib/core/waiting';
import {
  BATCH,
  IN_TURN,
  PRIORITY,
  READ,
  REFERENCED,
  WRITE,
  type SharedMemory,
} from '../../lib/native/binding';

export const EAGAIN = -numbers.errno.EAGAIN;
export const ECONNRESET = -numbers.errno.ECONNRESET;
export const ENOBUFS = -numbers.errno.ENOBUFS;

const EVERYTHING = READ | WRITE | PRIORITY;
// addon/loop/slot_table.h: a generation above 20 bits of place.
const PLACE_BITS = 20;

export function token(place: number, generation = 1): number {
  return (generation << PLACE_BITS) | place;
}

const NAMES = new Map([
  [READ, 'read'],
  [WRITE, 'write'],
  [PRIORITY, 'priority'],
]);

/** Notes every call, in words: `arm a read`, `close a`, `reference 1`. */
export class ScriptedBinding implements ReactorBinding {
  readonly memory: SharedMemory = {
    shared: new Int32Array(BATCH + 512),
    scratch: new Uint8Array(128),
  };
  /** What the next arm() answers; the whole interest unless told. */
  armed: number[] = [];
  /** What close() and detach() answer. */
  released = 0;
  private dispatch: (begin: number, end: number) => void = () => undefined;

  constructor(
    private readonly note: (what: string) => void,
    private readonly nameOf: (token: number) => string,
  ) {}

  start(dispatch: (begin: number, end: number) => void): SharedMemory {
    this.dispatch = dispatch;
    return this.memory;
  }

  arm(token: number, interest: number): number {
    const words = [...NAMES].filter(([bit]) => (interest & bit) !== 0).map(([, word]) => word);
    this.note(`arm ${this.nameOf(token)} ${words.join('|')}`);
    return this.armed.shift() ?? EVERYTHING;
  }

  disarm(token: number): number {
    this.note(`disarm ${this.nameOf(token)}`);
    return 0;
  }

  reference(alive: number): number {
    this.note(`reference ${alive}`);
    return 0;
  }

  close(token: number): number {
    this.note(`close ${this.nameOf(token)}`);
    return this.released;
  }

  detach(token: number): number {
    this.note(`detach ${this.nameOf(token)}`);
    return this.released;
  }

  /** One wake-up with these events, delivered `by` so many at a time (as the core does: few one by one). */
  wake(events: readonly (readonly [token: number, readiness: number])[], by: number): void {
    const { shared } = this.memory;
    events.forEach(([token, readiness], i) => {
      shared[BATCH + 2 * i] = token;
      shared[BATCH + 2 * i + 1] = readiness;
    });
    for (let i = 0; i < events.length; i += by) {
      shared[IN_TURN] = 1;
      try {
        this.dispatch(i, Math.min(i + by, events.length));
      } finally {
        shared[IN_TURN] = 0;
      }
    }
  }

  get keepsAlive(): boolean {
    return this.memory.shared[REFERENCED] !== 0;
  }
}

interface Script {
  /** What each attempt answers; the last one goes on for ever. */
  answers?: readonly number[];
  /** -errnos that pass by themselves. */
  passing?: readonly number[];
  pace?: readonly [number, number];
  /** Attempts, from the first on, that say UNFINISHED for fairness. */
  unfinished?: number;
  interest?: number;
  lane?: string;
  conclusive?: boolean;
  /** Called when the result becomes the value. */
  valuing?: () => void;
  attempting?: () => void;
  abandoned?: () => void;
  annotation?: object;
}

/** An operation without a system call: `attempt` notes `try <name>` and answers what its script says. */
export class ScriptedOperation extends Operation<number> {
  tries = 0;

  constructor(
    readonly handle: Handle,
    readonly direction: Direction,
    readonly name: string,
    private readonly note: (what: string) => void,
    private readonly script: Script,
  ) {
    super();
  }

  get syscall(): string {
    return this.name;
  }

  attempt(): number {
    this.note(`try ${this.name}`);
    const { answers = [1], unfinished = 0 } = this.script;
    this.script.attempting?.();
    if (this.tries++ < unfinished) return UNFINISHED;
    return answers[Math.min(this.tries - 1, answers.length - 1)];
  }

  value(result: number): number {
    this.script.valuing?.();
    return result;
  }

  override get lane(): string {
    return this.script.lane ?? super.lane;
  }

  override get conclusive(): boolean {
    return this.script.conclusive ?? super.conclusive;
  }

  override get interest(): number {
    return this.script.interest ?? super.interest;
  }

  override get pace(): readonly [number, number] {
    return this.script.pace ?? super.pace;
  }

  override passes(result: number): boolean {
    return this.script.passing?.includes(result) ?? false;
  }

  override annotate(error: Error): Error {
    return Object.assign(error, this.script.annotation);
  }

  override abandoned(): void {
    this.script.abandoned?.();
  }
}

interface Timer {
  readonly run: () => void;
  readonly at: number;
  referenced: boolean;
  ref: () => Timer;
  unref: () => Timer;
}

/** Node's timers and immediates, as core/ uses them, run by hand. */
export class ScriptedLoop {
  now = 0;
  immediates: Timer[] = [];
  private timers: Timer[] = [];

  install(): void {
    jest.spyOn(timers, 'setImmediate').mockImplementation(((run: () => void) => {
      const immediate = this.timer(run, 0);
      this.immediates.push(immediate);
      return immediate;
    }) as never);
    jest.spyOn(timers, 'setTimeout').mockImplementation(((run: () => void, delay: number) => {
      const timer = this.timer(run, this.now + delay);
      this.timers.push(timer);
      return timer;
    }) as never);
    jest.spyOn(timers, 'clearTimeout').mockImplementation(((timer: Timer) => {
      this.timers = this.timers.filter((other) => other !== timer);
    }) as never);
  }

  /** The delays of the timers that run. */
  get delays(): number[] {
    return this.timers.map(({ at }) => at - this.now);
  }

  get referencedTimers(): number {
    return this.timers.filter(({ referenced }) => referenced).length;
  }

  /** The check phase of a turn of the loop: what was put off until then. */
  turn(): void {
    const { immediates } = this;
    this.immediates = [];
    for (const { run } of immediates) run();
  }

  /** Time passes: the timers that it reaches run, each with the turn of the loop that follows it. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const first = this.timers
        .filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at)
        .at(0);
      if (first === undefined) break;
      this.timers = this.timers.filter((other) => other !== first);
      this.now = first.at;
      first.run();
      this.turn();
    }
    this.now = end;
  }

  private timer(run: () => void, at: number): Timer {
    const timer: Timer = {
      run,
      at,
      referenced: true,
      ref: () => Object.assign(timer, { referenced: true }),
      unref: () => Object.assign(timer, { referenced: false }),
    };
    return timer;
  }
}

/** A reactor over all this, and what happened in it, in order. */
export class World {
  readonly log: string[] = [];
  /** What was thrown into the void, where Node reports uncaught exceptions. */
  readonly uncaught: unknown[] = [];
  readonly loop = new ScriptedLoop();
  readonly binding: ScriptedBinding;
  readonly reactor: Reactor;
  private readonly names = new Map<number, string>();

  constructor() {
    const note = (what: string): void => void this.log.push(what);
    this.binding = new ScriptedBinding(note, (token) => this.names.get(token) ?? String(token));
    this.reactor = new Reactor(this.binding, new Budget(undefined, () => this.loop.now + 1));
    this.loop.install();
    jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => {
      try {
        run();
      } catch (error) {
        this.uncaught.push(error);
      }
    });
  }

  handle(name: string, token_: number = token(this.names.size)): Handle {
    this.names.set(token_, name);
    const handle = new Handle(token_);
    this.reactor.adopt(handle);
    return handle;
  }

  operation(
    handle: Handle,
    direction: Direction,
    name: string,
    script: Script = {},
  ): ScriptedOperation {
    return new ScriptedOperation(handle, direction, name, (what) => this.log.push(what), script);
  }

  /** Submits an operation whose outcome goes into the log at once: `r1 = 5`, `r1 failed: ECONNRESET`. */
  start(
    operation: ScriptedOperation,
    wait?: Wait,
    then: (outcome: number | Error) => void = () => undefined,
  ): Waiting | undefined {
    operation.resolve = (value) => {
      this.log.push(`${operation.name} = ${value}`);
      then(value);
    };
    operation.reject = (error) => {
      this.log.push(`${operation.name} failed: ${(error as { code?: string }).code ?? 'no code'}`);
      then(error);
    };
    return this.reactor.submit(operation, wait);
  }

  wake(...events: (readonly [handle: Handle | number, readiness: number])[]): void {
    const pairs = events.map(
      ([who, readiness]) => [typeof who === 'number' ? who : who.token, readiness] as const,
    );
    this.binding.wake(pairs, pairs.length > 8 ? pairs.length : 1);
  }

  /** What happened since the last look. */
  get news(): string[] {
    return this.log.splice(0);
  }
}
