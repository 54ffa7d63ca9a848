// Reads every constant of the sockets chapter out of this platform's headers and writes down their names:
// addon/sys/constants.inc (each taken only where the compiler's headers have it) and
// lib/native/constants.ts (so that TypeScript knows the names). The numbers come from the headers at compile time,
// but for those of addon/sys/constants_newer.inc, which the headers of constants.cc cannot give: see NEWER, ASIDE
// and ENUMERATORS.
// Run after a change of one of the lists:  node scripts/constants.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const table = join(root, 'addon/sys/constants.cc');
const compiler = process.env.CXX ?? 'g++';

const PREFIXES = [
  'AF',
  'PF',
  'SOCK',
  'IPPROTO',
  'SOL',
  'SO',
  'TCP',
  'UDP',
  'UDPLITE',
  'IP',
  'IPV6',
  'MSG',
  'SHUT',
  'SCM',
  'MCAST',
  'PACKET',
  'FANOUT',
  'ETH_P',
  'ETH',
  'ARPHRD',
  'NETLINK',
  'NLM_F',
  'NLMSG',
  'RTMGRP',
  'VMADDR',
  'VM_SOCKETS',
  'SIOC',
  'FIO',
  'ICMP',
  'ICMP6',
  'ND',
  'MLD',
  'AI',
  'NI',
  'EAI',
  'IFF',
  'POLL',
  'MPTCP',
  'SOF',
  'SO_EE',
  'SK_MEMINFO',
  'BPF',
  'SKF',
  'TP_STATUS',
  'IPTOS',
  'INADDR',
  'IPPORT',
];
const EXACT = [
  'SOMAXCONN',
  'O_ASYNC',
  'O_NONBLOCK',
  'F_SETOWN',
  'F_GETOWN',
  'F_SETSIG',
  'F_GETSIG',
  'F_SETOWN_EX',
  'F_GETOWN_EX',
  'IFNAMSIZ',
  'IOV_MAX',
];
// Not numbers, or traps: macros that only make sense inside the headers.
const NEVER = /^(SOCK_(CLOEXEC|NONBLOCK)_|TCP_CA_|(?!BPF_H$).*_H$|SIOCDEVPRIVATE_|(AI|NI)_IDN_)/;

// What kernels up to 6.18 have and the headers of Debian 12 (6.1) do not. Where the headers have one, theirs
// counts. The SO_ numbers are asm-generic's: those of every architecture that Node runs on but MIPS and PA-RISC.
const NEWER = {
  SO_PASSPIDFD: 76,
  SO_PEERPIDFD: 77,
  SO_DEVMEM_LINEAR: 78,
  SO_DEVMEM_DMABUF: 79,
  SO_DEVMEM_DONTNEED: 80,
  SCM_TS_OPT_ID: 81,
  SO_RCVPRIORITY: 82,
  SO_PASSRIGHTS: 83,
  SO_INQ: 84,
  SCM_SECURITY: 3,
  SCM_PIDFD: 4,
  SCM_INQ: 84,
  TCP_AO_ADD_KEY: 38,
  TCP_AO_DEL_KEY: 39,
  TCP_AO_INFO: 40,
  TCP_AO_GET_KEYS: 41,
  TCP_AO_REPAIR: 42,
  TCP_IS_MPTCP: 43,
  TCP_RTO_MAX_MS: 44,
  TCP_RTO_MIN_US: 45,
  TCP_DELACK_MAX_US: 46,
  TCP_MD5SIG_FLAG_IFINDEX: 2,
  IP_LOCAL_PORT_RANGE: 51,
  IP_PROTOCOL: 52,
  MPTCP_FULL_INFO: 4,
  PACKET_VNET_HDR_SZ: 24,
  PACKET_FANOUT_FLAG_IGNORE_OUTGOING: 0x4000,
  SOL_MPTCP: 284,
  SOL_UDPLITE: 136,
  SOL_VSOCK: 287,
  UDPLITE_SEND_CSCOV: 10,
  UDPLITE_RECV_CSCOV: 11,
  SOF_TIMESTAMPING_OPT_ID_TCP: 1 << 16,
  SOF_TIMESTAMPING_OPT_RX_FILTER: 1 << 17,
  SOF_TIMESTAMPING_TX_COMPLETION: 1 << 18,
};
// The kernel's headers that cannot be included beside the C library's.
const ASIDE = ['linux/icmp.h', 'linux/socket.h', 'linux/tcp.h', 'linux/udp.h'];
// Enumerators, which the preprocessor does not know.
const ENUMERATORS = /\bSOF_(?:TIMESTAMPING|TXTIME)_(?!\w*(?:LAST|MASK))[A-Z_]+\b(?=\s*=)/g;

