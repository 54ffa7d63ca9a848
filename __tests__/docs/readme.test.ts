// README.md's programs, as they stand, against dist/ under the name 'eagain'.

import { execFileSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectNet } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CAN_OPEN_RAW } from '../support/machine';
import { needs } from '../support/needs';
import { canDropCapabilities, WITHOUT_NET_RAW } from './capabilities';
import { brokenLinks, readDocument, type Block } from './document';
import { PATIENCE, Workshop } from './workshop';

const readme = readDocument('README.md');
const [echo, pipe, udp, records, ping] = readme.blocks.filter(({ language }) => language === 'js');

const workshop = new Workshop();
let complaints: string;

beforeAll(async () => {
  complaints = await workshop.compile(readme);
}, PATIENCE);

afterAll(() => {
  workshop.close();
});

/** Starts the echo server on a port of the kernel's choice, and tells which. */
async function startEcho(): Promise<{ server: ChildProcess; port: number }> {
  const server = workshop.start(echo, { PORT: '0' });
  for await (const line of server.stdout!) {
    const port = /port: (\d+)/.exec(String(line))?.[1];
    if (port !== undefined) return { server, port: Number(port) };
  }
  throw new Error('the echo server ended');
}

async function ended(block: Block, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await workshop.run(block, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('readme: five programs, which the compiler accepts', () => {
  expect(ping).toBeDefined();
  expect(complaints).toBe('');
});

test('readme: its links lead somewhere', () => {
  expect(brokenLinks(readme)).toEqual([]);
});

test('readme: two commands, each one line that does all its set-up', () => {
  const [start, tests] = readme.blocks.filter(({ language }) => language === 'sh');
  const clone = 'git clone https://github.com/eagain/eagain && cd eagain && npm ci';
  expect(start.code).toBe(`${clone} && npm start\n`);
  expect(tests.code).toBe(`${clone} && npm test\n`);
});

test('readme: the echo server echoes, to several clients', async () => {
  const { server, port } = await startEcho();
  try {
    const replies = ['a', 'b', 'c'].map(async (word) => {
      const client = connectNet({ port, host: '127.0.0.1', allowHalfOpen: true });
      client.end(word);
      return text(client);
    });
    expect(await Promise.all(replies)).toEqual(['a', 'b', 'c']);
  } finally {
    server.kill();
  }
});

test('readme: a file comes back through the pipe as it went', async () => {
  const { server, port } = await startEcho();
  const [file, copy] = ['file', 'copy'].map((name) => join(workshop.directory, name));
  writeFileSync(file, randomBytes(5_000_000));
  try {
    const said = await ended(pipe, file, '127.0.0.1', String(port), copy);
    expect(said).toBe('5000000 bytes there, 5000000 bytes back\n');
    expect(readFileSync(copy).equals(readFileSync(file))).toBe(true);
  } finally {
    server.kill();
  }
});

test('readme: the Observable of datagrams gives the two hot ones', async () => {
  const [first, second, ...rest] = (await ended(udp)).trim().split(/\n(?=\d)/);
  expect(first).toMatch(/^33 °C from \{ family: 'IPv4', address: '127\.0\.0\.1', port: \d+ \}$/);
  expect(second).toMatch(
    /^35\.2 °C from \{ family: 'IPv4', address: '127\.0\.0\.1', port: \d+ \}$/,
  );
  expect(rest).toEqual([]);
});

test('readme: records keep their edges, and the empty one is not the end', async () => {
  expect(await ended(records)).toBe('10 one record\n0 \n26 a third, sent right behind\nthe end\n');
});

needs('CAP_NET_RAW', CAN_OPEN_RAW)('readme: the ping is answered', async () => {
  expect(await ended(ping)).toMatch(
    /^reply from \{ family: 'IPv4', address: '127\.0\.0\.1', port: \d+ \} after \d+\.\d{3} ms\n$/,
  );
});

needs('setpriv', canDropCapabilities())(
  'readme: without CAP_NET_RAW the ping says what is missing',
  () => {
    const command = [...WITHOUT_NET_RAW, process.execPath, workshop.program(ping)];
    expect(() => execFileSync('setpriv', command, { stdio: 'pipe' })).toThrow(
      /EPERM: raw and packet sockets need CAP_NET_RAW.*setcap cap_net_raw/,
    );
  },
);
