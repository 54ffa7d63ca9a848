// ping: ICMP echo requests and their answers, timed by the kernel's own stamps of when each left and came.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  bind,
  constants,
  inet,
  netdb,
  type DatagramSocket,
  type ErrorQueueEntry,
  type InetAddress,
  type Message,
  type RawSocket,
} from 'eagain';

/** ICMP's header: type, code, checksum, identifier, sequence number. RFC 792, RFC 4443. */
const HEADER = 8;
const { ICMP_ECHO, ICMP_ECHOREPLY, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY } = constants;
const PROTOCOLS = {
  IPv4: { protocol: 'icmp', request: ICMP_ECHO, reply: ICMP_ECHOREPLY },
  IPv6: { protocol: 'icmp6', request: ICMP6_ECHO_REQUEST, reply: ICMP6_ECHO_REPLY },
} as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ipv4: { type: 'boolean', short: '4' },
    ipv6: { type: 'boolean', short: '6' },
    count: { type: 'string', default: '4' },
    interval: { type: 'string', default: '1000' },
    timeout: { type: 'string', default: '1000' },
    size: { type: 'string', default: '56' },
    ttl: { type: 'string', default: '64' },
    help: { type: 'boolean', short: 'h' },
  },
});
const host = positionals.at(0);

if (values.help === true || host === undefined) {
  console.log(`ping [-4 | -6] [--count 4] [--interval 1000] [--timeout 1000] [--size 56] [--ttl 64] host
Times are in ms. Needs CAP_NET_RAW, or a group of ours within net.ipv4.ping_group_range.`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  void main(host);
}

async function main(name: string): Promise<void> {
  const family = values.ipv4 === true ? 'IPv4' : values.ipv6 === true ? 'IPv6' : undefined;
  const [{ address: to }] = await netdb.getaddrinfo(name, null, { family, socktype: 'dgram' });
  await using socket = await open(to.family);
  const size = Number(values.size);
  console.log(`PING ${name} (${to.address}): ${size} data bytes`);
  const pings = new Pings(socket, to, size);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => pings.stop.abort());
  await pings.run(Number(values.count), Number(values.interval), Number(values.timeout));
  pings.summary(name);
}

