// The tour: the main job of each socket type, done on this machine's own kernel and checked.
//
//   npm start
//
// Exit code 0 only if everything checked out; what the machine does not allow is skipped, with the reason.

import { release } from 'node:os';
import { version } from 'eagain/package.json';
import { icmp } from './tour/icmp';
import { Report } from './tour/report';
import { seqpacket } from './tour/seqpacket';
import { tcp } from './tour/tcp';
import { udp } from './tour/udp';

/** Longer than this it never takes: something hangs. */
const LIMIT = 60_000;

async function main(): Promise<void> {
  // A program whose event loop runs empty in the middle of an `await` ends with this.
  process.exitCode = 1;
  setTimeout(() => process.exit(1), LIMIT).unref();

  const report = new Report(process.stdout);
  report.line(`eagain ${version} on Node ${process.versions.node}, Linux ${release()}`);
  await report.stage('SOCK_STREAM', 'a file, piped through TCP as a Node stream', tcp);
  await report.stage('SOCK_DGRAM', 'UDP datagrams, subscribed to with rxjs', udp);
  await report.stage(
    'SOCK_SEQPACKET',
    'a conversation in records, on an abstract address',
    seqpacket,
  );
  await report.stage('SOCK_RAW', 'ICMP echo to 127.0.0.1', icmp);
  process.exitCode = report.conclude() ? 0 : 1;
}

void main();
