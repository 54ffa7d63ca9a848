// Frames of our own making, and what the kernel's own tools say of it: `ip neigh`, `ip link`, `ip maddress`.

import { execFileSync } from 'node:child_process';
import {
  bpf,
  constants as C,
  fromFd,
  type PacketAddress,
  type PacketFanout,
  type RawSocket,
  type Socket,
} from '../../lib/index';
import { leavesNoSockets } from '../support/descriptors';
import { CAN_MAKE_NAMESPACES, Namespace } from '../support/namespaces';
import { needs } from '../support/needs';
import { rejection } from '../support/outcomes';
import { until } from '../support/turns';

leavesNoSockets();
jest.setTimeout(60_000);
const real = needs('network namespaces', CAN_MAKE_NAMESPACES);

const EXPERIMENT = 0x88b5; // an EtherType that is free for local use: IEEE 802

interface Link {
  ifindex: number;
  address: string;
  promiscuity: number;
  allmulti: number;
}

interface Place extends AsyncDisposable {
  readonly near: Namespace;
  readonly far: Namespace;
  /** The far end of the wire, as `ip` shows it. */
  link(): Link;
  /** The link's hardware address. */
  readonly nearAddress: string;
  readonly sockets: RawSocket<PacketAddress>[];
  readonly senders: Socket[];
}

/** Two namespaces with a wire between them, and packet sockets in the far one, on its end of it. */
async function place(count: number, protocol: number, cooked = false): Promise<Place> {
  const [near, far] = [new Namespace(), new Namespace()];
  near.link(far, ['near0', '10.9.0.1/24'], ['far0', '10.9.0.2/24']);
  const link = (): Link => (far.json('-d', 'link', 'show', 'far0') as [Link])[0];
  const { ifindex } = link();
  const opened = await far.sockets(count, C.AF_PACKET, cooked ? C.SOCK_DGRAM : C.SOCK_RAW);
  return {
    near,
    far,
    link,
    senders: [],
    nearAddress: (near.json('link', 'show', 'near0') as [Link])[0].address,
    sockets: opened.map((open) => {
      open.bind({ family: 'packet', interface: ifindex, protocol });
      return fromFd(open.detach()) as RawSocket<PacketAddress>;
    }),
    async [Symbol.asyncDispose](this: Place): Promise<void> {
      for (const sender of this.senders) sender.close();
      await Promise.all(this.sockets.map((socket) => socket.close()));
      near[Symbol.dispose]();
      far[Symbol.dispose]();
    },
  };
}

/** Sends frames with `text` in them from the near end. */
async function sending(all: Place, to: string): Promise<(text: string) => Promise<void>> {
  const [sender] = await all.near.sockets(1, C.AF_PACKET, C.SOCK_RAW);
  sender.bind({ family: 'packet', interface: all.near.indexOf('near0'), protocol: 0 });
  all.senders.push(sender);
  const head = [bytesOf(to), bytesOf(all.nearAddress), Buffer.from('88b5', 'hex')];
  return async (text) => {
    await sender.send([...head, Buffer.from(text)]);
  };
}

const bytesOf = (address: string): Buffer => Buffer.from(address.replaceAll(':', ''), 'hex');
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** RFC 826: who has `target`? asks `sender`. */
function arpRequest(hardware: string, sender: number[], target: number[]): Buffer {
  const head = Buffer.from('0001080006040001', 'hex'); // Ethernet, IPv4, their lengths, request
  return Buffer.concat([
    head,
    bytesOf(hardware),
    Buffer.from(sender),
    Buffer.alloc(6),
    Buffer.from(target),
  ]);
}

