// DNS: dig asks the server of examples/, our client asks dnsmasq, and dnsmasq asks our server for somebody else.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decode, encode } from 'dns-packet';
import { connect } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, runExample, startServer } from '../support/examples';
import { needs } from '../support/needs';
import { find, folder, freePort, startServer as startForeign } from './support/programs';

const [dig, dnsmasq] = [find('dig'), find('dnsmasq')];
const withDig = needs('dig', dig !== undefined);
const withDnsmasq = needs('dnsmasq', dnsmasq !== undefined);
const withBoth = needs('dig and dnsmasq', dig !== undefined && dnsmasq !== undefined);

buildsExamples();
leavesNoSockets();
const data = folder();

const MANY = Array.from({ length: 60 }, (_, i) => `127.0.1.${i + 1}`);
const ZONE = `
example.test      300 SOA   ns.example.test admin.example.test 7
example.test      300 NS    ns.example.test
example.test      300 MX    10 mail.example.test
ns.example.test   300 A     127.0.0.1
www.example.test  300 A     127.0.0.2
www.example.test  300 A     127.0.0.3
www.example.test  300 AAAA  ::2
web.example.test  300 CNAME www.example.test
text.example.test 300 TXT   some words; and no comment
_sip._udp.example.test 300 SRV 1 2 5060 www.example.test
${MANY.map((address) => `many.example.test 60 A ${address}`).join('\n')}
`;

function ours(): ReturnType<typeof startServer> {
  const file = join(data, 'zone');
  writeFileSync(file, ZONE);
  return startServer('dns-server', [file]);
}

/** What dig prints. The server goes first: before it, dig asks the system's. */
async function ask(port: number, ...args: string[]): Promise<string> {
  const given = ['-r', '@127.0.0.1', '-p', String(port), '+tries=1', '+timeout=5', ...args];
  return (await promisify(execFile)(dig!, given)).stdout;
}

const short = async (port: number, ...args: string[]): Promise<string[]> =>
  (await ask(port, '+short', ...args)).trim().split('\n').sort();

withDig('dns: dig asks our server for records of every kind', async () => {
  await using server = await ours();
  const { port } = server;
  expect(await short(port, 'www.example.test', 'A')).toEqual(['127.0.0.2', '127.0.0.3']);
  expect(await short(port, 'WWW.Example.Test', 'AAAA')).toEqual(['::2']);
  expect(await short(port, 'example.test', 'MX')).toEqual(['10 mail.example.test.']);
  expect(await short(port, 'text.example.test', 'TXT')).toEqual(['"some words"']);
  expect(await short(port, '_sip._udp.example.test', 'SRV')).toEqual([
    '1 2 5060 www.example.test.',
  ]);
  expect(await short(port, 'web.example.test', 'A')).toEqual([
    '127.0.0.2',
    '127.0.0.3',
    'www.example.test.',
  ]);
  const whole = await ask(port, 'www.example.test', 'A');
  expect(whole).toMatch(/status: NOERROR/);
  expect(whole).toMatch(/flags: qr aa rd;/);
  expect(whole).toMatch(/EDNS: version: 0, .*udp: 1232/);
  expect(await server.end()).toMatch(/done\n$/);
});

withDig('dns: our server says what there is not, and what is not its own', async () => {
  await using server = await ours();
  const { port } = server;
  const missing = await ask(port, 'no.example.test', 'A');
  expect(missing).toMatch(/status: NXDOMAIN/);
  expect(missing).toMatch(/AUTHORITY: 1/);
  expect(missing).toMatch(/SOA\s+ns\.example\.test\. admin\.example\.test\. 7 /);
  expect(await ask(port, 'ns.example.test', 'AAAA')).toMatch(/status: NOERROR[^]*ANSWER: 0/);
  // A name without records of its own, but with names below it, exists (RFC 8020).
  expect(await ask(port, '_udp.example.test', 'A')).toMatch(/status: NOERROR/);
  expect(await ask(port, 'elsewhere.test', 'A')).toMatch(/status: REFUSED/);
  expect(await ask(port, '+opcode=NOTIFY', 'example.test', 'SOA')).toMatch(/status: NOTIMP/);
  await server.end();
});

