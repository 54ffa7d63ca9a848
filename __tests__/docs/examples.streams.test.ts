// The programs of examples/ that pass streams on: to TLS, to other processes, from a service manager.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { connect, listen, type StreamSocket } from '../../lib/index';
import { find, freePort } from '../real/support/programs';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { ROOT } from './document';

const folder = mkdtempSync(join(tmpdir(), 'eagain-examples-'));

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Clients that a test need not end itself. */
const clients: StreamSocket[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.abort()));

leavesNoSockets();

const program = (name: string): string => join(ROOT, `dist-examples/${name}.js`);

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it has printed once that matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Everything it has printed, when it has ended by SIGTERM. */
  end(): Promise<string>;
}

function run(command: string, ...args: string[]): Running {
  const child = spawn(command, args);
  let output = '';
  const news: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      news.splice(0).forEach((tell) => tell());
    });
  const exited = once(child, 'close');
  let gone = false;
  void exited.then(() => {
    gone = true;
    news.splice(0).forEach((tell) => tell());
  });
  return {
    child,
    async says(pattern): Promise<RegExpExecArray> {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        if (gone) throw new Error(output);
        await new Promise<void>((resolve) => news.push(resolve));
      }
    },
    async end(): Promise<string> {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      expect({ code, output }).toEqual({ code: 0, output });
      return output;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      // Its children may hold them too, and need not end.
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      await exited;
    },
  };
}

const portOf = async (running: Running): Promise<number> =>
  Number((await running.says(/listening on port (\d+)/))[1]);

async function textOf(stream: StreamSocket): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString();
  return text;
}

test.each(['tls-proxy', 'prefork-server', 'systemd-server'])(
  'example %s: --help says what it is',
  (name) => {
    const said = execFileSync(process.execPath, [program(name), '--help']).toString();
    expect(said).toMatch(new RegExp(`^${name}[ \n]`));
  },
);

const openssl = needs('openssl', find('openssl') !== undefined);

openssl('example tls-proxy', async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ');
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  await using target = await listen({ host: '127.0.0.1', port: 0 });
  await using proxy = run(
    process.execPath,
    program('tls-proxy'),
    ...['--port', '0', '--key', key, '--cert', cert],
    `127.0.0.1:${target.address.port}`,
  );
  const port = await portOf(proxy);
  const ca = readFileSync(cert);
  const client = tlsConnect({
    host: '127.0.0.1',
    port,
    ca,
    servername: 'localhost',
  });
  await once(client, 'secureConnect');
  expect(client.authorized).toBe(true);
  // Far more than either kernel holds, there and back.
  const sent = Buffer.alloc(8 << 20, 'there ');
  client.end(sent);
  const peer = await target.accept();
  const pump = async (): Promise<void> => {
    for await (const chunk of peer) await peer.write(chunk);
    await peer.close();
  };
  const pumping = pump();
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  await pumping;
  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  client.destroy();

  // Who does not speak TLS gets nowhere, and the others go on.
  const plain = await connect({ host: '127.0.0.1', port });
  await plain.write('GET / HTTP/1.0\r\n\r\n');
  const nobody = await target.accept();
  await nobody.read().catch(() => undefined);
  await proxy.says(/http request/);
  nobody.abort();
  plain.abort();
  const again = tlsConnect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
  await once(again, 'secureConnect');
  (await target.accept()).abort();
  again.on('error', () => undefined).destroy();
  expect(await proxy.end()).toMatch(/done\n$/);
});

test('example prefork-server: connections go round the workers, and a worker that dies is replaced', async () => {
  await using server = run(process.execPath, program('prefork-server'), '--port', '0');
  const port = await portOf(server);
  const worker = async (): Promise<{ pid: number; client: StreamSocket }> => {
    const client = await connect({ host: '127.0.0.1', port });
    clients.push(client);
    await client.write('hello');
    const answer = String(await client.read());
    const [, pid, text] = /^(\d+): (.*)$/.exec(answer)!;
    expect(text).toBe('hello');
    return { pid: Number(pid), client };
  };
  const both = [await worker(), await worker(), await worker()];
  const [one, other, again] = both.map(({ pid }) => pid);
  expect(other).not.toBe(one);
  expect(again).toBe(one);
  expect([one, other]).not.toContain(server.child.pid);
  // The worker alone has the connection: with it, its clients lose theirs.
  process.kill(one, 'SIGKILL');
  expect(await both[0].client.read().catch(() => null)).toBeNull();
  const more = [await worker(), await worker()];
  expect(more.map(({ pid }) => pid)).not.toContain(one);
  // A conversation goes on while the server ends.
  const ended = server.end();
  await both[1].client.write('still');
  expect(String(await both[1].client.read())).toBe(`${other}: still`);
  for (const client of clients) client.abort();
  expect(await ended).toMatch(/done\n$/);
});

const activate = find('systemd-socket-activate');
const systemd = needs('systemd-socket-activate', activate !== undefined);

systemd('example systemd-server: started by its first client, on TCP and on a path', async () => {
  const [port, path] = [await freePort(), join(folder, 'greetings')];
  await using manager = run(
    activate!,
    ...['-l', `127.0.0.1:${port}`, '-l', path, '--fdname=web:local'],
    process.execPath,
    program('systemd-server'),
  );
  await manager.says(/Listening on .*greetings as 4/);
  for (const [place, name] of [
    [{ host: '127.0.0.1', port }, 'web'],
    [{ path }, 'local'],
    [{ host: '127.0.0.1', port }, 'web'],
  ] as const) {
    const client = await connect(place);
    expect(await textOf(client)).toBe(`hello from ${name}\n`);
    await client.close();
  }
  await manager.says(/web: 127\.0\.0\.1/);
  expect(await manager.end()).toMatch(/done\n$/);
});

test('example systemd-server: without sockets it says so', () => {
  const { status, stderr } = ((): { status: number; stderr: Buffer } => {
    try {
      execFileSync(process.execPath, [program('systemd-server')], { stdio: 'pipe' });
    } catch (error) {
      return error as { status: number; stderr: Buffer };
    }
    throw new Error('it ended well');
  })();
  expect([status, stderr.toString()]).toEqual([1, expect.stringContaining('LISTEN_FDS')]);
});