real('frames: an ARP request by hand, raw, is answered by the peer’s kernel', async () => {
  await using all = await place(1, C.ETH_P_ARP);
  const [arp] = all.sockets;
  const own = all.link().address;
  const header = Buffer.concat([bytesOf(BROADCAST), bytesOf(own), Buffer.from('0806', 'hex')]);
  await arp.send([header, arpRequest(own, [10, 9, 0, 2], [10, 9, 0, 1])]);
  const { data, from } = await arp.receive();
  expect(data.subarray(0, 6)).toEqual(bytesOf(own));
  expect(data.readUInt16BE(14 + 6)).toBe(2); // reply
  expect(data.subarray(14 + 8, 14 + 14)).toEqual(bytesOf(all.nearAddress));
  expect([...data.subarray(14 + 14, 14 + 18)]).toEqual([10, 9, 0, 1]);
  expect(from).toMatchObject({ hardwareAddress: all.nearAddress, packetType: 'host' });
  // The peer has learnt who asked.
  const [neighbour] = all.near.json('neigh', 'show', '10.9.0.2') as [{ lladdr: string }];
  expect(neighbour.lladdr).toBe(own);
});

real('frames: the same, cooked: the kernel writes the header of the link', async () => {
  await using all = await place(1, C.ETH_P_ARP, true);
  const [arp] = all.sockets;
  const to = {
    family: 'packet',
    interface: all.link().ifindex,
    protocol: C.ETH_P_ARP,
    hardwareAddress: BROADCAST,
  } as const;
  await arp.send(arpRequest(all.link().address, [10, 9, 0, 2], [10, 9, 0, 1]), to);
  const { data } = await arp.receive();
  expect(data.subarray(8, 14)).toEqual(bytesOf(all.nearAddress));
});

real('frames: to one, to all, to a group, to somebody else: packetType', async () => {
  await using all = await place(1, EXPERIMENT);
  const [socket] = all.sockets;
  const kinds = {
    host: all.link().address,
    broadcast: BROADCAST,
    multicast: '01:00:5e:01:02:03',
    otherhost: '02:00:00:00:00:99',
  };
  for (const [kind, address] of Object.entries(kinds)) {
    await (
      await sending(all, address)
    )(kind);
    const { data, from } = await socket.receive();
    expect([kind, from!.packetType]).toEqual([String(data.subarray(14)), kind]);
  }
});

real(
  'frames: what there was no room for is counted, by the socket and by its messages',
  async () => {
    await using all = await place(1, EXPERIMENT);
    const [socket] = all.sockets;
    const { socket: level1 } = socket;
    level1.set('receiveBufferSize', 8192).setsockopt(C.SOL_SOCKET, C.SO_RXQ_OVFL, true);
    const send = await sending(all, all.link().address);
    level1.get('packetStatistics'); // asking begins anew
    const sent = 200;
    for (let i = 0; i < sent; i++) await send(`frame ${i}`);
    let [packets, drops] = [0, 0];
    await until(() => {
      const more = level1.get('packetStatistics');
      packets += more.packets;
      drops += more.drops;
      return packets >= sent;
    });
    const received = (level1.tryRecvmmsg(64) ?? []).length;
    expect(drops).toBeGreaterThan(0);
    expect([packets, received + drops]).toEqual([sent, sent]);
    await send('one more');
    expect(await socket.receive()).toMatchObject({ drops });
  },
);

real(
  'frames: memberships are the interface’s until they are disposed of, or the socket closed',
  async () => {
    await using all = await place(2, EXPERIMENT);
    const [one, other] = all.sockets;
    const modes = (): number[] => [all.link().promiscuity, all.link().allmulti];
    const groups = (): string =>
      execFileSync('ip', ['-n', all.far.name, 'maddress', 'show', 'dev', 'far0']).toString();
    const before = modes();
    const [promiscuity, allmulti] = before;
    {
      using _everything = one.join({ type: 'promiscuous' });
      using again = other.join({ type: 'promiscuous', interface: all.link().ifindex });
      expect(modes()).toEqual([promiscuity + 2, allmulti]);
      again[Symbol.dispose]();
      expect(modes()).toEqual([promiscuity + 1, allmulti]);
    }
    expect(modes()).toEqual(before);
    using groupsToo = one.join({ type: 'allMulticast' });
    expect(modes()).toEqual([promiscuity, allmulti + 1]);
    groupsToo[Symbol.dispose]();
    groupsToo[Symbol.dispose]();
    expect(modes()).toEqual(before);
    const address = bytesOf('01:00:5e:01:02:03');
    const membership = other.join({ type: 'multicast', address });
    address.fill(0); // what was joined is what is left
    expect(groups()).toContain('01:00:5e:01:02:03');
    membership[Symbol.dispose]();
    expect(groups()).not.toContain('01:00:5e:01:02:03');
    const left = one.join({ type: 'promiscuous' });
    await one.close();
    expect(modes()).toEqual(before);
    left[Symbol.dispose]();
  },
);

