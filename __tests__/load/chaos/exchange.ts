// One end of a connection: sends its flow and receives the other one at the same time, in a form that the dice choose,
// and reports what came of it. It catches everything: what is allowed is for verdict.ts to say.

import type { StreamSocket } from '../../../lib/index';
import { FORMS } from './forms';
import { pick, Receipt, type Dice, type Direction, type Plan } from './plan';
import { SILENCE } from './relay';

export interface Report {
  readonly form: string;
  /** What it has received. */
  readonly receipt: Receipt;
  /** The other end's end has come. */
  ended: boolean;
  readonly errors: unknown[];
}

export async function exchange(
  stream: StreamSocket,
  side: 'client' | 'target',
  plan: Plan,
): Promise<Report> {
  const dice = plan.dice(side);
  const [name, form] = pick(dice, FORMS);
  const report: Report = { form: name, receipt: new Receipt(), ended: false, errors: [] };
  const failed = (error: unknown): void => void report.errors.push(error);
  const { send, receive } = form(stream);
  // Shorter than the silence, and for the client alone: it sees its own deadline, the target a reset.
  if (side === 'client' && plan.harm === 'silence') stream.setTimeouts({ read: SILENCE / 2 });
  const sending = send(piecesOf(stream, side, plan, dice)).catch(failed);
  const receiving = receive((chunk) => report.receipt.take(chunk)).then(
    () => void (report.ended = true),
    (error: unknown) => {
      failed(error);
      stream.abort();
    },
  );
  await Promise.all([sending, receiving]);
  // An end that was in order is one to the other side as well; of what failed it must not make one.
  if (report.errors.length > 0) stream.abort();
  else await stream.close();
  return report;
}

/** What goes out, up to where the client harms its connection itself. */
function* piecesOf(
  stream: StreamSocket,
  side: 'client' | 'target',
  plan: Plan,
  dice: Dice,
): Generator<Buffer, void> {
  const direction: Direction = side === 'client' ? 'up' : 'down';
  const flow = plan.flows[direction];
  const harmful = side === 'client' && plan.place === 'client' && plan.harm !== 'none';
  const until = harmful ? plan.after : flow.length;
  for (let at = 0; at < until;) {
    const piece = flow.slice(at, Math.min(1 + Math.floor(dice() ** 2 * 100_000), until - at));
    yield piece;
    at += piece.length;
  }
  if (!harmful) return;
  if (plan.harm === 'abort') stream.socket.close();
  if (plan.harm === 'reset') stream.abort();
}
