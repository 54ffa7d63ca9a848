// The sniffer and the netlink monitor of examples/, each in a network namespace of the test's.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { constants as C } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { ROOT } from './document';

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
}, 60_000);

leavesNoSockets();
jest.setTimeout(60_000);
const real = needs('network namespaces', CAN_MAKE_NAMESPACES);

/** A program within, and what it has printed. */
class Example implements AsyncDisposable {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown[]>;
  output = '';

  constructor(namespace: Namespace, name: string, ...args: string[]) {
    const program = [process.execPath, join(ROOT, `dist-examples/${name}.js`), ...args];
    this.child = spawn('ip', ['netns', 'exec', namespace.name, ...program]);
    this.exited = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr])
      stream!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  async says(words: string | RegExp): Promise<void> {
    const said = (): boolean =>
      typeof words === 'string' ? this.output.includes(words) : words.test(this.output);
    while (!said()) {
      const ended = this.exited.then(() => {
        throw new Error(this.output);
      });
      await Promise.race([once(this.child.stdout!, 'data'), ended]);
    }
  }

  async end(): Promise<string> {
    this.child.kill('SIGINT');
    const [code] = await this.exited;
    expect([code, this.output]).toEqual([0, this.output]);
    return this.output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

test.each(['sniffer', 'netlink-monitor'])('example %s: --help says what it is', (name) => {
  const file = join(ROOT, `dist-examples/${name}.js`);
  const said = execFileSync(process.execPath, [file, '--help']).toString();
  expect(said).toMatch(new RegExp(`^${name}`));
});

real('example sniffer: a table of what its filter keeps', async () => {
  using near = new Namespace();
  using far = new Namespace();
  near.link(far, ['near0', '10.9.0.1/24', 'fd09::1/64'], ['far0', '10.9.0.2/24', 'fd09::2/64']);
  await using sniffer = new Example(
    near,
    'sniffer',
    '-i',
    'near0',
    '--filter',
    '53',
    '--promiscuous',
  );
  await sniffer.says('listening on near0');
  const [link] = near.json('-d', 'link', 'show', 'near0') as [{ promiscuity: number }];
  expect(link.promiscuity).toBe(1);
  for (const [domain, from, to] of [
    [C.AF_INET, '10.9.0.2', '10.9.0.1'],
    [C.AF_INET6, 'fd09::2', 'fd09::1'],
  ] as const) {
    using client = await far.socket(domain, C.SOCK_DGRAM);
    client.bind({ address: from, port: 1053 });
    await client.sendto(Buffer.alloc(100), { address: to, port: 54 });
    for (let i = 0; i < 3; i++) await client.sendto(Buffer.alloc(100), { address: to, port: 53 });
  }
  await sniffer.says(/3 +384 {2}udp 10\.9\.0\.2:1053 > 10\.9\.0\.1:53\n/);
  await sniffer.says(/3 +444 {2}udp \[fd09::2\]:1053 > \[fd09::1\]:53\n/);
  const output = await sniffer.end();
  expect(output).toMatch(/done: 6 packets, 0 dropped\n$/);
});

real('example netlink-monitor: what is there, and what changes', async () => {
  using namespace = new Namespace();
  await using monitor = new Example(namespace, 'netlink-monitor');
  await monitor.says('listening for changes\n');
  expect(monitor.output).toMatch(/^\+ link 1 lo up mtu 65536$/m);
  expect(monitor.output).toContain('+ address 127.0.0.1/8 on lo\n');
  namespace.ip('link', 'add', 'one0', 'type', 'veth', 'peer', 'name', 'two0');
  namespace.ip('addr', 'add', '10.8.0.1/24', 'dev', 'one0');
  for (const name of ['one0', 'two0']) namespace.ip('link', 'set', name, 'up');
  namespace.ip('route', 'add', '10.10.0.0/16', 'via', '10.8.0.2');
  await monitor.says('+ route 10.10.0.0/16 via 10.8.0.2 on one0\n');
  namespace.ip('link', 'del', 'one0');
  await monitor.says(/^- link \d+ one0 /m);
  const output = await monitor.end();
  expect(output).toContain('+ address 10.8.0.1/24 on one0\n');
  expect(output).toContain('- address 10.8.0.1/24 on one0\n');
  expect(output).toMatch(/^\+ link \d+ one0 down mtu 1500$/m);
  expect(output).toMatch(/^\+ link \d+ one0 up mtu 1500$/m);
  expect(output).toMatch(/done\n$/);
});