real(
  'frames: a link that goes down is an error once, and the socket hears it again when it is up',
  async () => {
    await using all = await place(1, EXPERIMENT);
    const [socket] = all.sockets;
    const waiting = rejection(socket.receive());
    all.far.ip('link', 'set', 'far0', 'down');
    expect(await waiting).toMatchObject({ code: 'ENETDOWN', syscall: 'receive' });
    all.far.ip('link', 'set', 'far0', 'up');
    const send = await sending(all, BROADCAST);
    await send('again');
    expect(String((await socket.receive()).data.subarray(14))).toBe('again');
  },
);

type Members = readonly (readonly number[])[];
const FRAMES = 60;

/** Each mode of a fanout, and what it makes of frames of one flow that three sockets share. */
const MODES: readonly (readonly [PacketFanout['mode'], (members: Members) => void])[] = [
  // Round and round: each has every third.
  [
    'loadBalance',
    (members): void => {
      for (const numbers of members) {
        expect(numbers).toHaveLength(FRAMES / members.length);
        expect(new Set(numbers.map((n) => n % members.length)).size).toBe(1);
      }
    },
  ],
  ['hash', (members): void => expect(lengths(members)).toEqual([0, 0, FRAMES])],
  ['rollover', (members): void => expect(members[0]).toHaveLength(FRAMES)],
  ['program', (members): void => expect(members[2]).toHaveLength(FRAMES)],
  // As chance has it.
  ['cpu', (): void => undefined],
  ['random', (): void => undefined],
];

const lengths = (members: Members): number[] =>
  members.map(({ length }) => length).sort((a, b) => a - b);

real('frames: a fanout group has each frame once, wherever its mode puts it', async () => {
  await using all = await place(3 * MODES.length, EXPERIMENT);
  const groups = MODES.map(([mode], i) => {
    const members = all.sockets.slice(3 * i, 3 * i + 3);
    for (const { socket } of members) {
      // Until it is a member, each would hear everything.
      socket.set('attachFilter', bpf.dropAll());
      socket.set('packetFanout', { group: i, mode });
      socket.set('attachFilter', bpf.keepAll());
    }
    if (mode === 'program')
      members[0].socket.set('packetFanoutProgram', bpf.assemble([['ret', 2]]));
    expect(members[1].socket.get('packetFanout')).toMatchObject({ group: i, mode });
    return members;
  });
  const send = await sending(all, all.link().address);
  for (let i = 0; i < FRAMES; i++) await send(String(i));
  let left = FRAMES * groups.length;
  const listen = async (socket: RawSocket): Promise<number[]> => {
    const seen: number[] = [];
    for await (const { data } of socket) {
      seen.push(Number(data.subarray(14)));
      if (--left === 0) await Promise.all(all.sockets.map((each) => each.close()));
    }
    return seen;
  };
  const seen = await Promise.all(groups.map((members) => Promise.all(members.map(listen))));
  for (const [i, [mode, check]] of MODES.entries()) {
    const numbers = seen[i].flat().sort((a, b) => a - b);
    expect([mode, numbers]).toEqual([mode, Array.from({ length: FRAMES }, (_, n) => n)]);
    check(seen[i]);
  }
});
