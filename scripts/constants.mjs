// Reads every constant of the sockets chapter out of this platform's headers and writes down their names:
// addon/sys/constants.inc (each taken only where the compiler's headers have it) and
// lib/native/constants.ts (so that TypeScript knows the names). The numbers come from the headers at compile time.
// Run after a change of HEADERS or PREFIXES:  node scripts/constants.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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
const NEVER = /^(SOCK_(CLOEXEC|NONBLOCK)_|TCP_CA_|.*_H$|SIOCDEVPRIVATE_|(AI|NI)_IDN_)/;

const includes = [...readFileSync(table, 'utf8').matchAll(/^#include <.+>$/gm)]
  .map((m) => m[0])
  .join('\n');
const compile = (args, input) =>
  execFileSync(compiler, ['-std=c++17', '-x', 'c++', ...args, '-'], {
    input,
    encoding: 'utf8',
    stdio: 'pipe',
  });

const names = [...compile(['-dM', '-E'], includes).matchAll(/^#define ([A-Z][A-Z0-9_]*) +\S/gm)]
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
function numbers(candidates) {
  const probe = (list) =>
    `${includes}\n${list.map((n) => `static_assert(static_cast<double>(${n}) == static_cast<long long>(${n}), "");`).join('\n')}\n`;
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

const constants = numbers(names);
writeFileSync(
  join(root, 'addon/sys/constants.inc'),
  `// Written by scripts/constants.mjs: names only, the numbers are the headers'.\n${constants.map((name) => `#ifdef ${name}\nCONSTANT(${name})\n#endif\n`).join('')}`,
);
writeFileSync(
  join(root, 'lib/native/constants.ts'),
  `// Written by scripts/constants.mjs: the names that the headers of Linux define. Numbers come from the\n// headers that the addon was compiled with; a name that those lack is undefined.\n\nexport interface Constants {\n${constants.map((name) => `  readonly ${name}: number;`).join('\n')}\n}\n`,
);
console.log(`${constants.length} constants of ${names.length} candidates`);
