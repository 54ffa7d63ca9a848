// tcpdump in a namespace, and what it writes: packets of a pcap file (pcap-savefile(5)).

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { endianness } from 'node:os';
import type { PacketAddress } from '../../../lib/index';
import type { Namespace } from '../../support/namespaces';

/** What a pcap file in this machine's order begins with; the time of a packet is in µs then. */
const MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** The packets of a pcap file, as far as they are whole. */
export function packetsOf(file: Buffer): Buffer[] {
  if (endianness() !== 'LE') throw new Error('read as little endian here');
  if (file.length >= 4 && file.readUInt32LE(0) !== MAGIC) throw new Error('no pcap file');
  const packets: Buffer[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    if (file.readUInt32LE(at + 12) !== length) throw new Error('tcpdump has cut a packet');
    at += RECORD_HEADER + length;
    if (at <= file.length) packets.push(file.subarray(at - length, at));
  }
  return packets;
}

/** The packets of a pcap file that tcpdump itself takes for `expression`. */
export function filtered(file: Buffer, expression: string): Buffer[] {
  const args = ['-r', '-', '-w', '-', expression];
  const stdio = ['pipe', 'pipe', 'ignore'] as const;
  return packetsOf(execFileSync('tcpdump', args, { input: file, stdio: [...stdio] }));
}

const TYPES = ['host', 'broadcast', 'multicast', 'otherhost', 'outgoing'] as const;

/** A packet of link type LINUX_SLL2: the address of a packet socket in 20 bytes, and what is behind the link header. */
export function cooked(packet: Buffer): { from: PacketAddress; data: Buffer } {
  const length = packet[11];
  const from: PacketAddress = {
    family: 'packet',
    interface: packet.readUInt32BE(4),
    protocol: packet.readUInt16BE(0),
    hardwareType: packet.readUInt16BE(8),
    packetType: TYPES[packet[10]],
    hardwareAddress: packet.toString('hex', 12, 12 + length).replace(/..(?=.)/g, '$&:'),
  };
  return { from, data: packet.subarray(20) };
}

export class Tcpdump implements AsyncDisposable {
  private file = Buffer.alloc(0);

  private constructor(private readonly child: ReturnType<typeof spawn>) {
    child.stdout!.on('data', (chunk: Buffer) => (this.file = Buffer.concat([this.file, chunk])));
  }

  /** Started, and listening. */
  static async start(namespace: Namespace, ...args: readonly string[]): Promise<Tcpdump> {
    const all = ['tcpdump', '-w', '-', '-U', '--immediate-mode', '-n', ...args];
    const child = spawn('ip', ['netns', 'exec', namespace.name, ...all]);
    const tcpdump = new Tcpdump(child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('listening on')) resolve();
      });
      child.on('close', () => reject(new Error(said)));
    });
    return tcpdump;
  }

  /** The file up to the packet with `mark` in it, without that. */
  async until(mark: string): Promise<Buffer> {
    for (;;) {
      const packets = packetsOf(this.file);
      const last = packets.findIndex((packet) => packet.includes(mark));
      if (last >= 0) {
        const before = packets.slice(0, last);
        const size = before.reduce((sum, { length }) => sum + RECORD_HEADER + length, FILE_HEADER);
        return this.file.subarray(0, size);
      }
      await once(this.child.stdout!, 'data');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.child, 'close');
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
  }
}
