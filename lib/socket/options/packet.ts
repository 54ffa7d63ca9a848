// SOL_PACKET: sockets on the link itself. packet(7). Not the rings, which are memory to be mapped.

import { outOfRange } from '../../core/errors';
import { integer, record } from '../../core/validate';
import type { Program } from '../bpf/instruction';
import { bytesOf } from '../bytes';
import { constants as C } from '../constants';
import { interfaceIndex } from '../sockaddr';
import { bitsOf, choice, encodeOnly, flag, int, type Codec } from './codec';
import { programSetter } from './filter';
import { layout } from './layout';
import { timestampingFlags, type TimestampingFlag } from './socket_level';
import { readStruct } from './structs';
import { getter, option, setter, type Table } from './table';
import type { ReadOnly, SetOnly } from './types';

const KINDS = {
  multicast: C.PACKET_MR_MULTICAST,
  promiscuous: C.PACKET_MR_PROMISC,
  allMulticast: C.PACKET_MR_ALLMULTI,
  unicast: C.PACKET_MR_UNICAST,
};

/** What an interface is to take in for this socket: everything, all multicast, or one more hardware address. */
export interface PacketMembership {
  interface: string | number;
  type: keyof typeof KINDS;
  /** The hardware address, at most 8 bytes; of 'multicast' and 'unicast'. */
  address?: Uint8Array | undefined;
}

const MREQ = layout({ index: 'i32', type: 'u16', length: 'u16' });
const HARDWARE = 8;

const membership = encodeOnly<PacketMembership>((value, name) => {
  const { interface: device, type, address = new Uint8Array(0) } = record(name, value);
  const bytes = bytesOf(address, `${name}.address`);
  if (bytes.length > HARDWARE) {
    throw outOfRange(`${name}.address.byteLength`, `<= ${HARDWARE}`, bytes.length);
  }
  choice(KINDS).encode(type, `${name}.type`);
  const head = MREQ.write({
    index: interfaceIndex(device, `${name}.interface`),
    type: KINDS[type],
    length: bytes.length,
  });
  return Buffer.concat([head, bytes, Buffer.alloc(HARDWARE - bytes.length)]);
});

const MODES = {
  hash: C.PACKET_FANOUT_HASH,
  loadBalance: C.PACKET_FANOUT_LB,
  cpu: C.PACKET_FANOUT_CPU,
  rollover: C.PACKET_FANOUT_ROLLOVER,
  random: C.PACKET_FANOUT_RND,
  queue: C.PACKET_FANOUT_QM,
  program: C.PACKET_FANOUT_CBPF,
  bpf: C.PACKET_FANOUT_EBPF,
};
const FANOUT_FLAGS = {
  rollover: C.PACKET_FANOUT_FLAG_ROLLOVER,
  uniqueId: C.PACKET_FANOUT_FLAG_UNIQUEID,
  ignoreOutgoing: C.PACKET_FANOUT_FLAG_IGNORE_OUTGOING,
  defragment: C.PACKET_FANOUT_FLAG_DEFRAG,
};

/** The group of sockets that share an interface's packets, and how they are shared. */
export interface PacketFanout {
  group: number;
  mode: keyof typeof MODES;
  flags?: readonly (keyof typeof FANOUT_FLAGS)[] | undefined;
}

const FANOUT = layout({ group: 'u16', mode: 'u16' });

const fanout: Codec<PacketFanout> = {
  size: FANOUT.size,
  encode(value, name) {
    const { group, mode, flags = [] } = record(name, value);
    choice(MODES).encode(mode, `${name}.mode`);
    return FANOUT.write({
      group: integer(`${name}.group`, group, 0, 65535),
      mode: MODES[mode] | bitsOf(FANOUT_FLAGS, flags, `${name}.flags`),
    });
  },
  // The mode is the low byte, the flags the high one (fanout_add).
  decode(bytes) {
    const { group = 0, mode = 0 } = FANOUT.read(bytes);
    const names = Object.keys(MODES) as (keyof typeof MODES)[];
    const flags = Object.keys(FANOUT_FLAGS) as (keyof typeof FANOUT_FLAGS)[];
    return {
      group,
      mode: names.find((known) => MODES[known] === (mode & 0xff)) ?? 'hash',
      flags: flags.filter((known) => (mode & FANOUT_FLAGS[known]) !== 0),
    };
  },
};

/** Since they were last asked for: all packets, those dropped for want of room among them. */
export interface PacketStatistics {
  packets: number;
  drops: number;
}

