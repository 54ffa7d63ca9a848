// An authoritative DNS server for one zone: over UDP, from the very address that was asked, and over TCP what is
// too long for a datagram (RFC 1035, 6891, 7766).

import {
  bind,
  listen,
  type DatagramSocket,
  type InetAddress,
  type Listener,
  type StreamSocket,
} from 'eagain';
import * as dns from 'dns-packet';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '5300' },
    help: { type: 'boolean', short: 'h' },
  },
});
const file = positionals.at(0);

if (values.help === true || file === undefined) {
  console.log(`dns-server [--host 127.0.0.1] [--port 5300] zone-file
Answers for a zone, one record a line: name, seconds to live, type, data. The first is the zone's SOA:

  example.test      300 SOA  ns.example.test admin.example.test 1
  ns.example.test   300 A    127.0.0.1
  example.test      300 MX   10 mail.example.test

Try \`dig -p 5300 @127.0.0.1 ns.example.test\`.`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  void serve(file, values.host, Number(values.port));
}

type DnsRecord = Exclude<dns.Answer, dns.OptAnswer>;
type Zone = readonly DnsRecord[];

// What kind of query it is: 0 for the usual one.
const OPCODE = 0x7800;
// The code of a response, in its flags.
const [NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED] = [0, 1, 3, 4, 5];
// Without EDNS a datagram has at most 512 bytes; with it, what passes everywhere without being fragmented.
const [PLAIN_LIMIT, EDNS_LIMIT] = [512, 1232];

async function serve(path: string, host: string, port: number): Promise<void> {
  const zone = readZone(await readFile(path, 'utf8'));
  const both = await open(host, port);
  await using udp = both.udp;
  await using tcp = both.tcp;
  console.log(`listening on port ${udp.localAddress.port}`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void udp.close();
      stop.abort();
    });
  const { signal } = stop;
  await Promise.all([
    answerDatagrams(udp, zone),
    tcp.serve((peer) => answerStream(peer, zone), { signal, drainTimeout: 0, onError: complain }),
  ]);
  console.log('done');
}

/** UDP and TCP on the same port: where the kernel is to choose it (0), one that is free for both. */
async function open(
  host: string,
  port: number,
): Promise<{ udp: DatagramSocket<InetAddress>; tcp: Listener<StreamSocket> }> {
  for (let tries = 1; ; tries++) {
    const udp = await bind({ host, port, packetInfo: true });
    try {
      return { udp, tcp: await listen({ host, port: udp.localAddress.port }) };
    } catch (error) {
      await udp.close();
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (port !== 0 || !taken || tries === 10) throw error;
    }
  }
}

async function answerDatagrams(udp: DatagramSocket, zone: Zone): Promise<void> {
  for await (const { data, from, packetInfo } of udp) {
    const answer = answerTo(data, zone, limitOf);
    if (answer === null || from === null || packetInfo === undefined) continue;
    // A machine has many addresses; the client believes the one that it has asked.
    const control = [{ kind: 'packetInfo' as const, ...packetInfo }];
    // Not awaited: one client's trouble is not the next one's.
    udp.send(answer, from, { control }).catch(complain);
  }
}

/** Over TCP the length goes before each message, and a client may ask several things. */
async function answerStream(peer: StreamSocket, zone: Zone): Promise<void> {
  peer.setTimeouts({ read: 10_000, write: 10_000 });
  for (
    let head = await peer.read({ size: 1 });
    head !== null;
    head = await peer.read({ size: 1 })
  ) {
    const [low] = await peer.readExactly(1);
    const answer = answerTo(await peer.readExactly(head[0] * 256 + low), zone, () => 65535);
    if (answer === null) return;
    const length = Buffer.of(answer.length >> 8, answer.length & 255);
    await peer.write([length, answer]);
  }
}

