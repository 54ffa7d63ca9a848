// A syslog daemon: datagrams on a path such as /dev/log, parsed (RFC 3164) and filtered; how many came of each
// severity is said once a minute. The kernel tells who has sent each.

import { bind, type Message } from 'eagain';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bufferTime, connect, filter, map, merge } from 'rxjs';

const { values } = parseArgs({
  options: {
    path: { type: 'string', default: '/tmp/log.sock' },
    least: { type: 'string', default: 'debug' },
    help: { type: 'boolean', short: 'h' },
  },
});

const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron'],
  ...['authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock'],
  ...Array.from({ length: 8 }, (_, i) => `local${i}`),
];
const least = SEVERITIES.indexOf(values.least);

if (values.help === true || least < 0) {
  console.log(`syslog-daemon [--path /tmp/log.sock] [--least ${SEVERITIES.join('|')}]
Prints what is logged there: try \`logger -u /tmp/log.sock -p mail.warning hello\`.`);
  process.exitCode = values.help === true ? 0 : 1;
} else {
  void log(values.path, least);
}

async function log(path: string, leastSeverity: number): Promise<void> {
  // What an earlier daemon has left there: nobody can bind a path that exists.
  rmSync(path, { force: true });
  await using socket = await bind({ path, options: { passCredentials: true } });
  console.log(`listening on ${path}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void socket.close());

  // connect, not share: what waits in the queue already comes while the first of two is subscribed.
  const lines = socket.observe().pipe(
    map(parse),
    connect((entries) =>
      merge(
        entries.pipe(
          filter(({ severity }) => severity <= leastSeverity),
          map(show),
        ),
        entries.pipe(
          bufferTime(60_000),
          filter((minute) => minute.length > 0),
          map((minute) => `-- ${counts(minute)}`),
        ),
      ),
    ),
  );
  await lines.forEach((line) => console.log(line));
  rmSync(path, { force: true });
  console.log('done');
}

interface Entry {
  facility: number;
  severity: number;
  tag: string;
  text: string;
  /** The process that has sent it, whatever it says of itself. */
  pid: number;
  uid: number;
}

//               <priority> Mmm dd hh:mm:ss        tag [pid] :
const FORMAT = /^<(\d{1,3})>(?:\w{3} [ \d]\d [\d:]{8} )?(?:([^\s:[]+)(?:\[\d+\])?: ?)?/;
// user.notice: what a message is that does not say.
const UNSAID = 13;

function parse({ data, control }: Message): Entry {
  // A line of C's syslog(3) may end with a NUL, those of others with a newline.
  const line = data.toString().replace(/[\0\n]+$/, '');
  const [head, priority = String(UNSAID), tag = ''] = FORMAT.exec(line) ?? [''];
  const sender = control.find((part) => part.kind === 'credentials');
  return {
    facility: Number(priority) >> 3,
    severity: Number(priority) & 7,
    tag,
    text: line.slice(head.length),
    pid: sender?.pid ?? 0,
    uid: sender?.uid ?? -1,
  };
}

function show({ facility, severity, tag, text, pid, uid }: Entry): string {
  const name = FACILITIES[facility] ?? String(facility);
  return `${name}.${SEVERITIES[severity]} ${tag || '-'} (pid ${pid}, uid ${uid}): ${text}`;
}

function counts(entries: readonly Entry[]): string {
  const of = (severity: number): number => entries.filter((e) => e.severity === severity).length;
  const some = SEVERITIES.map((name, severity) => ({ name, count: of(severity) }));
  return some
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${count} ${name}`)
    .join(', ');
}
