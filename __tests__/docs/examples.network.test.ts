// The programs of examples/ that are about networks, in network namespaces: what they say and what they do there.

import { join } from 'node:path';
import { constants as C, fromFd, type DatagramSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, runExample, startExample, type Running } from '../support/examples';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { ROOT } from './document';

// Each starts programs, which takes its time on a loaded machine.
const limit = 60_000;
const inNamespaces = needs('network namespaces', CAN_MAKE_NAMESPACES);
const isolated = (name: string, body: () => Promise<void>): void => inNamespaces(name, body, limit);

buildsExamples();

leavesNoSockets();

const fileOf = (name: string): string => join(ROOT, `dist-examples/${name}.js`);

/** A server among the examples, in a namespace, until the end of the scope. */
async function started(place: Namespace, name: string, ...args: string[]): Promise<Running> {
  const program = startExample(name, args, place);
  await program.said(/listening on port/);
  return program;
}

test.each(['ping', 'traceroute', 'udp-reflector', 'dhcp-server'])(
  'example %s: --help says what it is',
  async (name) => {
    const { stdout } = await runExample(name, '--help');
    expect(stdout).toMatch(new RegExp(`^${name} `));
  },
);

describe.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('%s', (_, address) => {
  isolated('example ping: this machine answers', async () => {
    using place = new Namespace();
    const args = [fileOf('ping'), '--count', '3', '--interval', '10', '--size', '1000', address];
    const said = await place.run(process.execPath, args);
    expect(said).toMatch(new RegExp(`^1008 bytes from ${address}: icmp_seq=3 ttl=64 time=`, 'm'));
    expect(said).toContain('3 packets transmitted, 3 received, 0% packet loss');
  });

  isolated('example traceroute: this machine is its own first hop', async () => {
    using place = new Namespace();
    const said = await place.run(process.execPath, [fileOf('traceroute'), address]);
    expect(said.split('\n').slice(1)).toEqual([
      expect.stringMatching(new RegExp(`^ 1  ${address}(  [\\d.]+ ms){3}$`)),
      '',
    ]);
  });
});

async function client(place: Namespace): Promise<DatagramSocket> {
  const socket = await place.socket(C.AF_INET, C.SOCK_DGRAM);
  socket.bind({ address: '127.0.0.1', port: 0 });
  socket.set('gro', true);
  return fromFd(socket.detach()) as DatagramSocket;
}

/** The datagrams of a train, an empty one, and one of another size. */
const SENT = [
  ...Array.from({ length: 40 }, (_, i) => Buffer.alloc(1000, i + 1)),
  Buffer.from('the short end of the train'),
  Buffer.alloc(0),
  Buffer.from('alone'),
];

async function reflected(place: Namespace): Promise<Buffer[]> {
  await using socket = await client(place);
  const to = { address: '127.0.0.1', port: 7008 };
  expect(await socket.sendBatch(SENT.map((data) => ({ data, to })))).toEqual({ sent: SENT.length });
  const back: Buffer[] = [];
  while (back.length < SENT.length) {
    for (const { data, segments, from } of await socket.receiveBatch(64)) {
      expect(from).toMatchObject(to);
      back.push(...(segments ?? [data]));
    }
  }
  return back;
}

isolated('example udp-reflector: a train comes back as a train', async () => {
  using place = new Namespace();
  await using program = await started(place, 'udp-reflector');
  expect(await reflected(place)).toEqual(SENT);
  const counts: unknown = JSON.parse(/done: (.*)/.exec(await program.end())![1]);
  // 41 datagrams were one message.
  expect(counts).toEqual({ datagrams: SENT.length, messages: 3, refused: 0, drops: 0 });
});

isolated('example udp-reflector: --plain takes each datagram by itself', async () => {
  using place = new Namespace();
  await using program = await started(place, 'udp-reflector', '--plain');
  expect(await reflected(place)).toEqual(SENT);
  const counts: unknown = JSON.parse(/done: (.*)/.exec(await program.end())![1]);
  const { length } = SENT;
  expect(counts).toEqual({ datagrams: length, messages: length, refused: 0, drops: 0 });
});

isolated(
  'example dhcp-server: each client gets an address of the network it asked on',
  async () => {
    using server = new Namespace();
    using one = new Namespace();
    using two = new Namespace();
    const clients = [one, two];
    for (const [i, each] of clients.entries()) {
      // What comes from a server is from an address that a client without one has no route to.
      each.sysctl('net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
      server.link(each, [`net${i}`, `10.82.${i}.1/24`], ['eth0']);
    }
    // Where everything goes that is not told where: the wrong way for the other client.
    server.ip('route', 'add', 'default', 'via', '10.82.1.9');
    await using program = await started(server, 'dhcp-server', '--lease', '600');
    const ask = async (place: Namespace, ...hardware: string[]): Promise<unknown> =>
      JSON.parse(
        await place.run('python3', [join(__dirname, 'dhcp_client.py'), 'eth0', ...hardware]),
      );
    const [ann, ben, cid] = ['020000000001', '020000000002', '020000000003'];

    const told = (net: number, host: number, hardware: string): unknown[] => {
      const router = `10.82.${net}.1`;
      const yours = `10.82.${net}.${host}`;
      const common = { op: 2, from: [router, 67], server: router, client: hardware };
      const lease = { ...common, yours, mask: '255.255.255.0', router, lease: 600 };
      const refused = { ...common, type: 6, yours: '0.0.0.0', mask: null, router: null, lease: 0 };
      return [{ ...lease, type: 2 }, refused, { ...lease, type: 5 }];
    };
    expect(await Promise.all([ask(one, ann, ben), ask(two, cid)])).toEqual([
      [told(0, 100, ann), told(0, 101, ben)],
      [told(1, 100, cid)],
    ]);
    // Who comes again keeps what he had.
    expect(await ask(one, ben, ann)).toEqual([told(0, 101, ben), told(0, 100, ann)]);
    expect(await program.end()).toMatch(/^net1: 10\.82\.1\.100 is 020000000003's$/m);
  },
);
