// A small DHCP server (RFC 2131, 2132): whoever asks gets an address of the network that the question came in from,
// and hears of it through that interface. Such a client has no address yet, so the answer is a broadcast: without
// packet info it would leave by the machine's default route, and to the wrong network.

import { parseArgs } from 'node:util';
import {
  bind,
  inet,
  interfaces,
  type DatagramSocket,
  type InetAddress,
  type InterfaceAddress,
} from 'eagain';

const { values } = parseArgs({
  options: {
    interface: { type: 'string', multiple: true },
    first: { type: 'string', default: '100' },
    lease: { type: 'string', default: '3600' },
    port: { type: 'string', default: '67' },
    help: { type: 'boolean', short: 'h' },
  },
});
const CLIENT_PORT = 68;

// BOOTP's part of a message, as offsets (RFC 951):
//
//   0 op  1 htype  2 hlen  3 hops  4 xid  8 secs  10 flags
//   12 ciaddr  16 yiaddr  20 siaddr  24 giaddr  28 chaddr  44 sname  108 file  236 the cookie  240 options
const [OP, HLEN, CIADDR, YIADDR, SIADDR, GIADDR, CHADDR] = [0, 2, 12, 16, 20, 24, 28];
const COOKIE = 236;
const OPTIONS = 240;
const MAGIC = 0x63825363;
const OFFER = 2;
const ACK = 5;
const NAK = 6;
/** Options by their numbers. */
const O = { mask: 1, router: 3, wanted: 50, lease: 51, type: 53, server: 54, pad: 0, end: 255 };

if (values.help === true) {
  console.log(`dhcp-server [--interface NAME …] [--first 100] [--lease 3600] [--port 67]
Leases addresses, the network's ${values.first}th and following, on those interfaces or on all but the loopback.`);
} else {
  void serve(Number(values.port));
}

async function serve(port: number): Promise<void> {
  await using socket = await bind({ port, family: 'IPv4', broadcast: true, packetInfo: true });
  const networks = new Map<number, Network>();
  for (const { name, index, loopback, addresses } of interfaces.list()) {
    const address = addresses.find(({ family }) => family === 'IPv4');
    if (address === undefined || loopback || values.interface?.includes(name) === false) continue;
    networks.set(index, new Network(name, index, address));
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void socket.close());
  const names = [...networks.values()].map(({ name }) => name);
  console.log(`listening on port ${socket.localAddress.port} of ${names.join(', ')}`);
  for await (const { data, packetInfo } of socket) {
    const network = networks.get(packetInfo?.interface ?? 0);
    const question = parse(data);
    if (network === undefined || question === null) continue;
    const answer = network.answer(question);
    if (answer !== null) await send(socket, network, question, answer);
  }
  console.log('done');
}

/** To a client that has an address, there; to one that has none, to everybody on its link. */
async function send(
  socket: DatagramSocket<InetAddress>,
  { name, index, own }: Network,
  { message }: Question,
  answer: Buffer,
): Promise<void> {
  const client = addressAt(message, CIADDR);
  const address = client === '0.0.0.0' ? '255.255.255.255' : client;
  const control = [{ kind: 'packetInfo', interface: index, local: own } as const];
  try {
    await socket.send(answer, { address, port: CLIENT_PORT }, { control });
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
  }
}

interface Question {
  message: Buffer;
  options: Map<number, Buffer>;
  /** The client's hardware address. */
  client: string;
}

/** What anybody sends to a port may be anything. */
function parse(message: Buffer): Question | null {
  if (message.length < OPTIONS || message.readUInt32BE(COOKIE) !== MAGIC) return null;
  const length = message[HLEN];
  // Relays (giaddr) are not served here.
  if (message[OP] !== 1 || length > 16 || addressAt(message, GIADDR) !== '0.0.0.0') return null;
  const options = new Map<number, Buffer>();
  for (let at = OPTIONS; at < message.length && message[at] !== O.end;) {
    if (message[at] === O.pad) {
      at++;
      continue;
    }
    const begin = at + 2;
    const end = begin + (message.at(at + 1) ?? Infinity);
    if (end > message.length) return null;
    options.set(message[at], message.subarray(begin, end));
    at = end;
  }
  const client = message.toString('hex', CHADDR, CHADDR + length);
  return { message, options, client };
}

