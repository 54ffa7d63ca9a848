// Address objects ⇄ sockaddr bytes: the bytes are spelt out here, field by field, as the man pages draw them.

import { endianness } from 'node:os';
import fc from 'fast-check';
import { reactor } from '../../lib/core/runtime';
import type { Address, AddressInput } from '../../lib/socket/address';
import { constants as C } from '../../lib/socket/constants';
import { decodeAddress, decodeScratch, encodeAddress } from '../../lib/socket/sockaddr';
import { leavesNoSockets } from '../support/descriptors';
import { thrown } from '../support/outcomes';

leavesNoSockets();

const LITTLE = endianness() === 'LE';

/** Fields one after the other: 'h' host order, 'n' network order, by their size in bytes. */
function layOut(...fields: (['h' | 'n', 2 | 4, number] | Uint8Array)[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      if (field instanceof Uint8Array) return field;
      const [order, size, value] = field;
      const bytes = Buffer.alloc(size);
      if (order === 'h' && LITTLE) bytes.writeUIntLE(value, 0, size);
      else bytes.writeUIntBE(value, 0, size);
      return bytes;
    }),
  );
}

function encode(address: AddressInput, domain: number): Buffer {
  const length = encodeAddress(address, domain);
  return Buffer.from(reactor.memory.scratch.subarray(0, length));
}

function decode(bytes: Uint8Array, length = bytes.byteLength): Address | null {
  const room = Buffer.alloc(200);
  room.set(bytes, 3);
  return decodeAddress(room, new DataView(room.buffer, room.byteOffset, 200), 3, length);
}

const zeros = (count: number): Buffer => Buffer.alloc(count);
const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const MAPPED = Buffer.from('00000000000000000000ffff7f000001', 'hex');

interface Case {
  readonly what: string;
  readonly address: Address;
  readonly domain: number;
  readonly bytes: Buffer;
}

const CASES: readonly Case[] = [
  {
    what: 'IPv4',
    address: { family: 'IPv4', address: '192.0.2.7', port: 0x1234 },
    domain: C.AF_INET,
    bytes: layOut(['h', 2, C.AF_INET], ['n', 2, 0x1234], Buffer.from([192, 0, 2, 7]), zeros(8)),
  },
  {
    what: 'IPv6',
    address: { family: 'IPv6', address: '2001:db8::1', port: 65535 },
    domain: C.AF_INET6,
    bytes: layOut(
      ['h', 2, C.AF_INET6],
      ['n', 2, 65535],
      ['n', 4, 0],
      Buffer.from('20010db8000000000000000000000001', 'hex'),
      ['h', 4, 0],
    ),
  },
  {
    what: 'IPv6 with a scope and a flow label',
    address: {
      family: 'IPv6',
      address: 'fe80::1',
      port: 1,
      scopeId: 0xfffffffe,
      flowLabel: 0xabcde,
    },
    domain: C.AF_INET6,
    bytes: layOut(
      ['h', 2, C.AF_INET6],
      ['n', 2, 1],
      ['n', 4, 0xabcde],
      Buffer.from('fe800000000000000000000000000001', 'hex'),
      ['h', 4, 0xfffffffe],
    ),
  },
  {
    what: 'IPv4 through an IPv6 socket',
    address: { family: 'IPv4', address: '127.0.0.1', port: 80 },
    domain: C.AF_INET6,
    bytes: layOut(['h', 2, C.AF_INET6], ['n', 2, 80], ['n', 4, 0], MAPPED, ['h', 4, 0]),
  },
  {
    what: 'a path',
    address: { family: 'unix', path: '/run/é' },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], Buffer.from('/run/é\0')),
  },
  {
    what: 'a path of 107 bytes',
    address: { family: 'unix', path: 'p'.repeat(107) },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], text(`${'p'.repeat(107)}\0`)),
  },
  {
    what: 'a path that is not UTF-8',
    address: { family: 'unix', path: Buffer.from([0x2f, 0xff, 0xfe]) },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], Buffer.from([0x2f, 0xff, 0xfe, 0])),
  },
  {
    what: 'an abstract name, NUL bytes inside and behind',
    address: { family: 'unix', path: '\0a\0b\0' },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], text('\0a\0b\0')),
  },
  {
    what: 'an abstract name of 108 bytes',
    address: { family: 'unix', path: `\0${'n'.repeat(107)}` },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], text(`\0${'n'.repeat(107)}`)),
  },
  {
    what: 'an abstract name that is not UTF-8',
    address: { family: 'unix', path: Buffer.from([0, 0x80]) },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX], Buffer.from([0, 0x80])),
  },
  {
    what: 'no name',
    address: { family: 'unix', path: '' },
    domain: C.AF_UNIX,
    bytes: layOut(['h', 2, C.AF_UNIX]),
  },
  {
    what: 'a netlink port',
    address: { family: 'netlink', pid: 0xfffffffe, groups: 0x80000001 },
    domain: C.AF_NETLINK,
    bytes: layOut(['h', 2, C.AF_NETLINK], zeros(2), ['h', 4, 0xfffffffe], ['h', 4, 0x80000001]),
  },
  {
    what: 'a vsock port',
    address: { family: 'vsock', cid: 3, port: 0xffffffff },
    domain: C.AF_VSOCK,
    bytes: layOut(['h', 2, C.AF_VSOCK], zeros(2), ['h', 4, 0xffffffff], ['h', 4, 3], zeros(4)),
  },
  {
    what: 'any other family',
    address: { family: 77, data: Buffer.from([1, 2, 3, 4, 5]) },
    domain: 77,
    bytes: layOut(['h', 2, 77], Buffer.from([1, 2, 3, 4, 5])),
  },
];

