// After `npm install` from a registry that carries the packages of this platform only (a partial
// mirror): npm leaves the other platforms' optional packages out of package-lock.json, and
// `npm ci` then refuses the lock. This puts them back, by what their names say.
//
//   node scripts/complete-lock.mjs

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './tools.mjs';

const systems = new Set('android darwin freebsd linux openharmony win32'.split(' '));
const processors = new Set('arm arm64 ia32 loong64 ppc64 riscv64 s390x x64'.split(' '));
const libraries = [
  [/^gnu|^glibc/, 'glibc'],
  [/^musl/, 'musl'],
];

/** `@scope/name-linux-arm64-musl` → { os: ['linux'], cpu: ['arm64'], libc: ['musl'] } */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const os = words.filter((word) => systems.has(word));
  const cpu = words.filter((word) => processors.has(word));
  if (os.length === 0 || cpu.length === 0) return undefined;
  const libc = libraries.filter(([pattern]) => words.some((word) => pattern.test(word)));
  const named = os.includes('linux') && libc.length > 0;
  return { os, cpu, libc: named ? libc.map(([, library]) => library) : undefined };
}

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const platform = platformOf(name);
    if (platform === undefined || `node_modules/${name}` in lock.packages) continue;
    const { dev, license, engines } = parent;
    const { cpu, libc, os } = platform;
    // In npm's order.
    const entry = { version, cpu, dev, libc, license, optional: true, os, engines };
    lock.packages[`node_modules/${name}`] = entry;
    console.log(`added ${name}@${version}`);
  }
}

const order = new Intl.Collator('en').compare;
const sorted = Object.entries(lock.packages).sort(([a], [b]) => order(a, b));
writeFileSync(
  file,
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
);
