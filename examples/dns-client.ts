// A DNS client: asks over UDP, again when nothing comes, and over TCP when the answer was too long for a datagram.

import { connect } from 'eagain';
import * as dns from 'dns-packet';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { defer, filter, firstValueFrom, mergeMap, retry, timeout } from 'rxjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '53' },
    help: { type: 'boolean', short: 'h' },
  },
});
const name = positionals.at(0);
const type = positionals.at(1) ?? 'A';

if (values.help === true || name === undefined) {
  console.log(`dns-client [--server 127.0.0.1] [--port 53] name [type]
Prints the answers, one a line; exits with 1 where there are none.`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  const place = { host: values.server, port: Number(values.port) };
  ask(place, { name, type: type.toUpperCase() as dns.RecordType }).then(print, (error: unknown) => {
    console.error(String(error));
    process.exitCode = 1;
  });
}

interface Place {
  host: string;
  port: number;
}

async function ask(place: Place, question: dns.Question): Promise<dns.DecodedPacket> {
  const query: dns.Packet = {
    type: 'query',
    // Whoever forges an answer must guess this, and the port that the kernel has chosen.
    id: randomInt(65536),
    flags: dns.RECURSION_DESIRED,
    questions: [question],
  };
  const answer = await overUdp(place, query);
  return answer.flag_tc ? await overTcp(place, query) : answer;
}

async function overUdp(place: Place, query: dns.Packet): Promise<dns.DecodedPacket> {
  // Connected: only what the server itself sends comes in, and so does the news that nobody listens there.
  await using udp = await connect({ type: 'dgram', ...place });
  const answers = defer(() => udp.send(dns.encode(query))).pipe(
    mergeMap(() => udp.observe()),
    mergeMap(({ data }) => decoded(data)),
    filter((answer) => isAnswerTo(query, answer)),
    timeout({ first: 1000 }),
    retry(2),
  );
  return await firstValueFrom(answers);
}

async function overTcp(place: Place, query: dns.Packet): Promise<dns.DecodedPacket> {
  await using tcp = await connect({ ...place, timeout: 3000 });
  tcp.setTimeouts({ read: 3000 });
  // Over TCP the length goes before each message.
  await tcp.write(dns.streamEncode(query));
  const length = (await tcp.readExactly(2)).readUInt16BE();
  const answer = dns.decode(await tcp.readExactly(length));
  if (!isAnswerTo(query, answer)) throw new Error('that was no answer to the question');
  return answer;
}

/** None where it is not DNS at all: on UDP that is no reason to give up. */
function decoded(data: Buffer): dns.DecodedPacket[] {
  try {
    return [dns.decode(data)];
  } catch {
    return [];
  }
}

function isAnswerTo(query: dns.Packet, answer: dns.DecodedPacket): boolean {
  const [asked, repeated] = [query.questions?.[0], answer.questions?.[0]];
  return (
    answer.flag_qr &&
    answer.id === query.id &&
    repeated?.type === asked?.type &&
    repeated?.name.toLowerCase() === asked?.name.toLowerCase()
  );
}

const CODES = [
  'no such record',
  'format error',
  'server failure',
  'no such name',
  'not implemented',
  'refused',
];

function print({ answers = [], flags = 0 }: dns.DecodedPacket): void {
  for (const answer of answers) {
    if (answer.type !== 'OPT') console.log(answer.name, answer.ttl, answer.type, show(answer.data));
  }
  if (answers.length > 0) return;
  console.error(CODES[flags & 15] ?? `error ${flags & 15}`);
  process.exitCode = 1;
}

/** An address, a name, texts, or the fields of a record that has several. */
function show(data: unknown): string {
  if (Array.isArray(data)) return data.map((text) => JSON.stringify(String(text))).join(' ');
  if (data instanceof Uint8Array) return Buffer.from(data).toString('hex');
  return typeof data === 'object' && data !== null ? Object.values(data).join(' ') : String(data);
}
