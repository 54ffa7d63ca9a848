// AF_NETLINK: a dump of the links, asked of the kernel itself.

import { constants as C, Socket, type Message } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { rejection } from '../support/outcomes';
import { attributes, KERNEL, messagesIn, request, RTM, RTM_GET, text } from '../support/rtnetlink';

leavesNoSockets();

// struct ifinfomsg, and IFLA_IFNAME behind it: rtnetlink(7).
const IFINFO = 16;
const IFLA_IFNAME = 3;

/** A request for all links. */
function getLinks(sequence: number): Buffer {
  return request(RTM_GET.link, C.NLM_F_DUMP, sequence, Buffer.alloc(IFINFO));
}

async function links(open: Socket, receive: () => Promise<Message>): Promise<string[]> {
  await open.sendto(getLinks(77), KERNEL);
  const names: string[] = [];
  for (;;) {
    const message = await receive();
    expect(message.from).toEqual(KERNEL);
    expect(message.truncated).toBe(false);
    for (const { type, sequence, body } of messagesIn(message.data)) {
      expect(sequence).toBe(77);
      if (type === C.NLMSG_DONE) return names;
      expect(type).toBe(RTM.newLink);
      names.push(text(attributes(body, IFINFO).get(IFLA_IFNAME)));
    }
  }
}

test('netlink: a dump of the links has the loopback first', async () => {
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
