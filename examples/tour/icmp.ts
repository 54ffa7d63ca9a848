// SOCK_RAW: ping, written by hand. RFC 792: type, code, checksum, identifier, sequence number, data.

import { bind, inet, type RawSocket } from 'eagain';
import { Skipped, type Report } from './report';

const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const TARGET = '127.0.0.1';
const COUNT = 4;
const HEADER = 8;
const DATA = Buffer.from('eagain: every socket your kernel has, awaited.');

export async function icmp(report: Report): Promise<void> {
  await using socket = await openRaw();
  const replies: Reply[] = [];
  for (let sequence = 1; sequence <= COUNT; sequence++) {
    const reply = await ping(socket, sequence);
    const time = `${reply.milliseconds.toFixed(3)} ms`;
    report.fact(
      `reply ${sequence}`,
      `${reply.bytes} bytes from ${TARGET}  ttl ${reply.ttl}  ${time}`,
    );
    replies.push(reply);
  }
  const best = Math.min(...replies.map(({ milliseconds }) => milliseconds));
  report.check(
    `every echo request was answered, the quickest after ${best.toFixed(3)} ms`,
    replies.every(({ bytes }) => bytes === HEADER + DATA.length),
  );
}

async function openRaw(): Promise<RawSocket> {
  try {
    return await bind({ type: 'raw', family: 'IPv4', protocol: 'icmp' });
  } catch (error) {
    // Without CAP_NET_RAW the message says what is missing and how to grant it.
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EPERM' || code === 'EACCES') throw new Skipped(message);
    throw error;
  }
}

interface Reply {
  bytes: number;
  ttl: number;
  milliseconds: number;
}

async function ping(socket: RawSocket, sequence: number): Promise<Reply> {
  const request = echoRequest(process.pid & 0xffff, sequence);
  const began = process.hrtime.bigint();
  await socket.send(request, { address: TARGET });
  for (;;) {
    // A raw socket hears every ICMP message of the machine, this request and others' replies among them.
    const { data } = await socket.receive({ timeout: 2_000 });
    const ended = process.hrtime.bigint();
    const header = (data[0] & 0x0f) * 4; // IPv4 comes with its header, raw(7)
    const message = data.subarray(header);
    if (message[0] !== ECHO_REPLY || message.compare(request, 4, undefined, 4) !== 0) continue;
    return { bytes: message.length, ttl: data[8], milliseconds: Number(ended - began) / 1e6 };
  }
}

function echoRequest(identifier: number, sequence: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header[0] = ECHO_REQUEST;
  header.writeUInt16BE(identifier, 4);
  header.writeUInt16BE(sequence, 6);
  const message = Buffer.concat([header, DATA]);
  message.writeUInt16BE(inet.checksum(message), 2);
  return message;
}