const includes = [...readFileSync(table, 'utf8').matchAll(/^#include <.+>$/gm)]
  .map((m) => m[0])
  .join('\n');
const compile = (args, input) =>
  execFileSync(compiler, ['-std=c++17', '-x', 'c++', ...args, '-'], {
    input,
    encoding: 'utf8',
    stdio: 'pipe',
  });

const macros = (headers) =>
  [...compile(['-dM', '-E'], headers).matchAll(/^#define ([A-Z][A-Z0-9_]*) +\S/gm)]
    .map((m) => m[1])
    .filter(
      (name) =>
        EXACT.includes(name) ||
        /^E[A-Z0-9]+$/.test(name) ||
        PREFIXES.some(
          (prefix) =>
            name.startsWith(`${prefix}_`) ||
            (name.startsWith('SIOC') && prefix === 'SIOC') ||
            (name.startsWith('FIO') && prefix === 'FIO') ||
            (name.startsWith('POLL') && prefix === 'POLL'),
        ),
    )
    .filter((name) => !NEVER.test(name))
    .sort();

// A name stays if it is a whole number, known at compile time.
function numbers(candidates, headers = includes) {
  const probe = (list) =>
    `${headers}\n${list.map((n) => `static_assert(static_cast<double>(${n}) == static_cast<long long>(${n}), "");`).join('\n')}\n`;
  const good = (list) => {
    try {
      compile(['-fsyntax-only', '-w'], probe(list));
      return list;
    } catch {
      if (list.length === 1) return [];
      const half = list.length >> 1;
      return [...good(list.slice(0, half)), ...good(list.slice(half))];
    }
  };
  return good(candidates);
}

/** What a program says that prints the values of `list`. */
function values(list, headers) {
  const directory = mkdtempSync(join(tmpdir(), 'eagain-constants-'));
  try {
    const program = join(directory, 'print');
    const lines = list.map((name) => `  printf("%lld\\n", (long long)(${name}));`).join('\n');
    compile(['-w', '-o', program], `${headers}\n#include <stdio.h>\nint main() {\n${lines}\n}\n`);
    const printed = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    return Object.fromEntries(list.map((name, i) => [name, Number(printed[i])]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The numbers of NEWER, of the headers that are ASIDE, and of ENUMERATORS. */
function newer(own) {
  const found = { ...NEWER };
  for (const header of ASIDE) {
    const include = `#include <${header}>`;
    const others = numbers(macros(include), include).filter((name) => !own.has(name));
    if (others.length > 0) Object.assign(found, values(others, include));
  }
  const enumerators = new Set(compile(['-E'], includes).match(ENUMERATORS));
  return Object.assign(found, values([...enumerators], includes));
}

const names = macros(includes);
const own = numbers(names);
const added = newer(new Set(own));
const constants = [...new Set([...own, ...Object.keys(added)])].sort();
writeFileSync(
  join(root, 'addon/sys/constants_newer.inc'),
  `// Written by scripts/constants.mjs: what the headers of constants.cc may lack, and enumerators as macros.\n${Object.keys(
    added,
  )
    .sort()
    .map((name) => `#ifndef ${name}\n#define ${name} ${added[name]}\n#endif\n`)
    .join('')}`,
);
writeFileSync(
  join(root, 'addon/sys/constants.inc'),
  `// Written by scripts/constants.mjs: names only, the numbers are the headers'.\n${constants.map((name) => `#ifdef ${name}\nCONSTANT(${name})\n#endif\n`).join('')}`,
);
writeFileSync(
  join(root, 'lib/native/constants.ts'),
  `// Written by scripts/constants.mjs: the names that the headers of Linux define. Numbers come from the\n// headers that the addon was compiled with; a name that those lack is undefined.\n\n/** The numbers of the platform's headers, by their names: those that the headers of the build had. */\nexport interface Constants {\n${constants.map((name) => `  readonly ${name}: number;`).join('\n')}\n}\n`,
);
console.log(`${constants.length} constants of ${names.length} candidates`);
