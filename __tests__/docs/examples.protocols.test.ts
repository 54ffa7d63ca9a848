// The programs of examples/ that speak somebody's protocol, with each other and with bytes written by hand. With other
// people's servers and clients: __tests__/real/.

import { writeFileSync } from 'node:fs';
import { connect } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, runExample, startExample, startServer } from '../support/examples';
import { temporaryFolder } from '../support/names';

buildsExamples();
leavesNoSockets();
const place = temporaryFolder();

test.each(['dns-client', 'dns-server', 'dogstatsd', 'mdns-browser', 'syslog-daemon'])(
  'example %s: --help says what it is',
  async (name) => {
    const { code, stdout } = await runExample(name, '--help');
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${name} `))]);
  },
);

test('examples dns-server and dns-client', async () => {
  const zone = place('zone');
  const records = ['test 9 SOA ns.test admin.test 1', 'a.test 9 A 127.0.0.7'];
  const many = Array.from({ length: 50 }, (_, i) => `many.test 9 TXT number ${i}`);
  writeFileSync(zone, [...records, ...many].join('\n'));
  await using server = await startServer('dns-server', [zone]);
  const ask = (...args: string[]): ReturnType<typeof runExample> =>
    runExample('dns-client', '--port', String(server.port), ...args);
  const [one, none, cut] = await Promise.all([
    ask('a.test'),
    ask('b.test'),
    ask('many.test', 'TXT'),
  ]);
  expect(one).toEqual({ code: 0, stdout: 'a.test 9 A 127.0.0.7\n', stderr: '' });
  expect(none).toEqual({ code: 1, stdout: '', stderr: 'no such name\n' });
  // 50 do not go into 512 bytes: this was over TCP.
  expect(cut.stdout.match(/TXT "number \d+"/g)).toHaveLength(50);
  expect(await server.end()).toMatch(/done\n$/);
});

test('example dns-client: nobody listens', async () => {
  const { code, stderr } = await runExample('dns-client', '--port', '1', 'a.test');
  expect([code, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
});

// What was sent may be spread over several intervals.
const counted =
  (key: string, total: number) =>
  (output: string): true | null => {
    const lines = output.split('\n').filter((line) => line.startsWith(`${key} c `));
    const sum = lines.reduce((before, line) => before + Number(line.split(' c ')[1]), 0);
    return sum === total ? true : null;
  };

test('example dogstatsd: both ends, over UDP and over a Unix socket', async () => {
  const path = place('statsd');
  await using server = await startServer('dogstatsd', [
    'server',
    '--path',
    path,
    '--interval',
    '0.2',
  ]);
  const port = String(server.port);
  const send = (...args: string[]): ReturnType<typeof runExample> =>
    runExample('dogstatsd', 'send', ...args);
  // The queue of a Unix socket has room for a few of 1000; the sender waits, and none is lost.
  const ended = await Promise.all([
    send('--path', path, '--times', '1000', 'requests', '1'),
    send('--port', port, '--times', '10', '--tag', 'b:2', '--tag', 'a:1', 'requests', '3'),
    send('--port', port, 'depth', '7', 'g'),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  await server.said(counted('requests', 1000));
  await server.said(counted('requests{a:1,b:2}', 30));
  await server.said(/^depth g 7$/m);
  expect(await server.end()).toMatch(/done\n$/);
  // Nobody is there any more, and no send fails for it.
  expect(await send('--port', port, '--times', '1000', 'requests', '1')).toMatchObject({
    code: 0,
    stderr: '',
  });
});

test('example dogstatsd: metrics of every type, several in a datagram, and what is none', async () => {
  await using server = await startServer('dogstatsd', ['server', '--interval', '0.2']);
  await using client = await connect({ type: 'dgram', host: '127.0.0.1', port: server.port });
  const broken = [
    'nothing',
    'a|c',
    ':1|c',
    'a:x|c',
    'a:|g',
    'a:1|q',
    'a:1|constructor',
    'a:1|c|@0',
  ];
  await client.send('');
  await client.send([...broken, '\0'].join('\n'));
  await client.send('c:1|c|@0.1\nc:1:2|c\ng:1|g\ng:-2.5|g|#x:y\nusers:a|s\nusers:b|s\nusers:a|s\n');
  await client.send(`took:${Array.from({ length: 100 }, (_, i) => i + 1).join(':')}|ms`);
  await server.said(/^9 not understood$/m);
  await server.said(/^c c 13\ng g 1\ng\{x:y\} g -2.5\n(took .*\n)?users s 2 different$/m);
  await server.said(/^took ms 100 values, median 50, 95 % 95, most 100$/m);
  await server.end();
});

test('example syslog-daemon', async () => {
  const path = place('log');
  await using daemon = startExample('syslog-daemon', ['--path', path, '--least', 'notice']);
  await daemon.said(/listening/);
  await using client = await connect({ type: 'dgram', path });
  await client.send('<34>Oct 11 22:14:15 su[12]: failed for lonvick\n');
  await client.send('<15>too unimportant: a debug message');
  await client.send('no priority, no tag');
  await client.send('');
  await client.send('<992>beyond: all facilities\0');
  const who = `(pid ${process.pid}, uid ${process.getuid!()})`;
  await daemon.said(/beyond/);
  expect((await daemon.end()).split('\n')).toEqual([
    `listening on ${path}`,
    `auth.crit su ${who}: failed for lonvick`,
    `user.notice - ${who}: no priority, no tag`,
    `user.notice - ${who}: `,
    `124.emerg beyond ${who}: all facilities`,
    `-- 1 emerg, 1 crit, 2 notice, 1 debug`,
    'done',
    '',
  ]);
});

test('example syslog-daemon: takes the place of one that was killed', async () => {
  const path = place('killed');
  for (const text of ['before', 'after']) {
    await using daemon = startExample('syslog-daemon', ['--path', path]);
    await daemon.said(/listening/);
    await using client = await connect({ type: 'dgram', path });
    await client.send(`<13>test: ${text}`);
    await daemon.said(new RegExp(`user.notice test .*: ${text}`));
  }
});
