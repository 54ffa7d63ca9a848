// syslog: logger writes to the daemon of examples/, a client of ours to rsyslogd, which goes and comes back, and
// rsyslogd to a socket of ours.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bind, connect, type DatagramSocket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { buildsExamples, startExample } from '../support/examples';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { find, folder, start, untilAnswered, type Program } from './support/programs';

const [logger, rsyslogd] = [find('logger'), find('rsyslogd')];
const withLogger = needs('logger', logger !== undefined);
const withRsyslogd = needs('rsyslogd', rsyslogd !== undefined);

buildsExamples();
leavesNoSockets();
const data = folder();

withLogger('syslog: logger writes to the daemon of examples/', async () => {
  const path = join(data, 'log');
  await using daemon = startExample('syslog-daemon', ['--path', path]);
  await daemon.said(/listening/);
  const log = (...args: string[]): unknown => execFileSync(logger!, ['-u', path, ...args]);
  log('-p', 'mail.warning', '-t', 'post', '-i', 'a letter');
  log('-p', 'local7.emerg', 'two:', 'words');
  await daemon.said(/^mail\.warning post \(pid \d+, uid \d+\): a letter$/m);
  // logger's tag is the name of who is logged in.
  await daemon.said(/^local7\.emerg \S+ \(pid \d+, uid \d+\): two: words$/m);
  expect(await daemon.end()).toMatch(/-- 1 emerg, 1 warning\ndone\n$/);
});

/** rsyslogd with one socket to listen on, and one to write all to; nothing of the system's. */
async function daemon(path: string, to: string): Promise<Program> {
  const config = join(data, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${data}")
     module(load="imuxsock" SysSock.Use="off")
     module(load="omuxsock")
     input(type="imuxsock" Socket="${path}" RateLimit.Interval="0")
     $OMUXSockSocket ${to}
     template(name="plain" type="string" string="<%pri%>%syslogtag%%msg%")
     *.* :omuxsock:;plain
    `,
  );
  const program = start(rsyslogd!, ['-n', '-f', config, '-i', join(data, 'rsyslog.pid')]);
  await untilAnswered(program, async () => {
    const probe = await connect({ type: 'dgram', path }).catch(() => null);
    await probe?.close();
    return probe !== null;
  });
  return program;
}

/** The next lines at `outlet`, of ours. */
async function heard(outlet: DatagramSocket, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const line = (await outlet.receive({ timeout: 20_000 })).data.toString();
    // rsyslogd tells of itself as well.
    if (!line.includes('rsyslogd')) lines.push(line.trim());
  }
  return lines;
}

withRsyslogd(
  'syslog: more than its queue holds comes to rsyslogd, and from there to us',
  async () => {
    const [path, to] = [join(data, 'in'), join(data, 'out')];
    await using outlet = await bind({ path: to });
    const program = await daemon(path, to);
    try {
      await using client = await connect({ type: 'dgram', path });
      const lines = Array.from({ length: 500 }, (_, i) => `<13>test[7]: number ${i}`);
      const sending = Promise.all(lines.map((line) => client.send(line)));
      expect(await heard(outlet, lines.length)).toEqual(lines);
      await sending;
    } finally {
      await program.stop();
    }
  },
);

withRsyslogd('syslog: rsyslogd goes, and comes back', async () => {
  const [path, to] = [join(data, 'in2'), join(data, 'out2')];
  await using outlet = await bind({ path: to });
  let program = await daemon(path, to);
  try {
    await using connected = await connect({ type: 'dgram', path });
    await using unconnected = await bind({ path: '' });
    await connected.send('<13>a: 1');
    await unconnected.send('<13>b: 1', { path });
    expect((await heard(outlet, 2)).sort()).toEqual(['<13>a: 1', '<13>b: 1']);

    await program.stop();
    // It has removed its socket: an address leads nowhere, a connection to nobody.
    expect(await rejection(unconnected.send('<13>b: 2', { path }))).toMatchObject({
      code: 'ENOENT',
      path,
    });
    expect(await rejection(connected.send('<13>a: 2'))).toMatchObject({ code: 'ECONNREFUSED' });

    program = await daemon(path, to);
    // Who addresses each message notices nothing; who is connected was connected to a socket, not to its name.
    await unconnected.send('<13>b: 3', { path });
    expect(await rejection(connected.send('<13>a: 3'))).toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ENOTCONN)$/) as string,
    });
    await connected.socket.connect({ path });
    await connected.send('<13>a: 4');
    expect((await heard(outlet, 2)).sort()).toEqual(['<13>a: 4', '<13>b: 3']);
  } finally {
    await program.stop();
  }
});
