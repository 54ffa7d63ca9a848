// The table: what is called, in which order, with what. Numbers are the headers', names of sockets the case's
// own; '%' in a path stands for a text that is each run's own and equally long.

import { constants as C, type AddressInput, type Constants } from '../../lib/index';

export type Place = { of: string } | Extract<AddressInput, { family: string }>;
/** The name of a step (a method of ours.ts and theirs.py) and its arguments. */
export type Step = readonly [name: never, ...args: unknown[]];
type Written = readonly [name: string, ...args: unknown[]];

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

const table: Case[] = [];

function add(name: string, ...steps: (Written | readonly Written[])[]): void {
  const flat = steps.flatMap((step) => (typeof step[0] === 'string' ? [step] : step)) as unknown;
  table.push({ name, steps: flat as readonly Step[] });
}

const hex = (text: string): string => Buffer.from(text).toString('hex');
const v4 = (address: string, port = 0): Place => ({ family: 'IPv4', address, port });
const v6 = (address: string, port = 0): Place => ({ family: 'IPv6', address, port });
const unix = (path: string): Place => ({ family: 'unix', path });
const LO4 = v4('127.0.0.1');
const LO6 = v6('::1');
const NAME = unix('\0eagain-%');

// --- Connected pairs a, b of every kind -----------------------------------------------------------------

const stream = (domain: number, place: Place, protocol = 0): Written[] => [
  ['open', 'l', domain, C.SOCK_STREAM, protocol],
  ['bind', 'l', place],
  ['listen', 'l', 5],
  ['open', 'a', domain, C.SOCK_STREAM, protocol],
  ['connect', 'a', { of: 'l' }],
  ['accept', 'l', 'b'],
];
const udp = (domain: number, place: Place): Written[] => [
  ['open', 'a', domain, C.SOCK_DGRAM, 0],
  ['open', 'b', domain, C.SOCK_DGRAM, 0],
  ['bind', 'a', place],
  ['bind', 'b', place],
  ['connect', 'a', { of: 'b' }],
  ['connect', 'b', { of: 'a' }],
];
const STREAMS: Record<string, Written[]> = {
  'TCP/IPv4': stream(C.AF_INET, LO4),
  'TCP/IPv6': stream(C.AF_INET6, LO6),
  MPTCP: stream(C.AF_INET, LO4, C.IPPROTO_MPTCP),
  'Unix stream': stream(C.AF_UNIX, NAME),
  'Unix stream pair': [['pair', 'a', 'b', C.SOCK_STREAM, 0]],
};
const MESSAGES: Record<string, Written[]> = {
  'UDP/IPv4': udp(C.AF_INET, LO4),
  'UDP/IPv6': udp(C.AF_INET6, LO6),
  'Unix dgram pair': [['pair', 'a', 'b', C.SOCK_DGRAM, 0]],
  'Unix seqpacket pair': [['pair', 'a', 'b', C.SOCK_SEQPACKET, 0]],
};
const PAIRS = { ...STREAMS, ...MESSAGES };

// --- socket(2): every domain, type and protocol ---------------------------------------------------------

const TYPES = [0, 1, 2, 3, 4, 5, 6, 10, 11];
for (let domain = 0; domain <= C.AF_MAX; domain++) {
  add(
    `socket(${domain}, every type)`,
    TYPES.map((type) => ['open', `s${type}`, domain, type, 0]),
  );
}
const PROTOCOLS = [
  0, 1, 2, 4, 6, 17, 33, 41, 46, 47, 50, 58, 89, 103, 132, 136, 143, 255, 256, 262, 263,
];
for (const [name, domain] of [
  ['AF_INET', C.AF_INET],
  ['AF_INET6', C.AF_INET6],
  ['AF_UNIX', C.AF_UNIX],
  ['AF_NETLINK', C.AF_NETLINK],
  ['AF_VSOCK', C.AF_VSOCK],
] as const) {
  for (const type of [C.SOCK_STREAM, C.SOCK_DGRAM, C.SOCK_RAW, C.SOCK_SEQPACKET]) {
    add(
      `socket(${name}, ${type}, every protocol)`,
      PROTOCOLS.map((protocol) => ['open', `s${protocol}`, domain, type, protocol]),
    );
  }
}
add(
  'socketpair: every type',
  TYPES.map((type) => ['pair', `a${type}`, `b${type}`, type, 0]),
  ['pair', 'a', 'b', C.SOCK_STREAM, 1],
  ['pair', 'a', 'b', C.SOCK_STREAM, 6],
);

