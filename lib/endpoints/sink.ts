// sink(): an endpoint as the end of an rxjs pipe.

import type { Observable, OperatorFunction } from 'rxjs';
import type { Puttable } from '../adapters/contract';
import { rxjs } from '../adapters/observe';
import { Sink, SINK_POLICIES, type SinkOptions } from '../adapters/sink';
import { checkOverflow, OVERFLOW_KEYS } from './overflow';

export type { SinkOptions };

export function sink<T>(
  target: Puttable<T>,
  options: SinkOptions<T> | undefined,
): OperatorFunction<T, never> {
  checkOverflow(options, SINK_POLICIES, OVERFLOW_KEYS);
  const chosen = { ...options };
  return (source: Observable<T>) => {
    const { Observable, takeWhile } = rxjs();
    return new Observable<never>((subscriber) => {
      const into = new Sink(target, subscriber, chosen);
      subscriber.add(() => into.stop());
      // takeWhile: one that emits for ever before subscribe() returns is to be left, too.
      subscriber.add(source.pipe(takeWhile(() => into.open)).subscribe(into));
    });
  };
}
