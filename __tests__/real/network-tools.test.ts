// ping and traceroute of examples/ beside the system's own, on a path of two routers with a narrow link at its end.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { CAN_MAKE_NAMESPACES } from '../support/namespaces';
import { needs } from '../support/needs';
import { HOPS, makePath, NARROW, type Path } from './support/path';
import { find } from './support/programs';

const ROOT = join(__dirname, '../..');
const PROGRAMS = ['ping', 'traceroute'].map(find);
const real = needs(
  'network namespaces, ping and traceroute',
  CAN_MAKE_NAMESPACES && !PROGRAMS.includes(undefined),
);

let path: Path | undefined;

jest.setTimeout(60_000);

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
  if (CAN_MAKE_NAMESPACES) path = makePath();
}, 120_000);

afterAll(() => path?.[Symbol.dispose]());

const theirs = (program: 'ping' | 'traceroute', ...args: string[]): Promise<string> =>
  path!.a.run(PROGRAMS[program === 'ping' ? 0 : 1]!, args);

const ours = (program: 'ping' | 'traceroute', ...args: string[]): Promise<string> =>
  path!.a.run(process.execPath, [join(ROOT, `dist-examples/${program}.js`), ...args]);

/** Text without what no two runs have in common. */
const comparable = (text: string): string[] =>
  text
    .replace(/[\d./]+( ?)ms/g, '~$1ms')
    .trim()
    .split('\n')
    .slice(1); // the headings are each program's own

/** Each figure in ms that is said. */
const times = (text: string): number[] =>
  [...text.matchAll(/([\d.]+) ms/g)].map(([, ms]) => Number(ms));

/** The hops of a traceroute: who was there, and how large a packet was then known to be (`F=`), by ttl. */
const hops = (text: string): unknown[] =>
  [...text.matchAll(/^ ?(\d+) {2}(.*)$/gm)].map(([, ttl, rest]) => ({
    ttl: Number(ttl),
    who: [...new Set(rest.match(/[\da-f:.]+(?= {2}[\d.]+ ms)/g))],
    answers: rest.match(/ ms/g)?.length ?? 0,
    size: rest.match(/F=\d+/g),
  }));

describe.each(['IPv4', 'IPv6'] as const)('%s', (family) => {
  const [first, , last] = HOPS[family];

  real('ping: answers, and what is said of them, are the system’s', async () => {
    const [their, our] = [
      await theirs('ping', '-n', '-c', '3', '-i', '0.05', last),
      await ours('ping', '--count', '3', '--interval', '50', last),
    ];
    expect(comparable(our)).toEqual(comparable(their));
    expect(comparable(our)[0]).toBe(`64 bytes from ${last}: icmp_seq=1 ttl=62 time=~ ms`);
    // Between two stamps of the kernel's: whatever else this machine does, three links are not far away.
    const least = Number(/mdev = ([\d.]+)/.exec(our)?.[1]);
    expect(least).toBeGreaterThan(0);
    expect(least).toBeLessThan(5);
  });

  real('ping: an unprivileged socket does as well', async () => {
    const { a } = path!;
    a.sysctl('net.ipv4.ping_group_range=0 65534');
    // Not another user: nobody but this one may read the folder that these tests may be in.
    const unprivileged = ['--bounding-set', '-net_raw', '--inh-caps', '-net_raw'];
    const program = join(ROOT, 'dist-examples/ping.js');
    const command = [
      ...unprivileged,
      process.execPath,
      program,
      '--count',
      '2',
      '--interval',
      '20',
      last,
    ];
    const our = await a.run('setpriv', command);
    expect(our).toContain('2 packets transmitted, 2 received, 0% packet loss');
    a.sysctl('net.ipv4.ping_group_range=1 0');
    expect(await a.run('setpriv', command)).toMatch(/EPERM.*CAP_NET_RAW/);
  });

  real('ping: a router that ends it, or a time that is over, is told', async () => {
    const ended = await ours('ping', '--count', '1', '--ttl', '1', last);
    expect(ended).toMatch(`From ${first} icmp_seq=1 EHOSTUNREACH`);
    expect(ended).toContain('1 packets transmitted, 0 received, +1 errors, 100% packet loss');
    expect(await theirs('ping', '-n', '-c', '1', '-t', '1', last)).toMatch(
      /^1 packets transmitted, 0 received, \+1 errors, 100% packet loss/m,
    );
    // Nobody is there: b's link is asked in vain.
    const silent = `${last}3`;
    expect(await ours('ping', '--count', '1', '--timeout', '50', silent)).toContain(
      '1 packets transmitted, 0 received, 100% packet loss',
    );
  });

  real('traceroute: the hops are the system’s', async () => {
    const [their, our] = [await theirs('traceroute', '-n', last), await ours('traceroute', last)];
    expect(hops(our)).toEqual(hops(their));
    expect(hops(our)).toEqual(
      HOPS[family].map((who, i) => ({ ttl: i + 1, who: [who], answers: 3, size: null })),
    );
    expect(times(our)).toHaveLength(9);
  });

  real('traceroute: routers that say nothing are stars', async () => {
    const our = await ours('traceroute', '--timeout', '30', '--hops', '4', `${last}3`);
    expect(our).toMatch(/^ 2 {2}[^*]+$\n^ 3 {2}\* {2}\* {2}\*$/m);
  });

  real('traceroute --mtu: the narrow link is found where the system finds it', async () => {
    path!.a.ip(family === 'IPv4' ? '-4' : '-6', 'route', 'flush', 'cache');
    const their = await theirs('traceroute', '-n', '-w', '1', '--mtu', last);
    path!.a.ip(family === 'IPv4' ? '-4' : '-6', 'route', 'flush', 'cache');
    const our = await ours('traceroute', '--mtu', last);
    expect(hops(our)).toEqual(hops(their));
    expect(hops(our)).toMatchObject([
      { size: ['F=1500'] },
      { size: null },
      { size: [`F=${NARROW}`] },
    ]);
    // EMSGSIZE came out of the error queue with the MTU; the kernel knows the path's now (IP_MTU, IPV6_MTU).
    expect(our).toMatch(new RegExp(`^path MTU ${NARROW}$`, 'm'));
  });
});