// --- bind, listen, names --------------------------------------------------------------------------------

const PLACES: Record<string, Place> = {
  '127.0.0.1': LO4,
  '0.0.0.0': v4('0.0.0.0'),
  '127.1.2.3': v4('127.1.2.3'),
  '192.0.2.1, not ours': v4('192.0.2.1'),
  '255.255.255.255': v4('255.255.255.255'),
  '224.0.0.1, a group': v4('224.0.0.1'),
  '::1': LO6,
  '::': v6('::'),
  '2001:db8::1, not ours': v6('2001:db8::1'),
  '::ffff:127.0.0.1': v6('::ffff:127.0.0.1'),
  'ff02::1, a group': v6('ff02::1'),
  'fe80::1 without a scope': v6('fe80::1'),
  'an abstract name': NAME,
  'the longest abstract name': unix(`\0%${'n'.repeat(99)}`),
  'no folder': unix('/eagain-%/x'),
  'a folder': unix('/tmp'),
};
const BINDERS: Record<string, readonly [number, number]> = {
  'TCP/IPv4': [C.AF_INET, C.SOCK_STREAM],
  'UDP/IPv4': [C.AF_INET, C.SOCK_DGRAM],
  'raw IPv4': [C.AF_INET, C.SOCK_RAW],
  'TCP/IPv6': [C.AF_INET6, C.SOCK_STREAM],
  'UDP/IPv6': [C.AF_INET6, C.SOCK_DGRAM],
  'Unix stream': [C.AF_UNIX, C.SOCK_STREAM],
  'Unix dgram': [C.AF_UNIX, C.SOCK_DGRAM],
  'Unix seqpacket': [C.AF_UNIX, C.SOCK_SEQPACKET],
};
const familyOf = (place: Place): number =>
  'of' in place
    ? 0
    : { IPv4: C.AF_INET, IPv6: C.AF_INET6, unix: C.AF_UNIX }[place.family as 'IPv4'];
for (const [binder, [domain, type]] of Object.entries(BINDERS)) {
  const open: Written = ['open', 's', domain, type, type === C.SOCK_RAW ? C.IPPROTO_ICMP : 0];
  for (const [what, place] of Object.entries(PLACES)) {
    // Python takes no address of another family.
    if (familyOf(place) !== domain) continue;
    add(
      `bind ${binder} to ${what}`,
      open,
      ['getsockname', 's'],
      ['bind', 's', place],
      ['getsockname', 's'],
      ['bind', 's', place],
      ['getpeername', 's'],
      ['listen', 's', 5],
      ['tryAccept', 's', 'n'],
      ['ready', 's', 'rwp'],
    );
  }
  add(
    `fresh ${binder}`,
    open,
    ['ready', 's', 'rwp'],
    ['getpeername', 's'],
    ['tryRecv', 's', 10, 0],
    ['send', 's', hex('x'), 0],
    ['shutdown', 's', 'both'],
    ['ready', 's', 'rwp'],
    ['tryAccept', 's', 'n'],
    ['listen', 's', 0],
    ['getsockname', 's'],
    ['close', 's'],
    ['getsockname', 's'],
    ['tryRecv', 's', 1, 0],
  );
}
add(
  'bind: a Unix name of the kernel’s choice',
  ['open', 's', C.AF_UNIX, C.SOCK_DGRAM, 0],
  ['setsockopt', 's', C.SOL_SOCKET, C.SO_PASSCRED, 1],
  ['open', 'p', C.AF_UNIX, C.SOCK_DGRAM, 0],
  ['bind', 'p', NAME],
  ['connect', 's', NAME],
  ['send', 's', hex('auto'), 0],
  ['recvmsg', 'p', [100], 0],
  ['getsockname', 's'],
);
for (const [binder, [domain, type], place] of [
  ['TCP', [C.AF_INET, C.SOCK_STREAM], LO4],
  ['UDP', [C.AF_INET, C.SOCK_DGRAM], LO4],
  ['TCP/IPv6', [C.AF_INET6, C.SOCK_STREAM], LO6],
  ['Unix', [C.AF_UNIX, C.SOCK_STREAM], NAME],
] as const) {
  for (const [option, number] of [
    ['no option', undefined],
    ['SO_REUSEADDR', C.SO_REUSEADDR],
    ['SO_REUSEPORT', C.SO_REUSEPORT],
  ] as const) {
    const set = (socket: string): Written[] =>
      number === undefined ? [] : [['setsockopt', socket, C.SOL_SOCKET, number, 1]];
    add(
      `${binder}: a second one at the same place, ${option}`,
      ['open', 'a', domain, type, 0],
      set('a'),
      ['bind', 'a', place],
      ['open', 'b', domain, type, 0],
      set('b'),
      ['bind', 'b', { of: 'a' }],
      ['listen', 'a', 1],
      ['listen', 'b', 1],
      ['getsockname', 'b'],
    );
  }
}
for (const backlog of [-1, 0, 1, 4096, 0x7fffffff]) {
  add(`listen(${backlog})`, ['open', 's', C.AF_INET, C.SOCK_STREAM, 0], ['listen', 's', backlog]);
}
for (const port of [-1, 65536, 1.5]) {
  add(
    `port ${port}`,
    ['open', 's', C.AF_INET, C.SOCK_DGRAM, 0],
    ['bind', 's', v4('127.0.0.1', port)],
    ['sendto', 's', hex('x'), v4('127.0.0.1', port), 0],
  );
}

