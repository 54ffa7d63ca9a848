// Look-ups in workers: the same as in the main thread, several at once, ended while a server keeps silent. The
// server is this test's own, in a network namespace where 127.0.0.1 is all there is.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAN_UNSHARE } from '../support/machine';
import { needs } from '../support/needs';
import type { Inside } from './support/inside';
import { run, start, textOf, type Program } from './support/program';

/** A name server that says nothing until it is told to, and then that there is no such name. */
interface Server {
  /** The names that were asked for, each once. */
  readonly names: Set<string>;
  /** That so many names have been asked for. */
  asked(count: number): Promise<void>;
  /** Answers what was asked, and whatever will be. */
  answer(): void;
  /** Keeps silent again, and forgets the names. */
  hush(): void;
}

async function silentServer({ eagain }: Inside): Promise<Server> {
  const socket = await eagain.bind({ host: '127.0.0.1', port: 53 });
  socket.socket.unref();
  const names = new Set<string>();
  const held: { data: Buffer; from: Parameters<typeof socket.send>[1] }[] = [];
  let silent = true;
  let news = (): void => {};

  function nameOf(query: Buffer): string {
    const labels = [];
    for (let at = 12; query[at] !== 0; at += query[at] + 1)
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    return labels.join('.');
  }

  function reply(): void {
    for (const { data, from } of silent ? [] : held.splice(0)) {
      const answer = Buffer.from(data);
      // QR, RD, RA, NXDOMAIN (RFC 1035 4.1.1).
      answer.writeUInt16BE(0x8183, 2);
      void socket.send(answer, from);
    }
  }

  void (async () => {
    for await (const { data, from } of socket) {
      held.push({ data, from: from! });
      names.add(nameOf(data));
      news();
      reply();
    }
  })();
  return {
    names,
    asked: (count) =>
      new Promise((resolve) => {
        (news = () => {
          if (names.size >= count) resolve();
        })();
      }),
    answer() {
      silent = false;
      reply();
    },
    hush() {
      silent = true;
      names.clear();
    },
  };
}

type Body<A> = (inside: Inside, server: Server, argument: A) => unknown;

function withServer<A>(body: Body<A>): Program<A> {
  const text = `async (inside, argument) =>
    (${body.toString()})(inside, await (${silentServer.toString()})(inside), argument)`;
  return { toString: () => text } as unknown as Program<A>;
}

const folder = mkdtempSync(join(tmpdir(), 'eagain-'));
writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n');
writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: dns\n');
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that has no network but its loopback, and no name server but the one at 127.0.0.1. */
const alone = [
  'unshare',
  '--net',
  '--mount',
  'sh',
  '-c',
  [
    'ip link set lo up',
    ...['resolv.conf', 'nsswitch.conf'].map((n) => `mount --bind ${folder}/${n} /etc/${n}`),
    'exec "$@"',
  ].join(' && '),
  'sh',
];

