// <netdb.h> against the same C library through Python's socket module.

import { execFileSync } from 'node:child_process';
import { constants as C, netdb } from '../../lib/index';
import { rejection, thrown } from '../support/outcomes';
import { turn } from '../support/turns';

/** What a Python expression gives, `socket` at hand. */
function python(expression: string): unknown {
  const program = `import json, socket\nprint(json.dumps(${expression}))`;
  return JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' }));
}

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

type Tuple = [
  family: number,
  type: number,
  protocol: number,
  canonname: string,
  address: unknown[],
];

const FAMILIES = { IPv4: C.AF_INET, IPv6: C.AF_INET6 };
const TYPES: Record<string, number> = {
  stream: C.SOCK_STREAM,
  dgram: C.SOCK_DGRAM,
  raw: C.SOCK_RAW,
};

describe('getaddrinfo', () => {
  test.each([
    ['localhost', 'http', 0, 0, 0],
    ['localhost', 'domain', C.AF_INET, 0, 0],
    ['localhost', '80', 0, C.SOCK_STREAM, 0],
    ['127.0.0.1', '0', 0, 0, C.AI_NUMERICHOST],
    ['::1', '53', 0, C.SOCK_DGRAM, C.AI_NUMERICHOST | C.AI_NUMERICSERV],
    ['127.0.0.1', 'http', C.AF_INET6, C.SOCK_STREAM, C.AI_V4MAPPED],
    [null, 'ssh', 0, C.SOCK_STREAM, C.AI_PASSIVE],
    [null, '1234', C.AF_INET6, C.SOCK_DGRAM, 0],
    ['localhost', '7', C.AF_INET, C.SOCK_STREAM, C.AI_CANONNAME],
  ])(
    '%p, %p with family %i, type %i and flags %i gives what Python gets',
    async (host, service, family, socktype, flags) => {
      const ours = await netdb.getaddrinfo(host, service, { family, socktype, flags });
      const arguments_ = [host, service, family, socktype, 0, flags].map((argument) =>
        argument === null ? 'None' : JSON.stringify(argument),
      );
      const theirs = python(`socket.getaddrinfo(${arguments_.join()})`) as Tuple[];
      expect(
        ours.map((entry) => [
          FAMILIES[entry.family],
          TYPES[entry.socktype],
          entry.protocol,
          entry.canonname ?? '',
          entry.address.address,
          entry.address.port,
        ]),
      ).toEqual(theirs.map(([f, t, p, name, [address, port]]) => [f, t, p, name, address, port]));
    },
  );

  test.each([
    ['no.such.invalid', 'http', 'EAI_NONAME'],
    ['localhost', 'no-such-service', 'EAI_SERVICE'],
    ['127.0.0.1x', 80, 'EAI_NONAME'],
  ])('%p, %p fails with the words of the C library', async (host, service, code) => {
    // Nobody is asked: this machine has no name server, or the name is no name.
    const hints = { flags: host === 'localhost' ? 0 : C.AI_NUMERICHOST };
    const error = await rejection(netdb.getaddrinfo(host, service, hints));
    expect(error).toMatchObject({ code, syscall: 'getaddrinfo', hostname: host });
    expect((error as { errno?: number }).errno).toBe(C[code as 'EAI_NONAME']);
    expect(error.message).toContain(netdb.gai_strerror(C[code as 'EAI_NONAME']));
  });

  test('an aborted one rejects with an AbortError, one whose time is over with ERR_SOCKET_TIMEOUT', async () => {
    const aborted = AbortSignal.abort();
    expect(await rejection(netdb.getaddrinfo('localhost', 1, { signal: aborted }))).toMatchObject({
      code: 'ABORT_ERR',
    });
    const controller = new AbortController();
    const waiting = rejection(netdb.getaddrinfo('localhost', 1, { signal: controller.signal }));
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'ABORT_ERR' });
    // Behind so many others its turn does not come within a millisecond.
    const before = Array.from({ length: 2000 }, () => netdb.getaddrinfo('127.0.0.1', 1));
    const late = rejection(netdb.getaddrinfo('127.0.0.1', 1, { timeout: 1 }));
    await Promise.all(before);
    expect(await late).toMatchObject({ code: 'ERR_SOCKET_TIMEOUT' });
  });

  test('ten thousand at once are all answered, and the loop turns meanwhile', async () => {
    let answered = 0;
    const count = 10_000;
    const waiting = Array.from({ length: count }, async () => {
      await netdb.getaddrinfo('127.0.0.1', 80, { flags: C.AI_NUMERICHOST });
      answered++;
    });
    let turns = 0;
    while (answered < count) {
      await turn();
      turns++;
    }
    await Promise.all(waiting);
    expect(turns).toBeGreaterThan(10);
  });
});