// --- connect, accept ------------------------------------------------------------------------------------

const closedPort = (domain: number, type: number, place: Place): Written[] => [
  ['open', 'gone', domain, type, 0],
  ['bind', 'gone', place],
];
for (const [what, [domain, type], place] of [
  ['TCP/IPv4', [C.AF_INET, C.SOCK_STREAM], LO4],
  ['TCP/IPv6', [C.AF_INET6, C.SOCK_STREAM], LO6],
  ['Unix stream', [C.AF_UNIX, C.SOCK_STREAM], NAME],
  ['Unix seqpacket', [C.AF_UNIX, C.SOCK_SEQPACKET], NAME],
] as const) {
  add(
    `connect ${what} where nobody listens`,
    closedPort(domain, type, place),
    ['open', 's', domain, type, 0],
    ['connect', 's', { of: 'gone' }],
    ['ready', 's', 'rw'],
    ['getpeername', 's'],
    ['listen', 'gone', 5],
    ['connect', 's', { of: 'gone' }],
    ['getpeername', 's'],
    ['connect', 's', { of: 'gone' }],
  );
  add(
    `connect ${what} to itself, listening, and twice`,
    closedPort(domain, type, place),
    ['listen', 'gone', 2],
    ['connect', 'gone', { of: 'gone' }],
    ['open', 's', domain, type, 0],
    ['connect', 's', { of: 'gone' }],
    ['listen', 's', 1],
    ['bind', 's', place],
    ['accept', 'gone', 'n'],
    ['getsockname', 'n'],
    ['getpeername', 's'],
    ['tryAccept', 'n', 'm'],
  );
}
for (const [what, type, place] of [
  ['a stream to a datagram socket', C.SOCK_STREAM, C.SOCK_DGRAM],
  ['a datagram socket to a stream', C.SOCK_DGRAM, C.SOCK_STREAM],
  ['a seqpacket to a stream', C.SOCK_SEQPACKET, C.SOCK_STREAM],
] as const) {
  add(
    `connect Unix: ${what}`,
    closedPort(C.AF_UNIX, place, NAME),
    ['listen', 'gone', 1],
    ['open', 's', C.AF_UNIX, type, 0],
    ['connect', 's', NAME],
    ['connect', 's', unix('\0nobody-%')],
    ['connect', 's', unix('/nobody-%')],
    ['connect', 's', unix('/etc/passwd')],
  );
}
for (const [what, domain, place] of [
  ['0.0.0.0', C.AF_INET, v4('0.0.0.0', 1)],
  ['the broadcast address', C.AF_INET, v4('255.255.255.255', 9)],
  ['a group', C.AF_INET, v4('224.0.0.1', 9)],
  ['a mapped address', C.AF_INET6, v6('::ffff:127.0.0.1', 1)],
  ['::', C.AF_INET6, v6('::', 1)],
  ['port 0', C.AF_INET, LO4],
] as const) {
  add(
    `connect to ${what}`,
    ['open', 't', domain, C.SOCK_STREAM, 0],
    ['connect', 't', place],
    // connect(2) of a datagram socket sends nothing.
    ['open', 'u', domain, C.SOCK_DGRAM, 0],
    ['connect', 'u', place],
    ['getpeername', 'u'],
  );
}
add(
  'dual stack: an IPv4 client of an IPv6 listener',
  ['open', 'l', C.AF_INET6, C.SOCK_STREAM, 0],
  ['setsockopt', 'l', C.IPPROTO_IPV6, C.IPV6_V6ONLY, 0],
  ['bind', 'l', v6('::ffff:127.0.0.1')],
  ['listen', 'l', 1],
  ['getsockname', 'l'],
  ['open', 'a', C.AF_INET6, C.SOCK_STREAM, 0],
  ['connect', 'a', { of: 'l' }],
  ['accept', 'l', 'b'],
  ['getsockname', 'b'],
  ['getpeername', 'a'],
);