const addressAt = (bytes: Buffer, offset: number): string =>
  inet.ntop('IPv4', bytes.subarray(offset, offset + 4));

const numberOf = (address: string): number => bytesOf(address).readUInt32BE(0);

const bytesOf = (address: string): Buffer => inet.pton('IPv4', address) ?? Buffer.alloc(4);

const wordOf = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

/** An interface, its network, and who has which address of it. */
class Network {
  readonly own: string;
  private readonly netmask: string;
  private readonly first: number;
  private readonly end: number;
  private readonly leases = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly index: number,
    { address, netmask, prefixLength }: InterfaceAddress,
  ) {
    this.own = address;
    this.netmask = netmask;
    const network = (numberOf(address) & numberOf(netmask)) >>> 0;
    this.first = network + Number(values.first);
    this.end = network + 2 ** (32 - prefixLength) - 1; // the broadcast address
  }

  answer({ message, options, client }: Question): Buffer | null {
    switch (options.get(O.type)?.at(0)) {
      case 1: // DISCOVER
        return this.reply(message, OFFER, this.leaseOf(client));
      case 3: // REQUEST
        return this.request(message, options, client);
      case 4: // DECLINE: somebody else uses it
        this.leases.set(`declined ${client}`, this.leases.get(client) ?? 0);
        this.leases.delete(client);
        return null;
      case 7: // RELEASE
        this.leases.delete(client);
        return null;
      default:
        return null;
    }
  }

  private request(message: Buffer, options: Question['options'], client: string): Buffer | null {
    const server = options.get(O.server);
    // It has taken another server's offer.
    if (server?.length === 4 && addressAt(server, 0) !== this.own) return null;
    const wanted = options.get(O.wanted);
    const address = wanted?.length === 4 ? wanted : message.subarray(CIADDR, CIADDR + 4);
    const lease = this.leases.get(client);
    if (lease === undefined) return null; // another one may know it
    if (address.readUInt32BE(0) !== lease) return this.reply(message, NAK, 0);
    console.log(`${this.name}: ${addressAt(address, 0)} is ${client}'s`);
    return this.reply(message, ACK, lease);
  }

  /** Always the same for the same client; undefined where there is none left. */
  private leaseOf(client: string): number | undefined {
    const taken = new Set([numberOf(this.own), ...this.leases.values()]);
    let free = this.leases.get(client) ?? this.first;
    if (!this.leases.has(client)) while (taken.has(free)) free++;
    if (free >= this.end) return undefined;
    this.leases.set(client, free);
    return free;
  }

  private reply(message: Buffer, type: number, address: number | undefined): Buffer | null {
    if (address === undefined) return null;
    const head = Buffer.from(message.subarray(0, OPTIONS)); // its transaction, and who it is
    head[OP] = 2;
    head.fill(0, 44, COOKIE);
    head.set(wordOf(address), YIADDR);
    const own = bytesOf(this.own);
    head.set(own, SIADDR);
    const options: [number, Uint8Array][] = [
      [O.type, Buffer.from([type])],
      [O.server, own],
    ];
    if (type !== NAK) {
      options.push(
        [O.lease, wordOf(Number(values.lease))],
        [O.mask, bytesOf(this.netmask)],
        [O.router, own],
      );
    }
    const tail = options.map(([code, value]) =>
      Buffer.concat([Buffer.from([code, value.length]), value]),
    );
    return Buffer.concat([head, ...tail, Buffer.from([O.end])]);
  }
}
