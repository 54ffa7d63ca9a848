// traceroute: UDP datagrams whose time to live ends at the first router, the second, …, and what those say of it.
// With --mtu they are as large as they may be, and the routers say what is too large.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  bind,
  connect,
  netdb,
  type DatagramSocket,
  type ErrorQueueEntry,
  type InetAddress,
} from 'eagain';

/** Of IP and UDP. */
const HEADERS = { IPv4: 20 + 8, IPv6: 40 + 8 };
/** Data of a datagram that is not to find the path's MTU. */
const DATA = 32;
/** Larger than what any link takes. */
const LARGE = 65_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ipv4: { type: 'boolean', short: '4' },
    ipv6: { type: 'boolean', short: '6' },
    hops: { type: 'string', default: '30' },
    queries: { type: 'string', default: '3' },
    timeout: { type: 'string', default: '1000' },
    port: { type: 'string', default: '33434' },
    mtu: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const host = positionals.at(0);

if (values.help === true || host === undefined) {
  console.log(`traceroute [-4 | -6] [--hops 30] [--queries 3] [--timeout 1000] [--port 33434] [--mtu] host
Shows the routers on the way and how many ms they are away; --mtu: what fits through (F=).`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  void main(host);
}

async function main(name: string): Promise<void> {
  const family = values.ipv4 === true ? 'IPv4' : values.ipv6 === true ? 'IPv6' : undefined;
  const [{ address: to }] = await netdb.getaddrinfo(name, null, { family, socktype: 'dgram' });
  await using socket = await bind({
    family: to.family,
    recvErr: true,
    // 'probe': never cut up on the way, whatever is known of the path.
    ...(values.mtu === true && { options: { mtuDiscover: 'probe' } }),
  });
  const headers = HEADERS[to.family];
  const trace = new Trace(socket, to, values.mtu === true ? LARGE : headers + DATA);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => trace.stop.abort());
  console.log(
    `traceroute to ${name} (${to.address}), ${values.hops} hops max, ${trace.size} byte packets`,
  );
  await trace.run(Number(values.hops), Number(values.queries));
  if (values.mtu !== true) return;
  // What the kernel has learned is a connected socket's option.
  await using peer = await connect({ type: 'dgram', host: to.address, port: to.port + 1 });
  console.log(`path MTU ${peer.socket.get('mtu')}`);
}

interface Answer {
  entry: ErrorQueueEntry;
  /** When it came, on performance's clock. */
  at: number;
}

class Trace {
  readonly stop = new AbortController();
  private port = Number(values.port);
  /** Who waits for what the network says of a datagram, by the port that it went to. */
  private readonly asked = new Map<number, (answer: Answer) => void>();

  constructor(
    private readonly socket: DatagramSocket<InetAddress>,
    private readonly to: InetAddress,
    /** Of the next packet, its headers included. */
    public size: number,
  ) {}

  async run(hops: number, queries: number): Promise<void> {
    void this.readErrors(); // until the socket is closed
    for (let ttl = 1; ttl <= hops && !this.stop.signal.aborted; ttl++) {
      if (await this.hop(ttl, queries)) return;
    }
  }

  private async readErrors(): Promise<void> {
    for await (const entry of this.socket.errors()) {
      // What this machine refuses is the last one, and IPv4 says no port of it (inet_dport in ip_append_data).
      const { port } =
        entry.origin === 'local' ? { port: this.port - 1 } : (entry.destination as InetAddress);
      this.asked.get(port)?.({ entry, at: performance.now() });
      this.asked.delete(port);
    }
  }

  /** One line; whether it was the last one. */
  private async hop(ttl: number, queries: number): Promise<boolean> {
    let line = `${ttl}`.padStart(2);
    let last = false;
    let before = '';
    for (let query = 0; query < queries; query++) {
      const size = this.size;
      const began = performance.now();
      const answer = await this.fitting(ttl);
      if (answer === undefined) {
        line += '  *';
        continue;
      }
      const { type, icmpCode, code, offender } = answer.entry;
      const { address } = offender as InetAddress;
      if (address !== before) line += `  ${address}`;
      before = address;
      line += `  ${(answer.at - began).toFixed(3)} ms`;
      if (this.size !== size) line += ` F=${this.size}`;
      const outcome = this.outcome(type, icmpCode);
      if (outcome === 'unreachable') line += ` !${code}`;
      last ||= outcome !== 'on the way';
    }
    console.log(line);
    return last;
  }

  /** What was said of a datagram that was not too large for those before. */
  private async fitting(ttl: number): Promise<Answer | undefined> {
    for (;;) {
      const answer = await this.probe(ttl);
      if (answer?.entry.code !== 'EMSGSIZE') return answer;
      this.size = answer.entry.info;
    }
  }

  private async probe(ttl: number): Promise<Answer | undefined> {
    const to = { ...this.to, port: this.port++ };
    const answer = new Promise<Answer>((resolve) => this.asked.set(to.port, resolve));
    const data = Buffer.alloc(this.size - HEADERS[this.to.family]);
    try {
      await this.socket.send(data, to, { control: [{ kind: 'ttl', value: ttl }] });
    } catch (error) {
      // Too large for the first link: what would fit comes out of errors() as well.
      if ((error as NodeJS.ErrnoException).code !== 'EMSGSIZE') throw error;
    }
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.stop.signal]);
    const late = sleep(Number(values.timeout), undefined, { signal }).catch(() => undefined);
    return await Promise.race([answer, late]).finally(() => over.abort());
  }

  private outcome(type: number, code: number): 'on the way' | 'there' | 'unreachable' {
    const [exceeded, unreachable, port] = this.to.family === 'IPv4' ? [11, 3, 3] : [3, 1, 4];
    if (type === exceeded) return 'on the way';
    return type === unreachable && code === port ? 'there' : 'unreachable';
  }
}