// --- Data: every pair, every flag -----------------------------------------------------------------------

const FLAGS = [
  'MSG_OOB',
  'MSG_PEEK',
  'MSG_DONTROUTE',
  'MSG_CTRUNC',
  'MSG_PROXY',
  'MSG_TRUNC',
  'MSG_DONTWAIT',
  'MSG_EOR',
  'MSG_WAITALL',
  'MSG_FIN',
  'MSG_SYN',
  'MSG_CONFIRM',
  'MSG_RST',
  'MSG_ERRQUEUE',
  'MSG_NOSIGNAL',
  'MSG_MORE',
  'MSG_WAITFORONE',
] as const satisfies readonly (keyof Constants)[];

for (const [what, pair] of Object.entries(PAIRS)) {
  const isStream = what in STREAMS;
  add(
    `${what}: names`,
    pair,
    ['getsockname', 'a'],
    ['getpeername', 'a'],
    ['getsockname', 'b'],
    ['getpeername', 'b'],
    ['connect', 'a', { of: 'b' }],
  );
  for (const flag of FLAGS) {
    add(
      `${what}: send with ${flag}`,
      pair,
      ['send', 'a', hex('hello'), C[flag]],
      ['send', 'a', hex('end'), 0],
      // A stream's bytes come in pieces as they please; an urgent one is not among them.
      isStream && flag !== 'MSG_OOB'
        ? [['recvExactly', 'b', 8]]
        : [
            ['recv', 'b', 10, 0],
            ['tryRecv', 'b', 10, 0],
          ],
    );
    add(
      `${what}: recv with ${flag}`,
      pair,
      ['send', 'a', hex('hello'), 0],
      ['wait', 'b'],
      ['tryRecv', 'b', 3, C[flag]],
      ['tryRecv', 'b', 10, 0],
      ['tryRecv', 'b', 10, 0],
      ['ready', 'b', 'rw'],
    );
  }
  for (const sizes of [[100], [5], [3], [1, 2, 3, 4], [0], [0, 5]]) {
    add(
      `${what}: recvmsg into ${sizes.join('+')} bytes`,
      pair,
      ['sendmsg', 'a', [hex('he'), '', hex('llo')], null, 0],
      ['wait', 'b'],
      ['recvmsg', 'b', sizes, 0],
      ['tryRecv', 'b', 10, 0],
    );
  }
  for (const how of ['read', 'write', 'both']) {
    add(
      `${what}: shutdown ${how}`,
      pair,
      ['send', 'b', hex('before'), 0],
      ['wait', 'a'],
      ['shutdown', 'a', how],
      ['tryRecv', 'a', 3, 0],
      ['send', 'a', hex('x'), 0],
      ['ready', 'a', 'rwp'],
      ['tryRecv', 'a', 10, 0],
      ['shutdown', 'a', how],
      // MPTCP: see below.
      what === 'MPTCP'
        ? []
        : [
            ['shutdown', 'b', 'both'],
            ['shutdown', 'a', 'both'],
          ],
    );
  }
  // When MPTCP hears of its peer's end is the moment's: a worker of the kernel's closes its subflows.
  if (what !== 'MPTCP') {
    add(
      `${what}: a peer that is gone`,
      pair,
      ['send', 'b', hex('left behind'), 0],
      ['wait', 'a'],
      ['close', 'b'],
      ['ready', 'a', 'rw'],
      ['tryRecv', 'a', 100, 0],
      ['tryRecv', 'a', 100, 0],
      ['send', 'a', hex('x'), 0],
      ['wait', 'a'],
      ['tryRecv', 'a', 100, 0],
      ['send', 'a', hex('x'), 0],
      ['send', 'a', hex('x'), 0],
      ['getpeername', 'a'],
    );
  }
  add(
    `${what}: sendto with a name, where there is a peer already`,
    pair,
    ['sendto', 'a', hex('x'), { of: 'b' }, 0],
    ['wait', 'b'],
    ['recvmsg', 'b', [10], 0],
  );
  add(
    `${what}: nothing to read, nothing to send`,
    pair,
    ['ready', 'b', 'rwp'],
    ['tryRecv', 'b', 1, 0],
    ['tryRecv', 'b', 1, C.MSG_PEEK],
    ['send', 'a', '', 0],
    ['ready', 'b', 'r'],
    ['tryRecv', 'b', 1, 0],
  );
  add(
    `${what}: dup shares it`,
    pair,
    ['dup', 'b', 'c'],
    ['send', 'a', hex('one'), 0],
    ['wait', 'c'],
    ['tryRecv', 'c', 3, 0],
    ['close', 'b'],
    ['send', 'a', hex('two'), 0],
    ['recv', 'c', 3, 0],
    ['getsockname', 'c'],
  );
  for (const size of [1, 1472, 65_507, 65_508, 200_000]) {
    const sent: Written = ['send', 'a', '78'.repeat(size), 0];
    const received: Written[] = isStream
      ? [['recvExactly', 'b', Math.min(size, 65_508)]]
      : [
          ['ready', 'b', 'r'],
          ['recvmsg', 'b', [size], 0],
          ['getsockopt', 'a', C.SOL_SOCKET, C.SO_ERROR, 4],
        ];
    // How much of the largest a stream takes at once is the moment's.
    if (!isStream || size <= 65_508) add(`${what}: ${size} bytes at once`, pair, sent, received);
  }
  for (const [offset, length] of [
    [0, 10],
    [90, 100],
    [1000, 10],
    [0, 0],
  ]) {
    add(
      `${what}: sendfile of ${length} bytes at ${offset}`,
      pair,
      ['sendfile', 'a', offset, length],
      ['ready', 'b', 'r'],
      ['tryRecv', 'b', 1, C.MSG_PEEK],
    );
  }
  for (const kind of ['pid', 'pgrp']) {
    add(`${what}: owner, a ${kind}`, pair, ['owner', 'a', kind, true], ['owner', 'a', kind, false]);
  }
  const oob: Written[] = [
    ['send', 'a', hex('ab'), 0],
    ['send', 'a', hex('!'), C.MSG_OOB],
    ['send', 'a', hex('cd'), 0],
    ['wait', 'b'],
    ['sockatmark', 'b'],
    ['ready', 'b', 'rp'],
  ];
  add(
    `${what}: urgent, taken apart`,
    pair,
    oob,
    ['tryRecv', 'b', 1, C.MSG_OOB | C.MSG_PEEK],
    ['tryRecv', 'b', 1, C.MSG_OOB],
    ['tryRecv', 'b', 1, C.MSG_OOB],
    ['tryRecv', 'b', 10, 0],
    ['sockatmark', 'b'],
    ['tryRecv', 'b', 10, 0],
    ['sockatmark', 'b'],
  );
  add(
    `${what}: urgent, passed over`,
    pair,
    oob,
    ['tryRecv', 'b', 10, 0],
    ['tryRecv', 'b', 10, 0],
    ['tryRecv', 'b', 10, C.MSG_OOB],
    ['ready', 'b', 'rp'],
  );
  add(
    `${what}: urgent, inline`,
    pair,
    ['setsockopt', 'b', C.SOL_SOCKET, C.SO_OOBINLINE, 1],
    oob,
    ['tryRecv', 'b', 10, 0],
    ['sockatmark', 'b'],
    ['tryRecv', 'b', 1, C.MSG_OOB],
    ['tryRecv', 'b', 10, 0],
    ['tryRecv', 'b', 10, 0],
  );
  // UDP never says EAGAIN on loopback; a full TCP buffer has room again when an acknowledgment that was delayed comes.
  if (what.startsWith('Unix'))
    add(`${what}: full`, pair, ['fill', 'a', 1000], ['ready', 'a', 'w'], ['send', 'a', '00', 0]);
}

