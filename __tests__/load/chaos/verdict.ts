// What may come of a connection, by the harm that was done to it.

import { constants } from 'node:os';
import { types } from 'node:util';
import type { Failure } from '../../support/outcomes';
import type { Report } from './exchange';
import type { Direction, Plan } from './plan';

/** The syscalls at which the kernel says so. */
const SYSCALLS: Readonly<Record<string, readonly string[]>> = {
  ECONNRESET: ['read', 'write', 'sendfile', 'shutdown'],
  EPIPE: ['write', 'sendfile'],
};
// Of this library or of node:stream, without errno and syscall.
const OURS = [
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_TIMEOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
];

/** What is wrong with the shape of an error; undefined where nothing is. */
export function misshapen(given: unknown): string | undefined {
  const error = given as Failure;
  const { code = '', errno, syscall = '' } = error;
  const shown = `${String(given)} ${JSON.stringify(given)}`;
  // By its kind: those of node:stream are of another realm, where Jest runs this.
  if (!types.isNativeError(error)) return `no Error: ${shown}`;
  if (OURS.includes(code)) {
    return errno === undefined ? undefined : `an errno that is none of the kernel's: ${shown}`;
  }
  if (!(code in SYSCALLS)) return `an unknown code: ${shown}`;
  if (errno !== -constants.errno[code as keyof typeof constants.errno])
    return `another's errno: ${shown}`;
  if (!SYSCALLS[code].includes(syscall)) return `a strange syscall: ${shown}`;
  return error.message.startsWith(`${syscall} ${code}`) ? undefined : `a strange message: ${shown}`;
}

/** Nothing was harmed but the end of one direction, which came early. */
const isClean = (plan: Plan): boolean => plan.harm === 'none' || plan.harm === 'half-close';

/** What is wrong at one end, which receives in `direction`; `ownDoing`: it closed the connection itself. */
function* wrongAt(
  { receipt, ended, errors }: Report,
  plan: Plan,
  direction: Direction,
  ownDoing: boolean,
): Generator<string> {
  const flow = plan.flows[direction];
  // Whatever happened: what came is what was sent, as far as it came.
  if (receipt.length > flow.length) yield `${receipt.length} bytes of ${flow.length}`;
  else if (receipt.digest() !== flow.digest(receipt.length)) yield 'a wrong digest';
  yield* errors.map(misshapen).filter((words) => words !== undefined);
  if (isClean(plan) && errors.length > 0) yield `it failed: ${errors.map(String).join()}`;
  if (!ended && errors.length === 0) yield 'neither an end nor an error';
  const cut = plan.harm === 'half-close' && plan.direction === direction;
  const due = cut ? plan.after : flow.length;
  // Only who closes without a word may be taken for one who has said it all; and iterating ends where it is
  // this side that closes.
  if (ended && plan.harm !== 'abort' && !ownDoing && receipt.length !== due)
    yield `an end after ${receipt.length} bytes of ${due}`;
}

/** What is wrong with a connection; its target may never have heard of it where it was harmed. */
export function wrongWith(plan: Plan, client: Report, target: Report | undefined): string[] {
  const { id, harm, place, direction, after } = plan;
  const who = `connection ${id}, ${harm} at ${place} after ${after} bytes ${direction}`;
  const at = (end: string, report: Report | undefined, receives: Direction): string[] => {
    if (report === undefined) return isClean(plan) ? [`${who}: ${end}: no report`] : [];
    const found = [...wrongAt(report, plan, receives, end === place && !isClean(plan))];
    return found.map((words) => `${who}: ${end} (${report.form}): ${words}`);
  };
  return [...at('client', client, 'down'), ...at('target', target, 'up')];
}
