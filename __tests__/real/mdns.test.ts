// mDNS between two namespaces: the browser of examples/ in one, the npm package multicast-dns answering in the other.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';
import { constants as C, DatagramSocket, type InetAddress, type Message } from '../../lib/index';
import { hearOwnGroupsOnly } from '../../lib/socket/multicast';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, startExample } from '../support/examples';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';

const real = needs('network namespaces, iproute2 and Python 3', CAN_MAKE_NAMESPACES);
const KIND = '_http._tcp.local';
const GROUP: InetAddress = { family: 'IPv4', address: '224.0.0.251', port: 5353 };

buildsExamples();
leavesNoSockets();

// Answers with what it was asked for alone: the browser has to ask for the rest.
const RESPONDER = `
const mdns = require(${JSON.stringify(require.resolve('multicast-dns'))})(OPTIONS);
const service = 'printer.${KIND}';
const records = [
  { name: '${KIND}', type: 'PTR', ttl: 120, data: service },
  { name: service, type: 'SRV', ttl: 120, data: { port: 631, target: 'printer.local' } },
  { name: service, type: 'TXT', ttl: 120, data: ['paper=A4'] },
  { name: 'printer.local', type: 'A', ttl: 120, data: '10.9.8.2' },
];
mdns.on('query', ({ questions: [question] }) => {
  const of = (type) => records.filter((r) => r.name === question.name && r.type === type);
  const answers = of(question.type);
  if (question.type === 'SRV') answers.push(...of('TXT'));
  if (answers.length > 0) mdns.respond(answers);
});
mdns.on('networkInterface', () => console.log('ready'));
process.on('SIGTERM', () => {
  mdns.respond([{ ...records[0], ttl: 0 }], () => process.exit());
});
`;

class World implements Disposable {
  readonly here = new Namespace();
  readonly there = new Namespace();

  constructor() {
    this.here.link(this.there, ['v1', '10.9.8.1/24', 'fd00:8::1/64'], ['v2', '10.9.8.2/24']);
  }

  [Symbol.dispose](): void {
    this.here[Symbol.dispose]();
    this.there[Symbol.dispose]();
  }
}

/** multicast-dns in `namespace`; ended by SIGTERM it says goodbye. */
async function responder(
  namespace: Namespace,
  options: object,
): Promise<{ bye(): void } & AsyncDisposable> {
  const program = RESPONDER.replace('OPTIONS', JSON.stringify(options));
  const args = ['netns', 'exec', namespace.name, process.execPath, '-e', program];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('ended'))),
  ]);
  return {
    bye: () => child.kill('SIGTERM'),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

real(
  'mdns: the browser finds what multicast-dns answers, and hears it say goodbye',
  async () => {
    using world = new World();
    const options = { interface: '10.9.8.2', bind: '0.0.0.0' };
    await using other = await responder(world.there, options);
    await using browser = startExample('mdns-browser', ['--interface', 'v1', KIND], world.here);
    await browser.said(/\+ printer\._http\._tcp\.local: printer\.local:631 10\.9\.8\.2 paper=A4\n/);
    other.bye();
    await browser.said(/- printer\._http\._tcp\.local\n/);
    expect(await browser.end()).toMatch(/done\n$/);
  },
  60_000,
);

real(
  'mdns: the same over IPv6',
  async () => {
    using world = new World();
    const options = { type: 'udp6', ip: 'ff02::fb', interface: '::%v2', bind: '::' };
    await using _ = await responder(world.there, options);
    const args = ['--interface', 'v1', '--family', 'IPv6', KIND];
    await using browser = startExample('mdns-browser', args, world.here);
    await browser.said(/\+ printer\._http\._tcp\.local: printer\.local:631 10\.9\.8\.2 paper=A4\n/);
    await browser.end();
  },
  60_000,
);

/** A member of the group in `namespace`, by index: its interface is not of this process's own namespace. */
async function member(namespace: Namespace): Promise<DatagramSocket<InetAddress>> {
  const socket = await namespace.socket(C.AF_INET, C.SOCK_DGRAM);
  socket.setsockopt(C.SOL_SOCKET, C.SO_REUSEADDR, true);
  socket.setsockopt(C.IPPROTO_IP, C.IP_RECVTTL, true);
  hearOwnGroupsOnly(socket);
  socket.bind({ family: 'IPv4', address: '0.0.0.0', port: GROUP.port });
  const joined = new DatagramSocket<InetAddress>(socket);
  joined.join(GROUP.address, { interface: INDEX });
  return joined;
}

// A new namespace's first device has 2, behind its loopback.
const INDEX = 2;

real(
  'mdns: loop says who of this machine hears a question, multicast-dns hears all',
  async () => {
    using world = new World();
    await using _ = await responder(world.there, { interface: '10.9.8.2', bind: '0.0.0.0' });
    await using asking = await member(world.here);
    await using beside = await member(world.here);
    const question = (name: string): Buffer =>
      encode({ type: 'query', questions: [{ name, type: 'PTR' }] });

    asking.setMulticast({ interface: INDEX, ttl: 255, loop: false });
    await asking.send(question('unheard.local'), GROUP);
    asking.setMulticast({ interface: INDEX, ttl: 255, loop: true });
    await asking.send(question(KIND), GROUP);
    const heard = async (socket: DatagramSocket): Promise<[string, Message]> => {
      const message = await socket.receive({ timeout: 10_000 });
      const { type, questions } = decode(message.data);
      return [`${type} ${questions!.map(({ name }) => name).join()}`, message];
    };
    // With loop its own question comes to the sender as well, and never the one before.
    for (const socket of [asking, beside]) {
      expect((await heard(socket))[0]).toBe(`query ${KIND}`);
      const [what, { ttl, from }] = await heard(socket);
      expect([what, ttl, from]).toEqual([
        'response ',
        255,
        { family: 'IPv4', address: '10.9.8.2', port: 5353 },
      ]);
    }
  },
  60_000,
);