// --- Datagrams to anybody -------------------------------------------------------------------------------

for (const [what, domain, place] of [
  ['UDP/IPv4', C.AF_INET, LO4],
  ['UDP/IPv6', C.AF_INET6, LO6],
  ['Unix dgram', C.AF_UNIX, NAME],
] as const) {
  const sender: Written[] = [
    ['open', 'b', domain, C.SOCK_DGRAM, 0],
    ['bind', 'b', place],
    ['open', 'a', domain, C.SOCK_DGRAM, 0],
  ];
  add(
    `${what}: sendto, from nobody and from somebody`,
    sender,
    ['send', 'a', hex('x'), 0],
    ['sendto', 'a', hex('first'), { of: 'b' }, 0],
    ['recvmsg', 'b', [100], 0],
    ['sendmsg', 'a', [hex('se'), hex('cond')], { of: 'b' }, 0],
    ['recvmsg', 'b', [3], 0],
    ['sendto', 'a', '', { of: 'b' }, 0],
    ['recvmsg', 'b', [100], 0],
    ['recvmsg', 'b', [100], C.MSG_PEEK],
  );
  add(
    `${what}: to where nobody is`,
    sender,
    ['connect', 'a', { of: 'b' }],
    ['close', 'b'],
    ['send', 'a', hex('x'), 0],
    ['ready', 'a', 'rw'],
    ['getsockopt', 'a', C.SOL_SOCKET, C.SO_ERROR, 4],
    ['send', 'a', hex('x'), 0],
    ['send', 'a', hex('x'), 0],
    ['tryRecv', 'a', 1, 0],
  );
  add(
    `${what}: a connected one hears its peer alone`,
    sender,
    ['open', 'c', domain, C.SOCK_DGRAM, 0],
    ['bind', 'c', domain === C.AF_UNIX ? unix('\0c-%') : place],
    ['connect', 'b', { of: 'c' }],
    ['sendto', 'a', hex('stranger'), { of: 'b' }, 0],
    ['sendto', 'c', hex('peer'), { of: 'b' }, 0],
    ['recvmsg', 'b', [100], 0],
    ['tryRecv', 'b', 100, 0],
  );
}
add(
  'UDP: broadcast needs SO_BROADCAST',
  ['open', 's', C.AF_INET, C.SOCK_DGRAM, 0],
  ['sendto', 's', hex('x'), v4('127.255.255.255', 9), 0],
);