/** null for what gets none: what is no query. To answer an answer is how two servers talk for ever. */
function answerTo(data: Buffer, zone: Zone, limit: (query: dns.Packet) => number): Buffer | null {
  const [HEADER, RESPONSE] = [12, 0x80];
  if (data.length < HEADER || (data[2] & RESPONSE) !== 0) return null;
  let query: dns.DecodedPacket;
  try {
    query = dns.decode(data);
  } catch {
    return dns.encode({ type: 'response', id: data.readUInt16BE(0), flags: FORMERR });
  }
  const response = respond(query, zone);
  const whole = dns.encode(response);
  if (whole.length <= limit(query)) return whole;
  const flags = (response.flags ?? 0) | dns.TRUNCATED_RESPONSE;
  return dns.encode({ ...response, flags, answers: [], authorities: [] });
}

function respond(query: dns.DecodedPacket, zone: Zone): dns.Packet {
  const { id, flags: asked = 0, questions = [] } = query;
  const edns = optOf(query);
  const respondWith = (flags: number, sections: Partial<dns.Packet> = {}): dns.Packet => ({
    type: 'response',
    id,
    flags: flags | (asked & (OPCODE | dns.RECURSION_DESIRED)),
    questions,
    additionals: edns === undefined ? [] : [{ ...edns, udpPayloadSize: EDNS_LIMIT, options: [] }],
    ...sections,
  });
  if ((asked & OPCODE) !== 0) return respondWith(NOTIMP);
  const [question] = questions;
  if (questions.length !== 1) return respondWith(FORMERR);
  const [soa] = zone;
  const name = question.name.toLowerCase();
  if (name !== soa.name && !name.endsWith(`.${soa.name}`)) return respondWith(REFUSED);

  const answers = lookUp(zone, name, question.type);
  const exists = zone.some((record) => record.name === name || record.name.endsWith(`.${name}`));
  return respondWith(dns.AUTHORITATIVE_ANSWER | (exists ? NOERROR : NXDOMAIN), {
    answers,
    // How long the client may remember that there is nothing (RFC 2308).
    authorities: answers.length === 0 ? [soa] : [],
  });
}

/** What the zone has, aliases followed as far as they lead within it. */
function lookUp(zone: Zone, name: string, type: string, depth = 0): DnsRecord[] {
  const here = zone.filter((record) => record.name === name);
  const found = here.filter((record) => type === 'ANY' || record.type === type);
  const alias = here.find((record) => record.type === 'CNAME');
  if (found.length > 0 || alias?.type !== 'CNAME' || depth > 8) return found;
  return [alias, ...lookUp(zone, alias.data, type, depth + 1)];
}

function optOf(query: dns.Packet): dns.OptAnswer | undefined {
  return query.additionals?.find((record) => record.type === 'OPT');
}

function limitOf(query: dns.Packet): number {
  const size = optOf(query)?.udpPayloadSize ?? PLAIN_LIMIT;
  return Math.min(Math.max(size, PLAIN_LIMIT), EDNS_LIMIT);
}

function readZone(text: string): Zone {
  const lines = text.split('\n').map((line) => line.replace(/;.*/, '').trim());
  const zone = lines.filter((line) => line !== '').map(readRecord);
  if (zone.at(0)?.type !== 'SOA') throw new Error("the first record is the zone's SOA");
  return zone;
}

function readRecord(line: string): DnsRecord {
  const [name, ttl, type, ...data] = line.split(/\s+/);
  const read = DATA[type];
  if (read === undefined || data.length === 0) throw new Error(`no record: ${line}`);
  const record = { name: name.toLowerCase(), ttl: Number(ttl), type, data: read(data) };
  dns.encode({ answers: [record as DnsRecord] }); // throws for what is none
  return record as DnsRecord;
}

/** The data of a record, from its words. */
const DATA: Partial<Record<string, (words: string[]) => unknown>> = {
  A: ([address]) => address,
  AAAA: ([address]) => address,
  CNAME: ([target]) => target.toLowerCase(),
  NS: ([target]) => target,
  PTR: ([target]) => target,
  TXT: (words) => words.join(' '),
  MX: ([preference, exchange]) => ({ preference: Number(preference), exchange }),
  SRV: ([priority, weight, port, target]) => ({
    priority: Number(priority),
    weight: Number(weight),
    port: Number(port),
    target,
  }),
  SOA: ([mname, rname, serial]) => ({ mname, rname, serial: Number(serial), minimum: 60 }),
};

function complain(error: Error): void {
  console.error(error.message);
}
