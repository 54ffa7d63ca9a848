// Every family at work: packets on the loopback and on a pair of virtual Ethernet ends, the kernel's news of a
// link, generic netlink, MPTCP. In network namespaces of the test's own, which end with their process.

import { execFileSync } from 'node:child_process';
import { needs } from '../support/needs';
import { start, type Program } from './support/program';

function canUnshare(): boolean {
  try {
    const commands = 'ip link set lo up && ip link add eagain-a type veth peer name eagain-b';
    execFileSync('unshare', ['--net', 'sh', '-c', commands], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const isolated = needs('network namespaces (CAP_SYS_ADMIN) and ip(8)', canUnshare());

const VETH =
  'ip link set lo up; ip link add eagain-a address 02:00:00:00:00:0a type veth peer name eagain-b address 02:00:00:00:00:0b';
const UP = `${VETH}; ip link set eagain-a up; ip link set eagain-b up`;

async function inNamespace(program: Program, before: string): Promise<unknown[]> {
  const { code, stderr, told } = await start(program, undefined, {
    under: ['unshare', '--net'],
    before,
  }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return told;
}

// 0x88b5 is for local experiments (IEEE 802): nobody else sends it.
const packets: Program = async ({ eagain, tell }) => {
  const PROTOCOL = 0x88b5;
  const addresses: Readonly<Record<string, string>> = {
    'eagain-a': '02:00:00:00:00:0a',
    'eagain-b': '02:00:00:00:00:0b',
    lo: '00:00:00:00:00:00',
  };
  const hardwareAddress = (name: string): string => addresses[name];
  const bound = (type: 'raw' | 'dgram', name: string) => {
    const socket = eagain.socket('packet', type, 0);
    socket.bind({ family: 'packet', interface: name, protocol: PROTOCOL });
    return socket;
  };
  for (const [from, to] of [
    ['eagain-a', 'eagain-b'],
    ['lo', 'lo'],
  ] as const) {
    const target = hardwareAddress(to);
    const receivers = [bound('raw', to), bound('dgram', to)];
    const sender = bound('dgram', from);
    const address = {
      family: 'packet',
      interface: from,
      protocol: PROTOCOL,
      hardwareAddress: target,
    } as const;
    await sender.sendto(Buffer.from('cooked'), address);
    for (const [i, receiver] of receivers.entries()) {
      for (;;) {
        const { data, from: by } = await receiver.recvmsg({ timeout: 5000 });
        if (by?.family !== 'packet' || by.packetType === 'outgoing') continue;
        const head = i === 0 ? data.subarray(0, 14).toString('hex') : '';
        const mac = (text: string): string => text.replaceAll(':', '');
        tell([
          to,
          head === '' || head === `${mac(target)}${mac(hardwareAddress(from))}88b5`,
          data.subarray(i === 0 ? 14 : 0).toString(),
          by.protocol === PROTOCOL,
          by.hardwareAddress === hardwareAddress(from),
        ]);
        break;
      }
    }
    // The whole frame, by a raw one.
    const frame = Buffer.concat([
      Buffer.from(`${target}${hardwareAddress(from)}`.replaceAll(':', ''), 'hex'),
      Buffer.from([0x88, 0xb5]),
      Buffer.from('raw'),
    ]);
    const raw = bound('raw', from);
    await raw.sendto(frame, address);
    for (;;) {
      const { data, from: by } = await receivers[1].recvmsg({ timeout: 5000 });
      if (by?.family === 'packet' && by.packetType === 'outgoing') continue;
      tell(data.toString());
      break;
    }
    for (const socket of [...receivers, sender, raw]) socket.close();
  }
};

isolated('packet: raw and cooked, on a veth pair and on the loopback', async () => {
  const seen = (name: string): unknown[] => [
    [name, true, 'cooked', true, true],
    [name, true, 'cooked', true, true],
    'raw',
  ];
  expect(await inNamespace(packets, UP)).toEqual([...seen('eagain-b'), ...seen('lo')]);
});

// rtnetlink(7): news of links is group 1. An nlmsghdr of 16 bytes, an ifinfomsg of 16, then attributes.
const links: Program = async ({ eagain, childProcess, tell }) => {
  const socket = eagain.socket('netlink', 'raw', 'route');
  const news = eagain.socket('netlink', 'raw', 'route');
  news.bind({ family: 'netlink', pid: 0, groups: 1 });
  const kernel = { family: 'netlink', pid: 0, groups: 0 } as const;
  const dump = async (type: number, body: number): Promise<string[]> => {
    const request = Buffer.alloc(16 + body);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(type, 4);
    request.writeUInt16LE(eagain.constants.NLM_F_REQUEST | eagain.constants.NLM_F_DUMP, 6);
    await socket.sendto(request, kernel);
    const found: string[] = [];
    for (;;) {
      const { data } = await socket.recvmsg({ timeout: 5000 });
      for (let at = 0; at < data.length; at += (data.readUInt32LE(at) + 3) & ~3) {
        if (data.readUInt16LE(at + 4) === eagain.constants.NLMSG_DONE) return found;
        found.push(attribute(data.subarray(at, at + data.readUInt32LE(at)), 16 + body));
      }
    }
  };
  // IFLA_IFNAME and IFA_LABEL are both 3.
  const attribute = (message: Buffer, begin: number): string => {
    for (let at = begin; at + 4 <= message.length; at += (message.readUInt16LE(at) + 3) & ~3) {
      if (message.readUInt16LE(at + 2) === 3)
        return message.toString('latin1', at + 4, at + message.readUInt16LE(at) - 1);
    }
    return '';
  };
  tell((await dump(18, 16)).sort());
  tell(await dump(22, 8));
  const until = async (up: boolean): Promise<void> => {
    for (;;) {
      const { data } = await news.recvmsg({ timeout: 5000 });
      const isUp = (data.readUInt32LE(16 + 8) & eagain.constants.IFF_UP) !== 0;
      if (attribute(data, 32) === 'eagain-a' && isUp === up) return;
    }
  };
  for (const state of ['up', 'down'] as const) {
    childProcess.execFileSync('ip', ['link', 'set', 'eagain-a', state]);
    await until(state === 'up');
    tell(state);
  }
  socket.close();
  news.close();
};

isolated('netlink: links and addresses listed, and a link’s going up and down heard', async () => {
  const [names, labels, ...heard] = await inNamespace(
    links,
    `${VETH}; ip address add 10.9.8.7/24 dev eagain-b`,
  );
  expect(names).toEqual(expect.arrayContaining(['eagain-a', 'eagain-b', 'lo']));
  expect(labels).toEqual(expect.arrayContaining(['lo', 'eagain-b']));
  expect(heard).toEqual(['up', 'down']);
});

const others: Program = async ({ eagain, tell }) => {
  // Generic netlink's own family, asked for by its name: CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME.
  const generic = eagain.socket('netlink', 'dgram', 'generic');
  const request = Buffer.alloc(32);
  request.writeUInt32LE(32, 0);
  request.writeUInt16LE(0x10, 4);
  request.writeUInt16LE(eagain.constants.NLM_F_REQUEST, 6);
  request.writeUInt8(3, 16);
  request.writeUInt8(1, 17);
  request.writeUInt16LE(11, 20);
  request.writeUInt16LE(2, 22);
  request.write('nlctrl', 24, 'latin1');
  await generic.sendto(request, { family: 'netlink', pid: 0, groups: 0 });
  const { data } = await generic.recvmsg({ timeout: 5000 });
  tell([data.readUInt16LE(4), data.includes('nlctrl')]);
  generic.close();
  const listener = eagain.socket('IPv4', 'stream', 'mptcp');
  listener.bind({ address: '127.0.0.1', port: 0 });
  listener.listen();
  const client = eagain.socket('IPv4', 'stream', 'mptcp');
  const [server] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
  const room = Buffer.alloc(10);
  await client.send(Buffer.from('mptcp'));
  // MPTCP_INFO of SOL_MPTCP (284): only a connection that did not fall back to TCP has one.
  tell([await server.recv(room), server.getsockopt(284, 1).length > 0]);
  for (const socket of [listener, client, server]) socket.close();
};

isolated('netlink: generic netlink answers; MPTCP connects, as MPTCP', async () => {
  expect(await inNamespace(others, 'ip link set lo up')).toEqual([
    [16, true],
    [5, true],
  ]);
});
