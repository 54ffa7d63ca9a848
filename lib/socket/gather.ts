// Sends of one tick go together: collected until a microtask, then one sendmmsg(2). `await send()` in a loop still
// goes at once, since nothing but microtasks runs in between.

import { UNFINISHED } from '../core/operation';
import { reactor } from '../core/runtime';
import type { AddressInput } from './address';
import type { Outgoing } from './lay_out';
import { SendGathered, type Gathered } from './send_many';
import type { SocketState } from './state';

export class Gatherer {
  private messages: Gathered[] = [];
  private readonly whenTickEnds = (): void => this.flush();

  constructor(
    private readonly state: SocketState,
    /** Who must not be collected while something waits here. */
    private readonly owner: object,
  ) {}

  send(message: Outgoing, to: AddressInput | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.messages.length === 0) queueMicrotask(this.whenTickEnds);
      this.messages.push({ ...message, to, resolve, reject });
    });
  }

  /** Hands over what was collected: whatever is sent next goes behind it. */
  flush(): void {
    const sending = this.collected();
    if (sending !== undefined) reactor.submit(sending, undefined, this.owner);
  }

  /** The same where there is no later turn of the loop, whatever was done in this one: the socket closes. */
  flushNow(): void {
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
    this.messages = [];
    return messages.length === 0 ? undefined : new SendGathered(this.state, messages);
  }
}
