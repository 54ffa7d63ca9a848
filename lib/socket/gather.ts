// Sends of one tick go together: the first one goes at once, since most are alone; what follows it in the same tick
// is collected until a microtask, then one sendmmsg(2).

import { UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import type { AddressInput } from './address';
import type { Outgoing } from './lay_out';
import { SendGathered, type Gathered } from './send_many';
import type { SocketState } from './state';

const NOW = Promise.resolve();

export class Gatherer {
  private messages: Gathered[] = [];
  private tick = false;
  private readonly whenTickEnds = (): void => {
    this.tick = false;
    this.flush();
  };

  constructor(
    private readonly state: SocketState,
    /** Who must not be collected while something waits here. */
    private readonly owner: object,
  ) {}

  /** Whether a message is the first of its tick; those after it are to be collected. */
  isFirst(): boolean {
    if (this.tick) return false;
    this.tick = true;
    // Not queueMicrotask(), which makes an AsyncResource (0.5 µs).
    void NOW.then(this.whenTickEnds);
    return true;
  }

  send(message: Outgoing, to: AddressInput | undefined): Promise<void> {
    const { pieces, length, name, control } = message;
    return new Promise((resolve, reject) => {
      // Not spread: V8 (11 to 14) keeps such copies until the next full collection, at some µs each.
      this.messages.push({ pieces, length, name, control, to, resolve, reject });
    });
  }

  /** Hands over what was collected: whatever is sent next goes behind it. */
  flush(): void {
    const sending = this.collected();
    if (sending !== undefined) reactor.submit(sending, undefined, this.owner);
  }

  /** The same where there is no later turn of the loop, whatever was done in this one: the socket closes. */
  flushNow(): void {
    reactor.hurry(this.state);
    const sending = this.collected();
    if (sending === undefined) return;
    if (!this.state.closed && this.state.writers.head === null) {
      let result;
      do result = sending.attempt();
      while (result === UNFINISHED);
      if (result >= 0) return;
    }
    reactor.submit(sending, undefined, this.owner);
  }

  private collected(): SendGathered | undefined {
    const { messages } = this;
    if (messages.length === 0) return undefined;
    this.messages = [];
    return new SendGathered(this.state, messages);
  }
}