test.each([
  [{ address: '127.0.0.1', port: 22 }, 0],
  [{ address: '127.0.0.1', port: 22 }, C.NI_NUMERICHOST | C.NI_NUMERICSERV],
  // By number: where the machine's files have no name for ::1, a name server would be asked.
  [{ address: '::1', port: 53 }, C.NI_DGRAM | C.NI_NUMERICHOST],
])('getnameinfo of %j with flags %i gives what Python gets', async (address, flags) => {
  const { host, service } = await netdb.getnameinfo(address, { flags });
  expect([host, service]).toEqual(
    python(
      `socket.getnameinfo(${JSON.stringify([address.address, address.port])}, ${flags})`
        .replace('([', '((')
        .replace('],', '),'),
    ),
  );
});

test.each([
  ['http', 'tcp'],
  ['domain', 'udp'],
  ['ssh', undefined],
] as const)('getservbyname of %p, %p, and back by its port', async (name, protocol) => {
  const port = python(`socket.getservbyname(${JSON.stringify(name)})`);
  const entry = await netdb.getservbyname(name, protocol);
  expect(entry).toMatchObject({ name, port });
  expect(await netdb.getservbyport(entry!.port, entry!.protocol)).toEqual(entry);
});

test.each(['icmp', 'tcp', 'udp', 'ipv6-icmp'])(
  'getprotobyname of %p, and back by its number',
  async (name) => {
    const entry = await netdb.getprotobyname(name);
    expect(entry?.protocol).toBe(python(`socket.getprotobyname(${JSON.stringify(name)})`));
    expect(await netdb.getprotobynumber(entry!.protocol)).toEqual(entry);
  },
);

test('what is in no database is null', async () => {
  expect(await netdb.getservbyname('no-such-service')).toBeNull();
  expect(await netdb.getservbyport(1, 'no-such-protocol')).toBeNull();
  expect(await netdb.getprotobyname('no-such-protocol')).toBeNull();
  expect(await netdb.getprotobynumber(254)).toBeNull();
  expect(await netdb.getnetbyname('no-such-network')).toBeNull();
});

test('the enumerations hold what the look-ups find', async () => {
  const [services, protocols, hosts, networks] = await Promise.all([
    all(netdb.services()),
    all(netdb.protocols()),
    all(netdb.hosts()),
    all(netdb.networks()),
  ]);
  expect(services).toContainEqual(await netdb.getservbyname('ssh', 'tcp'));
  expect(protocols).toContainEqual(await netdb.getprotobyname('udp'));
  expect(hosts.some(({ name, aliases }) => [name, ...aliases].includes('localhost'))).toBe(true);
  for (const network of networks.slice(0, 1))
    expect(await netdb.getnetbyname(network.name)).toEqual(network);
});

test.each([
  [() => netdb.getaddrinfo(5 as never, 80), 'ERR_INVALID_ARG_TYPE'],
  [() => netdb.getaddrinfo('a\0b', 80), 'ERR_INVALID_ARG_VALUE'],
  [() => netdb.getaddrinfo('localhost', 65536), 'ERR_OUT_OF_RANGE'],
  [() => netdb.getnameinfo({ address: 'nobody', port: 1 }), 'ERR_INVALID_ARG_VALUE'],
  [() => netdb.getservbyport(-1), 'ERR_OUT_OF_RANGE'],
  [() => netdb.getprotobyname(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  [() => netdb.gai_strerror('x' as never), 'ERR_INVALID_ARG_TYPE'],
])('misuse throws at once: %s', (misuse, code) => {
  expect(thrown(misuse as () => unknown)).toMatchObject({ code });
});
