// A stream's urgent bytes as a source to iterate over.

import type { Pull, Pullable } from '../adapters/contract';
import { reactor } from '../core/runtime';
import type { Socket } from '../socket/socket';
import { ReceiveUrgent } from '../socket/urgent_bytes';
import { OVER, takeBack } from './source';

export class UrgentSource implements Pullable<number> {
  constructor(private readonly stream: { readonly socket: Socket }) {}

  pull(
    got: (item: number | null) => void,
    failed: (error: Error) => void,
    signal?: AbortSignal,
  ): Pull {
    const operation = new ReceiveUrgent(this.stream.socket.state);
    operation.resolve = got;
    operation.reject = failed;
    return reactor.submit(operation, signal && { signal }, this.stream) ?? OVER;
  }

  withdraw(pull: Pull): void {
    takeBack(pull);
  }
}