describe.each(CASES)('address: $what', ({ address, domain, bytes }) => {
  test('goes in as the man page draws it', () => {
    expect(encode(address, domain)).toEqual(bytes);
  });

  test('comes out as it went in', () => {
    expect(decode(bytes)).toEqual(address);
  });
});

test('address: what an earlier one left behind is not seen in the next one', () => {
  encode({ family: 'unix', path: 'x'.repeat(107) }, C.AF_UNIX);
  const bytes = encode({ family: 'IPv4', address: '1.2.3.4', port: 5 }, C.AF_INET);
  expect(bytes.subarray(8)).toEqual(zeros(8));
  encode({ family: 'unix', path: 'x'.repeat(107) }, C.AF_UNIX);
  expect(encode({ family: 'IPv6', address: '::1', port: 5 }, C.AF_INET6).subarray(24)).toEqual(
    zeros(4),
  );
});

test('address: the family may be left out where the rest says it', () => {
  expect(encode({ address: '192.0.2.7', port: 0x1234 }, C.AF_INET)).toEqual(CASES[0].bytes);
  expect(encode({ address: '2001:db8::1', port: 65535 }, C.AF_INET6)).toEqual(CASES[1].bytes);
  expect(encode({ path: '/run/é' }, C.AF_UNIX)).toEqual(CASES[4].bytes);
});

test("address: the scope may be the literal's zone, by name or number", () => {
  const byName = encode({ family: 'IPv6', address: 'fe80::1%lo', port: 1 }, C.AF_INET6);
  const byNumber = encode({ family: 'IPv6', address: 'fe80::1%1', port: 1 }, C.AF_INET6);
  const byField = encode({ family: 'IPv6', address: 'fe80::1', port: 1, scopeId: 1 }, C.AF_INET6);
  expect(byName).toEqual(byField);
  expect(byNumber).toEqual(byField);
  const unknown = thrown(() =>
    encode({ family: 'IPv6', address: 'fe80::1%nosuch0', port: 1 }, C.AF_INET6),
  );
  expect(unknown).toMatchObject({ code: 'ENODEV', syscall: 'if_nametoindex' });
});

test('address: ::ffff:a.b.c.d comes out as the IPv4 that it is, whatever wrote it', () => {
  const literal = encode({ family: 'IPv6', address: '::ffff:127.0.0.1', port: 80 }, C.AF_INET6);
  expect(decode(literal)).toEqual({ family: 'IPv4', address: '127.0.0.1', port: 80 });
  const similar = encode({ family: 'IPv6', address: '::fffe:127.0.0.1', port: 80 }, C.AF_INET6);
  expect(decode(similar)).toMatchObject({ family: 'IPv6' });
});

