// The programs of examples/, each in a process of its own, over dist/: what they say, what they do, and how they end.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, listen } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, runExample, startServer } from '../support/examples';
import { ROOT } from './document';

buildsExamples();

leavesNoSockets();

test.each(['echo-server', 'static-http-server', 'port-forwarder', 'chat-server'])(
  'example %s: --help says what it is',
  async (name) => {
    const { code, stdout } = await runExample(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${name} `));
  },
);

test('example echo-server', async () => {
  await using program = await startServer('echo-server');
  const client = await connect({ host: '127.0.0.1', port: program.port });
  await client.write('again');
  expect((await client.readExactly(5)).toString()).toBe('again');
  await client.close();
  expect(await program.end()).toMatch(/done\n$/);
});

test('example static-http-server', async () => {
  await using program = await startServer('static-http-server', [ROOT]);
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
  await using program = await startServer('port-forwarder', [`127.0.0.1:${target.address.port}`]);
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
  await using program = await startServer('chat-server');
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
