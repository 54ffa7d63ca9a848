// Who waits with which AbortSignal. However many calls share a signal, it has one listener of ours, and has it
// only while any of them waits (promise 3): more than ten would look like a leak to Node.

type Abort = (signal: AbortSignal) => void;

class Watch {
  private readonly waiting = new Set<Abort>();
  private readonly onAbort = (): void => {
    // One of them may end the wait of another one, whose operation waits for somebody else by the time of its turn.
    for (const abort of [...this.waiting]) if (this.waiting.has(abort)) abort(this.signal);
  };

  constructor(private readonly signal: AbortSignal) {}

  add(abort: Abort): void {
    if (this.waiting.size === 0) this.signal.addEventListener('abort', this.onAbort);
    this.waiting.add(abort);
  }

  remove(abort: Abort): void {
    if (this.waiting.delete(abort) && this.waiting.size === 0) {
      this.signal.removeEventListener('abort', this.onAbort);
    }
  }
}

const watches = new WeakMap<AbortSignal, Watch>();

/** Calls `abort` when `signal` is aborted, until the function it returns is called. */
export function onceAborted(signal: AbortSignal, abort: Abort): () => void {
  let watch = watches.get(signal);
  if (watch === undefined) watches.set(signal, (watch = new Watch(signal)));
  watch.add(abort);
  return () => watch.remove(abort);
}
