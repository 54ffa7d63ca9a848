// SOCK_SEQPACKET: a connection like TCP's whose records keep their edges, the empty ones included.

import { connect, listen, type Listener, type SeqpacketSocket } from 'eagain';
import { show } from './address';
import { grouped, type Report } from './report';

// Written without a pause in between: a byte stream would run them together.
const RECORDS = [
  'one record',
  '',
  'another one,\nof two lines',
  'x'.repeat(100_000),
  'the last one',
];

export async function seqpacket(report: Report): Promise<void> {
  // Abstract: no file, gone with its last descriptor. Our own user's programs and others' alike may connect.
  const path = `\0eagain-tour-${process.pid}`;
  await using server = await listen({ type: 'seqpacket', path });
  report.fact('listening', show(server.address));

  const [answers, heard] = await Promise.all([ask(path), answer(server)]);

  for (const [i, record] of heard.entries()) {
    const note = record === '' ? '  an empty record, which is not the end' : '';
    report.fact(`record ${i + 1}`, `${grouped(record.length).padStart(7)} bytes${note}`);
  }
  report.fact('then', 'the end of the stream');
  report.check('every record arrived as it was sent', same(heard, RECORDS));
  report.check('and so did the answers, in their order', same(answers, RECORDS.map(answerTo)));
}

/** The client: sends all its records, ends its side, and reads answers until the server has ended. */
async function ask(path: string): Promise<string[]> {
  await using conn = await connect({ type: 'seqpacket', path });
  for (const record of RECORDS) await conn.send(record);
  await conn.end();
  const answers: string[] = [];
  for await (const message of conn) answers.push(message.data.toString());
  return answers;
}

/** The server, the same conversation with receive() instead of a loop: null is the end. */
async function answer(server: Listener<SeqpacketSocket>): Promise<string[]> {
  await using peer = await server.accept();
  const heard: string[] = [];
  for (let message = await peer.receive(); message !== null; message = await peer.receive()) {
    const record = message.data.toString();
    heard.push(record);
    await peer.send(answerTo(record));
  }
  return heard;
}

function answerTo(record: string): string {
  return `${record.length} bytes`;
}

function same(got: readonly string[], wanted: readonly string[]): boolean {
  return got.length === wanted.length && got.every((record, i) => record === wanted[i]);
}