describe('address: packet', () => {
  const LOOPBACK = 1;
  const bytes = (hatype: number, pkttype: number, address: readonly number[]): Buffer =>
    layOut(
      ['h', 2, C.AF_PACKET],
      ['n', 2, C.ETH_P_ARP],
      ['h', 4, LOOPBACK],
      ['h', 2, hatype],
      Buffer.from([pkttype, address.length]),
      Buffer.from([...address, ...zeros(8 - Math.min(8, address.length))]),
    );

  test('goes in by the name or the index of its interface', () => {
    const expected = bytes(0, 0, []);
    for (const name of ['lo', LOOPBACK, '1']) {
      const address = { family: 'packet', interface: name, protocol: C.ETH_P_ARP } as const;
      expect(encode(address, C.AF_PACKET)).toEqual(expected);
    }
  });

  test('hardware addresses of any length go in, with colons or hyphens', () => {
    const given = (hardwareAddress: string): Buffer =>
      encode(
        { family: 'packet', interface: LOOPBACK, protocol: C.ETH_P_ARP, hardwareAddress },
        C.AF_PACKET,
      );
    expect(given('00:1a:2b:3c:4d:5e')).toEqual(bytes(0, 0, [0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e]));
    expect(given('0-1A-2b-3c-4d-5E')).toEqual(bytes(0, 0, [0, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e]));
    // InfiniBand's has 20 bytes, more than sockaddr_ll draws.
    const long = Array.from({ length: 20 }, (_, i) => i);
    const pairs = long.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    expect(given(pairs)).toEqual(bytes(0, 0, long));
  });

  test('comes out with everything that the kernel says', () => {
    expect(decode(bytes(C.ARPHRD_LOOPBACK, 4, [1, 2, 3, 4, 5, 0xff]))).toEqual({
      family: 'packet',
      interface: LOOPBACK,
      protocol: C.ETH_P_ARP,
      hardwareType: C.ARPHRD_LOOPBACK,
      packetType: 'outgoing',
      hardwareAddress: '01:02:03:04:05:ff',
    });
    const types = [0, 1, 2, 3, 4].map((type) => decode(bytes(1, type, [])));
    expect(types.map((address) => (address as { packetType?: string }).packetType)).toEqual([
      'host',
      'broadcast',
      'multicast',
      'otherhost',
      'outgoing',
    ]);
    expect(decode(bytes(1, 9, []))).not.toHaveProperty('packetType');
    expect(decode(bytes(1, 9, []))).not.toHaveProperty('hardwareAddress');
  });
});

describe('address: unix, as other programs write it', () => {
  test('a path of 108 bytes has no NUL to end it', () => {
    const bytes = layOut(['h', 2, C.AF_UNIX], text('q'.repeat(108)));
    expect(decode(bytes)).toEqual({ family: 'unix', path: 'q'.repeat(108) });
    // The kernel then counts one byte more than sockaddr_un has (unix(7), BUGS).
    expect(decode(bytes, bytes.length + 1)).toEqual({ family: 'unix', path: 'q'.repeat(108) });
  });

  test('a path ends at its NUL, or without one at its length', () => {
    const bytes = layOut(['h', 2, C.AF_UNIX], text('/tmp/x\0garbage'));
    expect(decode(bytes)).toEqual({ family: 'unix', path: '/tmp/x' });
    expect(decode(bytes, 2 + 4)).toEqual({ family: 'unix', path: '/tmp' });
  });
});

test('address: no bytes are no address', () => {
  expect(decode(Buffer.alloc(2), 0)).toBeNull();
  expect(decodeScratch(0)).toBeNull();
});

test('address: every IPv6 address, port, scope and flow label survives the way in and out', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 0, max: 65535 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0, max: 0xfffff }),
      (bytes, port, scope, flow) => {
        const sockaddr = layOut(['h', 2, C.AF_INET6], ['n', 2, port], ['n', 4, flow], bytes, [
          'h',
          4,
          scope,
        ]);
        const address = decode(sockaddr)!;
        fc.pre(address.family === 'IPv6');
        expect(encode(address, C.AF_INET6)).toEqual(sockaddr);
      },
    ),
  );
});

test('address: every Unix name survives the way in and out', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 107 }), (name) => {
      fc.pre(name[0] === 0 || !name.includes(0));
      const address = decode(encode({ family: 'unix', path: name }, C.AF_UNIX));
      expect(Buffer.from((address as { path: string }).path)).toEqual(Buffer.from(name));
    }),
  );
});