// --- Packets and netlink, on the loopback ---------------------------------------------------------------

const IP = 0x0800;
const swapped = ((IP & 0xff) << 8) | (IP >> 8);
for (const type of [C.SOCK_RAW, C.SOCK_DGRAM]) {
  add(
    `AF_PACKET type ${type}: bind to lo, names`,
    ['open', 's', C.AF_PACKET, type, 0],
    ['getsockname', 's'],
    ['bind', 's', { family: 'packet', interface: 1, protocol: IP }],
    ['getsockname', 's'],
    ['getpeername', 's'],
    ['listen', 's', 1],
    ['connect', 's', { of: 's' }],
    ['ready', 's', 'w'],
    ['open', 't', C.AF_PACKET, type, swapped],
    ['getsockopt', 't', C.SOL_PACKET, C.PACKET_VERSION, 4],
  );
}
for (const protocol of [C.NETLINK_ROUTE, C.NETLINK_GENERIC, C.NETLINK_KOBJECT_UEVENT, 31, 32]) {
  add(
    `AF_NETLINK protocol ${protocol}`,
    ['open', 's', C.AF_NETLINK, C.SOCK_RAW, protocol],
    ['getsockname', 's'],
    ['bind', 's', { family: 'netlink', pid: 0, groups: 1 }],
    ['getsockname', 's'],
    ['getpeername', 's'],
    ['connect', 's', { family: 'netlink', pid: 0, groups: 0 }],
    ['getpeername', 's'],
    ['sendto', 's', '00', { family: 'netlink', pid: 0x7ffffff0, groups: 0 }, 0],
    ['tryRecv', 's', 10, 0],
    ['listen', 's', 1],
  );
}