/** How often a packet went to another socket of its fanout group. */
export interface RolloverStatistics {
  all: bigint;
  huge: bigint;
  failed: bigint;
}

const VERSIONS = { v1: 0, v2: 1, v3: 2 }; // enum tpacket_versions
/** The layout of a ring's headers. */
export type PacketVersion = keyof typeof VERSIONS;

export interface PacketOptions {
  /** The interface takes in more for this socket, until it is closed. */
  packetAddMembership: SetOnly<PacketMembership>;
  /** Ends what `packetAddMembership` began. */
  packetDropMembership: SetOnly<PacketMembership>;
  /** Shares the packets with other sockets. Once bound; as long as a socket is in it, it cannot be changed. */
  packetFanout: PacketFanout;
  /** The program that chooses the socket, where the mode is 'program'. */
  packetFanoutProgram: SetOnly<Program>;
  /** Packets seen and dropped; asking begins anew. */
  packetStatistics: ReadOnly<PacketStatistics>;
  /** Packets that went to another socket. */
  packetRolloverStatistics: ReadOnly<RolloverStatistics>;
  /** Each packet comes with its status, lengths and VLAN tag. */
  packetAuxiliaryData: boolean;
  /** Addresses name the interface that a packet came in by, not the one that it is bound to. */
  packetOriginalDevice: boolean;
  /** Packets that this machine sends are not seen. */
  packetIgnoreOutgoing: boolean;
  /** Sends past the queueing discipline. */
  packetQdiscBypass: boolean;
  /** Each packet begins with a virtio header. */
  packetVnetHeader: boolean;
  /** The size of that header: 0, 10 or 12. */
  packetVnetHeaderSize: number;
  /** A ring drops malformed packets and goes on. */
  packetLoss: boolean;
  /** The layout of a ring's headers. */
  packetVersion: PacketVersion;
  /** Bytes that a ring leaves free before each packet. */
  packetReserve: number;
  /** Which timestamps a ring has. */
  packetTimestamp: readonly TimestampingFlag[];
  /** Where a sending ring's data begins is in its header. */
  packetTxHasOffset: boolean;
  /** Larger packets are queued as well as put into the ring, from so many bytes on. */
  packetCopyThreshold: number;
}

export const PACKET: Table<PacketOptions> = {
  packetAddMembership: setter('SOL_PACKET', 'PACKET_ADD_MEMBERSHIP', membership),
  packetDropMembership: setter('SOL_PACKET', 'PACKET_DROP_MEMBERSHIP', membership),
  packetFanout: option('SOL_PACKET', 'PACKET_FANOUT', fanout),
  packetFanoutProgram: programSetter('SOL_PACKET', 'PACKET_FANOUT_DATA'),
  packetStatistics: getter(
    'SOL_PACKET',
    'PACKET_STATISTICS',
    readStruct({ packets: 'u32', drops: 'u32' }, (values): PacketStatistics => values),
  ),
  packetRolloverStatistics: getter(
    'SOL_PACKET',
    'PACKET_ROLLOVER_STATS',
    readStruct({ all: 'u64', huge: 'u64', failed: 'u64' }, (values): RolloverStatistics => values),
  ),
  packetAuxiliaryData: option('SOL_PACKET', 'PACKET_AUXDATA', flag),
  packetOriginalDevice: option('SOL_PACKET', 'PACKET_ORIGDEV', flag),
  packetIgnoreOutgoing: option('SOL_PACKET', 'PACKET_IGNORE_OUTGOING', flag),
  packetQdiscBypass: option('SOL_PACKET', 'PACKET_QDISC_BYPASS', flag),
  packetVnetHeader: option('SOL_PACKET', 'PACKET_VNET_HDR', flag),
  packetVnetHeaderSize: option('SOL_PACKET', 'PACKET_VNET_HDR_SZ', int(0, 255)),
  packetLoss: option('SOL_PACKET', 'PACKET_LOSS', flag),
  packetVersion: option('SOL_PACKET', 'PACKET_VERSION', choice(VERSIONS)),
  packetReserve: option('SOL_PACKET', 'PACKET_RESERVE', int()),
  packetTimestamp: option('SOL_PACKET', 'PACKET_TIMESTAMP', timestampingFlags),
  packetTxHasOffset: option('SOL_PACKET', 'PACKET_TX_HAS_OFF', flag),
  packetCopyThreshold: option('SOL_PACKET', 'PACKET_COPY_THRESH', int()),
};