withDig('dns: an answer too long for a datagram is cut, and whole over TCP', async () => {
  await using server = await ours();
  const { port } = server;
  const cut = await ask(port, '+noedns', '+ignore', 'many.example.test', 'A');
  expect(cut).toMatch(/flags: qr aa tc rd;[^]*ANSWER: 0/);
  const again = await ask(port, '+noedns', 'many.example.test', 'A');
  expect(again).toMatch(/Truncated, retrying in TCP mode/);
  expect(again.match(/\sA\s+127\.0\.1\.\d+/g)).toHaveLength(MANY.length);
  // Two questions on one connection.
  const two = ['+tcp', '+keepopen', 'www.example.test', 'A', 'ns.example.test', 'A'];
  expect(await short(port, ...two)).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  await server.end();
});

withDig('dns: what is no question ends nothing and gets no answer, or a format error', async () => {
  await using server = await ours();
  const { port } = server;
  await using udp = await connect({ type: 'dgram', host: '127.0.0.1', port });
  const answer = encode({ type: 'response', id: 1, questions: [{ name: 'a.test', type: 'A' }] });
  const broken = Buffer.concat([Buffer.from([0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.of(63)]);
  for (const bad of [Buffer.alloc(0), Buffer.alloc(11), answer, Buffer.alloc(65_000, 255), broken])
    await udp.send(bad);
  const first = decode((await udp.receive({ timeout: 5000 })).data);
  expect(first).toMatchObject({ id: 9, rcode: 'FORMERR' });
  await using tcp = await connect({ host: '127.0.0.1', port });
  await tcp.write(Buffer.of(0, 3, 1, 2, 3));
  expect(await tcp.read({ timeout: 5000 })).toBeNull();
  expect(await short(port, 'ns.example.test', 'A')).toEqual(['127.0.0.1']);
  await server.end();
});

/** dnsmasq with what `lines` say, and nothing of this machine's own. */
async function resolver(...lines: string[]): Promise<{ port: number } & AsyncDisposable> {
  const port = await freePort();
  const file = join(data, 'dnsmasq.conf');
  const own = ['no-resolv', 'no-hosts', 'no-poll', 'bind-interfaces', 'listen-address=127.0.0.1'];
  writeFileSync(file, [...own, `port=${port}`, 'user=root', 'pid-file', ...lines, ''].join('\n'));
  const program = await startForeign(port, dnsmasq!, ['--keep-in-foreground', '-C', file]);
  return { port, [Symbol.asyncDispose]: () => program.stop() };
}

withDnsmasq(
  'dns: our client asks dnsmasq, over TCP where the datagram was cut',
  async () => {
    await using server = await resolver(
      'local=/test/',
      'host-record=one.test,127.0.0.9,::9,77',
      'cname=alias.test,one.test',
      'txt-record=words.test,first,second',
      'mx-host=test,mail.test,5',
      ...MANY.map((address) => `host-record=many.test,${address}`),
    );
    const say = async (...args: string[]): Promise<[number | null, string[]]> => {
      const ended = await runExample('dns-client', '--port', String(server.port), ...args);
      return [ended.code, (ended.stdout + ended.stderr).trim().split('\n')];
    };
    const [one, six, words, mail, alias, none, many] = await Promise.all([
      say('one.test'),
      say('one.test', 'aaaa'),
      say('words.test', 'TXT'),
      say('test', 'MX'),
      say('alias.test'),
      say('none.test'),
      say('many.test'),
    ]);
    expect(one).toEqual([0, ['one.test 77 A 127.0.0.9']]);
    expect(six).toEqual([0, ['one.test 77 AAAA ::9']]);
    expect(words).toEqual([0, ['words.test 0 TXT "first" "second"']]);
    expect(mail).toEqual([0, ['test 0 MX 5 mail.test']]);
    expect(alias[1]).toEqual(['alias.test 0 CNAME one.test', 'one.test 77 A 127.0.0.9']);
    expect(none).toEqual([1, ['no such name']]);
    expect([many[0], many[1].length]).toEqual([0, MANY.length]);
  },
  60_000,
);

withBoth('dns: dig asks dnsmasq, and dnsmasq asks our server', async () => {
  await using server = await ours();
  await using between = await resolver(`server=/example.test/127.0.0.1#${server.port}`);
  const { port } = between;
  expect(await short(port, 'www.example.test', 'A')).toEqual(['127.0.0.2', '127.0.0.3']);
  expect(await ask(port, 'no.example.test', 'A')).toMatch(/status: NXDOMAIN/);
  expect(await short(port, '+tcp', 'many.example.test', 'A')).toHaveLength(MANY.length);
  await server.end();
});
