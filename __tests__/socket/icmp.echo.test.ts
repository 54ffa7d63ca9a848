// Raw ICMP on the loopback.

import { constants as C, Socket } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_OPEN_RAW, HAS_IPV6 } from '../support/machine';
import { needs } from '../support/needs';
import { runInChild } from '../support/child';

leavesNoSockets();
const raw = needs('CAP_NET_RAW', CAN_OPEN_RAW);
const raw6 = needs('CAP_NET_RAW and IPv6 on the loopback', CAN_OPEN_RAW && HAS_IPV6);

const IP_HEADER = 20;

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function echoRequest(type: number, identifier: number): Buffer {
  const bytes = Buffer.alloc(8 + 26, 'eagain');
  bytes.writeUInt16BE(type << 8, 0);
  bytes.writeUInt16BE(0, 2);
  bytes.writeUInt16BE(identifier, 4);
  bytes.writeUInt16BE(1, 6);
  bytes.writeUInt16BE(checksum(bytes), 2);
  return bytes;
}

raw('ICMP: an echo to 127.0.0.1 comes back with its IP header', async () => {
  using open = Socket.open('IPv4', 'raw', 'icmp');
  const identifier = open.fd ^ 0x5a00;
  const request = echoRequest(C.ICMP_ECHO, identifier);
  await open.sendto(request, { address: '127.0.0.1', port: 0 });
  for (;;) {
    const { data, from } = await open.recvmsg({ timeout: 5000 });
    // The request itself comes by, too, and whatever else is pinged here.
    if (data[IP_HEADER] !== C.ICMP_ECHOREPLY || data.readUInt16BE(IP_HEADER + 4) !== identifier)
      continue;
    expect(from).toEqual({ family: 'IPv4', address: '127.0.0.1', port: 0 });
    expect(data[0]).toBe(0x45);
    expect(data[9]).toBe(C.IPPROTO_ICMP);
    expect(data.subarray(IP_HEADER + 8)).toEqual(request.subarray(8));
    expect(checksum(data.subarray(IP_HEADER))).toBe(0);
    return;
  }
});

raw6('ICMPv6: an echo to ::1 comes back, without its IP header', async () => {
  using open = Socket.open('IPv6', 'raw', 'icmp6');
  const identifier = open.fd ^ 0x5b00;
  // The kernel does the checksum (RFC 3542, 3.1).
  const request = echoRequest(C.ICMP6_ECHO_REQUEST, identifier);
  await open.sendto(request, { address: '::1', port: 0 });
  for (;;) {
    const { data, from } = await open.recvmsg({ timeout: 5000 });
    if (data[0] !== C.ICMP6_ECHO_REPLY || data.readUInt16BE(4) !== identifier) continue;
    expect(from).toEqual({ family: 'IPv6', address: '::1', port: 0 });
    expect(data.subarray(8)).toEqual(request.subarray(8));
    return;
  }
});

raw('ICMP: an IP_HDRINCL socket sends the header that it is given', async () => {
  // Unassigned, and no other test's: until a raw socket is bound, it hears every address.
  using receiver = Socket.open('IPv4', 'raw', 252);
  receiver.bind({ address: '127.0.0.6', port: 0 });
  using sender = Socket.open('IPv4', 'raw', 'raw');
  const packet = Buffer.alloc(IP_HEADER + 4, 0x7e);
  packet.set([0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 33, 252, 0, 0, 127, 0, 0, 1, 127, 0, 0, 6]);
  await sender.sendto(packet, { address: '127.0.0.6', port: 0 });
  const { data } = await receiver.recvmsg({ timeout: 5000 });
  expect(data).toHaveLength(24);
  expect(data.readUInt16BE(4)).toBe(0x1234);
  expect(data[8]).toBe(33);
  expect(data.subarray(20)).toEqual(packet.subarray(20));
});

const CAN_DROP = CAN_OPEN_RAW && process.getuid?.() === 0;

needs('root, to become somebody else', CAN_DROP)(
  'raw: without CAP_NET_RAW the error says what is missing and how to grant it',
  async () => {
    const messages = (await runInChild(`
      process.setgid(65534);
      process.setuid(65534);
      const messages = [];
      for (const [family, type, protocol] of [['IPv4', 'raw', 'icmp'], ['packet', 'dgram', 'ip']]) {
        try {
          eagain.Socket.open(family, type, protocol);
        } catch ({ code, syscall, message }) {
          messages.push({ code, syscall, message });
        }
      }
      report(messages);
    `)) as { code: string; syscall: string; message: string }[];
    expect(messages).toHaveLength(2);
    for (const { code, syscall, message } of messages) {
      expect(['EPERM', 'EACCES']).toContain(code);
      expect(syscall).toBe('socket');
      expect(message).toMatch(/^socket E(PERM|ACCES): .*CAP_NET_RAW.*setcap cap_net_raw\+ep/);
    }
  },
);
