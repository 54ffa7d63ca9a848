// A netlink monitor: the links, addresses and routes of this machine, and then each change of them, a line each.

import { bind, constants as C, inet } from 'eagain';
import { parseArgs } from 'node:util';
import { defer, fromEvent, merge, mergeMap, of, retry, takeUntil, throwError } from 'rxjs';

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });

// rtnetlink(7), whose headers have these as enumerations.
const NEW_LINK = 16;
const DELETE_LINK = 17;
const GET_LINK = 18;
const NEW_ADDRESS = 20;
const DELETE_ADDRESS = 21;
const GET_ADDRESS = 22;
const NEW_ROUTE = 24;
const DELETE_ROUTE = 25;
const GET_ROUTE = 26;
const MAIN_TABLE = 254;

if (values.help === true) {
  console.log(
    'netlink-monitor\nPrints links, addresses and routes, and then what changes of them.',
  );
} else {
  void monitor();
}

async function monitor(): Promise<void> {
  await using netlink = await bind({
    type: 'raw',
    family: 'netlink',
    protocol: 'route',
    groups:
      C.RTMGRP_LINK |
      C.RTMGRP_IPV4_IFADDR |
      C.RTMGRP_IPV6_IFADDR |
      C.RTMGRP_IPV4_ROUTE |
      C.RTMGRP_IPV6_ROUTE,
  });

  // The kernel answers one request for everything at a time: the next is made when one is done.
  let questions: number[] = [];
  const ask = async (): Promise<void> => {
    const type = questions.shift();
    if (type === undefined) {
      console.log('listening for changes');
      return;
    }
    const request = Buffer.alloc(32); // struct nlmsghdr, and a structure of zeros: of every kind
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(type, 4);
    request.writeUInt16LE(C.NLM_F_REQUEST | C.NLM_F_DUMP, 6);
    await netlink.send(request, { family: 'netlink', pid: 0, groups: 0 });
  };

  const changes = defer(() => {
    questions = [GET_LINK, GET_ADDRESS, GET_ROUTE];
    void ask();
    return netlink.observe();
  }).pipe(
    mergeMap(({ data }) => messagesIn(data)),
    // Too slow: the kernel had no room for a change. What is there is asked for again.
    retry({
      delay: (error: NodeJS.ErrnoException) =>
        error.code === 'ENOBUFS' ? of(null) : throwError(() => error),
    }),
    takeUntil(merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'))),
  );
  await changes.forEach(({ type, body }) => {
    if (type === C.NLMSG_DONE) void ask();
    const line = describe(type, body);
    if (line !== undefined) console.log(line);
  });
  console.log('done');
}

interface NetlinkMessage {
  type: number;
  body: Buffer;
}

/** A datagram of netlink is several messages: length, type, flags, sequence number, sender, and what they say. */
function messagesIn(data: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < data.length;) {
    const length = data.readUInt32LE(at);
    messages.push({ type: data.readUInt16LE(at + 4), body: data.subarray(at + 16, at + length) });
    at += (length + 3) & ~3;
  }
  return messages;
}

/** Behind a structure of fixed size come attributes: length, type, value. */
function attributesOf(body: Buffer, fixed: number): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = fixed; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    attributes.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return attributes;
}

function describe(type: number, body: Buffer): string | undefined {
  switch (type) {
    case NEW_LINK:
    case DELETE_LINK:
      return describeLink(type === DELETE_LINK, body);
    case NEW_ADDRESS:
    case DELETE_ADDRESS:
      return describeAddress(type === DELETE_ADDRESS, body);
    case NEW_ROUTE:
    case DELETE_ROUTE:
      return describeRoute(type === DELETE_ROUTE, body);
    default:
      return undefined;
  }
}

const sign = (gone: boolean): string => (gone ? '-' : '+');
const names = new Map<number, string>();

/** struct ifinfomsg: family, type, index, flags … */
function describeLink(gone: boolean, body: Buffer): string {
  const attributes = attributesOf(body, 16);
  const index = body.readInt32LE(4);
  const name = String(attributes.get(3)?.subarray(0, -1)); // IFLA_IFNAME
  names.set(index, name);
  const up = (body.readUInt32LE(8) & C.IFF_UP) !== 0 ? 'up' : 'down';
  const mtu = attributes.get(4)?.readUInt32LE(); // IFLA_MTU
  return `${sign(gone)} link ${index} ${name} ${up} mtu ${mtu}`;
}

/** struct ifaddrmsg: family, length of the prefix, flags, scope, index. */
function describeAddress(gone: boolean, body: Buffer): string {
  const attributes = attributesOf(body, 8);
  const own = attributes.get(2) ?? attributes.get(1); // IFA_LOCAL, IFA_ADDRESS
  const address = own === undefined ? '?' : inetAddress(own);
  return `${sign(gone)} address ${address}/${body[1]} on ${nameOf(body.readInt32LE(4))}`;
}

/** struct rtmsg: family, length of the destination and of the source, TOS, table … */
function describeRoute(gone: boolean, body: Buffer): string | undefined {
  if (body[4] !== MAIN_TABLE) return undefined;
  const attributes = attributesOf(body, 12);
  const [to, device, gateway] = [1, 4, 5].map((type) => attributes.get(type)); // RTA_DST, OIF, GATEWAY
  const destination = to === undefined ? 'default' : `${inetAddress(to)}/${body[1]}`;
  const via = gateway === undefined ? '' : ` via ${inetAddress(gateway)}`;
  const on = device === undefined ? '' : ` on ${nameOf(device.readInt32LE())}`;
  return `${sign(gone)} route ${destination}${via}${on}`;
}

const inetAddress = (bytes: Buffer): string =>
  inet.ntop(bytes.length === 4 ? 'IPv4' : 'IPv6', bytes);
const nameOf = (index: number): string => names.get(index) ?? `interface ${index}`;