/** An unprivileged ping socket (icmp(7)) where the kernel lets us have one, a raw one elsewhere. */
async function open(family: InetAddress['family']): Promise<DatagramSocket | RawSocket> {
  const options = {
    family,
    protocol: PROTOCOLS[family].protocol,
    ttl: true,
    timestamps: true,
    recvErr: true,
    options: {
      ttl: Number(values.ttl),
      // When each request left comes out of the error queue, with its number.
      timestamping: ['txSoftware', 'software', 'id', 'timestampOnly'],
    },
  } as const;
  try {
    return await bind(options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    return await bind({ ...options, type: 'raw' });
  }
}

/** A request, and what became of it. Both stamps are in ns since 1970. */
interface Probe {
  sequence: number;
  left?: bigint;
  came?: bigint;
  /** What is to be said of its answer. */
  words: string;
}

class Pings {
  readonly stop = new AbortController();
  private readonly isRaw: boolean;
  private readonly identifier: number;
  private readonly probes = new Map<number, Probe>();
  /** In the order in which the kernel took them: it counts them from 0. */
  private readonly sent: Probe[] = [];
  private readonly times: number[] = [];
  private errors = 0;
  private took = 0;
  /** How many outcomes are left to wait for, when all requests are sent. */
  private awaited = Infinity;

  constructor(
    private readonly socket: DatagramSocket | RawSocket,
    private readonly to: InetAddress,
    private readonly size: number,
  ) {
    this.isRaw = socket.socket.type === constants.SOCK_RAW;
    // A ping socket's port is its identifier: it is written by the kernel, and its answers are ours alone.
    this.identifier = this.isRaw ? process.pid & 0xffff : (socket.localAddress as InetAddress).port;
  }

  /** Sends `count` requests, and ends when each has its answer or its error, or the last one's time is over. */
  async run(count: number, interval: number, timeout: number): Promise<void> {
    const { signal } = this.stop;
    signal.addEventListener('abort', () => void this.socket.close()); // which ends both readers
    const reading = Promise.all([this.readAnswers(), this.readErrors()]);
    const began = performance.now();
    for (let sequence = 1; sequence <= count && !signal.aborted; sequence++) {
      await this.send(sequence);
      if (sequence < count) await sleep(interval, undefined, { signal }).catch(() => undefined);
    }
    const late = setTimeout(() => this.stop.abort(), timeout);
    this.awaited = count;
    this.settled();
    await reading;
    clearTimeout(late);
    this.took = performance.now() - began;
  }

  private settled(): void {
    if (this.times.length + this.errors >= this.awaited) this.stop.abort();
  }

  private async send(sequence: number): Promise<void> {
    const probe: Probe = { sequence, words: '' };
    this.probes.set(sequence, probe);
    try {
      await this.socket.send(this.request(sequence), this.to);
      this.sent.push(probe);
    } catch (error) {
      this.errors++;
      console.log((error as Error).message);
    }
  }

  private request(sequence: number): Buffer {
    const message = Buffer.alloc(HEADER + this.size, 'eagain');
    message.fill(0, 0, HEADER);
    message[0] = PROTOCOLS[this.to.family].request;
    message.writeUInt16BE(this.identifier, 4);
    message.writeUInt16BE(sequence, 6);
    // IPv6's is the kernel's business.
    if (this.to.family === 'IPv4') message.writeUInt16BE(inet.checksum(message), 2);
    return message;
  }

  private async readAnswers(): Promise<void> {
    for await (const message of this.socket) this.answered(message);
  }

  private answered({ data, from, ttl, timestamp }: Message): void {
    // Raw IPv4 comes with its IP header (raw(7)), and raw sockets hear what is not for us.
    const hasHeader = this.isRaw && this.to.family === 'IPv4';
    const message = hasHeader ? data.subarray((data[0] & 15) * 4) : data;
    if (message.length < HEADER || message[0] !== PROTOCOLS[this.to.family].reply) return;
    if (message.readUInt16BE(4) !== this.identifier) return;
    const probe = this.probes.get(message.readUInt16BE(6));
    if (probe === undefined || probe.came !== undefined) return;
    const { address } = from as InetAddress;
    probe.came = timestamp;
    probe.words = `${message.length} bytes from ${address}: icmp_seq=${probe.sequence} ttl=${ttl}`;
    this.timed(probe);
  }

  private async readErrors(): Promise<void> {
    for await (const entry of this.socket.errors()) this.told(entry);
  }

  private told({ origin, code, data, extra, control, ...entry }: ErrorQueueEntry): void {
    if (origin === 'timestamp') {
      const stamp = control.find((part) => part.kind === 'timestamp');
      this.sent[extra].left = stamp?.ns;
      this.timed(this.sent[extra]);
    } else if (origin !== 'local') {
      this.errors++;
      const { address } = entry.offender as InetAddress;
      const what = `${code} (type ${entry.type}, code ${entry.icmpCode})`;
      console.log(`From ${address} icmp_seq=${data.readUInt16BE(6)} ${what}`);
      this.settled();
    }
  }

  /** The stamps of leaving and of coming are told one by one, whichever first. */
  private timed({ left, came, words }: Probe): void {
    if (left === undefined || came === undefined) return;
    const time = Number(came - left) / 1e6;
    this.times.push(time);
    console.log(`${words} time=${time.toFixed(3)} ms`);
    this.settled();
  }

  summary(name: string): void {
    const { times, errors } = this;
    const sent = this.probes.size;
    const lost = Math.round(100 * (1 - times.length / sent));
    console.log(`
--- ${name} ping statistics ---
${sent} packets transmitted, ${times.length} received, ${errors > 0 ? `+${errors} errors, ` : ''}${lost}% packet loss, time ${Math.round(this.took)}ms`);
    process.exitCode = times.length > 0 ? 0 : 1;
    if (times.length === 0) return;
    const mean = times.reduce((sum, time) => sum + time) / times.length;
    const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length;
    const figures = [Math.min(...times), mean, Math.max(...times), Math.sqrt(variance)];
    console.log(
      `rtt min/avg/max/mdev = ${figures.map((figure) => figure.toFixed(3)).join('/')} ms`,
    );
  }
}
