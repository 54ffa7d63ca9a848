// The programs of examples/, each in a process of its own, over dist/: what they say, what they do, and how they end.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect, listen } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { ROOT } from './document';

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale', 'examples']);
}, 60_000);

leavesNoSockets();

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly child: ChildProcess;
  /** Everything it has printed, when it has ended by SIGTERM. */
  end(): Promise<string>;
}

async function run(name: string, ...args: string[]): Promise<Running> {
  const file = join(ROOT, `dist-examples/${name}.js`);
  const child = spawn(process.execPath, [file, '--port', '0', ...args]);
  let output = '';
  const exited = once(child, 'close');
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listening on port (\d+)/.exec(output)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    void exited.then(() => reject(new Error(output)));
  });
  return {
    port,
    child,
    async end(): Promise<string> {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      expect(code).toBe(0);
      return output;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test.each(['echo-server', 'static-http-server', 'port-forwarder', 'chat-server'])(
  'example %s: --help says what it is',
  (name) => {
    const file = join(ROOT, `dist-examples/${name}.js`);
    const said = execFileSync(process.execPath, [file, '--help']).toString();
    expect(said).toMatch(new RegExp(`^${name} `));
  },
);

test('example echo-server', async () => {
  await using program = await run('echo-server');
  const client = await connect({ host: '127.0.0.1', port: program.port });
  await client.write('again');
  expect((await client.readExactly(5)).toString()).toBe('again');
  await client.close();
  expect(await program.end()).toMatch(/done\n$/);
});

test('example static-http-server', async () => {
  await using program = await run('static-http-server', ROOT);
  const fetched = async (path: string): Promise<[number | undefined, string]> => {
    const asked = get({ host: '127.0.0.1', port: program.port, path, agent: false });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return [response.statusCode, text];
  };
  const [status, text] = await fetched('/package.json');
  expect([status, (JSON.parse(text) as { name: string }).name]).toEqual([200, 'eagain']);
  expect(await fetched('/nothing')).toEqual([404, '']);
  expect(await fetched('/..%2f..%2fetc/passwd')).toEqual([404, '']);
  expect(await program.end()).toMatch(/done\n$/);
});

test('example port-forwarder', async () => {
  await using target = await listen({ host: '127.0.0.1', port: 0 });
  await using program = await run('port-forwarder', `127.0.0.1:${target.address.port}`);
  const client = await connect({ host: '127.0.0.1', port: program.port });
  await client.write('there');
  const peer = await target.accept();
  expect((await peer.readExactly(5)).toString()).toBe('there');
  await client.end();
  expect(await peer.read()).toBeNull();
  await peer.write('and back');
  await peer.end();
  expect((await client.readExactly(8)).toString()).toBe('and back');
  expect(await client.read()).toBeNull();
  await Promise.all([client.close(), peer.close()]);
  expect(await program.end()).toMatch(/done: 13 bytes\n$/);
});

test('example chat-server', async () => {
  await using program = await run('chat-server');
  const place = { host: '127.0.0.1', port: program.port };
  const [one, other] = [await connect(place), await connect(place)];
  let heard = '';
  const hear = async (words: string): Promise<void> => {
    while (!heard.includes(words)) heard += String(await other.read());
  };
  // A connection that is in the backlog still hears nothing.
  await hear(`${other.localAddress.port} is here\n`);
  await one.write('hello\n');
  await hear(': hello\n');
  one.abort();
  other.abort();
  expect(await program.end()).toMatch(/done\n$/);
});
