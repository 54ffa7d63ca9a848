// Every option of the table: set and got on a socket that has it, and what the kernel then has, by its raw bytes
// and by Python.

import { spawnSync } from 'node:child_process';
import { constants as C, Socket } from '../../lib/index';
import { TABLES } from '../../lib/socket/options/tables';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_PYTHON, HAS_VSOCK } from '../support/machine';
import { needs } from '../support/needs';
import { thrown } from '../support/outcomes';
import { CASES, type Case } from './support/option-cases';
import { alsoOpen, RAW_KINDS, SOCKETS, type Kind } from './support/option-sockets';

leavesNoSockets();
afterEach(() => {
  for (const socket of alsoOpen.splice(0)) socket.close();
});

function can(kind: Kind): boolean {
  if (RAW_KINDS.includes(kind)) return CAN_OPEN_RAW;
  return kind === 'vsock' ? HAS_VSOCK : true;
}

function mayAdministrate(): boolean {
  using probe = Socket.open('IPv4', 'dgram');
  try {
    probe.set('forceSendBufferSize', 4096);
    return true;
  } catch {
    return false;
  }
}

const HAS_UDPLITE = ((): boolean => {
  try {
    Socket.open('IPv4', 'dgram', 'udplite').close();
    return true;
  } catch {
    return false;
  }
})();

// A kernel with it says EINVAL to a family that is none (net/ipv6/ipv6_sockglue.c), one without it ENOPROTOOPT.
const HAS_ADDRESS_FORM =
  thrown(() => {
    using probe = Socket.open('IPv6', 'dgram');
    probe.setsockopt(C.IPPROTO_IPV6, C.IPV6_ADDRFORM, -1);
  }).code !== 'ENOPROTOOPT';

const ADMIN = mayAdministrate();
type AnySocket = { get(key: string): unknown; set(key: string, value: unknown): unknown };
const untyped = (socket: unknown): AnySocket => socket as AnySocket;

function conditions({ key, on, admin, not }: Case): [what: string, met: boolean] {
  if (not !== undefined) return [not, false];
  if (key === 'addressForm') return ['a kernel with IPV6_ADDRFORM', HAS_ADDRESS_FORM];
  if (admin === true && !ADMIN) return ['CAP_NET_ADMIN', false];
  if (on === 'udplite') return ['UDP-Lite', HAS_UDPLITE];
  if (on === 'vsock') return ['AF_VSOCK', HAS_VSOCK];
  return ['CAP_NET_RAW', can(on)];
}

/** The kernel's bytes; what a filter's are is asked for with room. */
const rawOf = (socket: Socket, { level, name }: Case): Buffer => {
  const exact: Partial<Record<string, number>> = {
    SO_NETNS_COOKIE: 8,
    SO_ATTACH_FILTER: 4096,
    SO_GET_FILTER: 4096,
    SO_CNX_ADVICE: 4,
    TCP_REPAIR_WINDOW: 20,
    PACKET_ROLLOVER_STATS: 24,
  };
  return socket.getsockopt(C[level], C[name], exact[name] ?? 256);
};

function checkRaw(socket: Socket, of: Case, expected: unknown): void {
  const raw = rawOf(socket, of);
  if (of.hex !== undefined)
    expect(raw.toString('hex').replace(/^(72656e6f)0+$/, '$1')).toBe(of.hex);
  else if (typeof expected === 'boolean') expect(raw.readInt32LE()).toBe(Number(expected));
  else if (typeof expected === 'number') expect(raw.readInt32LE() | 0).toBe(expected | 0);
}

test('every option has a case', () => {
  const keys = TABLES.flatMap((table) => Object.keys(table));
  expect(keys.length).toBeGreaterThan(180);
  expect([...new Set(CASES.map(({ key }) => key))].sort()).toEqual([...keys].sort());
});

const seen = new Map<string, number>();
for (const each of CASES) {
  const { key, on, set, get } = each;
  if (each.elsewhere === true) continue;
  const count = (seen.get(`${key} ${on}`) ?? 0) + 1;
  seen.set(`${key} ${on}`, count);
  const [what, met] = conditions(each);
  const title = `${key} on ${on}${count > 1 ? `, ${count}` : ''}`;
  needs(what, met)(title, async () => {
    using socket = await SOCKETS[on]();
    if (set !== undefined) {
      expect(untyped(socket).set(key, set)).toBe(socket);
    } else if (get !== null && each.get !== undefined && isReadOnly(key)) {
      expect(thrown(() => untyped(socket).set(key, get))).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining(key) as unknown,
      });
    }
    if (get === null) {
      if (isSetOnly(key)) {
        expect(thrown(() => untyped(socket).get(key))).toMatchObject({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringContaining(key) as unknown,
        });
      }
      return;
    }
    const expected = get ?? set;
    const got = untyped(socket).get(key);
    expect(got).toEqual(expected);
    if (each.moves !== true) checkRaw(socket, each, got);
  });
}

function accesses(key: string): string[] {
  const row = TABLES.map((table) => table[key]).find((found) => found !== undefined)!;
  return ('codec' in row ? [row] : [row.IPv4, row.IPv6]).map(({ access }) => access);
}
const isReadOnly = (key: string): boolean => accesses(key).every((access) => access === 'get');
const isSetOnly = (key: string): boolean => accesses(key).every((access) => access === 'set');

needs('python3', HAS_PYTHON)('Python sees on the same sockets what was set', async () => {
  const tried: { of: Case; socket: Socket }[] = [];
  try {
    for (const of of CASES) {
      if (of.set === undefined || of.get === null || !conditions(of)[1] || of.on === 'vsock')
        continue;
      const socket = await SOCKETS[of.on]();
      untyped(socket).set(of.key, of.set);
      tried.push({ of, socket });
    }
    const program = [
      'import json, os, socket, sys',
      'answers = []',
      'for i, (level, name) in enumerate(json.loads(sys.argv[1])):',
      '  known = getattr(socket, name, None)',
      '  s = socket.socket(fileno=3 + i)',
      '  answers.append(None if known is None else s.getsockopt(level, known, 256).hex())',
      '  s.detach()',
      'print(json.dumps(answers))',
    ].join('\n');
    const asked = JSON.stringify(tried.map(({ of }) => [C[of.level], of.name]));
    const { stdout, stderr } = spawnSync('python3', ['-c', program, asked], {
      stdio: ['ignore', 'pipe', 'pipe', ...tried.map(({ socket }) => socket.fd)],
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const answers = JSON.parse(stdout) as (string | null)[];
    const compared = tried.flatMap(({ of, socket }, i) =>
      answers[i] === null
        ? []
        : [{ of: of.key, python: answers[i], ours: rawOf(socket, of).toString('hex') }],
    );
    expect(compared.filter(({ python, ours }) => python !== ours)).toEqual([]);
    expect(compared.length).toBeGreaterThan(35);
  } finally {
    for (const { socket } of tried) socket.close();
  }
});