// --- Options: every number of the headers, on sockets of several kinds ----------------------------------

// The kernel's answer is another each time, makes a descriptor, or loads a module by the name that it is given; or it
// reads the value that it is asked for first, and Python hands it memory that nobody has written (IP_MSFILTER …).
const LEFT_OUT: readonly string[] = [
  'IP_MSFILTER',
  'MCAST_MSFILTER',
  'SO_COOKIE',
  'SO_INCOMING_CPU',
  'SO_INCOMING_NAPI_ID',
  'SO_MEMINFO',
  'SO_PEERCRED',
  'SO_PEERPIDFD',
  'SO_PEERNAME',
  'SO_ATTACH_BPF',
  'SO_ATTACH_REUSEPORT_EBPF',
  'SO_RCVBUFFORCE',
  'SO_SNDBUFFORCE',
  'TCP_CC_INFO',
  'TCP_CONGESTION',
  'TCP_INFO',
  'TCP_REPAIR',
  'TCP_TIMESTAMP',
  'TCP_ULP',
  'TCP_ZEROCOPY_RECEIVE',
];

/** The options whose names begin so, each number once; the headers' other names are numbers beyond them. */
function options(prefix: string, most: number): [name: string, number: number][] {
  const seen = new Map<number, string>();
  for (const [name, number] of Object.entries(C) as [keyof Constants, number][]) {
    if (!name.startsWith(prefix) || number < 1 || number > most) continue;
    if (/^SO_(EE|VM|TIMESTAMPING_)/.test(name)) continue;
    if (!seen.has(number) && !LEFT_OUT.includes(name)) seen.set(number, name);
  }
  for (const name of LEFT_OUT) {
    if (name.startsWith(prefix)) seen.delete(C[name as keyof Constants]);
  }
  return [...seen].map(([number, name]) => [name, number]);
}

const LEVELS: readonly (readonly [
  prefix: string,
  level: number,
  most: number,
  on: readonly string[],
])[] = [
  ['SO_', C.SOL_SOCKET, 90, ['TCP/IPv4', 'UDP/IPv6', 'Unix stream', 'Unix dgram']],
  ['TCP_', C.IPPROTO_TCP, 60, ['TCP/IPv4']],
  ['UDP_', C.IPPROTO_UDP, 110, ['UDP/IPv4']],
  ['IP_', C.IPPROTO_IP, 60, ['UDP/IPv4', 'TCP/IPv4', 'raw IPv4']],
  ['IPV6_', C.IPPROTO_IPV6, 90, ['UDP/IPv6', 'TCP/IPv6']],
];
for (const [prefix, level, most, kinds] of LEVELS) {
  for (const kind of kinds) {
    const [domain, type] = BINDERS[kind];
    for (const [name, number] of options(prefix, most)) {
      const get: Written = ['getsockopt', 's', level, number, 16];
      add(
        `${kind}: ${name}`,
        ['open', 's', domain, type, type === C.SOCK_RAW ? C.IPPROTO_ICMP : 0],
        get,
        ['getsockopt', 's', level, number, 1],
        ['setsockopt', 's', level, number, 1],
        get,
        ['setsockopt', 's', level, number, 0],
        get,
        ['setsockopt', 's', level, number, -1],
        get,
        ['setsockopt', 's', level, number, 70_000],
        get,
        ['setsockopt', 's', level, number, '01'],
        ['setsockopt', 's', level, number, ''],
      );
    }
  }
}
for (const level of [-1, 12_345, C.IPPROTO_TCP, C.IPPROTO_UDP, C.SOL_PACKET, C.SOL_NETLINK]) {
  add(
    `a level that is not its own: ${level}`,
    ['open', 's', C.AF_UNIX, C.SOCK_STREAM, 0],
    ['getsockopt', 's', level, 1, 4],
    ['setsockopt', 's', level, 1, 1],
    ['open', 's', C.AF_INET, C.SOCK_DGRAM, 0],
    ['getsockopt', 's', level, 1, 4],
    ['setsockopt', 's', level, 1, 1],
  );
}

export const CASES: readonly Case[] = table;
