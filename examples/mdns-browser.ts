// An mDNS browser: asks all of a link which services of a kind there are, and tells of them as they come and go
// (RFC 6762, 6763).

import { bind } from 'eagain';
import * as dns from 'dns-packet';
import { parseArgs } from 'node:util';
import { filter, from, interval, mergeMap, timer } from 'rxjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    interface: { type: 'string' },
    family: { type: 'string', default: 'IPv4' },
    help: { type: 'boolean', short: 'h' },
  },
});

const PORT = 5353;
const GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' };

if (values.help === true || values.interface === undefined) {
  console.log(`mdns-browser --interface eth0 [--family IPv4|IPv6] [_http._tcp.local]
Lists the services of a kind on the link of that interface.`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  const family = values.family === 'IPv6' ? 'IPv6' : 'IPv4';
  void browse(positionals.at(0) ?? '_http._tcp.local', family, values.interface);
}

async function browse(kind: string, family: 'IPv4' | 'IPv6', device: string): Promise<void> {
  await using mdns = await bind({
    family,
    port: PORT,
    // The port is everybody's: whoever binds it with these hears what comes to the groups that he has joined.
    reusePort: true,
    options: { reuseAddress: true },
    ttl: true,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void mdns.close());
  using _membership = mdns.join(GROUPS[family], { interface: device });
  mdns.setMulticast({ interface: device, ttl: 255, loop: false });
  console.log(`browsing ${kind}`);

  const to = { family, address: GROUPS[family], port: PORT };
  const ask = (name: string, type: dns.RecordType): void => {
    const query = dns.encode({ type: 'query', questions: [{ name, type }] });
    mdns.send(query, to).catch((error: unknown) => console.error(String(error)));
  };
  // A datagram may be lost, and so may its answer.
  const asking = from([0, 1, 3, 9, 27])
    .pipe(mergeMap((seconds) => timer(seconds * 1000)))
    .subscribe(() => ask(kind, 'PTR'));
  const known = new Known(ask);
  const ageing = interval(1000).subscribe(() => known.forget());

  await mdns
    .observe()
    .pipe(
      // What a router has let through is not of this link.
      filter(({ ttl }) => ttl === 255),
      mergeMap(({ data }) => recordsIn(data)),
    )
    .forEach((record) => {
      known.learn(record);
      known.tell(kind);
    });
  asking.unsubscribe();
  ageing.unsubscribe();
  console.log('done');
}

type DnsRecord = Exclude<dns.Answer, dns.OptAnswer>;

/** None where it is a question, or no DNS at all. */
function recordsIn(data: Buffer): DnsRecord[] {
  try {
    const { type, answers = [], additionals = [] } = dns.decode(data);
    const records = type === 'response' ? [...answers, ...additionals] : [];
    return records.filter((record) => record.type !== 'OPT');
  } catch {
    return [];
  }
}

/** What the link has said, for as long as it is to be believed. */
class Known {
  private readonly records = new Map<string, { record: DnsRecord; until: number }>();
  private readonly asked = new Set<string>();
  private readonly told = new Map<string, string>();

  constructor(private readonly ask: (name: string, type: dns.RecordType) => void) {}

  learn(record: DnsRecord): void {
    const key = `${record.name} ${record.type} ${JSON.stringify(record.data)}`;
    // Of none is said goodbye with no time left.
    if (record.ttl === 0) this.records.delete(key);
    else this.records.set(key, { record, until: Date.now() + 1000 * (record.ttl ?? 120) });
  }

  forget(): void {
    for (const [key, { until }] of this.records) if (until < Date.now()) this.records.delete(key);
  }

  /** Prints what has come and what has gone since the last time. */
  tell(kind: string): void {
    const services = new Map<string, string>();
    for (const pointer of this.find(kind, 'PTR')) {
      const instance = String(pointer);
      const service = this.describe(instance);
      if (service !== undefined) services.set(instance, service);
    }
    for (const [instance, service] of services)
      if (this.told.get(instance) !== service) console.log(`+ ${instance}: ${service}`);
    for (const instance of this.told.keys())
      if (!services.has(instance)) console.log(`- ${instance}`);
    this.told.clear();
    for (const [instance, service] of services) this.told.set(instance, service);
  }

  /** Host, port, addresses and texts; nothing yet where some is missing, which is asked for. */
  private describe(instance: string): string | undefined {
    const srv = this.find(instance, 'SRV').at(0) as dns.SrvData | undefined;
    if (srv === undefined) this.askOnce(instance, 'SRV');
    if (srv === undefined) return undefined;
    const addresses = [...this.find(srv.target, 'A'), ...this.find(srv.target, 'AAAA')];
    if (addresses.length === 0) this.askOnce(srv.target, 'A');
    if (addresses.length === 0) return undefined;
    const texts = this.find(instance, 'TXT').flat().map(String);
    return [`${srv.target}:${srv.port}`, ...addresses, ...texts].join(' ');
  }

  private askOnce(name: string, type: dns.RecordType): void {
    const question = `${name} ${type}`;
    if (!this.asked.has(question)) this.ask(name, type);
    this.asked.add(question);
  }

  private find(name: string, type: dns.RecordType): unknown[] {
    const records = [...this.records.values()].map(({ record }) => record);
    return records
      .filter((record) => record.name === name && record.type === type)
      .map((record) => record.data);
  }
}
