// What a user gets: the packed tarball, installed in an empty folder, compiled against and run, by import and by
// require. Needs of the network what `npm ci` needs, and nothing where npm's cache has it.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './sources';

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
}

interface Lock {
  packages: Record<string, { dependencies?: Record<string, string> } | undefined>;
}

const json = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const manifest = json('package.json') as Manifest;
const lock = json('package-lock.json') as Lock;

let folder = '';

/** Runs a program in the user's folder; what it wrote. Fails with all that it wrote. */
function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${[program, ...args].join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

const tsc = (file: string): string =>
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', file]);

function write(name: string, content: unknown): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  writeFileSync(join(folder, name), text);
}

/** The entries of our own lock file for what `names` need, so that npm installs what was tested. */
function locked(names: readonly string[], found: Lock['packages'] = {}): Lock['packages'] {
  for (const name of names) {
    const place = `node_modules/${name}`;
    if (place in found) continue;
    found[place] = lock.packages[place];
    locked(Object.keys(found[place]?.dependencies ?? {}), found);
  }
  return found;
}

function install(): void {
  const output = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  // A list, or since npm 12 a map.
  const [{ filename }] = Object.values(
    JSON.parse(output) as Record<string, { filename: string }>,
  ) as [{ filename: string }];
  const { name, version, dependencies } = manifest;
  const tarball = `file:${filename}`;
  const packages = {
    '': { dependencies: { [name]: tarball } },
    [`node_modules/${name}`]: { ...manifest, version, resolved: tarball },
    ...locked(Object.keys(dependencies)),
  };
  write('package.json', { private: true, dependencies: { [name]: tarball } });
  write('package-lock.json', { lockfileVersion: 3, requires: true, packages });
  run('npm', ['ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** The tarball of a release carries this machine's addon; one packed from a clone has none yet. */
function addAddon(): void {
  const place = join(folder, `node_modules/eagain/prebuilds/${process.platform}-${process.arch}`);
  if (existsSync(place) && readdirSync(place).some((file) => file.endsWith('.node'))) return;
  mkdirSync(place, { recursive: true });
  copyFileSync(join(ROOT, 'build/Release/eagain.node'), join(place, 'eagain.node'));
}

function addTypes(): void {
  mkdirSync(join(folder, 'node_modules/@types'));
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
}

const CONVERSATION = `
  const path = '\\0eagain-user-' + process.pid;
  const server = await listen({ path });
  const client: StreamSocket = await connect({ path });
  const peer: StreamSocket = await server.accept();
  await client.write('hello');
  const chunk: Buffer | null = await peer.read();
  const udp = await bind({ host: '127.0.0.1' });
  const seen = firstValueFrom(udp.observe().pipe(map((message) => message.data.toString())));
  await udp.send('datagram', udp.localAddress);
  console.log(chunk?.toString(), await seen);
  await udp.close();
  client.abort();
  peer.abort();
  await server.close();
`;

const PROGRAMS = {
  'user.mts': `
    import { bind, connect, listen, type StreamSocket } from 'eagain';
    import { firstValueFrom, map } from 'rxjs';
    ${CONVERSATION}`,
  'user.cts': `
    import eagain = require('eagain');
    import rxjs = require('rxjs');
    type StreamSocket = eagain.StreamSocket;
    const { bind, connect, listen } = eagain;
    const { firstValueFrom, map } = rxjs;
    void (async () => {${CONVERSATION}})();`,
};

// Each line is an error: the types got here, and none of them is `any`.
const WRONG = `
  import { connect, listen } from 'eagain';
  const client = await connect({ path: '/run/x' });
  await client.receive();
  await connect({ type: 'raw', port: 1 });
  const wrong: number = await listen({ port: 0 });`;

const OPTIONS = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eagain-user-'));
  install();
  addAddon();
  addTypes();
  for (const [name, text] of Object.entries(PROGRAMS)) write(name, text);
  write('wrong.mts', WRONG);
  write('tsconfig.json', { compilerOptions: OPTIONS, files: Object.keys(PROGRAMS) });
  const noEmit = { ...OPTIONS, noEmit: true };
  write('tsconfig.wrong.json', { compilerOptions: noEmit, files: ['wrong.mts'] });
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the tarball installs with nothing beside it but what it names', () => {
  const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !/^[.@]/.test(name));
  const places = Object.keys(locked(Object.keys(manifest.dependencies)));
  const wanted = [...places.map((place) => place.slice('node_modules/'.length)), 'eagain'];
  expect(installed.sort()).toEqual(wanted.sort());
});

test('a program compiles against it, declarations checked, as an ES module and as CommonJS', () => {
  expect(tsc('tsconfig.json')).toBe('');
}, 60_000);

test('a wrong program does not compile', () => {
  expect(() => tsc('tsconfig.wrong.json')).toThrow(/receive[^]*raw[^]*number/);
}, 60_000);

test.each([
  ['import', 'user.mjs'],
  ['require', 'user.cjs'],
])(
  'it runs by %s',
  (_how, file) => {
    expect(existsSync(join(folder, file))).toBe(true);
    expect(run(process.execPath, [file])).toBe('hello datagram\n');
  },
  30_000,
);

test('both ways give one library', () => {
  write(
    'both.mjs',
    `
    import * as imported from 'eagain';
    import { createRequire } from 'node:module';
    const required = createRequire(import.meta.url)('eagain');
    console.log(Object.keys(required).every((name) => imported[name] === required[name]));`,
  );
  expect(run(process.execPath, ['both.mjs'])).toBe('true\n');
}, 30_000);

test('nothing of it points outside of its own folder', () => {
  expect(dirname(run(process.execPath, ['-p', "require.resolve('eagain')"]).trim())).toBe(
    join(folder, 'node_modules/eagain/dist'),
  );
});
