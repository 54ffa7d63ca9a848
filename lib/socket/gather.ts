// Sends of one tick go together: collected until a microtask, then one sendmmsg(2). `await send()` in a loop still
// goes at once, since nothing but microtasks runs in between.

import { reactor } from '../core/runtime';
import type { AddressInput } from './address';
import type { Outgoing } from './lay_out';
import { SendGathered, type Gathered } from './send';
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
    const { messages } = this;
    if (messages.length === 0) return;
    this.messages = [];
    reactor.submit(new SendGathered(this.state, messages), undefined, this.owner);
  }
}
