// AF_NETLINK: a dump of the links, asked of the kernel itself.

import { endianness } from 'node:os';
import { constants as C, Socket, type Message } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';

leavesNoSockets();

// rtnetlink(7); the headers have these as enumerations.
const RTM_GETLINK = 18;
const RTM_NEWLINK = 16;
const IFLA_IFNAME = 3;
const NLMSG_HEADER = 16;
const IFINFO = 16;

const KERNEL = { family: 'netlink', pid: 0, groups: 0 } as const;

/** A request for all links, as nlmsghdr and ifinfomsg draw it. Netlink is in host order. */
function getLinks(sequence: number): Buffer {
  const bytes = Buffer.alloc(NLMSG_HEADER + IFINFO);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(RTM_GETLINK, 4);
  bytes.writeUInt16LE(C.NLM_F_REQUEST | C.NLM_F_DUMP, 6);
  bytes.writeUInt32LE(sequence, 8);
  return bytes;
}

interface Reply {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
}

function* replies({ data }: Message): Generator<Reply> {
  for (let at = 0; at < data.length;) {
    const length = data.readUInt32LE(at);
    yield {
      type: data.readUInt16LE(at + 4),
      sequence: data.readUInt32LE(at + 8),
      body: data.subarray(at + NLMSG_HEADER, at + length),
    };
    at += (length + 3) & ~3;
  }
}

function nameIn(body: Buffer): string | undefined {
  for (let at = IFINFO; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    if (body.readUInt16LE(at + 2) === IFLA_IFNAME)
      return body.toString('utf8', at + 4, at + length - 1);
    at += (length + 3) & ~3;
  }
  return undefined;
}

async function links(open: Socket, receive: () => Promise<Message>): Promise<string[]> {
  await open.sendto(getLinks(77), KERNEL);
  const names: string[] = [];
  for (;;) {
    const message = await receive();
    expect(message.from).toEqual(KERNEL);
    expect(message.truncated).toBe(false);
    for (const { type, sequence, body } of replies(message)) {
      expect(sequence).toBe(77);
      if (type === C.NLMSG_DONE) return names;
      expect(type).toBe(RTM_NEWLINK);
      names.push(nameIn(body)!);
    }
  }
}

test('netlink: a dump of the links has the loopback first', async () => {
  expect(endianness()).toBe('LE');
  using open = Socket.open('netlink', 'raw', 'route');
  open.bind({ family: 'netlink', pid: 0, groups: 0 });
  expect((await links(open, () => open.recvmsg()))[0]).toBe('lo');
});

test('netlink: datagram sockets too, connected to the kernel, into memory of our own', async () => {
  using open = Socket.open('netlink', 'dgram', C.NETLINK_ROUTE);
  await open.connect(KERNEL);
  expect(open.getpeername()).toEqual(KERNEL);
  const into = Buffer.alloc(1 << 18);
  expect(await links(open, () => open.recvmsg({ into }))).toContain('lo');
});

test('promise 7: a message that is cut says so, and how long it was', async () => {
  using open = Socket.open('netlink', 'raw', 'route');
  await open.sendto(getLinks(1), KERNEL);
  const whole = await open.recvmsg({ flags: C.MSG_PEEK });
  const cut = await open.recvmsg({ size: 100 });
  expect(cut).toMatchObject({ length: whole.length, truncated: true });
  expect(cut.data.equals(whole.data.subarray(0, 100))).toBe(true);
});

test('netlink: a port that is taken, and one that nobody has', async () => {
  using open = Socket.open('netlink', 'raw', 'route');
  open.bind({ family: 'netlink', pid: 0, groups: 0 });
  const own = open.getsockname();
  using other = Socket.open('netlink', 'raw', 'route');
  expect(() => other.bind(own)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
  const nobody = { family: 'netlink', pid: 0x7ffffff0, groups: 0 } as const;
  expect(await rejection(other.sendto(Buffer.alloc(16), nobody))).toMatchObject({
    code: 'ECONNREFUSED',
    syscall: 'sendto',
  });
});
