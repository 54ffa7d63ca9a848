// RawSocket on netlink: groups, the kernel's refusals, and another family than routing's.

import { bind, constants as C, interfaces } from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { thrown } from '../support/outcomes';
import {
  attributes,
  KERNEL,
  messagesIn,
  request,
  RTM,
  RTM_GET,
  text,
  type NetlinkMessage,
} from '../support/rtnetlink';

leavesNoSockets();

test('netlink: groups are the kernel’s to refuse, and left by disposing', async () => {
  await using netlink = await bind({
    type: 'raw',
    family: 'netlink',
    protocol: 'route',
    groups: 1,
  });
  expect(netlink.localAddress.groups).toBe(1);
  {
    using _joined = netlink.join(33);
    expect(netlink.socket.get('netlinkMemberships')).toEqual([1, 33]);
  }
  expect(netlink.socket.get('netlinkMemberships')).toEqual([1]);
  expect(thrown(() => netlink.join(100_000))).toMatchObject({ code: 'EINVAL' });
  expect(thrown(() => netlink.join(0))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  for (const group of ['link', { type: 'promiscuous' }, null]) {
    expect(thrown(() => netlink.join(group as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringContaining(
        '"group" argument must be a netlink group\'s number',
      ) as string,
    });
  }
});

test('netlink: an interface that is not there is the kernel’s answer, not a failure', async () => {
  await using netlink = await bind({ type: 'raw', family: 'netlink', protocol: 'route' });
  const body = Buffer.alloc(16);
  body.writeInt32LE(0x7ffffff0, 4);
  await netlink.send(request(RTM_GET.link, 0, 5, body), KERNEL);
  const [reply] = messagesIn((await netlink.receive()).data);
  expect([reply.type, reply.sequence]).toEqual([C.NLMSG_ERROR, 5]);
  expect(reply.body.readInt32LE(0)).toBe(-C.ENODEV);
  // One that is.
  const lo = interfaces.nameToIndex('lo')!;
  body.writeInt32LE(lo, 4);
  await netlink.send(request(RTM_GET.link, 0, 6, body), KERNEL);
  const [found] = messagesIn((await netlink.receive()).data);
  expect([found.type, text(attributes(found.body, 16).get(3))]).toEqual([RTM.newLink, 'lo']);
});

test('netlink: generic: the controller says what its own id is', async () => {
  const [GENL_ID_CTRL, GETFAMILY, FAMILY_ID, FAMILY_NAME] = [16, 3, 1, 2];
  await using generic = await bind({ type: 'raw', family: 'netlink', protocol: 'generic' });
  const ask = async (name: string): Promise<NetlinkMessage> => {
    const bytes = Buffer.from(`${name}\0`);
    const attribute = Buffer.alloc(4 + ((bytes.length + 3) & ~3));
    attribute.writeUInt16LE(4 + bytes.length, 0);
    attribute.writeUInt16LE(FAMILY_NAME, 2);
    bytes.copy(attribute, 4);
    // struct genlmsghdr: command, version, reserved.
    const body = Buffer.concat([Buffer.from([GETFAMILY, 1, 0, 0]), attribute]);
    await generic.send(request(GENL_ID_CTRL, 0, 9, body), KERNEL);
    const [reply] = messagesIn((await generic.receive()).data);
    return reply;
  };
  const found = attributes((await ask('nlctrl')).body, 4);
  expect(text(found.get(FAMILY_NAME))).toBe('nlctrl');
  expect(found.get(FAMILY_ID)!.readUInt16LE()).toBe(GENL_ID_CTRL);
  const unknown = await ask('no-such-family');
  expect([unknown.type, unknown.body.readInt32LE(0)]).toEqual([C.NLMSG_ERROR, -C.ENOENT]);
});
