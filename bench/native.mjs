// The C programs: compiled on first use into .cache/, once for each version of their sources.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, 'native');
const CACHE = join(import.meta.dirname, '.cache');
const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra'];
const PROGRAMS = {
  client: (name) => name.startsWith('client') || name === 'window.c',
  server: (name) => name.startsWith('server'),
};

export const compiler = process.env.CC ?? 'cc';

/** @param {'client' | 'server'} program */
function build(program) {
  const files = readdirSync(SOURCES).filter(PROGRAMS[program]).sort();
  const hash = createHash('sha256').update([compiler, ...FLAGS].join(' '));
  for (const file of files) hash.update(readFileSync(join(SOURCES, file)));
  const binary = join(CACHE, `${program}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  mkdirSync(CACHE, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.c')).map((file) => join(SOURCES, file));
  execFileSync(compiler, [...FLAGS, '-o', `${binary}.${process.pid}`, ...sources], {
    stdio: 'inherit',
  });
  renameSync(`${binary}.${process.pid}`, binary);
  return binary;
}

/** Paths of the compiled client and server. */
export function buildNative() {
  return { client: build('client'), server: build('server') };
}