const CAN_MOUNT = ((): boolean => {
  if (!CAN_UNSHARE) return false;
  try {
    execFileSync(alone[0], [...alone.slice(1), 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const silent = needs('CAP_SYS_ADMIN, for a name server of its own', CAN_MOUNT);

/** Asks for names: what each look-up ended with. */
const looker = textOf<string[]>(async ({ eagain, tell }, names) => {
  const looking = names.map((name) => eagain.netdb.getaddrinfo(name, 1, { family: 'IPv4' }));
  const outcomes = await Promise.allSettled(looking);
  tell(
    outcomes.map((outcome) =>
      outcome.status === 'fulfilled'
        ? outcome.value[0].address.address
        : (outcome.reason as { code: string }).code,
    ),
  );
});

silent('look-ups that are given up reject while the server says nothing', async () => {
  const outcome = await run(
    withServer(async ({ eagain, tell }, server) => {
      const controller = new AbortController();
      const { signal } = controller;
      const codeOf = (error: { code: string }): string => error.code;
      const looking = eagain.netdb.getaddrinfo('a.test.', 1, { family: 'IPv4', signal });
      await server.asked(1);
      controller.abort();
      const aborted = await looking.catch(codeOf);
      const late = eagain.netdb.getaddrinfo('b.test.', 1, { family: 'IPv4', timeout: 1 });
      const timedOut = await late.catch(codeOf);
      // Both threads of the pool that look-ups may have go on waiting: the third is never asked for.
      await server.asked(2);
      const third = eagain.netdb.getaddrinfo('c.test.', 1, { family: 'IPv4', timeout: 1 });
      const behind = await third.catch(codeOf);
      const asked = [...server.names].sort();
      server.answer();
      const after = await eagain.netdb.getaddrinfo('d.test.', 1, { family: 'IPv4' }).catch(codeOf);
      tell({ aborted, timedOut, behind, asked, after, all: [...server.names].sort() });
    }),
    undefined,
    { under: alone },
  );
  expect(outcome).toEqual({
    aborted: 'ABORT_ERR',
    timedOut: 'ERR_SOCKET_TIMEOUT',
    behind: 'ERR_SOCKET_TIMEOUT',
    asked: ['a.test', 'b.test'],
    after: 'EAI_NONAME',
    all: ['a.test', 'b.test', 'd.test'],
  });
});

silent('promise 8: a worker terminated amid look-ups ends with those that run', async () => {
  const outcome = await run<Record<'before' | 'after', string[]>, string>(
    withServer<string>(async ({ eagain, workers, events, tell, descriptors }, server, text) => {
      // The first worker brings what Node opens for all of them.
      await events.once(new workers.Worker('', { eval: true }), 'exit');
      const before = descriptors();
      const names = ['a.test.', 'b.test.', 'c.test.', 'd.test.'];
      const worker = new workers.Worker(text, { eval: true, workerData: names });
      await server.asked(2);
      let over = false;
      const ended = worker.terminate().finally(() => (over = true));
      // Another thread's look-up does not wait for the worker's.
      const flags = eagain.constants.AI_NUMERICHOST;
      const [{ address }] = await eagain.netdb.getaddrinfo('127.0.0.1', 1, { flags });
      const waits = !over;
      server.answer();
      await ended;
      const asked = server.names.size;
      // What ran counts no more: the threads are this one's now.
      server.hush();
      const looking = names.map((name) => eagain.netdb.getaddrinfo(name, 1, { family: 'IPv4' }));
      const rest = Promise.allSettled(looking);
      await server.asked(2);
      server.answer();
      await rest;
      tell({ address: address.address, waits, asked, before, after: descriptors() });
    }),
    looker,
    { under: alone },
  );
  expect(outcome).toMatchObject({ address: '127.0.0.1', waits: true, asked: 2 });
  expect(outcome.after).toEqual(outcome.before);
});

silent('many workers that wait for a server leave the pool threads to others', async () => {
  const program = start(
    withServer<string>(async ({ eagain, workers, events, fs, tell }, server, text) => {
      const namesOf = (who: string): string[] => [1, 2, 3, 4, 5, 6].map((i) => `${who}${i}.test.`);
      // Half of the eight threads; of what the workers ask, one each.
      const looking = namesOf('main').map((name) =>
        eagain.netdb.getaddrinfo(name, 1, { family: 'IPv4' }),
      );
      await server.asked(4);
      const others = ['a', 'b', 'c'].map(
        (who) => new workers.Worker(text, { eval: true, workerData: namesOf(who) }),
      );
      const told = Promise.all(others.map((worker) => events.once(worker, 'message')));
      await server.asked(7);
      // The file system's turn comes while all of them wait.
      await fs.promises.readFile('/proc/self/stat');
      const asked = server.names.size;
      server.answer();
      const outcomes = await Promise.allSettled(looking);
      const codes = outcomes.map((outcome) =>
        'reason' in outcome ? (outcome.reason as { code: unknown }).code : 'none',
      );
      tell({ asked, outcomes: [codes, ...(await told).map(([each]) => each as unknown)] });
    }),
    looker,
    { under: alone, before: 'export UV_THREADPOOL_SIZE=8' },
  );
  const { told, stderr } = await program.ended;
  expect(stderr).toBe('');
  expect(told).toEqual([
    { asked: 7, outcomes: Array.from({ length: 4 }, () => Array<string>(6).fill('EAI_NONAME')) },
  ]);
});

test('look-ups of several workers at once, and their enumerations, are those of the main thread', async () => {
  const outcome = await run<{ alike: boolean; services: number }, string>(
    async ({ workers, events, load, eagain, tell }, text) => {
      const { isDeepStrictEqual } = load('node:util') as typeof import('node:util');
      const others = [1, 2, 3, 4].map(() => new workers.Worker(text, { eval: true }));
      const told = await Promise.all(others.map((worker) => events.once(worker, 'message')));
      const services = [];
      for await (const service of eagain.netdb.services()) services.push(service);
      const protocols = [];
      for await (const protocol of eagain.netdb.protocols()) protocols.push(protocol);
      const [{ address }] = await eagain.netdb.getaddrinfo('127.0.0.1', 'ssh');
      const ssh = await eagain.netdb.getservbyname('ssh', 'tcp');
      const udp = await eagain.netdb.getprotobynumber(17);
      const once = { services, protocols, address, ssh, udp };
      const expected = Array.from({ length: 20 }, () => once);
      const alike = told.every(([each]) => isDeepStrictEqual(each, expected));
      tell({ alike, services: services.length });
    },
    textOf(async ({ eagain, tell }) => {
      const all = async <T>(entries: AsyncIterable<T>): Promise<T[]> => {
        const found = [];
        for await (const entry of entries) found.push(entry);
        return found;
      };
      const { netdb } = eagain;
      const round = async (): Promise<object> => {
        const [services, protocols, [{ address }], ssh, udp] = await Promise.all([
          all(netdb.services()),
          all(netdb.protocols()),
          netdb.getaddrinfo('127.0.0.1', 'ssh'),
          netdb.getservbyname('ssh', 'tcp'),
          netdb.getprotobynumber(17),
        ]);
        return { services, protocols, address, ssh, udp };
      };
      tell(await Promise.all(Array.from({ length: 20 }, round)));
    }),
  );
  expect(outcome.alike).toBe(true);
  expect(outcome.services).toBeGreaterThan(10);
});
