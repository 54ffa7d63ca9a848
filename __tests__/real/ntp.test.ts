// SNTP (RFC 4330) with chronyd on the loopback, by the kernel's own stamps: when a request left, and when its answer
// came. All four stamps of an exchange are of one clock here, so their order is certain.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type DatagramSocket, type ErrorQueueEntry } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { needs } from '../support/needs';
import { turn } from '../support/turns';
import { find, folder, freePort, start, untilAnswered, type Program } from './support/programs';

const chronyd = find('chronyd');
const real = needs(
  'chronyd, and root, which it starts as',
  chronyd !== undefined && process.getuid?.() === 0,
);

let server: Program | undefined;
let port = 0;
const data = folder();

beforeAll(async () => {
  if (chronyd === undefined || process.getuid?.() !== 0) return;
  port = await freePort();
  const config = join(data, 'chrony.conf');
  const lines = ['local stratum 10', 'allow 127.0.0.1', 'bindaddress 127.0.0.1', `port ${port}`];
  const own = ['cmdport 0', 'bindcmdaddress /', `pidfile ${join(data, 'pid')}`];
  writeFileSync(config, [...lines, ...own, ''].join('\n'));
  // -x: it never touches the clock.
  server = start(chronyd, ['-x', '-d', '-u', 'root', '-f', config]);
  await untilAnswered(server, async () => {
    await using probe = await client();
    return await ask(probe, 0n, 1000).then(
      () => true,
      () => false,
    );
  });
}, 60_000);

afterAll(async () => {
  await server?.stop();
});

leavesNoSockets();

function client(): Promise<DatagramSocket> {
  return connect({ type: 'dgram', host: '127.0.0.1', port, timestamps: true });
}

/**
 *   0       8       16      24              | 0: leap (2), version (3), mode (3)
 *   | bits  |stratum| poll  | precision     | 16: reference, 24: origin, 32: receive, 40: transmit
 */
const SIZE = 48;
const [VERSION, CLIENT, SERVER] = [4, 3, 4];
// Seconds from 1900, where NTP begins, to 1970.
const ERA = 2_208_988_800n;

function stampAt(packet: Buffer, offset: number): bigint {
  const seconds = BigInt(packet.readUInt32BE(offset)) - ERA;
  return (
    seconds * 1_000_000_000n + ((BigInt(packet.readUInt32BE(offset + 4)) * 1_000_000_000n) >> 32n)
  );
}

interface Answer {
  readonly packet: Buffer;
  /** When it came, in ns since 1970. */
  readonly came: bigint | undefined;
}

/** `nonce` goes as the time of transmission, which nobody but its sender needs to understand. */
async function ask(socket: DatagramSocket, nonce: bigint, timeout = 10_000): Promise<Answer> {
  const request = Buffer.alloc(SIZE);
  request[0] = (VERSION << 3) | CLIENT;
  request.writeBigUInt64BE(nonce, 40);
  await socket.send(request);
  const { data: packet, timestamp: came } = await socket.receive({ timeout });
  return { packet, came };
}

/** The kernel's stamp of a send, from the error queue. */
async function leftAt(socket: DatagramSocket): Promise<bigint> {
  let entries: ErrorQueueEntry[] = [];
  while (entries.length === 0) {
    entries = socket.socket.readErrorQueue();
    if (entries.length === 0) await turn();
  }
  expect(entries).toMatchObject([{ origin: 'timestamp' }]);
  const stamp = entries[0].control.find((part) => part.kind === 'timestamp');
  if (stamp?.kind !== 'timestamp') throw new Error('no stamp');
  return stamp.ns;
}

real('ntp: chronyd answers as the server that it is set up to be', async () => {
  await using socket = await client();
  const { packet, came } = await ask(socket, 0x1122334455667788n);
  expect(packet).toHaveLength(SIZE);
  expect([(packet[0] >> 3) & 7, packet[0] & 7, packet[1]]).toEqual([VERSION, SERVER, 10]);
  // It gives back what was sent: the answer is to this question.
  expect(packet.readBigUInt64BE(24)).toBe(0x1122334455667788n);
  expect(typeof came).toBe('bigint');
});

real('ntp: by the kernel’s stamps, no exchange goes back in time', async () => {
  await using socket = await client();
  socket.socket.set('timestamping', ['txSoftware', 'software', 'timestampOnly']);
  for (let round = 1n; round <= 20n; round++) {
    const { packet, came } = await ask(socket, round);
    const left = await leftAt(socket);
    const [received, answered] = [stampAt(packet, 32), stampAt(packet, 40)];
    // chronyd makes bits below its precision (a power of two of seconds) up.
    const fuzz = BigInt(Math.ceil(2 ** packet.readInt8(3) * 1e9)) + 1n;
    expect(received + fuzz).toBeGreaterThanOrEqual(left);
    expect(answered + fuzz).toBeGreaterThanOrEqual(received);
    expect(came! + fuzz).toBeGreaterThanOrEqual(answered);
    // The offset of a clock from itself is half of how unlike the ways there and back were, and no more.
    const offset = (received - left + (answered - came!)) / 2n;
    const delay = came! - left - (answered - received);
    expect(offset < 0n ? -offset : offset).toBeLessThanOrEqual(delay / 2n + 2n * fuzz);
  }
});
